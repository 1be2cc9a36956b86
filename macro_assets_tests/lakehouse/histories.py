"""Random synthetic histories of two series at several holders, for comparing reads with `oracle.py`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import polars as pl
from hypothesis import strategies as st

from macro_assets.catalog import Catalog, default_catalog
from macro_assets.catalog.kinds.series import Holder as AskedHolder
from macro_assets.lakehouse import write
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.paths import Root
from macro_assets.lakehouse.raw import INVALIDATIONS
from macro_assets_tests.lakehouse.oracle import Concept, Holder, Row, key
from macro_assets_tests.lakehouse.synthetic import (
    INGESTED,
    PROVIDER,
    day,
    decision,
    decisions,
    frame,
    month,
    row,
)

SOURCES = ("fred", "fred_graph", "bls", "bundled")
"""Who may be a holder here."""

STRANGER = "dbnomics"
"""Has rows of the series in the raw tables though it is no holder of them."""

OBSERVATIONS = "normalized/observations"
IDS = ("PAYEMS", "UNRATE")
MONTHS, DAYS = 5, 5
BASES = ("provider", "snapshot", "ingested", "publication_lag", "rebased")
UNITS = {
    "fred": ("persons", 1000.0),
    "fred_graph": ("persons", 1000.0),
    "bls": ("persons", 1.0),
    "bundled": ("jobs", 10.0),
}
"""Unit and scale of each holder's figures, here."""


@dataclass(frozen=True)
class History:
    """Rows of several holders, decisions about some of them, and who holds which series."""

    rows: list[Row]
    concepts: Mapping[str, Concept]
    decided: list[Row] = field(default_factory=list)

    @property
    def raw(self) -> pl.DataFrame:
        """The rows of all tables, in the order in which they lie."""
        return frame(*self.rows)

    @property
    def holdings(self) -> pl.DataFrame:
        """The frame that `vintages.as_of` takes."""
        return pl.DataFrame(
            [
                {
                    "series_id": series_id,
                    "provider": h.provider,
                    "rank": rank,
                    "source": concept.home.provider,
                    "unit": UNITS[h.provider][0],
                    "scale": UNITS[h.provider][1],
                    "provider_unit": f"as {h.provider} has it",
                    "staleness_days": concept.staleness_days,
                    "same": h.same,
                }
                for series_id, concept in self.concepts.items()
                for rank, h in enumerate(concept.holders)
            ]
        )

    @property
    def catalog(self) -> Catalog:
        return catalog_of(tuple(self.concepts.items()))

    def store(self, root: str | Root) -> None:
        """Write the rows to the tables that keep them, each in two files."""
        lake = Lakehouse.at(root, self.catalog)
        for table in SOURCES:
            own = [r for r in self.rows if self._table(r) == table]
            half = len(own) // 2
            for part in (own[:half], own[half:]):
                if part:
                    write.append(lake, f"raw/{table}", frame(*part), {})
        if not self.rows:
            write.append(lake, f"raw/{SOURCES[0]}", frame(), {})
        if self.decided:
            write.append(lake, INVALIDATIONS, decisions(*self.decided), {})

    def _table(self, r: Row) -> str:
        concept = self.concepts[r["series_id"]]
        return next((h.table for h in concept.holders if h.provider == r["provider"]), concept.home.table)


@cache
def catalog_of(concepts: tuple[tuple[str, Concept], ...]) -> Catalog:
    """A catalog of the four sources in which the series have these holders, without what would only take time."""
    full = default_catalog()
    series, copies = {}, []
    for series_id, concept in concepts:
        here = {
            h.provider: {
                "source": h.provider,
                "unit": UNITS[h.provider][0],
                "scale": UNITS[h.provider][1],
                "provider_unit": f"as {h.provider} has it",
            }
            for h in concept.holders
        }
        own = full.series[series_id].model_copy(
            update={
                **here[concept.home.provider],
                "staleness_days": concept.staleness_days,
                "holders": (),
                "release": None,
            }
        )
        asked = [h for h in concept.holders[1:] if h.table == concept.home.table]
        series[series_id] = own.model_copy(
            update={"holders": tuple(AskedHolder(**here[h.provider], same=h.same) for h in asked)}
        )
        copies += [own.model_copy(update=here[h.provider]) for h in concept.holders if h.table != concept.home.table]
    sources = {name: full.sources[name] for name in SOURCES}
    return dataclasses.replace(
        full,
        sources=sources,
        series=series,
        copies=tuple(copies),
        tables={name: full.tables[name] for name in (INVALIDATIONS, *(f"raw/{s}" for s in SOURCES))},
        views={OBSERVATIONS: full.views[OBSERVATIONS]},
    )


# --- strategies ----------------------------------------------------------------------------------------------------

moments = st.one_of(st.none(), st.integers(1, DAYS + 1).map(day), st.integers(1, DAYS).map(day), st.just(INGESTED))
"""Instants among and after the releases; None for everything known."""

values = st.sampled_from([None, 1.0, 2.0, 2.0, 3.0])
bases = st.sampled_from(BASES)
_rarely = st.sampled_from([False, False, False, True])


