"""One raw step, without Dagster: ask a source for some series, store what passed, and keep the log of its fetches.

What is stored is read once, at the beginning; the rows and the log that the step leaves are worked out from that and
from what was added. `orchestration/assets/raw.py` turns the result into events.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial

import polars as pl

from macro_assets.catalog import Series, Source, names
from macro_assets.catalog.derive import polars_schema
from macro_assets.intake.fetch import earlier_responses, fetch_with_fallbacks, known_releases
from macro_assets.intake.health import Health, health
from macro_assets.intake.ingest import Ingested, StoredSource, ingest
from macro_assets.intake.judge import Outcome
from macro_assets.intake.years import Years
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.landing import log_fetches
from macro_assets.lakehouse.write import open_or_create
from macro_assets.sources.clients import open_client
from macro_assets.sources.fetching import Progress
from macro_assets.sources.protocol import Fetched, Window
from macro_assets.sources.secrets import missing_key

_TELL_EVERY_SECONDS = 5.0
_FILES_AGAIN = timedelta(days=7)


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
        What became of each series that was asked for.
    elsewhere
        Series by id and years that a revision changed though nobody asked for them, sorted.
    health
        How the source is doing now.
    rows, version
        The raw table; its version is None when there is none yet.
    log
        The log of fetches.
    off
        Why the source was not asked, if its key is missing.
    """

    outcomes: tuple[Outcome, ...]
    elsewhere: tuple[tuple[str, str], ...]
    health: Health
    rows: pl.DataFrame
    version: int | None
    log: pl.DataFrame
    off: str | None = None

    @property
    def failed(self) -> dict[str, str]:
        """Why series failed, by id."""
        return {o.series.id: o.failure for o in self.outcomes if o.failure}

    @property
    def last_successes(self) -> dict[str, datetime]:
        """When each series of the source was last had, by id."""
        return dict(self.log.drop_nulls("last_success").select("series_id", "last_success").iter_rows())


def take_in(lake: Lakehouse, source: Source, question: Question, run: Run) -> StepResult:
    """Ask a source, store what passed, and log how it went. Without series nothing is asked; see `off` too.

    Raises
    ------
    LakeError
        When a table cannot be read or written.
    """
    stored = StoredSource.of(lake, source)
    raw, log = stored.raw, stored.log.rows
    if off := missing_key(source):
        version = open_or_create(lake, names.raw(source.name)).version()
        log = _logged(lake, stored, run, [_entry(s, run, "off", off, 0) for s in question.series])
        return StepResult((), (), health(source, lake.catalog, log), raw.rows, version, log, off)
    if not question.series:
        return StepResult((), (), health(source, lake.catalog, log), raw.rows, raw.version, log)
    window = _window(question, stored)
    fetched = _asked(lake, source, question, window, run)
    done = ingest(lake, stored, question.series, window, fetched, run.run_id, run.code_version)
    run.tell(f"{source.name}: {done.report}")
    log = _logged(lake, stored, run, _entries(done, fetched, window, source, run))
    elsewhere = _elsewhere(done, question.years, run)
    now = health(source, lake.catalog, log)
    return StepResult(done.outcomes, elsewhere, now, done.raw.rows, done.raw.version, log)


# --- what to ask ---------------------------------------------------------------------------------------------------


def _window(question: Question, stored: StoredSource) -> Window:
    """What to ask for. Of news: what FRED released since, of daily files the days since and a week before."""
    dates, source = question.years.window, stored.source
    if not question.only_news:
        return dates
    held = stored.raw.rows.filter(pl.col("series_id").is_in([s.id for s in question.series]))
    if source.api is not None and source.api.per_day:
        latest = held.drop_nulls("value").group_by("series_id").agg(pl.col("observation_date").max())
        if latest.height < len(question.series):  # of one nothing is had
            return dates
        since = min(latest["observation_date"].to_list())
        return replace(dates, first=max(dates.first or date.min, since - _FILES_AGAIN))
    whole = stored.log.rows.filter("is_whole")["series_id"].to_list()
    return replace(dates, known=known_releases(source, held.filter(pl.col("series_id").is_in(whole))))


def _asked(lake: Lakehouse, source: Source, question: Question, window: Window, run: Run) -> Fetched:
    asked = sorted(question.years.asked)
    run.tell(f"fetching {len(question.series)} series of {source.name}, years {asked[0]} to {asked[-1]}")
    clients = partial(open_client, remembered=earlier_responses(lake, source))
    progress = _progress(source, run)
    return fetch_with_fallbacks(source, question.series, window, lake.catalog, clients, progress)


def _progress(source: Source, run: Run) -> Progress:
    """Says how far a long fetch is, every few seconds."""
    told = time.monotonic()

    def progress(done: int, of: int) -> None:
        nonlocal told
        if done < of and time.monotonic() - told > _TELL_EVERY_SECONDS:
            told = time.monotonic()
            run.tell(f"{source.name}: {done} of {of} questions done")

    return progress


# --- what came of it -----------------------------------------------------------------------------------------------


def _elsewhere(done: Ingested, years: Years, run: Run) -> tuple[tuple[str, str], ...]:
    if not done.report.appended:
        return ()
    own = done.raw.rows.filter(pl.col("run_id") == run.run_id)  # of an earlier attempt of the run too
    days = own.select("series_id", "observation_date").unique()
    changed = {(series_id, years.of(day)) for series_id, day in days.iter_rows()}
    return tuple(sorted((i, year) for i, year in changed if year not in years.asked))


def _entries(done: Ingested, fetched: Fetched, window: Window, source: Source, run: Run) -> list[dict[str, object]]:
    """Rows of the log for what was asked."""
    times = [r.seconds for r in fetched.responses if r.seconds is not None]
    latency = 1000 * sum(times) / len(times) if times else None
    served = dict(fetched.observations.select("series_id", "provider").unique().iter_rows())
    is_whole = window.first is None and window.last is None and not window.known
    return [
        {
            **_entry(o.series, run, "failed" if o.failure else "ok", o.failure or o.warning, o.report.rows),
            "is_whole": is_whole and not o.failure and o.series.id not in fetched.substituted,
            "provider": None if o.failure else served.get(o.series.id, source.name),
            "latency_ms": latency,
        }
        for o in done.outcomes
    ]


def _entry(series: Series, run: Run, status: str, error: str | None, seen: int) -> dict[str, object]:
    now = datetime.now(UTC)
    return {
        "series_id": series.id,
        "last_run_id": run.run_id,
        "last_seen": now,
        "status": status,
        "error": error,
        "rows_seen": seen,
        "last_success": now if status == "ok" else None,
        "is_whole": False,
        "provider": None,
        "latency_ms": None,
    }


def _logged(lake: Lakehouse, stored: StoredSource, run: Run, entries: Sequence[dict[str, object]]) -> pl.DataFrame:
    """The log with these entries, as it is stored then."""
    if not entries:
        return stored.log.rows
    source = stored.source.name
    fetches = pl.DataFrame(entries, schema=polars_schema(lake.table(names.fetch_log(source)).columns))
    return log_fetches(lake, source, fetches, {"run_id": run.run_id}, stored.log)
