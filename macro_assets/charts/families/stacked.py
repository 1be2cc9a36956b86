"""Stacked bars of the parts of an index, with the index as a line on top.

The contributions are drawn as they are stored; that a date's add up to its index is the promise of what made the table.
Where the components are not those of the date before there is a mark, and a part that was not observed is hatched.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

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

COLUMNS = (
    "observation_date",
    "component",
    "contribution",
    "index_value",
    "component_state",
    "is_composition_changed",
)

OBSERVED = "observed"
CHANGED = "Components changed"


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
        One row per `observation_date` and `component`, with COLUMNS.
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
        name = style.plain(titles.get(component) or style.readable(component))
        fig.add_bar(
            x=axis,
            y=[drawn.get(day) for day in axis],
            marker={"color": color, "line": {"color": color, "width": 0.6}},  # closes hairlines between bars
            **{"name": name, "hovertemplate": "%{y:+.2f}", **_stood_in(own, axis, name)},
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
    if changed := _changed(table, titles):
        fig.add_scatter(
            x=list(changed),
            y=[index[day] for day in changed],
            name=CHANGED,
            mode="markers",
            marker={"symbol": "diamond", "size": 8, "color": style.PAPER, "line": {"color": style.INK, "width": 1.5}},
            customdata=list(changed.values()),
            hovertemplate="%{customdata}",
            **period,
        )
    fig.update_layout(barmode="relative", bargap=0, legend_traceorder="normal")
    fig.update_yaxes(title_text=style.plain(chart.axis.title), zeroline=True, zerolinelayer="above traces")
    fig.update_yaxes(zerolinecolor=style.INK, zerolinewidth=1)
    style.month_axis(fig, first, last)
    if chart.shade == "recessions":
        style.shade_recessions(fig, labels.recessions, first, last)
    return fig


def _stood_in(own: pl.DataFrame, axis: Sequence[date], name: str) -> dict[str, Any]:
    """How the dates of a component are told apart on which it was carried or filled; nothing where it never was."""
    states = dict(
        own.filter(pl.col("component_state") != OBSERVED).select("observation_date", "component_state").rows()
    )
    if not states:
        return {}
    kinds = " or ".join(sorted(set(states.values())))
    return {
        "name": f"{name} (hatched: {kinds})",
        "marker_pattern_shape": ["/" if day in states else "" for day in axis],
        "customdata": [f" {states[day]}" if day in states else "" for day in axis],
        "hovertemplate": "%{y:+.2f}%{customdata}",
    }


def _changed(table: pl.DataFrame, titles: Mapping[str, str]) -> dict[date, str]:
    """The dates on which the components are not those of the date before, with those that came and that left."""
    said: dict[date, str] = {}
    before: set[str] = set()
    for (day,), rows in table.group_by(["observation_date"], maintain_order=True):
        now = set(rows["component"])
        if rows["is_composition_changed"].any():
            moves = (("in", now - before), ("out", before - now))
            told = (
                f"{word}: {', '.join(titles.get(c) or style.readable(c) for c in sorted(m))}" for word, m in moves if m
            )
            said[day] = style.plain("; ".join(told)) or CHANGED
        before = now
    return said
