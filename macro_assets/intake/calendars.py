"""The release calendars of the providers that publish one, as one table.

What a provider does not answer keeps its stored days.
"""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from macro_assets.catalog import Catalog, Source
from macro_assets.catalog.derive import polars_schema
from macro_assets.intake.fetch import Clients
from macro_assets.sources.clients import closing, open_client
from macro_assets.sources.errors import SourceError
from macro_assets.sources.fetching import calendar
from macro_assets.sources.secrets import missing_key

CALENDAR = "calendar/releases"
"""Table of the providers' release calendars."""

_BACK, _AHEAD = timedelta(days=120), timedelta(days=180)


def release_calendar(
    catalog: Catalog, stored: pl.DataFrame, today: date, clients: Clients = open_client
) -> tuple[pl.DataFrame, dict[str, str]]:
    """Days of the releases of the catalog's series, some months back and ahead.

    Parameters
    ----------
    stored
        The table as it is.
    today
        The UTC day of the asking.

    Returns
    -------
    DataFrame
        Columns of `calendar/releases`.
    dict
        By source, why its days are the stored ones.
    """
    schema = polars_schema(catalog.one_table(CALENDAR).columns)
    frames, reasons = [pl.DataFrame(schema=schema)], {}
    for source in catalog.sources.values():
        wanted = {s.release for s in catalog.series.values() if s.source == source.name and s.release}
        if not wanted:
            continue
        try:
            days = _days(source, today, clients)
        except SourceError as error:
            reasons[source.name] = str(error)
            frames.append(stored.filter(pl.col("source") == source.name).select(list(schema)))
            continue
        if days is not None:
            kept = days.filter(pl.col("release").is_in(list(wanted))).unique(["release", "date"])
            frames.append(
                kept.select(
                    source=pl.lit(source.name), release="release", release_name="name", release_date="date"
                ).cast(schema)
            )
    return pl.concat(frames).sort("source", "release", "release_date"), reasons


def _days(source: Source, today: date, clients: Clients) -> pl.DataFrame | None:
    if why := missing_key(source):
        raise SourceError(why)
    with closing(clients(source)) as client:
        return calendar(source, client, today - _BACK, today + _AHEAD, today)
