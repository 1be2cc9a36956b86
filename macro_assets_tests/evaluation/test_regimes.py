"""The scorecard of regimes by hand: recessions as announced, falls after a regime is known; and hindsight."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from macro_assets.catalog import Catalog
from macro_assets.evaluation import regimes, smoothed_regimes
from macro_assets.indicators.protocol import Given
from macro_assets.transforms.recessions import announced
from macro_assets_tests.indicators.toys import FACTS, FIGURES, monthly

DAILY = regimes.Parameters(period="1d", lag_days=0, days=2, fall_pct=5)
FIRST = date(2008, 6, 2)


def days(count: int) -> list[date]:
    return [FIRST + timedelta(n) for n in range(count)]


def prices(values: Sequence[float], dates: Sequence[date]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Observations and facts of shares."""
    rows = [("SHARES", day, value) for day, value in zip(dates, values, strict=True)]
    facts = pl.DataFrame([("SHARES", "D", "last", "index_points")], FACTS, orient="row")
    return pl.DataFrame(rows, FIGURES, orient="row"), facts


def scored(
    catalog: Catalog, rows: pl.DataFrame, values: Sequence[float], as_of: datetime | None = None
) -> pl.DataFrame:
    given = Given(*prices(values, days(len(values))), {"indicators/rule": rows}, announced(catalog.recessions, as_of))
    return regimes.compute(given, DAILY)


def of(letters: str) -> pl.DataFrame:
    """A regime a day: calm or fear."""
    names = {"c": "calm", "f": "fear"}
    told = {"observation_date": days(len(letters)), "regime": [names[letter] for letter in letters]}
    return pl.DataFrame(told, {"observation_date": pl.Date, "regime": pl.String})


def test_falls_begin_with_the_close_after_the_regime_is_known(catalog: Catalog) -> None:
    """After fear on the third day one buys at the close of the fourth: the fall to it is not counted."""
    found = {r["regime"]: r for r in scored(catalog, of("ccfccc"), [100, 100, 100, 80, 72, 80]).rows(named=True)}
    fear, calm = found["fear"], found["calm"]
    assert (fear["outcomes"], fear["mean_drawdown"], fear["fall_share"]) == (1, pytest.approx(-10), 1)
    assert (calm["outcomes"], calm["worst_drawdown"]) == (2, pytest.approx(-28))
    assert calm["mean_drawdown"] == pytest.approx((-20 - 28) / 2)
    assert (fear["periods"], fear["spells"], calm["periods"], calm["spells"]) == (1, 1, 5, 2)
    assert fear["period_share"] == pytest.approx(1 / 6)
    assert fear["base_fall_share"] == calm["base_fall_share"] == 1


def test_a_signal_of_the_next_return_is_worth_nothing_a_day_later(catalog: Catalog) -> None:
    """Planted: fear on each day whose own close falls. Without the delay it would be right every time."""
    values = [100.0, 90, 100, 90, 100, 90, 100, 90, 100, 90, 100, 90]
    one = regimes.Parameters(period="1d", lag_days=0, days=1, fall_pct=5)
    seen = of("".join("f" if n % 2 == 0 else "c" for n in range(12)))  # the next close is lower
    given = Given(*prices(values, days(12)), {"indicators/rule": seen}, announced(catalog.recessions))
    found = dict(regimes.compute(given, one).select("regime", "fall_share").iter_rows())
    assert found == {"fear": 0, "calm": 1}


