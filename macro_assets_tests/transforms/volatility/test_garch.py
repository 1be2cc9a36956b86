"""GARCH: published estimates of the S&P 500, the path and the forecasts against `arch`, and what is refused."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pytest

from macro_assets.transforms.volatility.errors import VolatilityError
from macro_assets.transforms.volatility.garch import Fit, Garch, as_of_each, conditional, fit, mean_forecast


@pytest.fixture(scope="module")
def sp500() -> pl.DataFrame:
    """Simple returns of the S&P 500, 1999-2018, in percent: the figures of arch's own documentation."""
    from arch.data import sp500

    prices = sp500.load()["Adj Close"]
    returns = 100 * prices.pct_change().dropna()
    return pl.DataFrame({"observation_date": [d.date() for d in returns.index], "value": returns.to_numpy()})


PUBLISHED: list[tuple[Garch, dict[str, float], float]] = [
    (Garch(leverage=False), {"mu": 0.0564, "omega": 0.0175, "alpha": 0.1022, "gamma": 0, "beta": 0.8852}, -6936.718),
    (Garch(), {"mu": 0.0175, "omega": 0.0196, "alpha": 0, "gamma": 0.1831, "beta": 0.8922}, -6822.883),
    (Garch(power=1), {}, -6799.179),
    (Garch(power=1, distribution="t"), {"nu": 7.9553}, -6722.151),
]


@pytest.mark.parametrize(("model", "estimates", "loglikelihood"), PUBLISHED)
def test_published_estimates(
    sp500: pl.DataFrame, model: Garch, estimates: dict[str, float], loglikelihood: float
) -> None:
    """As arch documents them, and the path that it filters."""
    from arch import arch_model

    returns = sp500["value"].to_numpy()
    found = fit(returns, model)
    assert found.observations == 5030
    assert found.loglikelihood == pytest.approx(loglikelihood, abs=6e-4)
    assert {n: getattr(found, n) for n in estimates} == {n: pytest.approx(v, abs=2e-4) for n, v in estimates.items()}
    theirs = arch_model(returns, o=int(model.leverage), power=float(model.power), dist=model.distribution).fix(
        [v for n in ("mu", "omega", "alpha", "gamma", "beta", "nu") if _has(model, n) for v in [getattr(found, n)]]
    )
    start = theirs.model.volatility.backcast(returns - returns.mean()) if model.power == 2 else None
    ours = conditional(returns, found)
    assert ours.size == returns.size + 1
    assert start is None or start == pytest.approx(found.before, rel=1e-12)
    assert ours[200:-1] == pytest.approx(np.asarray(theirs.conditional_volatility)[200:], rel=1e-6)


def _has(model: Garch, name: str) -> bool:
    return {"gamma": model.leverage, "nu": model.distribution == "t"}.get(name, True)


def test_the_forecast_is_that_of_arch(sp500: pl.DataFrame) -> None:
    from arch import arch_model

    returns = sp500["value"].to_numpy()
    estimates = fit(returns)
    theirs = arch_model(returns, o=1, rescale=False).fit(disp="off").forecast(horizon=21).variance.to_numpy()
    ours = mean_forecast(conditional(returns, estimates)[-1:], estimates, 21)
    assert ours == pytest.approx(np.sqrt(theirs.mean()), rel=1e-9)


def toy(**fields: Any) -> Fit:
    told = {"mu": 0.0, "omega": 0.1, "alpha": 0.2, "gamma": 0.0, "beta": 0.7, "nu": None, "before": 1.0}
    return Fit(Garch(), **(told | fields), loglikelihood=0.0, observations=0)


def test_path_and_forecast_by_hand() -> None:
    """Variances 1, .1 + .2 x 4 + .7 = 1.6, and with a fall that counts by .2 more .1 + .4 x 1 + .7 x 1.6 = 1.62."""
    estimates = toy(gamma=0.2, before=0.9 / 1.0)
    assert conditional(np.array([2.0, -1.0]), estimates) ** 2 == pytest.approx([1.0, 1.6, 1.62])
    steps = mean_forecast(np.array([2.0]), toy(), 2)
    assert steps**2 == pytest.approx([(4 + 0.1 + 0.9 * 4) / 2])
    with pytest.raises(VolatilityError, match="expected power 2, got 1"):
        mean_forecast(np.array([1.0]), Fit(Garch(power=1), 0, 0.1, 0.1, 0, 0.8, None, 1, 0, 0), 2)


@pytest.mark.parametrize(
    ("returns", "said"),
    [
        (np.ones(100), "expected at least 250 returns, got 100"),
        (np.array([]), "expected at least 250 returns, got 0"),
        (np.ones(300), "expected returns that differ, all are 1"),
        (np.zeros(300), "expected returns that differ, all are 0"),
        (np.full(300, np.nan), "some are missing or infinite"),
        (np.where(np.arange(300) == 7, np.inf, 1.0), "some are missing or infinite"),
    ],
)
def test_returns_of_which_nothing_can_be_said_are_refused(returns: np.ndarray, said: str) -> None:
    with pytest.raises(VolatilityError, match=said):
        fit(returns)


def test_each_january_is_estimated_on_the_years_before(sp500: pl.DataFrame) -> None:
    """Through the last day of December, filtered with these through the year; too few returns have no row."""
    some = sp500.filter(pl.col("observation_date") < date(2002, 7, 1))
    found = as_of_each(some, Garch(leverage=False), min_obs=500, every="1y", horizon=21)
    through = found.group_by(pl.col("observation_date").dt.year(), maintain_order=True).agg(
        pl.col("estimated_through").unique()
    )
    assert through.rows() == [(2001, [date(2000, 12, 29)]), (2002, [date(2001, 12, 31)])]
    year = some.filter(pl.col("observation_date") < date(2002, 1, 1))["value"].to_numpy()
    estimates = fit(year, Garch(leverage=False))
    path = conditional(some["value"].to_numpy(), estimates)
    tail = found.filter(pl.col("observation_date").dt.year() == 2002)
    assert tail["conditional_volatility"].to_list() == path[year.size : -1].tolist()
    assert tail["next_volatility"].to_list() == path[year.size + 1 :].tolist()
    assert tail["expected_volatility"].is_between(tail["next_volatility"].min(), tail["next_volatility"].max()).all()


def test_a_year_that_cannot_be_estimated_is_filtered_with_the_estimates_before(
    sp500: pl.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    from macro_assets.transforms.volatility import garch

    some, once = sp500.filter(pl.col("observation_date") < date(2003, 1, 1)), fit

    def fails(returns: np.ndarray, model: Garch) -> Fit:
        if returns.size > 600:
            raise VolatilityError("no maximum")
        return once(returns, model)

    monkeypatch.setattr(garch, "fit", fails)
    found = as_of_each(some, Garch(leverage=False), min_obs=400, every="1y", horizon=2)
    assert found["estimated_through"].unique().to_list() == [date(2000, 12, 29)]
    assert found["observation_date"].max() == date(2002, 12, 31)


def test_nothing_is_said_of_what_is_constant_or_short() -> None:
    days = pl.date_range(date(2015, 1, 1), date(2017, 12, 31), eager=True)
    still = pl.DataFrame({"observation_date": days, "value": pl.repeat(0.0, days.len(), eager=True)})
    for rows in (still, still.clear(), still.head(1)):
        found = as_of_each(rows, Garch(), min_obs=250, every="1y", horizon=21)
        assert found.is_empty()
        assert found.schema["estimated_through"] == pl.Date
