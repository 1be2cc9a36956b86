"""A model by its method: its fit of a month, its forecasts from a fit, and why they moved since the month before."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from types import ModuleType
from typing import NoReturn

import polars as pl

from macro_assets.catalog.kinds.declaration import Declaration
from macro_assets.graph.derivation import Frames, Moment
from macro_assets.models.protocol import (
    Knowledge,
    NotKnownError,
    Specification,
    refuse_other_holders,
    refuse_stale,
)

_LIBRARIES = ("numpy", "scikit-learn", "scipy", "statsmodels")
"""What methods estimate with."""


@dataclass(frozen=True)
class Declared:
    """A model as its method takes it: the method's module, what is declared of target and inputs, the parameters."""

    method: str
    specification: Specification
    parameters: Declaration

    @property
    def module(self) -> ModuleType:
        return import_module(self.method)


def fit(frames: Frames, moment: Moment, *, table: str, model: Declared) -> Frames:
    """The parameters that are estimated from what was known at the month's end.

    Parameters
    ----------
    frames
        `known`: the observations of the model's series.

    Raises
    ------
    InputError
        When an input was not known, is too old, or is too thin.
    """
    known = _knowledge(frames, moment, "known")
    found: pl.DataFrame = model.module.fit(known, model.specification, model.parameters)
    said = found.sort("parameter").select("parameter", "value")
    return {
        table: said.with_columns(
            **_stamp(moment, "known"),
            libraries=pl.lit(", ".join(f"{name} {version(name)}" for name in _LIBRARIES)),
            fit_hash=pl.lit(hashlib.sha256(repr(said.rows()).encode()).hexdigest()[:16]),
        )
    }


def forecasts(frames: Frames, moment: Moment, *, table: str, diagnostics: str, model: Declared) -> Frames:
    """The forecasts from what was known at an instant and the fit that holds, and the method's diagnostics.

    Parameters
    ----------
    frames
        `known`: the observations of the model's series; `fit`: the rows of the fit.

    Raises
    ------
    InputError
        As :func:`fit`; `NotKnownError` where there is no fit.
    """
    known = _knowledge(frames, moment, "known")
    if frames["fit"].is_empty():
        _refuse_no_fit(model, known)
    found = model.module.forecast(known, _fitted(frames["fit"]), model.specification, model.parameters)
    stamp = _stamp(moment, "known")
    rows = found.forecasts.with_columns(
        **stamp,
        series_id=pl.lit(model.specification.target.series),
        scenario=pl.lit(None, pl.String),
        model_version=pl.lit(moment.code_version),
        latest_release=pl.lit(known.observations["release_time"].max()),
        providers=pl.lit(known.providers),
        slice_hash=pl.lit(moment.slices["known"]),
        unchanged_since=pl.lit(moment.unchanged_since["known"]),
    )
    said = {"name": list(found.diagnostics), "value": list(found.diagnostics.values())}
    told = pl.DataFrame(said, schema={"name": pl.String, "value": pl.Float64})
    return {table: rows, diagnostics: told.with_columns(**stamp)}


def news(frames: Frames, moment: Moment, *, table: str, model: Declared) -> Frames:
    """Why the forecasts moved since the month before.

    Parameters
    ----------
    frames
        `known` and `before`: the observations of the model's series at the end of the month and of the one before;
        `fit` and `fit_before`: the fits that held.

    Raises
    ------
    InputError
        As :func:`forecasts`; `NotKnownError` where there was no fit a month before either, `OtherHolderError` where
        another holder served an input then.
    """
    now, before = _knowledge(frames, moment, "known"), _knowledge(frames, moment, "before")
    refuse_other_holders(model.specification.name, before, now)
    for key, known in (("fit", now), ("fit_before", before)):
        if frames[key].is_empty():
            _refuse_no_fit(model, known)
    rows: pl.DataFrame = model.module.news(
        before, _fitted(frames["fit_before"]), now, _fitted(frames["fit"]), model.specification, model.parameters
    )
    return {table: rows.with_columns(**_stamp(moment, "known"))}


def _refuse_no_fit(model: Declared, known: Knowledge) -> NoReturn:
    told = model.specification
    refuse_stale(told.name, known, told.limits, told.target.series)  # which is then why there is none
    raise NotKnownError(
        f"{told.name} has no fit that holds on {known.as_of.date()}: when it was to be estimated, too little was known",
        tuple(i.series for i in told.inputs),
    )


def _knowledge(frames: Frames, moment: Moment, key: str) -> Knowledge:
    return Knowledge(moment.instants[key], frames[key].drop("source"))


def _fitted(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select("parameter", "value")


def _stamp(moment: Moment, key: str) -> dict[str, pl.Expr]:
    return {
        "as_of_month": pl.lit(moment.month, pl.String),
        "as_of": pl.lit(moment.instants[key]),
        "computed_at": pl.lit(moment.computed_at),
    }
