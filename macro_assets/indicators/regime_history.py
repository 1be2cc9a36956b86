"""Regimes of several tables side by side: which was in force, since when, how often it changed, how lasting it was."""

from __future__ import annotations

import polars as pl
from pydantic import Field

from macro_assets.catalog.kinds.declaration import Declaration
from macro_assets.indicators.expected import expect_tables
from macro_assets.indicators.protocol import Given
from macro_assets.transforms.regimes.spells import counted, in_force

SHAPE = "regime_history"

EXAMPLE = {"inputs": ["indicators/volatility_regime", "indicators/equity_regime"], "parameters": {}}


class Parameters(Declaration):
    """Which rows there are."""

    changes_only: bool = Field(default=False, strict=True, description="Only rows whose regime is not that before")


def check(parameters: Parameters, facts: pl.DataFrame) -> None:
    """Refuse series.

    Raises
    ------
    ValueError
        With the field, what was expected and what came.
    """
    expect_tables(facts, "regimes")


def compute(given: Given, parameters: Parameters) -> pl.DataFrame:
    """The regimes in force, a row for each table and date of it.

    Returns
    -------
    DataFrame
        `observation_date`, `component` (the table, without its folder), `regime`, `previous_regime` (of the row before;
        null in the first), `regime_probability` (null of a rule), `staying_probability` (of the rows before with this
        regime, the share whose next row had it too), `spell_periods`, `switches`, by date and component.
    """
    histories = [
        counted(in_force(rows)).with_columns(component=pl.lit(name.rpartition("/")[2]))
        for name, rows in given.tables.items()
    ]
    told = pl.concat(histories)
    if parameters.changes_only:
        told = told.filter(pl.col("regime") != pl.col("previous_regime"))
    return told.select(
        "observation_date",
        "component",
        "regime",
        "previous_regime",
        "regime_probability",
        "staying_probability",
        "spell_periods",
        "switches",
    ).sort("observation_date", "component")
