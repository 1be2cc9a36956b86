"""Drawing a chart of the catalog: its module gets the tables, or the series after the steps of the entry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import polars as pl

from macro_assets.charts import style
from macro_assets.charts.modules import module_of, parameters_of
from macro_assets.transforms.library import TRANSFORMS
from macro_assets.transforms.panel import monthly
from macro_assets.transforms.steps import STATIONARY, TransformError, check, expression, resolve, transformed_by

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from macro_assets.catalog import Chart, Step
    from macro_assets.charts.labels import Labels

OBSERVATIONS = "observations"
"""Name of the frame of the series that a chart is of, or that are behind its tables, as they are known: `series_id`,
`provider`, `observation_date`, `value`, `unit`; in any order of rows, perhaps with further columns."""

PROVIDERS = "providers"
"""Column of tables of as-of months: who served what a row is computed from, separated by `, `."""


def figure(chart: Chart, frames: Mapping[str, pl.DataFrame], labels: Labels) -> go.Figure:
    """Draw a chart of the catalog.

    Parameters
    ----------
    chart
        The catalog entry; its figure is drawn by the module of its `draws`.
    frames
        The tables that the chart is of, by name; for a chart of series their observations in standard units, named
        `OBSERVATIONS`. Rows of other series are not drawn. Beside tables they say who served what these are made of.
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
        When there is nothing to draw, a table contradicts itself (each module says when), the steps or parameters
        of the entry cannot be (see `checking.py`), or a step of several series finds them served in different units.
    """
    drawn, told = brought(chart, frames, labels), as_served(chart, frames, labels)
    return cast("go.Figure", module_of(chart).figure(chart, drawn, told, parameters_of(chart)))


def data_note(chart: Chart, frames: Mapping[str, pl.DataFrame], labels: Labels) -> str:
    """The footnote of a chart, see :func:`macro_assets.charts.style.data_note`; frames and errors as of `figure`."""
    drawn = list(brought(chart, frames, labels).values())
    return style.data_note(chart, drawn, as_served(chart, frames, labels))


def brought(chart: Chart, frames: Mapping[str, pl.DataFrame], labels: Labels) -> dict[str, pl.DataFrame]:
    """What a module draws: the tables as they are, or under `OBSERVATIONS` the series :func:`after_steps`."""
    names = chart.of.tables or (OBSERVATIONS,)
    if missing := [name for name in names if name not in frames]:
        raise LookupError(f"chart {chart.name!r} draws {', '.join(names)}; not given: {', '.join(missing)}")
    if chart.of.tables:
        return {name: frames[name] for name in names}
    return {OBSERVATIONS: after_steps(chart, frames[OBSERVATIONS], labels)}


def as_served(chart: Chart, frames: Mapping[str, pl.DataFrame], labels: Labels) -> Labels:
    """The labels with who served what is drawn, and in which unit where it is not that of the home."""
    served: dict[str, list[str]] = {}
    if (observations := frames.get(OBSERVATIONS)) is not None:
        first = observations.group_by("series_id", "provider").agg(pl.col("observation_date").min())
        begun = first.sort("observation_date", "provider").select("series_id", "provider").rows()
        for series_id in labels.series:
            for provider in (p for s, p in begun if s == series_id):
                served.setdefault(provider, []).append(series_id)
    for name in chart.of.tables:
        for provider in _providers(frames[name]):
            served.setdefault(provider, [])
    told = replace(labels, served={provider: tuple(series) for provider, series in served.items()})
    return told if chart.of.tables else replace(told, restated=_restated(chart, frames[OBSERVATIONS], labels))


def _providers(table: pl.DataFrame) -> list[str]:
    """Who served the latest as-of month of a table, where it says so."""
    if PROVIDERS not in table.columns:
        return []
    latest = table.filter(pl.col("as_of") == pl.col("as_of").max())
    return sorted({provider for told in latest[PROVIDERS].drop_nulls().unique() for provider in told.split(", ")})


def _restated(chart: Chart, observations: pl.DataFrame, labels: Labels) -> dict[str, str]:
    """The unit of each series that is drawn in another than its home's, after the steps."""
    found: dict[str, str] = dict(observations.select("series_id", "unit").iter_rows())
    units = {s: found.get(s, labels.units[s]) for s in chart.of.series}
    if units == labels.units:
        return {}
    restated: dict[str, str] = {}
    for group in groups(chart):
        try:
            unit = unit_after(chart, group, units, labels)
        except TransformError as error:
            told = " and ".join(f"{s} in {units[s]}" for s in group)
            raise ValueError(f"chart {chart.name!r}: {told} as they are served: {error}") from None
        if unit != unit_after(chart, group, labels.units, labels):
            restated |= dict.fromkeys(group, unit)
    return restated


def groups(chart: Chart) -> list[tuple[str, ...]]:
    """The series of which the steps make one: all, or each by itself."""
    of = chart.of
    return [of.series] if of.steps and takes_several(of.steps[0]) else [(s,) for s in of.series]


def unit_after(chart: Chart, series: Sequence[str], units: Mapping[str, str], labels: Labels) -> str:
    """The unit of what the steps make of some series.

    Raises
    ------
    TransformError
        When they cannot be done to series in these units.
    """
    steps = resolve(chart.of.steps, labels.transforms.get(series[0], 1))
    return check(steps, [units[s] for s in series], chart.of.frequency or labels.frequencies.get(series[0], ""))


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
