"""Files of the user's own: a folder of CSV or Parquet files, one of them, or one per vintage.

A source file in the folder that MACRO_CATALOG names declares it (``catalog.kinds.source.Folder``). What is asked:
`listing`, the names of the files as JSON, then each file by its name below the folder; so landing has all that a
rebuild needs.

- A date may be any day of its period; it becomes the period's first day (a quarter often stands in its last month).
- Where files are vintages, values were known at the end (UTC) of the vintage's day, or month; the first vintage of a
  series is a snapshot. A blank, and a date that a file lacks, says nothing, or withdraws the figure that an earlier
  file had, as `blank` says. In a single file a blank is a missing value, and values were known at the end of their
  period plus the publication lag.
- A series that some vintages lack fails, or began and ended there, as `absent` says. A file that cannot be read fails
  all series: without it the vintages around it would tell another story.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time
from functools import partial
from pathlib import Path

import polars as pl

from macro_assets.catalog import Folder, Series, Source
from macro_assets.catalog.folders import FolderError, contents, file_names, in_order
from macro_assets.catalog.folders import fingerprint as files_fingerprint
from macro_assets.sources.bodies import read_json
from macro_assets.sources.errors import NotFoundError, SchemaError, SourceError
from macro_assets.sources.protocol import Answer, Ask, Client, Request, Response, Steps, Window, read_each
from macro_assets.sources.providers.folder.files import LABELLED, read_table, values
from macro_assets.sources.providers.folder.withdrawals import Withdrawals
from macro_assets.sources.rows import of_periods

LISTING = "listing"


class FolderClient:
    """Reads the files of a folder; nothing outside it, nothing but regular files (``catalog/folders.py``)."""

    def __init__(self, folder: Folder) -> None:
        self.folder = folder

    def get(self, request: Request) -> Response:
        try:
            if request.path == LISTING:
                body = json.dumps(file_names(self.folder)).encode()
            else:
                body = contents(Path(self.folder.path), request.path)
        except FolderError as error:
            raise SourceError(str(error)) from None
        return Response(request.path, body, datetime.now(UTC))


def client(source: Source) -> Client:
    """The client of a source whose connector this is."""
    if source.folder is None:
        raise SourceError(f"source {source.name} declares no folder")
    return FolderClient(source.folder)


def fingerprint(source: Source) -> str:
    """A text that changes when the files of a source do, to tell whether there may be news."""
    return "no folder" if source.folder is None else files_fingerprint(source.folder)


def plan(series: Sequence[Series], window: Window) -> Iterator[Ask]:
    """One ask for all series of a folder; `code` of a series is its column, or its name in the column of names."""
    for folder in dict.fromkeys(s.folder for s in series):
        if folder is None:
            raise SchemaError(
                "a folder of files is asked for what its own file states: state `of` and the series there"
            )
        wanted = tuple(s for s in series if s.folder == folder)
        yield Ask(wanted, _steps(folder, wanted))


def _steps(folder: Folder, series: Sequence[Series]) -> Steps:
    names = read_json((yield Request(LISTING)))
    try:
        files = in_order(folder, names)
    except FolderError as error:
        raise SchemaError(str(error)) from None
    answers: list[Answer] = []
    begun: set[str] = set()
    withdrawals = Withdrawals(folder.most_withdrawn)
    for vintage, name in files:
        response = yield Request(name)
        try:
            table = read_table(response, folder)
        except SourceError as error:
            raise type(error)(f"{name}: {error}") from None
        answer = read_each(response, series, partial(_observations, table, folder, vintage, name))
        lacking = {i for i, e in answer.failures.items() if isinstance(e, NotFoundError)}
        if folder.absent == "allow":
            answer = replace(answer, failures={i: e for i, e in answer.failures.items() if i not in lacking})
        if vintage is not None and folder.blank == "withdrawn":
            answer = _less(answer, withdrawals, [s.id for s in series if s.id not in lacking], name)
        if vintage is not None:
            first = pl.col("series_id").is_in([s.id for s in series if s.id not in begun])
            rows = answer.rows.with_columns(
                release_time=pl.lit(datetime.combine(vintage, time.max, tzinfo=UTC)),
                release_basis=pl.when(first).then(pl.lit("snapshot")).otherwise(pl.lit("provider")),
            )
            answer = replace(answer, rows=rows)
        begun |= {s.id for s in series} - lacking
        answers.append(answer)
    never = {s.id: NotFoundError(f"no file has the series {s.code!r}") for s in series if s.id not in begun}
    answers[-1] = replace(answers[-1], failures={**never, **answers[-1].failures})
    return answers


def _less(answer: Answer, withdrawals: Withdrawals, there: Sequence[str], name: str) -> Answer:
    """An answer with what its file withdraws of the series that it has."""
    gone, too_much = withdrawals.of(answer.rows, [i for i in there if i not in answer.failures])
    failures = {i: type(e)(f"{name}: {e}") for i, e in too_much.items()}
    rows = pl.concat([answer.rows, gone], how="diagonal")
    return replace(answer, rows=rows, failures={**failures, **answer.failures})


def _observations(table: pl.DataFrame, folder: Folder, vintage: date | None, name: str, one: Series) -> pl.DataFrame:
    """The observations of one series in a file: blanks of a vintage left out, as they state nothing."""
    rows, column = table, folder.value or one.code
    if folder.series is not None:
        rows = table.filter(pl.col(folder.series) == one.code)
    if column not in rows.columns or (folder.series is not None and rows.is_empty()):
        raise NotFoundError(f"{name} lacks the series {one.code!r}. Expected it in every file, or `absent: allow`.")
    found = rows.select("observation_date", LABELLED, folder.date).with_columns(value=values(rows[column], folder))
    other = ~found[LABELLED].is_in(["D", one.frequency])
    if (odd := found.filter(other & found["value"].is_not_null())).height:
        raise SchemaError(f"{name}: expected dates of the frequency {one.frequency}, got {odd[folder.date][0]!r}")
    found = found.filter(~other).select("observation_date", "value")
    try:
        return of_periods(found if vintage is None else found.drop_nulls("value"), one.frequency, "any")
    except SchemaError as error:
        raise SchemaError(f"{name}: {error}") from None
