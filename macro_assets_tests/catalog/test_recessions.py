"""The NBER chronology as FRED's USREC has it, 1 from the month after the peak through the trough; when it was known."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest
from pydantic import ValidationError

from macro_assets.catalog import Catalog, Recession

USREC = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "recession" / "USREC_1960_2025.csv"

# Runs of ones in USREC, of the NY Fed's recession probability workbook (reference-results.md R-05).
RUNS = [
    ("1960-05", "1961-02"),
    ("1970-01", "1970-11"),
    ("1973-12", "1975-03"),
    ("1980-02", "1980-07"),
    ("1981-08", "1982-11"),
    ("1990-08", "1991-03"),
    ("2001-04", "2001-11"),
    ("2008-01", "2009-06"),
    ("2020-03", "2020-04"),
]


def months(catalog: Catalog, since: date = date(1960, 1, 1)) -> list[list[date]]:
    """Recession months of each contraction that peaked since a date: after the peak, through the trough."""
    return [
        pl.date_range(r.peak, r.trough, "1mo", closed="right", eager=True).to_list()
        for r in catalog.recessions
        if r.peak >= since and r.trough
    ]


def test_contractions_are_the_runs_of_usrec(catalog: Catalog) -> None:
    assert [(f"{run[0]:%Y-%m}", f"{run[-1]:%Y-%m}") for run in months(catalog)] == RUNS
    assert sum(len(run) for run in months(catalog)) == 95  # 95 of 765 months, 1959-01 to 2022-09


def test_contractions_are_in_order_and_apart(catalog: Catalog) -> None:
    dates = [d for r in catalog.recessions for d in (r.peak, r.trough) if d]
    assert dates == sorted(set(dates))
    assert all(r.trough for r in catalog.recessions[:-1]), "one that has not ended is the last"


def test_turning_points_since_the_committee_was_there_have_the_day_of_their_announcement(catalog: Catalog) -> None:
    """Peaks 4 to 12 months, troughs 8 to 21 months after the month began; those of before by the end of 1978."""
    late = [r for r in catalog.recessions if r.peak >= date(1979, 1, 1)]
    assert len(late) == 6
    peaks = [_months(r.peak, r.peak_announced) for r in late]
    troughs = [_months(r.trough, r.trough_announced) for r in late if r.trough and r.trough_announced]
    assert (min(peaks), max(peaks), min(troughs), max(troughs)) == (4, 12, 8, 21)
    told = [d for r in late for d in (r.peak_announced, r.trough_announced) if d]
    assert told == sorted(set(told))
    assert all(d.isoweekday() <= 5 for d in told)
    early = {d for r in catalog.recessions if r not in late for d in (r.peak_announced, r.trough_announced)}
    assert early == {date(1978, 12, 31)}


def _months(first: date, last: date) -> int:
    return 12 * (last.year - first.year) + last.month - first.month


GREAT = Recession(
    peak=date(2007, 12, 1), peak_announced=date(2008, 12, 1),
    trough=date(2009, 6, 1), trough_announced=date(2010, 9, 20),
)  # fmt: skip


def test_what_is_known_on_a_day_is_what_had_been_announced() -> None:
    assert GREAT.known_on(date(2008, 11, 30)) is None
    for day in (date(2008, 12, 1), date(2010, 9, 19)):
        known = GREAT.known_on(day)
        assert known == Recession(peak=GREAT.peak, peak_announced=GREAT.peak_announced)
        assert known.known_on(date(2020, 1, 1)) == known
    assert GREAT.known_on(date(2010, 9, 20)) == GREAT


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"trough_announced": None}, "expected both or, while no trough is announced, neither"),
        ({"trough": None}, "expected both or, while no trough is announced, neither"),
        ({"peak_announced": None}, "peak_announced"),
        ({"peak_announced": date(2007, 12, 1)}, r"peak_announced \(2007-12-01\) must be after peak \(2007-12-01\)"),
        ({"trough_announced": date(2009, 1, 5)}, r"trough_announced \(2009-01-05\) must be after trough"),
        ({"peak_announced": date(2011, 1, 3)}, r"trough_announced \(2010-09-20\) must not be before peak_announced"),
        ({"trough": date(2009, 6, 2)}, "2009-06-02 must be the first day of its month"),
        ({"trough": date(2007, 12, 1)}, "must be before trough"),
    ],
)
def test_a_contraction_that_cannot_be_is_refused(fields: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Recession.model_validate({**GREAT.model_dump(), **fields})


@pytest.mark.skipif(not USREC.is_file(), reason="needs ../shared/data/recession, which is not part of the project")
def test_usrec_of_fred_agrees_month_by_month(catalog: Catalog) -> None:
    usrec = pl.read_csv(USREC, try_parse_dates=True)
    stated = usrec.filter(pl.col("USREC") == 1)["observation_date"].to_list()
    assert usrec.height > 780
    assert [m for run in months(catalog) for m in run] == stated
