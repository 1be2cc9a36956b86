"""Which module draws a chart, found by the name of its family, and what it reads of the catalog."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from macro_assets.catalog.entries import nearest

if TYPE_CHECKING:
    from macro_assets.catalog import Chart
    from macro_assets.catalog.kinds.declaration import Declaration

ROOMS = ("families", "own")
"""Folders beside this file whose modules draw charts."""


def modules() -> dict[str, str]:
    """Every module that draws, by the name that an entry says; none is imported."""
    here = Path(__file__).parent
    files = (file for room in reversed(ROOMS) for file in sorted((here / room).glob("*.py")))
    return {f.stem: f"macro_assets.charts.{f.parent.name}.{f.stem}" for f in files if not f.stem.startswith("_")}


def module_name(draws: str) -> str:
    """The module of a name.

    Raises
    ------
    LookupError
        When there is none.
    """
    known = modules()
    if draws not in known:
        raise LookupError(
            f"nothing draws {draws!r}: expected one of {', '.join(sorted(known))}, the modules of "
            f"{' and '.join(f'macro_assets/charts/{room}/' for room in ROOMS)}.{nearest(draws, known)}"
        )
    return known[draws]


def module_of(chart: Chart) -> Any:
    """The module that draws a chart.

    Raises
    ------
    LookupError
        When there is none.
    """
    try:
        return import_module(module_name(chart.draws))
    except LookupError as error:
        raise LookupError(f"chart {chart.name!r}: {error}") from None


def reads_of(chart: Chart) -> tuple[str, ...]:
    """Fields of the labels that the chart's module reads."""
    return cast("tuple[str, ...]", module_of(chart).READS)


def parameters_of(chart: Chart) -> Declaration:
    """What the chart's entry chooses of what its module lets it.

    Raises
    ------
    LookupError
        When no module draws the chart.
    ValueError
        When a parameter is missing, unknown or of the wrong type.
    """
    return cast("Declaration", module_of(chart).Parameters.model_validate(chart.parameters))
