"""What a figure says and reads of the catalog: titles, components, recessions, and the rules of its series."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import polars as pl

from macro_assets.catalog import Catalog, Chart, Recession, Series
from macro_assets.charts.modules import reads_of
from macro_assets.charts.style import readable
from macro_assets.transforms.steps import STATIONARY


@dataclass(frozen=True)
class Labels:
    """Facts of a chart, only those it reads; the others are empty.

    The first six are said of every chart (`recessions` where they are shaded); of the others, a chart has those that
    its module names in `READS`, and those that its steps need.

    Attributes
    ----------
    series
        What the chart is of: its own series, else those behind its tables.
    sources
        Title of each source that has one of them, by the provider that rows of it name.
    publishers
        Who makes the figures of each series, where that is known; the title of its home, unless that passes them on.
    via
        By provider, what those that pass on the figures of others are called.
    units
        Of a chart of series, the unit in which the home of each has it.
    recessions
        The chronology that is shaded.
    announced_by
        The day by whose end all of it had been announced; None where the figure is of today.
    titles, frequencies, aggregations, transforms
        Of the series.
    components
        Name and title of each part of the indicator whose table is drawn, in the order of its entry, which is that of
        their colours.
    served, restated
        What the data say, and so empty until something is drawn: which series each provider served (none by name where
        a table names the providers alone), and the unit of those that are not drawn in the unit of their home.
    """

    series: tuple[str, ...] = ()
    sources: Mapping[str, str] = field(default_factory=dict)
    publishers: Mapping[str, str] = field(default_factory=dict)
    via: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    recessions: tuple[Recession, ...] = ()
    announced_by: date | None = None
    titles: Mapping[str, str] = field(default_factory=dict)
    frequencies: Mapping[str, str] = field(default_factory=dict)
    aggregations: Mapping[str, str] = field(default_factory=dict)
    transforms: Mapping[str, int] = field(default_factory=dict)
    components: tuple[tuple[str, str], ...] = ()
    served: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    restated: Mapping[str, str] = field(default_factory=dict)

    def known_on(self, day: date) -> Labels:
        """The labels with the chronology as it had been announced by the end of a day."""
        known = tuple(r for found in self.recessions if (r := found.known_on(day)))
        return replace(self, recessions=known, announced_by=day)

    @property
    def facts(self) -> pl.DataFrame:
        """What transforms read: `series_id`, `frequency`, `aggregation`, `transform`, null where the chart does not."""
        of = {"frequency": self.frequencies, "aggregation": self.aggregations, "transform": self.transforms}
        columns = {name: [values.get(s) for s in self.series] for name, values in of.items()}
        types = {"series_id": pl.String, "frequency": pl.String, "aggregation": pl.String, "transform": pl.Int64}
        return pl.DataFrame({"series_id": self.series, **columns}, schema=types)


def labels_of(chart: Chart, catalog: Catalog) -> Labels:
    """The labels of a chart out of the catalog.

    Raises
    ------
    LookupError
        When no module draws the chart, or it reads a label that there is not.
    """
    behind = chart.of.series or tuple(s for t in chart.of.tables for s in catalog.series_behind(t))
    own = [catalog.one_series(s) for s in dict.fromkeys(behind)]
    sources = {h.provider: catalog.sources[h.provider] for s in own for h in catalog.holdings(s.id)}
    homes = {s.id: s.publisher or (None if sources[s.source].via else sources[s.source].title) for s in own}
    return Labels(
        series=tuple(s.id for s in own),
        sources={name: source.title for name, source in sources.items()},
        publishers={series: publisher for series, publisher in homes.items() if publisher},
        via={name: source.via for name, source in sources.items() if source.via},
        units={s.id: s.unit for s in own if s.id in chart.of.series},
        recessions=catalog.recessions if chart.shade == "recessions" else (),
        **{name: _read(name, chart, own, catalog) for name in dict.fromkeys((*reads_of(chart), *_of_steps(chart)))},
    )


def _of_steps(chart: Chart) -> Iterator[str]:
    """What bringing the series to their frequency and through their steps takes."""
    of = chart.of
    if of.frequency or of.steps:
        yield "frequencies"
    if of.frequency:
        yield "aggregations"
    if STATIONARY in (step.name for step in of.steps):
        yield "transforms"


def _read(name: str, chart: Chart, own: Sequence[Series], catalog: Catalog) -> Any:
    """The facts under the name of their field in :class:`Labels`."""
    match name:
        case "titles":
            return {s.id: s.title for s in own}
        case "frequencies":
            return {s.id: s.frequency for s in own}
        case "aggregations":
            return {s.id: s.aggregation for s in own}
        case "transforms":
            return {s.id: s.transform for s in own}
        case "components":
            return tuple(part for table in chart.of.tables for part in _components(table, catalog))
    raise LookupError(f"chart {chart.name!r} reads {name!r}, which the catalog does not have for it")


def _components(table: str, catalog: Catalog) -> Iterator[tuple[str, str]]:
    """Parts of the indicator of a table, where its entry lists `components` with names and titles."""
    layer, _, name = table.partition("/")
    indicator = catalog.indicators.get(name) if layer in ("indicators", "real_time") else None
    listed = indicator.parameters.get("components") if indicator else None
    for part in listed if isinstance(listed, list) else ():
        if isinstance(part, dict) and "name" in part:
            name = str(part["name"])
            yield name, str(part.get("title") or readable(name))
