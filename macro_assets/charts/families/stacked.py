"""Stacked bars of the parts of an index, with the index as a line on top.

The contributions are drawn as they are stored; that a date's add up to its index is the promise of what made the table.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import polars as pl

from macro_assets.catalog import Chart, Column
from macro_assets.catalog.kinds.declaration import Declaration
from macro_assets.charts import style
from macro_assets.charts.labels import Labels

if TYPE_CHECKING:
    import plotly.graph_objects as go

READS = ("components",)

EXAMPLE = {
    "of": {"tables": ["indicators/economic_stress_index"]},
    "axis": {"title": "Standard deviations"},
    "shade": "recessions",
}

COLUMNS = ("observation_date", "component", "contribution", "index_value")


class Parameters(Declaration):
    """Nothing: the parts and their order are those of the indicator."""


def check(chart: Chart, columns: Mapping[str, Sequence[Column]]) -> Iterator[str]:
    """What is not one table of contributions."""
    if len(columns) != 1:
        yield f"of.tables: expected one table of contributions, got {len(columns)}"
    for table, found in columns.items():
        if missing := set(COLUMNS) - {c.name for c in found}:
            yield (
                f"of.tables: {table} lacks {', '.join(sorted(missing))}: expected the shape 'contributions', with "
                f"{', '.join(COLUMNS)}"
            )


def figure(chart: Chart, frames: Mapping[str, pl.DataFrame], labels: Labels, parameters: Parameters) -> go.Figure:
    """Stacked bars of contributions by component and date, with the index on top.

    Parameters
    ----------
    frames
        One row per `observation_date` and `component` with `contribution` and `index_value`.
    labels
        The components, in the order in which they are stacked; others of the table come after them, by name.

    Raises
    ------
    ValueError
        When the table has no rows.
    """
    table = frames[chart.of.tables[0]].sort("observation_date", "component")
    if chart.first_date:
        table = table.filter(pl.col("observation_date") >= chart.first_date)
    if table.is_empty():
        raise style.nothing_to_draw(chart, "a row per date and component")
    axis, period = style.calendar(table["observation_date"])
    first, last = axis[0], style.last_month(axis)
    index = dict(table.select("observation_date", "index_value").iter_rows())
    titles = dict(labels.components)
    others = sorted(set(table["component"]) - titles.keys())

    fig = style.house_figure(chart, style.data_note(chart, list(frames.values()), labels))
    for position, component in enumerate((*titles, *others)):
        color = style.COLORWAY[position % len(style.COLORWAY)]
        own = table.filter(pl.col("component") == component)
        drawn = dict(own.select("observation_date", "contribution").iter_rows())
        fig.add_bar(
            x=axis,
            y=[drawn.get(day) for day in axis],
            name=style.plain(titles.get(component) or style.readable(component)),
            marker={"color": color, "line": {"color": color, "width": 0.6}},  # closes hairlines between bars
            hovertemplate="%{y:+.2f}",
            **period,
        )
    fig.add_scatter(
        x=axis,
        y=[index.get(day) for day in axis],
        name="Index",
        mode="lines",
        line={"color": style.INK, "width": 2},
        hovertemplate="%{y:+.2f}",
        connectgaps=False,
        **period,
    )
    fig.update_layout(barmode="relative", bargap=0, legend_traceorder="normal")
    fig.update_yaxes(title_text=style.plain(chart.axis.title), zeroline=True, zerolinelayer="above traces")
    fig.update_yaxes(zerolinecolor=style.INK, zerolinewidth=1)
    style.month_axis(fig, first, last)
    if chart.shade == "recessions":
        style.shade_recessions(fig, labels.recessions, first, last)
    return fig