@st.composite
def _concepts(draw: st.DrawFn) -> Concept:
    """Holders in any order: the home, others in its table, then copies in tables of their own."""
    providers = draw(st.permutations(SOURCES))[: draw(st.integers(1, len(SOURCES)))]
    asked = draw(st.integers(1, len(providers)))
    home = providers[0]
    others = [Holder(p, home, not draw(_rarely)) for p in providers[1:asked]]
    copies = sorted((Holder(p, p) for p in providers[asked:]), key=lambda h: SOURCES.index(h.provider))
    # the age, on one of the days, of one of the months exactly; or no limit within the history
    age = (day(draw(st.integers(1, DAYS))).date() - month(draw(st.integers(1, MONTHS)))).days
    limit = draw(st.sampled_from([age, age, 5, 100_000]))
    return Concept(limit, (Holder(home, home), *others, *copies))


@st.composite
def _likely(draw: st.DrawFn, series_id: str, concept: Concept) -> list[Row]:
    """What holders have of one true history: each a part of it, at its own times, in its own base, rarely wrong."""
    truth = {
        m: sorted(draw(st.dictionaries(st.integers(1, DAYS - 1), values, min_size=1, max_size=2)).items())
        for m in range(1, MONTHS + 1)
    }
    for_all = draw(st.sampled_from([None, None, "publication_lag"]))
    rows = []
    for h in concept.holders:
        factor = 1.0 if h.same else draw(st.sampled_from([1.0, 1.25, 1000.0]))
        usual = for_all or draw(bases)
        first, last, late = draw(st.integers(1, 2)), draw(st.integers(2, MONTHS)), draw(st.integers(0, 1))
        wrong = {draw(st.integers(first, last)): draw(st.sampled_from([2.0, 1.0 + 1e-12]))} if draw(_rarely) else {}
        strays = draw(st.booleans())
        for m in range(first, last + 1):
            for n, value in truth[m]:
                basis = draw(bases) if strays else usual
                told = None if value is None else value * factor * wrong.get(m, 1.0)
                rows.append(row(month(m), told, day(n + late), basis, series_id=series_id, provider=h.provider))
    return rows


@st.composite
def _twins(draw: st.DrawFn, series_id: str, concept: Concept) -> list[Row]:
    """What the home tells of the first months, the others again and on; nearly always equal, of whatever basis."""
    truth = {m: draw(values) for m in range(1, MONTHS + 1)}
    end = draw(st.integers(1, MONTHS - 1))
    rows = [
        row(month(m), truth[m], day(1), series_id=series_id, provider=concept.home.provider) for m in range(1, end + 1)
    ]
    for h in concept.holders[1:]:
        off = {draw(st.integers(1, MONTHS)): draw(st.sampled_from([1.0, 1.0 + 1e-12, 2.0, 0.0, None]))}
        usual = draw(bases)
        for m in range(draw(st.integers(1, end + 1)), MONTHS + 1):
            value, factor = truth[m], off.get(m, 1.0)
            told = None if value is None or factor is None else value * factor
            basis = draw(st.sampled_from([usual, usual, "ingested", "publication_lag", "rebased"]))
            rows.append(
                row(month(m), told, day(draw(st.integers(1, 2))), basis, series_id=series_id, provider=h.provider)
            )
    return rows


@st.composite
def _any_rows(draw: st.DrawFn, series_id: str, concept: Concept) -> list[Row]:
    """Rows with every basis and provider, a stranger's too."""
    providers = [*(h.provider for h in concept.holders), *(h.provider for h in concept.holders), STRANGER]
    one = st.builds(
        row,
        st.integers(1, MONTHS).map(month),
        values,
        st.integers(1, DAYS).map(day),
        bases,
        series_id=st.just(series_id),
        provider=st.sampled_from(providers),
    )
    return draw(st.lists(one, max_size=10))


@st.composite
def histories(draw: st.DrawFn, series_ids: tuple[str, ...] = IDS) -> History:
    """Rows in any order, no two with the same key, and decisions about some of them."""
    concepts = {i: draw(_concepts()) for i in series_ids}
    found: dict[tuple[Any, ...], Row] = {}
    for i, concept in concepts.items():
        for r in draw(st.one_of(_likely(i, concept), _twins(i, concept), _any_rows(i, concept))):
            found.setdefault(key(r), r)
    rows = list(draw(st.permutations(list(found.values()))))
    return History(rows, concepts, draw(decided_about(rows)))


@st.composite
def decided_about(draw: st.DrawFn, rows: list[Row]) -> list[Row]:
    """Decisions about some rows."""
    found: list[Row] = []
    for r in draw(st.lists(st.sampled_from(rows), max_size=3, unique_by=key)) if rows else []:
        actions = draw(st.sampled_from([["invalidate"], ["invalidate", "reinstate"], ["reinstate"]]))
        first = draw(st.integers(1, DAYS))
        found += [decision(r, day(first + i), action) for i, action in enumerate(actions)]
    return found


raw_rows = st.lists(
    st.builds(
        row,
        st.integers(1, 2).map(month),
        st.sampled_from([None, 1.0, 2.0]),
        st.integers(1, 4).map(day),
        st.sampled_from(["provider", *BASES]),
        series_id=st.sampled_from(IDS),
        provider=st.sampled_from([PROVIDER, PROVIDER, "fred", STRANGER]),
    ),
    max_size=14,
    unique_by=key,
)
"""Rows that are often about the same two dates, no two with the same key, whoever holds the series."""


@st.composite
def stores(draw: st.DrawFn) -> tuple[list[Row], list[Row]]:
    """Such rows, and decisions about some of them."""
    rows = draw(raw_rows)
    return rows, draw(decided_about(rows))
