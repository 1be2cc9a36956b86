"""A small SVG drawing of a Plotly figure, for places that show an image but run no script.

Belongs here: our own drawing of the traces that the charts of this room use (lines, markers, error bars, bars,
heatmaps), recession bands and axis labels, from the figure's dict alone; no browser, no image library, no Plotly. Does
not belong here: faithful rendering (the page has Plotly). A preview has fewer than `LIMIT` bytes whatever the figure
holds, because it is stored in an event log: it is drawn with ever less detail until it fits, in the end as a frame.
"""

from __future__ import annotations

import base64
import html
import math
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from macro_assets.charts import style
from macro_assets.charts.axes import Axis, Number, axes_of, bases_of, coordinates, domain, errors_of, number, values_of

LIMIT = 15_000
"""A preview is smaller than this many bytes."""

LABEL_PIXELS = 3.7
"""Width of a letter in a label of 7 pixels."""

Figure = Mapping[str, Any]


@dataclass(frozen=True)
class _Detail:
    """How much is drawn: points per line, bars and heatmap cells over all traces, traces, tick labels per axis."""

    points: int
    bars: int
    cells: int
    traces: int
    labels: int


_DETAILS = (
    _Detail(200, 480, 800, 24, 24),
    _Detail(100, 240, 400, 24, 24),
    _Detail(50, 120, 160, 12, 12),
    _Detail(20, 40, 60, 6, 0),
    _Detail(0, 0, 0, 0, 0),
)


def svg_preview(figure: Figure, title: str, width: int = 480, height: int = 280) -> str:
    """Draw a figure small.

    Parameters
    ----------
    figure
        `fig.to_dict()` or `json.loads(fig.to_json())`; arrays may be lists, NumPy arrays or Plotly's base64 form.
    title
        Headline; escaped, and cut to one line.
    width, height
        Size in pixels.

    Returns
    -------
    str
        A well-formed SVG document of fewer than 15,000 bytes. Traces of unknown types are left out.
    """
    for detail in _DETAILS:
        svg = _draw(figure, title, width, height, detail)
        if len(svg.encode()) < LIMIT:
            return svg
    raise AssertionError("a frame with a cut title is always small")  # pragma: no cover


def markdown_preview(svg: str) -> str:
    """The drawing as a Markdown image with its data inside: `![title](data:image/svg+xml;base64,...)`."""
    found = re.search(r"<title>(.*?)</title>", svg, flags=re.DOTALL)
    title = re.sub(r"[^\w .,:;%+\-/']", " ", html.unescape(found[1]) if found else "")
    encoded = base64.b64encode(svg.encode()).decode()
    return f"![{' '.join(title.split())}](data:image/svg+xml;base64,{encoded})"


# --- drawing -------------------------------------------------------------------------------------------------------

_COLOR = re.compile(r"#[0-9a-fA-F]{3,8}|rgba?\([0-9., %]+\)|[a-zA-Z]{3,20}")


def _color(value: Any, default: str = style.PRIMARY) -> str:
    """The colour if it is one, else the default: nothing else may get into an attribute."""
    return value if isinstance(value, str) and _COLOR.fullmatch(value) else default


def _text(text: Any, length: int) -> str:
    """Text without markup and characters XML forbids, cut and escaped."""
    kept = re.sub(r"<br ?/?>|</?b>", " ", str(text))
    kept = "".join(" " if unicodedata.category(c) in ("Cc", "Cs", "Cn") else c for c in kept[: 20 * length])
    kept = " ".join(kept.split())
    return html.escape(kept if len(kept) <= length else kept[: max(length - 1, 0)].rstrip() + "…")


def _n(value: float) -> str:
    return f"{round(value, 1) + 0.0:g}"  # adding 0.0 turns -0.0 into 0


@dataclass(frozen=True)
class _Panel:
    """A pair of axes and its rectangle in pixels."""

    x: Axis
    y: Axis
    left: float
    top: float
    right: float
    bottom: float

    def px(self, value: float) -> float:
        share = (value - self.x.low) / (self.x.high - self.x.low)
        return self.left + min(max(share, 0.0), 1.0) * (self.right - self.left)

    def py(self, value: float) -> float:
        share = (value - self.y.low) / (self.y.high - self.y.low)
        return self.bottom - min(max(share, 0.0), 1.0) * (self.bottom - self.top)


