"""A nowcast by quarter at the latest two as-of dates, and the releases that moved it between them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import accumulate
from typing import TYPE_CHECKING

import polars as pl

from macro_assets.catalog import Chart, Column
from macro_assets.catalog.kinds.declaration import Declaration
from macro_assets.catalog.periods import previous_month
from macro_assets.charts import style
from macro_assets.charts.drawing import PROVIDERS
from macro_assets.charts.labels import Labels

if TYPE_CHECKING:
    import plotly.graph_objects as go

READS = ("titles", "frequencies")

EXAMPLE = {
    "of": {"tables": ["forecasts/gdp_nowcast", "news/gdp_nowcast"]},
    "axis": {"title": "Percent, annual rate"},
}

FORECASTS = (
    *("as_of_month", "as_of", "series_id", "target_date", "statistic", "value", "scenario", "is_released"),
    PROVIDERS,
)
NEWS = (
    *("as_of_month", "previous_as_of", "target_id", "target_date", "effect", "series_id", "observation_date"),
    *("impact", "impact_unit"),
)
"""Columns that are read."""

RELEASES_NAMED = 12
LABEL_LENGTH = 50
TOLERANCE = 1e-6
"""By how much two forecasts and the impacts between them may disagree: rounding, no more."""

LEFT, RIGHT = (0.0, 0.34), (0.62, 1.0)


class Parameters(Declaration):
    """Nothing: the chart is of one model's forecasts and news."""


def check(chart: Chart, columns: Mapping[str, Sequence[Column]]) -> Iterator[str]:
    """What is not a table of forecasts and one of news, and shading, as quarters stand apart."""
    if len(columns) != 2:
        yield f"of.tables: expected two, a model's forecasts and its news, got {len(columns)}"
    for (table, found), expected in zip(columns.items(), (FORECASTS, NEWS), strict=False):
        if missing := set(expected) - {c.name for c in found}:
            yield f"of.tables: {table} lacks {', '.join(sorted(missing))}: expected forecasts/<model>, news/<model>"
    if chart.shade:
        yield f"shade: a nowcast has nothing shaded, got {chart.shade!r}"


@dataclass(frozen=True)
class Step:
    """One reason the nowcast moved, and by how much, in the unit of the impacts."""

    label: str
    impact: float
    period: str = ""


@dataclass(frozen=True)
class Move:
    """How the nowcast of one quarter got from one as-of instant to the next."""

    target_date: date
    before: datetime
    after: datetime
    previous: float
    steps: tuple[Step, ...]
    current: float
    unit: str


def steps_of(news: pl.DataFrame, labels: Labels, named: int = RELEASES_NAMED) -> tuple[Step, ...]:
    """The impacts on one target quarter, summed up: the largest releases one by one, the others together.

    Parameters
    ----------
    news
        Rows of one as-of month and target: `effect`, `series_id`, `observation_date`, `impact`.
    named
        Releases that get a step of their own, those with the largest absolute impact.

    Returns
    -------
    tuple of Step
        Releases by falling absolute impact, then 'Other releases', 'Revisions', 'Re-estimation' where there are any.

    Raises
    ------
    ValueError
        When the steps do not add up to the sum of `impact`: a row with an unknown effect, or without an impact.
    """
    releases = (
        news.filter(pl.col("effect") == "news")
        .group_by("series_id", "observation_date")
        .agg(pl.col("impact").sum())
        .sort(pl.col("impact").abs(), "series_id", "observation_date", descending=[True, False, False])
    )
    steps = [
        Step(*_release(series, impact, period, labels))
        for series, period, impact in releases.head(named).select("series_id", "observation_date", "impact").rows()
    ]
    if releases.height > named:
        rest = float(releases.slice(named)["impact"].sum())
        steps.append(Step(f"Other releases ({releases.height - named})", rest))
    for effect, label in (("revision", "Revisions of earlier figures"), ("reestimation", "Re-estimation")):
        rows = news.filter(pl.col("effect") == effect)
        if not rows.is_empty():
            steps.append(Step(label, float(rows["impact"].sum())))
    parts, total = sum(s.impact for s in steps), float(news["impact"].sum())
    if news["impact"].null_count() or not math.isclose(parts, total, abs_tol=TOLERANCE):
        raise ValueError(
            f"the parts of the nowcast's news add up to {parts:+.6f}, the impacts to {total:+.6f}. Expected "
            f"effects 'news', 'revision' and 'reestimation', each with an impact; got {sorted(set(news['effect']))} "
            f"with {news['impact'].null_count()} missing impacts"
        )
    return tuple(steps)


