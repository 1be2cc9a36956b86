"""No true figure is refused: real vintages, and real histories, against the limits of the catalog.

Read where the folder of shared data is; values that another provider made of FRED's are left out by name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time
from pathlib import Path

import polars as pl
import pytest

from macro_assets.catalog import Series, default_catalog
from macro_assets.quality import check_series
from macro_assets.sources.protocol import NO_OBSERVATIONS
from macro_assets_tests.sources.wire import RECORDINGS

CATALOG = default_catalog()
SHARED = RECORDINGS.parent

NOT_FREDS = ("BUSINV", "DGORDER", "NONREVSL", "BOGMBASE", "TOTRESNS")
"""In FRED-MD: spliced with series that ended, or in the magnitude of their day, which the connector makes today's."""

HISTORIES = {
    **{f"macro_2017/{code}.csv": {code: code} for code in ("CPIAUCSL", "GDPC1", "PAYEMS", "UNRATE")},
    "conditions/NFCI.csv": {"NFCI": "NFCI"},
    "conditions/OFR_FSI.csv": {
        "OFR FSI": "OFR_FSI",
        "Credit": "OFR_FSI_CREDIT",
        "Equity valuation": "OFR_FSI_EQUITY",
        "Safe assets": "OFR_FSI_SAFE",
        "Funding": "OFR_FSI_FUNDING",
        "Volatility": "OFR_FSI_VOLATILITY",
    },
    "equity/SP500.csv": {"value": "SP500"},
    "treasury/T10Y3M.csv": {"T10Y3M": "T10Y3M"},
    "recession/USREC_1960_2025.csv": {"USREC": "USREC"},
    "vix/vix-daily.csv": {"CLOSE": "CBOE_VIX"},
    "brazil/ipca_433.csv": {"433": "BR_IPCA_MOM"},
    "brazil/selic_daily_11.csv": {"11": "BR_SELIC_DAILY"},
}
"""Files of one vintage: their columns, and the series they are of."""


def vintage(series: Series, known: date, figures: Mapping[date, float]) -> pl.DataFrame:
    """Figures as a provider of vintages tells them."""
    told = {
        "observation_date": pl.Series(list(figures), dtype=pl.Date),
        "value": pl.Series(list(figures.values()), dtype=pl.Float64),
    }
    constant = {
        "series_id": pl.lit(series.id),
        "release_time": pl.lit(datetime.combine(known, time(12, 30), tzinfo=UTC), pl.Datetime("us", "UTC")),
        "release_basis": pl.lit("provider"),
        "provider": pl.lit(series.source),
        "ingested_at": pl.lit(datetime(2026, 1, 1, tzinfo=UTC), pl.Datetime("us", "UTC")),
        "payload_sha256": pl.lit("synthetic"),
    }
    return pl.DataFrame(told).with_columns(**constant).select(NO_OBSERVATIONS.columns)


def table(file: Path, date_format: str = "%Y-%m-%d") -> pl.DataFrame:
    """A file's columns as numbers, behind `date`."""
    if not file.is_file():
        pytest.skip(f"no real figures at {file}")
    text = pl.read_csv(file, infer_schema=False, null_values=["", ".", "NaN"])
    day = text[:, 0].str.to_date(date_format, strict=False).alias("date")
    numbers = text[:, 1:].select(pl.all().cast(pl.Float64, strict=False))
    return numbers.insert_column(0, day).filter(pl.col("date").is_not_null())


def figures(frame: pl.DataFrame, column: str) -> dict[date, float]:
    return dict(frame.select("date", column).drop_nulls().iter_rows())


def sets() -> Iterator[tuple[str, str, list[tuple[date, dict[date, float]]]]]:
    """Name of a set, series, and its vintages."""
    by_code: dict[tuple[str, str], list[tuple[date, dict[date, float]]]] = {}
    for file in sorted((SHARED / "vintages/us").glob("*.csv")):
        frame = table(file)
        for code in set(frame.columns) & set(CATALOG.series):
            first = {d.replace(day=1): v for d, v in figures(frame, code).items()}
            if CATALOG.series[code].frequency == "Q":
                first = {date(d.year, d.month - 2, 1): v for d, v in first.items()}
            by_code.setdefault(("vintages/us", code), []).append((date.fromisoformat(file.stem), first))
    for file in sorted((SHARED / "data/fred_md").glob("*.csv")):
        frame = table(file, "%m/%d/%Y")
        for code in set(frame.columns) & set(CATALOG.series) - set(NOT_FREDS):
            known = date.fromisoformat(f"{file.stem}-28")
            by_code.setdefault(("fred_md", code), []).append((known, figures(frame, code)))
    if (file := SHARED / "data/gdpnow/rel.csv").is_file():
        rows = pl.read_csv(file, try_parse_dates=True)
        for which in ("first", "second", "third", "latest"):
            told = rows.select("observation_date", f"{which}_release_date", f"{which}_release").drop_nulls()
            for day, known, value in told.iter_rows():
                by_code.setdefault(("gdpnow", "GDPC1"), []).append((known, {day: value}))
    for (name, code), vintages in sorted(by_code.items()):
        yield name, code, vintages


@pytest.fixture(scope="module")
def real() -> list[tuple[str, str, list[tuple[date, dict[date, float]]]]]:
    if not (found := list(sets())):
        pytest.skip(f"no real vintages at {SHARED}")
    return found


def test_no_figure_of_a_real_vintage_is_refused_in_one_answer_with_all(
    real: list[tuple[str, str, list[tuple[date, dict[date, float]]]]],
) -> None:
    assert len({code for _, code, _ in real}) >= 40
    for name, code, vintages in real:
        series = CATALOG.series[code]
        rows = pl.concat([vintage(series, known, told) for known, told in vintages])
        report = check_series(rows, series)
        assert report.passed, f"{name}: {report}"


def test_no_figure_of_a_real_vintage_is_refused_when_it_comes_alone(
    real: list[tuple[str, str, list[tuple[date, dict[date, float]]]]],
) -> None:
    for name, code, vintages in real:
        series = CATALOG.series[code]
        reports = [check_series(vintage(series, known, told), series) for known, told in vintages]
        assert [str(r) for r in reports if not r.passed] == [], name


@pytest.mark.parametrize("file", HISTORIES)
def test_no_figure_of_a_real_history_is_refused(file: str) -> None:
    frame = table(SHARED / "data" / file)
    for column, series_id in HISTORIES[file].items():
        told = figures(frame, column)
        assert len(told) > 50
        report = check_series(vintage(CATALOG.series[series_id], date(2026, 1, 1), told), CATALOG.series[series_id])
        assert report.passed, str(report)


def test_no_nowcast_is_refused() -> None:
    file = SHARED / "data/gdpnow/gdpnow.csv"
    if not file.is_file():
        pytest.skip(f"no nowcasts at {file}")
    rows = pl.read_csv(file, columns=[0, 1, 2], new_columns=["known", "quarter", "value"]).drop_nulls()
    days = rows.with_columns(pl.col("known", "quarter").str.to_date("%m/%d/%y"))
    series = CATALOG.series["GDPNOW"]
    told = [
        vintage(series, known, {date(quarter.year, quarter.month - 2, 1): value})
        for known, quarter, value in days.iter_rows()
    ]
    assert len(told) > 1000
    report = check_series(pl.concat(told), series)
    assert report.passed, str(report)
