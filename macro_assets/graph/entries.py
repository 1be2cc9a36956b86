"""Entries of the catalog held to their rooms: their method, its parameters, its shape, the transforms they name.

What is wrong is a `MethodError` whose message begins with the field; `declared.py` says file and entry.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any, cast

import polars as pl

from macro_assets.catalog import Catalog, Chart, Model
from macro_assets.catalog.derive import series_facts
from macro_assets.catalog.kinds.computed import Computed
from macro_assets.catalog.kinds.declaration import Declaration
from macro_assets.charts.checking import problems
from macro_assets.charts.modules import module_name
from macro_assets.graph.methods import MethodError, method_module, parameters_of
from macro_assets.models.protocol import Specification, specification
from macro_assets.quality.rules.registry import check_rules

FACTS = ("frequency", "aggregation", "unit", "seasonal_adjustment")
"""What an indicator or a score is told of its series."""


def computed_method(kind: str, entry: Computed, catalog: Catalog) -> tuple[ModuleType, Declaration, pl.DataFrame]:
    """The method of an indicator or a score, its parameters, and the facts of its series."""
    module = method_module(kind, entry.method)
    parameters = parameters_of(module, entry.parameters)
    if entry.shape != module.SHAPE:
        raise MethodError(f"shape: method {entry.method} gives the shape {module.SHAPE!r}, got {entry.shape!r}")
    facts = series_facts((catalog.one_series(s) for s in entry.series), *FACTS)
    _ask(module, parameters, facts)
    table = catalog.tables[f"{kind}/{entry.name}"]
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


def chart_module(entry: Chart, catalog: Catalog) -> str:
    """Name of the module that draws a chart."""
    if wrong := list(problems(entry, catalog)):
        raise MethodError("; ".join(wrong))
    return module_name(entry.draws)


def _ask(module: ModuleType, parameters: Declaration, about: Any) -> None:
    """Let the method refuse what its parameters ask of its inputs."""
    ask = cast("Callable[[Declaration, Any], None] | None", getattr(module, "check", None))
    if ask is not None:
        try:
            ask(parameters, about)
        except ValueError as error:
            raise MethodError(str(error)) from None
