"""TIC's files of foreign holders: synthetic ones in their two forms."""

from __future__ import annotations

from datetime import UTC, date, datetime

import polars as pl
import pytest

from macro_assets.catalog import Selector, default_catalog
from macro_assets.sources.errors import SchemaError
from macro_assets.sources.protocol import Response, Window
from macro_assets.sources.providers.tic import read_holdings
from macro_assets_tests.sources.contract import Contract, Good
from macro_assets_tests.sources.wire import Replayed, fetched, fixture, toy_series

FOLDER = "/resource-center/data-chart-center/tic/Documents"
LATEST = f"{FOLDER}/slt_table5.txt"
HISTORY = f"{FOLDER}/mfhhis01.txt"
SALES = f"{FOLDER}/slt_table1.txt"
FILES = {LATEST: fixture("tic_table5.txt"), HISTORY: fixture("tic_history.txt"), SALES: fixture("tic_table1.txt")}
HOLDINGS = [s for s in default_catalog().series_of("tic") if s.dataset is None]
PURCHASES = [s for s in default_catalog().series_of("tic") if s.dataset]


def answer(body: bytes) -> Response:
    return Response("GET /", body, datetime(2026, 4, 20, tzinfo=UTC), 200)


CONTRACT = Contract(
    good=Good(
        toy_series("tic", "Japan", frequency="M", first_year=2012),
        LATEST,
        FILES[LATEST],
        rows=((date(2025, 12, 1), 1143.1), (date(2026, 1, 1), 1116.7), (date(2026, 2, 1), 1103.9)),
        figure=b"1116.7",
        missing=(b"n.a.",),
        days=(b"2026-01", b"2026-02"),
        header=b"Country",
        window=Window(date(2025, 12, 1), today=date(2026, 4, 20)),
        refused=(
            (b"Country", b"Nation", "expected a table of holders headed 'Country'"),
            (b"2026-02", b"2026-13", "expected months like 2026-07"),
            (b"2026-02", b"Feb 2026", "expected months like 2026-07"),
            (b"1,103.9\t1116.7\t1143.1", b"1,103.9\t1116.7", "expected 3 figures of 'Japan', got 2"),
            (b"1116.7", b"?", "expected a number in 'value', got '?'"),
            (b"Japan\t1\n", "expected a table of holders"),
        ),
    ),
    more=(
        Good(
            toy_series(
                "tic",
                "for_lt_treas_net of 42609",
                dataset="slt_table1",
                frequency="M",
                first_year=2023,
                selector=Selector(
                    where={"country_code": "42609"}, date="date", value="for_lt_treas_net", meaning="month"
                ),
            ),
            SALES,
            FILES[SALES],
            rows=((date(2023, 2, 1), -95), (date(2023, 3, 1), 402)),
            figure=b"402",
            missing=(b"n.a.", b"*"),
            days=(b"2023-02", b"2023-03"),
            header=b"country\t",
            window=Window(date(2023, 1, 1), today=date(2026, 4, 20)),
            refused=(
                (b"country_code", b"code", "expected a table headed 'country', 'country_code', 'date'"),
                (b"Millions", b"Billions", "expected 'Millions of dollars' above"),
                (b"for_lt_treas_net", b"for_lt_treasury_net", "expected the column 'for_lt_treas_net'"),
                (b"\t501\t402", b"\t402", "expected 8 cells of 'Japan', got 7"),
                (b"42609", b"42608", "no row of the answer has"),
            ),
        ),
    ),
    asks=lambda s: (SALES,) if s.dataset else (LATEST,),
)


def test_purchases_are_those_of_all_countries() -> None:
    client = Replayed(FILES)
    found = fetched("tic", PURCHASES, client, Window(date(2023, 1, 1), today=date(2026, 4, 20)))
    assert found.failures == {}
    assert [r.target for r in client.asked] == [SALES]
    wide = found.observations.sort("observation_date").pivot("observation_date", index="series_id", values="value")
    assert {row[0]: row[1:] for row in wide.iter_rows()} == {
        "US_TIC_PURCHASES_TOTAL": (None, 60105, 90210),
        "US_TIC_PURCHASES_TREASURIES": (None, -20050, 51234),
        "US_TIC_PURCHASES_AGENCIES": (None, 12005, 9876),
        "US_TIC_PURCHASES_CORPORATE_BONDS": (None, 38150, -1100),
        "US_TIC_PURCHASES_EQUITIES": (None, 30000, 30200),
    }


def test_the_history_is_read_for_the_months_before_the_table() -> None:
    client = Replayed(FILES)
    found = fetched("tic", HOLDINGS, client, Window(date(2000, 1, 1), today=date(2026, 4, 20)))
    assert found.failures == {}
    assert [r.target for r in client.asked] == [LATEST, HISTORY]
    japan = found.observations.filter(pl.col("series_id") == "US_TIC_HOLDINGS_JP").sort("observation_date")
    assert japan.select("observation_date", "value").rows() == [
        (date(2011, 5, 1), 912.4),
        (date(2011, 6, 1), 881.5),  # the new series of a month that stands there twice
        (date(2011, 7, 1), 914.8),
        (date(2025, 10, 1), 1200.0),
        (date(2025, 11, 1), 1202.7),
        (date(2025, 12, 1), 1143.1),  # the table's, not the history's
        (date(2026, 1, 1), 1116.7),
        (date(2026, 2, 1), 1103.9),
    ]
    official = found.observations.filter(pl.col("series_id") == "US_TIC_HOLDINGS_OFFICIAL")["value"]
    assert {3773.1, 3912.3, 3242.0} <= set(official)
    britain = found.observations.filter(pl.col("series_id") == "US_TIC_HOLDINGS_GB").sort("observation_date")
    assert britain["value"].to_list() == [345.1, 142.3, 352.5, 877.0, 888.0, 948.6, None, 998.3]
    assert set(found.observations.group_by("series_id").len()["len"]) == {8}


def test_a_late_window_needs_the_table_alone() -> None:
    client = Replayed(FILES)
    found = fetched("tic", HOLDINGS, client, Window(date(2026, 1, 1), date(2026, 12, 31), today=date(2026, 4, 20)))
    assert [r.target for r in client.asked] == [LATEST]
    assert max(found.observations["observation_date"]) == date(2026, 2, 1)  # type: ignore[type-var]


def test_a_row_that_is_gone_fails_alone() -> None:
    lone = toy_series("tic", "Atlantis", frequency="M")
    series = [lone, default_catalog().series["US_TIC_HOLDINGS_JP"]]
    found = fetched("tic", series, FILES, Window(date(2026, 1, 1), today=date(2026, 4, 20)))
    assert set(found.failures) == {"TOY"}
    assert "no row is named 'Atlantis'" in found.failures["TOY"]
    assert not found.observations.is_empty()


def test_a_history_with_years_under_no_months_is_refused() -> None:
    with pytest.raises(SchemaError, match="expected months"):
        read_holdings(answer(fixture("tic_history.txt").replace(b"Dec\tNov\tOct", b"a\tb\tc")))
