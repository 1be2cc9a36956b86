"""The vintage law: any order of loading gives the same as-of answers, and nothing is seen before its release."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from macro_assets.catalog import Vintages
from macro_assets.lakehouse.appending import VintageConflictError, concerned, rows_to_append
from macro_assets.lakehouse.vintages import in_force, instant
from macro_assets_tests.lakehouse import oracle
from macro_assets_tests.lakehouse.histories import History, histories, moments, raw_rows, stores
from macro_assets_tests.lakehouse.synthetic import (
    INGESTED,
    PROVIDER,
    SERIES,
    Row,
    day,
    decision,
    decisions,
    frame,
    month,
    row,
    vintage_frame,
)


def load(raw: pl.DataFrame, batch: pl.DataFrame) -> pl.DataFrame:
    return pl.concat([raw, rows_to_append(raw, batch)[0]])


def answers(raw: pl.DataFrame, moment: datetime) -> dict[date, float | None]:
    return dict(in_force(raw, moment).select("observation_date", "value").iter_rows())


# A vintage states, for each date it covers, a value or that it is missing; dates are only ever added.
vintage_values = st.lists(st.sampled_from([None, 1.0, 2.0, 3.0]), min_size=1, max_size=4)
vintages = st.lists(vintage_values, min_size=1, max_size=4).map(lambda vs: sorted(vs, key=len))


def stated(all_vintages: list[list[float | None]], upto: int) -> dict[date, float | None]:
    """What the latest of the first `upto` vintages says; dates it lacks keep the last statement about them."""
    known: dict[date, float | None] = {}
    for values in all_vintages[:upto]:
        known |= {month(i + 1): v for i, v in enumerate(values)}
    return known


@settings(max_examples=20)
@given(vintages)
def test_any_order_of_loading_gives_the_same_answers(synthetic: list[list[float | None]]) -> None:
    for order in itertools.permutations(range(len(synthetic))):
        raw = frame()
        for n in order:
            raw = load(raw, vintage_frame(n, synthetic[n]))
        for upto in range(len(synthetic) + 1):
            assert answers(raw, day(upto) if upto else day(1) - timedelta(days=1)) == stated(synthetic, upto), order


@settings(max_examples=20)
@given(vintages, st.randoms(use_true_random=False))
def test_loading_again_adds_nothing(synthetic: list[list[float | None]], random: object) -> None:
    raw = frame()
    for n, values in enumerate(synthetic):
        raw = load(raw, vintage_frame(n, values))
    batches = [vintage_frame(n, values) for n, values in enumerate(synthetic)]
    random.shuffle(batches)  # type: ignore[attr-defined]
    for batch in [*batches, pl.concat(batches)]:
        added, report = rows_to_append(raw, batch)
        assert added.is_empty()
        assert report.unchanged == batch.height


def test_only_changes_are_stored_and_counted() -> None:
    raw, first = rows_to_append(frame(), vintage_frame(0, [1.0, 2.0]))
    added, second = rows_to_append(raw, vintage_frame(1, [1.0, 2.5, 3.0]))
    assert (first.new, first.revised) == (2, 0)
    assert (second.seen, second.new, second.revised, second.unchanged) == (3, 1, 1, 1)
    assert added.sort("observation_date")["value"].to_list() == [2.5, 3.0]


def test_a_late_vintage_does_not_change_the_answers_of_a_later_one() -> None:
    raw = load(frame(), vintage_frame(0, [1.0]))
    raw = load(raw, vintage_frame(2, [1.0, 7.0]))
    raw = load(raw, vintage_frame(1, [9.0]))
    assert answers(raw, day(1)) == {month(1): 1.0}
    assert answers(raw, day(2)) == {month(1): 9.0}
    assert answers(raw, day(3)) == {month(1): 1.0, month(2): 7.0}


def test_a_vintage_that_changes_nothing_is_remembered() -> None:
    raw = load(load(frame(), vintage_frame(0, [1.0])), vintage_frame(2, [1.0]))
    raw = load(raw, vintage_frame(1, [9.0]))
    assert answers(raw, day(3)) == {month(1): 1.0}


def test_a_withdrawal_is_a_vintage_of_its_own() -> None:
    raw = load(load(frame(), vintage_frame(0, [1.0])), vintage_frame(1, [None]))
    assert answers(raw, day(1)) == {month(1): 1.0}
    assert answers(raw, day(2)) == {month(1): None}


def test_equal_duplicates_are_dropped_and_counted() -> None:
    batch = pl.concat([vintage_frame(0, [1.0, 2.0]), vintage_frame(0, [1.0])])
    added, report = rows_to_append(frame(), batch)
    assert (added.height, report.duplicate, report.seen) == (2, 1, 3)


@pytest.mark.parametrize("stored", [False, True])
def test_conflicting_values_for_one_instant_are_refused(stored: bool) -> None:
    one, other = vintage_frame(0, [1.0]), vintage_frame(0, [2.0])
    raw, batch = (load(frame(), one), other) if stored else (frame(), pl.concat([one, other]))
    with pytest.raises(VintageConflictError, match=r"PAYEMS of provider bundled: 2019-01-01 .*1\.0 and 2\.0"):
        rows_to_append(raw, batch)


def test_vintages_replace_estimated_release_times() -> None:
    estimated = frame(row(month(1), 1.0, day(1), "publication_lag"))
    raw = load(estimated, frame(row(month(1), 1.0, day(5), "snapshot")))
    assert answers(raw, day(2)) == {}
    assert answers(raw, day(5)) == {month(1): 1.0}


def test_estimates_of_one_provider_survive_vintages_of_another() -> None:
    raw = load(
        frame(row(month(1), 1.0, day(1), "publication_lag")), frame(row(month(1), 5.0, day(2), provider="another"))
    )
    assert sorted(in_force(raw, day(3)).select("provider", "value").rows()) == [("another", 5.0), (PROVIDER, 1.0)]


def test_a_changed_value_without_a_vintage_is_known_from_when_it_was_fetched() -> None:
    estimate = frame(row(month(1), 1.0, day(1), "publication_lag"))
    changed = frame(row(month(1), 2.0, day(1), "publication_lag"))
    raw = load(estimate, changed)
    assert answers(raw, day(9)) == {month(1): 1.0}
    assert answers(raw, INGESTED) == {month(1): 2.0}
    assert raw["release_basis"].to_list() == ["publication_lag", "ingested"]
    assert rows_to_append(raw, changed)[0].is_empty()
    back = frame(row(month(1), 1.0, day(1), "publication_lag", ingested_at=INGESTED + timedelta(days=1)))
    assert answers(load(raw, back), INGESTED + timedelta(days=2)) == {month(1): 1.0}


def test_a_later_release_changes_no_earlier_answer() -> None:
    raw = load(frame(), vintage_frame(0, [1.0, 2.0]))
    before = in_force(raw, day(1))
    raw = load(raw, vintage_frame(8, [100.0, 200.0, 300.0]))
    assert in_force(raw, day(1)).equals(before)


@pytest.mark.parametrize(
    ("given_as", "expected"),
    [
        (date(2016, 7, 29), datetime(2016, 7, 29, 23, 59, 59, 999999, tzinfo=UTC)),
        ("2016-07-29", datetime(2016, 7, 29, 23, 59, 59, 999999, tzinfo=UTC)),
        ("2016-07-29T12:00:00Z", datetime(2016, 7, 29, 12, tzinfo=UTC)),
        ("2016-07-29 12:30 UTC", datetime(2016, 7, 29, 12, 30, tzinfo=UTC)),
        ("2016-07-29T12:00:00-04:00", datetime(2016, 7, 29, 16, tzinfo=UTC)),
    ],
)
def test_a_bare_date_means_its_end_in_utc(given_as: date | str, expected: datetime) -> None:
    assert instant(given_as) == expected


@pytest.mark.parametrize(
    "bad",
    ["29/07/2016", "2016-13-01", "yesterday", "2016-07-29 UTC", " UTC", "2016-07-29T12:00:00", datetime(2016, 7, 29)],
)
def test_an_instant_that_is_none_is_refused(bad: str | datetime) -> None:
    with pytest.raises(ValueError, match="is not a date|has no time zone"):
        instant(bad)


@pytest.mark.parametrize("extreme", ["9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+12:00"])
def test_an_instant_beyond_the_calendar_is_refused(extreme: str) -> None:
    with pytest.raises(ValueError, match="is in UTC no instant of the years 1 to 9999"):
        instant(extreme)


# --- providers that tell changes -----------------------------------------------------------------------------------

LAST_DAY = 6
Changes = dict[date, dict[int, float | None]]
"""By observation date, the days on which its value changed, and to what."""


def truth(history: Changes, n: int) -> dict[date, float | None]:
    """What was known on a day, by the complete history."""
    return {d: told[max(k for k in told if k <= n)] for d, told in history.items() if min(told) <= n}


def told_of(history: Changes, span: range) -> pl.DataFrame:
    """What a provider tells that is asked for the days from a vintage on: what held then, and later changes."""
    state = [row(d, v, day(span.start)) for d, v in truth(history, span.start).items()]
    later = [row(d, v, day(k)) for d, told in history.items() for k, v in told.items() if k in span and k > span.start]
    return frame(*state, *later)


@st.composite
def fetched_histories(draw: st.DrawFn) -> tuple[Changes, list[range]]:
    """A history, and fetches that cover it, each from a vintage on; loaded in turn, none leaves a gap before it."""
    said = st.dictionaries(st.integers(1, LAST_DAY), st.sampled_from([None, 1.0, 2.0]), min_size=1)
    found: Changes = {}
    for n in range(1, 4):
        told = sorted(draw(said).items())
        found[month(n)] = {k: v for i, (k, v) in enumerate(told) if i == 0 or v != told[i - 1][1]}
    vintages = sorted({k for told in found.values() for k in told})
    borders = sorted({vintages[0], *draw(st.sets(st.sampled_from(vintages)))})
    spans = [range(a, b) for a, b in itertools.pairwise([*borders, LAST_DAY + 1])]
    order: list[int] = []
    while len(order) < len(spans):
        allowed = [i for i in range(len(spans)) if i not in order and (not order or i <= min(order) or i - 1 in order)]
        order.append(draw(st.sampled_from(allowed)))
    return found, [spans[i] for i in order]


@settings(max_examples=60)
@given(fetched_histories())
def test_changes_in_any_split_and_order_without_gaps_give_the_true_answers(
    fetched: tuple[Changes, list[range]],
) -> None:
    """At every instant that is covered by then, and the same batch again, or everything at once, adds nothing."""
    history, spans = fetched
    raw, covered = frame(), set[int]()
    for span in spans:
        batch = told_of(history, span)
        added, report = rows_to_append(raw, batch, vintages="changes")
        assert report.seen == report.new + report.revised + report.unchanged
        raw = pl.concat([raw, added])
        assert rows_to_append(raw, batch, vintages="changes")[0].is_empty()
        covered |= set(span)
        for n in covered:
            assert answers(raw, day(n)) == truth(history, n), (span, n)
    for span in [*spans, range(min(covered), LAST_DAY + 1)]:
        assert rows_to_append(raw, told_of(history, span), vintages="changes")[0].is_empty()


@settings(max_examples=40)
@given(fetched_histories(), st.randoms(use_true_random=False))
def test_no_statement_about_changes_is_untrue(fetched: tuple[Changes, list[range]], random: object) -> None:
    """Whatever is stored holds on its day, in any order: nothing is restated that no provider said."""
    history, spans = fetched
    random.shuffle(spans)  # type: ignore[attr-defined]
    raw = frame()
    for span in spans:
        raw = pl.concat([raw, rows_to_append(raw, told_of(history, span), vintages="changes")[0]])
    for d, value, released in raw.select("observation_date", "value", "release_time").iter_rows():
        assert truth(history, released.day)[d] == value
    assert not raw.select("observation_date", "release_time").is_duplicated().any()


def test_a_late_change_holds_until_the_next_one_of_its_observation() -> None:
    """In a whole vintage, silence about January confirms it; among changes it says nothing."""
    raw = frame(row(month(1), 1.0, day(1)), row(month(2), 5.0, day(3)))
    late = frame(row(month(1), 2.0, day(2)))
    as_changes, _ = rows_to_append(raw, late, vintages="changes")
    assert answers(pl.concat([raw, as_changes]), day(3)) == {month(1): 2.0, month(2): 5.0}


def test_a_gap_that_is_filled_later_is_healed_by_fetching_what_follows_it_again() -> None:
    """1 on day 1, 2 on day 2, 1 again on day 3; the second day is fetched last."""
    history: Changes = {month(1): {1: 1.0, 2: 2.0, 3: 1.0}, month(2): {1: 7.0, 3: 8.0}}
    raw = frame()
    for span in (range(1, 2), range(3, 4), range(2, 3), range(3, 4)):
        raw = pl.concat([raw, rows_to_append(raw, told_of(history, span), vintages="changes")[0]])
    for n in (1, 2, 3):
        assert answers(raw, day(n)) == truth(history, n)


def test_two_values_for_one_change_are_refused() -> None:
    raw = frame(row(month(1), 1.0, day(1)))
    with pytest.raises(VintageConflictError, match="2019-01-01 has two values"):
        rows_to_append(raw, frame(row(month(1), 2.0, day(1))), vintages="changes")


# --- providers that overwrite --------------------------------------------------------------------------------------


@st.composite
def overwriting(draw: st.DrawFn) -> list[list[Row]]:
    """What fetches a day apart find: some months, each with one value and what is said of its release."""
    fetches = []
    for n in range(draw(st.integers(1, 5))):
        at = INGESTED + timedelta(days=n)
        found = draw(st.sets(st.integers(1, 3)))
        fetches.append(
            [
                row(
                    month(m),
                    draw(st.sampled_from([None, 1.0, 2.0])),
                    INGESTED + timedelta(days=draw(st.integers(-3, 8))),
                    draw(st.sampled_from(["publication_lag", "provider"])),
                    ingested_at=at,
                )
                for m in sorted(found)
            ]
        )
    return fetches


@settings(max_examples=60)
@given(overwriting())
def test_what_a_provider_overwrites_is_known_from_when_it_was_fetched(fetches: list[list[Row]]) -> None:
    """The first value from its release on, or its fetch if that came first; another one from its fetch on."""
    raw = frame()
    known: dict[date, list[tuple[datetime, float | None]]] = {}
    for fetch in fetches:
        for r in fetch:
            told = known.setdefault(r["observation_date"], [])  # type: ignore[arg-type]
            at: datetime = r["ingested_at"]  # type: ignore[assignment]
            if not told:
                told.append((min(r["release_time"], at), r["value"]))  # type: ignore[type-var, arg-type]
            elif told[-1][1] != r["value"]:
                told.append((at, r["value"]))  # type: ignore[arg-type]
        added, report = rows_to_append(raw, frame(*fetch), vintages="none")
        assert (report.rejected, added.height) == (0, report.new + report.revised)
        raw = pl.concat([raw, added])
        assert rows_to_append(raw, frame(*fetch), vintages="none")[0].is_empty()
    written = raw.select("observation_date", "release_time", "value").sort("observation_date", "release_time").rows()
    assert written == sorted((d, at, v) for d, told in known.items() for at, v in told)
    assert (raw["release_time"] <= raw["ingested_at"]).all()


@pytest.mark.parametrize("basis", ["provider", "publication_lag"])
@pytest.mark.parametrize("released", [day(1), day(2)])
def test_two_values_of_one_observation_in_one_answer_are_refused(basis: str, released: datetime) -> None:
    """Which of them is in force? Without vintages one cannot be the other's revision."""
    batch = frame(row(month(1), 1.0, day(1), basis), row(month(1), 2.0, released, basis))
    with pytest.raises(VintageConflictError, match=r"2019-01-01 has two values .*1\.0 and 2\.0"):
        rows_to_append(frame(), batch, vintages="none")


