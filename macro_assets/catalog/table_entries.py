"""Entries of things with columns: tables, of templates and shapes too, and views.

A template is a table whose name ends in `{source}`, `{family}`, `{indicator}`, `{model}` or `{chart}`: it stands once
for each. A shape is columns and a key under a name; a table that names it has these after its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Protocol

from macro_assets.catalog.entries import Problem, nearest
from macro_assets.catalog.kinds.table import Column
from macro_assets.catalog.read import Entries, listed, read_document, read_entries


class Named(Protocol):
    """An entry that tables are named after."""

    @property
    def name(self) -> str: ...


_LISTS = ("key", "columns", "nullable", "rules")
"""Fields that a table and its shape both have: the table's come first."""


def view_entries(folder: Path | Traversable, columns: Mapping[str, Column], problems: list[Problem]) -> Entries:
    """Entries of the views."""
    return [_with_columns(f, e, columns, problems) for f, e in read_entries(folder, "views.yaml", "views")]


def table_entries(
    folder: Path | Traversable,
    columns: Mapping[str, Column],
    each: Mapping[str, Iterable[Named]],
    origins: Mapping[str, str],
    problems: list[Problem],
) -> Entries:
    """Entries of the tables; those of a template once for each item.

    Parameters
    ----------
    each
        Sources, families and so on, by the word that templates name them by.
    origins
        File of each item, by 'words/name', where its entry is to blame for a shape that there is not.
    """
    file = "tables.yaml"
    shapes = {str(s.get("name")): s for s in listed(read_document(folder, file), "shapes", file)}
    entries: Entries = []
    for _, entry in read_entries(folder, file, "tables"):
        for item_file, stated in _of_each(entry, each, origins, file):
            shape = stated.pop("shape", None)
            if shape is not None and shape not in shapes:
                name = str(stated["name"]).partition("/")[2] if item_file != file else str(stated["name"])
                text = f"shape: {shape!r} is not declared in {file}.{nearest(shape, shapes)}"
                problems.append(Problem(item_file, name, text))
                continue
            of_shape = shapes.get(str(shape), {})
            merged = {**stated, **{f: [*_list(stated, f), *_list(of_shape, f)] for f in _LISTS}}
            entries.append(_with_columns(file, merged, columns, problems, str(entry.get("name"))))
    return entries


def _list(entry: Mapping[str, Any], field: str) -> list[Any]:
    value = entry.get(field, [])
    return value if isinstance(value, list) else [value]


def _of_each(
    entry: dict[str, Any], each: Mapping[str, Iterable[Named]], origins: Mapping[str, str], file: str
) -> Iterable[tuple[str, dict[str, Any]]]:
    """The entry for each item of its template, with the file that states the item; by itself if it is none."""
    word = str(entry.get("name")).partition("/")[2].strip("{}")
    if f"{{{word}}}" not in str(entry.get("name")) or word not in each:
        yield file, dict(entry)
        return
    condition = entry.get("of")
    for item in each[word]:
        if condition and not getattr(item, condition):
            continue
        told = {k: _told(v, word, item) if isinstance(v, str) else v for k, v in entry.items() if k != "of"}
        rules = [r.model_dump() for r in getattr(item, "rules", ())]
        yield origins.get(f"{word}s/{item.name}", file), {**told, "rules": [*_list(told, "rules"), *rules]}


def _told(text: str, word: str, item: Named) -> str:
    """A text with `{word}` for the item's name and `{word.a.b}` for what its entry says."""

    def said(found: re.Match[str]) -> str:
        value: Any = item
        for field in (found[1] or ".name").strip(".").split("."):
            value = getattr(value, field)
        return str(value)

    return re.sub(rf"\{{{word}((?:\.\w+)*)\}}", said, text)


def _with_columns(
    file: str,
    entry: dict[str, Any],
    columns: Mapping[str, Column],
    problems: list[Problem],
    told: str | None = None,
) -> tuple[str, dict[str, Any]]:
    """An entry with the names of its columns replaced by the columns; `told` is the name that problems say."""
    name = told or str(entry.get("name"))
    named, nullable = (_names(entry.pop(f, []), f, file, name, problems) for f in ("columns", "nullable"))
    problems += (Problem(file, name, f"columns: {c!r} is not in columns.yaml") for c in named if c not in columns)
    problems += (Problem(file, name, f"nullable: {c!r} is not among its columns") for c in nullable if c not in named)
    entry["columns"] = [{**columns[c].model_dump(), "nullable": c in nullable} for c in named if c in columns]
    return file, entry


def _names(value: object, field: str, file: str, name: str, problems: list[Problem]) -> list[str]:
    """A list of names; none, and a problem, where it is something else."""
    if isinstance(value, list) and all(isinstance(n, str) for n in value):
        return value
    problems.append(Problem(file, name, f"{field}: expected a list of names (got {value!r})"))
    return []
