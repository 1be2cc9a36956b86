"""Every check of what is stored: tables and their rules, raw series and their bounds, and that the past stands still.

A run checks what it is about to store; this looks again at all that is there, whatever wrote it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from macro_assets.catalog import UnknownNameError, names
from macro_assets.catalog.kinds.rule import Severity
from macro_assets.catalog.load import unknown_name_message
from macro_assets.lakehouse.delta import LakeError, table_versions
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.past import moved
from macro_assets.lakehouse.raw import read_silences
from macro_assets.lakehouse.upkeep.earlier import earlier
from macro_assets.quality.report import CheckReport
from macro_assets.quality.schemas import Checked, check_series, checks_of

Chosen = Mapping[str, Collection[str] | None]
"""Tables, each with the series whose rows are looked at; None for all of it."""

BYTES = "landing"
"""The layer that is no figures but bodies of answers: `macro doctor --deep` compares them with what was written."""


@dataclass(frozen=True)
class Found:
    """What a check of a stored table found; `message` says what is wrong, or is None."""

    table: str
    check: str
    severity: Severity
    rows: int
    message: str | None = None

    @property
    def state(self) -> str:
        """'ok', 'warn' or 'error'."""
        return "ok" if self.message is None else self.severity


def chosen(lake: Lakehouse, words: Sequence[str]) -> Chosen:
    """The stored tables that words name: all for no words.

    Parameters
    ----------
    words
        Layers ('indicators'), tables ('indicators/sahm_rule'), sources ('raw/fred'), series ('raw/fred/PAYEMS' or
        'PAYEMS').

    Raises
    ------
    UnknownNameError
        When a word names nothing of the catalog.
    LakeError
        When nothing of what it names is stored.
    """
    there = table_versions(lake.root)
    stored = [t for t in lake.catalog.tables if t in there and not t.startswith(f"{BYTES}/")]
    if not words:
        return dict.fromkeys(stored)
    found: dict[str, set[str] | None] = {}
    for word in (w.strip().rstrip("/") for w in words):
        series_id, tables = _named(lake, word)
        if not word:
            raise UnknownNameError(
                "an empty name names nothing: name one, or none for all. `macro list` shows all names."
            )
        if not tables:
            among = [*lake.catalog.tables, *_layers(lake), *lake.catalog.series]
            raise UnknownNameError(unknown_name_message("table or series", word, among))
        if not (tables := [t for t in tables if t in stored]):
            raise LakeError(f"nothing of {word} is stored, or nothing that has figures. `macro run` makes what is not.")
        for table in tables:
            before = found.get(table, set())
            found[table] = None if series_id is None or before is None else before | {series_id}
    return found


def _named(lake: Lakehouse, word: str) -> tuple[str | None, list[str]]:
    """The series that a word names, if it is one, and the tables: of a series by its id those of all who have it."""
    source, _, series_id = word.removeprefix("raw/").rpartition("/")
    if series_id in lake.catalog.series and source in ("", *lake.catalog.sources):
        asked = [source] if source else list(lake.catalog.sources)
        return series_id, [names.raw(s) for s in asked if series_id in {x.id for x in lake.catalog.series_of(s)}]
    return None, [t for t in lake.catalog.tables if t == word or t.startswith(f"{word}/")]


def _layers(lake: Lakehouse) -> set[str]:
    return {t.layer for t in lake.catalog.tables.values()}


def checks_of_stored(lake: Lakehouse, what: Chosen) -> Iterator[Found]:
    """What each check of stored tables finds, table by table."""
    for name, series_ids in what.items():
        try:
            yield from _table(lake, name, series_ids)
        except LakeError as error:
            yield Found(name, "readable", "error", 0, str(error))


def _table(lake: Lakehouse, name: str, series_ids: Collection[str] | None) -> Iterator[Found]:
    table, rows = lake.table(name), lake.read(name)
    if series_ids is not None:
        rows = rows.filter(pl.col("series_id").is_in(list(series_ids)))
    for done in checks_of(rows, table, lake.catalog.series.values()):
        yield _found(name, done)
    if table.layer == "raw":
        yield _of_series(lake, name, rows)
        yield from _past(lake, name, rows, series_ids)


def _found(name: str, done: Checked) -> Found:
    return Found(name, done.check, done.severity, done.report.rows, None if done.report.passed else str(done.report))


def _of_series(lake: Lakehouse, name: str, rows: pl.DataFrame) -> Found:
    """Bounds and first years of the figures in force, series by series as their holders have them."""
    wrong = list[CheckReport]()
    for (series_id, provider), own in rows.group_by("series_id", "provider", maintain_order=True):
        if str(series_id) not in lake.catalog.series:
            continue
        for holding in lake.catalog.holdings(str(series_id)):
            report = check_series(own, holding.series) if holding.provider == provider else None
            wrong += [report] if report and not report.passed else []
    return Found(name, "series", "error", rows.height, "; ".join(map(str, wrong)) or None)


def _past(lake: Lakehouse, name: str, rows: pl.DataFrame, series_ids: Collection[str] | None) -> Iterator[Found]:
    """Whether what earlier versions of a raw table knew of the past is what it knows of it, by what became of it."""
    ways = {source: s.vintages for source, s in lake.catalog.sources.items()}
    silences = read_silences(lake, name.removeprefix("raw/"))
    told: dict[Severity, dict[str, None]] = {"error": {}, "warn": {}}
    for held in earlier(lake, name):
        before = held.rows if series_ids is None else held.rows.filter(pl.col("series_id").is_in(list(series_ids)))
        for one in moved(before, rows, ways, silences):
            told["error" if one.is_error else "warn"][f"{one} (since version {held.version})"] = None
    for severity, texts in told.items():
        if texts or severity == "error":
            yield Found(name, "past", severity, rows.height, "; ".join(texts) or None)
