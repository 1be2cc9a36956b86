"""Lines: series after the steps of the entry, or columns of tables, with named levels and the latest values told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

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
    "of": {"series": ["BAA", "AAA"], "frequency": "M", "steps": ["spread"]},
    "axis": {"title": "Percentage points", "from_zero": True},
    "parameters": {"levels": {"Calm": 1.0}},
    "shade": "recessions",
}

MOST = len(style.COLORWAY)
"""Lines of one chart: as many as there are colours."""

NAME_LENGTH, LEVEL_LENGTH, LINE_HEIGHT = 52, 16, 13
"""Characters of a name in the legend, where six then take two rows, and of a level's; pixels of a line of a label."""


class Parameters(Declaration):
    """What an entry may choose of its lines."""

    levels: dict[str, float] = Field(default_factory=dict, description="Horizontal lines by name, as {Threshold: 0.5}")
    by: Slug | None = Field(default=None, description="Of a table: the column whose texts have a line each")
    lines: dict[str, str] = Field(default_factory=dict, description="Texts of it that are drawn: title by text")


class Line(NamedTuple):
    """What is drawn as one line: its name, and the value of each date."""

    name: str
    values: dict[date, float | None]


def check(chart: Chart, columns: Mapping[str, Sequence[Column]]) -> Iterator[str]:
    """More lines than there are colours, and tables without dates."""
    if chart.parameters.get("by") or chart.parameters.get("lines"):
        yield from _by_text(chart, columns)
        return
    count = len(chart.of.series)
    for table, found in columns.items():
        if "observation_date" not in (c.name for c in found):
            yield f"of.tables: {table} has no observation_date, over which lines run"
        count += len(chart.of.columns or [c for c in found if c.dtype in ("int", "float")])
    if count > MOST:
        yield f"of: expected at most {MOST} lines, got {count}; name some in 'columns', or draw a heatmap"


def _by_text(chart: Chart, columns: Mapping[str, Sequence[Column]]) -> Iterator[str]:
    """A table that cannot be drawn by the texts of a column."""
    if len(columns) != 1 or len(chart.of.columns) != 1:
        yield "parameters.by: expected one table and one of its 'columns', whose lines are told apart by it"
        return
    ((table, found),) = columns.items()
    types = {c.name: c.dtype for c in found}
    if "observation_date" not in types:
        yield f"of.tables: {table} has no observation_date, over which lines run"
    if types.get(by := str(chart.parameters.get("by"))) != "str":
        yield f"parameters.by: expected a column of texts of {table}, got {by}"
    told = chart.parameters.get("lines")
    if not 0 < (count := len(told) if isinstance(told, dict) else 0) <= MOST:
        yield f"parameters.lines: expected one to {MOST} texts of {by} with their titles, got {count}"


def figure(chart: Chart, frames: Mapping[str, pl.DataFrame], labels: Labels, parameters: Parameters) -> go.Figure:
    """A line per series or column, in the colours of the house, each with its latest value beside it.

    Parameters
    ----------
    chart
        A line that is alone has the chart's title; of several, each has that of its series or column in a legend.
        A line breaks where a month, quarter or year that others have is missing.
    frames
        The series after their steps (`series_id`, `observation_date`, `value`), or tables with an `observation_date`
        that no two rows share.

    Raises
    ------
    ValueError
        When there is nothing to draw, there are more lines than colours, or a table has two rows of one date.
    """
    lines = _lines(chart, frames, labels, parameters)
    known = [v for line in lines for v in line.values.values() if v is not None]
    if not known:
        raise style.nothing_to_draw(chart, "a value")
    if len(lines) > MOST:
        raise ValueError(f"chart {chart.name!r}: expected at most {MOST} lines, got {len(lines)}")
    first = min(min(line.values) for line in lines)
    last = max(style.last_month(line.values) for line in lines)
    told = f",.{style.decimals(known)}f"

    ends = [_end(line, color, told, len(lines) == 1) for line, color in zip(lines, style.COLORWAY, strict=False)]
    ends += [_Label(v, style.wrapped(name, LEVEL_LENGTH, 2, f" {v:g}"), style.GREY) for name, v in _sorted(parameters)]
    right = max(72, style.text_width(label.text.replace("<b>", "") for label in ends) + 16)
    top = 88 if len(lines) == 1 else 112
    fig = style.house_figure(chart, style.data_note(chart, list(frames.values()), labels), right=right, top=top)

    low, high = min(known), max(known)
    for name, value in _sorted(parameters):
        _level(fig, name, value, first, last)
        low, high = min(low, value), max(high, value)
    for line, color in zip(lines, style.COLORWAY, strict=False):
        _draw(fig, line, color, told)
    if chart.axis.from_zero:
        low, high = min(low, 0.0), max(high, 0.0)
    _beside(fig, ends, low, high)
    fig.update_layout(showlegend=len(lines) > 1)
    fig.update_yaxes(title_text=style.plain(chart.axis.title))
    if chart.axis.from_zero:
        fig.update_yaxes(rangemode="tozero")
    if low < 0 < high:
        fig.update_yaxes(zeroline=True, zerolinecolor=style.INK, zerolinewidth=1)
    style.month_axis(fig, first, last)
    if chart.shade == "recessions":
        style.shade_recessions(fig, labels.recessions, first, last)
    return fig


