"""The house style: one size, one palette, one place for title, footnote and watermark, one way to shade recessions.

Belongs here: what more than one chart needs to look like a chart of this house, and the cleaning of text before it goes
into a figure. Does not belong here: anything about the data of one chart. Plotly is imported inside functions.
"""

from __future__ import annotations

import math
import textwrap
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import polars as pl

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from macro_assets.catalog import Chart, Recession
    from macro_assets.charts.labels import Labels

WIDTH, HEIGHT = 1152, 672
"""Size in pixels: 12 x 7 inches at 96 dots per inch."""

PRIMARY, SECONDARY, HIGHLIGHT, EMPHASIS = "#0089D1", "#FF4500", "#00BFFF", "#FF00FF"
NEUTRAL, POSITIVE, NEGATIVE = "#D3D3D3", "#00FF7F", "#FF3333"
INK, GREY, PAPER = "#1A1A1A", "#6B6B6B", "#FFFFFF"
COLORWAY = (PRIMARY, SECONDARY, HIGHLIGHT, EMPHASIS, POSITIVE, NEGATIVE)

FONT = "Arial, Helvetica, Liberation Sans, sans-serif"
TICK_SIZE, LABEL_SIZE, NOTE_SIZE = 10, 12, 10
EDGE = 24
"""Pixels from the border of the image to title, footnote and watermark."""

NOTE_WIDTH, NOTE_LINES = 165, 3
SERIES_NAMED = 8
"""A footnote names series one by one up to this many; beyond, it counts them."""


# --- text ----------------------------------------------------------------------------------------------------------


def plain(text: object) -> str:
    r"""Text that Plotly shows as it is: no pseudo-HTML, no MathJax, no control characters.

    Plotly reads `<...>` as markup (with links) and `$...$` as TeX, which can carry `\href{javascript:...}`. Names from
    the catalog or the data pass through here before our own markup is added.
    """
    kept = (" " if unicodedata.category(c) in ("Cc", "Cs") else c for c in str(text) if c not in "<>$")
    return " ".join("".join(kept).split())


def wrapped(text: object, width: int, lines: int, ending: str = "") -> str:
    """Plain text on at most `lines` lines of `width` characters, joined by `<br>`; what does not fit is cut.

    Titles of series often differ in their last words only, so a label gets a second line before it is cut.

    Parameters
    ----------
    ending
        Plain text that is never cut: words of `text` give way to it, with an ellipsis in their place.
    """
    words, cut = plain(text).split(), ""
    while True:
        parts = textwrap.wrap(f"{' '.join(words)}{cut}{ending}", width, break_on_hyphens=False)
        if len(parts) <= lines or not words:
            return "<br>".join(parts[:lines])
        if len(words) == 1 and len(words[0]) > 1:
            words, cut = [words[0][:-1]], "…"
        else:
            words, cut = words[:-1], "…"


def text_width(texts: Iterable[str], size: int = TICK_SIZE) -> int:
    """Pixels that the longest line of the texts takes, at most: 0.5 em is a wide average for a sans-serif."""
    return round(0.5 * size * max((len(line) for t in texts for line in t.split("<br>")), default=0))


def readable(name: str) -> str:
    """'Equity drawdown' of 'equity_drawdown': for what has a name and no title."""
    words = plain(name.replace("_", " "))
    return words[:1].upper() + words[1:]


def decimals(values: Iterable[float]) -> int:
    """Decimals with which numbers of this size are told: two below a hundred, none from a thousand on."""
    largest = max(map(abs, values), default=0.0)
    return 2 if largest < 100 else 1 if largest < 1000 else 0


def apart(at: Sequence[float], room: Sequence[float]) -> list[float]:
    """Places near those wanted in which things that take some room do not cover each other, in the same order.

    Those that would meet are moved as a group, around the mean of what each wanted.
    """
    order = sorted(range(len(at)), key=lambda i: at[i])
    groups: list[list[int]] = []
    for i in order:
        groups.append([i])
        while len(groups) > 1 and _lowest(groups[-1], at, room) < _highest(groups[-2], at, room):
            groups[-2:] = [[*groups[-2], *groups[-1]]]
    places = list(at)
    for group in groups:
        edge = _lowest(group, at, room)
        for i in group:
            places[i], edge = edge + room[i] / 2, edge + room[i]
    return places


