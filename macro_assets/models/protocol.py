"""What every model is given and must refuse: what was known at an instant, and inputs that are too old for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import polars as pl

from macro_assets.catalog import Catalog, Model


class StaleInputError(ValueError):
    """The newest data known at the as-of instant is too old to nowcast from."""


@dataclass(frozen=True)
class Knowledge:
    """What was known at an instant.

    `observations`: `series_id`, `observation_date` (start of period), `value` (provider's unit), `release_time`; one
    row per series and date, none released after `as_of` (UTC).
    """

    as_of: datetime
    observations: pl.DataFrame

    def __post_init__(self) -> None:
        latest = self.observations["release_time"].max()
        if isinstance(latest, datetime) and latest > self.as_of:
            raise ValueError(f"a panel as of {self.as_of.isoformat()} holds a value released {latest.isoformat()}")


def refuse_stale(known: Knowledge, model: Model, catalog: Catalog) -> None:
    """Raise :class:`StaleInputError` unless all inputs are known, and one is younger than its staleness limit."""
    ages: dict[str, int] = {}
    for item in model.inputs:
        last = (
            known.observations.filter(pl.col("series_id") == item.series).drop_nulls("value")["observation_date"].max()
        )
        if isinstance(last, date):
            ages[item.series] = (known.as_of.date() - last).days
    target = catalog.one_series(model.target)
    if unknown := [i.series for i in model.inputs if i.series not in ages]:
        raise StaleInputError(
            f"{model.name} as of {known.as_of.date()}: nothing was known of {', '.join(unknown)}. Expected vintages of "
            "every input up to that date; the earliest as-of month that can be run is the one in which the first "
            "vintage of each was loaded."
        )
    if all(age > catalog.one_series(s).staleness_days for s, age in ages.items()):
        youngest = min(ages, key=lambda s: ages[s])
        raise StaleInputError(
            f"{model.name} as of {known.as_of.date()}: every input is older than its staleness limit; the newest, "
            f"{youngest}, is {ages[youngest]} days old (limit {catalog.one_series(youngest).staleness_days}), "
            f"{target.id} is {ages[target.id]} days old (limit {target.staleness_days}). "
            "Fetch newer data, or run an as-of month that the data reaches."
        )