def _release(series_id: str, impact: float, period: date, labels: Labels) -> tuple[str, float, str]:
    quarterly = labels.frequencies.get(series_id) == "Q"
    return labels.titles.get(series_id, series_id), impact, style.quarter(period) if quarterly else f"{period:%b %Y}"


def _label(step: Step) -> str:
    ending = ", " + step.period.replace(" ", "\u00a0") if step.period else ""
    return style.wrapped(step.label, LABEL_LENGTH, 2, ending)


def move(forecasts: pl.DataFrame, news: pl.DataFrame, labels: Labels) -> Move | None:
    """What moved the nowcast at the latest as-of, of its current quarter or else of the last quarter with news.

    Parameters
    ----------
    forecasts
        Any number of as-of months: `as_of_month`, `as_of`, `target_date`, `mean`.
    news
        The table of the model's news.

    Returns
    -------
    Move or None
        None when the latest as-of month has no news rows: there was nothing earlier to compare with, or the figures
        then were of other holders.

    Raises
    ------
    ValueError
        When the impacts do not lead from the previous forecast to the current one.
    """
    latest = forecasts.filter(pl.col("as_of_month") == forecasts["as_of_month"].max())
    own = news.filter(pl.col("as_of_month") == latest["as_of_month"][0])
    if own.is_empty():
        return None
    as_of = latest["as_of"][0]
    current_quarter = date(as_of.year, as_of.month - (as_of.month - 1) % 3, 1)
    known = set(own["target_date"])
    target = current_quarter if current_quarter in known else max(known)
    own = own.filter(pl.col("target_date") == target).sort("effect", "series_id", "observation_date", "impact")
    before = own["previous_as_of"][0]

    steps = steps_of(own, labels)
    change = sum(s.impact for s in steps)
    current = _forecast(forecasts, as_of, target)
    if current is None:
        raise ValueError(f"the nowcast as of {as_of:%Y-%m-%d} has news of {style.quarter(target)}, but no forecast")
    previous = _forecast(forecasts, before, target)
    if previous is None:  # the as-of before was not run, or its horizon ended earlier
        previous = current - change
    if not math.isclose(previous + change, current, abs_tol=TOLERANCE):
        raise ValueError(
            f"the nowcast of {style.quarter(target)} went from {previous:.6f} to {current:.6f} between "
            f"{before:%Y-%m-%d} and {as_of:%Y-%m-%d}, by {current - previous:+.6f}, but its news add up to "
            f"{change:+.6f}. Forecasts and news are from different runs: run both as-of months again"
        )
    unit = str(own["impact_unit"].drop_nulls().min() or "").replace("_", " ")
    return Move(target, before, as_of, previous, steps, current, unit)


def _forecast(forecasts: pl.DataFrame, as_of: datetime, target: date) -> float | None:
    found = forecasts.filter((pl.col("as_of") == as_of) & (pl.col("target_date") == target))
    return None if found.is_empty() else float(found["mean"][0])


def by_target(forecasts: pl.DataFrame) -> pl.DataFrame:
    """A row per as-of month, series and target date under no scenario, with `mean`, `q05` and `q95` in columns."""
    key = ["as_of_month", "as_of", "series_id", "target_date"]
    own = forecasts.filter(pl.col("scenario").is_null())
    wide = own.filter(statistic="mean").select(*key, "is_released", mean="value")
    for quantile in ("q05", "q95"):
        one = own.filter(statistic=quantile).select(*key, pl.col("value").alias(quantile))
        wide = wide.join(one, on=key, how="left")
    return wide.drop_nulls("mean").sort("as_of_month", "target_date")


