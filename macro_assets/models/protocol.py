"""What every model is given, must refuse and returns.

Given: what was known at an instant, and what of the catalog fixes the result. Refused: inputs that nobody knew, that
are too old, or that hold too little to estimate from. Returned: forecasts by horizon as a distribution.

A module of this room is a method if it has `Parameters`. It holds

- `Parameters`, a frozen :class:`~macro_assets.catalog.kinds.declaration.Declaration`: what an entry of the catalog says
- `EXAMPLE`, the `target`, `inputs`, `horizons` and `parameters` of a small entry that is valid
- `NEWS`, whether it has `news`
- `fit(known, specification, parameters)` -> a frame `parameter`, `value`, from which alone
- `forecast(known, fitted, specification, parameters)` -> :class:`Outcome` follows, with no estimation
- `news(before, fitted_before, now, fitted, specification, parameters)` -> a frame of :data:`NEWS_SCHEMA`: why the
  forecasts moved between two instants
- `check(parameters, specification)`, if not every specification serves: a ValueError that begins with the field

Those that compute with BLAS, as numpy's linear algebra, scipy and statsmodels do, are held
:func:`~macro_assets.models.threads.on_one_thread`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

import polars as pl

from macro_assets.catalog import Catalog, Model
from macro_assets.catalog.kinds.model import ModelInput
from macro_assets.catalog.kinds.series import Frequency, Series
from macro_assets.catalog.kinds.step import Steps
from macro_assets.transforms.library import difference
from macro_assets.transforms.panel import panel as side_by_side
from macro_assets.transforms.steps import TransformError, check, resolve, transformed_by

PERIODS: Mapping[str, str] = {"M": "1mo", "Q": "1q", "A": "1y"}
"""Period of each frequency that is forecast, as Polars names it."""

STATISTICS: Mapping[str, float] = {
    "mean": 0.0,
    "q05": -1.6448536269514722,
    "q25": -0.6744897501960817,
    "q50": 0.0,
    "q75": 0.6744897501960817,
    "q95": 1.6448536269514722,
}
"""Statistics of a normal forecast, in standard errors from its mean."""

FORECAST_SCHEMA = pl.Schema(
    {
        "target_date": pl.Date(),
        "horizon": pl.Int64(),
        "statistic": pl.String(),
        "value": pl.Float64(),
        "is_released": pl.Boolean(),
    }
)

NEWS_SCHEMA = pl.Schema(
    {
        "as_of": pl.Datetime("us", "UTC"),
        "previous_as_of": pl.Datetime("us", "UTC"),
        "target_id": pl.String(),
        "target_date": pl.Date(),
        "effect": pl.String(),
        "series_id": pl.String(),
        "observation_date": pl.Date(),
        "release_forecast": pl.Float64(),
        "release_actual": pl.Float64(),
        "release_unit": pl.String(),
        "release_weight": pl.Float64(),
        "impact": pl.Float64(),
        "impact_unit": pl.String(),
    }
)


class InputError(ValueError):
    """What is known of some inputs at the as-of instant is not enough to forecast from; `series` are their ids."""

    def __init__(self, message: str, series: tuple[str, ...]) -> None:
        super().__init__(message)
        self.series = series


class NotKnownError(InputError):
    """Nothing was known of some inputs at the as-of instant."""


class StaleInputError(InputError):
    """The newest data known of every input at the as-of instant is too old."""


class OtherHolderError(InputError):
    """What is known of some inputs at one instant is of another holder than what is to be compared with it."""


class ThinInputError(InputError):
    """Too few figures were known of some inputs, or figures that do not differ."""


@dataclass(frozen=True)
class Input:
    """What a model reads of an input: its steps, and facts of the catalog.

    `scale`: a value in the standard unit divided by it is in the unit that the home publishes, which models and their
    news are in. `unit`: what the steps make of that; `units`: the same by holder, whose base may be another.
    """

    series: str
    steps: Steps
    frequency: Frequency
    staleness_days: int
    scale: float
    unit: str
    units: Mapping[str, str]


@dataclass(frozen=True)
class Specification:
    """What fixes a model's result besides the parameters of its method. The target is one of the inputs."""

    name: str
    target: Input
    horizons: tuple[int, ...]
    inputs: tuple[Input, ...]
    sample_start: date

    @property
    def limits(self) -> dict[str, int]:
        """Staleness limit in days by input."""
        return {i.series: i.staleness_days for i in self.inputs}

    @property
    def target_unit(self) -> str:
        """Unit of the forecasts."""
        return self.target.unit

    @property
    def impact_unit(self) -> str:
        """Unit of a change of a forecast."""
        return difference((self.target.unit,), None)


