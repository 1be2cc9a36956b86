"""The raw table of a source, rebuilt from landing alone with no network.

Every fetch is judged and appended again, in the order of arrival, by the same functions that stored it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any

import polars as pl

from macro_assets.catalog import Catalog, Source, names
from macro_assets.catalog.derive import polars_schema
from macro_assets.intake.fetch import fetch_with_fallbacks
from macro_assets.intake.ingest import appended
from macro_assets.intake.judge import Outcome, judge
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.landing import landed
from macro_assets.lakehouse.raw import additions, read_decisions, read_raw, typed
from macro_assets.lakehouse.vintages import AppendReport
from macro_assets.lakehouse.write import append, open_or_create, replace_rows
from macro_assets.sources.errors import SourceError
from macro_assets.sources.protocol import Fetched, Request, Response, Window, request_text


class _Replay:
    """A client that answers from landing what was answered then."""

    def __init__(self, answers: Mapping[str, Response], source: Source) -> None:
        self.answers, self.source = answers, source

    def get(self, request: Request) -> Response:
        text = request_text(self.source, request)
        if text not in self.answers:
            raise SourceError(f"landing has no response to {text!r}")
        return self.answers[text]


def rebuilt(lake: Lakehouse, source: Source) -> pl.DataFrame:
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
    catalog, table = lake.catalog, lake.table(names.raw(source.name))
    decisions = read_decisions(lake)
    stored = pl.DataFrame(schema=polars_schema(table.columns))
    answers: dict[str, Response] = {}
    fetches = landed(lake, source.name).with_columns(
        first_of_run=pl.col("fetched_at").min().over("run_id", "series_ids", "window_first", "window_last")
    )
    key = ["first_of_run", "run_id", "series_ids", "window_first", "window_last"]
    for values, group in fetches.sort("first_of_run", "fetched_at").group_by(key, maintain_order=True):
        _, run_id, ids, *_ = values
        own = {r["request"]: _response(r) for r in group.iter_rows(named=True)}
        answers |= own
        asked = str(ids).split() if ids is not None else [s.id for s in catalog.series_of(source.name)]
        selected = [catalog.series[i] for i in asked if i in catalog.series]
        window = _window(group.row(0, named=True))
        fetched = fetch_with_fallbacks(source, selected, window, catalog, partial(_Replay, own))
        # A fetch that stored rows left a receipt of every response it had: what has none was not answered, and a
        # fallback may have served. Of one that was ended before it left them all, earlier answers stand for the rest.
        if lacking := [s for s in selected if s.id in fetched.failures]:
            again = fetch_with_fallbacks(source, lacking, window, catalog, partial(_Replay, answers))
            fetched = _completed(fetched, again)
        outcomes, accepted = judge(fetched, selected, window, stored, source)
        moment: datetime = group["fetched_at"].max()  # type: ignore[assignment]
        taken = decisions.filter(pl.col("decided_at") <= moment)
        stored = _replayed(stored, outcomes, accepted, taken, str(run_id), catalog)
    return stored.sort(table.key)


def _completed(fetched: Fetched, again: Fetched) -> Fetched:
    """A fetch with what another brought for the series it failed."""
    return Fetched(
        pl.concat([fetched.observations, again.observations]),
        (*fetched.responses, *again.responses),
        again.failures,
        fetched.unchanged | again.unchanged,
        {**fetched.substituted, **again.substituted},
    )


def _window(receipt: Mapping[str, Any]) -> Window:
    """What was asked for when a response came."""
    known = dict(part.rsplit(":", 1) for part in (receipt["known_through"] or "").split())
    return Window(
        receipt["window_first"],
        receipt["window_last"],
        receipt["asked_on"],
        {series_id: date.fromisoformat(day) for series_id, day in known.items()},
    )


def _replayed(
    stored: pl.DataFrame,
    outcomes: Sequence[Outcome],
    accepted: pl.DataFrame,
    decisions: pl.DataFrame,
    run_id: str,
    catalog: Catalog,
) -> pl.DataFrame:
    added = [stored]

    def store(rows: pl.DataFrame) -> AppendReport:
        batch = typed(rows.with_columns(run_id=pl.lit(run_id)), stored.schema)
        new, report = additions(stored, batch, decisions, catalog)
        added.append(new)
        return report

    appended(outcomes, accepted, store)
    return pl.concat(added)


def _response(row: Mapping[str, object]) -> Response:
    body, sha = row["body"], row["payload_sha256"]
    if not isinstance(body, bytes) or hashlib.sha256(body).hexdigest() != sha:
        raise ValueError(
            f"landing: the body of {row['request']!r} fetched at {row['fetched_at']} is not the one that was received "
            f"(its SHA-256 is not {sha}). Restore landing from a backup."
        )
    return Response(str(row["request"]), body, row["fetched_at"], row["http_status"])  # type: ignore[arg-type]


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


def rebuild(lake: Lakehouse, source: Source, replace_stored: bool = False) -> Rebuild:
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
    table = names.raw(source.name)
    made = rebuilt(lake, source)
    stored = read_raw(lake, source.name)
    only_stored = stored.join(made, on=made.columns, how="anti", nulls_equal=True)
    only_rebuilt = made.join(stored, on=made.columns, how="anti", nulls_equal=True)
    commit = {"purpose": "rebuild", "source": source.name}
    written = False
    if only_stored.is_empty() and not only_rebuilt.is_empty():
        append(lake, table, only_rebuilt, commit)
        written = True
    elif not only_stored.is_empty() and replace_stored:
        replace_rows(lake, table, open_or_create(lake, table), made, commit)
        written = True
    return Rebuild(made.height, stored.height, only_stored, only_rebuilt, written)
