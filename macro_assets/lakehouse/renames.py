"""Series that have another id, another home, or both, since a version of the layout: what `macro migrate` renames.

Each is declared once; everything that stores an id follows: vintages, responses, fetch logs, decisions, forecasts, and
Dagster's asset keys (`upkeep/renaming.py`, `orchestration/renaming.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

OF_SOURCES = ("raw", "silences", "landing", "fetch_log")
"""Layers whose tables hold the series of a source."""


class Place(NamedTuple):
    """A series and the source that is its home."""

    source: str
    series_id: str


class Rename(NamedTuple):
    """Where a series was and is. `code`, of one whose home changes: how questions to its old home name it."""

    before: Place
    after: Place
    code: str | None = None


# What FRED has under the ids that the offline figures had taken.
_TWINS = (
    "GDPC1 A261RX1Q020SBEA ULCNFB INDPRO TCU RSAFS PCEC96 DSPIC96 DGORDER BUSINV WHLSLRIMSA TTLCONS BOPTEXP BOPTIMP "
    "GACDISA066MSFRBNY GACDFSA066MSFRBPHI PAYEMS UNRATE JTSJOL CPIAUCSL CPILFESL PCEPI PCEPILFE PPIFIS IR IQ HOUST "
    "PERMIT HSN1F AAA BAA VIXCLS NASDAQCOM DCOILWTICO"
)

RENAMES: Mapping[int, tuple[Rename, ...]] = {
    5: (
        *(Rename(Place("fred", f"{i}_FRED"), Place("fred", i)) for i in _TWINS.split()),
        Rename(Place("fred_recent", "SP500_FRED"), Place("yahoo_chart", "SP500"), code="SP500"),
        Rename(Place("fred_recent", "DJIA"), Place("yahoo_chart", "DJIA"), code="DJIA"),
        Rename(Place("yahoo_chart", "YAHOO_SP500"), Place("yahoo_chart", "SP500")),
    ),
}
"""By the version since which they hold."""


def renames(written: int = 0) -> dict[Place, Rename]:
    """What was renamed after a version, by where it was then; of what was renamed twice, where it is in the end."""
    found: dict[Place, Rename] = {}
    for version, declared in sorted(RENAMES.items()):
        if version > written:
            steps = {r.before: r for r in declared}
            moved = {b: Rename(b, s.after, r.code or s.code) for b, r in found.items() if (s := steps.get(r.after))}
            found = {**steps, **found, **moved}
    return found


def is_concerned(name: str, written: int) -> bool:
    """Whether a table written with a version may hold ids that were renamed since, or gets rows of another table."""
    due = renames(written).values()
    layer, _, source = name.partition("/")
    if layer in OF_SOURCES:
        return any(source in (r.before.source, r.after.source) for r in due)
    return layer == "audit" and bool(due)
