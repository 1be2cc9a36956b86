"""What FRED's answers say: pages of its lists, their rows, and its errors. Pure functions of a response."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import polars as pl

from macro_assets.catalog import Series
from macro_assets.sources.bodies import member, read_json, records
from macro_assets.sources.cells import dates, numbers, plain_days
from macro_assets.sources.errors import (
    AuthError,
    NotFoundError,
    SchemaError,
    SourceError,
    TransientError,
    explain_status,
    quoted,
)
from macro_assets.sources.protocol import Response
from macro_assets.sources.providers.fred.units import UnitPeriod, exponent, plain

REAL_TIME = ("realtime_start", "realtime_end")
_NOT_IN_ALFRED = b"does not exist in ALFRED"
_KEY = re.compile(rb"\b[0-9a-z]{32}\b")
_ERROR = re.compile(rb'\s*(\{\s*"error_|(<\?xml[^>]*>\s*)?<error\b)')

FREQUENCIES = {"BW": "W"}
ADJUSTMENTS = {"SSA": "SA", "NSAAR": "NSA"}
"""FRED's codes that are others in the catalog: biweekly, smoothed, not adjusted annual rate."""


def explain(response: Response) -> SourceError | None:
    """The error in an answer. A key that FRED might repeat is not.

    That a series has no vintages is no error where the list of them was asked for.
    """
    bare = replace(response, body=_KEY.sub(b"***", response.body[:4096]))
    error = explain_status(bare)
    says_error = _ERROR.match(bare.body) is not None
    if error is None and not says_error:
        return None
    said = quoted(bare.body)
    if b"api_key" in bare.body and not isinstance(error, TransientError):
        return AuthError(f"FRED refuses the key: {said}. Check the environment variable FRED_API_KEY.")
    if says_error and _NOT_IN_ALFRED in bare.body and "/series/vintagedates" in response.request:
        return None
    if says_error and b"does not exist" in bare.body:
        return NotFoundError(f"FRED does not know the series: {said}. Check the series' code in the catalog.")
    return error or SchemaError(f"expected an answer, got the error {said}. The connector asks what is not served.")


def has_no_vintages(response: Response) -> bool:
    """Whether a list of vintage dates is refused because the series is in FRED alone."""
    return response.http_status == 400 and _NOT_IN_ALFRED in response.body


def read_observations(rows: list[Any]) -> pl.DataFrame:
    """`observation_date`, `value` (null where FRED has '.'), `realtime_start` and `realtime_end`."""
    table = records(rows, ("date", "value", *REAL_TIME))
    observed, start, end = _days(table, ("date", *REAL_TIME))
    value = numbers(table["value"], (".",))
    return pl.DataFrame([observed.alias("observation_date"), value, start, end])


def _days(table: pl.DataFrame, columns: Sequence[str]) -> list[pl.Series]:
    """Columns as dates, read together: of the few rows of a page, each call costs more than its cells."""
    together = plain_days(pl.concat([table[c] for c in columns]))
    if together is None:
        return [dates(table[c]) for c in columns]
    return [together.slice(n * table.height, table.height).alias(c) for n, c in enumerate(columns)]


def read_vintage_dates(rows: list[Any]) -> pl.Series:
    """Vintage dates, which must ascend."""
    try:
        listed = dates(pl.Series("vintage_dates", rows, dtype=pl.String))
    except TypeError:
        wrong = next(v for v in rows if type(v) is not str)
        raise SchemaError(f"expected dates in 'vintage_dates', got {wrong!r}") from None
    if not listed.is_sorted() or listed.n_unique() < listed.len():
        raise SchemaError("expected 'vintage_dates' to ascend without repetition")
    return listed


def read_calendar(rows: list[Any]) -> pl.DataFrame:
    """`release`, `name` and `date` of release days."""
    table = records(rows, ("release_id", "release_name", "date"))
    return table.select(release="release_id", name="release_name", date=dates(table["date"]))


def check_metadata(response: Response, series: Series) -> list[UnitPeriod]:
    """FRED's unit, frequency and seasonal adjustment of a series must be those of the catalog today.

    A new base year is a new unit: numbers of two units under one name would be compared with each other.

    Returns
    -------
    list[UnitPeriod]
        What the figures of a vintage are in, ascending. The last one is the catalog's unit.

    Raises
    ------
    SchemaError
        When one differs; it names what the catalog and FRED have.
    """
    answer = read_json(response)
    fields = ("realtime_start", "units", "frequency_short", "seasonal_adjustment_short")
    records_told = range(max(1, len(member(answer, "seriess", of=list))))
    told = sorted([member(answer, "seriess", i, name, of=str) for name in fields] for i in records_told)
    _, units, frequency, adjustment = told[-1]
    compared = {
        "provider_unit": (series.provider_unit, units, plain(units) == plain(series.provider_unit)),
        "frequency": (series.frequency, frequency, FREQUENCIES.get(frequency, frequency) == series.frequency),
        "seasonal_adjustment": (
            series.seasonal_adjustment,
            adjustment,
            ADJUSTMENTS.get(adjustment, adjustment) == series.seasonal_adjustment,
        ),
    }
    changed = [f"{field} {was!r} is now {now!r}" for field, (was, now, same) in compared.items() if not same]
    if changed:
        raise SchemaError(
            f"FRED has changed the series' unit, base year, frequency or adjustment, or the catalog is wrong: "
            f"{', '.join(changed)}. Nothing is read until the catalog's entry is edited: its `provider_unit`, with "
            "`unit`, `scale` and `bounds`, `frequency` or `seasonal_adjustment`."
        )
    starts = dates(pl.Series("realtime_start", [t[0] for t in told]))
    return [UnitPeriod(start, exponent(t[1], units)) for start, t in zip(starts, told, strict=True)]
