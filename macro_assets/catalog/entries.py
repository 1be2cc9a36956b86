"""Entries of the catalog's files to declarations, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, TypeVar

from pydantic import ValidationError

from macro_assets.catalog.kinds.declaration import Declaration
from macro_assets.catalog.read import Entries

D = TypeVar("D", bound=Declaration)


class Problem(NamedTuple):
    """What is wrong: in which file, with which entry of it (None: the file as a whole), in words."""

    file: str
    entry: str | None
    text: str

    def __str__(self) -> str:
        return ": ".join(part for part in self if part is not None)


def validated(kind: type[D], entry: dict[str, Any], file: str, name: str, problems: list[Problem]) -> D | None:
    """The declaration of an entry; None, and problems, where it is none."""
    try:
        return kind.model_validate(entry)
    except ValidationError as error:
        problems += (Problem(file, name, text) for text in complaints(error))
        return None


def complaints(error: ValidationError) -> list[str]:
    """What a declaration was refused for: field, what was expected, what came."""
    texts = []
    for e in error.errors():
        where = ".".join(str(part) for part in e["loc"]) or "entry"
        got = "" if e["type"] in ("missing", "extra_forbidden") or not e["loc"] else f" (got {e['input']!r})"
        texts.append(f"{where}: {e['msg']}{got}")
    return texts


def by_name(entries: Entries, kind: type[D], problems: list[Problem], key: str = "name") -> dict[str, D]:
    """The declarations of entries by name; of two with one name the first."""
    found: dict[str, D] = {}
    for position, (file, entry) in enumerate(entries, start=1):
        name = str(entry.get(key) or f"entry {position}")
        declaration = validated(kind, entry, file, name, problems)
        if declaration is None:
            continue
        if name in found:
            text = f"{key}: declared twice; a {kind.__name__.lower()} needs a name of its own"
            problems.append(Problem(file, name, text))
            continue
        found[name] = declaration
    return found


def nearest(name: str, among: Iterable[str]) -> str:
    """' Did you mean ...?' with the names most like one; nothing where none is."""
    from difflib import get_close_matches

    folded = {n.lower(): n for n in among}
    near = [folded[m] for m in get_close_matches(name.lower(), list(folded), n=3, cutoff=0.5)]
    return f" Did you mean {', '.join(near)}?" if near else ""


def origins(entries: Mapping[str, Entries], key: str = "name") -> dict[str, str]:
    """The file of each entry, by 'kind/name'."""
    return {f"{kind}/{e.get(key)}": file for kind, found in entries.items() for file, e in reversed(found)}
