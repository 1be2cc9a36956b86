"""The OFR Financial Stress Index: a synthetic file in its form, and the recorded ones."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from macro_assets.catalog import default_catalog
from macro_assets.sources.protocol import Response
from macro_assets.sources.providers.ofr_fsi import one_column, read_table
from macro_assets_tests.sources.contract import Contract, Good
from macro_assets_tests.sources.wire import Recorded, Recording, Replayed, each_recording, fetched, fixture, toy_series

PATH = "/financial-stress-index/data/fsi.csv"
INDEX = toy_series("ofr_fsi", "OFR FSI")
CATEGORIES = ("CREDIT", "EQUITY", "SAFE", "FUNDING", "VOLATILITY")
REGIONS = ("US", "ADVANCED", "EMERGING")


def read_index(response: Response) -> pl.DataFrame:
    return one_column(read_table(response), INDEX)


CONTRACT = Contract(
    good=Good(
        INDEX,
        PATH,
        fixture("ofr_fsi.csv"),
        rows=((date(2024, 1, 2), -1.5), (date(2024, 1, 3), 0.75)),
        figure=b"-1.5",
        days=(b"2024-01-02", b"2024-01-03"),
        refused=(
            (b"Day,OFR FSI\n2024-01-02,1\n", "expected the column 'Date'"),
            (b"Date,OFR FSI\n01/02/2024,1\n", "expected a date like %Y-%m-%d in 'Date', got '01/02/2024'"),
            (b"Date,OFR FSI\n2024-01-02,\n", "expected a number in 'OFR FSI', got an empty cell"),
        ),
    ),
    asks=lambda s: (PATH,),
    recorded=Recorded(
        "ofr",
        readers={"fsi.csv": read_index},
        no_series={
            "data.financialresearch.gov": "of the monitors, another source",
            "^(?!.*fsi.csv)": "not the file of the index",
        },
        count=lambda body: len(body.split(b"\n")) - 1 - body.endswith(b"\n"),
        plausible=lambda rows: rows["value"].is_between(-6, 30).all() and rows["observation_date"].is_unique().all(),
    ),
)


def test_one_file_serves_every_series() -> None:
    client = Replayed({PATH: fixture("ofr_fsi.csv")})
    series = default_catalog().series_of("ofr_fsi")
    found = fetched("ofr_fsi", series, client)
    assert (found.failures, [r.target for r in client.asked]) == ({}, [PATH])
    assert found.observations.height == 2 * len(series) == 18
    index = found.observations.filter(pl.col("series_id") == "OFR_FSI")
    assert index.select("observation_date", "value").rows() == [(date(2024, 1, 2), -1.5), (date(2024, 1, 3), 0.75)]


def test_a_column_that_is_gone_fails_alone() -> None:
    body = fixture("ofr_fsi.csv").replace(b"Funding", b"Fundng")
    found = fetched("ofr_fsi", default_catalog().series_of("ofr_fsi"), {PATH: body})
    assert set(found.failures) == {"OFR_FSI_FUNDING"}
    assert "expected the column 'Funding'" in found.failures["OFR_FSI_FUNDING"]


@each_recording("ofr")
def test_the_parts_of_a_recording_add_up(recording: Recording) -> None:
    if not recording.url.endswith("fsi.csv") or recording.status != 200:
        pytest.skip("not the file of the index")
    found = fetched("ofr_fsi", default_catalog().series_of("ofr_fsi"), {PATH: recording.body})
    assert found.failures == {}
    wide = found.observations.pivot("series_id", index="observation_date", values="value")
    for parts, within in ((CATEGORIES, 0.0025), (REGIONS, 0.12)):
        total = wide.select(pl.sum_horizontal(f"OFR_FSI_{p}" for p in parts)).to_series()
        assert (total - wide["OFR_FSI"]).abs().max() < within  # type: ignore[operator]
