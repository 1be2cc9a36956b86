"""A lake of version 4 with live series, written as that version did: FRED's twins, S&P 500 and Dow Jones, decisions.

Of FRED, PAYEMS_FRED and GDP were fetched whole, UNRATE_FRED for some years alone; INDPRO_FRED came whole from the chart
service on a day on which FRED was down, and HOUST_FRED by halves. All is synthetic.
"""

from __future__ import annotations

import zlib
from datetime import UTC, date, datetime
from hashlib import sha256

import polars as pl

from macro_assets.lakehouse.paths import Root
from macro_assets_tests.lakehouse.synthetic import DECISION_SCHEMA, SCHEMA
from macro_assets_tests.lakehouse.upkeep.older import old_table

ASKED = datetime(2026, 1, 10, tzinfo=UTC)
FRED, CHARTS = "GET https://api.stlouisfed.org", "GET https://fred.stlouisfed.org/graph/fredgraph.csv"
WHOLE, PART, DOWN, DOWN_PART = "whole", "part", "down", "down-part"
"""Runs: what they asked for, and whether FRED was down."""

ROWS = {
    "raw/fred": [
        ("GDP", "fred", WHOLE),
        ("PAYEMS_FRED", "fred", WHOLE),
        ("PAYEMS_FRED", "fred_graph", DOWN_PART),
        ("INDPRO_FRED", "fred_graph", DOWN),
        ("UNRATE_FRED", "fred", PART),
        ("HOUST_FRED", "fred_graph", DOWN_PART),
    ],
    "raw/fred_recent": [
        ("BAMLH0A0HYM2", "fred_recent", WHOLE),
        ("SP500_FRED", "fred_recent", WHOLE),
        ("DJIA", "fred_recent", PART),
        ("DJIA", "fred_graph", DOWN_PART),
    ],
    "raw/yahoo_chart": [("YAHOO_NASDAQ", "yahoo_chart", WHOLE), ("YAHOO_SP500", "yahoo_chart", WHOLE)],
    "raw/bundled": [("PAYEMS", "bundled", WHOLE), ("SP500", "bundled", WHOLE), ("UNRATE", "bundled", WHOLE)],
}
"""Series, provider and run of stored rows."""

RECEIPTS = {
    "landing/fred": [
        (f"{FRED}/fred/series/observations?series_id=GDP&x=1", "GDP PAYEMS_FRED", WHOLE, None),
        (f"{FRED}/fred/series/observations?series_id=PAYEMS&x=1", "GDP PAYEMS_FRED", WHOLE, None),
        (f"{FRED}/fred/series/observations?series_id=PAYEMS&x=2", "PAYEMS_FRED", WHOLE, "PAYEMS_FRED:2026-01-09"),
        (f"{FRED}/fred/series/observations?series_id=UNRATE", "UNRATE_FRED", PART, None),
        (f"{CHARTS}?id=INDPRO&cosd=1919-01-01", "INDPRO_FRED", DOWN, None),
        (f"{CHARTS}?id=HOUST&cosd=2026-01-01", "HOUST_FRED PAYEMS_FRED", DOWN_PART, "PAYEMS_FRED:2026-01-09"),
    ],
    "landing/fred_recent": [
        (
            f"{FRED}/fred/series/observations?series_id=SP500&file_type=json",
            "BAMLH0A0HYM2 SP500_FRED",
            WHOLE,
            "BAMLH0A0HYM2:2026-01-08 SP500_FRED:2026-01-09",
        ),
        (f"{FRED}/fred/series/observations?series_id=BAMLH0A0HYM2", "BAMLH0A0HYM2 SP500_FRED", WHOLE, None),
        (f"{FRED}/fred/series?file_type=json&series_id=DJIA", "DJIA", PART, None),
        (f"{CHARTS}?id=DJIA&cosd=2026-01-01", "DJIA BAMLH0A0HYM2", DOWN_PART, None),
        (f"{FRED}/an/answer/that/names/none", "DJIA", PART, "DJIA:2026-01-09"),
    ],
    "landing/yahoo_chart": [
        ("GET https://query1.finance.yahoo.com/v8/finance/chart/%5EGSPC", "YAHOO_SP500 YAHOO_NASDAQ", WHOLE, None)
    ],
}
"""Request, series, run and what was known, of landed responses."""

