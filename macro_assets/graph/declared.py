"""Catalog to derivations: the one list of everything derived, a dozen lines per kind.

The asset graph, staleness, reading as of a past instant and the benchmark's plain loop are made of this list. Belongs
here: which inputs and which facts of the catalog each computation gets, and what becomes of an entry that its room
refuses. Does not belong here: computing (it would be in no code version), storage, when to run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any, cast

from macro_assets.catalog import Catalog, Chart, Family, Indicator, Model, Score, names
from macro_assets.catalog.derive import holdings_frame, series_facts
from macro_assets.catalog.entries import Problem
from macro_assets.catalog.kinds.computed import Computed
from macro_assets.catalog.references import without
from macro_assets.charts.drawing import OBSERVATIONS
from macro_assets.charts.labels import labels_of
from macro_assets.graph.check import checked
from macro_assets.graph.compute.changes import changes
from macro_assets.graph.compute.chart import chart
from macro_assets.graph.compute.indicator import Link, indicator, real_time
from macro_assets.graph.compute.model import Declared, fit, forecasts, news
from macro_assets.graph.compute.normalized import normalized
from macro_assets.graph.derivation import Derivation, Fitted, Frames, Input, Known, Served, Table
from macro_assets.graph.entries import chart_module, computed_method, model_method
from macro_assets.graph.methods import MethodError
from macro_assets.lakehouse.raw import INVALIDATIONS


@dataclass(frozen=True)
class Graph:
    """Everything derived, inputs before outputs, of a catalog without the entries that their rooms refuse."""

    derivations: tuple[Derivation, ...]
    catalog: Catalog


def derivations(catalog: Catalog) -> tuple[Derivation, ...]:
    """Everything derived of the catalog, inputs before outputs. Raises as :func:`graph`."""
    return graph(catalog).derivations


def graph(catalog: Catalog) -> Graph:
    """The derivations of all entries that their rooms admit.

    Raises
    ------
    CatalogError
        When a room refuses an entry of the package; every problem is in the message. One of the user's own folder is
        left out, with what needs it, and told in the `refused` of the catalog.
    GraphError
        See :func:`macro_assets.graph.check.checked`.
    """
    while True:
        found: list[Derivation] = []
        problems: list[Problem] = []
        for kind, entries, build in _kinds(catalog):
            for entry in entries:
                try:
                    found += build(entry, catalog)
                except MethodError as error:
                    problems.append(Problem(catalog.origin(kind, entry.name), entry.name, str(error), kind))
        if not problems:
            return Graph(checked(found, catalog), catalog)
        catalog = without(catalog, problems)


def _kinds(catalog: Catalog) -> Iterator[tuple[str, Sequence[Any], Callable[[Any, Catalog], Sequence[Derivation]]]]:
    yield "families", [f for f in catalog.families.values() if catalog.sources_of(f.name)], _family
    yield "indicators", list(catalog.indicators.values()), _indicator
    yield "scores", list(catalog.scores.values()), _score
    yield "models", list(catalog.models.values()), _model
    yield "charts", list(catalog.charts.values()), _chart


def _family(family: Family, catalog: Catalog) -> Sequence[Derivation]:
    table = names.normalized(family.name)
    series = [s for s in catalog.series.values() if catalog.sources[s.source].family == family.name]
    tables = {h.table: None for s in series for h in catalog.holdings(s.id)}
    raws = [names.raw(s) for s in catalog.sources if s in tables or catalog.sources[s].family == family.name]
    served = Served(tuple(s.id for s in series), (*raws, INVALIDATIONS))
    compute = partial(
        normalized,
        table=table,
        holdings=holdings_frame(catalog, served.series).select("series_id", "provider", "source", "scale", "unit"),
        facts=series_facts(series, "frequency", "transform"),
        min_history=cast("Mapping[str, int]", catalog.tables[table].parameters["min_history"]),
    )
    return [Derivation((table,), {"served": served}, compute)]


def _indicator(declared: Indicator, catalog: Catalog) -> Sequence[Derivation]:
    found = [_computed("indicators", declared, catalog)]
    if declared.real_time:
        found.append(_real_time(declared, catalog))
    if declared.changes:
        found.append(_changes(declared, catalog))
    return found


def _score(declared: Score, catalog: Catalog) -> Sequence[Derivation]:
    return [_computed("scores", declared, catalog)]


def _computed(kind: str, declared: Computed, catalog: Catalog) -> Derivation:
    link = _link(kind, declared, catalog)
    inputs: dict[str, Input] = {name: Table(name) for name in declared.tables}
    if declared.series:
        inputs["known"] = Known(declared.series)
    compute = partial(indicator, link=link)
    return Derivation((link.table,), inputs, compute, methods=(link.method,), is_dated=declared.chronology)


def _link(kind: str, declared: Computed, catalog: Catalog) -> Link:
    module, parameters, facts = computed_method(kind, declared, catalog)
    recessions = catalog.recessions if declared.chronology else None
    return Link(f"{kind}/{declared.name}", module.__name__, parameters, facts, declared.tables, recessions)


def _real_time(declared: Indicator, catalog: Catalog) -> Derivation:
    table = names.real_time(declared.name)
    periods = cast("int", catalog.tables[table].parameters["periods"])
    return _along_chain(declared, catalog, partial(real_time, table=table, periods=periods))


def _changes(declared: Indicator, catalog: Catalog) -> Derivation:
    return _along_chain(declared, catalog, partial(changes, table=names.changes(declared.name)), {"before": 1})


def _along_chain(
    declared: Indicator, catalog: Catalog, compute: partial[Frames], before: Mapping[str, int] = MappingProxyType({})
) -> Derivation:
    """What is computed on the as-of grid from the series of the indicators that one is made of.

    `before` are inputs of the same series as known some months earlier.
    """
    made_of = _chain(declared, catalog)
    chain = tuple(_link("indicators", i, catalog) for i in made_of)
    series = tuple(dict.fromkeys(s for i in made_of for s in i.series))
    needed = {s for i in made_of for s in i.series if s not in i.optional}
    limits = {s: catalog.series[s].staleness_days for s in series if s in needed}
    return Derivation(
        (compute.keywords["table"],),
        {"known": Known(series)} | {key: Known(series, months) for key, months in before.items()},
        partial(compute, chain=chain, limits=limits),
        methods=tuple(link.method for link in chain),
        grid="as_of",
        demo=declared.demo,
    )


def _chain(declared: Indicator, catalog: Catalog, above: tuple[str, ...] = ()) -> list[Indicator]:
    """The indicators that one is made of, each after those that it reads, and itself last."""
    found: dict[str, Indicator] = {}
    for table in declared.tables:
        layer, _, name = table.partition("/")
        if layer != "indicators" or name not in catalog.indicators or name in above:
            raise MethodError(
                f"real_time: {table} is not known as of past instants; expected inputs that are series, or indicators "
                "made of them"
            )
        found |= {i.name: i for i in _chain(catalog.indicators[name], catalog, (*above, declared.name))}
    return [*found.values(), declared]


def _model(declared: Model, catalog: Catalog) -> Sequence[Derivation]:
    module, parameters, specification = model_method(declared, catalog)
    model = Declared(module.__name__, specification, parameters)
    known, before = Known(declared.series), Known(declared.series, months_before=1)
    fits, made = names.fits(declared.name), names.forecast(declared.name)
    holding = Fitted(fits, declared.refit_months)
    on_grid = partial(
        Derivation,
        methods=(model.method,),
        grid="as_of",
        demo=declared.backtest.demo,
        first=declared.backtest.first,
    )
    found = [
        on_grid((fits,), {"known": known}, partial(fit, table=fits, model=model), refits=declared.refit_months),
        on_grid(
            (made, names.diagnostics(declared.name)),
            {"known": known, "fit": holding},
            partial(forecasts, table=made, diagnostics=names.diagnostics(declared.name), model=model),
            paths={made: names.path(declared.name)},
        ),
    ]
    if declared.news:
        table, held_before = names.news(declared.name), Fitted(fits, declared.refit_months, months_before=1)
        inputs: dict[str, Input] = {"known": known, "before": before, "fit": holding, "fit_before": held_before}
        found.append(on_grid((table,), inputs, partial(news, table=table, model=model)))
    return found


def _chart(declared: Chart, catalog: Catalog) -> Sequence[Derivation]:
    module = chart_module(declared, catalog)
    inputs: dict[str, Input] = {name: Table(name) for name in declared.of.tables}
    if series := declared.of.series or _behind(declared, catalog):
        inputs[OBSERVATIONS] = Known(series)
    drawn = declared.model_copy(update={"description": ""})
    compute = partial(chart, table=names.chart(declared.name), chart=drawn, labels=labels_of(declared, catalog))
    drawing = (module, "macro_assets.charts.preview", "macro_assets.publishing.html")
    return [Derivation((names.chart(declared.name),), inputs, compute, methods=drawing, is_dated=True)]


def _behind(declared: Chart, catalog: Catalog) -> tuple[str, ...]:
    """Series behind the tables of a chart that are of today; those of as-of months say themselves who served them."""
    tables = (t for t in declared.of.tables if not catalog.tables[t].as_of_partitioned)
    return tuple(dict.fromkeys(s for t in tables for s in catalog.series_behind(t)))
