"""From answers to stored rows: land them, judge them, append what passed.

The raw step calls :func:`ingest`; ``rebuild.py`` judges and appends what was landed by the same functions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import polars as pl

from macro_assets.catalog import Source, names
from macro_assets.catalog.derive import polars_schema
from macro_assets.intake.fetch import Asked
from macro_assets.intake.judge import Verdict, judge
from macro_assets.lakehouse.acceptances import Acceptance, read_acceptances
from macro_assets.lakehouse.appending import AppendReport, VintageConflictError
from macro_assets.lakehouse.handle import Held, Lakehouse
from macro_assets.lakehouse.landing import land, vouch
from macro_assets.lakehouse.raw import append_to_held
from macro_assets.sources.protocol import NO_OBSERVATIONS


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
    """What became of answers: per series and provider, and in rows; `accepted` are the observations on offer."""

    verdicts: tuple[Verdict, ...]
    report: AppendReport
    accepted: pl.DataFrame


@dataclass(frozen=True)
class Ingested(Settled):
    """What was stored of answers, and the raw table after it."""

    raw: Held


def ingest(lake: Lakehouse, stored: StoredSource, asked: Sequence[Asked], run_id: str, code_version: str) -> Ingested:
    """Land answers, judge them, append what passed in one commit, and vouch for what that came from.

    Parameters
    ----------
    stored
        What is stored of the source; they are judged by it, and it is read again only if another process wrote
        meanwhile.
    asked
        What holders of its series were asked for, and the answers.

    Raises
    ------
    LakeError
        When a table cannot be read or written.
    """
    source, raw = stored.source, stored.raw
    commit = {"run_id": run_id, "code_version": code_version, "source": source.name}
    landing = polars_schema(lake.table(names.landing(source.name)).columns)
    responses = pl.concat([pl.DataFrame(schema=landing), *(receipts(one, run_id, landing) for one in asked)])
    if not responses.is_empty():
        land(lake, source.name, responses, commit)
    ids = {h.series.id for one in asked for h in one.holdings}
    held = raw.rows.filter(pl.col("series_id").is_in(list(ids)))
    verdicts, accepted = judged(asked, held, source.name, read_acceptances(lake))

    def store(rows: pl.DataFrame) -> AppendReport:
        nonlocal raw
        report, raw = append_to_held(lake, source.name, raw, rows, run_id, code_version)
        return report

    done = appended(verdicts, accepted, store)
    if done.report.appended:
        vouch(lake, source.name, responses, commit)
    return Ingested(done.verdicts, done.report, done.accepted, raw)


def judged(
    asked: Sequence[Asked], held: pl.DataFrame, home: str, accepted: Sequence[Acceptance]
) -> tuple[list[Verdict], pl.DataFrame]:
    """What several answers are worth, and what of them may be stored; see :func:`macro_assets.intake.judge.judge`.

    Of a series of which a provider was asked twice, for a part and then for the whole, the second answer is judged.
    """
    found = [judge(one, held, home, accepted) for one in asked]
    last = {(v.series.id, v.provider): v for verdicts, _ in found for v in verdicts}
    verdicts = [v for of_one, _ in found for v in of_one if last[v.series.id, v.provider] is v]
    return verdicts, pl.concat([NO_OBSERVATIONS, *(rows for _, rows in found)])


def appended(
    verdicts: Sequence[Verdict], accepted: pl.DataFrame, store: Callable[[pl.DataFrame], AppendReport]
) -> Settled:
    """Store what was accepted, if anything, leaving out series whose vintages contradict each other."""
    failures: dict[str, str] = {}
    while True:
        try:
            report = AppendReport() if accepted.is_empty() else store(accepted)
            break
        except VintageConflictError as error:
            failures[error.series_id] = str(error)
            accepted = accepted.filter(pl.col("series_id") != error.series_id)
    failures |= report.rejections
    settled = tuple(_failing(v, failures.get(v.series.id)) for v in verdicts)
    return Settled(settled, report, accepted)


def _failing(verdict: Verdict, why: str | None) -> Verdict:
    """A verdict, with why what was judged good could not be stored."""
    return verdict if why is None or verdict.failure else replace(verdict, failure=why, is_whole=False)


def receipts(asked: Asked, run_id: str, schema: pl.Schema) -> pl.DataFrame:
    """The responses of an answer as rows of landing, bodies as they came."""
    window = asked.window
    question = {
        "run_id": run_id,
        "provider": asked.provider.name,
        "series_ids": " ".join(h.series.id for h in asked.holdings),
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
            **question,
        }
        for r in asked.fetched.responses
    ]
    return pl.DataFrame(rows, schema=schema)
