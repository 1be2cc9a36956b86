"""Synthetic series: facts of chosen frequency, unit and rules, and observations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import polars as pl

from macro_assets.catalog import default_catalog
from macro_assets.catalog.derive import series_facts


def facts_of(**series: Mapping[str, object]) -> pl.DataFrame:
    """What transforms read of series: keyword = id, value = fields that differ from those of a plain monthly one."""
    plain = default_catalog().one_series("UNRATE")
    made = [plain.model_copy(update={"id": i, **fields}) for i, fields in series.items()]
    return series_facts(made, "frequency", "transform", "aggregation")


def held_by(provider: str, **scales: float) -> pl.DataFrame:
    """Holdings of series whose home is `home`: keyword = id, value = scale; their unit is that of the provider."""
    rows = [(series_id, provider, "home", scale, f"unit_of_{provider}") for series_id, scale in scales.items()]
    return pl.DataFrame(rows, ["series_id", "provider", "source", "scale", "unit"], orient="row")


def observed(series_id: str, values: Mapping[date, float | None], provider: str = "bundled") -> pl.DataFrame:
    """Observations of one series with all columns but the release."""
    return pl.DataFrame(
        {
            "source": ["home"] * len(values),
            "series_id": [series_id] * len(values),
            "provider": [provider] * len(values),
            "observation_date": list(values),
            "value": list(values.values()),
        },
        schema=dict.fromkeys(("source", "series_id", "provider"), pl.String)
        | {"observation_date": pl.Date, "value": pl.Float64},
    )


def months(*values: float | None, start: date = date(2020, 1, 1)) -> dict[date, float | None]:
    """Values of consecutive months."""
    last = start.month - 1 + len(values) - 1
    end = date(start.year + last // 12, last % 12 + 1, 1)
    return dict(zip(pl.date_range(start, end, "1mo", eager=True), values, strict=True))


def by_date(frame: pl.DataFrame, column: str = "value") -> dict[date, float]:
    """A column by observation date."""
    return dict(frame.select("observation_date", column).iter_rows())


def concat(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Frames below each other, rows in an order that no function may rely on."""
    return pl.concat(frames).sample(fraction=1, shuffle=True, seed=1)