def test_an_equal_duplicate_in_an_answer_is_dropped() -> None:
    batch = frame(row(month(1), 1.0, day(1)), row(month(1), 1.0, day(2)))
    added, report = rows_to_append(frame(), batch, vintages="none")
    assert (added["release_time"].to_list(), report.duplicate, report.new) == ([day(1)], 1, 1)


def test_a_release_the_provider_states_is_kept_and_one_to_come_is_the_fetch() -> None:
    """As the time of a bulletin; a clock that is ahead must not hide the figure."""
    future = INGESTED + timedelta(days=9)
    added, report = rows_to_append(
        frame(), frame(row(month(1), 1.0, day(1)), row(month(2), 2.0, future)), vintages="none"
    )
    assert added.select("release_time", "release_basis").rows() == [(day(1), "provider"), (INGESTED, "ingested")]
    assert report.rejections == {}


def test_a_marked_value_that_is_overwritten_is_corrected_by_the_next_fetch() -> None:
    bad = row(month(1), 9.0, day(2), "publication_lag")
    raw, marked = frame(bad), decisions(decision(bad, day(6)))
    assert rows_to_append(raw, frame({**bad, "ingested_at": day(8)}), marked, "none")[0].is_empty()
    added, _ = rows_to_append(raw, frame({**bad, "value": 2.0, "ingested_at": day(8)}), marked, "none")
    raw = pl.concat([raw, added])
    assert [in_force(raw, day(n), marked)["value"].to_list() for n in (5, 7, 8)] == [[9.0], [], [2.0]]


