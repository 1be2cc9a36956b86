"""From a question to stored rows: ask the source or a fallback, land, judge, append.

Composition above the rooms, without Dagster: the raw assets call :func:`fetch` and :func:`ingest`; `rebuild.py` judges
what was landed by the same :func:`judge`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import polars as pl

from macro_assets.catalog import Catalog, Fallback, Series, Source
from macro_assets.catalog.derive import polars_schema
from macro_assets.lakehouse.landing import land, remembered
from macro_assets.lakehouse.paths import Root
from macro_assets.lakehouse.raw import append_vintages, read_raw
from macro_assets.lakehouse.vintages import AppendReport, VintageConflictError
from macro_assets.quality import CheckReport, check_series
from macro_assets.quality.answers import ahead, empty, rebased, shrunk
from macro_assets.sources import OBSERVATION_SCHEMA, Client, Fetched, Response, Window, fetching
from macro_assets.sources.clients import closing, open_client
from macro_assets.sources.errors import SourceError

_LOG = logging.getLogger(__name__)
_EMPTY = pl.DataFrame(schema=OBSERVATION_SCHEMA)

Clients = Callable[[Source], Client]
"""Opens the client of a source; raises a :class:`SourceError` where that is not possible."""


@dataclass(frozen=True)
class Outcome:
    """What became of one series of an answer.

    With a `failure`, the stored rows of the series stay as they were. `warning` says what is not as it should be though
    rows came: a fallback served them.
    """

    series: Series
    report: CheckReport
    failure: str | None
    warning: str | None = None


@dataclass(frozen=True)
class Ingested:
    """What became of an answer: per series, and in rows; `accepted` are the observations that were offered."""

    outcomes: tuple[Outcome, ...]
    report: AppendReport
    accepted: pl.DataFrame


def fetch(
    source: Source,
    selected: Sequence[Series],
    window: Window,
    catalog: Catalog,
    clients: Clients = open_client,
    progress: fetching.Progress | None = None,
) -> Fetched:
    """Ask a source for some series, and for those it fails their fallbacks in turn.

    A connector that breaks fails its series and nothing else.

    Parameters
    ----------
    clients
        Opens the clients; the default goes to the providers themselves.
    progress
        Told how many questions to the source are answered.
    """
    fetched = _ask(source, selected, window, clients, progress)
    for rank in range(max((len(s.fallback) for s in selected), default=0)):
        wanting = [s for s in selected if s.id in fetched.failures and len(s.fallback) > rank]
        for name in dict.fromkeys(s.fallback[rank].source for s in wanting):
            served = {s.id: s.fallback[rank] for s in wanting if s.fallback[rank].source == name}
            own = [s.at(served[s.id]) for s in wanting if s.id in served]
            again = _ask(catalog.sources[name], own, replace(window, known={}), clients)
            fetched = _substituted(fetched, again, served)
    return fetched


def _ask(
    source: Source,
    selected: Sequence[Series],
    window: Window,
    clients: Clients,
    progress: fetching.Progress | None = None,
) -> Fetched:
    try:
        client = clients(source)
    except SourceError as error:
        return Fetched(_EMPTY, (), {s.id: f"series {s.id}: {error}" for s in selected})
    try:
        with closing(client):
            return fetching.fetch(source, client, selected, window, progress)
    except Exception as error:
        _LOG.error("connector %s failed: %s", source.module, type(error).__name__, exc_info=error)
        reason = f"connector {source.module} failed: {type(error).__name__}: {error}"
        return Fetched(_EMPTY, (), {s.id: reason for s in selected})


def _substituted(fetched: Fetched, again: Fetched, served: Mapping[str, Fallback]) -> Fetched:
    """A fetch with what fallbacks brought for the series it failed."""
    came = set(again.observations["series_id"]) - set(again.failures)
    factors = {i: f.factor for i, f in served.items()}
    rows = again.observations.filter(pl.col("series_id").is_in(list(came)))
    factor = pl.col("series_id").replace_strict(factors, default=1.0, return_dtype=pl.Float64)
    failures = {
        i: why if i not in again.failures else f"{why} Its fallback {served[i].source} failed too: {again.failures[i]}"
        for i, why in fetched.failures.items()
        if i not in came
    }
    return Fetched(
        pl.concat([fetched.observations, rows.with_columns(value=pl.col("value") * factor)]),
        (*fetched.responses, *again.responses),
        failures,
        fetched.unchanged,
        {**fetched.substituted, **{i: fetched.failures[i] for i in served if i in came}},
    )


def known_releases(source: Source, held: pl.DataFrame) -> dict[str, date]:
    """The UTC day of the latest stored release of each series, of a source that can be asked for later ones only."""
    if source.vintages != "changes":
        return {}
    stated = held.filter(pl.col("provider") == source.name, pl.col("release_basis").is_in(["provider", "snapshot"]))
    latest = stated.group_by("series_id").agg(pl.col("release_time").max().dt.date())
    return dict(latest.iter_rows())


def earlier_responses(lake: Root, catalog: Catalog, source: Source) -> Mapping[str, Response]:
    """Landed responses that the provider can be asked to compare with, by the text of their request."""
    if source.api is None or not source.api.conditional:
        return {}
    return {
        r["request"]: Response(r["request"], r["body"], r["fetched_at"], r["http_status"], r["validator"])
        for r in remembered(lake, catalog, source.name).iter_rows(named=True)
    }


def ingest(
    lake: Root,
    catalog: Catalog,
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
    landing = polars_schema(catalog.one_table(f"landing/{source.name}").columns)
    responses = receipts(fetched, selected, window, run_id, landing)
    land(lake, catalog, source.name, responses, commit)
    held = read_raw(lake, catalog, source.name, [s.id for s in selected])
    outcomes, accepted = judge(fetched, selected, window, held, source)

    def store(rows: pl.DataFrame) -> AppendReport:
        return append_vintages(source.name, rows, run_id, lake, catalog, code_version)

    done = appended(outcomes, accepted, store)
    if done.report.appended:
        land(lake, catalog, source.name, responses, commit, mattered=True)
    return done


def judge(
    fetched: Fetched, selected: Sequence[Series], window: Window, held: pl.DataFrame, source: Source
) -> tuple[list[Outcome], pl.DataFrame]:
    """Which observations of an answer may be stored, and why the others may not.

    Rows that fail their check are left out; a failure that no single row is guilty of condemns the series' rows, and so
    does an answer that is no good next to what is stored (`quality/answers.py`).

    Parameters
    ----------
    held
        Stored rows of the selected series.
    """
    own = {k[0]: f for k, f in fetched.observations.group_by("series_id", maintain_order=True)}
    in_force = (
        held.filter(pl.col("provider") == source.name)
        .sort("release_time")
        .group_by("series_id", "observation_date", maintain_order=True)
        .last()
        .select("series_id", "observation_date", "value")
    )
    before = {k[0]: f for k, f in in_force.group_by("series_id")}
    outcomes, accepted = [], []
    for series in selected:
        rows = own.get(series.id, _EMPTY)
        report = check_series(rows, series)
        wrong = None if series.id in fetched.failures else _wrong(rows, series, source, fetched, window, before)
        failure = fetched.failures.get(series.id) or wrong or (None if report.passed else str(report))
        outcomes.append(Outcome(series, report, failure, fetched.substituted.get(series.id)))
        condemned = wrong or (not report.passed and not report.failed_rows)
        good = rows.with_row_index("_row").filter(~pl.col("_row").is_in(report.failed_rows)).drop("_row")
        accepted.append(good.clear() if condemned else good)
    return outcomes, pl.concat(accepted)


def _wrong(
    rows: pl.DataFrame,
    series: Series,
    source: Source,
    fetched: Fetched,
    window: Window,
    before: Mapping[object, pl.DataFrame],
) -> str | None:
    """Why an answer that came is no good as a whole."""
    if series.id in fetched.unchanged:
        return None
    held = before.get(series.id)
    reason = ahead(rows, series, window.today)
    if source.is_live:
        reason = reason or empty(rows, series, window.first, window.last, window.today, source.rolling)
    if reason or held is None or series.id in fetched.substituted:
        return reason
    asked = held.filter(window.contains(pl.col("observation_date")))
    if not source.rolling:
        reason = shrunk(rows, asked, series)
    if source.vintages == "none":
        reason = reason or rebased(rows, held, series)
    return reason


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
