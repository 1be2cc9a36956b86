"""Tables on the terminal: cells as people write them, as many columns as there is room for.

Nothing is cut: text is folded, and columns without room are left out, by name.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from rich.box import HEAVY_HEAD, Box
from rich.cells import cell_len
from rich.console import Console, JustifyMethod
from rich.table import Table
from rich.text import Text

from macro_assets.catalog.wording import LONGEST, Clock, shortened, written
from macro_assets.publishing.plain import plain

if TYPE_CHECKING:
    import polars as pl

FOLDED = 16
"""Width below which a column of text is not folded further."""

_SCREENS = 10_000
"""Characters of a column that are looked through: one cell may be a page, of many each a few lines."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = 86_400_000_000
"""Microseconds of a day."""


class PlainConsole(Console):
    """A console on which text says what it says: no markup, no colours of its own, no control characters."""

    def __init__(self, **options: Any) -> None:
        super().__init__(markup=False, emoji=False, highlight=False, **options)

    def render_str(self, text: str, **options: Any) -> Text:
        """The text, with what would act on the terminal written out."""
        return super().render_str(plain(text), **options)


@dataclass(frozen=True)
class Column:
    """A column: its heading and cells; whether text in it may be folded, and whether it stands on the right.

    A cell may have a style of ours.
    """

    heading: str
    cells: Sequence[str | Text]
    folds: bool = False
    right: bool = False

    @property
    def width(self) -> int:
        """Characters of its widest line."""
        texts = [self.heading, *map(str, self.cells)]
        return max(cell_len(line) for text in texts for line in plain(text).split("\n"))

    @property
    def least(self) -> int:
        """Characters that it needs."""
        return min(self.width, max(FOLDED, cell_len(plain(self.heading)))) if self.folds else self.width


def fitted(
    columns: Sequence[Column], width: int, title: str | None = None, box: Box | None = HEAVY_HEAD
) -> tuple[Table, list[str]]:
    """A table of the first columns that have room, at least one, and the headings of those that are left out."""
    around = 3 if box else 2
    room = width - bool(box)
    shown: list[Column] = []
    for column in columns:
        if shown and room < column.least + around:
            break
        room -= column.least + around
        shown.append(column)
    table = Table(title=title, title_justify="left", box=box)
    for column, characters in zip(shown, _widths(shown, room), strict=True):
        justify: JustifyMethod = "right" if column.right else "left"
        table.add_column(column.heading, width=characters, overflow="fold", justify=justify)
    for row in zip(*(c.cells for c in shown), strict=True):
        table.add_row(*row)
    return table, [c.heading for c in columns[len(shown) :]]


def _widths(columns: Sequence[Column], room: int) -> list[int]:
    """Characters of each column: what it needs, and its share of the room that is left; a first may need too many."""
    widths = [c.least for c in columns]
    if room < 0:
        return [max(1, w + room) for w in widths]
    wanting = sorted(range(len(columns)), key=lambda n: columns[n].width - widths[n])
    for position, n in enumerate(wanting):
        more = min(columns[n].width - widths[n], room // (len(wanting) - position))
        widths[n] += more
        room -= more
    return widths


def of_frame(rows: pl.DataFrame) -> list[Column]:
    """The columns of a frame, as people write what is in them."""
    columns = []
    longest = max(LONGEST, _SCREENS // max(rows.height, 1))
    for column in rows:
        cells = ["" if told is None else shortened(told, longest) for told in _told(column)]
        folds = not (column.dtype.is_numeric() or column.dtype.is_temporal())
        columns.append(Column(column.name, cells, folds, column.dtype.is_numeric()))
    return columns


def upright(columns: Sequence[Column]) -> list[Column]:
    """A table of one row as one of two columns: what it has, and what it is."""
    return [
        Column("column", [c.heading for c in columns], folds=True),
        Column("value", [cell for c in columns for cell in c.cells], folds=True),
    ]


def csv_text(rows: pl.DataFrame) -> str:
    """A frame as CSV; a column with times beyond the calendar, which Polars does not write, as tables tell them."""
    import polars as pl

    told = [pl.Series(c.name, _told(c), pl.String) for c in rows if _is_beyond(c)]
    return rows.with_columns(told).write_csv()


def _is_beyond(column: pl.Series) -> bool:
    """Whether a date or an instant is of no year from 1 to 9999, as DuckDB's infinity."""
    import polars as pl

    if column.dtype == pl.Datetime:
        column = column.dt.cast_time_unit("us").to_physical() // _DAY
    elif column.dtype == pl.Date:
        column = column.to_physical().cast(pl.Int64)
    else:
        return False
    return not (column + _EPOCH.toordinal()).is_between(1, date.max.toordinal()).all()


def _told(column: pl.Series) -> list[str | None]:
    import polars as pl

    if column.dtype == pl.Datetime:
        return instants(column)
    if column.dtype == pl.Date:
        return [None if days is None else _day(days) for days in column.to_physical()]
    if column.dtype == pl.Boolean:
        return [None if v is None else str(v).lower() for v in column]
    if column.dtype.is_float():
        return [None if v is None else number(v) for v in column]
    return [None if v is None else str(v) for v in column]


def number(value: float) -> str:
    """A number with ten digits, whole ones as they are."""
    return f"{value:.0f}" if math.isfinite(value) and value == round(value) and abs(value) < 1e15 else f"{value:.10g}"


def instants(column: pl.Series) -> list[str | None]:
    """Instants to the minute; to the second where that tells some of them apart, or where whole seconds are stated."""
    zone = UTC if column.dtype.time_zone is not None else None  # type: ignore[attr-defined]
    found = [None if us is None else _instant(us, zone) for us in column.dt.cast_time_unit("us").to_physical()]
    known = {m for m in found if isinstance(m, datetime)}
    apart = len({written(m, "seconds") for m in known}) > len({written(m) for m in known})
    stated = any(m.second and not m.microsecond for m in known)
    clock: Clock = "seconds" if apart or stated else "minutes"
    return [written(m, clock) if isinstance(m, datetime) else m for m in found]


def _instant(microseconds: int, zone: Any) -> datetime | str:
    try:
        return (_EPOCH + timedelta(microseconds=microseconds)).replace(tzinfo=zone)
    except OverflowError:
        return _beyond(microseconds)


def _day(days: int) -> str:
    try:
        return date.fromordinal(_EPOCH.toordinal() + days).isoformat()
    except (ValueError, OverflowError):
        return _beyond(days)


def _beyond(value: int) -> str:
    """What to say of a time that no calendar of Python has; DuckDB's infinity is one."""
    return "after year 9999" if value > 0 else "before year 1"