def figure(chart: Chart, frames: Mapping[str, pl.DataFrame], labels: Labels, parameters: Parameters) -> go.Figure:
    """Left the nowcast by target quarter with its 90 % interval, right what moved it.

    Parameters
    ----------
    chart
        `chart.of.tables` are the forecasts and the news, in this order.
    frames
        The two tables. The news may be empty; the right panel then says why. The interval runs from the forecasts'
        `q05` to their `q95`. Of several series, the first by id is drawn.

    Raises
    ------
    ValueError
        When there is no forecast, or the news do not add up (see :func:`move`).
    """
    forecasts, news = by_target(frames[chart.of.tables[0]]), frames[chart.of.tables[1]]
    if forecasts.is_empty():
        raise style.nothing_to_draw(chart, "a mean forecast of a quarter")
    forecasts = forecasts.filter(pl.col("series_id") == forecasts["series_id"].min())
    news = news.filter(pl.col("target_id") == forecasts["series_id"][0])
    found = move(forecasts, news, labels)

    fig = style.house_figure(chart, style.data_note(chart, list(frames.values()), labels), right=48, top=136)
    fig.update_layout(
        hovermode="closest",
        xaxis={"domain": LEFT},
        yaxis={"anchor": "x", "title_text": style.plain(chart.axis.title)},
        xaxis2={"domain": RIGHT, "anchor": "y2"},
        yaxis2={"anchor": "x2"},
        legend={"y": 1.055},
    )
    known = forecasts.filter(~pl.col("is_released")).drop_nulls(["q05", "q95"])
    _heading(fig, LEFT[0], "Nowcast by quarter" if known.is_empty() else "Nowcast by quarter, with its 90 % interval")
    _draw_nowcasts(fig, forecasts)
    if found is None:
        _draw_no_comparison(fig, _why_not(frames[chart.of.tables[0]], labels))
    else:
        _draw_move(fig, found, chart.axis.title)
    return fig


def _heading(fig: go.Figure, x: float, text: str) -> None:
    fig.add_annotation(
        text=f"<b>{text}</b>", x=x, y=1, xref="paper", yref="paper", xanchor="left", yanchor="bottom",
        yshift=6, showarrow=False, font={"size": style.LABEL_SIZE},
    )  # fmt: skip


def _draw_nowcasts(fig: go.Figure, forecasts: pl.DataFrame) -> None:
    months = _months_shown(forecasts)
    shown = forecasts.filter(pl.col("as_of_month").is_in(months)).sort("as_of_month", "target_date")
    quarters = shown["target_date"].unique().sort().to_list()
    shifts = [0.0] if len(months) == 1 else [-0.13, 0.13]
    colors = [style.PRIMARY] if len(months) == 1 else [style.GREY, style.PRIMARY]
    for month, shift, color in zip(months, shifts, colors, strict=True):
        own = shown.filter((pl.col("as_of_month") == month) & ~pl.col("is_released"))
        fig.add_scatter(
            **_points(own, quarters, shift),
            name=f"As of {shown.filter(pl.col('as_of_month') == month)['as_of'][0]:%Y-%m-%d}",
            marker={"color": color, "size": 10, "symbol": "circle"},
            error_y={"array": (own["q95"] - own["mean"]).to_list(), "arrayminus": (own["mean"] - own["q05"]).to_list()}
            | {"symmetric": False, "color": color, "thickness": 1.5, "width": 4},
            textfont={"color": color},
        )
    # A figure released by both dates is one figure unless it was revised, so it stands in the middle, once.
    out = shown.filter(pl.col("is_released")).unique("target_date", keep="last").sort("target_date")
    if not out.is_empty():
        fig.add_scatter(
            **_points(out, quarters, 0.0),
            name="Released",
            marker={"color": style.INK, "size": 11, "symbol": "diamond"},
            textfont={"color": style.INK},
        )
    labels = [style.quarter(q) for q in quarters]
    fig.update_layout(
        xaxis={"tickmode": "array", "tickvals": list(range(len(labels))), "ticktext": labels}
        | {"range": [-0.6, len(labels) - 0.4]}
    )


def _months_shown(forecasts: pl.DataFrame) -> list[str]:
    """The latest as-of month, and the one before it in the table where that forecast one of the same quarters."""
    by_month = dict(forecasts.group_by("as_of_month").agg(pl.col("target_date").unique()).sort("as_of_month").rows())
    before, latest = ([None, *by_month])[-2:]
    return [latest] if before is None or not set(by_month[before]) & set(by_month[latest]) else [before, latest]


def _points(rows: pl.DataFrame, quarters: Sequence[date], shift: float) -> dict[str, object]:
    values = rows["mean"].to_list()
    return {
        "x": [quarters.index(q) + shift for q in rows["target_date"]],
        "y": values,
        "mode": "markers+text",
        "text": [f"{v:.2f}" for v in values],
        "textposition": "middle left" if shift < 0 else "middle right",
        "hovertemplate": "%{y:.2f}",
    }


