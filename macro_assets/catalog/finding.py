"""Which entries some words speak of, the best first."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TypeVar

from macro_assets.catalog.kinds.instrument import Instrument
from macro_assets.catalog.kinds.series import Series
from macro_assets.catalog.load import Catalog

E = TypeVar("E")


def series_about(catalog: Catalog, words: Sequence[str]) -> list[Series]:
    """Series of which all of some words speak: by id and title first, then by theme, country, source and code."""
    return _ranked(((s, s.id, s.title, _facts(catalog, s)) for s in catalog.series.values()), words)


def instruments_about(catalog: Catalog, words: Sequence[str]) -> list[Instrument]:
    """Instruments of which all of some words speak: by name and title first, then by class, place and prices."""
    return _ranked(
        (
            (i, i.name, i.title, f"{i.asset_class} {i.country} {i.currency} {i.quotation} {i.venue} {i.price}")
            for i in catalog.instruments.values()
        ),
        words,
    )


def _facts(catalog: Catalog, series: Series) -> str:
    told = (catalog.sources[h.provider] for h in catalog.holdings(series.id))
    holders = " ".join(f"{s.name} {s.title}" for s in told)
    return f"{series.theme} {series.country} {series.code} {series.kind} {holders}"


def _ranked(entries: Iterable[tuple[E, str, str, str]], words: Sequence[str]) -> list[E]:
    """Entries, of name, title and facts, by how well the words speak of them; of equals the shorter title is first."""
    asked = [w.lower() for text in words for w in text.split()]
    found: list[tuple[int, int, E]] = []
    for entry, name, title, facts in entries:
        ranks = [_rank(word, name.lower(), f"{name} {title}".lower(), facts.lower()) for word in asked]
        told = [rank for rank in ranks if rank is not None]
        if len(told) == len(asked):
            found.append((sum(told), len(title) if asked else 0, entry))
    return [entry for *_, entry in sorted(found, key=lambda ranked: ranked[:2])]


def _rank(word: str, name: str, named: str, facts: str) -> int | None:
    """How well a word speaks of an entry, 0 is best; None where it does not."""
    if word == name:
        return 0
    if re.search(rf"(?<![a-z0-9]){re.escape(word)}", named):
        is_whole = re.search(rf"(?<![a-z0-9]){re.escape(word)}(?![a-z0-9])", named)
        return 1 if is_whole or name.startswith(word) else 2
    return 3 if word in named else 4 if word in facts else None