# --- against brute force -------------------------------------------------------------------------------------------


@settings(max_examples=100)
@given(histories(), moments)
def test_each_holder_has_in_force_what_brute_force_finds(h: History, moment: datetime | None) -> None:
    """In whatever order the rows lie, in the table's key order too; sorted by series and date."""
    expected = {oracle.key(r) for told in oracle.in_force(h.rows, h.decided, moment).values() for r in told}
    in_key_order = h.raw.sort("series_id", "observation_date", "release_time", "provider")
    for raw in (h.raw, in_key_order, in_key_order.lazy()):
        found = in_force(raw, moment, decisions(*h.decided))
        rows = found.select(oracle.KEY).rows()
        assert len(rows) == len(expected)
        assert set(rows) == expected
        days = found.select("series_id", "observation_date").rows()
        assert days == sorted(days)


@settings(max_examples=75)
@given(stores(), raw_rows.filter(bool), st.sampled_from(["whole", "changes", "none"]))
def test_the_rows_concerned_are_enough_to_decide(
    store: tuple[list[Row], list[Row]], added: list[Row], mode: Vintages
) -> None:
    """What a batch adds is the same whether all stored rows are at hand or only those it concerns."""
    rows, taken = store
    raw, batch = frame(*rows), frame(*added)
    try:
        expected, report = rows_to_append(raw, batch, decisions(*taken), mode)
    except VintageConflictError:
        with pytest.raises(VintageConflictError):
            rows_to_append(concerned(raw.lazy(), batch).collect(), batch, decisions(*taken), mode)
        return
    found, same = rows_to_append(concerned(raw.lazy(), batch).collect(), batch, decisions(*taken), mode)
    order = ["series_id", "observation_date", "release_time", "provider"]
    assert found.sort(order).equals(expected.sort(order))
    assert report == same
    assert report.seen == report.new + report.revised + report.unchanged + report.duplicate + report.rejected
    assert expected.height == report.appended