def specification(model: Model, catalog: Catalog) -> Specification:
    """A model of the catalog with the facts of its inputs.

    Raises
    ------
    ValueError
        When steps cannot be done to an input, the target's declared unit is not what they give, or the target has no
        periods to count; the message begins with the field.
    """
    inputs = tuple(_input(i, catalog, f"inputs.{n}.transform") for n, i in enumerate(model.inputs))
    target = next(i for i in inputs if i.series == model.target.series)
    if target.frequency not in PERIODS:
        raise ValueError(
            f"target.series: expected a monthly, quarterly or annual series, {target.series} is {target.frequency!r}"
        )
    if target.unit != model.target.unit:
        text = f"target.unit: expected {target.unit!r}, which the transform of {target.series} gives"
        raise ValueError(f"{text}, got {model.target.unit!r}")
    return Specification(model.name, target, model.horizons, inputs, model.sample_start)


def _input(declared: ModelInput, catalog: Catalog, field: str) -> Input:
    series = catalog.one_series(declared.series)
    try:
        steps = resolve(declared.transform, series.transform)
        units = {h.provider: _unit(steps, h.series, series) for h in catalog.holdings(series.id)}
    except TransformError as error:
        raise ValueError(f"{field}: {error}") from None
    unit = units[series.source]
    return Input(series.id, steps, series.frequency, series.staleness_days, series.scale, unit, units)


def _unit(steps: Steps, held: Series, home: Series) -> str:
    """The unit of what the steps make of a series as one of its holders has it, divided by the scale of its home."""
    unit = check(steps, (held.unit,), home.frequency, (home.seasonal_adjustment,))
    if home.scale == 1:
        return unit
    if held.unit == home.unit:
        told = home.provider_unit
    else:
        told = held.provider_unit if held.scale == home.scale else f"{home.scale:g} {held.unit}"
    return check(steps, (told,), home.frequency)  # a level or a change stays in it, a ratio has none


@dataclass(frozen=True)
class Knowledge:
    """What was known at an instant.

    `observations`: `series_id`, `provider`, `observation_date` (start of period), `value` (standard unit),
    `release_time`; one row per series and date, none released after `as_of` (UTC); perhaps with further columns.
    """

    as_of: datetime
    observations: pl.DataFrame

    def __post_init__(self) -> None:
        latest = self.observations["release_time"].max()
        if isinstance(latest, datetime) and latest > self.as_of:
            raise ValueError(f"a panel as of {self.as_of.isoformat()} holds a value released {latest.isoformat()}")

    @property
    def holders(self) -> dict[str, str]:
        """Who serves each series: the provider of its first figure; one of the very same figures may add later ones."""
        ordered = self.observations.sort("series_id", "observation_date")
        first = ordered.unique("series_id", keep="first", maintain_order=True)
        return dict(first.select("series_id", "provider").iter_rows())

    @property
    def providers(self) -> str:
        """All who served a figure, separated by `, `."""
        return ", ".join(sorted(self.observations["provider"].unique()))


def refuse_stale(name: str, known: Knowledge, limits: Mapping[str, int], target: str | None = None) -> None:
    """Refuse to go on unless all inputs are known, and one is younger than its staleness limit.

    Parameters
    ----------
    name
        What is to be computed.
    limits
        Staleness limit in days by input.
    target
        An input whose age is told beside that of the youngest.

    Raises
    ------
    NotKnownError
        When nothing is known of some inputs.
    StaleInputError
        When the newest observation of every input is older than its staleness limit.
    """
    latest = known.observations.drop_nulls("value").group_by("series_id").agg(pl.col("observation_date").max())
    last: dict[str, date] = dict(latest.iter_rows())
    today, prefix = known.as_of.date(), f"{name} as of {known.as_of.date()}"
    if unknown := tuple(s for s in limits if s not in last):
        raise NotKnownError(
            f"{prefix}: nothing was known of {', '.join(unknown)}. Expected vintages of "
            "every input up to that date; the earliest as-of month that can be run is the one in which the first "
            "vintage of each was loaded.",
            unknown,
        )
    ages = {s: (today - last[s]).days for s in limits}
    if all(ages[s] > limit for s, limit in limits.items()):
        youngest = min(limits, key=lambda s: ages[s])
        told = [f"{s} is {ages[s]} days old (limit {limits[s]})" for s in (target,) if s and s != youngest]
        newest = f"the newest, {youngest}, is {ages[youngest]} days old (limit {limits[youngest]})"
        raise StaleInputError(
            f"{prefix}: every input is older than its staleness limit; {', '.join([newest, *told])}. "
            "Fetch newer data, or run an as-of month that the data reaches.",
            tuple(ages),
        )


