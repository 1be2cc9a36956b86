"""Biases at a glance: of each market and month the bias, how it moved, what speaks most, and the regime in force."""

from __future__ import annotations

import polars as pl
from pydantic import Field

from macro_assets.catalog.kinds.declaration import Declaration, Slug, TableName
from macro_assets.indicators.protocol import Given

SHAPE = "bias_summary"

EXAMPLE = {
    "inputs": ["indicators/macro_bias", "indicators/regime_table"],
    "parameters": {
        "bias": "indicators/macro_bias",
        "regimes": "indicators/regime_table",
        "regime_of": ["market_state"],
    },
}

_MONTH = "observation_date"


class Parameters(Declaration):
    """The tables, and whose regime is told."""

    bias: TableName
    regimes: TableName = Field(description="A table of regimes by date and component")
    regime_of: tuple[Slug, ...] = Field(
        min_length=1, description="Its components: the first with a regime in the month"
    )


def compute(given: Given, parameters: Parameters) -> pl.DataFrame:
    """The biases.

    Returns
    -------
    DataFrame
        `observation_date` (first of month), `market`, `region`, `bias`, `bias_change` (from the month before),
        `strongest` (score with the largest contribution of either sign), `scores_present`, `is_composition_changed`,
        `regime` (the last of the month), by month and market.
    """
    parts = given.tables[parameters.bias].sort(_MONTH, "market", "component")
    size = pl.col("contribution").abs()
    biases = parts.group_by(_MONTH, "market", "region", maintain_order=True).agg(
        bias=pl.col("index_value").first(),
        strongest=pl.col("component").sort_by(size, descending=True, maintain_order=True).first(),
        scores_present=pl.len().cast(pl.Int64),
        is_composition_changed=pl.col("is_composition_changed").first(),
    )
    before = biases.select(pl.col(_MONTH).dt.offset_by("1mo"), "market", _before=pl.col("bias"))
    return (
        biases.join(before, on=[_MONTH, "market"], how="left")
        .join(_regimes(given.tables[parameters.regimes], parameters.regime_of), on=_MONTH, how="left")
        .select(
            _MONTH,
            "market",
            "region",
            "bias",
            (pl.col("bias") - pl.col("_before")).alias("bias_change"),
            "strongest",
            "scores_present",
            "is_composition_changed",
            "regime",
        )
        .sort(_MONTH, "market")
    )


def _regimes(history: pl.DataFrame, components: tuple[str, ...]) -> pl.DataFrame:
    """`observation_date` (first of month) and `regime`: the last of the month, of the first component that has one."""
    rank = pl.col("component").replace_strict(
        {c: n for n, c in enumerate(components)}, default=None, return_dtype=pl.Int64
    )
    return (
        history.with_columns(_rank=rank)
        .drop_nulls(["_rank", "regime"])
        .sort("_rank", -pl.col(_MONTH).to_physical())
        .select(pl.col(_MONTH).dt.truncate("1mo"), "regime")
        .unique(_MONTH, keep="first", maintain_order=True)
    )
