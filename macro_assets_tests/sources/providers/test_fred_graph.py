"""The file behind FRED's charts: synthetic ones in its form. The recorded ones are among those of FRED."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from macro_assets.sources.protocol import Window
from macro_assets.sources.providers import fred_graph
from macro_assets_tests.sources.contract import Contract, Good
from macro_assets_tests.sources.fred_server import CHART
from macro_assets_tests.sources.wire import fetched, toy_series

JAN, FEB, MAR = date(2020, 1, 1), date(2020, 2, 1), date(2020, 3, 1)
LATER = Window(today=date(2020, 5, 1))
TOYS = toy_series("fred_graph", "TOYS", first_year=2020)
CONTRACT = Contract(
    good=Good(
        TOYS,
        CHART,
        b"observation_date,TOYS\n2020-01-01,1.50\n2020-02-01,\n2020-03-01,-2\n",
        rows=((JAN, 1.5), (FEB, None), (MAR, -2.0)),
        figure=b"1.50",
        harmless={"cut off": "a row that ends before its only figure has none"},
        missing=(b"", b"."),
        days=(b"2020-01-01", b"2020-02-01"),
        window=LATER,
        refused=(
            (b"TOYS", b"OTHER", "expected the column 'TOYS'"),
            (b"observation_date", b"day", "expected 'observation_date' or 'DATE'"),
            (b"2020-01-01", b"01/02/2020", "expected a date like %Y-%m-%d in 'observation_date'"),
        ),
        empty=(b"observation_date,TOYS\n",),
    ),
    asks=lambda s: (f"{CHART}?id={s.code}&",),
)


def test_the_older_header_is_read_too() -> None:
    found = fetched("fred_graph", TOYS, {CHART: b"DATE,TOYS\n2020-01-01,1.50\n2020-02-01,.\n2020-03-01,-2\n"})
    assert found.failures == {}
    assert found.observations["observation_date"].to_list() == [JAN, FEB, MAR]
    assert found.observations["value"].to_list() == [1.5, None, -2.0]
    assert set(found.observations["release_basis"]) == {"publication_lag"}


@pytest.mark.parametrize(
    ("facts", "window", "query"),
    [
        ({}, LATER, "id=TOYS&cosd=2020-01-01&coed=2020-05-01"),
        ({}, Window(date(2020, 2, 1), date(2020, 3, 31)), "id=TOYS&cosd=2020-02-01&coed=2020-03-31"),
        ({"projections": True}, LATER, "id=TOYS&cosd=2020-01-01"),
    ],
)
def test_what_is_asked_of_the_chart(facts: dict[str, Any], window: Window, query: str) -> None:
    ask = next(iter(fred_graph.plan([TOYS.model_copy(update=facts)], window)))
    assert next(ask.steps).target == f"{CHART}?{query}"
