"""Entries of the catalog held to their rooms: their method, its parameters, its shape, the transforms they name.

What is wrong is a `MethodError` whose message begins with the field; `declared.py` says file and entry.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any, cast

import polars as pl

from macro_assets.catalog import Catalog, Chart, Indicator, Model, names
from macro_assets.catalog.derive import series_facts
from macro_assets.catalog.kinds.declaration import Declaration
from macro_assets.graph.methods import MethodError, method_module, parameters_of
from macro_assets.models.protocol import Specification, specification
from macro_assets.quality.rules import check_rules
from macro_assets.transforms.library import TRANSFORMS
from macro_assets.transforms.steps import TransformError, check, resolve

FACTS = ("frequency", "aggregation", "unit", "staleness_days")
"""What an indicator is told of its series."""


def indicator_method(entry: Indicator, catalog: Catalog) -> tuple[ModuleType, Declaration, pl.DataFrame]:
    """The method of an indicator, its parameters, and the facts of its series."""
    module = method_module("indicators", entry.method)
    parameters = parameters_of(module, entry.parameters)
    if module.SHAPE != entry.shape:
        raise MethodError(f"shape: method {entry.method} gives the shape {module.SHAPE!r}, got {entry.shape!r}")
    facts = series_facts((catalog.one_series(s) for s in entry.series), *FACTS)
    _ask(module, parameters, facts)
    table = catalog.tables[names.indicator(entry.name)]
    if wrong := check_rules(table.rules, table.columns):
        raise MethodError("; ".join(wrong))
    return module, parameters, facts


def model_method(entry: Model, catalog: Catalog) -> tuple[ModuleType, Declaration, Specification]:
    """The method of a model, its parameters, and what it is told of target and inputs."""
    module = method_module("models", entry.method)
    parameters = parameters_of(module, entry.parameters)
    if entry.news and not module.NEWS:
        raise MethodError(f"news: method {entry.method} does not say why its forecasts moved; leave 'news' out")
    try:
        told = specification(entry, catalog)
    except ValueError as error:
        raise MethodError(str(error)) from None
    _ask(module, parameters, told)
    return module, parameters, told


def chart_module(entry: Chart, catalog: Catalog) -> ModuleType:
    """The module that draws a chart."""
    module = method_module("charts", entry.draws, "draws")
    parameters = parameters_of(module, entry.parameters)
    if entry.of.columns:
        there = [c.name for t in entry.of.tables for c in catalog.tables[t].columns]
        if missing := [c for c in entry.of.columns if c not in there]:
            raise MethodError(f"of.columns: {missing[0]!r} is no column of {', '.join(entry.of.tables)}")
    _refuse_steps(entry, catalog)
    _ask(module, parameters, entry)
    return module


def _refuse_steps(entry: Chart, catalog: Catalog) -> None:
    """Refuse steps that the series' units or frequency do not admit."""
    series, steps = [catalog.one_series(s) for s in entry.of.series], entry.of.steps
    if not steps or not series:
        return
    first = TRANSFORMS.get(steps[0].name)
    together = [series] if first and first.takes > 1 else [[s] for s in series]
    try:
        for group in together:
            frequency = entry.of.frequency or group[0].frequency
            check(resolve(steps, group[0].transform), [s.unit for s in group], frequency)
    except TransformError as error:
        raise MethodError(f"of.steps: {error}") from None


def _ask(module: ModuleType, parameters: Declaration, about: Any) -> None:
    """Let the method refuse what its parameters ask of its inputs."""
    ask = cast("Callable[[Declaration, Any], None] | None", getattr(module, "check", None))
    if ask is not None:
        try:
            ask(parameters, about)
        except ValueError as error:
            raise MethodError(str(error)) from None
