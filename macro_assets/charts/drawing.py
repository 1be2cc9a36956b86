"""Drawing a chart of the catalog: finds the module of its name and hands it the tables."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    import plotly.graph_objects as go
    import polars as pl

    from macro_assets.catalog import Catalog, Chart


def figure(chart: Chart, frames: Mapping[str, pl.DataFrame], catalog: Catalog) -> go.Figure:
    """Draw a chart of the catalog.

    Parameters
    ----------
    chart
        The catalog entry; its figure is drawn by the module `macro_assets.charts.<chart.name>`.
    frames
        The tables named in `chart.inputs`, by name.
    catalog
        Titles of series and components, and the recession chronology.

    Returns
    -------
    Figure
        1152 x 672 px, complete with title, footnote and watermark. The same frames give the same JSON.

    Raises
    ------
    LookupError
        When no module draws the chart, or an input table is not among the frames.
    ValueError
        When a table has nothing to draw, or contradicts itself (each module says when).
    """
    name = f"macro_assets.charts.{chart.name}"
    if find_spec(name) is None:
        raise LookupError(
            f"chart {chart.name!r} is in the catalog, but nothing draws it: expected a module {name} "
            "(macro_assets/charts/<chart name>.py) with a function figure(chart, frames, catalog)"
        )
    if missing := [table for table in chart.inputs if table not in frames]:
        raise LookupError(f"chart {chart.name!r} draws {', '.join(chart.inputs)}; not given: {', '.join(missing)}")
    return cast("go.Figure", import_module(name).figure(chart, frames, catalog))
