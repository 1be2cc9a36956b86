"""How a month ends with its holders: offline figures alone leave it empty, a live holder that fell silent fails it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from macro_assets.catalog import Catalog, default_catalog, names
from macro_assets.graph.declared import derivations
from macro_assets.graph.endings import Empty, month_of
from macro_assets.graph.inputs import Inputs
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.raw import append_vintages
from macro_assets.models.protocol import StaleInputError
from macro_assets_tests.lakehouse.synthetic import row, tables_of

NOW = datetime(2020, 6, 10, 12, tzinfo=UTC)
OFFLINE, KEYLESS, KEYED = "bundled", "fred_graph", "fred"
ENDED, YEARS = date(2016, 12, 1), (2012, 2016)


def small() -> Catalog:
    """The catalog with two series of FRED, all that hold them, and what is made of one."""
    full, series = default_catalog(), ("UNRATE", "GDPC1")
    sources = {s: full.sources[s] for s in (OFFLINE, KEYED, KEYLESS)}
    kept = {s: full.series[s] for s in series}
    copies = tuple(c for c in full.copies if c.id in kept)
    tables = tables_of(full, sources)
    made = {
        "indicators": {"sahm_rule": full.indicators["sahm_rule"]},
        "scores": {},
        "models": {"gdp_ar": full.models["gdp_ar"]},
    }
    return dataclasses.replace(full, sources=sources, series=kept, copies=copies, tables=tables, charts={}, **made)


@pytest.fixture
def lake(tmp_path: Path) -> Lakehouse:
    return Lakehouse(tmp_path, small())


def fetched(lake: Lakehouse, provider: str, series: str, last: date, **told: object) -> None:
    """Figures of a holder from 2012 on, by period, all known ten days after the last begins."""
    every = {"M": "1mo", "Q": "1q"}[lake.catalog.series[series].frequency]
    days = pl.date_range(date(2012, 1, 1), last, every, eager=True)
    known = datetime(last.year, last.month, 11, tzinfo=UTC)
    said = {"series_id": series, "provider": provider, **told}
    rows = [{**row(d, 4.0 + n % 7 / 10 + n % 5, known), **said} for n, d in enumerate(days)]
    table = OFFLINE if provider == OFFLINE else KEYED
    append_vintages(table, pl.DataFrame(rows).drop("run_id"), "run", root=lake.root, catalog=lake.catalog)


def ending(lake: Lakehouse, month: str, *tables: str) -> list[Empty | pl.DataFrame]:
    """What becomes of a month of some tables, each after the ones before it."""
    found = {t: d for d in derivations(lake.catalog) for t in d.tables}
    inputs = Inputs(lake, [found[t] for t in tables], [month], NOW)
    made: list[Empty | pl.DataFrame] = []
    for table in tables:
        one = month_of(found[table], inputs, month)
        made.append(one if isinstance(one, Empty) else one[table])
    return made


SAHM, FITS, FORECASTS = names.real_time("sahm_rule"), names.fits("gdp_ar"), names.forecast("gdp_ar")


def test_an_open_month_of_offline_figures_alone_is_empty_with_its_reason(lake: Lakehouse) -> None:
    fetched(lake, OFFLINE, "UNRATE", ENDED)
    fetched(lake, OFFLINE, "GDPC1", date(2016, 10, 1))
    for made in ending(lake, "2020-06", SAHM, FITS, FORECASTS):
        assert isinstance(made, Empty)
        assert "older than its staleness limit" in made.reason
        assert "Only offline figures were known, which end" in made.reason
    (then,) = ending(lake, "2016-12", SAHM)
    assert isinstance(then, pl.DataFrame)
    assert set(then["providers"]) == {OFFLINE}


def test_a_live_holder_that_fell_silent_is_a_failure(lake: Lakehouse) -> None:
    fetched(lake, OFFLINE, "UNRATE", ENDED)
    fetched(lake, KEYLESS, "UNRATE", date(2019, 12, 1))
    with pytest.raises(StaleInputError, match="sahm_rule as of 2020-06-10: every input is older"):
        ending(lake, "2020-06", SAHM)
    (then,) = ending(lake, "2020-02", SAHM)
    assert isinstance(then, pl.DataFrame)
    assert set(then["providers"]) == {KEYLESS}


@pytest.mark.parametrize("live", [KEYLESS, KEYED])
def test_it_is_one_also_where_the_offline_copy_goes_further_and_counts(lake: Lakehouse, live: str) -> None:
    fetched(lake, OFFLINE, "UNRATE", ENDED)
    fetched(lake, live, "UNRATE", date(2015, 6, 1))
    assert set(Inputs(lake, derivations(lake.catalog)).known(["UNRATE"], NOW)["provider"]) == {OFFLINE}
    with pytest.raises(StaleInputError):
        ending(lake, "2020-06", SAHM)


def test_what_a_live_holder_was_asked_later_does_not_count(lake: Lakehouse) -> None:
    """As of an instant before its first fetch only offline figures were known."""
    fetched(lake, OFFLINE, "UNRATE", ENDED)
    fetched(lake, KEYLESS, "UNRATE", date(2019, 12, 1), release_basis="ingested")
    (before,) = ending(lake, "2018-06", SAHM)
    assert isinstance(before, Empty)
    assert "Only offline figures" in before.reason


def test_news_between_two_holders_are_an_empty_month_that_names_both(tmp_path: Path) -> None:
    """Until February only the offline copy is known, from March on the live one too."""
    lake = Lakehouse(tmp_path, default_catalog())
    for series in lake.catalog.models["gdp_nowcast"].series:
        fetched(lake, OFFLINE, series, date(2016, 1, 1))
        fetched(lake, KEYED, series, date(2017, 3, 1))
    assert changed_in(lake, ["2016-06", "2017-03", "2017-04"]) == [False, True, False]


def changed_in(lake: Lakehouse, months: Sequence[str]) -> list[bool]:
    """Whether the news of months say that the holders changed."""
    (news,) = (d for d in derivations(lake.catalog) if d.tables == (names.news("gdp_nowcast"),))
    found = []
    for month in months:
        made = month_of(news, Inputs(lake, [news], [month], NOW), month)
        assert isinstance(made, Empty), "there is no fit"
        changed = "as other holders served the figures" in made.reason
        if changed:
            assert f"({OFFLINE}, then {KEYED}: BOPTEXP, BOPTIMP, " in made.reason
        found.append(changed)
    return found
