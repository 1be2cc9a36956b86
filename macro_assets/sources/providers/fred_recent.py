"""Series of which FRED holds the last years alone, by the terms of who owns them: read as `fred/` reads the others.

Three years of the ICE BofA indices since April 2026, ten of the S&P and Dow Jones averages; where ALFRED has vintages,
they are of the same years. Each day the oldest figures leave. Whether FRED tells them as withdrawn is not documented;
they are not: what was known of them stays true. So no figure is ever told as missing, neither those nor those of
holidays, which FRED marks with a '.'.

Sources: the notes of https://fred.stlouisfed.org/series/BAMLH0A0HYM2 and https://fred.stlouisfed.org/series/SP500
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from macro_assets.catalog import Series
from macro_assets.sources.protocol import Ask, Steps, Window
from macro_assets.sources.providers.fred import connector as fred
from macro_assets.sources.providers.fred.connector import calendar, explain

__all__ = ["calendar", "explain", "plan"]


def plan(series: Sequence[Series], window: Window) -> Iterator[Ask]:
    """One ask per series: its `code` is FRED's series ID."""
    for ask in fred.plan(series, window):
        yield Ask(ask.series, _stated(ask.steps))


def _stated(steps: Steps) -> Steps:
    answers = yield from steps
    return None if answers is None else [replace(a, rows=a.rows.drop_nulls("value")) for a in answers]