def _lowest(group: Sequence[int], at: Sequence[float], room: Sequence[float]) -> float:
    return (sum(at[i] for i in group) / len(group)) - sum(room[i] for i in group) / 2


def _highest(group: Sequence[int], at: Sequence[float], room: Sequence[float]) -> float:
    return _lowest(group, at, room) + sum(room[i] for i in group)


def signed(value: float) -> str:
    """'+0.12', or with the minus sign (U+2212) that Plotly's axes use."""
    return f"{value:+.2f}".replace("-", "\u2212")


def quarter(day: date) -> str:
    """'2016 Q3'."""
    return f"{day.year} Q{(day.month + 2) // 3}"


def data_note(chart: Chart, drawn: Sequence[pl.DataFrame], labels: Labels) -> str:
    """The footnote of a chart: who makes its figures, in which other unit, how far they reach, what is shaded.

    Parameters
    ----------
    chart
        Says whether recessions are shaded.
    drawn
        The tables the chart draws, or for a chart of series these after its steps.
    labels
        Series and sources, and what :func:`macro_assets.charts.drawing.as_served` found.

    Returns
    -------
    str
        One line of plain text, safe in a figure; HTML must still escape it.
    """
    sentences = [
        _sources(labels),
        f"Series: {_named(labels.series)}" if labels.series else "",
        f"Units: {', '.join(f'{s} in {unit}' for s, unit in labels.restated.items())}" if labels.restated else "",
        _reach(drawn),
        _shaded(labels) if chart.shade == "recessions" else "",
    ]
    return plain(" ".join(f"{s.rstrip('.')}." for s in sentences if s))


def _sources(labels: Labels) -> str:
    """Who makes the figures, by who passed them on: the agency, not the data base that it was read from."""
    by_via: dict[str, dict[str, list[str]]] = {}
    for provider, own in labels.served.items():
        via = labels.via.get(provider, "")
        makers = by_via.setdefault(via, {})
        if via and not own:  # a table names who served its figures, not which
            for maker in dict.fromkeys(labels.publishers.values()):
                makers.setdefault(maker, [])
        elif not own:
            makers.setdefault(labels.sources.get(provider, provider), [])
        for series in own:
            maker = labels.publishers.get(series, via) if via else labels.sources.get(provider, provider)
            makers.setdefault(maker, []).append(series)
    several = sum(map(len, by_via.values())) > 1
    parts = [_of_makers(via, makers, several) for via, makers in by_via.items()]
    return f"Source{'s' if several else ''}: {'; '.join(parts)}" if parts else ""


def _of_makers(via: str, makers: Mapping[str, Sequence[str]], several: bool) -> str:
    named = (f"{m.rstrip('.')} ({_named(own)})" if several and own else m.rstrip(".") for m, own in makers.items())
    return ", ".join([*named, f"via {via}"]) if via and set(makers) != {via} else "; ".join(named)


def _named(series: Sequence[str]) -> str:
    return ", ".join(series) if len(series) <= SERIES_NAMED else str(len(series))


def _shaded(labels: Labels) -> str:
    """Which recessions are shaded; where the figure is of a past instant, by when they had been announced."""
    by = f" and announced by {labels.announced_by}" if labels.announced_by else ""
    is_open = any(r.trough is None for r in labels.recessions)
    return f"Shaded: recessions dated by the NBER{by}{', the end of the last not yet announced' if is_open else ''}"


def _reach(drawn: Sequence[pl.DataFrame]) -> str:
    for table in drawn:
        if "as_of" in table.columns and isinstance(moment := table["as_of"].max(), datetime):
            release = table["latest_release"].max() if "latest_release" in table.columns else None
            latest = f", latest release {release:%Y-%m-%d}" if isinstance(release, datetime) else ""
            return f"As of {moment:%Y-%m-%d}{latest}"
    dated = (t["observation_date"].max() for t in drawn if "observation_date" in t.columns)
    last = max((d for d in dated if isinstance(d, date)), default=None)
    return f"Data to {last:%B %Y}" if last else ""


