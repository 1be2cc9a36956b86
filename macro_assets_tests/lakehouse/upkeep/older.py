"""Tables as older versions of macro_assets wrote them."""

from __future__ import annotations

from datetime import UTC, date, datetime

import polars as pl
import pyarrow as pa
from deltalake import write_deltalake

from macro_assets.lakehouse import layout
from macro_assets.lakehouse.paths import Root, storage_options

COMPUTED_AT = datetime(2026, 1, 1, tzinfo=UTC)
FORECASTS, NEWS = "forecasts/gdp_nowcast", "forecasts/gdp_nowcast_news"
_ENDS = {"2016-06": datetime(2016, 6, 30, 23, 59, 59, tzinfo=UTC), "2016-07": datetime(2016, 7, 31, tzinfo=UTC)}


def old_table(root: Root, name: str, version: int, rows: pl.DataFrame) -> None:
    """A table of an older version, which stands in the metadata of its first field."""
    arrow = rows.to_arrow()
    fields = [
        pa.field(f.name, _plain(f.type), f.nullable, {layout._VERSION_KEY: str(version)} if n == 0 else None)
        for n, f in enumerate(arrow.schema)
    ]
    write_deltalake(str(root / name), arrow.cast(pa.schema(fields)), storage_options=storage_options(root))


def _plain(dtype: pa.DataType) -> pa.DataType:
    return {pa.large_string(): pa.string(), pa.large_binary(): pa.binary()}.get(dtype, dtype)


def wide_forecasts(version: int = 3) -> pl.DataFrame:
    """Forecasts of the versions before 4: a row per quarter, the likelihood of the month in each."""
    rows = [
        ("2016-06", date(2016, 1, 1), 1.1, 0.0, True, -5263.5),
        ("2016-06", date(2016, 4, 1), 2.0, 1.0, False, -5263.5),
        ("2016-07", date(2016, 4, 1), 1.2, 0.0, True, -5285.0),
        ("2016-07", date(2016, 7, 1), -0.5, 2.0, False, -5285.0),
        ("2016-07", date(2017, 1, 1), 2.5, 4.0, False, -5285.0),
    ]
    wide = pl.DataFrame(
        [{"as_of_month": m, "as_of": _ENDS[m], "computed_at": COMPUTED_AT, **_forecast(*said)} for m, *said in rows]
    )
    return wide if version > 1 else wide.drop("computed_at")


def _forecast(quarter: date, mean: float, error: float, is_released: bool, likelihood: float) -> dict[str, object]:
    known = {"is_released": is_released, "latest_release": datetime(2016, 6, 29, tzinfo=UTC)}
    return {"target_quarter": quarter, "forecast_pct": mean, "standard_error_pct": error, **known} | {
        "log_likelihood": likelihood
    }


def old_news(version: int = 3) -> pl.DataFrame:
    """News of the versions before 4, which stood in percentage points among the forecasts."""
    row = {"as_of_month": "2016-07", "as_of": _ENDS["2016-07"], "computed_at": COMPUTED_AT}
    row |= {"previous_as_of": _ENDS["2016-06"], "target_quarter": date(2016, 4, 1)}
    release = {"series_id": "PAYEMS", "observation_date": date(2016, 6, 1), "release_forecast": 180.0}
    release |= {"release_actual": 287.0, "release_weight": 0.001}
    news = pl.DataFrame(
        [
            {**row, "effect": "news", **release, "impact_pp": 0.107},
            {**row, "effect": "revision", **dict.fromkeys(release), "impact_pp": -0.2},
            {**row, "effect": "reestimation", **dict.fromkeys(release), "impact_pp": 0.03},
        ],
        schema_overrides={"observation_date": pl.Date()},
    )
    return news if version > 1 else news.drop("computed_at")


def old_nowcast(root: Root, version: int = 3) -> None:
    """Forecasts and news as a version before 4 stored them."""
    old_table(root, FORECASTS, version, wide_forecasts(version))
    old_table(root, NEWS, version, old_news(version))
