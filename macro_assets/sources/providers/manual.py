"""Observations that people enter: a line each in `manual.csv`, in the folder that MACRO_CATALOG names.

Columns: series_id, observation_date, value, release_time, author, reason. `macro observe` adds lines, or an editor.

- `series_id` is a series' `code`: of a series declared in a source file whose connector is `manual`, or in the
  `holders` of any other, which is then asked of it when its provider fails.
- `observation_date` is the period's first day; `value` a number in the provider's unit, or empty = missing.
- `release_time` is when the value became known: an instant with its zone (2026-11-06T13:30:00Z), or a date, which
  stands for its end (UTC). A line with a later one revises; two lines with the same one contradict each other.
- `author` and `reason` say who entered it and where it is from.

A line that is wrong fails its series, and is named.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, time
from pathlib import Path

import polars as pl

from macro_assets.catalog import CatalogError, Series, Source
from macro_assets.catalog.folders import FolderError, contents
from macro_assets.catalog.own import OWN, own_folder
from macro_assets.catalog.periods import PeriodError, first_days
from macro_assets.sources.bodies import read_csv
from macro_assets.sources.cells import dates, numbers
from macro_assets.sources.errors import EmptyError, SchemaError, SourceError
from macro_assets.sources.protocol import Ask, Client, Request, Response, Steps, Window, read_each

FILE = "manual.csv"
COLUMNS = ("series_id", "observation_date", "value", "release_time", "author", "reason")


class ManualClient:
    """Reads `manual.csv` of a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, request: Request) -> Response:
        try:
            return Response(request.path, contents(self.folder, request.path), datetime.now(UTC))
        except FolderError as error:
            raise SourceError(f"{error}. `macro observe` makes {FILE} and adds lines to it.") from None


def client(source: Source) -> Client:
    """The client of a source whose connector this is."""
    try:
        folder = own_folder()
    except CatalogError as error:
        raise SourceError(str(error)) from None
    if folder is None:
        raise SourceError(f"source {source.name} reads {FILE} of the folder that {OWN} names, and {OWN} is not set")
    return ManualClient(folder)


def fingerprint(source: Source) -> str:
    """A text that changes when the file of a source does, to tell whether there may be news."""
    try:
        folder = own_folder()
        found = (folder / FILE).stat() if folder else None
    except (CatalogError, OSError):
        found = None
    return f"{found.st_size} {found.st_mtime_ns}" if found else f"{source.name} has no file"


def plan(series: Sequence[Series], window: Window) -> Iterator[Ask]:
    """One ask for all."""
    yield Ask(tuple(series), _steps(series, window.today))


def _steps(series: Sequence[Series], today: date) -> Steps:
    response = yield Request(FILE)
    lines = read_lines(response)
    return [read_each(response, series, lambda one: observations(lines, one, today))]


def read_lines(response: Response) -> pl.DataFrame:
    """All lines as text, with the number of each in `line`."""
    table = read_csv(response, COLUMNS)
    if list(table.columns) != list(COLUMNS):
        raise SchemaError(f"{FILE}: expected the columns {', '.join(COLUMNS)}, got {', '.join(table.columns)}")
    return table.with_columns(pl.all().str.strip_chars()).with_row_index("line", offset=2)


def observations(lines: pl.DataFrame, series: Series, today: date) -> pl.DataFrame:
    """The observations of one series: `observation_date`, `value`, `release_time`.

    Parameters
    ----------
    today
        UTC day that no release is after.

    Raises
    ------
    EmptyError
        When there is no line of the series.
    SchemaError
        When one of its lines is wrong; it names the line.
    """
    own = lines.filter(pl.col("series_id") == series.code)
    if own.is_empty():
        raise EmptyError(f"{FILE} has no line of {series.code!r}. Add one: macro observe {series.id} DATE VALUE")
    parts = [_observation(own[i], series, today) for i in range(own.height)]
    rows = pl.concat(parts).with_columns(own["line"])
    twice = rows.filter(pl.struct("observation_date", "release_time").is_duplicated())
    if twice.height:
        known = twice["release_time"][0]
        raise SchemaError(
            f"{FILE}, lines {twice['line'].to_list()[:2]}: expected one value for {twice['observation_date'][0]} "
            f"known at {known:%Y-%m-%d %H:%M:%S} UTC, got several. A revision needs a later release_time."
        )
    return rows.drop("line")


def _observation(line: pl.DataFrame, series: Series, today: date) -> pl.DataFrame:
    """The observation of one line."""
    try:
        if lacking := [c for c in ("author", "reason") if not line[c][0]]:
            raise SchemaError(f"expected the {lacking[0]}, it is empty")
        day = dates(line["observation_date"])
        start: date = first_days(day, series.frequency)[0]
        known = _instant(line["release_time"][0])
        if known.date() > today:
            raise SchemaError(f"expected a release_time that has passed, got {line['release_time'][0]!r}")
        if known.date() < start and not series.projections:
            raise SchemaError(f"expected a release_time after {start} has begun, got {line['release_time'][0]!r}")
        value = numbers(line["value"], ("",))
    except (SourceError, PeriodError) as error:
        raise SchemaError(f"{FILE}, line {line['line'][0]}: {error}") from None
    return pl.DataFrame({"observation_date": day, "value": value}).with_columns(release_time=pl.lit(known))


def _instant(text: str | None) -> datetime:
    """An instant with a zone, or the end (UTC) of a date."""
    with suppress(ValueError, OverflowError):  # the last of an instant that is of no year from 1 to 9999
        if len(text or "") == 10:
            return datetime.combine(date.fromisoformat(text or ""), time.max, tzinfo=UTC)
        known = datetime.fromisoformat(text or "") if (text or "")[10:11] in ("T", " ") else None
        if known is not None and known.tzinfo is not None:
            return known.astimezone(UTC)
    raise SchemaError(f"expected a release_time like 2026-11-06 or 2026-11-06T13:30:00Z, got {text!r}")
