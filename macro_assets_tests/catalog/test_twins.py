"""The same quantity has one rule, whatever its ids: what is transformed, averaged and judged in two ways is compared.

Twins are found by FRED's code, which holders state; those that no holder links are listed. The check is given entries
that differ, and must find them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

import pytest

from macro_assets.catalog import Bounds, Series, default_catalog

CATALOG = default_catalog()
FRED = ("fred", "fred_graph", "fred_recent")

OF_A_QUANTITY = ("transform", "aggregation", "theme", "kind", "country")
OF_A_TWIN = (*OF_A_QUANTITY, "frequency", "seasonal_adjustment", "unit", "bounds")

NOT_LINKED = [
    ("NASDAQCOM", "YAHOO_NASDAQ"),
    ("NASDAQ100", "YAHOO_NASDAQ100", "POLYGON_NASDAQ100"),
    ("NIKKEI225", "YAHOO_NIKKEI225"),
    ("DGS5", "UST_PAR_5Y", "YAHOO_UST_5Y"),
    ("DGS10", "UST_PAR_10Y", "YAHOO_UST_10Y", "ALPHAVANTAGE_UST_10Y"),
    ("DGS30", "UST_PAR_30Y", "YAHOO_UST_30Y"),
    ("DTB3", "YAHOO_UST_BILL_13W"),
    ("DEXUSEU", "ECB_EUR_USD", "YAHOO_EURUSD", "ALPHAVANTAGE_EURUSD"),
    ("DEXBZUS", "BR_PTAX_USD_SALE", "BR_SGS_USD_SALE", "YAHOO_USDBRL"),
    ("DEXJPUS", "YAHOO_USDJPY"),
    ("DEXUSUK", "YAHOO_GBPUSD"),
    ("DEXMXUS", "YAHOO_USDMXN"),
    ("CBBTCUSD", "COINGECKO_BTC_PRICE", "ALPHAVANTAGE_BTC"),
    ("CBETHUSD", "COINGECKO_ETH_PRICE"),
    ("YAHOO_SPY", "POLYGON_SPY", "ALPHAVANTAGE_SPY"),
    ("VXVCLS", "CBOE_VIX3M"),
    ("VXNCLS", "CBOE_VXN"),
    ("RVXCLS", "CBOE_RVX"),
    ("OVXCLS", "CBOE_OVX"),
    ("GVZCLS", "CBOE_GVZ"),
    ("ECBMRRFR", "ECB_MAIN_REFINANCING_RATE"),
    ("CPILFESL", "CPILFESL_ARCH"),
    ("DCOILBRENTEU", "MCOILBRENTEU"),
    ("GDPC1", "GDPC1_MACRODATA"),
    ("PCECC96", "PCECC96_MACRODATA"),
    ("GPDIC1", "GPDIC1_MACRODATA"),
    ("DSPIC96", "DPIC96_MACRODATA"),
    ("UNRATE", "UNRATE_MACRODATA"),
    ("TB3MS", "TB3MS_MACRODATA"),
    ("WW_CPI_INFLATION", "WW_WEO_INFLATION"),
    ("WW_GDP_GROWTH", "WW_WEO_GDP_GROWTH"),
    ("CN_GDP_GROWTH", "CN_WEO_GDP_GROWTH"),
]
"""One quantity of two providers, from other days of the clock, in another base year or frequency."""

OF_ONE_KIND = [
    ("BR_IPCA_YOY", "EA_HICP_YOY", "EA_HICP_CORE_YOY", "CORESTICKM159SFRBATL", "PCETRIM12M159SFRBDAL"),
    ("BR_IPCA_MOM", "BR_INPC_MOM", "BR_IGPM_MOM", "BR_IPCA15_MOM", "BR_IPCA_FOOD_MOM", "BR_IPCA_SERVICES"),
    ("EA_CISS", "NFCI", "ANFCI", "STLFSI4", "KCFSI", "OFR_FSI"),
    ("BR_CREDIT_RATE", "BR_CREDIT_SPREAD", "EA_BORROWING_COST_FIRMS", "TERMCBCCALLNS"),
    ("GFDEGDQ188S", "US_CREDIT_TO_GDP", "CN_CREDIT_TO_GDP", "BR_NET_DEBT_GDP", "BR_GROSS_DEBT_GDP"),
    ("GDPC1", "GDP", "PCECC96", "GPDIC1", "GCEC1", "A261RX1Q020SBEA", "GDPPOT"),
    ("DGS10", "DFII10", "DTB3", "DAAA", "FEDFUNDS", "SOFR", "BR_SELIC_ANNUAL", "EA_SPOT_10Y", "IRLTLT01DEM156N"),
    ("VIXCLS", "CBOE_VIX", "CBOE_VIX9D", "VXOCLS"),
    ("EIA_CRUDE_STOCKS", "EIA_GASOLINE_STOCKS", "EIA_GAS_STORAGE"),
]
"""Quantities of one kind, which are transformed and averaged in one way. Populations are too, but for their `last`."""

PAIRS_OF_A_BALANCE = [("GFDEBTN", "GFDEGDQ188S")]
"""Stocks and their share of output: both are those of the end of a period."""


def differences(series: Sequence[Series], fields: Iterable[str]) -> Iterator[str]:
    """Fields in which one quantity differs from id to id."""
    for field in fields:
        if len({str(getattr(s, field)) for s in series}) > 1:
            yield f"{field}: " + ", ".join(f"{s.id} {getattr(s, field)}" for s in series)


def linked() -> dict[str, list[Series]]:
    """Series of which a holder has the same code of FRED, in the same unit: two ids of one quantity."""
    by_code: dict[str, list[Series]] = {}
    for series in CATALOG.series.values():
        held = [h for h in CATALOG.holdings(series.id) if h.provider in FRED and h.factor == 1]
        for code in dict.fromkeys(h.series.code for h in held):
            by_code.setdefault(code, []).append(series)
    return {code: twins for code, twins in by_code.items() if len(twins) > 1}


def named(ids: Iterable[str]) -> list[Series]:
    return [CATALOG.series[i] for i in ids]


LINKED = linked()


def test_twins_are_found() -> None:
    assert len(LINKED) > 30
    assert [s.id for s in LINKED["JTSJOL"]] == ["BLS_JOB_OPENINGS", "JTSJOL"]
    assert {"CPIAUCSL", "DCOILBRENTEU", "DGS10", "SOFR", "VIXCLS", "ECBDFR"} <= set(LINKED)


@pytest.mark.parametrize("code", LINKED)
def test_two_ids_of_one_quantity_agree(code: str) -> None:
    assert list(differences(LINKED[code], OF_A_TWIN)) == []


@pytest.mark.parametrize("code", LINKED)
def test_two_ids_that_come_out_together_are_late_and_stale_together(code: str) -> None:
    for one in LINKED[code]:
        for other in LINKED[code]:
            lag, its = one.publication_lag, other.publication_lag
            if lag.days == its.days:
                pair = (one.id, other.id)
                assert (lag.late, lag.formerly, lag.holidays) == (its.late, its.formerly, its.holidays), pair
                assert one.staleness_days == other.staleness_days, pair


@pytest.mark.parametrize("ids", NOT_LINKED, ids=lambda ids: ids[0])
def test_one_quantity_of_several_providers_has_one_rule(ids: tuple[str, ...]) -> None:
    fields = [f for f in OF_A_QUANTITY if f != "aggregation" or not any(i.endswith("_MACRODATA") for i in ids)]
    assert list(differences(named(ids), fields)) == []


@pytest.mark.parametrize("ids", OF_ONE_KIND, ids=lambda ids: ids[0])
def test_quantities_of_one_kind_have_one_rule(ids: tuple[str, ...]) -> None:
    assert list(differences(named(ids), ("transform", "aggregation"))) == []


@pytest.mark.parametrize("ids", PAIRS_OF_A_BALANCE, ids=lambda ids: ids[0])
def test_a_stock_and_its_share_are_of_the_same_day(ids: tuple[str, ...]) -> None:
    assert list(differences(named(ids), ("aggregation", "frequency", "theme", "kind"))) == []


def test_populations_have_one_theme_and_transform() -> None:
    assert list(differences(named(("POP_MACRODATA", "WW_POPULATION")), ("theme", "transform"))) == []


def test_an_index_is_named_by_its_base_and_what_it_is_there() -> None:
    """`index_1982_84` and `index_1982_84_100` would be two names of one unit."""
    every = chain.from_iterable(CATALOG.holdings(i) for i in CATALOG.series)
    units = {h.series.unit for h in every if re.match(r"index_\d", h.series.unit)}
    assert [u for u in sorted(units) if not re.fullmatch(r"index_(\d{4}(_\w+)?_100|0_average)", u)] == []


def test_copies_differ_from_their_home_in_base_alone() -> None:
    """A copy in the home's words is in the home's unit."""
    for copies in (CATALOG.holdings(i)[1:] for i in CATALOG.series):
        for h in copies:
            home = CATALOG.series[h.series.id]
            same_words = h.series.provider_unit == home.provider_unit
            assert same_words == ((h.series.unit, h.series.scale) == (home.unit, home.scale)), (home.id, h.provider)


@pytest.mark.parametrize("name", CATALOG.instruments)
def test_an_instrument_and_its_price_are_of_one_country(name: str) -> None:
    instrument = CATALOG.instruments[name]
    assert CATALOG.series[instrument.price].country == instrument.country


def test_a_series_that_is_on_time_is_not_stale() -> None:
    """Between two figures the latest period is as old as itself, the next one and the lag."""
    periods = {"D": 3, "W": 14, "M": 62, "Q": 184, "A": 731}
    every = chain.from_iterable(CATALOG.holdings(i) for i in CATALOG.series)
    short = {
        h.series.id: h.series.staleness_days
        for h in every
        if h.series.staleness_days < periods[h.series.frequency] + h.series.publication_lag.days
    }
    assert short == {}


@pytest.mark.parametrize(
    ("series_id", "facts", "expected"),
    [
        ("BLS_JOB_OPENINGS", {"transform": 5}, "transform: BLS_JOB_OPENINGS 5, JTSJOL 2"),
        ("BLS_JOB_OPENINGS", {"aggregation": "last"}, "aggregation: BLS_JOB_OPENINGS last, JTSJOL mean"),
        ("BLS_JOB_OPENINGS", {"theme": "activity"}, "theme: BLS_JOB_OPENINGS activity, JTSJOL labor"),
        ("BLS_JOB_OPENINGS", {"unit": "persons"}, "unit: BLS_JOB_OPENINGS persons, JTSJOL openings"),
        ("BLS_JOB_OPENINGS", {"bounds": Bounds(low=500, high=30000)}, "bounds: BLS_JOB_OPENINGS low=500.0 high=30000"),
    ],
)
def test_twins_that_differ_are_found(series_id: str, facts: dict[str, Any], expected: str) -> None:
    wrong = CATALOG.series[series_id].model_copy(update=facts)
    (found,) = differences([wrong, CATALOG.series["JTSJOL"]], OF_A_TWIN)
    assert found.startswith(expected)