@pytest.mark.parametrize(
    ("as_of", "labelled", "share", "recall", "episodes"),
    [
        (None, 6, 1.0, 1 / 3, 1),
        (datetime(2008, 11, 1, tzinfo=UTC), 0, None, None, 0),
        (datetime(2010, 1, 1, tzinfo=UTC), 0, None, None, 0),
    ],
)
def test_recessions_are_those_that_were_announced(
    catalog: Catalog, as_of: datetime | None, labelled: int, share: float | None, recall: float | None, episodes: int
) -> None:
    """June 2008: nobody knew before December 2008 that it had begun, nor before September 2010 when it ended."""
    found = {r["regime"]: r for r in scored(catalog, of("ccfccf"), [100] * 6, as_of).rows(named=True)}
    assert sum(r["labelled_periods"] for r in found.values()) == labelled
    fear = found["fear"]
    assert (fear["recession_share"], fear["recession_episodes"]) == (share, episodes)
    assert fear["recession_recall"] == (None if recall is None else pytest.approx(recall))


def test_a_table_of_as_of_months_is_scored_by_what_each_month_said_last(catalog: Catalog) -> None:
    """Of May's and June's instants: their latest rows, known at their ends, and not what June said of May."""
    months = [date(2008, 4, 1), date(2008, 5, 1)]
    rows = pl.DataFrame(
        {
            "as_of_month": ["2008-05"] * 2 + ["2008-06"] * 4,
            "as_of": [datetime(2008, 5, 31, tzinfo=UTC)] * 2 + [datetime(2008, 6, 30, tzinfo=UTC)] * 4,
            "observation_date": [months[0]] * 2 + [months[0]] * 2 + [months[1]] * 2,
            "regime": ["calm", "fear"] * 3,
            "regime_probability": [0.9, 0.1, 0.1, 0.9, 0.2, 0.8],
            "is_in_force": [True, False, False, True, False, True],
        }
    )
    given = Given(*prices([100, 95, 90], days(3)), {"real_time/chain": rows}, announced(catalog.recessions))
    found = regimes.compute(given, DAILY)
    assert found.select("component", "regime", "periods", "outcomes", "mean_drawdown").rows() == [
        ("real_time/chain", "calm", 1, 1, pytest.approx(-10)),
        ("real_time/chain", "fear", 1, 0, None),
    ]


def test_no_rows_and_no_prices_are_no_scores(catalog: Catalog) -> None:
    assert scored(catalog, of(""), [100, 90]).is_empty()
    alone = scored(catalog, of("cf"), [])
    assert alone["outcomes"].to_list() == [0, 0]
    assert alone["fall_share"].to_list() == [None, None]


def test_one_daily_price_is_asked_for() -> None:
    with pytest.raises(ValueError, match="^inputs: expected 1 series, got none"):
        regimes.check(DAILY, pl.DataFrame(schema=dict.fromkeys(FACTS, pl.String)))


# --- hindsight -----------------------------------------------------------------------------------------------------

HINDSIGHT = smoothed_regimes.Parameters.model_validate({"steps": "level", "names": ["low", "high"], "min_obs": 30})


def test_hindsight_is_surer_than_what_was_known_and_is_no_indicator() -> None:
    """Low and high months in turn: the last low month alone looks like noise until others follow, or do not."""
    values = ([0.0, 0.2, -0.2, 0.1] * 5 + [5.0, 5.2, 4.8, 5.1] * 5) * 2
    rows = smoothed_regimes.compute(monthly(X=values), HINDSIGHT)
    told = rows.pivot(on="regime", index="observation_date", values="smoothed_probability")
    assert told.height == 80
    assert (told["low"] + told["high"]).to_numpy() == pytest.approx(1)
    assert (told["low"] > 0.5).to_list() == [v < 2 for v in values]


@pytest.mark.parametrize("values", [[], [1.0, 2.0] * 10, [1.0] * 60])
def test_too_few_or_equal_months_have_no_hindsight(values: list[float]) -> None:
    assert smoothed_regimes.compute(monthly(X=values), HINDSIGHT).is_empty()


def test_hindsight_is_of_the_regime_of_the_indicator(catalog: Catalog) -> None:
    score, indicator = catalog.scores["activity_regime_smoothed"], catalog.indicators["activity_regime"]
    assert (score.inputs, score.parameters) == (indicator.inputs, indicator.parameters)