# --- figure --------------------------------------------------------------------------------------------------------


def template() -> go.layout.Template:
    """The Plotly template 'macro_assets': no gridlines, four spines, ticks outside, the palette of the house.

    It is registered with Plotly under that name, so a notebook can say `template="macro_assets"`.
    """
    import plotly.graph_objects as go
    import plotly.io as pio

    axis = {
        "showgrid": False,
        "zeroline": False,
        "showline": True,
        "mirror": True,
        "linewidth": 1.5,
        "linecolor": INK,
        "ticks": "outside",
        "tickwidth": 1.5,
        "ticklen": 6,
        "tickcolor": INK,
        "tickfont": {"size": TICK_SIZE},
        "title": {"font": {"size": LABEL_SIZE}, "standoff": 8},
    }
    house = go.layout.Template(
        layout={
            "width": WIDTH,
            "height": HEIGHT,
            "font": {"family": FONT, "size": TICK_SIZE, "color": INK},
            "paper_bgcolor": PAPER,
            "plot_bgcolor": PAPER,
            "colorway": COLORWAY,
            "xaxis": axis,
            "yaxis": axis,
            "hovermode": "x unified",
            "legend": {"orientation": "h", "font": {"size": 11}, "bgcolor": "rgba(0,0,0,0)"},
        }
    )
    pio.templates["macro_assets"] = house
    return house


def house_figure(chart: Chart, note: str, left: int = 72, right: int = 40, top: int = 112) -> go.Figure:
    """An empty figure with everything that is the same on every chart.

    Parameters
    ----------
    chart
        Gives title and subtitle.
    note
        The footnote (:func:`data_note`), wrapped to three lines at most.
    left, right, top
        Margins around the plot, in pixels; they are fixed, so labels must fit.

    Returns
    -------
    Figure
        Title and subtitle top left, a horizontal legend between them and the plot, footnote bottom left, watermark
        bottom right.
    """
    import plotly.graph_objects as go

    lines = textwrap.wrap(plain(note), NOTE_WIDTH, max_lines=NOTE_LINES, placeholder=" …")
    bottom = 64 + 13 * max(1, len(lines))
    foot = {"xref": "paper", "yref": "paper", "y": 0, "yanchor": "bottom", "yshift": 12 - bottom, "showarrow": False}
    small = {"size": NOTE_SIZE, "color": GREY}
    return go.Figure(
        layout={
            "template": template(),
            "width": WIDTH,
            "height": HEIGHT,
            "margin": {"l": left, "r": right, "t": top, "b": bottom, "pad": 0, "autoexpand": False},
            "title": {
                "text": f"<b>{plain(chart.title)}</b>",
                "font": {"size": 20},
                "subtitle": {"text": plain(chart.subtitle), "font": {"size": 13, "color": GREY}},
                "xref": "container",
                "x": EDGE / WIDTH,
                "xanchor": "left",
                "yref": "container",
                "y": 1 - 34 / HEIGHT,
                "yanchor": "bottom",
            },
            "legend": {"x": 0, "xanchor": "left", "y": 1, "yanchor": "bottom", "yref": "paper"},
            "annotations": [
                {**foot, "text": "<br>".join(lines), "font": small, "x": 0, "xanchor": "left", "xshift": EDGE - left}
                | {"align": "left", "name": "data_note"},
                {**foot, "text": "macro_assets", "font": {"size": 12, "color": PRIMARY}, "opacity": 0.7, "x": 1}
                | {"xanchor": "right", "xshift": right - EDGE, "name": "watermark"},
            ],
        }
    )


# --- time ----------------------------------------------------------------------------------------------------------


def next_month(month: date) -> date:
    """First day of the month after."""
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def months(first: date, last: date) -> list[date]:
    """First days of the months from `first` to `last`, both included."""
    return pl.date_range(first.replace(day=1), last.replace(day=1), "1mo", eager=True).to_list()


def month_axis(fig: go.Figure, first: date, last: date) -> None:
    """Let the time axis run from the start of the month `first` to the end of the month `last`."""
    fig.update_xaxes(type="date", range=[first.replace(day=1), next_month(last)])


