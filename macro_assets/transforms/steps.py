"""Chains of transforms: checked against the vocabulary, as an expression, and done to series of a long frame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import polars as pl
from pydantic import ValidationError

from macro_assets.catalog.kinds.declaration import Declaration
from macro_assets.catalog.kinds.step import Step, Steps
from macro_assets.transforms.library import TRANSFORMS, Calendar, Transform
from macro_assets.transforms.registry import PERIODS_PER_YEAR

STATIONARY = "stationary"
"""The step that stands for a series' own FRED-MD code."""

ADJUSTING = "seasonally_adjust"
"""The step before what needs adjusted figures, for a series that its provider does not adjust."""


T = TypeVar("T")


class TransformError(ValueError):
    """A step that cannot be: which one, what was expected, and what came."""


def resolve(steps: Steps, code: int) -> Steps:
    """The steps with `stationary` as the FRED-MD code of a series, which the catalog says (`Series.transform`).

    Raises
    ------
    TransformError
        When `stationary` is given parameters.
    """
    return tuple(_coded(number, step, code) for number, step in enumerate(steps, 1))


def check(steps: Steps, units: Sequence[str], frequency: str, adjustments: Sequence[str] = ()) -> str:
    """The unit of what the steps make of series.

    Parameters
    ----------
    units
        Of each series, in order. A step that takes one series is done to each of several.
    frequency
        Of all series: 'D', 'W', 'M', 'Q' or 'A'.
    adjustments
        Of each series, whether it is seasonally adjusted, as the catalog says; not told: taken as adjusted.

    Raises
    ------
    TransformError
        When a name or parameter is not known or of the wrong type, the frequency, a unit or the number of series is
        not admitted, several series remain, or a step needs adjusted figures and the series are not.
    """
    units, has_seasons = list(units), "NSA" in adjustments
    for where, transform, parameters in _read(steps, frequency):
        has_seasons &= transform.name != ADJUSTING
        if has_seasons and transform.adjusted_only:
            raise TransformError(
                f"{where}: expected seasonally adjusted figures, got 'NSA'; let {ADJUSTING!r} be a step before it"
            )
        groups = _taken(where, transform, units)
        try:
            units = [transform.unit(taken, parameters) for taken in groups]
        except ValueError as error:
            raise TransformError(f"{where}: {error}") from None
    return _one(units)


def expression(steps: Steps, inputs: Sequence[pl.Expr], frequency: str) -> pl.Expr:
    """The steps as one expression of series on a regular calendar, in order of time; a gap is a row without value.

    For columns of a panel, or `.over("series_id")`; it has the name of the first series. Nothing infinite comes out.
    What a step must know of the calendar (a window of days, months left out, a year ago by the day) is read from the
    column `observation_date`. A step that names its series n times computes what is before it n times (a z-score 16
    times): for many series in a long frame :func:`transformed_by`, which goes step by step, is faster.

    Raises
    ------
    TransformError
        As :func:`check` does, but for units.
    """
    made = list(inputs)
    for where, transform, parameters in _read(steps, frequency):
        made = [transform.function(taken, parameters, Calendar(frequency)) for taken in _taken(where, transform, made)]
    name = inputs[0].meta.output_name(raise_if_undetermined=False) if inputs else None
    return _one(made) if name is None else _one(made).alias(name)


def transformed_by(
    observations: pl.DataFrame, steps: Mapping[str, Steps], frequencies: Mapping[str, str]
) -> pl.DataFrame:
    """Each series of a long frame by its own steps, at its own frequency.

    The step before a monthly, quarterly or annual observation is the period before: across a gap there is no
    difference, and a gap counts in a window. For daily and weekly series it is the observation before.

    Parameters
    ----------
    observations
        `series_id`, `observation_date`, `value`, and what else goes with an observation; in any order of rows.
    steps, frequencies
        By series. Series without steps are left out.

    Returns
    -------
    DataFrame
        The columns of `observations`, by series and date, without rows that have no value.

    Raises
    ------
    TransformError
        As :func:`check` does, but for units; the message names the series.
    """
    chains: dict[tuple[str, str], list[str]] = {}
    for series_id, own in steps.items():
        chains.setdefault((frequencies[series_id], repr(own)), []).append(series_id)
    frame = observations.drop_nulls("value").cast({"value": pl.Float64}).join(_plan(chains), on="series_id")
    frame = _with_gaps(frame.sort(_SERIES, "observation_date")).with_row_index(_ROW)
    parts = frame.partition_by(_CHAIN, maintain_order=True, as_dict=True)
    done = [
        _done(parts[number,], steps[own[0]], frequency, own[0])
        for number, ((frequency, _), own) in enumerate(chains.items())
        if (number,) in parts
    ]
    made = pl.concat(done) if done else frame
    return made.drop_nulls("value").sort(_ROW).select(observations.columns)


