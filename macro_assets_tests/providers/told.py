"""Figures for stand-ins to tell: US series from the real vintages of 2016 and from arch's files, and on to today.

The figures of `../shared/vintages` and of arch are real; all others here are SYNTHETIC: the years before a file begins,
every month and day after it ends, and a change of base year in 2018. They go on from the real ones without a jump and
stay in the catalog's bounds, so that what is built on both is plausible, and mean nothing.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

from macro_assets.catalog import Catalog, Series
from macro_assets.catalog.periods import next_period, period_end

VINTAGES = Path(__file__).resolve().parents[2] / ".." / "shared" / "vintages" / "us"
"""Real vintages of 29 series, `<day>.csv`; no part of the project."""

REBASED = date(2018, 7, 31)
"""Day of the synthetic change of base year, of the series whose offline copy has another base than FRED has today.

What FRED's charts do not have today is withdrawn then.
"""

NEW_BASE = 1.1
"""What a figure in the base of 2016 is multiplied with on that day."""

ON_RECORD = date(2010, 1, 4)
"""First vintage of the series that have no real ones: what is older was known by then."""

FILES = {"SP500": ("sp500", "Close"), "VIXCLS": ("vix", "vix"), "AAA": ("default", "AAA"), "BAA": ("default", "BAA")}
"""Data set of arch and its column, by series."""

BEFORE = {"SP500": date(1927, 12, 30), "VIXCLS": date(1990, 1, 2)}
"""Where the first provider begins, earlier than the file."""

Changes = Mapping[date, Sequence[tuple[date, float | None]]]


@dataclass(frozen=True)
class Told:
    """All that became known of a series.

    `changes` has by observation date the days on which its value changed, and to what; None withdraws it. `units` says
    from which day on the figures are in which unit, where it changed.
    """

    changes: Changes
    units: tuple[tuple[date, str], ...] = ()

    def at(self, day: date) -> dict[date, float]:
        """What is known on a day."""
        known = {d: [value for at, value in told if at <= day] for d, told in sorted(self.changes.items())}
        return {d: told[-1] for d, told in known.items() if told and told[-1] is not None}

    def in_force(self, today: date) -> Iterator[tuple[date, float, date, date | None]]:
        """Each value with its first and last day, as seen on a day; None for a value that still holds."""
        for d, told in sorted(self.changes.items()):
            seen = [change for change in told if change[0] <= today]
            for (begun, value), following in zip(seen, [*seen[1:], None], strict=False):  # of nothing, nothing
                if value is not None:
                    yield d, value, begun, following[0] - timedelta(days=1) if following else None

    def without_last(self, today: date) -> Told:
        """The same before its last observation came out."""
        last = max(self.at(today))
        return Told({d: told for d, told in self.changes.items() if d < last}, self.units)


def told_of(catalog: Catalog, today: date) -> dict[str, Told]:
    """The series of the vintages and of arch's files, and the Dow Jones average, which is synthetic alone."""
    found = {code: _vintages_and_on(catalog, code, told, today) for code, told in real_vintages(catalog).items()}
    files = {code: _file_and_on(catalog.series[code], *FILES[code], today) for code in FILES}
    dow = {d: [(at, None if v is None else 9 * v) for at, v in told] for d, told in files["SP500"].changes.items()}
    return {**found, **files, "DJIA": Told({d: told for d, told in dow.items() if d.year >= 1992})}


# --- real figures --------------------------------------------------------------------------------------------------


def real_vintages(catalog: Catalog) -> dict[str, dict[date, list[tuple[date, float | None]]]]:
    """By series the changes that the vintage files tell."""
    found: dict[str, dict[date, list[tuple[date, float | None]]]] = {}
    for file in sorted(VINTAGES.glob("*.csv")):
        vintage = date.fromisoformat(file.stem)
        with file.open(newline="") as lines:
            for row in csv.DictReader(lines):
                month = date.fromisoformat(row.pop("Date"))
                for code, cell in row.items():
                    quarterly = catalog.series[code].frequency == "Q"  # in the last month of the quarter
                    if quarterly and month.month % 3:
                        continue
                    day = month.replace(month=month.month - 2) if quarterly else month
                    value = float(cell) if cell else None
                    told = found.setdefault(code, {}).setdefault(day, [])
                    if value != (told[-1][1] if told else None):
                        told.append((vintage, value))
    return {code: {d: told for d, told in days.items() if told} for code, days in found.items()}