def refuse_other_holders(name: str, before: Knowledge, now: Knowledge) -> None:
    """Refuse to compare what was known at two instants of inputs whose holder differs: another base is no revision.

    Raises
    ------
    OtherHolderError
        With the series, and their holders at both instants.
    """
    was, changed = before.holders, dict[tuple[str, str], list[str]]()
    for series, holder in now.holders.items():
        if (old := was.get(series, holder)) != holder:
            changed.setdefault((old, holder), []).append(series)
    if changed:
        told = "; ".join(f"{old}, then {new}: {', '.join(own)}" for (old, new), own in changed.items())
        raise OtherHolderError(
            f"{name}: nothing is compared between {before.as_of.date()} and {now.as_of.date()}, as other holders "
            f"served the figures ({told}), which may differ in base and vintage.",
            tuple(s for own in changed.values() for s in own),
        )


# --- the sample ----------------------------------------------------------------------------------------------------

MONTHS: Mapping[str, int] = {"M": 0, "Q": 2, "A": 11}
"""Months from the first of a period to its last, in which its figure stands in a panel."""


def sample(known: Knowledge, spec: Specification) -> pl.DataFrame:
    """The inputs by their steps, from the sample's start on, in the unit that the home publishes, in its holder's base.

    A missing period stays missing: no change is computed across it.

    Returns
    -------
    DataFrame
        `series_id`, `observation_date`, `month` (the last of the period), `value`, by series and date; no nulls.

    Raises
    ------
    NotKnownError, StaleInputError
        See :func:`refuse_stale`; a `NotKnownError` too where the target is known only in another unit than the
        forecasts are in.
    ThinInputError
        When an input has fewer than two figures, or equal ones.
    """
    refuse_stale(spec.name, known, spec.limits, spec.target.series)
    _refuse_other_unit(known, spec)
    facts = pl.DataFrame(
        {
            "series_id": [i.series for i in spec.inputs],
            "scale": [float(i.scale) for i in spec.inputs],
            "months": [f"{MONTHS[i.frequency]}mo" for i in spec.inputs],
        }
    )
    figures = known.observations.drop_nulls("value").join(facts, on="series_id")
    # column by column: a division by one number would multiply by its inverse, which costs the last digit
    figures = figures.select("series_id", "observation_date", "months", value=pl.col("value") / pl.col("scale"))
    steps = {i.series: i.steps for i in spec.inputs}
    made = (
        transformed_by(figures, steps, {i.series: i.frequency for i in spec.inputs})
        .with_columns(month=pl.col("observation_date").dt.truncate("1mo").dt.offset_by(pl.col("months")))
        .filter(pl.col("month") >= spec.sample_start.replace(day=1))
        .select("series_id", "observation_date", "month", "value")
        .sort("series_id", "observation_date")
    )
    _refuse_thin(known, spec, figures, made)
    return made


def _refuse_other_unit(known: Knowledge, spec: Specification) -> None:
    target, holder = spec.target, known.holders[spec.target.series]
    if (unit := target.units[holder]) != target.unit:
        raise NotKnownError(
            f"{spec.name} as of {known.as_of.date()}: {target.series} is known only from {holder}, in {unit} after "
            f"{_chain(target.steps)}; the forecasts are in {target.unit}.",
            (target.series,),
        )


_EQUAL = 1e-9
"""Spread of figures, relative to the largest, below which they are one figure and what its rounding left."""


