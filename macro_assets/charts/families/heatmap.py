"""A heatmap around zero, as of z-scores: a row per series, or per name in a table, and a column per month."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

import polars as pl
from pydantic import Field

from macro_assets.catalog import Chart, Column
from macro_assets.catalog.kinds.declaration import Declaration, Slug
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
    row: Slug | None = Field(default=None, description="Of a table: the column that names the rows")
    rows: dict[str, str] = Field(
        default_factory=dict, description="Its names that are drawn, with titles, from the top"
    )


def check(chart: Chart, columns: Mapping[str, Sequence[Column]]) -> Iterator[str]:
    """More than one table or value, a table whose rows have no name, and shading, as cells hide it."""
    if columns:
        yield from _of_table(chart, columns)
    elif named := [p for p in ("row", "rows") if chart.parameters.get(p)]:
        yield f"parameters.{named[0]}: is of a table; series are the rows of a heatmap by themselves"
    if chart.shade:
        yield f"shade: a heatmap has nothing shaded, got {chart.shade!r}"


def _of_table(chart: Chart, columns: Mapping[str, Sequence[Column]]) -> Iterator[str]:
    if len(columns) > 1:
        yield f"of.tables: expected series or one table, got {', '.join(columns)}"
        return
    ((table, found),) = columns.items()
    types = {c.name: c.dtype for c in found}
    if "observation_date" not in types:
        yield f"of.tables: {table} has no observation_date, over which the cells run"
    if len(chart.of.columns) != 1 or types.get(chart.of.columns[0], "float") not in ("int", "float"):
        yield f"of.columns: expected one column of numbers of {table}, got {', '.join(chart.of.columns) or 'none'}"
    if types.get(row := str(chart.parameters.get("row"))) != "str":
        yield f"parameters.row: expected the column of texts of {table} that names the rows, got {row}"


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
        `chart.of.series` are the rows, from the top, or those that `parameters.rows` names, else all of the table by
        name; `chart.first_date` is the first month.
    frames
        The series after their steps: `series_id`, `observation_date`, `value`; or a table, one row per name and date.

    Raises
    ------
    ValueError
        When no row of the chart has a value from the first date on, or a table has two of one name and date.
    """
    limit, values = parameters.limit, _values(chart, frames, parameters)
    drawn = chart.of.series or tuple(parameters.rows) or tuple(values["series_id"].unique().sort())
    months, rows = grid(values, drawn, chart.first_date)
    if not months:
        raise style.nothing_to_draw(chart, "a value of one of them")
    known = parameters.rows | {n: style.readable(n) for n in drawn if n not in parameters.rows}
    titles = [labels.titles.get(n, n) if chart.of.series else known[n] for n in drawn]
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


def _values(chart: Chart, frames: Mapping[str, pl.DataFrame], parameters: Parameters) -> pl.DataFrame:
    """`series_id`, `observation_date`, `value`: of series as they are, of a table by the names of its rows."""
    if chart.of.series:
        return frames[OBSERVATIONS]
    (table,), (column,) = chart.of.tables, chart.of.columns
    values = frames[table].select("observation_date", series_id=pl.col(str(parameters.row)), value=pl.col(column))
    if values.select("observation_date", "series_id").is_duplicated().any():
        raise ValueError(f"chart {chart.name!r}: {table} has two rows of one {parameters.row} and date; expected one")
    if parameters.rows:
        values = values.filter(pl.col("series_id").is_in(list(parameters.rows)))
    return values
