"""The catalog itself as tables, `catalog.series` and so on: what SQL needs to label, scale and filter observations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import polars as pl

from macro_assets.catalog.derive import holdings_frame, polars_schema, series_frame
from macro_assets.catalog.kinds.instrument import Contract
from macro_assets.catalog.kinds.table import Column, Dtype
from macro_assets.catalog.load import Catalog

_SERIES: Mapping[str, tuple[Dtype, str]] = {
    "source": ("str", "Its home: the source that is asked for it, of those that have it"),
    "series_id": ("str", "Name of the series, unique in the catalog"),
    "title": ("str", "What it is"),
    "unit": ("str", "Standard unit, that of the normalized tables"),
    "scale": ("float", "Provider's number times scale = number in the standard unit"),
    "provider_unit": ("str", "Unit the provider publishes, that of the raw tables"),
    "frequency": ("str", "D (business days), W, M, Q or A"),
    "seasonal_adjustment": ("str", "SA, NSA, or SAAR (at annual rate)"),
    "country": ("str", "ISO 3166 code; EA is the euro area, WW the world"),
    "theme": ("str", "What it is about"),
    "kind": ("str", "What sort of figure it is, as in the views market_data, macro_series, ..."),
    "family": ("str", "Family of its source: whose normalized table it is in"),
    "first_year": ("int", "Year of the first observation"),
    "transform": ("int", "FRED-MD transformation code"),
    "aggregation": ("str", "How observations become one of a month: mean, last, sum, compound (changes in percent)"),
    "licence": ("str", "Terms under which the provider gives it"),
    "redistributable": ("bool", "Whether these let anybody pass its figures on; null where nobody says"),
}
_STORED: Mapping[str, tuple[Dtype, str]] = {
    "serves": ("str", "Provider whose rows count now, or at the instant of the session; null where there are none"),
    "first_date": ("date", "Date of its first value"),
    "last_date": ("date", "Date of its last value"),
    "rows": ("int", "Rows stored of the series, of all who have it"),
    "vintages": ("int", "Release times of them that are no estimates"),
}
_HOLDERS: Mapping[str, tuple[Dtype, str]] = {
    "series_id": ("str", "Name of the series"),
    "provider": ("str", "Who has it"),
    "rank": ("int", "In which order they count; 0 is the home of the series"),
    "source": ("str", "The home of the series"),
    "unit": ("str", "Standard unit of this one's figures"),
    "scale": ("float", "Its number times scale = number in the standard unit"),
    "provider_unit": ("str", "Unit in which its figures are stored, that of the raw tables"),
    "staleness_days": ("int", "Age in days beyond which the latest value of the series is stale"),
    "same": ("bool", "Whether its figures are declared to be the very same as the home's"),
    "licence": ("str", "Terms under which this one gives its figures"),
    "redistributable": ("bool", "Whether these let anybody pass them on; null where nobody says"),
}
_SOURCES: Mapping[str, tuple[Dtype, str]] = {
    "name": ("str", "Name of the source, that of its tables"),
    "title": ("str", "What it is"),
    "family": ("str", "Family: whose normalized table its series are in"),
    "owner": ("str", "Who looks after it"),
    "url": ("str", "The provider's page about it"),
    "is_live": ("bool", "Whether its figures come over a network"),
    "key_variable": ("str", "Environment variable of its key; null where there is none"),
    "vintages": ("str", "How the provider tells what was known when: none, whole (dated vintages), changes"),
    "official": ("bool", "False for an interface its provider does not document or support"),
}
_INSTRUMENTS: Mapping[str, tuple[Dtype, str]] = {
    "name": ("str", "Name of the instrument"),
    "title": ("str", "What it is"),
    "asset_class": ("str", "rates, fx, equity, commodity, credit, volatility or crypto"),
    "country": ("str", "ISO 3166 code; EA is the euro area, WW the world"),
    "currency": ("str", "Currency it is quoted in, ISO 4217"),
    "quotation": ("str", "What a price of 1 means"),
    "venue": ("str", "Where it trades"),
    "price": ("str", "Series of its price or yield"),
    "multiplier": ("float", "Of a future, units in one contract; null of what is none"),
    "tick": ("float", "Of a future, the smallest move of its price"),
    "tick_value": ("float", "Of a future, what that is worth by the contract, in its currency"),
    "expiry": ("str", "Of a future, when trading in a contract ends"),
}


@dataclass(frozen=True)
class Register:
    """The entries of one kind as a table: `catalog.<name>` in SQL."""

    name: str
    description: str
    columns: tuple[Column, ...]
    rows: pl.DataFrame


def registers(catalog: Catalog) -> tuple[Register, ...]:
    """The series, holders, sources and instruments of a catalog."""
    key = {s.name: s.api.key.environment for s in catalog.sources.values() if s.api and s.api.key}
    sources = (
        {**s.model_dump(), "is_live": s.is_live, "key_variable": key.get(s.name)} for s in catalog.sources.values()
    )
    return (
        _register("series", "The series of the catalog", _SERIES, series_frame(catalog).iter_rows(named=True)),
        _register("holders", "Who has a series", _HOLDERS, holdings_frame(catalog).iter_rows(named=True)),
        _register("sources", "The sources of the catalog", _SOURCES, sources),
        _register(
            "instruments",
            "What is traded, and the series that price it",
            _INSTRUMENTS,
            ({**i.model_dump(), **_contract(i.contract)} for i in catalog.instruments.values()),
        ),
    )


def series_columns() -> tuple[Column, ...]:
    """The columns of `catalog.series`: those of its register, and those that say what the lake has of a series."""
    return _columns({**_SERIES, **_STORED})


def _contract(contract: Contract | None) -> dict[str, object]:
    return {name: getattr(contract, name, None) for name in ("multiplier", "tick", "tick_value", "expiry")}


def _columns(told: Mapping[str, tuple[Dtype, str]]) -> tuple[Column, ...]:
    return tuple(Column(name=c, dtype=dtype, description=text) for c, (dtype, text) in told.items())


def _register(
    name: str, description: str, told: Mapping[str, tuple[Dtype, str]], entries: Iterable[Mapping[str, object]]
) -> Register:
    columns = _columns(told)
    rows = [tuple(entry[c] for c in told) for entry in entries]
    return Register(name, description, columns, pl.DataFrame(rows, schema=polars_schema(columns), orient="row"))
