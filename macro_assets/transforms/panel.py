"""Series side by side: at one frequency by month, or on the dates that they have."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from macro_assets.transforms.frequency import aggregated


def monthly(observations: pl.DataFrame, facts: pl.DataFrame) -> pl.DataFrame:
    """One row per series and month in which it has a value.

    Daily and weekly series are aggregated by the catalog's rule (mean, last, sum, compound) over the month's
    observations; monthly ones stand as they are; a quarterly one stands in the last month of its quarter and an annual
    one in December, as mixed-frequency models expect (Mariano and Murasawa, 2003, Journal of Applied Econometrics 18).

    Parameters
    ----------
    observations
        `series_id`, `observation_date` (start of the period), `value`; one row per series and date.
    facts
        `series_id`, `frequency`, `aggregation`. Series without a row here are left out.

    Returns
    -------
    DataFrame
        `series_id`, `observation_date` (first of month), `value`, by series and month.
    """
    facts = facts.select("series_id", "frequency", "aggregation")
    shift = pl.col("frequency").replace_strict({"Q": "2mo", "A": "11mo"}, default="0mo", return_dtype=pl.String)
    return (
        observations.drop_nulls("value")
        .join(facts, on="series_id")
        .sort("series_id", "observation_date")
        .with_columns(observation_date=pl.col("observation_date").dt.truncate("1mo").dt.offset_by(shift))
        .group_by("series_id", "observation_date", maintain_order=True)
        .agg(value=aggregated())
    )


def panel(monthly: pl.DataFrame, series_ids: Sequence[str]) -> pl.DataFrame:
    """Series side by side, one row per month.

    Parameters
    ----------
    monthly
        `series_id`, `observation_date` (first of month), `value`; at most one row per series and month.
    series_ids
        Which series, in which order.

    Returns
    -------
    DataFrame
        `observation_date`, no month skipped from the first to the last that any of the series has, and one float
        column per series, named by its id; null where there is nothing.
    """
    own = monthly.filter(pl.col("series_id").is_in(list(series_ids)))
    wide = own.pivot(on="series_id", index="observation_date", values="value")
    columns = [pl.col(i) if i in wide.columns else pl.lit(None, dtype=pl.Float64).alias(i) for i in series_ids]
    return _calendar(own["observation_date"]).join(
        wide.select("observation_date", *columns), on="observation_date", how="left", maintain_order="left"
    )


def by_date(observations: pl.DataFrame, series_ids: Sequence[str]) -> pl.DataFrame:
    """Series side by side, one row per date on which one of them has a figure.

    Parameters
    ----------
    observations
        `series_id`, `observation_date`, `value`; one row per series and date.
    series_ids
        Which series, in which order.

    Returns
    -------
    DataFrame
        `observation_date` in order, and one float column per series, named by its id; null where there is nothing.
    """
    own = observations.filter(pl.col("series_id").is_in(list(series_ids))).drop_nulls("value")
    wide = own.pivot(on="series_id", index="observation_date", values="value").sort("observation_date")
    absent = (pl.lit(None, dtype=pl.Float64).alias(i) for i in series_ids if i not in wide.columns)
    return wide.with_columns(absent).select("observation_date", *series_ids)


def _calendar(months: pl.Series) -> pl.DataFrame:
    """All months from the first to the last."""
    if months.is_empty():
        return pl.DataFrame(schema={"observation_date": pl.Date})
    return pl.select(observation_date=pl.date_range(months.min(), months.max(), "1mo"))  # type: ignore[arg-type]
