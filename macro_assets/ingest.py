"""From an answer to stored rows: check, land, append. And back: the raw table rebuilt from landing alone.

Composition above the rooms, without Dagster: the raw assets call :func:`ingest`, `macro rebuild` calls
:func:`rebuilt`, and both judge an answer by the same :func:`judge`.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import polars as pl

from macro_assets.catalog import Catalog, Series, Source
from macro_assets.catalog.derive import polars_schema
from macro_assets.lakehouse.landing import land, landed
from macro_assets.lakehouse.paths import Root
from macro_assets.lakehouse.raw import append_vintages, read_decisions, read_raw, typed
from macro_assets.lakehouse.vintages import AppendReport, VintageConflictError, rows_to_append
from macro_assets.lakehouse.write import append, open_or_create, replace_rows
from macro_assets.quality import CheckReport, check_series
from macro_assets.sources import OBSERVATION_SCHEMA, Client, Fetched, Request, Response, Window, connector

_LOG = logging.getLogger(__name__)
_EMPTY = pl.DataFrame(schema=OBSERVATION_SCHEMA)


@dataclass(frozen=True)
class Outcome:
    """What became of one series of an answer. With a `failure`, the stored rows of the series stay as they were."""

    series: Series
    report: CheckReport
    failure: str | None


@dataclass(frozen=True)
class Ingested:
    """What became of an answer: per series, and in rows; `accepted` are the observations that were offered."""

    outcomes: tuple[Outcome, ...]
    report: AppendReport
    accepted: pl.DataFrame


def fetch(source: Source, selected: Sequence[Series], window: Window, client: Client | None = None) -> Fetched:
    """Ask a source for some series; a connector that breaks fails its series and nothing else."""
    ask, make_client = connector(source.name)
    try:
        return ask(client or make_client(), selected, window)
    except Exception as error:
        _LOG.exception("connector %s failed", source.name)
        reason = f"connector {source.name} failed: {type(error).__name__}: {error}"
        return Fetched(_EMPTY, (), {s.id: reason for s in selected})


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
    outcomes, accepted = judge(fetched, selected, window, held, source.name)

    def store(rows: pl.DataFrame) -> AppendReport:
        return append_vintages(source.name, rows, run_id, lake, catalog, code_version)

    done = _appended(outcomes, accepted, store)
    if done.report.appended:
        land(lake, catalog, source.name, responses, commit, mattered=True)
    return done


def judge(
    fetched: Fetched, selected: Sequence[Series], window: Window, held: pl.DataFrame, source: str
) -> tuple[list[Outcome], pl.DataFrame]:
    """Which observations of an answer may be stored, and why the others may not.

    Rows that fail their check are left out; a failure that no single row is guilty of condemns the series' rows, and so
    does an answer that lacks dates in the window that are stored already.

    Parameters
    ----------
    held
        Stored rows of the selected series.
    """
    own = {k[0]: f for k, f in fetched.observations.group_by("series_id", maintain_order=True)}
    asked = held.filter(pl.col("provider") == source, window.contains(pl.col("observation_date")))
    before = {k[0]: f for k, f in asked.group_by("series_id")}
    outcomes, accepted = [], []
    for series in selected:
        rows = own.get(series.id, _EMPTY)
        report = check_series(rows, series)
        shrunk = None if series.id in fetched.failures else _shrunk(rows, before.get(series.id), series)
        failure = fetched.failures.get(series.id) or shrunk or (None if report.passed else str(report))
        outcomes.append(Outcome(series, report, failure))
        condemned = shrunk or (not report.passed and not report.failed_rows)
        good = rows.with_row_index("_row").filter(~pl.col("_row").is_in(report.failed_rows)).drop("_row")
        accepted.append(good.clear() if condemned else good)
    return outcomes, pl.concat(accepted)


def _shrunk(rows: pl.DataFrame, held: pl.DataFrame | None, series: Series) -> str | None:
    """Why an answer is no good that lacks dates we hold: a provider withdraws a value by saying that it is missing."""
    if held is None:
        return None
    dates = held["observation_date"].unique()
    lacking = dates.filter(~dates.is_in(rows["observation_date"].to_list())).sort().to_list()
    if not lacking:
        return None
    return (
        f"series {series.id} of source {series.source}: the answer lacks {len(lacking)} of {dates.len()} dates "
        f"that are stored for the asked window, {lacking[0]} to {lacking[-1]}. Expected every stored date, with a "
        "missing value where it was withdrawn. The stored rows were kept; look at the payload in landing, and fetch "
        "again."
    )


def _appended(
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
    }
    rows = [
        {
            "request": r.request.text,
            "payload_sha256": r.sha256,
            "fetched_at": r.fetched_at,
            "http_status": r.http_status,
            "body": r.body,
            **asked,
        }
        for r in fetched.responses
    ]
    return pl.DataFrame(rows, schema=schema)


# --- rebuilding ----------------------------------------------------------------------------------------------------


class _Replay:
    """A client that answers from landing what was answered then."""

    def __init__(self, answers: Mapping[str, Response]) -> None:
        self.answers = answers

    def get(self, request: Request) -> Response:
        if request.text not in self.answers:
            raise OSError(f"landing has no response to {request.text!r}")
        return self.answers[request.text]


def rebuilt(lake: Root, catalog: Catalog, source: Source) -> pl.DataFrame:
    """The rows of a source's raw table made from landing alone, with no network.

    Every fetch is judged and appended again, in the order of arrival, with its `run_id` and `ingested_at`.

    Returns
    -------
    DataFrame
        Rows of `raw/<source>` in key order.

    Raises
    ------
    LakeError
        When landing cannot be read.
    ValueError
        When a stored body is not the one that was received.
    """
    table = catalog.one_table(f"raw/{source.name}")
    decisions = read_decisions(lake, catalog)
    stored = pl.DataFrame(schema=polars_schema(table.columns))
    answers: dict[str, Response] = {}
    fetches = landed(lake, catalog, source.name).with_columns(
        first_of_run=pl.col("fetched_at").min().over("run_id", "series_ids", "window_first", "window_last")
    )
    key = ["first_of_run", "run_id", "series_ids", "window_first", "window_last"]
    for values, group in fetches.sort("first_of_run", "fetched_at").group_by(key, maintain_order=True):
        _, run_id, ids, first, last = values
        answers |= {r["request"]: _response(r) for r in group.iter_rows(named=True)}
        asked = str(ids).split() if ids is not None else [s.id for s in catalog.series_of(source.name)]
        selected = [catalog.series[i] for i in asked if i in catalog.series]
        window = Window(first, last)  # type: ignore[arg-type]
        fetched = fetch(source, selected, window, _Replay(answers))
        outcomes, accepted = judge(fetched, selected, window, stored, source.name)
        moment: datetime = group["fetched_at"].max()  # type: ignore[assignment]
        stored = _replayed(stored, outcomes, accepted, decisions.filter(pl.col("decided_at") <= moment), str(run_id))
    return stored.sort(table.key)


def _replayed(
    stored: pl.DataFrame, outcomes: Sequence[Outcome], accepted: pl.DataFrame, decisions: pl.DataFrame, run_id: str
) -> pl.DataFrame:
    added = [stored]

    def store(rows: pl.DataFrame) -> AppendReport:
        batch = typed(rows.with_columns(run_id=pl.lit(run_id)), stored.schema)
        new, report = rows_to_append(stored, batch, decisions)
        added.append(new)
        return report

    _appended(outcomes, accepted, store)
    return pl.concat(added)


def _response(row: Mapping[str, object]) -> Response:
    body, sha = row["body"], row["payload_sha256"]
    if not isinstance(body, bytes) or hashlib.sha256(body).hexdigest() != sha:
        raise ValueError(
            f"landing: the body of {row['request']!r} fetched at {row['fetched_at']} is not the one that was received "
            f"(its SHA-256 is not {sha}). Restore landing from a backup."
        )
    return Response(Request(str(row["request"])), body, row["fetched_at"], row["http_status"])  # type: ignore[arg-type]


@dataclass(frozen=True)
class Rebuild:
    """A rebuilt raw table beside the stored one: rows of each, and rows that only one of them has."""

    rows: int
    stored: int
    only_stored: pl.DataFrame
    only_rebuilt: pl.DataFrame
    written: bool

    @property
    def is_equal(self) -> bool:
        """Whether both are equal row for row."""
        return self.only_stored.is_empty() and self.only_rebuilt.is_empty()


def rebuild(lake: Root, catalog: Catalog, source: Source, replace_stored: bool = False) -> Rebuild:
    """Rebuild a raw table from landing and compare it with the stored one.

    A table that is missing is written, and one that only lacks rows gets them. One that says something else is replaced
    only where that is asked for; its version before stays in its history.

    Raises
    ------
    LakeError
        When landing or the table cannot be read or written.
    ValueError
        When a stored body is not the one that was received.
    """
    table = catalog.one_table(f"raw/{source.name}")
    made = rebuilt(lake, catalog, source)
    stored = read_raw(lake, catalog, source.name)
    only_stored = stored.join(made, on=made.columns, how="anti", nulls_equal=True)
    only_rebuilt = made.join(stored, on=made.columns, how="anti", nulls_equal=True)
    commit = {"purpose": "rebuild", "source": source.name}
    written = False
    if only_stored.is_empty() and not only_rebuilt.is_empty():
        append(lake, table, catalog, only_rebuilt, commit)
        written = True
    elif not only_stored.is_empty() and replace_stored:
        replace_rows(open_or_create(lake, table, catalog), lake, table, catalog, made, commit)
        written = True
    return Rebuild(made.height, stored.height, only_stored, only_rebuilt, written)
