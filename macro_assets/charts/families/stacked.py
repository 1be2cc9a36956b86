"""The economic stress index as a line over the stacked contributions of its components.

The contributions are drawn as they are stored; that a month's add up to its index is the indicator's promise.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import polars as pl

from macro_assets.catalog import Chart
from macro_assets.charts import style
from macro_assets.charts.labels import Labels

if TYPE_CHECKING:
    import plotly.graph_objects as go

READS = ("components",)


def figure(chart: Chart, frames: Mapping[str, pl.DataFrame], labels: Labels) -> go.Figure:
    """Stacked bars of contributions (standard deviations) by component and month, with the index on top.

    Parameters
    ----------
    frames
        `chart.inputs[0]`: one row per `observation_date` and `component` with `contribution` and `index_value`.
    labels
        The components, in the order in which they are stacked.

    Raises
    ------
    ValueError
        When the table has no rows.
    """
    table = frames[chart.inputs[0]].sort("observation_date")
    if table.is_empty():
        raise style.nothing_to_draw(chart, "a row per month and component")
    first, last = table["observation_date"][0], table["observation_date"][-1]
    axis = style.months(first, last)
    index = dict(table.select("observation_date", "index_value").iter_rows())

    fig = style.house_figure(chart, style.data_note(chart, [table], labels))
    for position, (component, title) in enumerate(labels.components):
        color = style.COLORWAY[position % len(style.COLORWAY)]
        own = table.filter(pl.col("component") == component)
        drawn = dict(own.select("observation_date", "contribution").iter_rows())
        fig.add_bar(
            x=axis,
            y=[drawn.get(month) for month in axis],
            name=style.plain(title),
            marker={"color": color, "line": {"color": color, "width": 0.6}},  # closes hairlines between months
            hovertemplate="%{y:+.2f}",
            **style.period_of_a_month(),
        )
    fig.add_scatter(
        x=axis,
        y=[index.get(month) for month in axis],
        name="Index",
        mode="lines",
        line={"color": style.INK, "width": 2},
        hovertemplate="%{y:+.2f}",
        connectgaps=False,
        **style.period_of_a_month(),
    )
    fig.update_layout(barmode="relative", bargap=0, legend_traceorder="normal")
    fig.update_yaxes(title_text="Standard deviations", zeroline=True, zerolinelayer="above traces")
    fig.update_yaxes(zerolinecolor=style.INK, zerolinewidth=1)
    style.month_axis(fig, first, last)
    if chart.recession_shading:
        style.shade_recessions(fig, labels.recessions, first, last)
    return fig
