"""Forecasts as of instants off the monthly grid: days of a quarter, months before the grid begins, each run of today.

They are computed as those of the grid are, and appended to `paths/<model>`: one row set per instant and version.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime

import polars as pl

from macro_assets.catalog import UnknownNameError, names
from macro_assets.catalog.load import unknown_name_message
from macro_assets.catalog.periods import month_end
from macro_assets.graph.declared import derivations
from macro_assets.graph.derivation import Derivation, Fitted, Frames, Known
from macro_assets.graph.inputs import COLUMNS, Inputs
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.vintages import instant
from macro_assets.lakehouse.write import append_computed

_INSTANT = ["as_of", "model_version"]


def path(lake: Lakehouse, model: str, instants: Iterable[date | datetime | str]) -> Iterator[pl.DataFrame]:
    """The forecasts of a model as of instants, one frame of the columns of `paths/<model>` each; none is stored.

    The fit is that of the month of refitting, estimated from what was known at its end, or at the instant where that is
    earlier. A bare date means its end in UTC.

    Raises
    ------
    UnknownNameError
        When the catalog has no such model.
    InputError
        When too little was known at an instant; what was computed by then has been given.
    """
    made = {t: d for d in derivations(lake.catalog) for t in d.tables}
    if names.forecast(model) not in made:
        raise UnknownNameError(unknown_name_message("model", model, lake.catalog.models))
    derivation, fits = made[names.forecast(model)], made[names.fits(model)]
    inputs = Inputs(lake, [derivation, fits])
    fitted: dict[datetime, pl.DataFrame] = {}
    for when in map(instant, instants):
        yield _at(when, derivation, fits, inputs, fitted)[names.forecast(model)]


def _at(
    when: datetime, derivation: Derivation, fits: Derivation, inputs: Inputs, fitted: dict[datetime, pl.DataFrame]
) -> Frames:
    frames = _known(derivation, inputs, when)
    for name, given in derivation.inputs.items():
        if isinstance(given, Fitted):
            at = month_end(given.month(f"{when:%Y-%m}"), when)
            if at not in fitted:
                fitted[at] = _computed(fits, _known(fits, inputs, at), inputs, at)[given.table]
            frames[name] = fitted[at]
    return _computed(derivation, frames, inputs, when)


def _known(derivation: Derivation, inputs: Inputs, when: datetime) -> dict[str, pl.DataFrame]:
    known = ((k, i) for k, i in derivation.inputs.items() if isinstance(i, Known))
    return {k: inputs.known(i.series, when).select(COLUMNS) for k, i in known}


def _computed(derivation: Derivation, frames: Frames, inputs: Inputs, when: datetime) -> Frames:
    return derivation.compute(frames, inputs.moment_at(derivation, when))


def add_instants(lake: Lakehouse, table: str, rows: pl.DataFrame, run_id: str) -> int:
    """Append forecasts to a path, of instants and versions that it does not have; returns how many rows."""
    instants = rows.with_columns(as_of_month=pl.lit(None, pl.String))

    def new(stored: pl.LazyFrame) -> pl.DataFrame:
        return instants.join(stored.select(_INSTANT).unique().collect(), on=_INSTANT, how="anti")

    return append_computed(lake, table, new, {"run_id": run_id}).rows.height
