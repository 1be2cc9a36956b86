"""One raw step, without Dagster: ask for series of a source, store what passed, and keep the log of its fetches.

What is stored is read once, at the beginning; the rows and the log that the step leaves are worked out from that and
from what was added. `orchestration/assets/raw.py` turns the result into events.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import polars as pl

from macro_assets.catalog import Series, Source, names
from macro_assets.catalog.derive import polars_schema
from macro_assets.intake.fetch import Asked, ask, ask_in_turn, askable, earlier_responses
from macro_assets.intake.health import Health, health
from macro_assets.intake.ingest import Ingested, StoredSource, ingest
from macro_assets.intake.judge import to_ask_whole
from macro_assets.intake.outcomes import Outcome, outcomes
from macro_assets.intake.windows import first_whole, is_look
from macro_assets.intake.years import Years
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.landing import log_fetches
from macro_assets.lakehouse.past import Moved, moved
from macro_assets.lakehouse.raw import read_silences
from macro_assets.quality import Checked, rules_of
from macro_assets.sources.clients import open_client
from macro_assets.sources.fetching import Progress
from macro_assets.sources.protocol import Window
from macro_assets.sources.secrets import missing_key

_TELL_EVERY_SECONDS = 5.0


@dataclass(frozen=True)
class Question:
    """What a step asks for: series of one source, and years of their observation dates.

    With `only_news`, what was released since the latest stored release; otherwise every vintage.
    """

    series: Sequence[Series]
    years: Years
    only_news: bool = False


@dataclass(frozen=True)
class Run:
    """Who asks: the id of the run, the version of its code, and where it says how far it is."""

    run_id: str
    code_version: str
    tell: Callable[[str], None]


@dataclass(frozen=True)
class StepResult:
    """What a step did, and what is stored after it.

    Parameters
    ----------
    outcomes
        What became of each series that was asked for; without those of a source that is off which nobody else had.
    elsewhere
        Series by id and years that a revision changed though nobody asked for them, sorted.
    health
        How the source is doing now.
    rows, version
        The raw table; its version is None when there is none yet.
    log
        The log of fetches.
    off
        Why the source itself was not asked, if its key is missing.
    moved
        What was known at past instants and is told otherwise now.
    odd
        Rules of the raw table that the rows of series of which something came do not keep.
    """

    outcomes: tuple[Outcome, ...]
    elsewhere: tuple[tuple[str, str], ...]
    health: Health
    rows: pl.DataFrame
    version: int | None
    log: pl.DataFrame
    off: str | None = None
    moved: tuple[Moved, ...] = ()
    odd: tuple[Checked, ...] = ()

    @property
    def failed(self) -> dict[str, str]:
        """Why series failed, by id."""
        return {o.series.id: o.failure for o in self.outcomes if o.failure}

    @property
    def last_successes(self) -> dict[str, datetime]:
        """When each series of the source was last had of anybody, by id."""
        return dict(self.log.drop_nulls("last_success").group_by("series_id").agg(pl.max("last_success")).iter_rows())


def take_in(lake: Lakehouse, source: Source, question: Question, run: Run) -> StepResult:
    """Ask for series of a source, store what passed, and log how it went. Without series nothing is asked.

    The source itself is asked first, if it is on, and for what it fails the other holders in turn.

    Raises
    ------
    LakeError
        When a table cannot be read or written.
    """
    stored = StoredSource.of(lake, source)
    off = missing_key(source)
    if not question.series:
        now = health(source, lake.catalog, stored.log.rows)
        return StepResult((), (), now, stored.raw.rows, stored.raw.version, stored.log.rows, off)
    asked = _asked(lake, question, stored, run)
    done = ingest(lake, stored, asked, run.run_id, run.code_version)
    run.tell(f"{source.name}: {done.report}")
    found = outcomes(question.series, done.verdicts, off)
    log = _logged(lake, stored, run, [*_offs(question, source, off, run), *_entries(done, found, source, run)])
    elsewhere = _elsewhere(done, question.years, run)
    now = health(source, lake.catalog, log)
    changed, odd = _looked_at(lake, stored, done)
    return StepResult(found, elsewhere, now, done.raw.rows, done.raw.version, log, off, changed, odd)


# --- what to ask ---------------------------------------------------------------------------------------------------


def _asked(lake: Lakehouse, question: Question, stored: StoredSource, run: Run) -> list[Asked]:
    years, source = sorted(question.years.asked), stored.source
    run.tell(f"fetching {len(question.series)} series of {source.name}, years {years[0]} to {years[-1]}")
    holders = [askable(lake.catalog, s) for s in question.series]
    clients = partial(open_client, remembered=earlier_responses(lake, source))
    split = first_whole(question.years.window, stored.raw.rows, stored.log.rows, question.only_news)
    told = partial(_progress, run)
    asked = ask_in_turn(holders, split, lake.catalog, clients, told)
    again = [(one, to_ask_whole(one, stored.raw.rows)) for one in asked]
    for one, part in again:
        if part:
            run.tell(f"{one.provider.name}: asking for all of {len(part)} series whose history was changed")
            whole = Window(today=one.window.today)
            asked.append(Asked(one.provider, tuple(part), whole, ask(one.provider, part, whole, clients, told)))
    return asked


def _progress(run: Run, provider: Source) -> Progress:
    """Says how far a long fetch is, every few seconds."""
    told = time.monotonic()

    def progress(done: int, of: int) -> None:
        nonlocal told
        if done < of and time.monotonic() - told > _TELL_EVERY_SECONDS:
            told = time.monotonic()
            run.tell(f"{provider.name}: {done} of {of} questions done")

    return progress


def _looked_at(lake: Lakehouse, stored: StoredSource, done: Ingested) -> tuple[tuple[Moved, ...], tuple[Checked, ...]]:
    """What the rows that came changed of the past of those that were stored, and what is odd about them."""
    if not done.report.appended:
        return (), ()
    name = stored.source.name
    ids = done.accepted["series_id"].unique()
    before, after = (rows.filter(pl.col("series_id").is_in(ids.to_list())) for rows in (stored.raw.rows, done.raw.rows))
    ways = {source: s.vintages for source, s in lake.catalog.sources.items()}
    changed = moved(before, after, ways, read_silences(lake, name, ids))
    checked = rules_of(after, lake.table(names.raw(name)), lake.catalog.series_of(name))
    return tuple(changed), tuple(c for c in checked if not c.report.passed)


# --- what came of it -----------------------------------------------------------------------------------------------


def _elsewhere(done: Ingested, years: Years, run: Run) -> tuple[tuple[str, str], ...]:
    if not done.report.appended:
        return ()
    own = done.raw.rows.filter(pl.col("run_id") == run.run_id)  # of an earlier attempt of the run too
    days = own.select("series_id", "observation_date").unique()
    changed = {(series_id, years.of(day)) for series_id, day in days.iter_rows()}
    return tuple(sorted((i, year) for i, year in changed if year not in years.asked))


def _offs(question: Question, source: Source, off: str | None, run: Run) -> list[dict[str, object]]:
    """Rows of the log for what a source that is off was not asked for."""
    return [_entry(s.id, source.name, run, "off", off) for s in question.series] if off else []


def _entries(done: Ingested, found: Sequence[Outcome], source: Source, run: Run) -> list[dict[str, object]]:
    """Rows of the log for what was asked; that of the source itself says why nobody else had it either."""
    final = {(o.series.id, source.name): o.failure for o in found if o.failure}
    rows = []
    for v in done.verdicts:
        times = [r.seconds for r in v.asked.fetched.responses if r.seconds is not None]
        more = {
            "rows_seen": v.report.rows,
            "is_whole": v.is_whole,
            "last_look": datetime.now(UTC) if not v.failure and is_look(v.asked) else None,
            "latency_ms": 1000 * sum(times) / len(times) if times else None,
        }
        error = v.failure and final.get((v.series.id, v.provider), v.failure)
        rows.append(_entry(v.series.id, v.provider, run, "failed" if error else "ok", error) | more)
    return rows


def _entry(series_id: str, provider: str, run: Run, status: str, error: str | None) -> dict[str, object]:
    now = datetime.now(UTC)
    return {
        "series_id": series_id,
        "provider": provider,
        "last_run_id": run.run_id,
        "last_seen": now,
        "status": status,
        "error": error,
        "rows_seen": 0,
        "last_success": now if status == "ok" else None,
        "last_look": None,
        "is_whole": False,
        "latency_ms": None,
    }


def _logged(lake: Lakehouse, stored: StoredSource, run: Run, entries: Sequence[dict[str, object]]) -> pl.DataFrame:
    """The log with these entries, as it is stored then."""
    if not entries:
        return stored.log.rows
    source = stored.source.name
    fetches = pl.DataFrame(entries, schema=polars_schema(lake.table(names.fetch_log(source)).columns))
    return log_fetches(lake, source, fetches, {"run_id": run.run_id}, stored.log)
