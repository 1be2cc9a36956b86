"""What every model is given and must refuse: what was known at an instant, and inputs that are too old for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

import polars as pl

from macro_assets.catalog import Catalog, Model
from macro_assets.catalog.kinds.series import Frequency


class InputError(ValueError):
    """What is known of some inputs at the as-of instant is not enough to nowcast from; `series` are their ids."""

    def __init__(self, message: str, series: tuple[str, ...]) -> None:
        super().__init__(message)
        self.series = series


class NotKnownError(InputError):
    """Nothing was known of some inputs at the as-of instant."""


class StaleInputError(InputError):
    """The newest data known of every input at the as-of instant is too old."""


@dataclass(frozen=True)
class InputFacts:
    """What a model reads of the catalog about an input.

    `scale`: a value in the standard unit divided by it is the provider's number, the unit of models and their news.
    """

    frequency: Frequency
    staleness_days: int
    scale: float


def input_facts(model: Model, catalog: Catalog) -> dict[str, InputFacts]:
    """Facts of the inputs of a model, by series."""
    series = [catalog.one_series(i.series) for i in model.inputs]
    return {s.id: InputFacts(s.frequency, s.staleness_days, s.scale) for s in series}


@dataclass(frozen=True)
class Knowledge:
    """What was known at an instant.

    `observations`: `series_id`, `observation_date` (start of period), `value` (standard unit), `release_time`; one
    row per series and date, none released after `as_of` (UTC).
    """

    as_of: datetime
    observations: pl.DataFrame

    def __post_init__(self) -> None:
        latest = self.observations["release_time"].max()
        if isinstance(latest, datetime) and latest > self.as_of:
            raise ValueError(f"a panel as of {self.as_of.isoformat()} holds a value released {latest.isoformat()}")


def refuse_stale(known: Knowledge, model: Model, series: Mapping[str, InputFacts]) -> None:
    """Refuse to go on unless all inputs are known, and one is younger than its staleness limit.

    Raises
    ------
    NotKnownError
        When nothing is known of some inputs.
    StaleInputError
        When the newest observation of every input is older than its staleness limit.
    """
    ages: dict[str, int] = {}
    for item in model.inputs:
        last = (
            known.observations.filter(pl.col("series_id") == item.series).drop_nulls("value")["observation_date"].max()
        )
        if isinstance(last, date):
            ages[item.series] = (known.as_of.date() - last).days
    if unknown := tuple(i.series for i in model.inputs if i.series not in ages):
        raise NotKnownError(
            f"{model.name} as of {known.as_of.date()}: nothing was known of {', '.join(unknown)}. Expected vintages of "
            "every input up to that date; the earliest as-of month that can be run is the one in which the first "
            "vintage of each was loaded.",
            unknown,
        )
    if all(age > series[s].staleness_days for s, age in ages.items()):
        youngest, target = min(ages, key=lambda s: ages[s]), model.target
        raise StaleInputError(
            f"{model.name} as of {known.as_of.date()}: every input is older than its staleness limit; the newest, "
            f"{youngest}, is {ages[youngest]} days old (limit {series[youngest].staleness_days}), "
            f"{target} is {ages[target]} days old (limit {series[target].staleness_days}). "
            "Fetch newer data, or run an as-of month that the data reaches.",
            tuple(ages),
        )
