"""How an as-of month ends: with its tables, or empty because it cannot be, each with the reason; all else is a failure.

A month cannot be where no vintage is that early, where a series was never fetched, where all that is too old came from
offline holders, which end, where another holder served the figures it is to be compared with, before a backtest begins,
and of a fit where nothing is refitted. Data too old although a live holder had been fetched by then are a failure, also
where an offline copy goes further and counts: a person must look.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from macro_assets.catalog.periods import latest_refit
from macro_assets.graph.derivation import Derivation
from macro_assets.graph.inputs import Inputs
from macro_assets.models.protocol import NotKnownError, OtherHolderError, StaleInputError


@dataclass(frozen=True)
class Empty:
    """A month that cannot be, and why."""

    reason: str


def month_of(derivation: Derivation, inputs: Inputs, month: str) -> Mapping[str, pl.DataFrame] | Empty:
    """The tables of an as-of month, by name.

    Raises
    ------
    StaleInputError
        When every input is too old, although one of them had been fetched from a holder that goes on publishing.
    """
    if derivation.first is not None and month < derivation.first:
        return Empty(f"the backtest begins in {derivation.first}")
    if int(month[5:]) not in derivation.refits:
        return Empty(f"no month of refitting: the fit of {latest_refit(month, derivation.refits)} holds")
    frames = inputs.frames(derivation, month)
    if all(frame.is_empty() for frame in frames.values()):
        return Empty(f"nothing was known of any input by the end of {month}")
    moment = inputs.moment(derivation, month)
    try:
        tables: Mapping[str, pl.DataFrame] = derivation.compute(frames, moment)
    except (NotKnownError, OtherHolderError) as error:
        return Empty(str(error))
    except StaleInputError as error:
        said = inputs.holders(error.series, max(moment.instants.values()))
        if any(s.is_live for s in inputs.lake.catalog.sources.values() if s.name in said):
            raise
        return Empty(f"{error} Only offline figures were known, which end.")
    return tables