# --- what is drawn -------------------------------------------------------------------------------------------------


def _lines(chart: Chart, frames: Mapping[str, pl.DataFrame], labels: Labels, parameters: Parameters) -> list[Line]:
    of_tables = _of_texts(chart, frames, parameters) if parameters.by else _of_tables(chart, frames)
    found = [*_of_series(chart, frames, labels), *of_tables]
    drawn = [line for line in found if any(v is not None for v in line.values.values())]
    return [Line(style.plain(chart.title), drawn[0].values)] if len(drawn) == 1 else drawn


def _of_series(chart: Chart, frames: Mapping[str, pl.DataFrame], labels: Labels) -> Iterable[Line]:
    for s in chart.of.series:
        own = frames[OBSERVATIONS].filter(pl.col("series_id") == s)
        yield _line(chart, labels.titles.get(s, s), own, "value", s)


def _of_tables(chart: Chart, frames: Mapping[str, pl.DataFrame]) -> Iterable[Line]:
    for table in chart.of.tables:
        frame = frames[table]
        numbers = [c for c, dtype in frame.schema.items() if dtype.is_numeric()]
        for column in chart.of.columns or numbers:
            name = column if len(chart.of.tables) == 1 else table.partition("/")[2]
            yield _line(chart, style.readable(name), frame, column, table)


def _of_texts(chart: Chart, frames: Mapping[str, pl.DataFrame], parameters: Parameters) -> Iterable[Line]:
    (table,), (column,) = chart.of.tables, chart.of.columns
    for text, title in parameters.lines.items():
        own = frames[table].filter(pl.col(str(parameters.by)) == text)
        yield _line(chart, title, own, column, f"{table}, {text}")


def _line(chart: Chart, name: str, frame: pl.DataFrame, column: str, where: str) -> Line:
    """The values of a column from the first to the last that is known, on the calendar of their dates."""
    own = frame.select("observation_date", pl.col(column).cast(pl.Float64)).drop_nulls()
    if chart.first_date:
        own = own.filter(pl.col("observation_date") >= chart.first_date)
    if own["observation_date"].is_duplicated().any():
        raise ValueError(
            f"chart {chart.name!r}: a line of {where} has two values on one date. Expected one row per "
            "observation_date; draw a table of parts with 'draws: stacked'"
        )
    values = dict(own.iter_rows())
    return Line(style.wrapped(name, NAME_LENGTH, 1), {day: values.get(day) for day in style.calendar(values)[0]})


def _sorted(parameters: Parameters) -> list[tuple[str, float]]:
    return sorted(parameters.levels.items(), key=lambda level: level[1])


# --- how it is drawn -----------------------------------------------------------------------------------------------


def _draw(fig: go.Figure, line: Line, color: str, told: str) -> None:
    alone = sum(v is not None for v in line.values.values()) == 1
    fig.add_scatter(
        x=list(line.values),
        y=list(line.values.values()),
        name=line.name,
        mode="markers" if alone else "lines",
        line={"color": color, "width": 1.8},
        marker={"color": color},
        hovertemplate=f"%{{y:{told}}}",
        connectgaps=False,
        **style.calendar(line.values)[1],
    )


def _level(fig: go.Figure, name: str, value: float, first: date, last: date) -> None:
    fig.add_scatter(
        x=[first.replace(day=1), style.next_month(last)], y=[value, value], name=style.plain(name), mode="lines",
        line={"color": style.GREY, "width": 1.2, "dash": "dash"}, hoverinfo="skip", showlegend=False,
    )  # fmt: skip


class _Label(NamedTuple):
    """Words beside the plot, at a value."""

    value: float
    text: str
    color: str


def _end(line: Line, color: str, told: str, alone: bool) -> _Label:
    day, value = max((d, v) for d, v in line.values.items() if v is not None)
    number = f"<b>{value:{told}}</b>".replace("-", "\u2212")
    return _Label(value, f"{number}<br>{style.period_name(day, line.values)}" if alone else number, color)


def _beside(fig: go.Figure, ends: Sequence[_Label], low: float, high: float) -> None:
    """Labels right of the plot at their values, or as near as they can be without covering each other."""
    margin = fig.layout.margin
    pixels = 0.9 * (style.HEIGHT - margin.t - margin.b) / ((high - low) or 1.0)
    at = [pixels * (label.value - low) for label in ends]
    places = style.apart(at, [LINE_HEIGHT * (1 + label.text.count("<br>")) for label in ends])
    for label, wanted, place in zip(ends, at, places, strict=True):
        fig.add_annotation(
            x=1, xref="paper", xanchor="left", xshift=4, y=label.value, yshift=round(place - wanted), text=label.text,
            align="left", showarrow=False, font={"color": label.color, "size": style.TICK_SIZE},
        )  # fmt: skip
