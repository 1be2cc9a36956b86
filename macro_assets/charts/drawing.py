"""Drawing a chart of the catalog: its module gets the frames."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from macro_assets.charts import style
from macro_assets.charts.modules import module_of

if TYPE_CHECKING:
    import plotly.graph_objects as go
    import polars as pl

    from macro_assets.catalog import Chart
    from macro_assets.charts.labels import Labels

OBSERVATIONS = "observations"
"""Name of the frame of a chart of series: `source`, `series_id`, `observation_date`, `value`, `release_time`."""


def figure(chart: Chart, frames: Mapping[str, pl.DataFrame], labels: Labels) -> go.Figure:
    """Draw a chart of the catalog.

    Parameters
    ----------
    chart
        The catalog entry; its figure is drawn by the module `macro_assets.charts.<chart.name>`.
    frames
        The tables named in `chart.inputs`, by name; for a chart without, the observations of its series in their
        standard units, named `OBSERVATIONS`. Rows of other series are not drawn.
    labels
        Titles of series and components, the recession chronology, and the rules of the series.

    Returns
    -------
    Figure
        1152 x 672 px, complete with title, footnote and watermark. The same frames give the same JSON.

    Raises
    ------
    LookupError
        When no module draws the chart, or an input is not among the frames.
    ValueError
        When there is nothing to draw, or a table contradicts itself (each module says when).
    """
    return cast("go.Figure", module_of(chart).figure(chart, _inputs(chart, frames), labels))


def data_note(chart: Chart, frames: Mapping[str, pl.DataFrame], labels: Labels) -> str:
    """The footnote of a chart, see :func:`macro_assets.charts.style.data_note`; frames and errors as of `figure`."""
    given = _inputs(chart, frames)
    drawn = list(given.values()) if chart.inputs else [module_of(chart).drawn(given[OBSERVATIONS], labels)]
    return style.data_note(chart, drawn, labels)


def _inputs(chart: Chart, frames: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    names = chart.inputs or (OBSERVATIONS,)
    if missing := [name for name in names if name not in frames]:
        raise LookupError(f"chart {chart.name!r} draws {', '.join(names)}; not given: {', '.join(missing)}")
    return {name: frames[name] for name in names}
