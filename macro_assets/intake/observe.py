"""An observation entered by hand: a line of `manual.csv`, which the next run of its source reads."""

from __future__ import annotations

import csv
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from io import StringIO
from pathlib import Path
from tempfile import mkstemp

from macro_assets.catalog import Catalog, Series
from macro_assets.catalog.own import OWN, own_folder
from macro_assets.sources.errors import SourceError
from macro_assets.sources.protocol import Response
from macro_assets.sources.providers.manual import COLUMNS, FILE, observations, read_lines


@dataclass(frozen=True)
class Entry:
    """What somebody enters: a value of a series for a date, who enters it and why.

    `release_time` is an instant with its zone, a date (its end, UTC), or 'now'.
    """

    series: str
    date: str
    value: str
    author: str
    reason: str
    release_time: str = "now"


def observe(entry: Entry, catalog: Catalog, now: datetime) -> str:
    """Add a line to `manual.csv` and return it.

    Raises
    ------
    UnknownNameError
        When the catalog has no such series.
    ValueError
        When the series takes no observations by hand, or the file with the line would not be read.
    """
    entered, factor = _entered(catalog, entry.series)
    folder = own_folder()
    if folder is None:
        raise ValueError(f"{OWN} is not set: {FILE} is in the folder that it names")
    known = entry.release_time
    if known == "now":
        known = now.replace(microsecond=0).isoformat().replace("+00:00", "Z")
    line = _line([entered.code, entry.date, entry.value, known, entry.author, entry.reason])
    with _locked(folder / FILE) as file:
        held = file.read_bytes() if file.exists() else (",".join(COLUMNS) + "\n").encode()
        body = held + (b"" if held.endswith(b"\n") else b"\n") + line.encode() + b"\n"
        try:
            rows = observations(read_lines(Response(FILE, body, now)), entered, now.date())
        except SourceError as error:
            raise ValueError(f"nothing was added to {file}: {error}") from None
        bounds, number = entered.bounds, rows["value"][-1]
        low, high = (limit if limit is None else limit / factor for limit in (bounds.low, bounds.high))
        if number is not None and ((low is not None and number < low) or (high is not None and number > high)):
            raise ValueError(
                f"nothing was added to {file}: series {entry.series}: expected a value from {low} to {high} "
                f"({entered.provider_unit}), got {number}. Is the unit right?"
            )
        _replace(file, body)
    return line


def _entered(catalog: Catalog, series_id: str) -> tuple[Series, float]:
    """A series as `manual.csv` has it, and what its numbers are multiplied with there."""
    series = catalog.one_series(series_id)
    if catalog.sources[series.source].module == "manual":
        return series, 1.0
    for holder in series.holders:
        if catalog.sources[holder.source].module == "manual":
            return series.at(holder), holder.factor
    raise ValueError(
        f"series {series_id} of source {series.source} takes no observations by hand. It would need a holder at a "
        "source of the connector 'manual'."
    )


def _line(cells: list[str]) -> str:
    """Cells as a line of CSV, with nothing in it that would break the line."""
    bare = [c.strip() for c in cells]
    if odd := [c for c in bare if not c.isprintable()]:
        raise ValueError(f"expected text on one line, got {odd[0]!r}")
    text = StringIO()
    csv.writer(text, lineterminator="").writerow(bare)
    return text.getvalue()


@contextmanager
def _locked(file: Path) -> Iterator[Path]:
    """Alone with a file: another who adds a line waits."""
    import fcntl

    if file.is_symlink():
        raise ValueError(f"{file} is a link. Expected the file itself: it is replaced as a whole.")
    with (file.parent / f".{file.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield file


def _replace(file: Path, body: bytes) -> None:
    """Replace a file as a whole: a reader sees it with the line or without, whatever breaks in between."""
    descriptor, name = mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(descriptor, "wb") as written:
            written.write(body)
            written.flush()
            os.fsync(descriptor)
        if file.exists():
            shutil.copymode(file, name)
        else:
            os.chmod(name, 0o644)
        os.replace(name, file)
    except BaseException:
        os.unlink(name)
        raise
