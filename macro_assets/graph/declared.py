"""Catalog to derivations: the one list of everything derived, a dozen lines per kind.

The asset graph, staleness, reading as of a past instant and the benchmark's plain loop are made of this list. Belongs
here: which inputs and which facts of the catalog each computation gets. Does not belong here: computing (it would be in
no code version), storage, when to run.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import cast

from macro_assets.catalog import Catalog, Chart, Family, Indicator, Model, names
from macro_assets.catalog.derive import series_facts
from macro_assets.charts.drawing import OBSERVATIONS
from macro_assets.charts.labels import labels_of
from macro_assets.graph.check import checked
from macro_assets.graph.compute.chart import chart
from macro_assets.graph.compute.indicator import indicator
from macro_assets.graph.compute.normalized import normalized
from macro_assets.graph.compute.nowcast import nowcast
from macro_assets.graph.derivation import Derivation, Input, Known, Table
from macro_assets.lakehouse.raw import INVALIDATIONS
from macro_assets.models.protocol import input_facts


def derivations(catalog: Catalog) -> tuple[Derivation, ...]:
    """Everything derived of the catalog, inputs before outputs.

    Raises
    ------
    GraphError
        See :func:`macro_assets.graph.check.checked`.
    """
    found = [
        *(_family(f, catalog) for f in catalog.families.values() if catalog.sources_of(f.name)),
        *(_indicator(i, catalog) for i in catalog.indicators.values()),
        *(_nowcast(m, catalog) for m in catalog.models.values()),
        *(_chart(c, catalog) for c in catalog.charts.values()),
    ]
    return checked(found, catalog)


def _family(family: Family, catalog: Catalog) -> Derivation:
    table = names.normalized(family.name)
    raws = {s.name: names.raw(s.name) for s in catalog.sources_of(family.name)}
    series = [s for source in raws for s in catalog.series_of(source)]
    compute = partial(
        normalized,
        table=table,
        raws=raws,
        decisions=INVALIDATIONS,
        scales=series_facts(series, "source", "scale"),
        facts=series_facts(series, "frequency", "transform"),
        min_history=cast("Mapping[str, int]", catalog.tables[table].parameters["min_history"]),
    )
    return Derivation((table,), {name: Table(name) for name in (*raws.values(), INVALIDATIONS)}, compute)


def _indicator(declared: Indicator, catalog: Catalog) -> Derivation:
    table = names.indicator(declared.name)
    ids = tuple(dict.fromkeys(s for c in declared.components for s in c.series))
    facts = series_facts((catalog.series[s] for s in ids), "frequency", "aggregation")
    unnamed = tuple(c.model_copy(update={"title": "", "unit": ""}) for c in declared.components)
    computed = declared.model_copy(update={"title": "", "components": unnamed})
    return Derivation((table,), {"known": Known(ids)}, partial(indicator, table=table, indicator=computed, facts=facts))


def _nowcast(declared: Model, catalog: Catalog) -> Derivation:
    forecasts, news = names.forecast(declared.name), names.news(declared.name)
    series = input_facts(declared, catalog)
    compute = partial(
        nowcast,
        forecasts=forecasts,
        news=news,
        news_columns=tuple(c.name for c in catalog.tables[news].columns),
        model=declared.model_copy(update={"title": "", "demo_partitions": ()}),
        series=series,
    )
    inputs = {"known": Known(tuple(series)), "before": Known(tuple(series), months_before=1)}
    return Derivation((forecasts, news), inputs, compute, grid="as_of", demo=declared.demo_partitions)


def _chart(declared: Chart, catalog: Catalog) -> Derivation:
    table = names.chart(declared.name)
    inputs: dict[str, Input] = {name: Table(name) for name in declared.inputs}
    if not inputs:
        inputs[OBSERVATIONS] = Known(declared.series)
    drawn = declared.model_copy(update={"description": ""})
    compute = partial(chart, table=table, chart=drawn, labels=labels_of(declared, catalog))
    drawing = (f"macro_assets.charts.{declared.name}", "macro_assets.charts.preview", "macro_assets.publishing.html")
    return Derivation((table,), inputs, compute, methods=drawing)
