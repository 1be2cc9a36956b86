"""The NBER chronology, encoded as FRED's USREC: 1 from the month after the peak through the trough."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from macro_assets.catalog import Catalog

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
        if r.peak >= since
    ]


def test_contractions_are_the_runs_of_usrec(catalog: Catalog) -> None:
    assert [(f"{run[0]:%Y-%m}", f"{run[-1]:%Y-%m}") for run in months(catalog)] == RUNS
    assert sum(len(run) for run in months(catalog)) == 95  # 95 of 765 months, 1959-01 to 2022-09


def test_contractions_are_in_order_and_apart(catalog: Catalog) -> None:
    dates = [d for r in catalog.recessions for d in (r.peak, r.trough)]
    assert dates == sorted(set(dates))


@pytest.mark.skipif(not USREC.is_file(), reason="needs ../shared/data/recession, which is not part of the project")
def test_usrec_of_fred_agrees_month_by_month(catalog: Catalog) -> None:
    usrec = pl.read_csv(USREC, try_parse_dates=True)
    stated = usrec.filter(pl.col("USREC") == 1)["observation_date"].to_list()
    assert usrec.height > 780
    assert [m for run in months(catalog) for m in run] == stated