def _draw(figure: Figure, title: str, width: int, height: int, detail: _Detail) -> str:
    layout = figure.get("layout") or {}
    traces = [t for t in figure.get("data") or () if isinstance(t, Mapping)][: detail.traces]
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for trace in traces:
        groups.setdefault((str(trace.get("xaxis") or "x"), str(trace.get("yaxis") or "y")), []).append(trace)
    axes = {key: axes_of(key, group, layout) for key, group in groups.items()}
    left = max([34.0, *(_label_room(y) for x, y in axes.values() if domain(x)[0] == 0)])
    area = (left, 30.0, width - 10.0, height - 20.0)
    ends = [domain(x)[1] for x, _ in axes.values()]
    drawn = "".join(_panel(axes[k], groups[k], layout, area, detail, ends) for k in groups)
    headline = _text(title, max(10, round(width / 7)))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="Arial,Helvetica,sans-serif" font-size="8" fill="{style.INK}"><title>{headline}</title>'
        f'<rect width="{width}" height="{height}" fill="{style.PAPER}"/>'
        f'<text x="8" y="18" font-size="13" font-weight="bold">{headline}</text>{drawn}</svg>'
    )


def _label_room(axis: Axis) -> float:
    longest = max((len(max(str(t).split("<br>"), key=len)) for _, t in axis.labels()), default=0)
    return min(140.0, 10 + LABEL_PIXELS * longest)


def _panel(
    axes: tuple[Axis, Axis],
    traces: Sequence[Mapping[str, Any]],
    layout: Mapping[str, Any],
    area: tuple[float, float, float, float],
    detail: _Detail,
    ends: Sequence[float],
) -> str:
    x, y = axes
    left, top, right, bottom = area
    (x0, x1), (y0, y1) = domain(x), domain(y)
    across, down = right - left, bottom - top
    panel = _Panel(x, y, left + x0 * across, bottom - y1 * down, left + x1 * across, bottom - y0 * down)
    frame = (
        f'<rect x="{_n(panel.left)}" y="{_n(panel.top)}" width="{_n(panel.right - panel.left)}" '
        f'height="{_n(panel.bottom - panel.top)}" '
    )
    parts = [f'{frame}fill="{_color(layout.get("plot_bgcolor"), style.PAPER)}"/>', _bands(panel, layout)]
    parts += _bars(panel, [t for t in traces if t.get("type") == "bar"], layout, detail)
    for position, trace in enumerate(traces):
        default = style.COLORWAY[position % len(style.COLORWAY)]
        if trace.get("type") == "heatmap":
            parts.append(_heatmap(panel, trace, detail))
        elif trace.get("type", "scatter") in ("scatter", "scattergl"):
            parts.append(_scatter(panel, trace, default, detail))
    crossed = min(y.low, y.high) < 0 < max(y.low, y.high)
    if crossed and not y.labels() and not any(t.get("type") == "heatmap" for t in traces):
        parts.append(_path([f"M{_n(panel.left)} {_n(panel.py(0))}H{_n(panel.right)}"], style.INK, 0.5))
    parts.append(f'{frame}fill="none" stroke="{style.INK}"/>')
    neighbour = max((end for end in ends if end <= x0), default=None)
    room = panel.left if neighbour is None else (x0 - neighbour) * across
    return "".join([*parts, *_labels(panel, room, detail)])


def _labels(panel: _Panel, room: float, detail: _Detail) -> Iterator[str]:
    named = panel.x.labels()
    for value, text in named if 0 < len(named) <= min(8, detail.labels) else panel.x.end_labels():
        share = (panel.px(value) - panel.left) / (panel.right - panel.left)
        anchor = "middle" if named else "start" if share < 0.5 else "end"
        x, y = _n(panel.px(value)), _n(panel.bottom + 11)
        yield f'<text x="{x}" y="{y}" text-anchor="{anchor}">{_text(text, 12)}</text>'
    named = panel.y.labels()
    listed = 0 < len(named) <= detail.labels
    for value, text in named if listed else () if named else panel.y.end_labels():
        at, size = panel.py(value) + 2.5, ' font-size="7"' if listed else ""
        at = min(max(at, panel.top + 7), panel.bottom) if not listed else at
        length = max(6, round((room - 8) / LABEL_PIXELS))
        yield f'<text x="{_n(panel.left - 4)}" y="{_n(at)}" text-anchor="end"{size}>{_text(text, length)}</text>'


def _bands(panel: _Panel, layout: Mapping[str, Any]) -> str:
    """Rectangles across the height of the panel: recessions."""
    found = []
    for shape in list(layout.get("shapes") or ())[:60]:
        ends = [e for e in (number(shape.get("x0")), number(shape.get("x1"))) if e is not None]
        if shape.get("type") == "rect" and shape.get("xref", "x") == "x" and len(ends) == 2:
            a, b = sorted(map(panel.px, ends))
            found.append(f"M{_n(a)} {_n(panel.top)}H{_n(b)}V{_n(panel.bottom)}H{_n(a)}z")
    return f'<path d="{"".join(found)}" fill="{style.NEUTRAL}" fill-opacity=".6"/>' if found else ""


