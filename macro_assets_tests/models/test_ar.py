"""The autoregression against a calculation by hand, statsmodels, and the growth of US GDP."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import polars as pl
import pytest
from pydantic import ValidationError

from macro_assets.catalog import default_catalog
from macro_assets.models import ar
from macro_assets.models.protocol import Knowledge, Outcome, Specification, ThinInputError, fitted_values, specification

FIRST = date(1990, 1, 1)


def spec_of(horizons: Sequence[int] = (-1, 0, 1)) -> Specification:
    """The benchmark of GDP, on plain figures, so that its history is what is given."""
    declared = specification(default_catalog().models["gdp_ar"], default_catalog())
    plain = replace(declared.target, steps=(), scale=1.0)
    return replace(declared, target=plain, inputs=(plain,), sample_start=FIRST, horizons=tuple(horizons))


def known(values: Sequence[float | None], quarters_later: int = 1) -> Knowledge:
    """A history from 1990 on, as of the quarter after its last one unless told."""
    days = pl.date_range(FIRST, date(2060, 1, 1), "1q", eager=True)
    at = days[len(values) - 1 + quarters_later]
    moment = datetime(at.year, at.month, 28, tzinfo=UTC)
    release = pl.lit(moment).cast(pl.Datetime("us", "UTC"))
    frame = pl.DataFrame({"observation_date": days.head(len(values)), "value": values}, schema_overrides=FLOATS)
    told = {"series_id": pl.lit("GDPC1"), "provider": pl.lit("fred"), "release_time": release}
    return Knowledge(moment, frame.with_columns(**told))


FLOATS = {"value": pl.Float64}


def fitted(knowledge: Knowledge, lags: int, spec: Specification | None = None) -> dict[str, float]:
    return fitted_values(ar.fit(knowledge, spec or spec_of(), ar.Parameters(lags=lags)))


def forecast(knowledge: Knowledge, lags: int, spec: Specification) -> Outcome:
    parameters = ar.Parameters(lags=lags)
    return ar.forecast(knowledge, ar.fit(knowledge, spec, parameters), spec, parameters)


def statistic(outcome: Outcome, name: str) -> list[float]:
    return outcome.forecasts.filter(statistic=name)["value"].to_list()


def wandering(count: int = 80) -> list[float]:
    """An AR(2) with synthetic shocks."""
    shocks, values = np.random.default_rng(7).normal(0, 1, count), [1.0, 2.0]
    for shock in shocks[2:]:
        values.append(0.5 + 0.6 * values[-1] - 0.3 * values[-2] + shock)
    return [float(v) for v in values]


# --- by hand -------------------------------------------------------------------------------------------------------


def test_an_ar1_by_hand() -> None:
    """y = 1 2 2 3: of (1,2) (2,2) (2,3) the slope is (1/3)/(2/3) = 1/2, the constant 7/3 - 5/6 = 3/2.

    Errors 0, -1/2, 1/2: squares 1/2, with 3 - 2 = 1 degree of freedom sigma is the root of 1/2. From 3 on:
    3/2 + 3/2 = 3 and again 3, with errors sigma and sigma x root(1 + 1/4).
    """
    knowledge, spec = known([1, 2, 2, 3]), spec_of([-1, 0, 1])
    values = fitted(knowledge, 1, spec)
    assert values == pytest.approx(
        {
            "const": 1.5,
            "lag.1": 0.5,
            "sigma": math.sqrt(0.5),
            "observations": 3,
            "aic": 3 * (math.log(2 * math.pi / 6) + 1) + 6,
        },
        abs=1e-12,
    )
    told = forecast(knowledge, 1, spec)
    assert statistic(told, "mean") == pytest.approx([3, 3, 3], abs=1e-12)
    z = 1.6448536269514722
    assert statistic(told, "q95") == pytest.approx([3, 3 + z * math.sqrt(0.5), 3 + z * math.sqrt(0.625)], abs=1e-12)
    assert told.forecasts.filter(horizon=-1)["is_released"].all()
    assert set(told.diagnostics) == {"observations", "sigma", "aic"}


def test_errors_grow_by_the_moving_average_weights() -> None:
    """phi = .6, -.3: psi = 1, .6, .06, -.144 (Hamilton, 1994, section 4.2)."""
    path = ar._path([2.0, 1.0], 0.5, [0.6, -0.3], 2.0, 4)
    assert [m for m, _ in path] == pytest.approx([1.4, 0.74, 0.524, 0.5924], abs=1e-12)
    psi = [1, 0.6, 0.06, -0.144]
    assert [e for _, e in path] == pytest.approx([2 * math.sqrt(sum(w * w for w in psi[: i + 1])) for i in range(4)])


# --- statsmodels ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lags", [1, 2, 4])
def test_it_is_the_autoregression_of_statsmodels(lags: int) -> None:
    from statsmodels.tsa.ar_model import AutoReg

    history = wandering()
    theirs = AutoReg(np.array(history), lags=lags).fit()
    knowledge, spec = known(history), spec_of(range(8))
    values = fitted(knowledge, lags, spec)
    assert [values["const"], *(values[f"lag.{i + 1}"] for i in range(lags))] == pytest.approx(
        theirs.params.tolist(), abs=1e-10
    )
    assert values["aic"] == pytest.approx(theirs.aic, abs=1e-8)
    assert values["observations"] == theirs.nobs == len(history) - lags
    told, ahead = forecast(knowledge, lags, spec), theirs.get_prediction(len(history), len(history) + 7)
    assert statistic(told, "mean") == pytest.approx(ahead.predicted_mean.tolist(), abs=1e-10)
    ours = (np.array(statistic(told, "q95")) - statistic(told, "mean")) / 1.6448536269514722
    freedom = math.sqrt(theirs.nobs / (theirs.nobs - lags - 1))  # they divide by the number of observations
    assert ours.tolist() == pytest.approx((ahead.se_mean * freedom).tolist(), abs=1e-10)


# --- gaps and bad samples ------------------------------------------------------------------------------------------


def test_a_period_with_a_missing_lag_is_left_out() -> None:
    """Of 80 quarters with one missing, it and the two after it cannot be explained by two lags: 78 - 3 are left."""
    history: list[float | None] = [*wandering()]
    history[40] = None
    values = fitted(known(history), 2)
    assert values["observations"] == 75
    y = np.array([np.nan if v is None else v for v in history])
    x = np.column_stack([np.ones(78), y[1:-1], y[:-2]])
    whole = ~np.isnan(np.column_stack([x, y[2:]])).any(axis=1)
    expected = np.linalg.lstsq(x[whole], y[2:][whole], rcond=None)[0]
    assert [values["const"], values["lag.1"], values["lag.2"]] == pytest.approx(expected.tolist(), abs=1e-10)


def test_a_gap_among_the_last_periods_is_not_forecast_from() -> None:
    history: list[float | None] = [*wandering()]
    history[-2] = None
    with pytest.raises(ThinInputError, match="GDPC1: nothing is known for 2009-07-01, though for 2009-10-01") as caught:
        forecast(known(history), 2, spec_of([0]))
    assert caught.value.series == ("GDPC1",)


def test_a_period_that_was_left_out_is_not_forecast_from_later_ones() -> None:
    history: list[float | None] = [*wandering()]
    history[-3] = None
    with pytest.raises(ThinInputError, match="nothing is known for 2009-04-01"):
        forecast(known(history), 1, spec_of([-3, 0]))
    assert len(statistic(forecast(known(history), 1, spec_of([-2, 0])), "mean")) == 2


def test_a_figure_that_is_late_is_forecast_from_the_last_one() -> None:
    """Of the quarter before nothing is out yet: it is one step ahead, the present quarter two."""
    history, spec = wandering(), spec_of([-2, -1, 0])
    late = forecast(known(history, quarters_later=2), 1, spec)
    usual = forecast(known(history), 1, spec_of([-1, 0, 1]))
    assert late.forecasts.select("statistic", "value", "is_released").equals(
        usual.forecasts.select("statistic", "value", "is_released")
    )


@pytest.mark.parametrize(
    ("history", "lags", "message"),
    [
        ([1, 2, 2, 3, 1], 2, "there are 3 periods with all of 2 lags, expected at least 4"),
        ([1, 2, 2, None, 3, 1, 2, None, 5], 2, "there are 2 periods"),
        ([1, 1, 1, 1, 1, 1, 9], 1, "the lags and the constant are collinear in 6 periods"),
        ([0, 0, 0, 0, 0, 0, 9], 1, "the lags and the constant are collinear in 6 periods"),
        ([1, -1] * 10, 2, "the lags and the constant are collinear in 18 periods"),
        ([1.1 * i for i in range(20)], 2, "the lags and the constant are collinear in 18 periods"),
        ([1, -1] * 10, 1, "the lags leave no error in 19 periods"),
        ([5] * 20, 1, "too few figures of GDPC1 .*all of them 5"),
        ([5], 1, "too few figures of GDPC1 .*1 known"),
    ],
)
def test_a_history_that_nothing_can_be_estimated_from_is_refused(history: list[Any], lags: int, message: str) -> None:
    with pytest.raises(ThinInputError, match=f"^gdp_ar as of .*{message}") as caught:
        fitted(known(history), lags)
    assert caught.value.series == ("GDPC1",)


# --- what is declared ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("parameters", [{"lags": 0}, {"lags": 1.0}, {"lags": True}, {}, {"lags": 1, "trend": "c"}])
def test_parameters_that_make_no_sense_are_refused(parameters: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ar.Parameters.model_validate(parameters)


def test_it_reads_its_target_alone() -> None:
    spec = spec_of()
    ar.check(ar.Parameters(lags=1), spec)
    other = replace(spec, inputs=(*spec.inputs, replace(spec.target, series="PAYEMS")))
    with pytest.raises(ValueError, match=r"^inputs\.1\.series: expected the target GDPC1 alone, got PAYEMS$"):
        ar.check(ar.Parameters(lags=1), other)
