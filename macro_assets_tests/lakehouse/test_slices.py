"""Versions of what is in force: equal exactly where brute force finds the same rows in force."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from macro_assets.lakehouse.slices import versions_in_force
from macro_assets_tests.lakehouse import oracle
from macro_assets_tests.lakehouse.histories import IDS, SOURCES, History, bases, histories
from macro_assets_tests.lakehouse.oracle import Concept, Holder
from macro_assets_tests.lakehouse.synthetic import (
    INGESTED,
    PROVIDER,
    SERIES,
    Row,
    day,
    decision,
    decisions,
    month,
    row,
)

INSTANTS = [day(3), None, *(day(n) for n in range(1, 9)), INGESTED, day(2) - timedelta(microseconds=1)]
NOW = day(9)
ANOTHER = "fred"
HOLDERS = (Holder(PROVIDER, PROVIDER), Holder(ANOTHER, PROVIDER))
CONCEPTS = dict.fromkeys(IDS, Concept(100_000, HOLDERS))


def versions_of(h: History, instants: Sequence[Any] = INSTANTS) -> list[dict[str, str]]:
    in_key_order = h.raw.sort("series_id", "provider", "observation_date", "release_time")
    return versions_in_force(in_key_order, instants, h.holdings, decisions(*h.decided), NOW)


def versions(
    rows: Sequence[Row], taken: Sequence[Row] = (), instants: Sequence[Any] = INSTANTS
) -> list[dict[str, str]]:
    """Of rows of two holders, of which the first counts where it has any."""
    return versions_of(History(list(rows), CONCEPTS, list(taken)), instants)


def one_version(rows: Sequence[Row], moment: object, taken: Sequence[Row] = ()) -> str | None:
    return versions(rows, taken, [moment])[0].get(SERIES)


def said(h: History, moment: datetime | None) -> dict[str, frozenset[object]]:
    """By series, all that is answered."""
    found: dict[str, set[object]] = {}
    for (series_id, about), told in oracle.as_of(h.rows, h.decided, moment, h.concepts, NOW).items():
        found.setdefault(series_id, set()).add((about, *told))
    return {series_id: frozenset(rows) for series_id, rows in found.items()}


_changes: st.SearchStrategy[dict[str, object]] = st.one_of(
    st.builds(lambda v: {"value": v}, st.sampled_from([None, 0.0, 1.0, 2.0, 3.0])),
    st.builds(lambda n: {"release_time": day(n)}, st.integers(1, 4)),
    st.builds(lambda b: {"release_basis": b}, bases),
    st.builds(lambda p: {"provider": p}, st.sampled_from(SOURCES)),
    st.builds(lambda n: {"observation_date": month(n)}, st.integers(1, 3)),
)


@st.composite
def two_stores(draw: st.DrawFn) -> tuple[History, History]:
    """A store, and what became of it: rows and decisions added, in another order, and perhaps one row changed."""
    h, more = draw(histories()), draw(histories())
    changed = [{**r, **draw(_changes)} for r in h.rows[: draw(st.integers(0, 1))]]
    later = {oracle.key(r): r for r in draw(st.permutations([*more.rows, *h.rows, *changed]))}
    at_once = {(*oracle.key(d), d["decided_at"]): d for d in [*more.decided, *h.decided]}
    return h, History(list(later.values()), h.concepts, list(at_once.values()))


@settings(max_examples=75)
@given(two_stores())
def test_versions_are_equal_exactly_where_the_answers_are(stores: tuple[History, History]) -> None:
    """Over all instants of both stores: neither a change that is missed nor one that is none."""
    said_by: dict[tuple[str, str], frozenset[object]] = {}
    version_of: dict[tuple[str, frozenset[object]], str] = {}
    for h in stores:
        for moment, found in zip(INSTANTS, versions_of(h), strict=True):
            expected = said(h, moment)
            assert set(found) == set(expected)
            for series_id, version in found.items():
                told = expected[series_id]
                assert said_by.setdefault((series_id, version), told) == told
                assert version_of.setdefault((series_id, told), version) == version


# --- the law, case by case -----------------------------------------------------------------------------------------

FIRST, SECOND = row(month(1), 1.0, day(1)), row(month(2), 2.0, day(2))
BEFORE = one_version([FIRST, SECOND], day(3))


@pytest.mark.parametrize(
    "added",
    [
        row(month(1), 5.0, day(3) + timedelta(microseconds=1)),
        row(month(3), 5.0, day(4)),
        row(month(1), 5.0, day(1) - timedelta(days=1)),  # a late vintage that another has followed
        row(month(1), 5.0, day(2), provider=ANOTHER),
        row(month(1), 5.0, day(2), "publication_lag"),
        row(month(1), 5.0, day(2), series_id="UNRATE"),
        {**FIRST, "ingested_at": INGESTED + timedelta(days=1), "run_id": "again"},
    ],
    ids=["revised later", "a new date later", "superseded", "another", "an estimate", "another series", "duplicate"],
)
def test_what_changes_nothing_in_force_leaves_the_version(added: Row) -> None:
    assert one_version([added, SECOND, FIRST], day(3)) == BEFORE


@pytest.mark.parametrize(
    "rows",
    [
        [FIRST],
        [FIRST, SECOND, row(month(3), 2.0, day(3))],
        [{**FIRST, "value": None}, SECOND],
        [{**FIRST, "value": 1.0 + 2**-52}, SECOND],
        [{**FIRST, "release_time": day(1) + timedelta(microseconds=1)}, SECOND],
        [{**FIRST, "observation_date": month(1) + timedelta(days=1)}, SECOND],
        [{**FIRST, "release_basis": "snapshot"}, SECOND],
        [{**FIRST, "provider": ANOTHER}, SECOND],
        [{**FIRST, "value": 2.0}, {**SECOND, "value": 1.0}],
        [FIRST, SECOND, row(month(1), 1.0, day(2))],  # the same value, told again
    ],
)
def test_the_least_change_in_force_moves_the_version(rows: list[Row]) -> None:
    assert one_version(rows, day(3)) not in (BEFORE, None)


def test_a_decision_counts_from_its_day_until_it_is_undone() -> None:
    bad = row(month(1), 9.0, day(2))
    rows, taken = [FIRST, bad, SECOND], [decision(bad, day(4)), decision(bad, day(6), "reinstate")]
    before = versions(rows, (), [day(3), day(4), day(5), day(6), None])
    after = versions(rows, taken, [day(3), day(4), day(5), day(6), None])
    assert [one == other for one, other in zip(before, after, strict=True)] == [True, False, False, True, True]
    assert after[1] == versions([FIRST, SECOND], (), [day(4)])[0]


def test_estimates_that_dated_vintages_replace_leave_the_past_too() -> None:
    estimates = [row(month(1), 1.0, day(1), "publication_lag"), row(month(2), 2.0, day(2), "publication_lag")]
    dated = row(month(1), 1.0, day(5), "snapshot")
    alone, replaced = versions(estimates, (), [day(2), day(5)]), versions([*estimates, dated], (), [day(2), day(5)])
    assert alone[0] == alone[1] != {}
    assert replaced == [{}, versions([dated], (), [day(5)])[0]]


def test_nothing_in_force_is_no_version() -> None:
    a_null = row(month(1), None, day(1), series_id="UNRATE")
    assert [set(v) for v in versions([SECOND, a_null], (), [day(1), day(2)])] == [{"UNRATE"}, {"UNRATE", SERIES}]
    assert versions([], (), [day(1), None]) == [{}, {}]
    assert versions([FIRST], [decision(FIRST, day(2))], []) == []


def test_instants_in_any_order_and_form() -> None:
    asked = [None, date(2020, 1, 1), "2020-01-02", "2020-01-01", day(1), "2020-01-01T12:00:00Z"]
    found = [v.get(SERIES) for v in versions([FIRST, SECOND], (), asked)]
    assert found == [BEFORE, one_version([FIRST], None), BEFORE, found[1], found[1], None]


def test_a_version_is_the_same_for_ever() -> None:
    """It is stored and compared by other processes with other libraries."""
    rows = [FIRST, {**SECOND, "value": None}, row(month(2), 2.5, day(3))]
    assert versions(rows, (), [day(1), day(2), day(3)]) == [
        {SERIES: "0a18d8a83436dd0d"},
        {SERIES: "413817a887822f8e"},
        {SERIES: "33622ba097e151f7"},
    ]
