"""A heatmap around zero, as of z-scores: a row per series, a column per month, a blank where there is no value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

import polars as pl
from pydantic import Field

from macro_assets.catalog import Chart, Column
from macro_assets.catalog.kinds.declaration import Declaration
from macro_assets.charts import style
from macro_assets.charts.drawing import OBSERVATIONS
from macro_assets.charts.labels import Labels

if TYPE_CHECKING:
    import plotly.graph_objects as go

READS = ("titles",)

EXAMPLE = {
    "of": {"series": ["PAYEMS", "UNRATE", "INDPRO"], "steps": ["stationary", {"zscore": {"min_obs": 60}}]},
    "axis": {"title": "z-score"},
    "first_date": "2006-01-01",
}

LABEL_LENGTH = 42
ROWS_WITH_TWO_LINES = 20
"""Labels may take two lines up to this many rows: a row is then at least 24 pixels high."""

SCALE = ((0.0, "#B30000"), (0.25, style.NEGATIVE), (0.5, "#FFFFFF"), (0.75, style.HIGHLIGHT), (1.0, "#00507D"))


class Parameters(Declaration):
    """What an entry may choose of its colours."""

    limit: int = Field(
        default=3, ge=1, le=10, description="Where the colours end: values beyond keep their number, not their colour"
    )


def check(chart: Chart, columns: Mapping[str, Sequence[Column]]) -> Iterator[str]:
    """Tables, as rows are series, and shading, as cells hide it."""
    if columns:
        yield f"of: expected series, which are the rows of a heatmap, got {', '.join(columns)}"
    if chart.shade:
        yield f"shade: a heatmap has nothing shaded, got {chart.shade!r}"


def grid(
    values: pl.DataFrame, series: Sequence[str], first: date | None
) -> tuple[list[date], list[list[float | None]]]:
    """Months, and a row of values per series: the last of each month, None where there is none.

    Parameters
    ----------
    values
        `series_id`, `observation_date`, `value`.
    series
        Ids of the rows, in order; one that has no values is a row of None.
    first
        First month, or None for the first with a value. The last month is the last with a value of any of the series.
    """
    own = (
        values.drop_nulls("value")
        .with_columns(month=pl.col("observation_date").dt.truncate("1mo"))
        .filter(pl.lit(True) if first is None else pl.col("month") >= first.replace(day=1))
        .sort("observation_date")
    )
    if own.is_empty():
        return [], []
    drawn = own["month"].to_list()
    axis = style.months(first or min(drawn), max(drawn))
    known = {(s, m): z for s, m, z in own.select("series_id", "month", "value").iter_rows()}
    return axis, [[known.get((s, month)) for month in axis] for s in series]


def figure(chart: Chart, frames: Mapping[str, pl.DataFrame], labels: Labels, parameters: Parameters) -> go.Figure:
    """The heatmap, rows in the order of the entry's series, colours centred on zero.

    Parameters
    ----------
    chart
        `chart.of.series` are the rows, from the top; `chart.first_date` is the first month.
    frames
        The series after their steps: `series_id`, `observation_date`, `value`.

    Raises
    ------
    ValueError
        When no series of the chart has a value from the first date on.
    """
    series, limit = chart.of.series, parameters.limit
    months, rows = grid(frames[OBSERVATIONS], series, chart.first_date)
    if not months:
        raise style.nothing_to_draw(chart, "a value of one of them")
    titles = [labels.titles.get(s, s) for s in series]
    ticks = [style.wrapped(t, LABEL_LENGTH, 2 if len(titles) <= ROWS_WITH_TWO_LINES else 1) for t in titles]
    steps = [str(step).replace("-", "\u2212") for step in range(1 - limit, limit)]

    note = f"{style.data_note(chart, list(frames.values()), labels)} Grey: no value."
    fig = style.house_figure(chart, note, left=style.text_width(ticks) + 40, right=88, top=88)
    fig.add_heatmap(
        x=months,
        y=list(range(len(ticks))),
        z=rows,
        text=[[style.plain(title)] * len(months) for title in titles],
        colorscale=SCALE,
        zmin=-limit,
        zmax=limit,
        zmid=0,
        ygap=1,
        hoverongaps=False,
        hovertemplate="%{text}<br>%{x|%b %Y}: %{z:+.2f}<extra></extra>",
        xperiod="M1",
        xperiodalignment="middle",
        colorbar={
            "title": {"text": style.plain(chart.axis.title), "side": "right", "font": {"size": style.LABEL_SIZE}},
            "tickvals": list(range(-limit, limit + 1)),
            "ticktext": [f"≤ \u2212{limit}", *steps, f"≥ {limit}"],
            "tickfont": {"size": style.TICK_SIZE},
            "ticks": "outside",
            "ticklen": 4,
            "thickness": 14,
            "outlinewidth": 1.5,
            "len": 1,
            "x": 1.01,
        },
    )
    # A blank month shows the background, which must not look like a z-score of zero (white).
    fig.update_layout(plot_bgcolor=style.NEUTRAL, hovermode="closest")
    fig.update_yaxes(tickmode="array", tickvals=list(range(len(ticks))), ticktext=ticks, range=[len(ticks) - 0.5, -0.5])
    style.month_axis(fig, months[0], months[-1])
    return fig
