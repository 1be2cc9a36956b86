"""The autoregression: a target forecast from its own past, the benchmark that other models are measured by.

y(t) = c + phi(1) y(t-1) + ... + phi(p) y(t-p) + e(t), estimated by least squares given the first values (Hamilton,
1994, Time Series Analysis, sections 5.2 and 8.2), forecast by iteration with the errors of its moving-average form
(section 4.2). The error is of the disturbances alone: that of the estimates is not counted.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from datetime import date
from operator import mul
from typing import TYPE_CHECKING, Any

import polars as pl
from pydantic import Field

from macro_assets.catalog.kinds.declaration import Declaration
from macro_assets.models.protocol import (
    PERIODS,
    Knowledge,
    Outcome,
    Specification,
    ThinInputError,
    fitted_frame,
    fitted_values,
    history,
    normal,
    periods_later,
    target_dates,
)
from macro_assets.models.threads import on_one_thread

if TYPE_CHECKING:
    import numpy as np

NEWS = False

EXAMPLE: Mapping[str, Any] = {
    "target": {"series": "GDPC1", "transform": "pca", "unit": "percent"},
    "horizons": [-1, 0, 1],
    "inputs": [{"series": "GDPC1", "transform": "pca"}],
    "parameters": {"lags": 2},
}


class Parameters(Declaration):
    """Of the autoregression."""

    lags: int = Field(ge=1, strict=True, description="Periods of its past that the target is explained by")


def check(parameters: Parameters, spec: Specification) -> None:
    """Refuse inputs besides the target.

    Raises
    ------
    ValueError
        The message begins with the field.
    """
    for number, i in enumerate(spec.inputs):
        if i.series != spec.target.series:
            raise ValueError(f"inputs.{number}.series: expected the target {spec.target.series} alone, got {i.series}")


@on_one_thread
def fit(known: Knowledge, spec: Specification, parameters: Parameters) -> pl.DataFrame:
    """Estimate by least squares on the target's sample; a period is left out where it or one of its lags is missing.

    Returns
    -------
    DataFrame
        `parameter`, `value`: `const`, `lag.1` and so on; `sigma`, the standard error of the regression (degrees of
        freedom taken off); `observations`; and `aic`, by the normal likelihood, sigma counted as a parameter.

    Raises
    ------
    InputError
        See :func:`~macro_assets.models.protocol.sample`; too few periods with all lags, and collinear ones, too.
    """
    import numpy as np

    y, x = _regression(history(known, spec)["value"], parameters.lags)
    count, estimated = x.shape
    came = f"{count} periods with all of {parameters.lags} lags"
    if count <= estimated:
        raise _thin(known, spec, f"there are {came}, expected at least {estimated + 1}")
    length = np.fmax(np.linalg.norm(x, axis=0), np.finfo(float).tiny)
    if np.linalg.matrix_rank(x / length, tol=_COLLINEAR) < estimated:
        raise _thin(known, spec, f"the lags and the constant are collinear in {came}, expected lags that vary apart")
    coefficients = np.linalg.lstsq(x, y, rcond=None)[0]
    squares = float(np.sum((y - x @ coefficients) ** 2))
    if squares <= _EXACT * float(np.sum(y**2)):
        raise _thin(known, spec, f"the lags leave no error in {came}, expected figures that they do not fix")
    names = ("const", *(f"lag.{i}" for i in range(1, parameters.lags + 1)))
    return fitted_frame(
        {
            **dict(zip(names, coefficients.tolist(), strict=True)),
            "sigma": (squares / (count - estimated)) ** 0.5,
            "observations": float(count),
            "aic": count * (float(np.log(2 * np.pi * squares / count)) + 1) + 2 * (estimated + 1),
        }
    )


_COLLINEAR = 1e-10
"""Smallest singular value of regressors of length one that still tell them apart."""

_EXACT = 1e-20
"""Sum of squared errors, relative to that of the figures, which rounding leaves of none."""


@on_one_thread
def forecast(known: Knowledge, fitted: pl.DataFrame, spec: Specification, parameters: Parameters) -> Outcome:
    """Forecasts by iteration from the last released period on, with the coefficients of a fit.

    Raises
    ------
    InputError
        See :func:`~macro_assets.models.protocol.sample`; a missing figure among the last ones too, which nothing is
        iterated from.
    """
    values, frequency = fitted_values(fitted), spec.target.frequency
    lags = [values[f"lag.{i}"] for i in range(1, parameters.lags + 1)]
    figures: dict[date, float | None] = dict(history(known, spec).iter_rows())
    last, targets = max(figures), list(target_dates(known, spec).values())
    past = [periods_later(last, -i, frequency) for i in range(parameters.lags)]
    if missing := [d for d in sorted({*past, *targets}) if d <= last and figures.get(d) is None]:
        text = f"nothing is known for {', '.join(map(str, missing))}, though for {last}"
        raise _thin(known, spec, f"{text}; expected the last {parameters.lags} periods and those to be forecast")
    ahead = {t: pl.date_range(last, t, PERIODS[frequency], eager=True).len() - 1 for t in targets if t > last}
    recent = [y for d in past if (y := figures[d]) is not None]
    path = _path(recent, values["const"], lags, values["sigma"], max(ahead.values(), default=0))
    expected = {t: path[steps - 1] for t, steps in ahead.items()}
    return Outcome(normal(known, spec, expected), {n: values[n] for n in ("observations", "sigma", "aic")})


def _regression(values: pl.Series, lags: int) -> tuple[np.ndarray, np.ndarray]:
    """What is explained, and the constant and lags that explain it, by period with all of them."""
    import numpy as np

    frame = pl.DataFrame({str(i): values.shift(i) for i in range(lags + 1)}).drop_nulls()
    y, *lagged = frame.to_numpy().T
    return y, np.column_stack([np.ones(len(y)), *lagged])


def _path(
    recent: Sequence[float], const: float, lags: Sequence[float], sigma: float, steps: int
) -> list[tuple[float, float]]:
    """Mean and standard error of the periods ahead; `recent` are the last values, the newest first."""
    values, weights, path = deque(recent), deque([1.0]), []
    for _ in range(steps):
        error = sigma * sum(w * w for w in weights) ** 0.5
        values.appendleft(const + sum(map(mul, lags, values)))
        weights.appendleft(sum(map(mul, lags, weights)))
        path.append((values[0], error))
    return path


def _thin(known: Knowledge, spec: Specification, what: str) -> ThinInputError:
    series = spec.target.series
    hint = "Fetch more of its history, begin the sample earlier, or take fewer lags."
    return ThinInputError(f"{spec.name} as of {known.as_of.date()}: {series}: {what}. {hint}", (series,))
