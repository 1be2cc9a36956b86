"""References from one entry of the catalog to another that lead nowhere."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from macro_assets.catalog import names
from macro_assets.catalog.entries import Problem, nearest

if TYPE_CHECKING:
    from macro_assets.catalog.load import Catalog


def dangling(catalog: Catalog, stated: Collection[str]) -> Iterator[Problem]:
    """What is named and not declared; a series declared wrongly is declared: `stated` has these too."""
    yield from _series(catalog, stated)
    yield from _tables(catalog)
    for m in catalog.models.values():
        rival = catalog.models.get(m.benchmark) if m.benchmark else None
        if m.benchmark and rival is None:
            text = f"benchmark: model {m.benchmark!r} is not declared.{nearest(m.benchmark, catalog.models)}"
            yield Problem(catalog.origin("models", m.name), m.name, text)
        elif rival and (rival.target.series, rival.target.transform) != (m.target.series, m.target.transform):
            text = f"benchmark: {rival.name} forecasts {rival.target.series}, expected the target {m.target.series}"
            yield Problem(catalog.origin("models", m.name), m.name, f"{text} in the same transform")
    for s in catalog.series.values():
        for f in s.fallback:
            if f.source not in catalog.sources:
                yield Problem(catalog.origin("series", s.id), s.id, f"fallback: source {f.source!r} is not declared")
    for source in catalog.sources.values():
        if source.family not in catalog.families:
            text = f"family: {source.family!r} is not declared in families.yaml"
            yield Problem(catalog.origin("sources", source.name), source.name, text)
    yield from _views(catalog)


def _series(catalog: Catalog, stated: Collection[str]) -> Iterator[Problem]:
    named = [
        *(("indicators", i.name, "inputs", s) for i in catalog.indicators.values() for s in i.series),
        *(("models", m.name, "inputs", s) for m in catalog.models.values() for s in m.series),
        *(("charts", c.name, "of.series", s) for c in catalog.charts.values() for s in c.of.series),
        *(
            ("instruments", i.name, "price", s)
            for i in catalog.instruments.values()
            for s in (i.price, *i.others)
        ),
    ]  # fmt: skip
    for kind, name, field, series in named:
        if series not in stated:
            text = f"{field}: series {series!r} is not declared.{nearest(series, stated)}"
            yield Problem(catalog.origin(kind, name), name, text)


def _tables(catalog: Catalog) -> Iterator[Problem]:
    named = [
        *(("indicators", i.name, "inputs", t) for i in catalog.indicators.values() for t in i.tables),
        *(("charts", c.name, "of.tables", t) for c in catalog.charts.values() for t in c.of.tables),
    ]
    for kind, name, field, table in named:
        if table not in catalog.tables:
            text = f"{field}: {table!r} is no table of the catalog.{nearest(table, catalog.tables)}"
            yield Problem(catalog.origin(kind, name), name, text)


def _views(catalog: Catalog) -> Iterator[Problem]:
    file = "views.yaml"
    of_families = [t for f in catalog.families if (t := catalog.tables.get(names.normalized(f))) is not None]
    for v in catalog.views.values():
        if v.name in catalog.tables:
            yield Problem(file, v.name, "name: a table of tables.yaml has it")
        for table in of_families[:1]:
            for taken in set(v.taken.values()) - {c.name for c in table.columns}:
                yield Problem(file, v.name, f"takes: {taken!r} is no column of {table.name}")
