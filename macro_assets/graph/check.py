"""The list of derivations held to its rules, and put in order: inputs before outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from macro_assets.catalog import Catalog, names
from macro_assets.graph.derivation import Derivation, Fitted, Grid, Known


class GraphError(ValueError):
    """The graph cannot be: the message names the derivation, what it asks for, and what is wrong with it."""


def checked(found: Sequence[Derivation], catalog: Catalog) -> tuple[Derivation, ...]:
    """The derivations, inputs before outputs.

    Raises
    ------
    GraphError
        When a table is made twice or is not declared, an input is no series and no table, an as-of table reads one that
        holds later knowledge, a declared shape is of another grid, or tables depend on each other in a circle.
    """
    made: dict[str, Derivation] = {}
    for derivation in found:
        for table in derivation.tables:
            if table in made:
                raise GraphError(f"table {table} is computed by two derivations; expected one")
            if table not in catalog.tables:
                text = f"table {table} is computed, but the catalog does not declare it: add it to tables.yaml"
                raise GraphError(text)
            if catalog.tables[table].as_of_partitioned != (derivation.grid == "as_of"):
                shape = "as-of partitioned" if catalog.tables[table].as_of_partitioned else "not partitioned"
                made_on = "on the as-of grid" if derivation.grid else "without a grid"
                text = f"table {table} is declared {shape}, but computed {made_on}; expected the same shape"
                raise GraphError(text)
            made[table] = derivation
    for derivation in found:
        _refuse_strangers(derivation, made, catalog)
    return _ordered(found, made, catalog)


def _refuse_strangers(derivation: Derivation, made: Mapping[str, Derivation], catalog: Catalog) -> None:
    name = derivation.tables[0]
    for series in derivation.series:
        if series not in catalog.series:
            raise GraphError(f"{name} reads the series {series!r}, which the catalog does not declare")
    for key, given in derivation.inputs.items():
        if isinstance(given, Known | Fitted) and given.months_before and derivation.grid is None:
            text = f"{name} reads {key} of {given.months_before} months before, but has no as-of months"
            raise GraphError(text)
    for table in derivation.upstream:
        if table not in catalog.tables:
            raise GraphError(f"{name} reads {table!r}, which is no table of the catalog")
        if derivation.grid == "as_of" and (table not in made or made[table].grid != "as_of"):
            text = f"{name} is computed as of a month, but reads {table}, which holds what is known today. Expected "
            raise GraphError(f"{text}series, or tables of the as-of grid")


def parents(derivation: Derivation, catalog: Catalog) -> tuple[str, ...]:
    """Tables that a derivation depends on: those it reads by name, and those of its series' families."""
    families = map(names.normalized, catalog.families_of(derivation.series))
    return tuple(dict.fromkeys([*derivation.upstream, *families]))


def _ordered(found: Sequence[Derivation], made: Mapping[str, Derivation], catalog: Catalog) -> tuple[Derivation, ...]:
    above = {d.tables[0]: {made[t].tables[0] for t in parents(d, catalog) if t in made} for d in found}
    try:
        TopologicalSorter(above).prepare()
    except CycleError as error:
        circle = error.args[1]
        raise GraphError(f"tables depend on each other in a circle: {' <- '.join(circle)}") from None
    ordered: dict[str, Derivation] = {}
    while len(ordered) < len(found):  # the first of the list that may come next, so that the list's order is kept
        waiting = (d for d in found if d.tables[0] not in ordered)
        following = next(d for d in waiting if above[d.tables[0]] <= ordered.keys())
        ordered[following.tables[0]] = following
    return tuple(ordered.values())


def levels(ordered: Sequence[Derivation], catalog: Catalog) -> list[list[Derivation]]:
    """Derivations by depth: what a level reads is made by the levels before it, or is no derivation's.

    Tables of the as-of grid that read each other's months are of one level, in their order.
    """
    depth: dict[str, int] = {}
    grids: dict[str, Grid | None] = {}
    found: list[list[Derivation]] = []
    for derivation in ordered:
        above = [t for t in parents(derivation, catalog) if t in depth]
        together = derivation.grid is not None
        level = max((depth[t] + (not (together and grids[t])) for t in above), default=0)
        depth |= dict.fromkeys(derivation.tables, level)
        grids |= dict.fromkeys(derivation.tables, derivation.grid)
        found += [[] for _ in range(level + 1 - len(found))]
        found[level].append(derivation)
    return found


def pieces(ordered: Sequence[Derivation]) -> list[tuple[Derivation, ...]]:
    """What is computed in one step: a derivation by itself, one of the as-of grid with all it is connected to."""
    found: list[list[Derivation]] = []
    for derivation in ordered:
        read = set(derivation.upstream)
        joined = [p for p in found if derivation.grid and p[0].grid and any(read & set(d.tables) for d in p)]
        found = [p for p in found if p not in joined]
        found.append([d for p in joined for d in p] + [derivation])
    return [tuple(p) for p in found]
