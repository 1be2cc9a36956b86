"""A small as-of graph: the mean of a real series as of each month, and its double, which reads the mean's month."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import partial

import polars as pl

from macro_assets.catalog import Catalog, Table
from macro_assets.graph.derivation import Derivation, Fitted, Frames, Known, Moment
from macro_assets.graph.derivation import Table as TableInput
from macro_assets.models.protocol import NotKnownError, StaleInputError
from macro_assets_tests.lakehouse.synthetic import one_source

MEAN, DOUBLE = "forecasts/toy_mean", "forecasts/toy_double"
FIT, SHARE = "fits/toy", "forecasts/toy_share"
BAD = "a month that was planted to fail"


def as_of_mean(frames: Frames, moment: Moment, *, table: str, bad: Sequence[str] = (), stale: bool = False) -> Frames:
    """The mean of all values; fails in the months named."""
    if moment.month in bad:
        raise ValueError(BAD)
    known = frames["known"]
    if stale:
        raise StaleInputError("too old", tuple(known["series_id"].unique()))
    return {table: row(moment, known["value"].mean())}


def as_of_double(frames: Frames, moment: Moment, *, table: str) -> Frames:
    """Twice the mean of the month."""
    return {table: row(moment, 2 * frames["mean"]["index_value"].item())}


def row(moment: Moment, value: object) -> pl.DataFrame:
    said = {"as_of_month": moment.month, "as_of": moment.instants.get("known", moment.computed_at)}
    return pl.DataFrame({**said, "computed_at": moment.computed_at, "index_value": value})


def as_of_catalog(*tables: str) -> Catalog:
    """One source, and as-of tables of these names."""
    full = one_source()
    like = full.one_table("diagnostics/gdp_nowcast")
    names = ("as_of_month", "as_of", "computed_at")
    columns = [c for c in like.columns if c.name in names]
    columns += [c for c in full.one_table("indicators/economic_stress_index").columns if c.name == "index_value"]
    entry = {**like.model_dump(), "columns": columns, "key": ("as_of_month",), "rules": ()}
    made = {t: Table.model_validate({**entry, "name": t}) for t in tables or (MEAN, DOUBLE)}
    return dataclasses.replace(full, tables={**full.tables, **made}, indicators={}, scores={}, models={}, charts={})


def as_of_graph(
    series: Sequence[str] = ("UNRATE",), bad: Sequence[str] = (), stale: bool = False
) -> tuple[Derivation, Derivation]:
    """The two derivations."""
    mean = Derivation(
        (MEAN,),
        {"known": Known(tuple(series))},
        partial(as_of_mean, table=MEAN, bad=tuple(bad), stale=stale),
        grid="as_of",
        demo=("2016-06", "2016-07"),
    )
    double = Derivation(
        (DOUBLE,),
        {"mean": TableInput(MEAN)},
        partial(as_of_double, table=DOUBLE),
        grid="as_of",
        demo=("2016-06", "2016-07"),
    )
    return mean, double


def as_of_share(frames: Frames, moment: Moment, *, table: str) -> Frames:
    """The mean of the month, of the mean at the latest refit."""
    if frames["fit"].is_empty():
        raise NotKnownError("there is no fit", ("UNRATE",))
    return {table: row(moment, frames["known"]["value"].mean() / frames["fit"]["index_value"].item())}  # type: ignore[operator]


def fitted_graph(refits: Sequence[int] = (1,), **of_the_fit: object) -> tuple[Derivation, Derivation]:
    """A fit of the given calendar months, and what is computed of it each month."""
    known, refits = {"known": Known(("UNRATE",))}, tuple(refits)
    fit = Derivation((FIT,), known, partial(as_of_mean, table=FIT, **of_the_fit), grid="as_of", refits=refits)
    share = Derivation((SHARE,), {**known, "fit": Fitted(FIT, refits)}, partial(as_of_share, table=SHARE), grid="as_of")
    return fit, share
