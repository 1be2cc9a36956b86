"""Which holder serves a series: Polars, held vintages and SQL say what brute force finds (law 8)."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from macro_assets.lakehouse import open_vintages
from macro_assets.lakehouse.holders import begins_later
from macro_assets.lakehouse.raw import observations_as_of
from macro_assets.lakehouse.releases import releases
from macro_assets.lakehouse.session import connect
from macro_assets.lakehouse.vintages import as_of, in_force
from macro_assets_tests.lakehouse import oracle
from macro_assets_tests.lakehouse.histories import DAYS, IDS, UNITS, History, histories, moments
from macro_assets_tests.lakehouse.oracle import Answer, Concept, Holder, Row, Told
from macro_assets_tests.lakehouse.synthetic import INGESTED, SERIES, day, decisions, frame, month, row

FAR = datetime(2100, 1, 1, tzinfo=UTC)
INSTANTS = [*(day(n) for n in range(1, DAYS + 3)), INGESTED]
TOLD = ["series_id", "observation_date", "value", "release_time", "provider", "release_basis"]


def answered(frame: pl.DataFrame) -> Answer:
    """Answers of a read, each observation of a series once."""
    told = frame.select(TOLD).rows()
    assert len({r[:2] for r in told}) == len(told)
    return {r[:2]: Told(*r[2:]) for r in told}


def expected(h: History, moment: datetime | None, now: datetime | None = None) -> Answer:
    return oracle.as_of(h.rows, h.decided, moment, h.concepts, now)


def read(h: History, moment: datetime | None, now: datetime | None = None) -> Answer:
    return answered(as_of(h.raw, moment, h.holdings, decisions(*h.decided), now))


# --- pure reads ----------------------------------------------------------------------------------------------------


@settings(max_examples=100)
@given(histories(), moments, st.integers(1, DAYS).map(day))
def test_as_of_is_what_brute_force_finds(h: History, moment: datetime | None, now: datetime) -> None:
    """In whatever order the rows lie, in the table's key order too."""
    in_key_order = h.raw.sort("series_id", "observation_date", "release_time", "provider")
    for raw in (h.raw, in_key_order, in_key_order.lazy()):
        found = as_of(raw, moment, h.holdings, decisions(*h.decided), now)
        assert answered(found) == expected(h, moment, now)
        assert found.select("series_id", "observation_date").rows() == sorted(
            found.select("series_id", "observation_date").rows()
        )


@settings(max_examples=75)
@given(histories(), st.integers(1, DAYS).map(day))
def test_what_is_released_later_changes_nothing(h: History, moment: datetime) -> None:
    """But for the first dated vintage of a provider, which ends its estimates at all times: they were guesses."""
    known = [r for r in h.rows if r["release_time"] <= moment]
    dated = {(r["series_id"], r["provider"]) for r in known if oracle.is_dated(r)}
    of_late = {(r["series_id"], r["provider"]) for r in h.rows if oracle.is_dated(r)} - dated
    known = [
        r for r in known if r["release_basis"] != "publication_lag" or (r["series_id"], r["provider"]) not in of_late
    ]
    decided = [d for d in h.decided if d["decided_at"] <= moment]
    assert read(h, moment) == read(History(known, h.concepts, decided), moment)


@settings(max_examples=75)
@given(histories(), moments, st.integers(1, DAYS).map(day))
def test_one_holder_answers_or_one_and_who_was_seen_to_have_the_same(
    h: History, moment: datetime | None, now: datetime
) -> None:
    found = read(h, moment, now)
    in_force = oracle.in_force(h.rows, h.decided, moment)
    for series_id, concept in h.concepts.items():
        by_provider: dict[str, dict[Any, Told]] = {}
        for (about, observed), told in found.items():
            if about == series_id:
                by_provider.setdefault(told.provider, {})[observed] = told
        assert by_provider.keys() <= {holder.provider for holder in concept.holders}
        if len(by_provider) > 1:
            home = by_provider.pop(concept.home.provider)
            ((other, added),) = by_provider.items()
            assert next(holder for holder in concept.holders if holder.provider == other).same
            assert min(added) > max(home)
            assert all(told.release_basis != "publication_lag" for told in added.values())
            both = [r for r in in_force[series_id, other] if r["observation_date"] in home]
            assert both
            assert all(oracle.is_equal(r["value"], home[r["observation_date"]].value) for r in both)


