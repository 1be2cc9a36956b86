"""Entries of the catalog's files to declarations, and what is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from reprlib import Repr
from typing import Any, NamedTuple, TypeVar

from pydantic import ValidationError

from macro_assets.catalog.kinds.declaration import Declaration
from macro_assets.catalog.read import CatalogError, Entries
from macro_assets.catalog.wording import shortened

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
        return ": ".join(shortened(part, 1000) for part in self[:3] if part is not None)

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


def nearest(name: str, among: Iterable[str], titles: Mapping[str, str] | None = None) -> str:
    """' Did you mean ...?' with the three names most like one; nothing where none is.

    Those that end alike come first, then those whose titles speak of it, then those alike as a whole.
    """
    from difflib import get_close_matches

    folded, titles = {n.lower(): n for n in among}, titles or {}
    asked = name.lower()
    ends = {n: n.rpartition("/")[2] for n in folded}
    end = asked.rpartition("/")[2]
    alike = set(get_close_matches(end, ends.values(), n=10, cutoff=0.8)) | {
        e for e in ends.values() if f"{end}_".startswith(f"{e}_") or f"{e}_".startswith(f"{end}_")
    }
    by_end = [n for n, e in ends.items() if e in alike]
    by_end.sort(key=lambda n: (-_likeness(end, ends[n]), -_likeness(asked, n)))
    spoken = _of_titles(end, {n: titles[told] for n, told in folded.items() if told in titles})
    by_title = sorted(spoken, key=lambda n: (-spoken[n], len(titles[folded[n]]), -_likeness(asked, n)))
    near = dict.fromkeys([*by_end, *by_title, *get_close_matches(asked, list(folded), n=3, cutoff=0.5)])
    told = [folded[n] for n in near][:3]
    return f" Did you mean {', '.join(_titled(n, titles) for n in told)}?" if told else ""


def _titled(name: str, titles: Mapping[str, str]) -> str:
    return f"{name} ({shortened(titles[name], 80)})" if name in titles else name


def _likeness(a: str, b: str) -> float:
    from difflib import SequenceMatcher

    return SequenceMatcher(None, a, b).ratio()


def _of_titles(text: str, titles: Mapping[str, str]) -> dict[str, float]:
    """How far titles speak of a text, of those that have most of its words, as they are, begun or mistyped."""
    from difflib import get_close_matches

    having: dict[str, set[str]] = {}
    for name, title in titles.items():
        for word in _words(title):
            having.setdefault(word, set()).add(name)
    found: dict[str, float] = {}
    asked = _words(text)
    for word in asked:
        near = {w: _likeness(word, w) for w in get_close_matches(word, having, n=5, cutoff=0.8)}
        near |= {w: 1.0 for w in having if len(word) > 3 and w.startswith(word)}
        best: dict[str, float] = {}
        for w, likeness in near.items():
            best |= {n: max(likeness, best.get(n, 0.0)) for n in having[w]}
        for name, likeness in best.items():
            found[name] = found.get(name, 0.0) + likeness / len(asked)
    return {name: likeness for name, likeness in found.items() if likeness > 0.6}


def _words(text: str) -> list[str]:
    return [w for w in re.split(r"[^a-z0-9]+", text.lower()) if len(w) > 2]


def origins(entries: Mapping[str, Entries], key: str = "name") -> dict[str, str]:
    """The file of each entry, by 'kind/name'; of two with one name that of the first."""
    return {f"{kind}/{e.get(key)}": file for kind, found in entries.items() for file, e in reversed(found)}
