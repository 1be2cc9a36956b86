"""A chart as a row: its figure and its words."""

from __future__ import annotations

from datetime import datetime

import polars as pl

from macro_assets.catalog import Chart
from macro_assets.catalog.periods import last_whole_day
from macro_assets.charts.drawing import data_note, figure
from macro_assets.charts.labels import Labels
from macro_assets.graph.derivation import Frames


def chart(frames: Frames, as_of: datetime | None = None, *, table: str, chart: Chart, labels: Labels) -> Frames:
    """The row of a chart, drawn by what its entry says from its tables or the observations of its series.

    As of a past instant the frames are those of then, and so is the chronology that is shaded.
    """
    if as_of is not None:
        labels = labels.known_on(last_whole_day(as_of))
    row = {
        "chart": chart.name,
        "title": chart.title,
        "subtitle": chart.subtitle,
        "data_note": data_note(chart, frames, labels),
        "figure_json": figure(chart, frames, labels).to_json(),
    }
    return {table: pl.DataFrame(row)}