# --- the stored tables ---------------------------------------------------------------------------------------------


@settings(max_examples=12)
@given(histories(), moments)
def test_the_tables_and_held_vintages_answer_so_too(
    tmp_path_factory: pytest.TempPathFactory, h: History, moment: datetime | None
) -> None:
    root, catalog = tmp_path_factory.mktemp("lake"), h.catalog
    h.store(root)
    told = expected(h, moment)
    known = observations_as_of(moment, root=root, catalog=catalog)
    assert answered(known) == told
    order = [(h.catalog.series[i].source, i, d) for i, d in told]
    by_source = sorted(order, key=lambda o: (list(h.catalog.sources).index(o[0]), *o[1:]))
    assert known.select("source", "series_id", "observation_date").rows() == by_source
    held = open_vintages(None, root, catalog)
    assert held.as_of(moment).equals(known)
    for ids in ([IDS[0]], [IDS[1]], [IDS[1], IDS[0]]):
        some = known.filter(pl.col("series_id").is_in(ids))
        only = open_vintages(ids, root, catalog)
        for found in (held.as_of(moment, ids), only.as_of(moment), observations_as_of(moment, ids, root, catalog)):
            assert found.equals(some)
        assert only.versions([moment], ids) == held.versions([moment], ids)


@settings(max_examples=40)
@given(histories())
def test_versions_are_equal_exactly_where_the_answers_are(tmp_path_factory: pytest.TempPathFactory, h: History) -> None:
    root, instants = tmp_path_factory.mktemp("lake"), [INSTANTS[2], None, *INSTANTS]
    h.store(root)
    held = open_vintages(None, root, h.catalog)
    by_instant = held.versions(instants, list(IDS))
    said = [expected(h, moment) for moment in instants]
    for series_id in IDS:
        answers = [{d: t for (about, d), t in answer.items() if about == series_id} for answer in said]
        versions = [found.get(series_id) for found in by_instant]
        assert [v is None for v in versions] == [not a for a in answers]
        for one, other in itertools.combinations(range(len(instants)), 2):
            assert (versions[one] == versions[other]) == (answers[one] == answers[other]), (one, other)


@settings(max_examples=6)
@given(histories(), moments)
def test_sql_says_the_same(tmp_path_factory: pytest.TempPathFactory, h: History, moment: datetime | None) -> None:
    """In a session of today and in one as of the instant, which sees nothing later whatever is asked.

    Releases, in both languages, are those of who serves.
    """
    root, catalog, asked = tmp_path_factory.mktemp("lake"), h.catalog, moment or FAR
    h.store(root)
    told = expected(h, asked)
    then = connect(as_of=asked, root=root, catalog=catalog)
    for con, at in ((connect(root=root, catalog=catalog), asked), (then, asked), (then, FAR)):
        known = con.execute("SELECT * FROM observations_as_of(?)", [at]).pl()
        assert answered(known) == told
        labels = {(i, told.provider) for (i, _), told in told.items()}
        assert set(known.select("series_id", "source", "provider", "provider_unit").rows()) == {
            (i, h.concepts[i].home.provider, p, f"as {p} has it") for i, p in labels
        }
        for series_id in {r["series_id"] for r in h.rows}:  # of another one there is no answer but how to get it
            one = con.execute("SELECT * FROM series_as_of(?, ?)", [series_id, at]).pl()
            assert one.equals(known.filter(pl.col("series_id") == series_id).sort("observation_date"))
    standard = then.execute("SELECT series_id, observation_date, provider, value FROM normalized.observations")
    assert set(standard.fetchall()) == {
        (i, d, t.provider, None if t.value is None else t.value * UNITS[t.provider][1]) for (i, d), t in told.items()
    }
    columns = ["series_id", "observation_date", "release", "value", "release_time", "provider"]
    for series_id in {r["series_id"] for r in h.rows}:
        numbered = [r for r in oracle.releases(h.rows, h.decided, asked, h.concepts) if r[0] == series_id]
        assert releases(series_id, as_of=asked, root=root, catalog=catalog).select(columns).rows() == numbered
        assert then.execute("SELECT * FROM releases(?)", [series_id]).pl().select(columns).rows() == numbered


