"""Entries of things with columns: tables, of templates and shapes too, and views.

A template is a table whose name ends in `{source}`, `{family}`, `{indicator}`, `{score}`, `{model}` or `{chart}`: it
stands once for each. A shape is columns and a key under a name; a table that names it has these after its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from macro_assets.catalog.entries import Problem, nearest, validated
from macro_assets.catalog.kinds.table import Column, Table
from macro_assets.catalog.read import Entries, listed, read_document, read_entries
from macro_assets.catalog.references import in_use

if TYPE_CHECKING:
    from macro_assets.catalog.load import Catalog

_FILE = "tables.yaml"
_LISTS = ("key", "columns", "nullable", "rules")
"""Fields that a table and its shape both have: the table's come first."""


class _Stated(NamedTuple):
    """A table's entry, and what is to blame where it is wrong: the template, or the entry that chose its shape."""

    entry: dict[str, Any]
    shape: Any
    blamed: Problem


def view_entries(folder: Path | Traversable, columns: Mapping[str, Column], problems: list[Problem]) -> Entries:
    """Entries of the views."""
    file = "views.yaml"
    return [
        (file, _with_columns(e, columns, Problem(file, str(e.get("name")), ""), problems))
        for _, e in read_entries(folder, file, "views")
    ]


def tables_of(
    catalog: Catalog, folder: Path | Traversable, columns: Mapping[str, Column], problems: list[Problem]
) -> dict[str, Table]:
    """The tables by name, those of a template once for each entry of the catalog that it is for."""
    shapes = {str(s.get("name")): s for s in listed(read_document(folder, _FILE), "shapes", _FILE)}
    found: dict[str, Table] = {}
    for _, stated in read_entries(folder, _FILE, "tables"):
        for entry, shape, blamed in _of_each(stated, catalog):
            if shape is not None and shape not in shapes:
                text = f"shape: {shape!r} is not declared in {_FILE}.{nearest(str(shape), shapes)}"
                problems.append(blamed._replace(text=text))
                continue
            of_shape = shapes[shape] if shape is not None else {}
            merged = {**entry, **{f: _both(f, entry, of_shape) for f in _LISTS}}
            name, wrong = str(entry.get("name")), list[Problem]()
            full = _with_columns(merged, columns, blamed, problems)
            table = validated(Table, full, _FILE, name, wrong)
            if blamed.kind is not None:  # the shape that an entry chose fits not
                wrong = [blamed._replace(text=f"shape: {shape} makes no table {name}: {p.text}") for p in wrong]
            problems += wrong
            if table is not None and name in found:
                problems.append(Problem(_FILE, name, "name: declared twice"))
            elif table is not None:
                found[name] = table
    return found


def _both(field: str, *entries: Mapping[str, Any]) -> Any:
    """What entries have in a list, one after the other; of one that has none there, what it has."""
    values = [entry.get(field, []) for entry in entries]
    wrong = [v for v in values if not isinstance(v, list)]
    return wrong[0] if wrong else [v for value in values for v in value]


def _each(word: str, catalog: Catalog) -> tuple[str, Sequence[Any]] | None:
    """Kind and entries that a template of `{word}` stands for."""
    match word:
        case "source":
            return "sources", list(catalog.sources.values())
        case "family":
            return "families", [catalog.families[f] for f in in_use(catalog)]
        case "indicator":
            return "indicators", list(catalog.indicators.values())
        case "score":
            return "scores", list(catalog.scores.values())
        case "model":
            return "models", list(catalog.models.values())
        case "chart":
            return "charts", list(catalog.charts.values())
    return None


def _of_each(stated: dict[str, Any], catalog: Catalog) -> Iterator[_Stated]:
    """The entry for each item of its template; by itself if it is none."""
    name = str(stated.get("name"))
    blamed = Problem(_FILE, name, "")
    entry = {k: v for k, v in stated.items() if k not in ("of", "shape")}
    word = found[1] if (found := re.search(r"\{(\w+)\}$", name)) else ""
    items = _each(word, catalog)
    if items is None:
        yield _Stated(entry, stated.get("shape"), blamed)
        return
    kind, every = items
    for item in every:
        if (condition := stated.get("of")) and not getattr(item, condition):
            continue
        told = {k: _told(v, word, item) if isinstance(v, str) else v for k, v in entry.items()}
        shape = stated.get("shape")
        if not isinstance(shape, str) or "{" not in shape:
            yield _Stated(told, shape, blamed)
            continue
        rules = {"rules": [r.model_dump() for r in getattr(item, "rules", ())]}  # on the rows of the shape it chose
        own = Problem(catalog.origin(kind, item.name), item.name, "", kind)
        yield _Stated({**told, "rules": _both("rules", told, rules)}, _told(shape, word, item), own)


def _told(text: str, word: str, item: Any) -> str:
    """A text with `{word}` for the item's name and `{word.a.b}` for what its entry says."""

    def said(found: re.Match[str]) -> str:
        value = item
        for field in (found[1] or ".name").strip(".").split("."):
            value = getattr(value, field)
        return str(value)

    return re.sub(rf"\{{{word}((?:\.\w+)*)\}}", said, text)


def _with_columns(
    entry: Mapping[str, Any], columns: Mapping[str, Column], blamed: Problem, problems: list[Problem]
) -> dict[str, Any]:
    """An entry with the names of its columns replaced by the columns."""
    named, nullable = (_names(entry.get(f, []), f, blamed, problems) for f in ("columns", "nullable"))
    wrong = [f"columns: {c!r} is not in columns.yaml.{nearest(c, columns)}" for c in named if c not in columns]
    wrong += [f"nullable: {c!r} is not among its columns" for c in nullable if c not in named]
    problems += (blamed._replace(text=text) for text in wrong)
    full = [{**columns[c].model_dump(), "nullable": c in nullable} for c in named if c in columns]
    return {**{k: v for k, v in entry.items() if k != "nullable"}, "columns": full}


def _names(value: object, field: str, blamed: Problem, problems: list[Problem]) -> list[str]:
    """A list of names; none, and a problem, where it is something else."""
    if isinstance(value, list) and all(isinstance(n, str) for n in value):
        return value
    problems.append(blamed._replace(text=f"{field}: expected a list of names (got {value!r})"))
    return []