def _file(name: str, column: str) -> dict[date, float]:
    spec = find_spec("arch")
    assert spec is not None
    assert spec.origin is not None
    path = Path(spec.origin).parent / "data" / name / f"{name}.csv.gz"
    figures = {}
    with gzip.open(path, "rt", newline="") as lines:
        for row in csv.DictReader(lines):
            m, d, y = (int(part) for part in row["Date"].split("/"))
            if row[column] not in ("", "."):
                figures[date(y, m, d)] = float(row[column])
    return figures


# --- and on to today: synthetic ------------------------------------------------------------------------------------


def _vintages_and_on(
    catalog: Catalog, code: str, real: Mapping[date, Sequence[tuple[date, float | None]]], today: date
) -> Told:
    series = catalog.series[code]
    last_vintage = max(at for told in real.values() for at, _ in told)
    known = Told(real).at(last_vintage)
    changes = {d: list(told) for d, told in real.items()}
    days = _periods(max(known), series, today)
    for d, value in zip(days, _onwards(list(known.values()), series, len(days)), strict=True):
        published = _published(series, d)
        changes[d] = [(max(published, last_vintage + timedelta(days=1)), value)]
    by_provider = {h.provider: h.series for h in catalog.holdings(code)}
    copy, begins = by_provider["bundled"], date(by_provider["fred_graph"].first_year, 1, 1)
    if copy.unit == series.unit:
        return Told(changes)
    year, year_then = (unit.split("_")[1] for unit in (series.unit, copy.unit))
    for d, told in changes.items():
        before = [value for at, value in told if at < REBASED]
        moved = [(at, v if at < REBASED or v is None else v * NEW_BASE) for at, v in told]
        if before and before[-1] is not None:
            moved.insert(len(before), (REBASED, before[-1] * NEW_BASE if d >= begins else None))
        told[:] = moved
    unit = series.provider_unit
    return Told(changes, ((date.min, unit.replace(year, year_then)), (REBASED, unit)))


def _file_and_on(series: Series, name: str, column: str, today: date) -> Told:
    real = _file(name, column)
    figures, first = list(real.values()), BEFORE.get(series.id, min(real))
    earlier = [d for d in _weekdays(first, min(real)) if d < min(real)]
    later = _weekdays(max(real), today)[1:] if series.frequency == "D" else _periods(max(real), series, today)
    before = [_mirrored(figures, -n) for n in range(len(earlier), 0, -1)]
    days = [*earlier, *real, *later]
    all_figures = [*before, *figures, *_onwards(figures, series, len(later))]
    published = {d: max(_published(series, d), ON_RECORD) for d in days}
    return Told({d: [(published[d], round(v, 6))] for d, v in zip(days, all_figures, strict=True)})


def _onwards(figures: Sequence[float], series: Series, count: int) -> list[float]:
    """What follows: levels that grow do so as in the last five years (of days: a thousand), others run backwards."""
    if series.transform not in (5, 6):
        return [_mirrored(figures, len(figures) - 1 + n) for n in range(1, count + 1)]
    recent = figures[-{"D": 1001, "M": 61, "Q": 21}[series.frequency] :]
    growth = [after / before for before, after in pairwise(recent)]
    found, level = [], figures[-1]
    for n in range(count):
        level *= growth[n % len(growth)]
        found.append(round(level, 6))
    return found


def _mirrored(figures: Sequence[float], n: int) -> float:
    """Figure n of a sequence that turns at its ends."""
    period = 2 * (len(figures) - 1)
    at = n % period
    return figures[at if at < len(figures) else period - at]


def _periods(last: date, series: Series, today: date) -> list[date]:
    """Periods after one of which the figure is out by today."""
    found, d = [], next_period(last, series.frequency)
    while _published(series, d) <= today:
        found.append(d)
        d = next_period(d, series.frequency)
    return found


def _weekdays(first: date, last: date) -> list[date]:
    days = (date.fromordinal(n) for n in range(first.toordinal(), last.toordinal() + 1))
    return [d for d in days if d.isoweekday() <= 5]


def _published(series: Series, day: date) -> date:
    return period_end(day, series.frequency) + timedelta(days=series.publication_lag.days)
