"""Landing: what was answered is kept once, and what was asked each time it mattered."""

from __future__ import annotations

import zlib
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import polars as pl
import pytest

from macro_assets.catalog import Catalog
from macro_assets.catalog.derive import polars_schema
from macro_assets.lakehouse.delta import open_table
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.landing import land, landed, log_fetches, vouch

START = datetime(2026, 1, 1, tzinfo=UTC)


def receipt(n: int, body: bytes, request: str = "q", ids: str = "A B", first: date | None = None) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "request": request,
            "payload_sha256": sha256(body).hexdigest(),
            "fetched_at": START + timedelta(hours=n),
            "run_id": f"run{n}",
            "http_status": pl.Series([200], dtype=pl.Int64),
            "provider": "bundled",
            "series_ids": ids,
            "window_first": pl.Series([first], dtype=pl.Date),
            "window_last": pl.Series([None], dtype=pl.Date),
            "asked_on": date(2026, 1, 1),
            "known_through": pl.Series([None], dtype=pl.String),
            "validator": pl.Series([None], dtype=pl.String),
            "body": body,
        }
    )


@pytest.fixture
def lake(tmp_path: Path, catalog: Catalog) -> Lakehouse:
    return Lakehouse(tmp_path, catalog)


def test_bodies_are_stored_compressed_and_come_back(lake: Lakehouse) -> None:
    body = b"date,value\n" * 1000
    assert land(lake, "bundled", receipt(0, body), {}) == 1
    stored = lake.read("landing/bundled")
    assert zlib.decompress(stored["body"][0]) == body
    assert len(stored["body"][0]) < len(body) / 10
    assert landed(lake, "bundled")["body"].to_list() == [body]


def test_the_same_answer_to_the_same_question_leaves_no_trace(lake: Lakehouse, tmp_path: Path) -> None:
    land(lake, "bundled", receipt(0, b"x"), {})
    assert land(lake, "bundled", receipt(1, b"x"), {}) == 0
    table = open_table(tmp_path, "landing/bundled")
    assert table is not None
    assert table.version() == 1


def test_the_same_answer_to_another_question_is_a_receipt_without_a_body(lake: Lakehouse) -> None:
    land(lake, "bundled", receipt(0, b"x"), {})
    assert land(lake, "bundled", receipt(1, b"x", ids="A"), {}) == 1
    assert land(lake, "bundled", receipt(2, b"x", first=date(2010, 1, 1)), {}) == 1
    stored = lake.read("landing/bundled").sort("fetched_at")
    assert [b is None for b in stored["body"]] == [False, True, True]
    assert landed(lake, "bundled")["body"].to_list() == [b"x"] * 3


def test_an_answer_that_comes_back_is_stored_again(lake: Lakehouse) -> None:
    """A, B, A: the third fetch changed what is known, so the record must have it."""
    for n, body in enumerate([b"a", b"b", b"a", b"a"]):
        land(lake, "bundled", receipt(n, body), {})
    assert landed(lake, "bundled").select("run_id", "body").rows() == [
        ("run0", b"a"),
        ("run1", b"b"),
        ("run2", b"a"),
    ]


def test_another_question_in_between_does_not_hide_a_change(lake: Lakehouse) -> None:
    for n, (body, ids) in enumerate([(b"a", "A"), (b"b", "B"), (b"a", "A")]):
        land(lake, "bundled", receipt(n, body, ids=ids), {})
    assert landed(lake, "bundled").height == 3


def test_a_run_that_mattered_is_on_record_whatever_was_answered(lake: Lakehouse) -> None:
    """A decision between two equal answers can make the second one store rows."""
    land(lake, "bundled", receipt(0, b"x"), {})
    assert vouch(lake, "bundled", receipt(1, b"x"), {}) == 1
    assert vouch(lake, "bundled", receipt(1, b"x"), {}) == 0
    assert landed(lake, "bundled").select("run_id", "body").rows() == [
        ("run0", b"x"),
        ("run1", b"x"),
    ]


def test_two_questions_of_a_run_that_are_one_request_are_both_on_record(lake: Lakehouse) -> None:
    """A file that is read for the whole of one series and for a year of another; its body is stored once."""
    both = pl.concat([receipt(0, b"x", ids="A"), receipt(0, b"x", ids="B", first=date(2010, 1, 1))])
    both = both.with_columns(fetched_at=pl.Series([START, START + timedelta(seconds=1)]))
    assert land(lake, "bundled", both, {}) == 2
    assert lake.read("landing/bundled")["body"].null_count() == 1
    assert landed(lake, "bundled")["body"].to_list() == [b"x", b"x"]
    again = both.with_columns(run_id=pl.lit("later"), fetched_at=pl.col("fetched_at").dt.offset_by("1d"))
    assert land(lake, "bundled", again, {}) == 0
    assert vouch(lake, "bundled", again, {}) == 2


def test_the_log_has_a_row_for_each_who_was_asked(lake: Lakehouse) -> None:
    def log(provider: str, status: str, hour: int, is_whole: bool) -> pl.DataFrame:
        seen = START + timedelta(hours=hour)
        row = {"series_id": "A", "provider": provider, "last_run_id": f"run{hour}", "last_seen": seen}
        row |= {
            "status": status,
            "rows_seen": 1,
            "is_whole": is_whole,
            "last_success": seen if status == "ok" else None,
            "last_look": None,
        }
        schema = polars_schema(lake.table("fetch_log/bundled").columns)
        return log_fetches(lake, "bundled", pl.DataFrame([row], schema=schema), {})

    log("bundled", "ok", 0, True)
    log("another", "ok", 1, False)
    log("bundled", "failed", 2, False)
    said = log("another", "off", 3, False).select("provider", "status", "last_success", "is_whole")
    assert said.rows() == [
        ("another", "off", START + timedelta(hours=1), False),
        ("bundled", "failed", START, True),
    ]
    assert lake.read("fetch_log/bundled").height == 2


def test_requests_do_not_mix(lake: Lakehouse) -> None:
    both = pl.concat([receipt(0, b"x", request="one"), receipt(0, b"y", request="two")])
    assert land(lake, "bundled", both, {}) == 2
    assert land(lake, "bundled", both.with_columns(run_id=pl.lit("later")), {}) == 0