# --- the law, case by case -----------------------------------------------------------------------------------------

HOME, TWIN, OTHER = "fred", "fred_graph", "bundled"


def one_series(*rows: Row, limit: int = 100_000, same: bool = True) -> History:
    """PAYEMS of a home, a holder of the same figures, and one of another base with a table of its own."""
    holders = (Holder(HOME, HOME), Holder(TWIN, HOME, same), Holder(OTHER, OTHER))
    return History([{**r, "series_id": IDS[0]} for r in rows], {IDS[0]: Concept(limit, holders)})


def at(provider: str, m: int, value: float | None, n: int, basis: str = "provider") -> Row:
    return row(month(m), value, day(n), basis, provider=provider)


def shown(h: History, n: int) -> dict[int, tuple[float | None, str]]:
    """By month, value and provider at the end of a day."""
    found = read(h, day(n))
    assert found == expected(h, day(n))
    return {d.month: (told.value, told.provider) for (_, d), told in found.items()}


def test_two_bases_are_never_spliced() -> None:
    """The copy has 2009 dollars and more months: the home's few months are the answer, alone."""
    h = one_series(at(HOME, 2, 120.0, 2), *(at(OTHER, m, 100.0, 1) for m in (1, 2, 3)))
    assert shown(h, 1) == dict.fromkeys((1, 2, 3), (100.0, OTHER))
    assert shown(h, 2) == {2: (120.0, HOME)}


def test_fresh_comes_before_order_and_dated_before_estimated() -> None:
    old, new = at(HOME, 1, 1.0, 1), at(OTHER, 4, 4.0, 1, "publication_lag")
    age = (day(2).date() - month(4)).days
    assert shown(one_series(old, new), 2) == {1: (1.0, HOME)}
    assert shown(one_series(old, new, limit=age), 2) == {4: (4.0, OTHER)}
    assert shown(one_series(old, new, limit=age - 1), 2) == {4: (4.0, OTHER)}
    estimated = at(HOME, 4, 1.0, 1, "publication_lag")
    assert shown(one_series(estimated, at(OTHER, 4, 2.0, 2, "ingested")), 1) == {4: (1.0, HOME)}
    assert shown(one_series(estimated, at(OTHER, 4, 2.0, 2, "ingested")), 2) == {4: (2.0, OTHER)}


def test_a_withdrawn_value_is_not_fresh() -> None:
    age = (day(3).date() - month(4)).days
    h = one_series(at(HOME, 1, 1.0, 1), at(HOME, 4, 4.0, 1), at(HOME, 4, None, 3), at(OTHER, 4, 5.0, 1), limit=age)
    assert shown(h, 2) == {1: (1.0, HOME), 4: (4.0, HOME)}
    assert shown(h, 3) == {4: (5.0, OTHER)}


def test_a_withdrawal_is_dated_too() -> None:
    """That a holder was seen to withdraw a figure is as good a date as that it was seen to have one."""
    guessed, withdrawn = at(HOME, 4, 1.0, 1, "publication_lag"), at(HOME, 3, None, 2, "ingested")
    h = one_series(guessed, withdrawn, at(OTHER, 4, 2.0, 1))
    assert shown(h, 1) == {4: (2.0, OTHER)}
    assert shown(h, 2) == {3: (None, HOME), 4: (1.0, HOME)}


