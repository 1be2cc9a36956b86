"""Rules on a table's behaviour that no single column can state. A table names its rules in the catalog."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from macro_assets.quality.report import SAMPLE, CheckReport

TOLERANCE = 1e-9


def contributions_add_up(frame: pl.DataFrame, subject: str) -> CheckReport:
    """A month's contributions add up to its index, and its weights to one (to 1e-9)."""
    rows = frame.with_row_index("row")
    months = rows.group_by("observation_date").agg(
        row=pl.col("row").first(),
        gap=pl.col("contribution").sum() - pl.col("index_value").first(),
        weights=pl.col("weight").sum() - 1,
        spread=pl.col("index_value").max() - pl.col("index_value").min(),
    )
    off = months.filter(pl.any_horizontal(pl.col("gap", "weights", "spread").abs() > TOLERANCE)).sort(
        "observation_date"
    )
    sample = [
        {
            "column": "contribution",
            "rule": "contributions add up to index_value, weights to 1",
            "value": f"{m['observation_date']}: {m['gap']:g} off, weights {m['weights']:g} off, "
            f"index varies by {m['spread']:g}",
            "row": m["row"],
        }
        for m in off.head(SAMPLE).to_dicts()
    ]
    failed = rows.join(off, on="observation_date", how="semi")["row"].sort().to_list()
    return CheckReport(subject, frame.height, off.height, tuple(failed), sample)


RULES: dict[str, Callable[[pl.DataFrame, str], CheckReport]] = {"contributions_add_up": contributions_add_up}
