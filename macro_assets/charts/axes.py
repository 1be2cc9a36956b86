"""Values and axes of a Plotly figure's dict, for drawing it without Plotly: what a trace holds, what an axis spans."""

from __future__ import annotations

import base64
import math
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

Number = float | None


_CODES = {"i1": "b", "u1": "B", "i2": "h", "u2": "H", "i4": "i", "u4": "I", "f4": "f", "f8": "d"}


def values_of(data: Any) -> list[Any]:
    """A list of plain values from a list, a NumPy array or Plotly's `{"dtype", "bdata"[, "shape"]}` (nested if 2-d)."""
    if data is None:
        return []
    if isinstance(data, Mapping):
        raw = base64.b64decode(data["bdata"])
        code = _CODES[str(data["dtype"]).lstrip("<|=")]
        flat = list(struct.unpack(f"<{len(raw) // struct.calcsize(code)}{code}", raw))
        shape = [int(n) for n in str(data.get("shape", len(flat))).split(",")]
        if len(shape) == 1:
            return flat
        return [flat[row * shape[1] : (row + 1) * shape[1]] for row in range(shape[0])]
    if getattr(getattr(data, "dtype", None), "kind", "") == "M":
        data = data.astype("datetime64[us]")
    return list(data.tolist() if hasattr(data, "tolist") else data)


def number(value: Any) -> Number:
    """A finite number; a date as days since 1970; otherwise None."""
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, int | float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value[:26])
        except ValueError:
            return None
    if isinstance(value, datetime):
        moment = value if value.tzinfo else value.replace(tzinfo=UTC)
        return moment.timestamp() / 86_400
    return float(value.toordinal() - date(1970, 1, 1).toordinal()) if isinstance(value, date) else None


def _is_date(value: Any) -> bool:
    return isinstance(value, date) or (isinstance(value, str) and number(value) is not None)


@dataclass
class Axis:
    """One axis: where it lies in the image (fractions), what it spans, and its labels."""

    layout: Mapping[str, Any]
    raw: list[Any]
    zero: bool = False

    def __post_init__(self) -> None:
        known = [v for v in self.raw if v is not None]
        self.is_date = self.layout.get("type") == "date" or bool(known and _is_date(known[0]))
        names = [v for v in known if isinstance(v, str)] if not self.is_date else []
        self.names = {name: float(i) for i, name in enumerate(dict.fromkeys(names))}
        self.low, self.high = self._span()

    def numbers(self, values: Iterable[Any]) -> list[Number]:
        """Values on the scale of the axis; categories count from 0."""
        return [self.names.get(v) if isinstance(v, str) and self.names else number(v) for v in values]

    def _span(self) -> tuple[float, float]:
        stated = [number(v) for v in values_of(self.layout.get("range"))]
        if len(stated) == 2 and stated[0] is not None and stated[1] is not None and stated[0] != stated[1]:
            return stated[0], stated[1]
        found = [v for v in self.numbers(self.raw) if v is not None]
        if self.zero or self.layout.get("rangemode") == "tozero":
            found.append(0.0)
        low, high = (min(found), max(found)) if found else (0.0, 1.0)
        pad = 0.5 if self.names else 0.0 if self.is_date and high > low else 0.04 * (high - low) or 0.5
        from_zero = self.layout.get("rangemode") == "tozero"
        low, high = low - pad * (not from_zero or low < 0), high + pad * (not from_zero or high > 0)
        return (high, low) if self.layout.get("autorange") == "reversed" else (low, high)

    def labels(self) -> list[tuple[float, str]]:
        """Labels that the figure names: its tick texts, or its categories."""
        texts = values_of(self.layout.get("ticktext"))
        if texts:
            at = self.numbers(values_of(self.layout.get("tickvals")))
            return [(p, str(t)) for p, t in zip(at, texts, strict=False) if p is not None]
        return [(p, name) for name, p in self.names.items()]

    def end_labels(self) -> list[tuple[float, str]]:
        """Lowest and highest value, or first and last month."""
        return [(v, self._text(v)) for v in (self.low, self.high)]

    def _text(self, value: float) -> str:
        if not self.is_date:
            return f"{value:.3g}".replace("-", "\u2212")
        # A range ends at the first instant that is not drawn: name the last day that is.
        day = math.ceil(value) - 1 if value == self.high else math.floor(value)
        ordinal = min(max(day + date(1970, 1, 1).toordinal(), 1), date.max.toordinal())
        return f"{date.fromordinal(ordinal):%Y-%m}"


def axes_of(key: tuple[str, str], traces: Sequence[Mapping[str, Any]], layout: Mapping[str, Any]) -> tuple[Axis, Axis]:
    xs: list[Any] = []
    ys: list[Any] = []
    zero_x = zero_y = False
    stacks: dict[Any, list[float]] = {}
    for trace in traces:
        x, y = coordinates(trace)
        xs, ys = xs + x, ys + y
        if trace.get("type") == "bar":
            flat = trace.get("orientation") == "h"
            based = bases_of(trace, len(x)) is not None
            zero_x, zero_y = zero_x or (flat and not based), zero_y or (not flat and not based)
            for at, size in zip(y if flat else x, x if flat else y, strict=False):
                if (value := number(size)) is not None and not isinstance(size, str):
                    stack = stacks.setdefault((flat, str(at)), [0.0, 0.0])
                    stack[value > 0] += value
        spans = ((number(v), e) for v, e in zip(y, errors_of(trace), strict=False) if not isinstance(v, str))
        ys = ys + [end for v, e in spans if v is not None and e is not None for end in (v - e[0], v + e[1])]
    if layout.get("barmode") in ("relative", "stack"):
        for (flat, _), ends in stacks.items():
            (xs if flat else ys).extend(ends)
    named = [f"{letter}axis{axis[1:]}" for letter, axis in zip("xy", key, strict=True)]
    return Axis(layout.get(named[0]) or {}, xs, zero_x), Axis(layout.get(named[1]) or {}, ys, zero_y)


def coordinates(trace: Mapping[str, Any]) -> tuple[list[Any], list[Any]]:
    x, y = values_of(trace.get("x")), values_of(trace.get("y"))
    if trace.get("type") == "heatmap":
        z = values_of(trace.get("z"))
        x = x or list(range(max((len(values_of(r)) for r in z), default=0)))
        y = y or list(range(len(z)))
    return x or list(range(len(y))), y or list(range(len(x)))


def errors_of(trace: Mapping[str, Any]) -> list[tuple[float, float] | None]:
    """How far the vertical error bars reach down and up from each point."""
    stated = trace.get("error_y") or {}
    up = [number(e) for e in values_of(stated.get("array"))]
    down = [number(e) for e in values_of(stated.get("arrayminus"))] if stated.get("symmetric") is False else up
    return [None if a is None or b is None else (a, b) for a, b in zip(down, up, strict=False)]


def bases_of(trace: Mapping[str, Any], size: int) -> list[Number] | None:
    base = trace.get("base")
    if base is None:
        return None
    return [number(base)] * size if isinstance(base, int | float) else [number(b) for b in values_of(base)]


def domain(axis: Axis) -> tuple[float, float]:
    first, last = axis.layout.get("domain") or (0.0, 1.0)
    return float(first), float(last)
