"""The dynamic factor nowcast: mixed frequencies, ragged edge, and the news that moved it.

The model is the New York Fed Staff Nowcast's (Bok, Caratelli, Giannone, Sbordone and Tambalotti, 2017, Staff Report
830) through statsmodels' DynamicFactorMQ (Banbura and Modugno, 2014, Journal of Applied Econometrics 29).

`get_prediction` ignores a quarter-end month's own data unless told `information_set="smoothed"` (statsmodels #8419);
every prediction here is smoothed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl

from macro_assets.catalog import Model
from macro_assets.models.protocol import InputFacts, Knowledge, refuse_stale

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Fit:
    """A fitted model with its knowledge."""

    known: Knowledge
    results: Any


def stationary_panel(observations: pl.DataFrame, model: Model, series: Mapping[str, InputFacts]) -> pd.DataFrame:
    """The model's inputs made stationary, as a monthly pandas frame, monthly series first.

    Parameters
    ----------
    observations
        `series_id`, `observation_date`, `value` in the standard unit.
    series
        Facts of the inputs.

    Returns
    -------
    DataFrame
        Rows: months (PeriodIndex) from the model's sample start to the last month with data; a quarterly figure stands
        in its quarter's last month. Columns: series ids. `chg` is the change, `pch` the percent change, `pca` the
        percent change at annual rate on the period before, `lin` the level, in the provider's unit.
    """
    import pandas as pd

    columns = {}
    for item in sorted(model.inputs, key=lambda i: series[i.series].frequency == "Q"):
        facts = series[item.series]
        own = observations.filter(pl.col("series_id") == item.series).drop_nulls("value")
        months = pd.PeriodIndex([pd.Period(d, "M") for d in own["observation_date"]], freq="M")
        months = months + 2 if facts.frequency == "Q" else months
        step = 3 if facts.frequency == "Q" else 1
        # NumPy divides exactly; Polars would multiply by the inverse, which costs the last digit
        level = pd.Series(own["value"].to_numpy() / facts.scale, index=months, dtype=float).sort_index()
        if not level.empty:  # a missing period stays missing: no change is computed across it
            level = level.reindex(pd.period_range(level.index[0], level.index[-1], freq="M"))
        before = level.shift(step)
        columns[item.series] = _stationary(level, before, item.transform, step)
    panel: pd.DataFrame = pd.DataFrame(columns)
    start, last = pd.Period(model.sample_start, "M"), panel.dropna(how="all").index.max()
    return panel.loc[start:last]


def _stationary(level: pd.Series, before: pd.Series, transform: str, months: int) -> pd.Series:
    match transform:
        case "chg":
            return level - before
        case "pch":
            return 100 * (level / before - 1)
        case "pca":
            return 100 * ((level / before) ** (12 / months) - 1)
        case _:
            return level


def fit(known: Knowledge, model: Model, series: Mapping[str, InputFacts]) -> Fit:
    """Estimate the model by EM on what was known at an instant.

    Raises
    ------
    NotKnownError, StaleInputError
        See :func:`~macro_assets.models.protocol.refuse_stale`.
    """
    import statsmodels.api as sm
    from threadpoolctl import threadpool_limits

    refuse_stale(known, model, series)
    monthly, quarterly = _endog(stationary_panel(known.observations, model, series), model, series)
    factors = {i.series: list(i.factors) for i in model.inputs}
    specification = sm.tsa.DynamicFactorMQ(
        monthly, endog_quarterly=quarterly, factors=factors, factor_orders=model.factor_order, idiosyncratic_ar1=True
    )
    with threadpool_limits(1):  # matrices of 50 x 50: on two busy cores BLAS threads cost ten times what they save
        results = specification.fit(maxiter=model.max_iterations, tolerance=model.tolerance, disp=False)
    return Fit(known, results)


def _endog(panel: pd.DataFrame, model: Model, series: Mapping[str, InputFacts]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Monthly and quarterly parts, as DynamicFactorMQ takes them."""
    import pandas as pd

    quarterly = [i.series for i in model.inputs if series[i.series].frequency == "Q"]
    months = pd.PeriodIndex(panel.index)
    quarters = panel[quarterly][months.month % 3 == 0]
    return panel.drop(columns=quarterly), quarters.set_index(months[months.month % 3 == 0].asfreq("Q"))


