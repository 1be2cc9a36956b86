"""What an entry of the catalog says of another: whether it is there, and what goes with one that is not."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from macro_assets.catalog import names
from macro_assets.catalog.entries import Problem, nearest
from macro_assets.catalog.read import CatalogError

if TYPE_CHECKING:
    from macro_assets.catalog.kinds.series import Holder, Series
    from macro_assets.catalog.load import Catalog


class Reference(NamedTuple):
    """An entry of a kind that names another in one of its fields."""

    kind: str
    name: str
    field: str
    to: str
    named: str


_ONE = {"series": "series", "tables": "table", "models": "model", "sources": "source", "families": "family"}


def without(catalog: Catalog, problems: Iterable[Problem]) -> Catalog:
    """A catalog without the entries of the user's own that have problems, and without what needs them.

    Raises
    ------
    CatalogError
        When an entry of the package has one: nothing of the package is left out.
    """
    new = list(problems)
    while new:
        refuse([p for p in new if not p.is_own])
        rest = _dropped(catalog, new)
        catalog = replace(rest, refused=(*catalog.refused, *new, *_lost(catalog, rest)))
        new = list(dangling(catalog))
    return catalog


def refuse(problems: Collection[Problem]) -> None:
    """Raise a CatalogError that has all problems, if there are any."""
    if problems:
        raise CatalogError("the catalog is broken:\n  " + "\n  ".join(dict.fromkeys(map(str, problems))))


def in_use(catalog: Catalog) -> tuple[str, ...]:
    """Families that have a source."""
    return tuple(f for f in catalog.families if catalog.sources_of(f))


def _dropped(catalog: Catalog, problems: Iterable[Problem]) -> Catalog:
    gone: dict[str, set[str | None]] = {}
    for p in problems:
        if p.kind is not None and catalog.origin(p.kind, str(p.entry)) == p.file:  # else another file's of that name
            gone.setdefault(p.kind, set()).add(p.entry)
    changed: dict[str, Any] = {
        kind: {n: entry for n, entry in getattr(catalog, kind).items() if n not in entries}
        for kind, entries in gone.items()
    }
    rest: Catalog = replace(catalog, **changed)
    copies = tuple(c for c in rest.copies if c.id in rest.series and c.source in rest.sources)
    there = {kind: in_use(rest) if kind == "families" else getattr(rest, kind) for kind in names.LAYERS}
    tables = {
        n: table
        for n, table in rest.tables.items()
        if (entry := names.entry_of(n)) is None or entry[1] in there[entry[0]]
    }
    return replace(rest, tables=tables, copies=copies)


def _lost(before: Catalog, after: Catalog) -> Iterator[Problem]:
    """Copies of series that went, of sources that stay."""
    for copy in before.copies:
        if copy.id not in after.series and copy.source in after.sources:
            text = f"of: series {copy.id!r} is left out"
            yield Problem(before.origin("sources", copy.source), f"of: {copy.id}", text)


def dangling(catalog: Catalog) -> Iterator[Problem]:
    """What is named and not there, or fits not: each is a problem of the entry that names it.

    An entry of the package that names one declared wrongly is sound: the problem is that one's.
    """
    for r in _references(catalog):
        if r.named not in getattr(catalog, r.to):
            yield from absent(catalog, r, catalog.origin(r.kind, r.name))
    yield from _ids(catalog)
    yield from _folders(catalog)
    yield from _identities(catalog)
    yield from _licences(catalog)
    yield from _circles(catalog)
    yield from _benchmarks(catalog)
    yield from _views(catalog)


def absent(catalog: Catalog, r: Reference, file: str) -> Iterator[Problem]:
    """What an entry of a file is told of one that it names and that is not there."""
    text = f"is not declared.{nearest(r.named, getattr(catalog, r.to))}"
    if left_out := _is_left_out(catalog, r):
        text = "is left out"
    problem = Problem(file, r.name, f"{r.field}: {_ONE[r.to]} {r.named!r} {text}", r.kind)
    if problem.is_own or not left_out:
        yield problem


def _problem(catalog: Catalog, kind: str, name: str, text: str) -> Problem:
    return Problem(catalog.origin(kind, name), name, text, kind)


def _ids(catalog: Catalog) -> Iterator[Problem]:
    """Series named as a column of what has their figures: side by side one hides the other, SQL knows no capitals."""
    columns = {c.name: t.name for t in catalog.tables.values() if t.layer in ("raw", "normalized") for c in t.columns}
    for s in catalog.series.values():
        if (table := columns.get(s.id.lower())) is not None:
            yield _problem(catalog, "series", s.id, f"id: a column of {table} has this name; expected another")


def _folders(catalog: Catalog) -> Iterator[Problem]:
    """A folder's files hold what its own file says, not what another's entry says of them."""
    for s in catalog.series.values():
        for holder in s.holders:
            if (source := catalog.sources.get(holder.source)) is not None and source.folder is not None:
                text = f"holders: {source.name} is a folder; state `of: {s.id}` in its file instead"
                yield _problem(catalog, "series", s.id, text)


def _identities(catalog: Catalog) -> Iterator[Problem]:
    """Series are added up where they stand together: in the normalized table of their family, in one unit."""
    for s in catalog.series.values():
        for part in (p for i in s.identities for p in (*i.plus, *i.minus) if p in catalog.series):
            other = catalog.series[part]
            family, its = (catalog.sources[x.source].family for x in (s, other) if x.source in catalog.sources)
            if (family, s.frequency, s.unit) != (its, other.frequency, other.unit):
                text = f"identities: {part!r} is of another family, frequency or unit: they cannot be added up"
                yield _problem(catalog, "series", s.id, text)


def _licences(catalog: Catalog) -> Iterator[Problem]:
    """Licences of the package that the register has not, and who says what it says."""
    for s in catalog.series.values():
        at = Problem(catalog.origin("series", s.id), s.id, "", "series")
        yield from _licence(catalog, s, at)
        for holder in s.holders:
            yield from _licence(catalog, holder, at)
    for copy in catalog.copies:
        yield from _licence(catalog, copy, Problem(catalog.origin("sources", copy.source), f"of: {copy.id}", ""))


def _licence(catalog: Catalog, stated: Series | Holder, at: Problem) -> Iterator[Problem]:
    licence, is_told = stated.licence, stated.redistributable is not None
    if licence in catalog.licences and is_told:
        yield at._replace(text="redistributable: licences.yaml says it of this licence; leave it out")
    if not (licence is None or licence in catalog.licences or is_told or at.is_own):
        near = nearest(licence, catalog.licences)
        yield at._replace(text=f"licence: {licence!r} is not in licences.yaml.{near}")


def _is_left_out(catalog: Catalog, reference: Reference) -> bool:
    """Whether what is named stands in a file, but was not taken up."""
    kind, name = names.entry_of(reference.named) or ("", "") if reference.to == "tables" else reference[3:]
    return f"{kind}/{name}" in catalog.origins and name not in getattr(catalog, kind)


def _references(catalog: Catalog) -> Iterator[Reference]:
    for s in catalog.series.values():
        yield Reference("series", s.id, "source", "sources", s.source)
        yield from (Reference("series", s.id, "holders", "sources", h.source) for h in s.holders)
        parts = (part for i in s.identities for part in (*i.plus, *i.minus))
        yield from (Reference("series", s.id, "identities", "series", part) for part in parts)
    for source in catalog.sources.values():
        yield Reference("sources", source.name, "family", "families", source.family)
    for kind, computed in (("indicators", catalog.indicators), ("scores", catalog.scores)):
        for i in computed.values():
            yield from (Reference(kind, i.name, "inputs", "series", s) for s in i.series)
            yield from (Reference(kind, i.name, "inputs", "tables", t) for t in i.tables)
    for m in catalog.models.values():
        yield from (Reference("models", m.name, "inputs", "series", s) for s in m.series)
        if m.benchmark:
            yield Reference("models", m.name, "benchmark", "models", m.benchmark)
    for c in catalog.charts.values():
        yield from (Reference("charts", c.name, "of.series", "series", s) for s in c.of.series)
        yield from (Reference("charts", c.name, "of.tables", "tables", t) for t in c.of.tables)
    for instrument in catalog.instruments.values():
        priced = (instrument.price, *instrument.others)
        yield from (Reference("instruments", instrument.name, "price", "series", s) for s in priced)


def _circles(catalog: Catalog) -> Iterator[Problem]:
    """Indicators, scores and charts that are made of themselves."""
    above = {("indicators", i.name): i.tables for i in catalog.indicators.values()}
    above |= {("scores", s.name): s.tables for s in catalog.scores.values()}
    above |= {("charts", c.name): c.of.tables for c in catalog.charts.values()}
    for kind, name in above:
        waiting = list(above[kind, name])
        through: dict[tuple[str, str], str] = {}
        while waiting:
            table = waiting.pop()
            entry = names.entry_of(table)
            if entry is not None and entry in above and entry not in through:
                through[entry] = table
                waiting += above[entry]
        if (kind, name) in through:
            field = "of.tables" if kind == "charts" else "inputs"
            text = f"{field}: it would be made of itself, through {', '.join(through.values())}"
            yield _problem(catalog, kind, name, text)


def _benchmarks(catalog: Catalog) -> Iterator[Problem]:
    """Models whose benchmark forecasts something else."""
    for m in catalog.models.values():
        if (rival := catalog.models.get(m.benchmark or "")) is None:
            continue
        wanted, got = (f"{t.series} in {', '.join(s.name for s in t.transform)}" for t in (m.target, rival.target))
        if (rival.target.series, rival.target.transform) != (m.target.series, m.target.transform):
            text = f"benchmark: {rival.name} forecasts {got}, expected the target {wanted}"
            yield _problem(catalog, "models", m.name, text)


def _views(catalog: Catalog) -> Iterator[Problem]:
    file = "views.yaml"
    of_families = [t for f in catalog.families if (t := catalog.tables.get(names.normalized(f))) is not None]
    for v in catalog.views.values():
        if v.name in catalog.tables:
            yield Problem(file, v.name, "name: a table of tables.yaml has it")
        for table in of_families[:1]:
            for taken in set(v.taken.values()) - {c.name for c in table.columns}:
                yield Problem(file, v.name, f"takes: {taken!r} is no column of {table.name}")