FETCHES = {
    "fetch_log/fred": [
        ("GDP", "ok", "fred", True),
        ("PAYEMS_FRED", "ok", "fred_graph", True),
        ("INDPRO_FRED", "ok", "fred_graph", False),
        ("UNRATE_FRED", "ok", "fred", False),
        ("HOUST_FRED", "failed", None, False),
    ],
    "fetch_log/fred_recent": [
        ("BAMLH0A0HYM2", "ok", "fred_recent", True),
        ("SP500_FRED", "ok", "fred_recent", True),
        ("DJIA", "ok", "fred_graph", False),
    ],
    "fetch_log/yahoo_chart": [("YAHOO_NASDAQ", "ok", "yahoo_chart", True), ("YAHOO_SP500", "off", None, False)],
}
"""Series, status, provider and whether all was asked for, of latest fetches."""

DECISIONS = [("PAYEMS_FRED", "fred"), ("UNRATE_FRED", "fred"), ("YAHOO_SP500", "yahoo_chart"), ("PAYEMS", "bundled")]


def live_lake(root: Root) -> None:
    """Write the lake, each table in its first version."""
    for name, stored in ROWS.items():
        old_table(root, name, 4, pl.concat([_rows(*of) for of in stored]))
    for name, landed in RECEIPTS.items():
        old_table(root, name, 4, _receipts(landed))
    for name, fetched in FETCHES.items():
        old_table(root, name, 4, _fetches(fetched))
    decided = [
        (series_id, date(2025, 11, 1), _released(11), provider, ASKED, "invalidate", "doubt", "ana")
        for series_id, provider in DECISIONS
    ]
    old_table(root, "audit/invalidations", 4, pl.DataFrame(decided, schema=DECISION_SCHEMA, orient="row"))


def _released(month: int) -> datetime:
    return datetime(2026, 1, month - 9, tzinfo=UTC)


def _rows(series_id: str, provider: str, run_id: str) -> pl.DataFrame:
    """Three observations of a series."""
    basis = "publication_lag" if provider == "fred_graph" else "provider"
    rows = [
        (series_id, date(2025, month, 1), float(month), _released(month), basis, provider, ASKED, run_id, "x")
        for month in (10, 11, 12)
    ]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def _receipts(landed: list[tuple[str, str, str, str | None]]) -> pl.DataFrame:
    rows = [
        {
            "request": request,
            "payload_sha256": sha256(request.encode()).hexdigest(),
            "fetched_at": ASKED,
            "run_id": run_id,
            "http_status": 200,
            "validator": None,
            "series_ids": series_ids,
            "window_first": date(2026, 1, 1) if "part" in run_id else None,
            "window_last": None,
            "asked_on": ASKED.date(),
            "known_through": known,
            "body": zlib.compress(request.encode()),
        }
        for request, series_ids, run_id, known in landed
    ]
    columns = {"validator": pl.String, "window_first": pl.Date, "window_last": pl.Date, "known_through": pl.String}
    return pl.DataFrame(rows, schema_overrides=columns)


def _fetches(fetched: list[tuple[str, str, str | None, bool]]) -> pl.DataFrame:
    rows = [
        {
            "series_id": series_id,
            "last_run_id": "run",
            "last_seen": ASKED,
            "status": status,
            "error": None if provider not in (None, "fred_graph") else f"why {series_id} failed",
            "rows_seen": 3,
            "last_success": ASKED if status == "ok" else None,
            "is_whole": is_whole,
            "provider": provider,
            "latency_ms": 12.5,
        }
        for series_id, status, provider, is_whole in fetched
    ]
    return pl.DataFrame(rows, schema_overrides={"provider": pl.String, "error": pl.String})
