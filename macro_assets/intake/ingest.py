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
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.landing import land
from macro_assets.lakehouse.raw import append_batch, read_raw
from macro_assets.lakehouse.vintages import AppendReport, VintageConflictError
from macro_assets.sources.protocol import Fetched, Window


@dataclass(frozen=True)
class Ingested:
    """What became of an answer: per series, and in rows; `accepted` are the observations that were offered."""

    outcomes: tuple[Outcome, ...]
    report: AppendReport
    accepted: pl.DataFrame


def ingest(
    lake: Lakehouse,
    source: Source,
    selected: Sequence[Series],
    window: Window,
    fetched: Fetched,
    run_id: str,
    code_version: str,
) -> Ingested:
    """Land an answer, judge it, and append what passed in one commit.

    Parameters
    ----------
    selected, window
        What was asked for.
    fetched
        The answer.

    Raises
    ------
    LakeError
        When a table cannot be read or written.
    """
    commit = {"run_id": run_id, "code_version": code_version, "source": source.name}
    landing = polars_schema(lake.table(names.landing(source.name)).columns)
    responses = receipts(fetched, selected, window, run_id, landing)
    land(lake, source.name, responses, commit)
    held = read_raw(lake, source.name, [s.id for s in selected])
    outcomes, accepted = judge(fetched, selected, window, held, source)

    def store(rows: pl.DataFrame) -> AppendReport:
        return append_batch(lake, source.name, rows, run_id, code_version)

    done = appended(outcomes, accepted, store)
    if done.report.appended:
        land(lake, source.name, responses, commit, mattered=True)
    return done


def appended(
    outcomes: Sequence[Outcome], accepted: pl.DataFrame, store: Callable[[pl.DataFrame], AppendReport]
) -> Ingested:
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
    return Ingested(judged, report, accepted)


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
