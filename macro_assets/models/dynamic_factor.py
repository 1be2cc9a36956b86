"""The dynamic factor nowcast: mixed frequencies, ragged edge, and the news that moved it.

The model is the New York Fed Staff Nowcast's (Bok, Caratelli, Giannone, Sbordone and Tambalotti, 2017, Staff Report
830) through statsmodels' DynamicFactorMQ (Banbura and Modugno, 2014, Journal of Applied Econometrics 29).

`get_prediction` ignores a quarter-end month's own data unless told `information_set="smoothed"` (statsmodels #8419);
every prediction here is smoothed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import polars as pl
from pydantic import Field

from macro_assets.catalog.kinds.declaration import Declaration, SeriesId, Slug
from macro_assets.models.protocol import (
    MONTHS,
    NEWS_SCHEMA,
    Knowledge,
    Outcome,
    Specification,
    fitted_frame,
    fitted_values,
    normal,
    panel,
    target_dates,
)
from macro_assets.models.threads import on_one_thread

if TYPE_CHECKING:
    import pandas as pd

GLOBAL = "global"
"""The factor that every input loads on."""

NEWS = True

EXAMPLE: Mapping[str, Any] = {
    "target": {"series": "GDPC1", "transform": "pca", "unit": "percent"},
    "horizons": [-1, 0, 1],
    "inputs": [
        {"series": "PAYEMS", "transform": "chg"},
        {"series": "INDPRO", "transform": "pch"},
        {"series": "HOUST", "transform": "pch"},
        {"series": "GDPC1", "transform": "pca"},
    ],
    "parameters": {"tolerance": 1e-3, "blocks": {"real": ["INDPRO", "HOUST", "GDPC1"]}},
}


class Parameters(Declaration):
    """Of the factors and their estimation by EM."""

    factor_order: int = Field(default=1, ge=1, strict=True, description="Lags of each factor")
    max_iterations: int = Field(default=500, ge=1, strict=True)
    tolerance: float = Field(default=1e-6, gt=0, description="Relative gain of likelihood at which EM ends")
    blocks: dict[Slug, Annotated[tuple[SeriesId, ...], Field(min_length=1)]] = Field(
        default_factory=dict, description="Factors besides the global one, and the inputs that load on them"
    )


def check(parameters: Parameters, spec: Specification) -> None:
    """Refuse blocks of what is no input, and inputs that are neither monthly nor quarterly.

    Raises
    ------
    ValueError
        The message begins with the field.
    """
    known = [i.series for i in spec.inputs]
    for name, members in parameters.blocks.items():
        if name == GLOBAL:
            raise ValueError(f"parameters.blocks.{name}: every input loads on it, expected another name")
        if foreign := [s for s in members if s not in known]:
            text = f"parameters.blocks.{name}: expected series among the inputs {', '.join(known)}"
            raise ValueError(f"{text}, got {', '.join(foreign)}")
    for number, i in enumerate(spec.inputs):
        if i.frequency not in ("M", "Q"):
            raise ValueError(
                f"inputs.{number}.series: expected a monthly or quarterly series, {i.series} is {i.frequency!r}"
            )
    factors, monthly = 1 + len(parameters.blocks), sum(i.frequency == "M" for i in spec.inputs)
    if monthly < factors:
        raise ValueError(f"inputs: expected a monthly series for each of {factors} factors at least, got {monthly}")


@on_one_thread
def fit(known: Knowledge, spec: Specification, parameters: Parameters) -> pl.DataFrame:
    """Estimate the model by EM on what was known at an instant, from a cold start.

    Returns
    -------
    DataFrame
        `parameter`, `value`: those of DynamicFactorMQ by its names, for data in standard deviations; the means and
        standard deviations that make them, `mean.<series>` and `std.<series>`; and `llf`, the log-likelihood.

    Raises
    ------
    InputError
        See :func:`~macro_assets.models.protocol.panel`.
    """
    model = _model(panel(known, spec), spec, parameters)
    results = model.fit(maxiter=parameters.max_iterations, tolerance=parameters.tolerance, disp=False)
    moments = zip(model.endog_names, model._endog_mean, model._endog_std, strict=True)
    standardization = {f"{k}.{name}": v for name, mean, std in moments for k, v in (("mean", mean), ("std", std))}
    estimates = dict(zip(model.param_names, results.params, strict=True))
    return fitted_frame({**estimates, **standardization, "llf": results.llf})


@on_one_thread
def forecast(known: Knowledge, fitted: pl.DataFrame, spec: Specification, parameters: Parameters) -> Outcome:
    """Forecasts from a fit of the same or an earlier instant, and the log-likelihood of that fit.

    The fit's own likelihood counts from the state that EM began the sample with, which is not kept: the one of the same
    data with the stationary state is some 40 higher, the forecasts agree to 1e-14.

    Raises
    ------
    InputError
        See :func:`~macro_assets.models.protocol.panel`.
    """
    results = _smoothed(known, fitted, spec, parameters)
    expected = _expected(results, spec, list(target_dates(known, spec).values()))
    return Outcome(normal(known, spec, expected), {"log_likelihood": fitted_values(fitted)["llf"]})


@on_one_thread
def news(
    before: Knowledge,
    fitted_before: pl.DataFrame,
    now: Knowledge,
    fitted: pl.DataFrame,
    spec: Specification,
    parameters: Parameters,
) -> pl.DataFrame:
    """Why the forecasts moved between two as-of instants.

    The parameters of `fitted` are applied to the data of `before`: what that changes is `reestimation`. From there,
    changed past figures make `revision`, and each new figure, against what the model expected of it, makes a `news`
    row (Banbura and Modugno, 2014, section 2.3). A target's impacts add up to the difference of its two forecasts.

    Returns
    -------
    DataFrame
        Of :data:`~macro_assets.models.protocol.NEWS_SCHEMA`; what is of a release is null but in rows of news.

    Raises
    ------
    InputError
        See :func:`~macro_assets.models.protocol.panel`.
    """
    targets = list(target_dates(now, spec).values())
    old, restated, new = (
        _smoothed(known, parameters_of, spec, parameters)
        for known, parameters_of in ((before, fitted_before), (before, fitted), (now, fitted))
    )
    was, would_be = _expected(old, spec, targets), _expected(restated, spec, targets)
    tables = []
    for target in targets:
        moves = new.news(
            restated,
            impact_date=_month(target, spec.target.frequency),
            impacted_variable=spec.target.series,
            comparison_type="previous",
        )
        unrevised = moves.revisions_iloc.empty  # statsmodels then states the impact as NaN
        revision = 0.0 if unrevised else float(moves.revision_impacts[spec.target.series].iloc[0])
        rows = [
            {"effect": "reestimation", "impact": would_be[target][0] - was[target][0]},
            {"effect": "revision", "impact": revision},
            *_releases(moves, spec, now.holders),
        ]
        tables.append(pl.DataFrame(rows, schema=NEWS_SCHEMA).with_columns(target_date=pl.lit(target)))
    return pl.concat(tables).with_columns(
        previous_as_of=pl.lit(before.as_of).cast(NEWS_SCHEMA["previous_as_of"]),
        as_of=pl.lit(now.as_of).cast(NEWS_SCHEMA["as_of"]),
        target_id=pl.lit(spec.target.series),
        impact_unit=pl.lit(spec.impact_unit),
    )


def _releases(moves: Any, spec: Specification, holders: Mapping[str, str]) -> list[dict[str, object]]:
    """A row for each new figure, in the unit of its holder."""
    import pandas as pd

    of = {i.series: i for i in spec.inputs}
    rows = []
    for row in moves.details_by_impact.reset_index().to_dict("records"):
        released = of[row["updated variable"]]
        period = pd.Period(row["update date"], "M") - MONTHS[released.frequency]
        rows.append(
            {
                "effect": "news",
                "series_id": released.series,
                "observation_date": period.start_time.date(),
                "release_forecast": row["forecast (prev)"],
                "release_actual": row["observed"],
                "release_unit": released.units[holders[released.series]],
                "release_weight": row["weight"],
                "impact": row["impact"],
            }
        )
    return rows


def _smoothed(known: Knowledge, fitted: pl.DataFrame, spec: Specification, parameters: Parameters) -> Any:
    """The model with the parameters and the standardization of a fit, on other data or its own."""
    import pandas as pd

    values = fitted_values(fitted)
    data = panel(known, spec)
    names = data.columns[1:]
    mean, std = (pd.Series([values[f"{k}.{n}"] for n in names], index=names) for k in ("mean", "std"))
    model = _model(data, spec, parameters, standardize=(mean, std))
    return model.smooth([values[name] for name in model.param_names])


def _model(data: pl.DataFrame, spec: Specification, parameters: Parameters, **options: Any) -> Any:
    """The model on a panel."""
    import statsmodels.api as sm

    monthly, quarterly = _endog(data, spec)
    blocks = parameters.blocks.items()
    factors = {i.series: [GLOBAL, *(name for name, members in blocks if i.series in members)] for i in spec.inputs}
    return sm.tsa.DynamicFactorMQ(
        monthly,
        endog_quarterly=quarterly,
        factors=factors,
        factor_orders=parameters.factor_order,
        idiosyncratic_ar1=True,
        **options,
    )


def _endog(data: pl.DataFrame, spec: Specification) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """Monthly and quarterly parts, as DynamicFactorMQ takes them."""
    import pandas as pd

    quarterly = [i.series for i in spec.inputs if i.frequency == "Q"]
    months = pd.PeriodIndex(data["observation_date"].to_list(), freq="M")
    wide = pd.DataFrame(data.drop("observation_date").to_dict(as_series=False), index=months, dtype=float)
    if not quarterly:
        return wide, None
    ends = months.month % 3 == 0
    return wide.drop(columns=quarterly), wide.loc[ends, quarterly].set_axis(months[ends].asfreq("Q"))


def _expected(results: Any, spec: Specification, targets: Sequence[date]) -> dict[date, tuple[float, float]]:
    """Mean and standard error of the target by date."""
    months = [_month(t, spec.target.frequency) for t in targets]
    prediction = results.get_prediction(start=months[0], end=months[-1], information_set="smoothed")
    means, errors = (table[spec.target.series] for table in (prediction.predicted_mean, prediction.se_mean))
    return {t: (float(means[m]), float(errors[m])) for t, m in zip(targets, months, strict=True)}


def _month(target: date, frequency: str) -> pd.Period:
    """The month in which a period's figure stands in the panel."""
    import pandas as pd

    return pd.Period(target, "M") + MONTHS[frequency]
