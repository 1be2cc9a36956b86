"""To a lower frequency: by the catalog's rule, and only of whole periods."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Literal

import pytest

from macro_assets.transforms.frequency import converted
from macro_assets_tests.transforms.synthetic import by_date, concat, facts_of, months, observed

Q1, Q2 = date(2020, 1, 1), date(2020, 4, 1)
RULES = [("mean", 2.0), ("last", 3.0), ("sum", 6.0), ("compound", pytest.approx(6.1106))]  # 1.01 * 1.02 * 1.03


@pytest.mark.parametrize(("rule", "expected"), RULES)
def test_months_become_a_quarter_by_the_rule_and_an_open_one_has_no_figure(rule: str, expected: float) -> None:
    rows = concat([observed("X", months(1.0, 2.0, 3.0, 4.0, 5.0))])
    assert by_date(converted(rows, facts_of(X={"aggregation": rule}), "Q")) == {Q1: expected}


@pytest.mark.parametrize(
    ("frequency", "step", "whole"), [("M", 1, True), ("M", 1, False), ("Q", 3, True), ("Q", 3, False)]
)
def test_a_year_needs_all_its_months_or_quarters(frequency: str, step: int, whole: bool) -> None:
    dates = [date(2020, m, 1) for m in range(1, 13, step)]
    values = {d: 1.0 if whole or d.month != 4 else None for d in dates}
    facts = facts_of(X={"frequency": frequency, "aggregation": "sum"})
    assert by_date(converted(observed("X", values), facts, "A")) == ({Q1: float(len(dates))} if whole else {})


@pytest.mark.parametrize(("days", "figure"), [(17, True), (16, False)])
def test_days_need_their_share(days: int, figure: bool) -> None:
    """Of 21 days eight tenths are 16.8."""
    daily = {date(2020, 1, 6) + timedelta(d): 1.0 for d in range(days)}
    facts = facts_of(X={"frequency": "D", "aggregation": "sum"})
    assert by_date(converted(observed("X", daily), facts, "M")) == ({Q1: float(days)} if figure else {})
    assert by_date(converted(observed("X", daily), facts, "Q", min_coverage=0.0)) == {Q1: float(days)}


def test_weeks_need_their_share_of_a_quarter() -> None:
    weekly = {date(2020, 1, 3) + timedelta(7 * w): 1.0 for w in range(13 + 9)}
    facts = facts_of(X={"frequency": "W", "aggregation": "mean"})
    assert by_date(converted(observed("X", weekly), facts, "Q")) == {Q1: 1.0}


@pytest.mark.parametrize(("frequency", "to"), [("Q", "M"), ("A", "M"), ("A", "Q")])
def test_nothing_is_spread_over_shorter_periods(frequency: str, to: Literal["M", "Q"]) -> None:
    with pytest.raises(ValueError, match=rf"expected series of frequency {to} or higher, got LOW \({frequency}\)"):
        converted(observed("LOW", {Q1: 1.0}), facts_of(LOW={"frequency": frequency}, HIGH={}), to)


def test_what_has_the_frequency_stands_as_it_is() -> None:
    facts = facts_of(X={"frequency": "Q", "aggregation": "compound"}, NONE={})
    rows = concat([observed("X", {Q1: 0.1, Q2: -100.0}), observed("STRANGER", {Q1: 1.0})])
    assert converted(rows, facts, "Q").rows() == [("X", Q1, 0.1), ("X", Q2, -100.0)]
    assert converted(observed("X", {}), facts, "Q").is_empty()