# --- invalid values ------------------------------------------------------------------------------------------------

BAD = row(month(1), 9.0, day(2))
MARKED = decisions(decision(BAD, day(6)))


def test_an_invalid_value_does_not_count_from_the_decision_on() -> None:
    raw = frame(row(month(1), 1.0, day(1)), BAD)
    assert in_force(raw, day(5), MARKED)["value"].to_list() == [9.0]
    assert in_force(raw, day(6), MARKED)["value"].to_list() == [1.0]
    assert in_force(raw, None, MARKED)["value"].to_list() == [1.0]


def test_a_reinstated_value_counts_again_and_the_time_between_stays() -> None:
    raw = frame(row(month(1), 1.0, day(1)), BAD)
    undone = pl.concat([MARKED, decisions(decision(BAD, day(8), "reinstate"))])
    assert [in_force(raw, day(n), undone)["value"].item() for n in (5, 7, 8)] == [9.0, 1.0, 9.0]


def test_a_repeated_invalid_value_is_no_news() -> None:
    """A later vintage that repeats the bad value does not bring it back; one that changes it does count."""
    raw = load(frame(row(month(1), 1.0, day(1)), BAD), frame(row(month(1), 9.0, day(7), ingested_at=day(8))))
    assert in_force(raw, None, MARKED)["value"].to_list() == [1.0]
    raw = load(raw, frame(row(month(1), 2.0, day(9), ingested_at=day(9))))
    assert in_force(raw, None, MARKED)["value"].to_list() == [2.0]


