"""Two readers that hold all vintages in RAM: Polars, the floor of every read, and pandas as fredapi does it.

Neither is a store: nothing is on disk and nothing is refreshed.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import polars as pl

from peers import COLUMNS, in_common_form

if TYPE_CHECKING:
    import pandas as pd


class PolarsInMemory:
    """Filter and group_by-last on columns that are in RAM and sorted: no store that reads a file is faster."""

    name = "floor: Polars in RAM"
    version = f"polars {pl.__version__}"
    durability = "none"

    def __init__(self, frame: pl.DataFrame) -> None:
        self._vintages = frame.select(COLUMNS).lazy()

    def _known(self, vintages: pl.LazyFrame, moment: datetime) -> pl.DataFrame:
        known = vintages.filter(pl.col("release_time") <= moment)
        return known.group_by("series_id", "observation_date").agg(pl.col("value").last()).collect()

    def series(self, series_id: str, moment: datetime) -> pl.DataFrame:
        return self._known(self._vintages.filter(pl.col("series_id") == series_id), moment)

    def panel(self, moment: datetime) -> pl.DataFrame:
        return self._known(self._vintages, moment)

    def rows(self, answer: pl.DataFrame) -> pl.DataFrame:
        return in_common_form(answer)

    def close(self) -> None:
        self._vintages = pl.LazyFrame()


class PandasInMemory:
    """fredapi's way: one frame per series, the rows with `realtime_start <= D`, the last of each date.

    The panel is one frame with the series as a categorical, which pandas groups faster than strings.
    """

    name = "pandas in RAM"
    durability = "none"

    def __init__(self, frame: pl.DataFrame) -> None:
        import pandas as pd

        self.version = f"pandas {pd.__version__}"
        self._panel = frame.select(COLUMNS).to_pandas().astype({"series_id": "category"})
        self._of_series = {
            key: rows.drop(columns="series_id").reset_index(drop=True)
            for key, rows in self._panel.groupby("series_id", observed=True)
        }

    def series(self, series_id: str, moment: datetime) -> pd.DataFrame:
        rows = self._of_series[series_id]
        known = rows[rows["release_time"] <= moment].groupby("observation_date")["value"].last()
        return known.reset_index().assign(series_id=series_id)

    def panel(self, moment: datetime) -> pd.DataFrame:
        known = self._panel[self._panel["release_time"] <= moment]
        return known.groupby(["series_id", "observation_date"], observed=True)["value"].last().reset_index()

    def rows(self, answer: pd.DataFrame) -> pl.DataFrame:
        return in_common_form(pl.from_pandas(answer.astype({"series_id": str})))

    def close(self) -> None:
        self._of_series.clear()