def _refuse_thin(known: Knowledge, spec: Specification, figures: pl.DataFrame, made: pl.DataFrame) -> None:
    before: dict[str, int] = dict(figures.group_by("series_id").len().iter_rows())
    value = pl.col("value")
    after = made.group_by("series_id").agg(
        pl.len(), value.first(), equal=value.max() - value.min() <= _EQUAL * value.abs().max()
    )
    found = {series: row for series, *row in after.iter_rows()}
    thin: dict[str, str] = {}
    for i in spec.inputs:
        count, first, equal = found.get(i.series, (0, None, True))
        if equal:
            came = f"{before[i.series]} known, {count} after {_chain(i.steps)} from {spec.sample_start} on"
            thin[i.series] = f"{i.series} ({came}{f', all of them {first:g}' if count > 1 else ''})"
    if thin:
        raise ThinInputError(
            f"{spec.name} as of {known.as_of.date()}: too few figures of {', '.join(thin.values())}. Expected at least "
            "two that differ. Fetch more of its history, begin the sample earlier, or take it out of the inputs.",
            tuple(thin),
        )


def _chain(steps: Steps) -> str:
    return " and ".join(repr(s.name) for s in steps) or "no step"


def panel(known: Knowledge, spec: Specification) -> pl.DataFrame:
    """The sample side by side on a calendar of months; a quarterly figure stands in its quarter's last month.

    Returns
    -------
    DataFrame
        `observation_date` (first of month, none skipped up to the last with data), and a column per input: monthly
        ones first, then quarterly ones, each in the order of the inputs.

    Raises
    ------
    InputError
        See :func:`sample`.
    """
    ordered = sorted(spec.inputs, key=lambda i: MONTHS[i.frequency])
    monthly = sample(known, spec).select("series_id", "value", observation_date="month")
    return side_by_side(monthly, [i.series for i in ordered])


def history(known: Knowledge, spec: Specification) -> pl.DataFrame:
    """The target's sample at its own frequency: `observation_date`, `value`; a missing period is a null.

    Raises
    ------
    InputError
        See :func:`sample`.
    """
    own = sample(known, spec).filter(series_id=spec.target.series).select("observation_date", "value")
    first, last = own["observation_date"].item(0), own["observation_date"].item(-1)
    periods = pl.date_range(first, last, PERIODS[spec.target.frequency], eager=True).alias("observation_date")
    return periods.to_frame().join(own, on="observation_date", how="left", maintain_order="left")


# --- forecasts -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Outcome:
    """What a model says: forecasts in the target's unit (:data:`FORECAST_SCHEMA`), and numbers about itself by name."""

    forecasts: pl.DataFrame
    diagnostics: Mapping[str, float]


def target_dates(known: Knowledge, spec: Specification) -> dict[int, date]:
    """First day of the period of each horizon; 0 is the period of the as-of instant."""
    now: date = pl.Series([known.as_of.date()]).dt.truncate(PERIODS[spec.target.frequency]).item()
    return {h: periods_later(now, h, spec.target.frequency) for h in spec.horizons}


def periods_later(day: date, periods: int, frequency: Frequency) -> date:
    """First day of the period some periods after the one that begins on a day; before it where they are negative."""
    later: date = pl.Series([day]).dt.offset_by(f"{periods}{PERIODS[frequency].removeprefix('1')}").item()
    return later


def released(known: Knowledge, spec: Specification) -> dict[date, float]:
    """The target's figures that were known, by date."""
    own = sample(known, spec).filter(series_id=spec.target.series)
    return dict(own.select("observation_date", "value").iter_rows())


def normal(known: Knowledge, spec: Specification, expected: Mapping[date, tuple[float, float]]) -> pl.DataFrame:
    """Forecasts as long rows from means and standard errors; a released figure is certain, whatever is expected of it.

    Parameters
    ----------
    expected
        Mean and standard error by target date; the released ones may be left out.

    Returns
    -------
    DataFrame
        Of :data:`FORECAST_SCHEMA`, one row per horizon and statistic.
    """
    figures = released(known, spec)
    rows = []
    for horizon, target in target_dates(known, spec).items():
        mean, error = (figures[target], 0.0) if target in figures else expected[target]
        for statistic, distance in STATISTICS.items():
            rows.append((target, horizon, statistic, mean + distance * error, target in figures))
    return pl.DataFrame(rows, schema=FORECAST_SCHEMA, orient="row")


def fitted_frame(values: Mapping[str, float]) -> pl.DataFrame:
    """A fit as it is stored: `parameter`, `value`."""
    schema = {"parameter": pl.String(), "value": pl.Float64()}
    return pl.DataFrame({"parameter": list(values), "value": list(values.values())}, schema=schema)


def fitted_values(fitted: pl.DataFrame) -> dict[str, float]:
    """A stored fit by parameter, whatever the order of its rows."""
    return dict(fitted.select("parameter", "value").iter_rows())
