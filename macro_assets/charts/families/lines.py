"""A credit spread: one yield minus another, month by month, over as many years as both exist."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import polars as pl

from macro_assets.catalog import Chart
from macro_assets.charts import style
from macro_assets.charts.drawing import OBSERVATIONS
from macro_assets.charts.labels import Labels
from macro_assets.transforms.panel import monthly, panel

if TYPE_CHECKING:
    import plotly.graph_objects as go


READS = ("frequencies", "aggregations")


def drawn(observations: pl.DataFrame, labels: Labels) -> pl.DataFrame:
    """The first series of the chart minus the second, in their unit.

    Parameters
    ----------
    observations
        `source`, `series_id`, `observation_date`, `value`.
    labels
        The two series, in the same unit.

    Returns
    -------
    DataFrame
        `observation_date`, `spread`: every month from the first to the last in which both series have a figure; null in
        a month between in which one has not.
    """
    first, second = labels.series
    both = (
        panel(monthly(observations, labels.facts), labels.series)
        .select("observation_date", spread=pl.col(first) - pl.col(second))
        .drop_nulls()
    )
    if both.is_empty():
        return both
    dates = both["observation_date"].to_list()
    axis = pl.DataFrame({"observation_date": style.months(min(dates), max(dates))})
    return axis.join(both, on="observation_date", how="left", maintain_order="left")


def figure(chart: Chart, frames: Mapping[str, pl.DataFrame], labels: Labels) -> go.Figure:
    """The spread between the two series of the chart, in percentage points.

    Parameters
    ----------
    chart
        `chart.series` are two yields in percent; the spread is the first minus the second.
    frames
        The observations of the two.

    Raises
    ------
    ValueError
        When the chart does not name two series, or no month has both.
    """
    if len(chart.series) != 2:
        raise ValueError(f"chart {chart.name!r} draws the spread of two series, the catalog names {len(chart.series)}")
    shown = drawn(frames[OBSERVATIONS], labels)
    if shown.is_empty():
        raise style.nothing_to_draw(chart, f"a month with both {chart.series[0]} and {chart.series[1]}")
    first, last, value = shown["observation_date"][0], shown["observation_date"][-1], shown["spread"][-1]

    fig = style.house_figure(chart, style.data_note(chart, [shown], labels), right=72, top=88)
    name = f"{style.plain(chart.series[0])} minus {style.plain(chart.series[1])}"
    fig.add_scatter(
        x=shown["observation_date"].to_list(),
        y=shown["spread"].to_list(),
        name=name,
        mode="lines",
        line={"color": style.PRIMARY, "width": 1.8},
        hovertemplate="%{y:.2f}",
        connectgaps=False,
        **style.period_of_a_month(),
    )
    fig.add_annotation(
        x=1, xref="paper", xanchor="left", xshift=4, y=value, text=f"<b>{value:.2f}</b><br>{last:%b %Y}",
        align="left", showarrow=False, font={"color": style.PRIMARY, "size": style.TICK_SIZE},
    )  # fmt: skip
    fig.update_layout(showlegend=False)
    fig.update_yaxes(title_text="Percentage points", rangemode="tozero")
    style.month_axis(fig, first, last)
    if chart.recession_shading:
        style.shade_recessions(fig, labels.recessions, first, last)
    return fig
