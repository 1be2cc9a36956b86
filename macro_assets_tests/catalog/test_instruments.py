"""The registry of instruments: each is priced by a series that exists, under a symbol its source knows."""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl
import pytest

from macro_assets.catalog import Catalog, CatalogError, load_catalog
from macro_assets.catalog.registers import registers
from macro_assets_tests.catalog.editing import edit

FILE = "instruments.yaml"


def test_the_registry_covers_every_class_of_assets(catalog: Catalog) -> None:
    assert len(catalog.instruments) >= 25
    classes = {i.asset_class for i in catalog.instruments.values()}
    assert classes == {"rates", "fx", "equity", "commodity", "credit", "volatility", "crypto"}


def test_no_series_prices_two_instruments(catalog: Catalog) -> None:
    prices = [i.price for i in catalog.instruments.values()]
    assert len(set(prices)) == len(prices)
    assert all(i.price not in i.others for i in catalog.instruments.values())


def test_symbols_are_those_of_declared_sources(catalog: Catalog) -> None:
    for instrument in catalog.instruments.values():
        assert set(instrument.symbols) <= set(catalog.sources), instrument.name
        codes = {(s.source, s.code) for s in catalog.series.values()}
        unknown = [(s, c) for s, c in instrument.symbols.items() if (s, c) not in codes]
        assert not unknown, f"{instrument.name}: no series of the catalog has {unknown}"


def test_a_symbol_is_that_of_the_price_or_of_another_series_of_it(catalog: Catalog) -> None:
    by_symbol: dict[tuple[str, str], set[str]] = {}
    for series in catalog.series.values():
        by_symbol.setdefault((series.source, series.code), set()).add(series.id)
    for instrument in catalog.instruments.values():
        for symbol in instrument.symbols.items():
            assert by_symbol[symbol] & {instrument.price, *instrument.others}, f"{instrument.name}: {symbol}"


def test_an_official_series_prices_it_where_there_is_one(catalog: Catalog) -> None:
    """Yahoo's is the price where nobody official has the whole history."""
    for instrument in catalog.instruments.values():
        if not catalog.sources[catalog.series[instrument.price].source].official:
            official = {"fred", "ecb", "eia", "cboe", "treasury_yields"} & set(instrument.symbols)
            assert not official, f"{instrument.name}: {official}"


def test_a_spot_price_has_no_future_beside_it(catalog: Catalog) -> None:
    """One quotation, venue and symbol would be said of both."""
    spot = [i for i in catalog.instruments.values() if "future" not in i.title]
    beside = {i.name: [o for o in (i.price, *i.others) if "front future" in catalog.series[o].title] for i in spot}
    assert {name: futures for name, futures in beside.items() if futures} == {}


def test_a_price_is_in_the_currency_of_the_quotation(catalog: Catalog) -> None:
    for instrument in catalog.instruments.values():
        pair = re.fullmatch(r"([A-Z]{3}) per ([A-Z]{3})", instrument.quotation)
        if pair:
            assert instrument.currency == pair[1], instrument.name
            assert catalog.series[instrument.price].unit == f"{pair[1]}_per_{pair[2]}".lower(), instrument.name
        if instrument.quotation.startswith("Percent"):
            assert catalog.series[instrument.price].unit == "percent", instrument.name


def test_every_future_has_its_contract_and_nothing_else(catalog: Catalog) -> None:
    futures = {i.name for i in catalog.instruments.values() if "front" in i.title and "future" in i.title}
    assert {i.name for i in catalog.instruments.values() if i.contract is not None} == futures
    assert len(futures) == 8


def test_a_tick_of_a_contract_is_worth_what_the_exchange_says(catalog: Catalog) -> None:
    """The exchange states both; one is calculated here, from quotations in dollars (of grains too)."""
    contracts = {i.name: i.contract for i in catalog.instruments.values() if i.contract is not None}
    assert {name: c.tick_value for name, c in contracts.items()} == {
        "wti_future": 10,
        "brent_future": 10,
        "natural_gas_future": 10,
        "gold": 10,
        "silver": 25,
        "copper": 12.5,
        "corn": 12.5,
        "soybeans": 12.5,
    }


def test_contracts_stand_in_the_register(catalog: Catalog) -> None:
    rows = {r.name: r.rows for r in registers(catalog)}["instruments"]
    told = rows.filter(pl.col("name").is_in(["gold", "sp500"])).select("name", "multiplier", "tick", "tick_value")
    assert sorted(told.iter_rows()) == [("gold", 100.0, 0.1, 10.0), ("sp500", None, None, None)]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("price: SP500", "price: SP501", "sp500: price: series 'SP501' is not declared"),
        (
            ", POLYGON_NASDAQ100]",
            ", POLYGON_NASDAQ101]",
            "nasdaq100: price: series 'POLYGON_NASDAQ101' is not declared",
        ),
        ("asset_class: equity", "asset_class: shares", "sp500: asset_class"),
        ("currency: USD", "currency: dollar", "ust_13w: currency"),
        ("country: US", "country: USA", "ust_13w: country"),
        ("name: ust_13w", "name: ust_5y", "ust_5y: name: declared twice"),
        ("quotation: Index points", "quote: Index points", "sp500: quotation: Field required"),
        ("tick: 0.01", "tick: 0", "wti_future: contract.tick: Input should be greater than 0"),
        ("multiplier: 1000", "multiplier: barrels", "wti_future: contract.multiplier"),
        ("months: [3, 5,", "months: [5, 3,", "corn: contract: Value error, months: expected each once and in turn"),
        ("months: [3, 5, 7, 9, 12]", "months: [3, 13]", "corn: contract.months.1"),
        ("months: [3, 5, 7, 9, 12]", "months: []", "corn: contract.months"),
        ("page: https://www.cmegroup", "page: www.cmegroup", "wti_future: contract.page"),
    ],
)
def test_one_broken_thing_is_named(folder: Path, old: str, new: str, says: str) -> None:
    edit(folder, FILE, old, new)
    with pytest.raises(CatalogError) as caught:
        load_catalog(folder)
    assert says in str(caught.value)
