"""Synthetic vintages of series of the catalog: seeded walks in the raw layer's columns. No figure here is real."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import UTC, date, datetime

import numpy as np
import polars as pl

from macro_assets.catalog import Catalog, Series, names
from macro_assets.catalog.derive import polars_schema
from macro_assets.catalog.periods import estimated_releases
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.write import append, overwrite

STEP = {"D": "1d", "W": "1w", "M": "1mo", "Q": "3mo", "A": "1y"}
REVISED = 30
"""Days after its first release on which each figure but those of markets is revised, once."""


def vintages(catalog: Catalog, series: Collection[str], span: tuple[date, date], curves_from: date) -> pl.DataFrame:
    """Both vintages of each series as its home tells them, with `source`, by series, date and release time.

    Daily series begin twenty years before the end, those of curves, which are many, later.

    All series share a monthly shock, or nothing would move together. Rates wander about 4 and are never below 0.1,
    what else there is grows. Every day has a figure of daily series but Saturdays and Sundays.
    """
    draw = np.random.default_rng(17)
    months = pl.date_range(*span, "1mo", eager=True)
    shocks = pl.DataFrame({"month": months, "shock": draw.standard_normal(len(months))})
    found = [_of(catalog.one_series(s), span, curves_from, shocks, draw) for s in series]
    return pl.concat(found).sort("series_id", "observation_date", "release_time")


def _of(
    series: Series, span: tuple[date, date], curves_from: date, shocks: pl.DataFrame, draw: np.random.Generator
) -> pl.DataFrame:
    is_daily = series.frequency == "D"
    daily_from = (
        curves_from if series.kind == "curves" else max(span[0], span[1].replace(year=span[1].year - 20, day=1))
    )
    dates = pl.date_range(daily_from if is_daily else span[0], span[1], STEP[series.frequency], eager=True)
    frame = dates.alias("observation_date").to_frame()
    if is_daily:
        frame = frame.filter(pl.col("observation_date").dt.weekday() <= 5)
    frame = frame.with_columns(month=pl.col("observation_date").dt.truncate("1mo"))
    shared = frame.join(shocks, on="month", how="left", maintain_order="left")["shock"].to_numpy()
    noise = 0.5 * shared + draw.standard_normal(len(shared))
    release = estimated_releases(series, frame["observation_date"])
    first = frame.select("observation_date", value=_walk(series, noise, is_daily), release_time=release)
    changed = first.with_columns(
        value=(pl.col("value") * (1 + 0.002 * pl.Series(draw.standard_normal(first.height)))).round(4),
        release_time=pl.col("release_time").dt.offset_by(f"{REVISED}d"),
    )
    told = first if is_daily else pl.concat([first, changed])
    return told.select(
        pl.lit(series.id).alias("series_id"),
        "observation_date",
        "value",
        "release_time",
        release_basis=pl.lit("provider"),
        provider=pl.lit(series.source),
        ingested_at="release_time",
        run_id=pl.lit("synthetic"),
        payload_sha256=pl.lit("0" * 64),
        source=pl.lit(series.source),
    )


def _walk(series: Series, noise: np.ndarray, is_daily: bool) -> pl.Series:
    scale = 0.25 if is_daily else 1.0
    if series.unit in ("percent", "percent_change"):
        level, kept = 4.0 + 0.0 * noise, 0.995 if is_daily else 0.95
        for n in range(1, len(noise)):
            level[n] = 4 + kept * (level[n - 1] - 4) + 0.3 * scale * noise[n]
        return pl.Series(np.abs(level).clip(0.1)).round(4)
    return pl.Series(100 * np.exp(np.cumsum(0.001 * scale + 0.01 * scale * noise))).round(4)


def store(lake: Lakehouse, rows: pl.DataFrame) -> None:
    """Append rows as they are to the raw tables of their sources."""
    for (source,), own in rows.group_by("source"):
        table = lake.table(names.raw(str(source)))
        append(lake, table.name, own.select(c.name for c in table.columns), {"run_id": "synthetic"})


def store_forecasts(lake: Lakehouse, table: str, until: datetime) -> None:
    """Forecasts of a model as of each month up to an instant: synthetic means of its target."""
    model = lake.catalog.models[table.partition("/")[2]]
    rows = list(_forecasts(model.target.series, until))
    schema = polars_schema(lake.catalog.tables[table].columns)
    filled = {n: None for n in schema if n not in rows[0]}
    overwrite(lake, table, pl.DataFrame([r | filled for r in rows], schema=schema), {"run_id": "synthetic"})


def _forecasts(series: str, until: datetime) -> Iterator[dict[str, object]]:
    for number, month in enumerate(pl.date_range(date(2010, 1, 1), until.date(), "1mo", eager=True)):
        as_of = datetime(month.year, month.month, 28, tzinfo=UTC)
        if as_of <= until:
            yield {
                "as_of_month": f"{month:%Y-%m}",
                "as_of": as_of,
                "series_id": series,
                "target_date": month.replace(month=month.month - (month.month - 1) % 3),
                "horizon": 0,
                "statistic": "mean",
                "value": 2 + 0.1 * (number % 7),
                "is_released": False,
                "latest_release": as_of,
            }


def behind(catalog: Catalog) -> list[str]:
    """Series behind some indicator."""
    found = (s for i in catalog.indicators for s in catalog.series_behind(names.indicator(i)))
    return list(dict.fromkeys(found))