def calendar(dates: Iterable[date]) -> tuple[list[date], dict[str, Any]]:
    """The dates on which something is drawn, and the trace settings that go with them.

    First days of months are periods of as many months as their distances have in common: none is skipped, so that a
    line breaks where one has no value, and a point or bar is centred on the period it describes, not on its first day.
    Other dates stand as they are.
    """
    found, count = sorted(set(dates)), _months_apart(dates)
    if count is None:
        return found, {"xhoverformat": _FORMATS[None]}
    look = {"xperiod": f"M{count}", "xperiodalignment": "middle", "xhoverformat": _FORMATS.get(count, _FORMATS[1])}
    return months(found[0], found[-1])[::count], look


def period_name(day: date, dates: Iterable[date]) -> str:
    """How a date among others of its kind is told: 'Jun 2016', '2016 Q2', '2016', '30 Jun 2016'."""
    count = _months_apart(dates)
    return quarter(day) if count == 3 else f"{day:{_FORMATS.get(count, _FORMATS[1])}}"


def last_month(dates: Iterable[date]) -> date:
    """First day of the month in which the last of some dates ends: of '2016 Q2' among quarters, June."""
    last, count = max(dates), _months_apart(dates) or 1
    month = 12 * last.year + last.month + min(count, 12) - 2
    return date(month // 12, month % 12 + 1, 1)


_FORMATS = {None: "%d %b %Y", 1: "%b %Y", 3: "%Y Q%q", 12: "%Y"}


def _months_apart(dates: Iterable[date]) -> int | None:
    """Months that the distances of first days of months have in common; None of other days, or of none."""
    found = sorted(set(dates))
    if not found or any(d.day != 1 for d in found):
        return None
    first = found[0]
    return math.gcd(*(12 * (d.year - first.year) + d.month - first.month for d in found)) or 1


def recession_spans(recessions: Iterable[Recession], first: date, last: date) -> list[tuple[date, date]]:
    """Shaded spans [start, end) of the contractions that touch the months `first` to `last`.

    A contraction is shaded from the month after the peak to the end of the trough month: the months in which FRED's
    USREC is 1 (https://fred.stlouisfed.org/series/USREC, "from the period following the peak through the trough").
    Peak 2007-12 and trough 2009-06 give 2008-01-01 to 2009-07-01. One whose trough is not announced has no end.

    Parameters
    ----------
    recessions
        Months of peak and trough.
    first, last
        First and last month drawn; spans are clipped to them, the whole of the last month included.
    """
    low, high = first.replace(day=1), next_month(last)
    ends = ((next_month(r.peak), next_month(r.trough) if r.trough else high) for r in recessions)
    clipped = ((max(low, start), min(high, end)) for start, end in ends)
    return [(start, end) for start, end in clipped if start < end]


def shade_recessions(fig: go.Figure, recessions: Iterable[Recession], first: date, last: date) -> None:
    """Add a grey band behind the plot for each span of :func:`recession_spans`."""
    band = {"type": "rect", "xref": "x", "yref": "paper", "y0": 0, "y1": 1, "layer": "below"}
    look = {"fillcolor": NEUTRAL, "opacity": 0.6, "line": {"width": 0}, "name": "recession"}
    spans = recession_spans(recessions, first, last)
    fig.update_layout(shapes=[*fig.layout.shapes, *({**band, **look, "x0": a, "x1": b} for a, b in spans)])


class NothingToDrawError(ValueError):
    """A table, or observations, without anything for the chart."""


def nothing_to_draw(chart: Chart, expected: str) -> NothingToDrawError:
    """The error for a chart without anything to draw: what was expected, and where."""
    where = chart.of.tables[0] if chart.of.tables else f"observations of {', '.join(chart.of.series)}"
    if chart.of.steps:
        expected = f"{expected} after {', '.join(step.name for step in chart.of.steps)}"
    if chart.first_date:
        expected = f"{expected} from {chart.first_date} on"
    return NothingToDrawError(
        f"chart {chart.name!r}: nothing to draw in {where}: expected {expected}, found none. "
        "Materialize what it draws with data first."
    )
