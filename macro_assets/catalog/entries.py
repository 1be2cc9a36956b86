"""Entries of the catalog's files to declarations, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from reprlib import Repr
from typing import Any, NamedTuple, TypeVar

from pydantic import ValidationError

from macro_assets.catalog.kinds.declaration import Declaration
from macro_assets.catalog.read import CatalogError, Entries

D = TypeVar("D", bound=Declaration)

_BRIEFLY = Repr()
_BRIEFLY.maxstring = _BRIEFLY.maxother = 120
_BRIEFLY.maxlevel = 3
"""How what came is told: an entry may be large."""


class Problem(NamedTuple):
    """What is wrong: in which file, with which entry of it (None: the file as a whole), in words, field first."""

    file: str
    entry: str | None
    text: str
    kind: str | None = None
    """'series', 'indicators', ... of an entry that is sound by itself, and that the catalog has to be rid of."""

    def __str__(self) -> str:
        return ": ".join(part for part in self[:3] if part is not None)

    @property
    def is_own(self) -> bool:
        """Whether it is of a file of the user's own: these are named by their whole path."""
        return Path(self.file).is_absolute()


def of_the_file(file: str, error: CatalogError) -> Problem:
    """What makes a file unreadable, as a problem of it."""
    return Problem(file, None, str(error).removeprefix(f"{file}: "))


def validated(kind: type[D], entry: Mapping[str, Any], file: str, name: str, problems: list[Problem]) -> D | None:
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
        got = (
            "" if e["type"] in ("missing", "extra_forbidden") or not e["loc"] else f" (got {_BRIEFLY.repr(e['input'])})"
        )
        texts.append(f"{where}: {e['msg']}{got}")
    return texts


def by_name(
    entries: Entries, kind: type[D], problems: list[Problem], key: str = "name", advice: str = ""
) -> dict[str, D]:
    """The declarations of entries by name; of two with one name the first, and advice about the second."""
    found: dict[str, D] = {}
    first: dict[str, str] = {}
    seen: dict[str, int] = {}
    for file, entry in entries:
        seen[file] = seen.get(file, 0) + 1
        name = str(entry.get(key) or f"entry {seen[file]}")
        declaration = validated(kind, entry, file, name, problems)
        if declaration is None:
            continue
        if name in found:
            problems.append(Problem(file, name, f"{key}: declared twice, first in {first[name]}{advice}"))
            continue
        found[name], first[name] = declaration, file
    return found


def nearest(name: str, among: Iterable[str]) -> str:
    """' Did you mean ...?' with the names most like one; nothing where none is."""
    from difflib import get_close_matches

    folded = {n.lower(): n for n in among}
    near = [folded[m] for m in get_close_matches(name.lower(), list(folded), n=3, cutoff=0.5)]
    return f" Did you mean {', '.join(near)}?" if near else ""


def origins(entries: Mapping[str, Entries], key: str = "name") -> dict[str, str]:
    """The file of each entry, by 'kind/name'; of two with one name that of the first."""
    return {f"{kind}/{e.get(key)}": file for kind, found in entries.items() for file, e in reversed(found)}
