"""Which module draws a chart, found by the chart's name, and what it reads of the catalog."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from macro_assets.catalog import Chart


def module_of(chart: Chart) -> Any:
    """The module that draws a chart.

    Raises
    ------
    LookupError
        When there is none.
    """
    name = f"macro_assets.charts.{chart.name}"
    if find_spec(name) is None:
        raise LookupError(
            f"chart {chart.name!r} is in the catalog, but nothing draws it: expected a module {name} "
            "(macro_assets/charts/<chart name>.py) with a function figure(chart, frames, labels)"
        )
    return import_module(name)


def reads_of(chart: Chart) -> tuple[str, ...]:
    """Fields of the labels that the chart's module reads."""
    return cast("tuple[str, ...]", module_of(chart).READS)
