"""From an answer to stored rows: land it, judge it, append what passed.

The raw step calls :func:`ingest`; ``rebuild.py`` judges and appends what was landed by the same functions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import polars as pl

from macro_assets.catalog import Series, Source, names
from macro_assets.catalog.derive import polars_schema
from macro_assets.intake.judge import Outcome, judge
from macro_assets.lakehouse.handle import Held, Lakehouse
from macro_assets.lakehouse.landing import land, vouch
from macro_assets.lakehouse.raw import append_to_held
from macro_assets.lakehouse.vintages import AppendReport, VintageConflictError
from macro_assets.sources.protocol import Fetched, Window


@dataclass(frozen=True)
class StoredSource:
    """What is stored of a source, read once: its raw table and the log of its fetches."""

    source: Source
    raw: Held
    log: Held

    @classmethod
    def of(cls, lake: Lakehouse, source: Source) -> StoredSource:
        """What is stored now.

        Raises
        ------
        LakeError
            When a table cannot be read.
        """
        return cls(source, lake.hold(names.raw(source.name)), lake.hold(names.fetch_log(source.name)))


@dataclass(frozen=True)
class Settled:
    """What became of an answer: per series, and in rows; `accepted` are the observations that were offered."""

    outcomes: tuple[Outcome, ...]
    report: AppendReport
    accepted: pl.DataFrame


@dataclass(frozen=True)
class Ingested(Settled):
    """What was stored of an answer, and the raw table after it."""

    raw: Held


def ingest(
    lake: Lakehouse,
    stored: StoredSource,
    selected: Sequence[Series],
    window: Window,
    fetched: Fetched,
    run_id: str,
    code_version: str,
) -> Ingested:
    """Land an answer, judge it, append what passed in one commit, and vouch for what that came from.

    Parameters
    ----------
    stored
        What is stored of the source; judged by it, and read again only if another process wrote meanwhile.
    selected, window
        What was asked for.
    fetched
        The answer.

    Raises
    ------
    LakeError
        When a table cannot be read or written.
    """
    source, raw = stored.source, stored.raw
    commit = {"run_id": run_id, "code_version": code_version, "source": source.name}
    landing = polars_schema(lake.table(names.landing(source.name)).columns)
    responses = receipts(fetched, selected, window, run_id, landing)
    land(lake, source.name, responses, commit)
    held = raw.rows.filter(pl.col("series_id").is_in([s.id for s in selected]))
    outcomes, accepted = judge(fetched, selected, window, held, source)

    def store(rows: pl.DataFrame) -> AppendReport:
        nonlocal raw
        report, raw = append_to_held(lake, source.name, raw, rows, run_id, code_version)
        return report

    done = appended(outcomes, accepted, store)
    if done.report.appended:
        vouch(lake, source.name, responses, commit)
    return Ingested(done.outcomes, done.report, done.accepted, raw)


def appended(
    outcomes: Sequence[Outcome], accepted: pl.DataFrame, store: Callable[[pl.DataFrame], AppendReport]
) -> Settled:
    """Store what was accepted, leaving out series whose vintages contradict each other."""
    failures: dict[str, str] = {}
    while True:
        try:
            report = store(accepted)
            break
        except VintageConflictError as error:
            failures[error.series_id] = str(error)
            accepted = accepted.filter(pl.col("series_id") != error.series_id)
    failures |= report.rejections
    judged = tuple(replace(o, failure=o.failure or failures.get(o.series.id)) for o in outcomes)
    return Settled(judged, report, accepted)


def receipts(
    fetched: Fetched, selected: Sequence[Series], window: Window, run_id: str, schema: pl.Schema
) -> pl.DataFrame:
    """The responses of an answer as rows of landing, bodies as they came."""
    asked = {
        "run_id": run_id,
        "series_ids": " ".join(s.id for s in selected),
        "window_first": window.first,
        "window_last": window.last,
        "asked_on": window.today,
        "known_through": " ".join(f"{i}:{d}" for i, d in sorted(window.known.items())) or None,
    }
    rows = [
        {
            "request": r.request,
            "payload_sha256": r.sha256,
            "fetched_at": r.fetched_at,
            "http_status": r.http_status,
            "validator": r.validator,
            "body": r.body,
            **asked,
        }
        for r in fetched.responses
    ]
    return pl.DataFrame(rows, schema=schema)
