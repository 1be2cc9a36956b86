"""Rules on a table's behaviour that no single column can state. A table names its rules in the catalog."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from macro_assets.quality.report import SAMPLE, CheckReport

TOLERANCE = 1e-9


def contributions_add_up(frame: pl.DataFrame, subject: str) -> CheckReport:
    """A month's contributions add up to its index, and its weights to one (to 1e-9)."""
    months = frame.group_by("observation_date").agg(
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
            "value": f"{m['gap']:g} off, weights {m['weights']:g} off, index varies by {m['spread']:g}",
            "row": str(m["observation_date"]),
        }
        for m in off.head(SAMPLE).to_dicts()
    ]
    return CheckReport(subject, frame.height, off.height, sample=sample)


RULES: dict[str, Callable[[pl.DataFrame, str], CheckReport]] = {"contributions_add_up": contributions_add_up}
