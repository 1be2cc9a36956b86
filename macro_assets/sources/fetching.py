"""The driver: what connectors yield goes through a client, what they return becomes observations.

Nothing raises for the sake of one series: what cannot be had of one is named in :attr:`Fetched.failures`, the rest is
returned.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from typing import TypeVar

import polars as pl
from polars.exceptions import PanicException

from macro_assets.catalog import Series, Source
from macro_assets.catalog.periods import PeriodError, estimated_releases, refuse_another_rhythm
from macro_assets.catalog.wording import shortened
from macro_assets.sources.errors import MOST, SchemaError, SourceError
from macro_assets.sources.protocol import (
    NO_OBSERVATIONS,
    OBSERVATION_SCHEMA,
    Answer,
    Ask,
    Client,
    Connector,
    Fetched,
    Request,
    Response,
    Splits,
    Window,
    connector,
)
from macro_assets.sources.rows import of_periods

T = TypeVar("T")

_LOG = logging.getLogger(__name__)
_STUDY = (
    "Nothing of it was stored: look at the payload in landing; if the provider changed its form, so must the catalog."
)


@dataclass
class _Done:
    """What became of one ask."""

    ask: Ask
    responses: list[Response] = field(default_factory=list)
    rows: pl.DataFrame | None = None
    failures: dict[str, str] = field(default_factory=dict)
    splits: dict[str, Splits] = field(default_factory=dict)


Progress = Callable[[int, int], None]
"""Told after each ask how many of how many are done."""


def fetch(
    source: Source, client: Client, series: Sequence[Series], window: Window, progress: Progress | None = None
) -> Fetched:
    """Observations of some series of a source.

    Parameters
    ----------
    client
        Sends the requests.
    series
        Series of this source.
    window
        What is wanted of them. Of a source that tells vintages, what was released about other dates comes too.

    Returns
    -------
    Fetched
        Numbers in the providers' units. Where the provider states no release time, it is estimated from the
        publication lag.
    """
    speaker = connector(source)
    asks, failures = _planned(speaker, source, series, window)
    lanes = source.api.in_flight if source.api else 1
    done: list[_Done] = []
    with ThreadPoolExecutor(lanes, thread_name_prefix=source.name) as pool:
        for one in pool.map(lambda a: _carried_out(a, speaker, source, client, window), asks):
            done.append(one)
            if progress is not None:
                progress(len(done), len(asks))
    for d in done:
        failures |= d.failures
    frames = [d.rows for d in done if d.rows is not None]
    unchanged = frozenset(s.id for d in done if d.rows is None for s in d.ask.series if s.id not in failures)
    observations = pl.concat([NO_OBSERVATIONS, *frames]).filter(~pl.col("series_id").is_in(list(failures)))
    responses = tuple(dict.fromkeys(r for d in done for r in d.responses))
    splits = {i: found for d in done for i, found in d.splits.items() if i not in failures}
    return Fetched(observations, responses, failures, unchanged, splits)


def _planned(
    speaker: Connector, source: Source, series: Sequence[Series], window: Window
) -> tuple[list[Ask], dict[str, str]]:
    """What to ask; where a plan breaks for one series, the others are still asked."""
    try:
        asks = list(speaker.plan(series, window))
    except (Exception, PanicException) as error:
        if len(series) == 1:
            return [], {series[0].id: _message(series[0].id, source, error)}
        parts = [_planned(speaker, source, [s], window) for s in series]
        return [a for asks, _ in parts for a in asks], {k: v for _, f in parts for k, v in f.items()}
    planned = {s.id for a in asks for s in a.series}
    return asks, {s.id: _unasked(s, source) for s in series if s.id not in planned}


def _unasked(series: Series, source: Source) -> str:
    return (
        f"series {series.id} of source {source.name}: the connector {source.module} has no way to ask for it: expected "
        f"a question for its code {series.code!r} and dataset {series.dataset!r}, got none. Correct its entry in the "
        "catalog, or the connector's plan."
    )


def _carried_out(ask: Ask, speaker: Connector, source: Source, client: Client, window: Window) -> _Done:
    """Carry out one ask. Its series fail together, or each by itself where the connector says so."""
    done = _Done(ask)
    try:
        answers = _driven(ask.steps, speaker, client, done.responses)
        if answers is not None:
            done.rows, misdated = _observations(answers, ask, source, window)
            lone = {series_id: error for a in answers for series_id, error in a.failures.items()} | misdated
            done.failures = {i: _message(i, source, e, done.responses) for i, e in lone.items()}
            done.splits = _splits(answers)
    except (Exception, PanicException) as error:
        names = ", ".join(s.id for s in ask.series[:5]) + (", ..." if len(ask.series) > 5 else "")
        reason = _message(names, source, error, done.responses)
        done.failures = {s.id: reason for s in ask.series}
    finally:
        ask.steps.close()
    return done


def _driven(steps: Generator[Request, Response, T], speaker: Connector, client: Client, responses: list[Response]) -> T:
    """What a connector's generator returns; the responses that it was sent are added to a list."""
    try:
        request = next(steps)
        while True:
            response = client.get(request)
            responses.append(response)
            if (error := speaker.explain(response)) is not None:
                raise error
            request = steps.send(response)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]