def test_the_same_figures_go_on_where_they_were_seen_to_be_equal() -> None:
    home = [at(HOME, 1, 1.0, 1), at(HOME, 2, 2.0, 1)]
    later = at(TWIN, 3, 3.0, 2, "ingested")
    equal = [at(TWIN, 2, 2.0, 2, "ingested"), later]
    assert shown(one_series(*home, *equal), 2) == {1: (1.0, HOME), 2: (2.0, HOME), 3: (3.0, TWIN)}
    alone = {1: (1.0, HOME), 2: (2.0, HOME)}
    assert shown(one_series(*home, *equal), 1) == alone
    assert shown(one_series(*home, *equal, same=False), 2) == alone
    assert shown(one_series(*home, later), 2) == alone, "nothing to compare"
    assert shown(one_series(*home, at(TWIN, 2, 2.5, 2, "ingested"), later), 2) == alone
    assert shown(one_series(*home, at(TWIN, 2, None, 2, "ingested"), later), 2) == alone
    digits = {1.0 + 1e-12: {**alone, 3: (3.0, TWIN)}, 1.0 + 1e-8: alone}
    for off, expected_answer in digits.items():
        assert shown(one_series(*home, at(TWIN, 2, 2.0 * off, 2, "ingested"), later), 2) == expected_answer
    guessed = [{**r, "release_basis": "publication_lag"} for r in equal]
    assert shown(one_series(*home, *guessed), 2) == alone, "today's figures at guessed times"


def test_a_holder_that_begins_later_than_another_is_told() -> None:
    rows = [at(HOME, 2, 1.0, 1), at(OTHER, 1, 1.0, 1), at(OTHER, 3, 1.0, 1), at(TWIN, 1, None, 1)]
    known = in_force(frame(*rows), None).filter(pl.col("provider") != TWIN)
    serves = pl.DataFrame({"series_id": SERIES, "provider": HOME})
    assert begins_later(known, serves).rows() == [(SERIES, HOME, month(2), OTHER, month(1))]
    assert begins_later(known, serves.with_columns(provider=pl.lit(OTHER))).is_empty()
    valued_later = in_force(frame(at(HOME, 2, 1.0, 1), at(TWIN, 1, None, 1)), None)
    assert begins_later(valued_later, serves).is_empty(), "a missing value is no beginning"


def test_one_of_several_with_the_same_figures_goes_on() -> None:
    """The first in order that has something to add; the others are not mixed in."""
    twins = (Holder(TWIN, HOME, same=True), Holder("bls", HOME, same=True), Holder(OTHER, HOME, same=True))
    rows = [
        at(p, m, 1.0, 1) for p, months in ((HOME, 1), (TWIN, 1), ("bls", 2), (OTHER, 3)) for m in range(1, months + 1)
    ]
    h = History(rows, {IDS[0]: Concept(100_000, (Holder(HOME, HOME), *twins))})
    assert shown(h, 1) == {1: (1.0, HOME), 2: (1.0, "bls")}


def test_the_least_row_of_the_future_is_not_seen() -> None:
    h = one_series(at(OTHER, 1, 1.0, 1))
    late = {**at(HOME, 1, 9.0, 1), "release_time": day(1) + timedelta(microseconds=1)}
    assert shown(one_series(*h.rows, late), 1) == shown(h, 1)


def test_the_generator_reaches_every_case() -> None:
    """Else the properties above would prove little: who serves, why, and who adds."""
    seen: set[str] = set()

    @settings(max_examples=500, derandomize=True, database=None)
    @given(histories(), st.integers(1, DAYS).map(day))
    def look(h: History, moment: datetime) -> None:
        in_force = oracle.in_force(h.rows, h.decided, moment)
        answer = expected(h, moment)
        for series_id, holder in oracle.serving(h.rows, h.decided, moment, h.concepts).items():
            concept = h.concepts[series_id]
            told = in_force[series_id, holder.provider]
            rivals = [c for c in concept.holders if (series_id, c.provider) in in_force]
            if len({t.provider for (i, _), t in answer.items() if i == series_id}) > 1:
                seen.add("two providers")
            if rivals[0] != holder:
                seen.add("not the first")
            if not any(r["value"] is not None for r in told):
                seen.add("no value")
                continue
            fresh = (moment.date() - oracle.last_value(told)).days <= concept.staleness_days
            dated = any(r["release_basis"] != "publication_lag" for r in told)
            seen.add(f"{'fresh' if fresh else 'stale'}, {'dated' if dated else 'estimated'}, {len(rivals)}")

    look()
    kinds = {f"{f}, {d}, {n}" for f in ("fresh", "stale") for d in ("dated", "estimated") for n in (1, 2, 3)}
    assert seen >= kinds | {"two providers", "not the first", "no value"}
