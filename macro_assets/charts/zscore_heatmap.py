"""A heatmap of z-scores: one row per series, one column per month, a blank where a month has no value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from macro_assets.catalog import Chart
from macro_assets.charts import style
from macro_assets.charts.drawing import OBSERVATIONS
from macro_assets.charts.labels import Labels
from macro_assets.transforms.normalize import transformed, zscores

if TYPE_CHECKING:
    import plotly.graph_objects as go

READS = ("titles", "frequencies", "transforms", "min_history")

LIMIT = 3
"""The colours end at this many standard deviations; values beyond keep their number and take the last colour."""

LABEL_LENGTH = 42
ROWS_WITH_TWO_LINES = 20
"""Labels may take two lines up to this many rows: a row is then at least 24 pixels high."""

SCALE = ((0.0, "#B30000"), (0.25, style.NEGATIVE), (0.5, "#FFFFFF"), (0.75, style.HIGHLIGHT), (1.0, "#00507D"))


def drawn(observations: pl.DataFrame, labels: Labels) -> pl.DataFrame:
    """Z-scores of the chart's series, made stationary: `source`, `series_id`, `observation_date`, `zscore`."""
    return zscores(transformed(observations, labels.facts), labels.facts, labels.min_history)


def grid(
    scores: pl.DataFrame, series: Sequence[str], first: date | None
) -> tuple[list[date], list[list[float | None]]]:
    """Months, and a row of z-scores per series: the last of each month, None where there is none.

    Parameters
    ----------
    scores
        `series_id`, `observation_date`, `zscore`.
    series
        Ids of the rows, in order; one that the table lacks is a row of None.
    first
        First month, or None for the first with a value. The last month is the last with a value of any of the series.
    """
    own = (
        scores.filter(pl.col("series_id").is_in(list(series)))
        .drop_nulls("zscore")
        .with_columns(month=pl.col("observation_date").dt.truncate("1mo"))
        .filter(pl.lit(True) if first is None else pl.col("month") >= first.replace(day=1))
        .sort("observation_date")
    )
    if own.is_empty():
        return [], []
    drawn = own["month"].to_list()
    axis = style.months(first or min(drawn), max(drawn))
    known = {(s, m): z for s, m, z in own.select("series_id", "month", "zscore").iter_rows()}
    return axis, [[known.get((s, month)) for month in axis] for s in series]


def figure(chart: Chart, frames: Mapping[str, pl.DataFrame], labels: Labels) -> go.Figure:
    """The heatmap, rows in the order of `chart.series`, colours centred on zero and ending at 3 standard deviations.

    Parameters
    ----------
    chart
        `chart.series` are the rows, from the top; `chart.first_date` is the first month.
    frames
        The observations of its series.

    Raises
    ------
    ValueError
        When no series of the chart has a value from the first date on.
    """
    scores = drawn(frames[OBSERVATIONS], labels)
    months, rows = grid(scores, chart.series, chart.first_date)
    if not months:
        raise style.nothing_to_draw(chart, f"a z-score of one of its series from {chart.first_date} on")
    titles = [labels.titles[s] for s in chart.series]
    ticks = [style.wrapped(t, LABEL_LENGTH, 2 if len(titles) <= ROWS_WITH_TWO_LINES else 1) for t in titles]

    note = f"{style.data_note(chart, [scores], labels)} Grey: no value."
    fig = style.house_figure(chart, note, left=style.text_width(ticks) + 40, right=88, top=88)
    fig.add_heatmap(
        x=months,
        y=list(range(len(ticks))),
        z=rows,
        text=[[style.plain(title)] * len(months) for title in titles],
        colorscale=SCALE,
        zmin=-LIMIT,
        zmax=LIMIT,
        zmid=0,
        ygap=1,
        hoverongaps=False,
        hovertemplate="%{text}<br>%{x|%b %Y}: %{z:+.2f}<extra></extra>",
        xperiod="M1",
        xperiodalignment="middle",
        colorbar={
            "title": {"text": "z-score", "side": "right", "font": {"size": style.LABEL_SIZE}},
            "tickvals": list(range(-LIMIT, LIMIT + 1)),
            "ticktext": [f"≤ \u2212{LIMIT}", "\u22122", "\u22121", "0", "1", "2", f"≥ {LIMIT}"],
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
