"""Drawing a chart of the catalog: its module gets the tables, or the series after the steps of the entry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

import polars as pl

from macro_assets.charts import style
from macro_assets.charts.modules import module_of, parameters_of
from macro_assets.transforms.library import TRANSFORMS
from macro_assets.transforms.panel import monthly
from macro_assets.transforms.steps import STATIONARY, expression, resolve, transformed_by

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from macro_assets.catalog import Chart, Step
    from macro_assets.charts.labels import Labels

OBSERVATIONS = "observations"
"""Name of the frame of a chart of series: `source`, `series_id`, `observation_date`, `value`, `release_time`."""


def figure(chart: Chart, frames: Mapping[str, pl.DataFrame], labels: Labels) -> go.Figure:
    """Draw a chart of the catalog.

    Parameters
    ----------
    chart
        The catalog entry; its figure is drawn by the module of its `draws`.
    frames
        The tables that the chart is of, by name; for a chart of series their observations in standard units, named
        `OBSERVATIONS`. Rows of other series are not drawn.
    labels
        Titles of series and components, the recession chronology, and the rules of the series.

    Returns
    -------
    Figure
        1152 x 672 px, complete with title, footnote and watermark. The same frames give the same JSON.

    Raises
    ------
    LookupError
        When no module draws the chart, or what it is of is not among the frames.
    ValueError
        When there is nothing to draw, a table contradicts itself (each module says when), or the steps or parameters
        of the entry cannot be (see `checking.py`).
    """
    drawn = brought(chart, frames, labels)
    return cast("go.Figure", module_of(chart).figure(chart, drawn, labels, parameters_of(chart)))


def data_note(chart: Chart, frames: Mapping[str, pl.DataFrame], labels: Labels) -> str:
    """The footnote of a chart, see :func:`macro_assets.charts.style.data_note`; frames and errors as of `figure`."""
    return style.data_note(chart, list(brought(chart, frames, labels).values()), labels)


def brought(chart: Chart, frames: Mapping[str, pl.DataFrame], labels: Labels) -> dict[str, pl.DataFrame]:
    """What a module draws: the tables as they are, or under `OBSERVATIONS` the series :func:`after_steps`."""
    names = chart.of.tables or (OBSERVATIONS,)
    if missing := [name for name in names if name not in frames]:
        raise LookupError(f"chart {chart.name!r} draws {', '.join(names)}; not given: {', '.join(missing)}")
    if chart.of.tables:
        return {name: frames[name] for name in names}
    return {OBSERVATIONS: after_steps(chart, frames[OBSERVATIONS], labels)}


def after_steps(chart: Chart, observations: pl.DataFrame, labels: Labels) -> pl.DataFrame:
    """The series of a chart at its frequency and after its steps.

    Returns
    -------
    DataFrame
        `series_id`, `observation_date`, `value`, by series and date, without rows that have no value. Two series of
        which a step makes one are under the first's id.
    """
    of, frequencies = chart.of, labels.frequencies
    own = observations.filter(pl.col("series_id").is_in(of.series))
    if of.frequency == "M":
        own, frequencies = monthly(own, labels.facts), dict.fromkeys(of.series, "M")
    own, steps = own.select("series_id", "observation_date", "value"), of.steps
    if not steps:
        return own.drop_nulls("value").sort("series_id", "observation_date")
    if takes_several(steps[0]):
        own, steps = _joined(chart, steps[0], own, frequencies), steps[1:]
    coded = STATIONARY in (step.name for step in steps)
    chains = {s: resolve(steps, labels.transforms[s]) if coded else steps for s in of.series}
    return transformed_by(own, chains, frequencies)


def takes_several(step: Step) -> bool:
    """Whether a step makes one series of several."""
    return step.name in TRANSFORMS and TRANSFORMS[step.name].takes > 1


_PERIOD = {"M": "1mo", "Q": "1q", "A": "1y"}


def _joined(chart: Chart, step: Step, own: pl.DataFrame, frequencies: Mapping[str, str]) -> pl.DataFrame:
    """What a step makes of all series of the chart, side by side on one calendar."""
    series = chart.of.series
    found = sorted({frequencies[s] for s in series})
    if len(found) > 1:
        raise ValueError(
            f"chart {chart.name!r}: {step.name} makes one series of {', '.join(series)}, which are of the frequencies "
            f"{', '.join(found)}: expected one, as with 'frequency: M'"
        )
    value = expression((step,), [pl.col(s) for s in series], found[0])
    made = _side_by_side(own, series, found[0]).select("observation_date", series_id=pl.lit(series[0]), value=value)
    return made.select("series_id", "observation_date", "value")


def _side_by_side(own: pl.DataFrame, series: Sequence[str], frequency: str) -> pl.DataFrame:
    """A column per series; of months, quarters and years none is skipped."""
    dates = own["observation_date"].unique().sort()
    if frequency in _PERIOD and not dates.is_empty():
        ends = pl.Series([dates[0], dates[-1]])
        dates = pl.date_range(ends[0], ends[1], _PERIOD[frequency], eager=True)
    wide = pl.DataFrame({"observation_date": dates})
    for s in series:
        one = own.filter(pl.col("series_id") == s).select("observation_date", pl.col("value").alias(s))
        wide = wide.join(one, on="observation_date", how="left", maintain_order="left")
    return wide
