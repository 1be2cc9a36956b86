"""Series of which FRED holds the last years alone, at the synthetic FRED."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest

from macro_assets.catalog import Catalog, Holding
from macro_assets.intake.fetch import Asked
from macro_assets.intake.judge import judge
from macro_assets.quality.answers import empty
from macro_assets.sources.protocol import OBSERVATION_SCHEMA, Fetched, Window
from macro_assets_tests.sources.fred_server import ABSENT, FredServer, fred_contract
from macro_assets_tests.sources.wire import fetched, toy_series

TODAY = date(2026, 11, 20)
V = [date(2026, 11, 17), date(2026, 11, 18), date(2026, 11, 19)]
SPREAD = toy_series("fred_recent", "TOYS", frequency="D", first_year=2023)
STATES: dict[date, list[float | str]] = {
    date(2023, 11, 17): [3.9, ABSENT, ABSENT],  # leaves the window
    date(2026, 11, 16): [3.1, 3.1, 3.2],
    date(2026, 11, 17): [ABSENT, ".", "."],  # a holiday
    date(2026, 11, 18): [ABSENT, ABSENT, 3.0],
}


def server(**facts: object) -> FredServer:
    return FredServer(
        **{"vintages": V, "states": STATES, "today": TODAY, "metadata": {"frequency_short": "D"}, **facts}
    )  # type: ignore[arg-type]


CONTRACT = fred_contract("fred_recent")


def test_what_leaves_the_window_is_not_withdrawn() -> None:
    found = fetched("fred_recent", SPREAD, server(), Window(today=TODAY))
    assert found.failures == {}
    rows = found.observations.sort("observation_date", "release_time")
    assert list(zip(rows["observation_date"], rows["value"], rows["release_basis"], strict=True)) == [
        (date(2023, 11, 17), 3.9, "snapshot"),
        (date(2026, 11, 16), 3.1, "snapshot"),
        (date(2026, 11, 16), 3.2, "provider"),
        (date(2026, 11, 18), 3.0, "provider"),
    ]


def test_an_incremental_fetch_tells_no_withdrawal_either() -> None:
    found = fetched("fred_recent", SPREAD, server(), Window(today=TODAY, known={"TOY": V[0]}))
    assert found.observations["value"].to_list() == [3.1, 3.2, 3.0]
    again = fetched("fred_recent", SPREAD, server(), Window(today=TODAY, known={"TOY": V[2]}))
    assert (again.unchanged, again.failures) == ({"TOY"}, {})


def test_without_vintages_the_latest_values_are_told() -> None:
    found = fetched("fred_recent", SPREAD, server(alfred=False), Window(today=TODAY))
    assert found.observations["value"].to_list() == [3.2, 3.0]
    assert set(found.observations["release_basis"]) == {"publication_lag"}


def test_series_of_the_catalog_have_their_code_at_their_holders(catalog: Catalog) -> None:
    source, series = catalog.sources["fred_recent"], catalog.series_of("fred_recent")
    assert source.rolling
    assert all(one.at(holder).code == one.code for one in series for holder in one.holders)


NOTHING = pl.DataFrame(schema=OBSERVATION_SCHEMA)
YEAR_2024 = (date(2024, 1, 1), date(2024, 12, 31))
LATER = TODAY.replace(year=2029)


@pytest.mark.parametrize(
    ("first", "last", "rolling", "is_wrong"),
    [
        (*YEAR_2024, True, False),  # FRED has dropped it by then
        (*YEAR_2024, False, True),
        (date(2029, 1, 1), date(2029, 12, 31), True, True),
        (date(2024, 1, 1), LATER - timedelta(days=350), True, True),
        (date(2024, 1, 1), LATER - timedelta(days=360), True, False),  # too few days for a figure to be due
        (date(2024, 1, 1), None, True, True),
        (None, None, True, True),
    ],
)
def test_years_that_have_left_the_window_are_empty_without_an_error(
    first: date | None, last: date | None, rolling: bool, is_wrong: bool
) -> None:
    reason = empty(NOTHING, SPREAD, first, last, LATER, rolling)
    assert (reason is not None) == is_wrong
    assert reason is None or "the answer holds no observations" in reason


def test_only_of_a_rolling_source_is_an_old_year_empty_without_an_error(catalog: Catalog) -> None:
    source, series = catalog.sources["fred_recent"], catalog.series_of("fred_recent")[0]
    holdings = (Holding(series, source.name),)
    window = Window(*YEAR_2024, today=LATER)
    for rolling in (True, False):
        provider = source.model_copy(update={"rolling": rolling})
        verdicts, _ = judge(Asked(provider, holdings, window, Fetched(NOTHING, ())), NOTHING, source.name)
        assert (verdicts[0].failure is None) == rolling