def _path(parts: Iterable[str], color: str, stroke: float) -> str:
    d = "".join(parts)
    return f'<path d="{d}" fill="none" stroke="{color}" stroke-width="{_n(stroke)}"/>' if d else ""


def _scatter(panel: _Panel, trace: Mapping[str, Any], default: str, detail: _Detail) -> str:
    xs, ys = coordinates(trace)
    points = list(zip(panel.x.numbers(xs), panel.y.numbers(ys), strict=False))
    mode, marker = str(trace.get("mode") or "lines"), trace.get("marker") or {}
    colors = marker.get("color")
    color = _color((trace.get("line") or {}).get("color") or colors, default)
    out = []
    if "lines" in mode:
        out.append(_path(_line(panel, _thinned(points, detail.points)), color, 1.2))
    for (x, y), error in zip(points[: detail.points // 4], errors_of(trace), strict=False):
        if x is not None and y is not None and error and any(error):
            bar = f"M{_n(panel.px(x))} {_n(panel.py(y - error[0]))}V{_n(panel.py(y + error[1]))}"
            out.append(_path([bar], color, 1))
    if "markers" in mode:
        every = max(1, math.ceil(len(points) / max(1, detail.points // 2)))
        for i in range(0, len(points) if detail.points else 0, every):
            x, y = points[i]
            if x is not None and y is not None:
                own = colors[i] if isinstance(colors, list | tuple) and i < len(colors) else color
                at = f'cx="{_n(panel.px(x))}" cy="{_n(panel.py(y))}"'
                out.append(f'<circle {at} r="2.5" fill="{_color(own, default)}"/>')
    return "".join(out)


def _line(panel: _Panel, points: Iterable[tuple[Number, Number]]) -> Iterator[str]:
    pen = "M"
    for x, y in points:
        if x is None or y is None:
            pen = "M"
            continue
        yield f"{pen}{_n(panel.px(x))} {_n(panel.py(y))}"
        pen = "L"


def _thinned(points: list[tuple[Number, Number]], most: int) -> list[tuple[Number, Number]]:
    """At most `most` points: the lowest and the highest of each stretch, so that peaks stay; a gap stays a gap."""
    if len(points) <= most:
        return points
    kept: list[tuple[Number, Number]] = []
    stretches = most // 2
    for i in range(stretches):
        own = points[i * len(points) // stretches : (i + 1) * len(points) // stretches]
        known = [p for p in own if p[0] is not None and p[1] is not None]
        if not known:
            kept.append((None, None))
            continue
        ends = {min(known, key=lambda p: p[1] or 0.0), max(known, key=lambda p: p[1] or 0.0)}
        kept += [p for p in dict.fromkeys(known) if p in ends]
    return kept


def _bars(
    panel: _Panel, traces: Sequence[Mapping[str, Any]], layout: Mapping[str, Any], detail: _Detail
) -> Iterator[str]:
    """Bars, stacked where the layout says so; more bars than fit are averaged over neighbours."""
    if not traces or not detail.bars:
        return
    stacked = layout.get("barmode") in ("relative", "stack")
    slots = max(1, detail.bars // len(traces))
    tops: dict[tuple[float, bool], float] = {}
    for position, trace in enumerate(traces):
        flat = trace.get("orientation") == "h"
        xs, ys = coordinates(trace)
        at, size = (panel.y.numbers(ys), panel.x.numbers(xs)) if flat else (panel.x.numbers(xs), panel.y.numbers(ys))
        bases = bases_of(trace, len(at)) or [None] * len(at)
        rows = [(p, v, b) for p, v, b in zip(at, size, bases, strict=False) if p is not None]
        step = _step([p for p, _, _ in rows])
        marker = (trace.get("marker") or {}).get("color")
        group, many = max(1, math.ceil(len(rows) / slots)), isinstance(marker, list | tuple)
        paths: dict[str, list[str]] = {}
        for i in range(0, len(rows), group):
            own = rows[i : i + group]
            middle, value, base = (_mean(part) for part in zip(*own, strict=True))
            if middle is None or value is None:
                continue
            start = base or 0.0
            if base is None and stacked:
                start = tops.get((middle, value > 0), 0.0)
                tops[middle, value > 0] = start + value
            color = marker[i] if many and marker and i < len(marker) else marker
            half = 0.5 * step * len(own) * (0.7 if flat or (group == 1 and len(rows) < 30) else 1)
            box = _box(panel, flat, middle - half, middle + half, start, start + value)
            paths.setdefault(_color(color, style.COLORWAY[position % len(style.COLORWAY)]), []).append(box)
        for color, boxes in paths.items():
            yield f'<path d="{"".join(boxes)}" fill="{color}"/>'


def _step(at: Sequence[float]) -> float:
    ordered = sorted(set(at))
    gaps = sorted(b - a for a, b in pairwise(ordered))
    return gaps[len(gaps) // 2] if gaps else 1.0


def _mean(values: Iterable[Number]) -> Number:
    known = [v for v in values if v is not None]
    return sum(known) / len(known) if known else None


def _box(panel: _Panel, flat: bool, a: float, b: float, start: float, end: float) -> str:
    x0, x1 = (panel.px(v) for v in ((start, end) if flat else (a, b)))
    y0, y1 = (panel.py(v) for v in ((a, b) if flat else (start, end)))
    return f"M{_n(x0)} {_n(y0)}H{_n(x1)}V{_n(y1)}H{_n(x0)}z"


_SHADES = 12


def _heatmap(panel: _Panel, trace: Mapping[str, Any], detail: _Detail) -> str:
    """Cells averaged down to `detail.cells`; a cell without any value is not drawn.

    A row of a shade is a thick line, one path per shade: a cell takes about 12 bytes, so some hundreds of them fit.
    """
    z = [[number(v) for v in values_of(row)] for row in values_of(trace.get("z"))]
    xs, ys = coordinates(trace)
    columns = max(map(len, z), default=0)
    if not columns or not detail.cells:
        return ""
    down = math.ceil(len(z) / detail.cells)
    across = math.ceil(columns * math.ceil(len(z) / down) / detail.cells)
    low, high = _shade_ends(trace, z)
    at_x, at_y = panel.x.numbers(xs), panel.y.numbers(ys)
    step_x, step_y = (_step([v for v in at if v is not None]) for at in (at_x, at_y))
    before = 0.0 if trace.get("xperiod") else 0.5  # a period starts at its date, any other cell is centred on it
    paths: dict[int, list[str]] = {}
    for i in range(0, len(z), down):
        for j in range(0, columns, across):
            last_i, last_j = min(i + down, len(z)) - 1, min(j + across, columns) - 1
            value = _mean(v for row in z[i : last_i + 1] for v in row[j : last_j + 1])
            corners = (_get(at_x, j), _get(at_x, last_j), _get(at_y, i), _get(at_y, last_i))
            if value is None or None in corners:
                continue
            x0, x1, y0, y1 = (c or 0.0 for c in corners)
            # by halves: the distance of the largest numbers is more than a number holds
            share = (value / 2 - low / 2) / ((high / 2 - low / 2) or 1.0)
            shade = round(_SHADES * min(max(share, 0.0), 1.0))
            start, end = round(panel.px(x0 - before * step_x)), round(panel.px(x1 + (1 - before) * step_x))
            paths.setdefault(shade, []).append(f"M{start} {_n(panel.py((y0 + y1) / 2))}h{end - start}")
    thick = _n((panel.bottom - panel.top) * step_y * down / abs(panel.y.high - panel.y.low))
    scale = _colorscale(trace.get("colorscale"))
    drawn = (f'<path d="{"".join(p)}" stroke="{_blend(scale, s / _SHADES)}"/>' for s, p in sorted(paths.items()))
    return f'<g stroke-width="{thick}">{"".join(drawn)}</g>'


def _shade_ends(trace: Mapping[str, Any], z: Sequence[Sequence[Number]]) -> tuple[float, float]:
    known = [v for row in z for v in row if v is not None]
    low, high = number(trace.get("zmin")), number(trace.get("zmax"))
    return min(known, default=0.0) if low is None else low, max(known, default=1.0) if high is None else high


def _get(values: Sequence[Number], index: int) -> Number:
    return values[index] if index < len(values) else None


def _colorscale(stated: Any) -> list[tuple[float, str]]:
    try:
        scale = [(float(at), str(color)) for at, color in stated]
    except (TypeError, ValueError):
        scale = []
    usable = len(scale) > 1 and all(re.fullmatch("#[0-9a-fA-F]{6}", color) for _, color in scale)
    return scale if usable else [(0.0, style.NEGATIVE), (0.5, style.PAPER), (1.0, style.PRIMARY)]


def _blend(scale: Sequence[tuple[float, str]], at: float) -> str:
    for (a, first), (b, second) in pairwise(scale):
        if at <= b:
            share = (at - a) / ((b - a) or 1.0)
            pairs = ((int(first[k : k + 2], 16), int(second[k : k + 2], 16)) for k in (1, 3, 5))
            return "#" + "".join(f"{round(p + min(max(share, 0.0), 1.0) * (q - p)):02x}" for p, q in pairs)
    return scale[-1][1]
