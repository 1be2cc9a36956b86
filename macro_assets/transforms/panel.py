"""The monthly panel: every series in one wide table, on one calendar."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import polars as pl

from macro_assets.catalog import Catalog
from macro_assets.catalog.derive import series_frame


def monthly(observations: pl.DataFrame, catalog: Catalog) -> pl.DataFrame:
    """Series side by side, one row per month.

    Daily and weekly series are aggregated by the catalog's rule (mean, last, sum) over the month's observations;
    monthly ones stand as they are; a quarterly one stands in the last month of its quarter and an annual one in
    December, as mixed-frequency models expect (Mariano and Murasawa, 2003, Journal of Applied Econometrics 18).

    Parameters
    ----------
    observations
        `series_id`, `observation_date` (start of the period), `value`.

    Returns
    -------
    DataFrame
        `observation_date` (first of month, no month skipped) and one float column per catalog series, named by its
        id in lower case; null where there is nothing.
    """
    facts = series_frame(catalog).select("series_id", "frequency", "aggregation")
    long = observations.drop_nulls("value").join(facts, on="series_id")
    shift = pl.col("frequency").replace_strict({"Q": "2mo", "A": "11mo"}, default="0mo", return_dtype=pl.String)
    months = (
        long.with_columns(month=pl.col("observation_date").dt.truncate("1mo").dt.offset_by(shift))
        .sort("series_id", "observation_date")
        .group_by("series_id", "month", maintain_order=True)
        .agg(
            mean=pl.col("value").mean(),
            last=pl.col("value").last(),
            sum=pl.col("value").sum(),
            aggregation=pl.col("aggregation").first(),
        )
        .with_columns(
            value=pl.when(pl.col("aggregation") == "mean")
            .then("mean")
            .when(pl.col("aggregation") == "last")
            .then("last")
            .otherwise("sum")
        )
    )
    wide = months.pivot(on="series_id", index="month", values="value").rename({"month": "observation_date"})
    columns = [
        (pl.col(s.id) if s.id in wide.columns else pl.lit(None, dtype=pl.Float64)).alias(s.id.lower())
        for s in catalog.series.values()
    ]
    return _calendar(wide["observation_date"]).join(
        wide.select("observation_date", *columns), on="observation_date", how="left", maintain_order="left"
    )


def _calendar(months: Sequence[date] | pl.Series) -> pl.DataFrame:
    """All months from the first to the last."""
    days = pl.Series("observation_date", months, dtype=pl.Date)
    if days.is_empty():
        return pl.DataFrame({"observation_date": days})
    first, last = days.min(), days.max()
    return pl.select(observation_date=pl.date_range(first, last, "1mo"))  # type: ignore[arg-type]