_SERIES, _CHAIN, _PER_YEAR, _ROW = "_series", "_chain", "_per_year", "_row"


def _plan(chains: Mapping[tuple[str, str], Sequence[str]]) -> pl.DataFrame:
    """Of each series its number in the order of the ids, its chain, and the periods of a year."""
    rows = [
        (series_id, number, PERIODS_PER_YEAR.get(frequency))
        for number, ((frequency, _), own) in enumerate(chains.items())
        for series_id in own
    ]
    schema = {"series_id": pl.String, _CHAIN: pl.UInt32, _PER_YEAR: pl.Int32}
    return pl.DataFrame(rows, schema, orient="row").sort("series_id").with_row_index(_SERIES)


def _done(part: pl.DataFrame, steps: Steps, frequency: str, series_id: str) -> pl.DataFrame:
    """Step by step, so that nothing is computed twice."""
    try:
        for step in steps:
            part = part.with_columns(value=expression((step,), [pl.col("value")], frequency).over(_SERIES))
    except TransformError as error:
        raise TransformError(f"{series_id}: {error}") from None
    return part


def _with_gaps(frame: pl.DataFrame) -> pl.DataFrame:
    """A row without value for each period missed before an observation, and one between two of the same period."""
    date, per_year = pl.col("observation_date"), pl.col(_PER_YEAR)
    period = date.dt.year() * per_year + (date.dt.month() - 1) * per_year // 12
    missed = (
        frame.filter(per_year.is_not_null())
        .with_columns(_missed=(period.diff().over(_SERIES) - 1).abs())
        .filter(pl.col("_missed") > 0)
        .with_columns(value=pl.lit(None, dtype=pl.Float64))
        .select(pl.col(frame.columns).repeat_by("_missed"))
        .explode(frame.columns)
    )
    if missed.is_empty():
        return frame
    return pl.concat([missed, frame]).sort(_SERIES, "observation_date", maintain_order=True)


def _read(steps: Iterable[Step], frequency: str) -> Iterator[tuple[str, Transform, Declaration]]:
    """Each step as where it stands, its transform, and its parameters."""
    for number, step in enumerate(steps, 1):
        where = f"step {number} {step.name!r}"
        if step.name not in TRANSFORMS:
            unresolved = " is for where a series' own code is known" if step.name == STATIONARY else ""
            unknown = _nearest(" is no transform", step.name, [*TRANSFORMS, STATIONARY])
            raise TransformError(f"{where}{unresolved or unknown}")
        transform = TRANSFORMS[step.name]
        if frequency not in list(transform.frequencies):
            admitted = ", ".join(transform.frequencies)
            raise TransformError(f"{where}: expected a frequency of {admitted}, got {frequency!r}")
        yield where, transform, _parameters(where, transform, step.parameters)


def _parameters(where: str, transform: Transform, written: Mapping[str, Any]) -> Declaration:
    try:
        return transform.parameters.model_validate(written)
    except ValidationError as error:
        raise TransformError("; ".join(f"{where}: {_said(e, transform)}" for e in error.errors())) from None


def _said(error: Mapping[str, Any], transform: Transform) -> str:
    name = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        return f"{name!r}{_nearest(' is no parameter', name, transform.parameters.model_fields)}"
    if error["type"] == "missing":
        return f"parameter {name!r} is missing"
    return f"{name}: {error['msg']}, got {error['input']!r}" if name else str(error["msg"])


def _nearest(what: str, name: str, among: Iterable[str]) -> str:
    """Words for a name that is not among some: the nearest of them, or all."""
    from difflib import get_close_matches

    known = sorted(among)
    near = get_close_matches(name, known, n=1, cutoff=0.5)
    return f"{what}; did you mean {near[0]!r}?" if near else f"{what}; there is {', '.join(known) or 'none'}"


def _taken(where: str, transform: Transform, series: Sequence[T]) -> list[Sequence[T]]:
    """What a step takes of the series that there are: all of them, or each."""
    if transform.takes == len(series):
        return [series]
    if transform.takes == 1:
        return [[one] for one in series]
    raise TransformError(f"{where}: expected {transform.takes} series, got {len(series)}")


def _one(series: Sequence[T]) -> T:
    if len(series) != 1:
        raise TransformError(f"expected steps that leave one series, they leave {len(series)}")
    return series[0]


def _coded(number: int, step: Step, code: int) -> Step:
    if step.name != STATIONARY:
        return step
    if step.parameters:
        raise TransformError(f"step {number} {STATIONARY!r}: expected no parameters, got {step.parameters}")
    return Step(name="fred_md", parameters={"code": code})