def test_a_correction_of_an_invalid_release_is_known_from_when_it_was_fetched() -> None:
    """The same release, read again with a mended parser, has another value. Without the mark it is refused."""
    raw = frame(row(month(1), 1.0, day(1)), BAD)
    again = frame(row(month(1), 2.0, day(2), ingested_at=day(8)))
    with pytest.raises(VintageConflictError, match="macro invalidate"):
        rows_to_append(raw, again)
    added, report = rows_to_append(raw, again, MARKED)
    assert added.select("value", "release_time", "release_basis").rows() == [(2.0, day(8), "ingested")]
    assert (report.revised, report.unchanged) == (1, 0)
    raw = pl.concat([raw, added])
    assert [in_force(raw, day(n), MARKED)["value"].item() for n in (5, 7, 8)] == [9.0, 1.0, 2.0]
    assert rows_to_append(raw, again, MARKED)[0].is_empty()


def test_a_correction_of_a_superseded_release_changes_nothing() -> None:
    raw = frame(BAD, row(month(1), 3.0, day(4)))
    again = frame(row(month(1), 2.0, day(2), ingested_at=day(8)))
    assert rows_to_append(raw, again, MARKED)[0].is_empty()


# --- releases that cannot be ---------------------------------------------------------------------------------------


def test_a_release_after_its_fetch_is_rejected_and_named() -> None:
    future = row(month(2), 5.0, INGESTED + timedelta(days=3))
    added, report = rows_to_append(frame(), frame(row(month(1), 1.0, day(1)), future))
    assert added["value"].to_list() == [1.0]
    assert (report.seen, report.rejected, report.new) == (2, 1, 1)
    assert "series PAYEMS of provider bundled: 2019-02-01" in report.rejections[SERIES]


def test_a_release_known_by_its_date_counts_on_the_day_it_is_fetched() -> None:
    """The end of the day in UTC lies ahead of a fetch at noon."""
    today = row(month(1), 1.0, datetime(2026, 1, 1, 23, 59, 59, 999999, tzinfo=UTC))
    assert rows_to_append(frame(), frame(today))[0].height == 1


def test_an_estimate_later_than_the_fetch_is_replaced_by_the_fetch() -> None:
    early = row(month(1), 1.0, INGESTED + timedelta(days=20), "publication_lag")
    added, _ = rows_to_append(frame(), frame(early))
    assert added.select("release_time", "release_basis").rows() == [(INGESTED, "ingested")]
