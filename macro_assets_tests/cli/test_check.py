"""`macro check` on a lake as it was built, and on one that was tampered with behind our back."""

from __future__ import annotations

import polars as pl

from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.write import overwrite
from macro_assets_tests.conftest import Built, Home


def tamper(home: Home, name: str, changed: pl.Expr) -> None:
    """Overwrite a column of a stored table as a tool of somebody else may."""
    lake = Lakehouse.at(home.lake)
    overwrite(lake, name, lake.read(name).with_columns(changed), {"by": "somebody else"})


def test_what_a_run_stored_passes_every_check(built: Built) -> None:
    said = built.home.macro("check")
    assert "0 warned, 0 failed" in said.stdout
    layers = {line.split()[0] for line in said.stdout.splitlines() if line.strip()}
    assert layers >= {"raw", "normalized", "indicators", "real_time", "forecasts", "charts"}
    assert "landing" not in layers


def test_a_selection_is_listed_check_by_check(built: Built) -> None:
    listed = built.home.macro("check", "PAYEMS", "indicators/sahm_rule").stdout
    rows = [
        line.split() for line in listed.splitlines() if line.split()[:1] in (["raw/bundled"], ["indicators/sahm_rule"])
    ]
    assert {r[1] for r in rows if r[0] == "raw/bundled"} >= {"schema", "revisions_are_usual", "series", "past"}
    assert {r[1] for r in rows if r[0] == "indicators/sahm_rule"} >= {"schema", "within"}
    assert {r[-1] for r in rows} == {"ok"}
    assert built.home.macro("check", "raw/bundled/PAYEMS").stdout.count("380") == 4, "the rows of the series alone"
    unknown = built.home.macro("check", "indicators/sam_rule", expect=2).stderr
    assert "Did you mean" in unknown
    assert "indicators/sahm_rule" in unknown
    assert "an empty name names nothing" in built.home.macro("check", "", expect=2).stderr
    assert "Did you mean PAYEMS" in built.home.macro("check", "PAYEM", expect=2).stderr
    assert "nothing of raw/fred is stored" in built.home.macro("check", "raw/fred", expect=2).stderr


def test_what_is_wrong_in_the_lake_is_named_and_the_exit_code_is_1(copied: Home) -> None:
    is_may = (pl.col("series_id") == "UNRATE") & (pl.col("observation_date") == pl.date(2015, 5, 1))
    tamper(copied, "raw/bundled", pl.when(is_may).then(99.0).otherwise("value").alias("value"))
    tamper(copied, "indicators/economic_stress_index", (pl.col("contribution") + 0.5).alias("contribution"))
    tamper(copied, "indicators/sahm_rule", (pl.col("value") + 15).alias("value"))
    said = copied.macro("check", expect=1).stdout
    assert "error series: series UNRATE of source bundled: 1 of 378 rows fail" in said
    assert "error past: series UNRATE of bundled: stored rows are not there any more" in said
    assert "error contributions_add_up: table indicators/economic_stress_index" in said
    assert "error within (column value, low -2, high 15): table indicators/sahm_rule" in said
    assert "PAYEMS" not in said
    assert "0 warned, 4 failed" in said
    assert "1 failed" in copied.macro("check", "indicators/sahm_rule", expect=1).stdout


def test_a_warning_is_told_and_is_no_failure(copied: Home) -> None:
    latest = (pl.col("series_id") == "UNRATE") & (pl.col("observation_date") == pl.date(2016, 6, 1))
    tamper(copied, "normalized/fred", pl.when(latest).then(9.0).otherwise("transformed").alias("transformed"))
    said = copied.macro("check", "normalized/fred").stdout
    assert "warn  no_outliers" in said
    assert "UNRATE 2016-06-01: 9.0, expected" in said
    assert "1 warned, 0 failed" in said