def _message(names: str, source: Source, error: BaseException, came: Sequence[Response] = ()) -> str:
    """Why series failed, in one line. What is not a foreseen error is a fault of the connector and logged as such."""
    said = shortened(" ".join(str(error).split()), MOST)
    if isinstance(error, SchemaError) and came:  # readers say what came, not what to do about it
        said = f"{said}{'' if said.endswith(('.', '?')) else '.'} {_STUDY}"
    if isinstance(error, SourceError):
        return f"series {names} of source {source.name}: {said}"
    _LOG.error("connector %s failed on %s: %s", source.module, names, type(error).__name__, exc_info=error)
    return f"series {names} of source {source.name}: the connector failed: {type(error).__name__}: {said}"


def without_names(message: str) -> str:
    """A message about series, without their names and that of their source, with which it begins."""
    return _NAMES.sub("", message)


_NAMES = re.compile(r"^series [^:]+: ")


def _observations(
    answers: Sequence[Answer], ask: Ask, source: Source, window: Window
) -> tuple[pl.DataFrame, dict[str, BaseException]]:
    """Rows of the series of an ask, and those whose dates are none of their frequency, or of no calendar."""
    frames: list[pl.DataFrame] = []
    failures: dict[str, BaseException] = {}
    for one in ask.series:
        try:
            frames.append(_of(one, answers, ask, source, window))
        except (Exception, PanicException) as error:
            failures[one.id] = error
    return pl.concat([NO_OBSERVATIONS, *frames]), failures


def _of(series: Series, answers: Sequence[Answer], ask: Ask, source: Source, window: Window) -> pl.DataFrame:
    """Rows of one series; blanks from before it began say nothing, but where a provider tells what it withdraws."""
    begun = pl.col("observation_date") >= date(series.first_year, 1, 1)
    frames = [NO_OBSERVATIONS]
    for answer in answers:
        rows = answer.rows
        if "series_id" not in rows.columns and len(ask.series) > 1:
            raise ValueError(f"rows for {len(ask.series)} series need the column series_id, they have {rows.columns}")
        named = rows if "series_id" in rows.columns else rows.with_columns(series_id=pl.lit(series.id))
        own = of_periods(named.filter(pl.col("series_id") == series.id), series.frequency, source.dated)
        own = own.filter(pl.col("value").is_not_null() | begun | pl.lit(source.vintages == "changes"))
        frames.append(_released(own, series, source, answer.response))
    found = pl.concat(frames)
    if not (source.vintages == "changes" or series.irregular or (series.frequency == "D" and not window.is_whole)):
        _refuse_another_rhythm(found, series)
    return found


def _refuse_another_rhythm(found: pl.DataFrame, series: Series) -> None:
    try:
        refuse_another_rhythm(found.drop_nulls("value")["observation_date"].unique().to_list(), series.frequency)
    except PeriodError as error:
        raise SchemaError(
            f"{error}, ... Correct `frequency` in the catalog, or state `irregular: true` if its figures do come so."
        ) from None


def _splits(answers: Sequence[Answer]) -> dict[str, Splits]:
    """The splits of each series in all answers, in turn; one that two answers tell is one."""
    told: dict[str, set[tuple[date, float]]] = {}
    for answer in answers:
        for series_id, splits in answer.splits.items():
            told.setdefault(series_id, set()).update(splits)
    return {series_id: tuple(sorted(splits)) for series_id, splits in told.items() if splits}


def _released(rows: pl.DataFrame, series: Series, source: Source, response: Response) -> pl.DataFrame:
    """Rows of one series with when they were released, who says so, and where they are from."""
    days = rows["observation_date"].cast(pl.Date)
    if (wrong := days.filter(days >= _NO_DATE)).len():  # what comes after Python's last day breaks who looks at it
        raise SchemaError(f"expected dates before {_NO_DATE.year}, got {wrong[0]}.")
    if "release_time" not in rows.columns:
        released = estimated_releases(series, rows["observation_date"])
        rows = rows.with_columns(release_time=released, release_basis=pl.lit("publication_lag"))
    elif "release_basis" not in rows.columns:
        rows = rows.with_columns(release_basis=pl.lit("provider"))
    return rows.with_columns(
        provider=pl.lit(source.name),
        ingested_at=pl.lit(response.fetched_at),
        payload_sha256=pl.lit(response.sha256),
    ).select(pl.col(n).cast(t) for n, t in OBSERVATION_SCHEMA.items())


_NO_DATE = date(2200, 1, 1)


def calendar(source: Source, client: Client, first: date, last: date, today: date) -> pl.DataFrame | None:
    """Days on which the releases of a source come out: `release`, `name`, `date`; None where it has no calendar.

    Raises
    ------
    SourceError
        When the calendar cannot be had.
    """
    speaker = connector(source)
    if speaker.calendar is None:
        return None
    return _driven(speaker.calendar(first, last, today), speaker, client, [])
