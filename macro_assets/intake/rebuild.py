"""The raw table of a source, rebuilt from landing alone with no network.

Every fetch is judged and appended again, in the order of arrival, by the same functions that stored it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from typing import Any

import polars as pl

from macro_assets.catalog import Catalog, Holding, Source, names
from macro_assets.catalog.derive import polars_schema
from macro_assets.intake.fetch import Asked, ask_in_turn, holders_of
from macro_assets.intake.ingest import appended, judged
from macro_assets.intake.judge import Verdict
from macro_assets.lakehouse.acceptances import read_acceptances
from macro_assets.lakehouse.appending import AppendReport
from macro_assets.lakehouse.delta import reading
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.landing import landed
from macro_assets.lakehouse.raw import additions, read_decisions, read_raw, typed
from macro_assets.lakehouse.silences import NO_SILENCES
from macro_assets.lakehouse.write import append, open_or_create, replace_rows
from macro_assets.sources.errors import SourceError
from macro_assets.sources.protocol import Request, Response, Window, request_text


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
    return _rebuilt(lake, source).raw


@dataclass(frozen=True)
class _Rows:
    """Rows of a raw table, and of the silences of its vintages."""

    raw: pl.DataFrame
    silences: pl.DataFrame


def _rebuilt(lake: Lakehouse, source: Source) -> _Rows:
    """What :func:`rebuilt` says, with the silences that go with it."""
    catalog, table, decisions = lake.catalog, lake.table(names.raw(source.name)), read_decisions(lake)
    acceptances = read_acceptances(lake)
    stored = _Rows(pl.DataFrame(schema=polars_schema(table.columns)), NO_SILENCES.with_columns(run_id=pl.lit("")))
    answers: dict[str, Response] = {}
    for fetch in _fetches(lake, source):
        answers |= fetch.answers
        asked = fetch.replayed(catalog, fetch.turns, fetch.answers)
        # A fetch that stored rows left a receipt of every response it had: what has none was not answered, and another
        # holder may have served. Of one that was ended before it left them all, earlier answers stand for the rest.
        heard = fetch.failed.union(*(one.heard for one in asked))
        asked += fetch.replayed(catalog, [t for t in fetch.turns if t[0].series.id not in heard], answers)
        held = stored.raw if fetch.says_whom else stored.raw.filter(pl.col("provider") == source.name)
        verdicts, accepted = judged(asked, held, source.name, acceptances)
        taken = decisions.filter(pl.col("decided_at") <= fetch.moment)
        stored = _replayed(stored, verdicts, accepted, taken, fetch.run_id, catalog)
    return replace(stored, raw=stored.raw.sort(table.key))


@dataclass(frozen=True)
class _Fetch:
    """A question that landing has receipts of.

    One of an earlier version does not say whom it was put to: the source, and for what it failed the other holders.
    What those answered was held against nothing that was stored.

    Parameters
    ----------
    whose
        Who was asked; of an earlier version the source.
    turns
        By series, who may have answered, in turn.
    failed
        Series of which a later holder was asked in the same run: they were not had.
    """

    run_id: str
    whose: str
    says_whom: bool
    turns: list[list[Holding]]
    window: Window
    answers: dict[str, Response]
    failed: set[str]
    moment: datetime

    def replayed(
        self, catalog: Catalog, turns: Sequence[Sequence[Holding]], answers: Mapping[str, Response]
    ) -> list[Asked]:
        """What the providers answer to the question from landing."""
        return ask_in_turn(turns, self._split, catalog, partial(_Replay, answers))

    def _split(self, provider: Source, holdings: Sequence[Holding]) -> list[tuple[Window, Sequence[Holding]]]:
        """What is known is known of one provider; an earlier version asked the others for all."""
        return [(self.window if provider.name == self.whose else replace(self.window, known={}), holdings)]


def _fetches(lake: Lakehouse, source: Source) -> Iterator[_Fetch]:
    """The questions that landing has receipts of, in the order in which they were first answered."""
    holders = {s.id: holders_of(lake.catalog, s) for s in lake.catalog.series_of(source.name)}
    key = ["run_id", "provider", "series_ids", "window_first", "window_last"]
    receipts = landed(lake, source.name).with_columns(first=pl.col("fetched_at").min().over(key))
    asked = {
        (run_id, provider, i)
        for run_id, provider, ids in receipts.select("run_id", "provider", "series_ids").drop_nulls().iter_rows()
        for i in ids.split()
    }
    for _, group in receipts.sort("first", "fetched_at").group_by("first", *key, maintain_order=True):
        told = group.row(0, named=True)
        run_id, whom = told["run_id"], told["provider"]
        ids = list(holders) if told["series_ids"] is None else str(told["series_ids"]).split()
        known = {i: holders[i] for i in ids if i in holders}
        if whom is None:
            turns = [[replace(h, same=False) for h in of_one] for of_one in known.values()]
        else:
            turns = [own for of_one in known.values() if (own := [h for h in of_one if h.provider == whom])]
        yield _Fetch(
            run_id,
            whom or source.name,
            whom is not None,
            turns,
            _window(told),
            {r["request"]: _response(r) for r in group.iter_rows(named=True)},
            {i for i, of_one in known.items() if any((run_id, p, i) in asked for p in _after(whom, of_one))},
            group["fetched_at"].max(),  # type: ignore[arg-type]
        )


def _after(provider: str | None, holders: Sequence[Holding]) -> list[str]:
    """Who is asked after a holder."""
    order = [h.provider for h in holders]
    return order[order.index(provider) + 1 :] if provider in order else []


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
    stored: _Rows,
    verdicts: Sequence[Verdict],
    accepted: pl.DataFrame,
    decisions: pl.DataFrame,
    run_id: str,
    catalog: Catalog,
) -> _Rows:
    done = stored

    def store(rows: pl.DataFrame) -> AppendReport:
        nonlocal done
        batch = typed(rows.with_columns(run_id=pl.lit(run_id)), stored.raw.schema)
        known = stored.silences.select(NO_SILENCES.columns)
        new, silences, report = additions(stored.raw, batch, decisions, catalog, known)
        silent = silences.with_columns(run_id=pl.lit(run_id))
        done = _Rows(pl.concat([stored.raw, new]), pl.concat([stored.silences, silent]))
        return report

    appended(verdicts, accepted, store)
    return done


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
    only where that is asked for; its version before stays in its history. Stored rows of series that the catalog does
    not have, of which nothing can be rebuilt, stay.

    Raises
    ------
    LakeError
        When landing or the table cannot be read or written.
    ValueError
        When a stored body is not the one that was received.
    """
    table = names.raw(source.name)
    stored = read_raw(lake, source.name)
    known = [s.id for s in lake.catalog.series_of(source.name)]
    again = _rebuilt(lake, source)
    made = pl.concat([again.raw, stored.filter(~pl.col("series_id").is_in(known))])
    only_stored = stored.join(made, on=made.columns, how="anti", nulls_equal=True)
    only_rebuilt = made.join(stored, on=made.columns, how="anti", nulls_equal=True)
    commit = {"purpose": "rebuild", "source": source.name}
    written = False
    if only_stored.is_empty() or replace_stored:
        written = _silences_are(lake, source, again.silences, commit)
    if only_stored.is_empty() and not only_rebuilt.is_empty():
        append(lake, table, only_rebuilt, commit)
        written = True
    elif not only_stored.is_empty() and replace_stored:
        replace_rows(lake, table, open_or_create(lake, table), made, commit)
        written = True
    return Rebuild(made.height, stored.height, only_stored, only_rebuilt, written)


def _silences_are(lake: Lakehouse, source: Source, silences: pl.DataFrame, commit: Mapping[str, str]) -> bool:
    """Have what was rebuilt on record, in place of all else about series of the catalog; whether it was not."""
    name = names.silences(source.name)
    if name not in lake.catalog.tables:
        return False
    target, key = open_or_create(lake, name), lake.table(name).key
    known = [s.id for s in lake.catalog.series_of(source.name)]
    with reading(name, target.version()):
        stored = lake.rows(name, target).collect().sort(key)
    made = pl.concat([silences, stored.filter(~pl.col("series_id").is_in(known))]).sort(key)
    if made.select(key).equals(stored.select(key)):
        return False
    replace_rows(lake, name, target, made, commit)
    return True
