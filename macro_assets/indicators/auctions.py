"""Results of auctions: what each paid and how much was bid for it, a row per day and tenor."""

from __future__ import annotations

from typing import Literal

import polars as pl
from pydantic import Field

from macro_assets.catalog.kinds.declaration import Declaration, SeriesId
from macro_assets.indicators.expected import expect_input, expect_used
from macro_assets.indicators.protocol import Given

SHAPE = "auctions"

EXAMPLE = {
    "inputs": ["US_AUCTION_10Y_HIGH_YIELD", "US_AUCTION_10Y_BID_COVER"],
    "parameters": {
        "auctions": [
            {
                "security": "note",
                "tenor": "10Y",
                "is_reopening": False,
                "stop_out": "US_AUCTION_10Y_HIGH_YIELD",
                "bid_to_cover": "US_AUCTION_10Y_BID_COVER",
            }
        ]
    },
}

_KEY = ("observation_date", "security", "tenor", "is_reopening")
_UNITS = {"stop_out": "percent", "bid_to_cover": "ratio"}


class Auction(Declaration):
    """A sort of auction, and the series of its results."""

    security: Literal["bill", "note", "bond", "tips", "frn"]
    tenor: str = Field(pattern="^[1-9][0-9]*[WY]$", description="Weeks or years, as 13W or 10Y")
    is_reopening: bool = Field(strict=True, description="Whether more of an older security was sold")
    stop_out: SeriesId = Field(description="Series of the highest accepted rate")
    bid_to_cover: SeriesId = Field(description="Series of bids per accepted bid")


class Parameters(Declaration):
    """The sorts of auctions that the table has."""

    auctions: tuple[Auction, ...] = Field(min_length=1)


def check(parameters: Parameters, facts: pl.DataFrame) -> None:
    """Refuse series that are no inputs or of another unit, inputs that nothing is read of, and a sort stated twice.

    Raises
    ------
    ValueError
        With the field, what was expected and what came.
    """
    seen: set[tuple[str, str, bool]] = set()
    used: set[str] = set()
    for number, one in enumerate(parameters.auctions):
        field = f"parameters.auctions.{number}"
        if (sort := (one.security, one.tenor, one.is_reopening)) in seen:
            raise ValueError(f"{field}: {one.security} {one.tenor} is there twice, with is_reopening {sort[2]}")
        seen.add(sort)
        for name, unit in _UNITS.items():
            series = getattr(one, name)
            if series in used:
                raise ValueError(f"{field}.{name}: {series} is there twice")
            used.add(series)
            expect_input(facts, series, unit, f"{field}.{name}")
    expect_used(facts, used, "auction")


def compute(given: Given, parameters: Parameters) -> pl.DataFrame:
    """The results.

    Returns
    -------
    DataFrame
        One row per auction of which any result is known: `observation_date` (day of the auction), `security`, `tenor`,
        `is_reopening`, `stop_out_pct`, `bid_to_cover` (null where only the other is known) and `tail_bp`, always null:
        no public source has the yield at which a security trades before its auction.
    """
    sorts = pl.DataFrame(
        [
            (getattr(one, name), name, one.security, one.tenor, one.is_reopening)
            for one in parameters.auctions
            for name in _UNITS
        ],
        {"series_id": pl.String, "measure": pl.String, "security": pl.String, "tenor": pl.String, "is_reopening": bool},
        orient="row",
    )
    known = given.observations.select("series_id", "observation_date", "value").drop_nulls("value")
    value, measure = pl.col("value"), pl.col("measure")
    return (
        known.join(sorts, on="series_id")
        .group_by(_KEY)
        .agg(
            stop_out_pct=value.filter(measure == "stop_out").first(),
            bid_to_cover=value.filter(measure == "bid_to_cover").first(),
        )
        .with_columns(tail_bp=pl.lit(None, pl.Float64))
        .sort(_KEY)
    )
