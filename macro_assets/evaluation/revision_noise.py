"""How far an index was from what it is now: the noise of its readings as they were known in their months.

The revision of a period is what is said of it today less the first reading, that of the earliest as-of month of which
it was the latest period. Its standard deviation over that of the index of the same periods is the noise ratio: at one
or above, the readings said nothing that was to stand.
"""

from __future__ import annotations

import polars as pl

from macro_assets.catalog.kinds.declaration import Declaration
from macro_assets.indicators.protocol import Given

SHAPE = "revision_noise"

EXAMPLE = {
    "inputs": ["real_time/economic_stress_index", "indicators/economic_stress_index"],
    "parameters": {},
}

SAID = {
    "indicator": pl.String,
    "readings": pl.Int64,
    "mean_revision": pl.Float64,
    "revision_deviation": pl.Float64,
    "index_deviation": pl.Float64,
    "noise_ratio": pl.Float64,
}


class Parameters(Declaration):
    """Nothing: the tables are those of the indicators as of months and of today, in pairs."""


def compute(given: Given, parameters: Parameters) -> pl.DataFrame:
    """The noise of each index of which both tables are among the inputs.

    Source: Orphanides and van Norden (2002), The unreliability of output-gap estimates in real time, Review of
    Economics and Statistics 84, whose noise-to-signal ratio it is.

    Returns
    -------
    DataFrame
        `indicator`, `readings`, `mean_revision`, `revision_deviation`, `index_deviation` (of what is said today) and
        `noise_ratio`, null where there are fewer than two periods or the index does not vary; by indicator.

    Raises
    ------
    ValueError
        When a table has no other to be compared with.
    """
    pairs = {name.partition("/")[2] for name in given.tables}
    wanted = {f"{layer}/{name}" for name in pairs for layer in ("real_time", "indicators")}
    if lacking := sorted(wanted - given.tables.keys()):
        raise ValueError(f"inputs: expected each index as of months and as of today, {', '.join(lacking)} is not there")
    rows = [
        _noise(_first(given.tables[f"real_time/{name}"]), _index(given.tables[f"indicators/{name}"])).select(
            pl.lit(name).alias("indicator"), pl.all()
        )
        for name in sorted(pairs)
    ]
    made = pl.concat(rows) if rows else pl.DataFrame(schema=SAID)
    return made.filter(pl.col("readings") > 0).select(pl.col(n).cast(t) for n, t in SAID.items())


def _index(rows: pl.DataFrame) -> pl.DataFrame:
    """One row per period: `observation_date`, `now`."""
    column = "index_value" if "index_value" in rows.columns else "value"
    return rows.select("observation_date", now=column).unique(maintain_order=True)


def _first(rows: pl.DataFrame) -> pl.DataFrame:
    """The first reading of each period: `observation_date`, `then`."""
    day = pl.col("observation_date")
    latest = rows.filter(day == day.max().over("as_of_month")).sort("as_of_month")
    column = "index_value" if "index_value" in rows.columns else "value"
    return latest.group_by(day, maintain_order=True).agg(then=pl.col(column).first())


def _noise(first: pl.DataFrame, index: pl.DataFrame) -> pl.DataFrame:
    revision, now = pl.col("now") - pl.col("then"), pl.col("now")
    return (
        first.join(index, on="observation_date", maintain_order="left")
        .select(
            readings=pl.len(),
            mean_revision=revision.mean(),
            revision_deviation=revision.std(),
            index_deviation=now.std(),
        )
        .with_columns(
            noise_ratio=pl.when(pl.col("index_deviation") > 0).then(
                pl.col("revision_deviation") / pl.col("index_deviation")
            )
        )
    )
