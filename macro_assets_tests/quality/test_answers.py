"""Answers as a whole: what is missing, shrunk, ahead of time or in another unit is named; what may be is let pass."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import polars as pl
import pytest

from macro_assets.catalog import PublicationLag, Series
from macro_assets.quality.answers import (
    ahead,
    another_level,
    beyond,
    empty,
    expected_since,
    is_same_vintage,
    multiplied,
    older,
    rebased,
    shrunk,
)
from macro_assets_tests.sources.wire import toy_series

TODAY = date(2026, 11, 20)  # a Friday
NOTHING = pl.DataFrame(schema={"observation_date": pl.Date, "value": pl.Float64})


def series(frequency: str = "M", lag: int = 30, **facts: Any) -> Series:
    known = PublicationLag(days=lag, time=time(12), time_zone="UTC")
    return toy_series("cboe", "TOY", frequency=frequency, publication_lag=known, **{"first_year": 2000, **facts})


def rows(*pairs: tuple[date, float | None]) -> pl.DataFrame:
    return pl.DataFrame(list(pairs), schema=NOTHING.schema, orient="row")


def months(values: Sequence[float | None], year: int = 2020) -> pl.DataFrame:
    return rows(*((date(year + i // 12, i % 12 + 1, 1), v) for i, v in enumerate(values)))


# --- what must be there --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("frequency", ["D", "W", "M", "Q", "A"])
def test_a_whole_history_without_figures_is_an_error(frequency: str) -> None:
    why = empty(NOTHING, series(frequency), None, None, TODAY)
    assert why is not None
    assert "series TOY of source cboe: the answer holds no observations from the beginning to 2026-11-20" in why
    assert "Expected figures from 2001-01-01 on" in why
    assert "The stored rows were kept" in why


@pytest.mark.parametrize("frequency", ["D", "W", "M", "Q", "A"])
def test_an_answer_with_a_figure_is_not_empty(frequency: str) -> None:
    assert empty(rows((date(2020, 1, 1), 1.0)), series(frequency), None, None, TODAY) is None


@pytest.mark.parametrize(
    ("frequency", "lag", "first", "on_time"),
    [
        # the period's end + lag + grace of the frequency: the first day on which its absence is an error
        ("M", 30, date(2026, 8, 1), date(2026, 10, 31)),  # August, told on 30 September, 31 days of grace
        ("Q", 30, date(2026, 4, 1), date(2026, 10, 30)),  # second quarter, told on 30 July, 92 days of grace
        ("A", 90, date(2024, 1, 1), date(2026, 4, 1)),  # 2024, told on 31 March 2025, 366 days of grace
        ("D", 1, date(2026, 11, 2), date(2026, 11, 13)),
        ("W", 1, date(2026, 11, 2), date(2026, 11, 17)),
    ],
)
def test_a_first_figure_has_the_lag_and_its_grace(frequency: str, lag: int, first: date, on_time: date) -> None:
    one = series(frequency, lag)
    assert expected_since(one, first, None, on_time) == first
    assert expected_since(one, first, None, on_time - timedelta(days=1)) is None


def test_the_grace_begins_on_the_day_of_release_in_utc() -> None:
    """Ten at night in New York is the next day in UTC."""
    late = PublicationLag(days=30, time=time(22), time_zone="America/New_York")
    one = series("M").model_copy(update={"publication_lag": late})
    assert expected_since(one, date(2026, 8, 1), None, date(2026, 10, 31)) is None
    assert expected_since(one, date(2026, 8, 1), None, date(2026, 11, 1)) == date(2026, 8, 1)


@pytest.mark.parametrize(
    ("frequency", "first", "since"),
    [
        ("M", date(2020, 2, 15), date(2020, 3, 1)),  # the period that begins before the window is not of it
        ("M", date(2020, 2, 1), date(2020, 2, 1)),
        ("Q", date(2020, 2, 15), date(2020, 4, 1)),
        ("A", date(2020, 1, 2), date(2021, 1, 1)),
        ("W", date(2020, 2, 15), date(2020, 2, 15)),
        ("D", date(2020, 2, 15), date(2020, 2, 15)),
        ("M", date(1990, 1, 1), date(2001, 1, 1)),  # a series may begin late in its first year
    ],
)
def test_the_first_figure_of_a_window(frequency: str, first: date, since: date) -> None:
    assert expected_since(series(frequency), first, None, TODAY) == since


@pytest.mark.parametrize(
    ("frequency", "first", "last", "is_due"),
    [
        ("D", date(2020, 1, 1), date(2020, 1, 10), False),  # a long holiday may leave nine days without a figure
        ("D", date(2020, 1, 1), date(2020, 1, 11), True),
        ("W", date(2020, 1, 1), date(2020, 1, 14), False),
        ("W", date(2020, 1, 1), date(2020, 1, 15), True),
        ("M", date(2020, 1, 1), date(2020, 1, 1), True),
        ("M", date(2020, 1, 2), date(2020, 1, 31), False),  # no month begins in the window
        ("Q", date(2020, 1, 2), date(2020, 3, 31), False),
        ("A", date(2020, 2, 1), date(2020, 12, 31), False),
        ("M", date(1999, 1, 1), date(2000, 12, 31), False),  # the first year, in which it may begin late
        ("M", date(1999, 1, 1), date(2001, 1, 1), True),
        ("M", date(2026, 12, 1), date(2026, 12, 31), False),  # to come
    ],
)
def test_a_window_that_may_be_empty(frequency: str, first: date, last: date, is_due: bool) -> None:
    assert (empty(NOTHING, series(frequency), first, last, TODAY) is not None) is is_due


def test_after_the_last_year_nothing_is_due() -> None:
    ended = series("M", last_year=2010)
    assert expected_since(ended, None, None, TODAY) == date(2001, 1, 1)
    assert expected_since(ended, date(2009, 12, 1), None, TODAY) == date(2009, 12, 1)
    assert expected_since(ended, date(2010, 1, 1), None, TODAY) is None  # it may have ended early in its last year
    assert expected_since(series("M", last_year=2001), None, None, TODAY) is None


def test_of_a_series_without_rhythm_nothing_is_due() -> None:
    assert empty(NOTHING, series("D", irregular=True), None, None, TODAY) is None


def test_of_a_provider_that_drops_old_figures_the_last_year_is_due() -> None:
    one = series("D", lag=1)
    long_ago = date(2020, 1, 1), date(2020, 12, 31)
    assert empty(NOTHING, one, *long_ago, TODAY) is not None
    assert empty(NOTHING, one, *long_ago, TODAY, rolling=True) is None
    why = empty(NOTHING, one, date(2020, 1, 1), None, TODAY, rolling=True)
    assert why is not None
    assert "Expected figures from 2025-11-20 on" in why
    a_few_days = TODAY - timedelta(days=365 - 9)
    assert empty(NOTHING, one, date(2020, 1, 1), a_few_days, TODAY, rolling=True) is None
    assert empty(NOTHING, one, date(2020, 1, 1), a_few_days + timedelta(days=1), TODAY, rolling=True) is not None


# --- what was there ------------------------------------------------------------------------------------------------


def test_an_answer_that_lacks_stored_dates_is_named() -> None:
    held = months([1.0, 2.0, 3.0, None])
    why = shrunk(months([1.0]), held, series())
    assert why is not None
    assert "the answer lacks 2 of 3 dates that are stored for the asked window, 2020-02-01 to 2020-03-01" in why


@pytest.mark.parametrize(
    "answer",
    [
        months([1.0, 2.0]),
        months([1.0, None]),  # said to be missing: withdrawn
        months([9.0, 9.0, 9.0]),  # revised, and more
    ],
)
def test_an_answer_with_every_stored_date_has_not_shrunk(answer: pl.DataFrame) -> None:
    assert shrunk(answer, months([1.0, 2.0, None]), series()) is None  # a withdrawn date need not come again


def test_nothing_is_lacking_where_nothing_is_stored() -> None:
    assert shrunk(NOTHING, NOTHING, series()) is None


def test_an_answer_without_the_end_of_what_is_stored_is_an_older_state() -> None:
    why = older(months([1.0, 2.5]), months([1.0, 2.0, 3.0, 4.0]), series())
    assert why is not None
    assert "the answer ends with 2020-02-01, and 2020-04-01 is stored of it already" in why


@pytest.mark.parametrize(
    ("answer", "held"),
    [
        (months([1.0, 2.0]), months([1.0, 2.0, None])),  # what was withdrawn need not come again
        (months([1.0, 2.0, 3.0]), months([1.0, 2.0])),
        (NOTHING, months([1.0])),  # there is another word for it
        (rows((date(2020, 2, 1), 1.0)), months([1.0, 2.0, 3.0])),  # and for this
        (NOTHING, NOTHING),
    ],
)
def test_an_answer_that_is_no_older_state(answer: pl.DataFrame, held: pl.DataFrame) -> None:
    assert older(answer, held, series()) is None


# --- what cannot be yet --------------------------------------------------------------------------------------------


def test_figures_of_the_future_are_named() -> None:
    why = ahead(rows((date(2026, 1, 1), 1.0), (TODAY + timedelta(days=8), 2.0)), series("D"), TODAY)
    assert why is not None
    assert "an observation of 2026-11-28, in the future. Expected none after 2026-11-20" in why
    assert "the catalog must say so" in why


@pytest.mark.parametrize(
    ("answer", "one"),
    [
        (rows((TODAY + timedelta(days=7), 1.0)), series("W")),  # the last day of the running week
        (rows((date(2031, 1, 1), 1.0)), series("A", projections=True)),
        (NOTHING, series("D")),
    ],
)
def test_dates_that_may_be(answer: pl.DataFrame, one: Series) -> None:
    assert ahead(answer, one, TODAY) is None


# --- another unit --------------------------------------------------------------------------------------------------

HELD = [100.0, 101.0, 103.0, 102.0, 105.0, 107.0, 106.0, 110.0]


@pytest.mark.parametrize("factor", [1000.0, 0.001, 1.03, 0.97])
def test_a_change_of_unit_or_base_year_is_named(factor: float) -> None:
    answer = months([v * factor for v in HELD] + [1.0])
    found = rebased(answer, months(HELD))
    assert found is not None
    why = another_level(found, series(provider_unit="Index 2012=100"))
    assert f"each of 8 figures is {factor:.6g} times the stored one" in why
    assert "Index 2012=100" in why


def test_a_rounded_rebase_is_found_and_negative_figures_do_not_hide_it() -> None:
    flows = [-v if i % 2 else v for i, v in enumerate(HELD)]
    assert rebased(months([round(v * 1.2345, 2) for v in flows]), months(flows)) is not None


@pytest.mark.parametrize(
    "answer",
    [
        HELD,
        [v * 1.01 for v in HELD],  # an annual revision of level
        [-v for v in HELD],
        [*(v * 1000 for v in HELD[:-1]), HELD[-1]],  # some figures: a blunder the bounds must find
        [v * (1 + i / 50) for i, v in enumerate(HELD)],  # a benchmark that grows with time
        [v * 1000 for v in HELD[:2]],  # too few to tell
        [0.0 for _ in HELD],
        [None for _ in HELD],
    ],
)
def test_a_revision_is_no_change_of_unit(answer: list[float | None]) -> None:
    assert rebased(months(answer), months(HELD)) is None


def test_zeros_and_missing_figures_tell_nothing_about_the_unit() -> None:
    held = months([*HELD, 0.0, None, 5.0])
    answer = months([*(v * 100 for v in HELD), 0.0, 3.0, None])
    assert rebased(answer, held) is not None


@pytest.mark.parametrize(
    ("held", "answer"),
    [
        pytest.param([101.3, 99.8, 104.2], [68.9, 67.9, 70.9], id="three figures with one decimal"),
        pytest.param([100.0, 102.0, 101.0, 103.0], [80.6, 82.2, 81.4, 83.0], id="a year of quarters"),
        pytest.param([1234.0, 1250.0, 999.0], [12.3, 12.5, 10.0], id="hundreds"),
        pytest.param(HELD, [68.3, 68.4, 70.5, 68.8, 71.9, 72.4, 72.6, 74.3], id="new seasonal factors with the base"),
        pytest.param(HELD[:5], [69.1, 70.0, 71.9, 70.4, 73.0], id="the same of few"),
    ],
)
def test_a_new_base_is_found_in_short_and_rounded_series(held: list[float], answer: list[float]) -> None:
    found = rebased(months(answer), months(held))
    assert found is not None
    assert found.factor == pytest.approx(answer[0] / held[0], rel=0.02)


@pytest.mark.parametrize(
    ("held", "answer"),
    [
        pytest.param([0.1, 0.2, 0.1, 0.3], [0.2, 0.3, 0.2, 0.4], id="rates hardly larger than their last digit"),
        pytest.param([5.0, 5.2, 4.9], [5.1, 5.4, 4.8], id="revised rates"),
        pytest.param([100.0, 102.0, 101.0, 103.0], [100.4, 102.9, 101.1, 103.6], id="revised levels"),
        pytest.param([1.0, -0.5, 0.3, 0.8] * 4, [1.4, -0.1, 0.2, 1.1] * 4, id="flows about nothing"),
    ],
)
def test_revisions_of_short_and_rounded_series_are_no_new_base(held: list[float], answer: list[float]) -> None:
    assert rebased(months(answer), months(held)) is None


# --- a part of a history -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "edge"),
    [
        pytest.param(months([105.0, 108.0], 2021), None, id="revised within"),
        pytest.param(months([104.0, 107.0], 2021), date(2021, 1, 1), id="revised at the first date"),
        pytest.param(months([None, 107.0], 2021), date(2021, 1, 1), id="withdrawn there"),
        pytest.param(months([1.0], 2022), date(2022, 1, 1), id="nothing in common"),
        pytest.param(months([100.0, 99.0], 2020), date(2020, 2, 1), id="revised at the last date"),
        pytest.param(months([1.0, 2.0, 105.0, 107.0], 2020), None, id="all there is"),
        pytest.param(NOTHING, None, id="nothing"),
    ],
)
def test_a_part_that_is_changed_where_it_ends_is_seen(answer: pl.DataFrame, edge: date | None) -> None:
    held = pl.concat([months([100.0, 101.0], 2020), months([105.0, 107.0], 2021)])
    if answer.height == 4:
        answer = answer.with_columns(observation_date=held["observation_date"])
    assert beyond(answer, held) == edge


# --- the very same figures -----------------------------------------------------------------------------------------


def told(values: Sequence[float | None], hours: int = 0) -> pl.DataFrame:
    """Months that came some hours after noon, released as soon."""
    came = pl.lit(datetime(2026, 11, 20, 12, tzinfo=UTC) + timedelta(hours=hours))
    return months(values).with_columns(release_time=came, ingested_at=came)


@pytest.mark.parametrize("factor", [1000.0, 0.001, 1.01, -1.0])
def test_figures_that_are_a_factor_of_those_they_should_be_are_named_with_both(factor: float) -> None:
    why = multiplied(told([v * factor for v in HELD[:3]]), told(HELD), series(), "fred")
    assert why is not None
    assert f"series TOY of source cboe: each of 3 figures is {factor:.6g} times that of fred" in why
    assert f"of 2020-03-01, cboe says {103 * factor:.10g} and fred 103" in why


@pytest.mark.parametrize(
    "answer",
    [HELD, [v * 1000 for v in HELD[:2]], [v + m for m, v in enumerate(HELD)], [v * 1.0005 for v in HELD], [None, 0.0]],
)
def test_figures_that_are_no_factor_of_each_other(answer: list[float | None]) -> None:
    """The same, too few, revised one by one, rounded; and those that tell nothing."""
    assert multiplied(told(answer), told(HELD), series(), "fred") is None


def test_the_latest_release_of_a_date_is_compared() -> None:
    twice = pl.concat([told([v * 1000 for v in HELD], hours=1), told([v / 7 for v in HELD])])
    assert "1000 times" in str(multiplied(twice, told(HELD), series(), "fred"))


@pytest.mark.parametrize(
    ("answer", "held", "hours", "is_same"),
    [
        ([1.0, 2.0], [1.0, 2.0], 1000, True),  # they end together
        ([1.0, 2.0, None], [1.0, 2.0], 1000, True),
        ([1.0, 2.0, 3.0], [1.0, 2.0], 24, True),  # they came within a day
        ([1.0, 2.0], [1.0, 2.0, 3.0], -24, True),
        ([1.0, 2.0, 3.0], [1.0, 2.0], 25, False),
        ([None], [1.0], 0, False),
    ],
)
def test_two_states_are_one(answer: list[float | None], held: list[float | None], hours: int, is_same: bool) -> None:
    assert is_same_vintage(told(answer, hours), told(held), lately=True) is is_same


def test_where_the_day_does_not_count_states_are_one_by_their_end() -> None:
    assert not is_same_vintage(told([1.0, 2.0, 3.0]), told([1.0, 2.0]), lately=False)
    assert is_same_vintage(told([1.0, 2.0], 1000), told([3.0, 2.0]), lately=False)
