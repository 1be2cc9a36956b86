"""SDMX, the exchange format of statistical agencies: what its forms share, and the CSV form.

A series is named by a key, the codes of its dimensions joined by dots, in every form; the time dimension is not part
of it. An observation without a number is one the agency marks as missing. What belongs to one agency (paths, errors,
days of a week) is in that agency's module; the JSON form is read in `sdmx_json.py`, the XML form in `sdmx_xml.py`.
Formats: https://sdmx.org/?page_id=5008
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from macro_assets.sources.bodies import needed, read_csv
from macro_assets.sources.cells import numbers, periods
from macro_assets.sources.errors import SchemaError

if TYPE_CHECKING:
    from macro_assets.catalog import Frequency
    from macro_assets.sources.protocol import Response

TIME = "TIME_PERIOD"
MISSING = ("", "NaN")
"""How the text forms write a missing figure; NaN is the standard's own word for it."""

_NO_DIMENSION = ("DATAFLOW", "STRUCTURE", "STRUCTURE_ID", "STRUCTURE_NAME", "ACTION")


def period(day: date, frequency: str) -> str:
    """The name of the period that a day lies in, as requests want it."""
    if frequency == "W":
        year, week, _ = day.isocalendar()
        return f"{year}-W{week:02}"
    quarter = f"{day.year}-Q{(day.month + 2) // 3}"
    return {"A": f"{day.year}", "Q": quarter, "M": f"{day:%Y-%m}"}.get(frequency, f"{day:%Y-%m-%d}")


def from_csv(response: Response, frequency: Frequency | None = None) -> pl.DataFrame:
    """Rows of an SDMX-CSV body: `key`, `observation_date`, `value`. Its periods must be of a frequency, if stated.

    The key is the column KEY where there is one (ECB); else the codes before TIME_PERIOD, whose columns are in
    capitals; the columns of labels beside them are not. Labels may also stand behind their codes: 'M: Monthly'.
    """
    table = read_csv(response)
    if labelled := [c for c in table.columns if ": " in c]:
        table = table.with_columns(pl.col(labelled).str.extract(r"^([^:]*)", 1)).rename(lambda c: c.partition(": ")[0])
    table = needed(table, [TIME, "OBS_VALUE"])
    before = table.columns[: table.columns.index(TIME)]
    names = (
        ["KEY"] if "KEY" in before else [c for c in before if c.isupper() and c not in _NO_DIMENSION and " " not in c]
    )
    codes = table.select(pl.concat_str(names, separator=".") if names else pl.lit(""))
    return rows(codes.to_series(), table[TIME], numbers(table["OBS_VALUE"], MISSING), frequency)


def rows(keys: pl.Series, times: pl.Series, values: pl.Series, frequency: Frequency | None = None) -> pl.DataFrame:
    """What every form is read into: `key`, `observation_date`, `value`."""
    return pl.DataFrame({"key": keys, "observation_date": periods(times, frequency), "value": values})


def only(found: pl.DataFrame, key: str) -> pl.DataFrame:
    """The rows without their key, which must be the one that was asked for, each period once.

    Raises
    ------
    SchemaError
        When the answer has another series, or a period twice.
    """
    if other := sorted(set(found["key"].unique()) - {key}):
        raise SchemaError(f"expected the series {key!r} alone, got {other[0]!r}. Check the code in the catalog.")
    if found["observation_date"].n_unique() < found.height:
        day = found.filter(found["observation_date"].is_duplicated())["observation_date"][0]
        raise SchemaError(f"expected one observation for {day}, got several")
    return found.select("observation_date", "value")