def _targets(known: Knowledge, model: Model) -> list[date]:
    """First days of the quarters to forecast: from the one before the as-of quarter to the horizon."""
    quarter = pl.Series([known.as_of.date()]).dt.truncate("1q")
    offsets = range(-1, model.horizon_quarters + 1)
    return [quarter.dt.offset_by(f"{o}q").item() for o in offsets]


def forecast(fitted: Fit, model: Model) -> pl.DataFrame:
    """Forecasts of the target by quarter: the one before the as-of quarter, the as-of quarter, and the horizon.

    Returns
    -------
    DataFrame
        `as_of`, `target_quarter`, `forecast_pct` (annual rate; the released figure where there is one),
        `standard_error_pct`, `is_released`, `latest_release`, `log_likelihood`.
    """
    import pandas as pd

    targets = _targets(fitted.known, model)
    months = [pd.Period(t, "M") + 2 for t in targets]
    prediction = fitted.results.get_prediction(start=months[0], end=months[-1], information_set="smoothed")
    own = fitted.known.observations.filter(pl.col("series_id") == model.target).drop_nulls("value")
    released = set(own["observation_date"])
    return pl.DataFrame(
        {
            "as_of": fitted.known.as_of,
            "target_quarter": targets,
            "forecast_pct": [float(prediction.predicted_mean.loc[m, model.target]) for m in months],
            "standard_error_pct": [
                0.0 if t in released else float(prediction.se_mean.loc[m, model.target])
                for t, m in zip(targets, months, strict=True)
            ],
            "is_released": [t in released for t in targets],
            "latest_release": fitted.known.observations["release_time"].max(),
            "log_likelihood": float(fitted.results.llf),
        },
        schema_overrides={"target_quarter": pl.Date},
    )


def news(before: Fit, now: Fit, model: Model, series: Mapping[str, InputFacts]) -> pl.DataFrame:
    """Why the forecasts moved between two as-of instants.

    The parameters of `now` are applied to the data of `before`: what that changes is `reestimation`. From there,
    changed past figures make `revision`, and each new figure, against what the model expected of it, makes a `news`
    row (Banbura and Modugno, 2014, section 2.3). A target's impacts add up to the difference of its two forecasts.

    Returns
    -------
    DataFrame
        `as_of`, `previous_as_of`, `target_quarter`, `effect`, `series_id`, `observation_date` (start of period),
        `release_forecast`, `release_actual`, `release_weight`, `impact_pp`; the middle five are null but for news.
    """
    import pandas as pd

    monthly, quarterly = _endog(stationary_panel(before.known.observations, model, series), model, series)
    with_new_parameters = now.results.apply(monthly, endog_quarterly=quarterly, retain_standardization=True)
    tables = []
    for target in _targets(now.known, model):
        month = pd.Period(target, "M") + 2
        old_forecast, restated = (
            float(
                r.get_prediction(start=month, end=month, information_set="smoothed")
                .predicted_mean[model.target]
                .iloc[0]
            )
            for r in (before.results, with_new_parameters)
        )
        decomposed = now.results.news(
            with_new_parameters, impact_date=month, impacted_variable=model.target, comparison_type="previous"
        )
        unrevised = decomposed.revisions_iloc.empty  # statsmodels then states the impact as NaN
        revision = 0.0 if unrevised else float(decomposed.revision_impacts[model.target].iloc[0])
        details = decomposed.details_by_impact.reset_index()
        rows = [
            {"effect": "reestimation", "impact_pp": restated - old_forecast},
            {"effect": "revision", "impact_pp": revision},
        ]
        for row in details.to_dict("records"):
            quarterly_release = series[row["updated variable"]].frequency == "Q"
            period = pd.Period(row["update date"], "M") - (2 if quarterly_release else 0)
            rows.append(
                {
                    "effect": "news",
                    "series_id": row["updated variable"],
                    "observation_date": period.start_time.date(),
                    "release_forecast": row["forecast (prev)"],
                    "release_actual": row["observed"],
                    "release_weight": row["weight"],
                    "impact_pp": row["impact"],
                }
            )
        tables.append(pl.DataFrame(rows, schema=_NEWS_SCHEMA).with_columns(target_quarter=pl.lit(target)))
    return pl.concat(tables).with_columns(as_of=pl.lit(now.known.as_of), previous_as_of=pl.lit(before.known.as_of))


_NEWS_SCHEMA = {
    "effect": pl.String,
    "series_id": pl.String,
    "observation_date": pl.Date,
    "release_forecast": pl.Float64,
    "release_actual": pl.Float64,
    "release_weight": pl.Float64,
    "impact_pp": pl.Float64,
}