def _why_not(forecasts: pl.DataFrame, labels: Labels) -> str:
    """Why the latest as-of month has no news, as far as the forecasts say it."""
    by_month = {m: (as_of, who) for m, as_of, who in forecasts.select("as_of_month", "as_of", PROVIDERS).iter_rows()}
    latest = max(by_month)
    after, before = by_month[latest], by_month.get(previous_month(latest))
    if before is None or None in (before[1], after[1]) or before[1] == after[1]:
        return "No earlier as-of with figures of the same holders<br>to compare with"
    told = (
        style.wrapped(f"{as_of:%Y-%m-%d}: {_titles(who, labels)}", LABEL_LENGTH, 3) for as_of, who in (before, after)
    )
    return "<br>".join(["No news, as other holders served the figures.", *told])


def _titles(providers: str, labels: Labels) -> str:
    return "; ".join(labels.sources.get(p, p) for p in providers.split(", "))


def _draw_no_comparison(fig: go.Figure, why: str) -> None:
    fig.add_scatter(x=[None], y=[None], xaxis="x2", yaxis="y2", showlegend=False)
    fig.update_layout(xaxis2={"showticklabels": False, "ticks": ""}, yaxis2={"showticklabels": False, "ticks": ""})
    _heading(fig, RIGHT[0], "What moved the nowcast")
    fig.add_annotation(
        text=why, x=sum(RIGHT) / 2, y=0.5, xanchor="center", xref="paper", yref="paper",
        showarrow=False, font={"size": 14, "color": style.GREY}, name="no_comparison",
    )  # fmt: skip


def _draw_move(fig: go.Figure, moved: Move, axis_title: str) -> None:
    """Bars from each running value to the next; the two forecasts are points, as bars of them would need a zero."""
    panel = {"xaxis": "x2", "yaxis": "y2", "showlegend": False}
    levels = list(accumulate((s.impact for s in moved.steps), initial=moved.previous))
    rows, last = list(range(1, len(moved.steps) + 1)), len(moved.steps) + 1
    fig.add_scatter(
        x=[x for level in levels for x in (level, level, None)],
        y=[y for row in range(last) for y in (row, row + 1, None)],
        mode="lines", hoverinfo="skip", line={"color": style.GREY, "width": 1}, **panel,
    )  # fmt: skip
    fig.add_bar(
        x=[s.impact for s in moved.steps],
        y=rows,
        base=levels[:-1],
        orientation="h",
        width=0.62,
        marker={
            "color": [style.POSITIVE if s.impact >= 0 else style.NEGATIVE for s in moved.steps],
            "line": {"color": style.INK, "width": 0.75},
        },
        text=[style.signed(s.impact) for s in moved.steps],
        textposition="outside",
        textfont={"size": style.TICK_SIZE},
        cliponaxis=False,
        customdata=[style.plain(s.label) for s in moved.steps],
        hovertemplate=f"%{{customdata}}<br>%{{text}} {style.plain(moved.unit)}<extra></extra>",
        **panel,
    )
    fig.add_scatter(
        x=[moved.previous, moved.current],
        y=[0, last],
        mode="markers+text",
        marker={"color": [style.GREY, style.PRIMARY], "size": 12},
        text=[f"<b>{moved.previous:.2f}</b>", f"<b>{moved.current:.2f}</b>"],
        textposition="middle right",
        hovertemplate="%{x:.2f}<extra></extra>",
        **panel,
    )
    labels = [
        f"<b>As of {moved.before:%Y-%m-%d}</b>",
        *map(_label, moved.steps),
        f"<b>As of {moved.after:%Y-%m-%d}</b>",
    ]
    low, high = min(levels), max(levels)
    pad = max(0.18 * (high - low), 0.02)
    fig.update_layout(
        xaxis2={"range": [low - pad, high + pad], "title_text": style.plain(axis_title)},
        yaxis2={"tickmode": "array", "tickvals": list(range(last + 1)), "ticktext": labels}
        | {"range": [last + 0.6, -0.6]},
    )
    _heading(fig, RIGHT[0], f"What moved the nowcast of {style.quarter(moved.target_date)}, {style.plain(moved.unit)}")
