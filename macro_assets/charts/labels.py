"""What a figure says and reads of the catalog: titles, components, recessions, and the rules of its series."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from macro_assets.catalog import Catalog, Chart, Recession, Series, names
from macro_assets.charts.modules import reads_of


@dataclass(frozen=True)
class Labels:
    """Facts of a chart, only those it reads; the others are empty.

    The first three are said of every chart (`recessions` where they are shaded); of the others, a chart has those that
    its module names in `READS`.

    Attributes
    ----------
    series
        What the chart is of: its own series, else those of its indicator or model.
    sources
        Title of the source, by series.
    recessions
        The chronology that is shaded.
    titles, frequencies, aggregations, transforms
        Of the series.
    components
        Name and title of each part of its indicator, in the order of the catalog, which is that of their colours.
    min_history
        Observations before the first z-score, by frequency.
    """

    series: tuple[str, ...] = ()
    sources: Mapping[str, str] = field(default_factory=dict)
    recessions: tuple[Recession, ...] = ()
    titles: Mapping[str, str] = field(default_factory=dict)
    frequencies: Mapping[str, str] = field(default_factory=dict)
    aggregations: Mapping[str, str] = field(default_factory=dict)
    transforms: Mapping[str, int] = field(default_factory=dict)
    components: tuple[tuple[str, str], ...] = ()
    min_history: Mapping[str, int] = field(default_factory=dict)

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
        When no module draws the chart.
    """
    own = [catalog.one_series(s) for s in _series_of(chart, catalog)]
    return Labels(
        series=tuple(s.id for s in own),
        sources={s.id: catalog.sources[s.source].title for s in own},
        recessions=catalog.recessions if chart.recession_shading else (),
        **{name: _read(name, chart, own, catalog) for name in reads_of(chart)},
    )


def _series_of(chart: Chart, catalog: Catalog) -> Iterable[str]:
    if chart.indicator is not None and not chart.series:
        return dict.fromkeys(s for c in catalog.indicators[chart.indicator].components for s in c.series)
    if chart.model is not None and not chart.series:
        return (i.series for i in catalog.models[chart.model].inputs)
    return chart.series


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
        case "components" if chart.indicator is not None:
            return tuple((c.name, c.title) for c in catalog.indicators[chart.indicator].components)
        case "min_history":
            family, *_ = catalog.families_of(s.id for s in own)
            return catalog.tables[names.normalized(family)].parameters["min_history"]
    raise LookupError(f"chart {chart.name!r} reads {name!r}, which the catalog does not have for it")
