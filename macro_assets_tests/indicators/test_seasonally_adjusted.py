"""Series without their season: months and quarters, from a date on, and the inputs that are refused."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from macro_assets.indicators.protocol import Given
from macro_assets.indicators.seasonally_adjusted import Parameters, check, compute
from macro_assets_tests.indicators.toys import FACTS, FIGURES, monthly

SEASON = [0.4, 0.1, -0.1, 0.0, -0.2, -0.3, 0.0, 0.1, -0.2, 0.0, 0.1, 0.1]
MONTHS: list[float | None] = [5.0 + SEASON[n % 12] for n in range(60)]
ADDED = Parameters(multiplicative=False)


def test_months_by_a_known_season() -> None:
    gone = [*MONTHS[:50], None, *MONTHS[51:]]
    rows = compute(monthly(X=gone), ADDED)
    assert rows["observation_date"].to_list() == [date(2020 + n // 12, n % 12 + 1, 1) for n in range(36, 60) if n != 50]
    assert rows["seasonal_factor"].to_list() == pytest.approx([SEASON[n % 12] for n in range(36, 60) if n != 50])
    assert rows["adjusted"].to_list() == pytest.approx([5.0] * 23)


def test_figures_before_a_date_are_left_out() -> None:
    spoilt = [1000.0, -500.0, *MONTHS[2:]]
    rows = compute(monthly(X=spoilt), ADDED.model_copy(update={"since": date(2021, 1, 1)}))
    assert rows["observation_date"][0] == date(2024, 1, 1)
    assert rows["adjusted"].to_list() == pytest.approx([5.0] * 12)


def test_quarters_have_seasons_of_four() -> None:
    rows = [("X", date(2000 + n // 4, 3 * (n % 4) + 1, 1), [2.0, 4.0, 8.0, 4.0][n % 4] * 1.02**n) for n in range(24)]
    facts = pl.DataFrame([("X", "Q", "mean", "usd")], FACTS, orient="row")
    found = compute(Given(pl.DataFrame(rows, FIGURES, orient="row"), facts), Parameters(multiplicative=True))
    assert found.height == 12
    assert found["seasonal_factor"].to_list() == pytest.approx([0.5, 1.0, 2.0, 1.0] * 3)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], "inputs: expected one series, got none"),
        ([("X", "M", "mean", "usd", "NSA"), ("Y", "M", "mean", "usd", "NSA")], "inputs: expected one series, got X, Y"),
        ([("X", "D", "mean", "usd", "NSA")], "inputs.0: expected a monthly or quarterly series, X is 'D'"),
        ([("X", "M", "mean", "usd", "SA")], "inputs.0: expected a series that is not adjusted, X is adjusted already"),
    ],
)
def test_other_inputs_are_refused(rows: list[tuple[str, ...]], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        check(ADDED, pl.DataFrame(rows, dict.fromkeys((*FACTS, "seasonal_adjustment"), pl.String), orient="row"))
