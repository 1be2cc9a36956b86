"""F18: no indicator of the catalog is moved by what became known later, neither a revision nor a figure more.

Two lakes say the same of what was known by D, of synthetic figures of every series behind an indicator. To one all that
came afterwards is added: figures for dates before D and after it, and another value of every figure of the last years.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from macro_assets.catalog import Recession, default_catalog, names
from macro_assets.graph.declared import derivations
from macro_assets.graph.derivation import Derivation
from macro_assets.graph.endings import month_of
from macro_assets.graph.inputs import Inputs
from macro_assets.graph.reading import _Past
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.raw import observations_as_of
from macro_assets.transforms.recessions import announced
from macro_assets_tests.indicators.vintages import behind, store, store_forecasts, vintages

CATALOG = default_catalog()
MONTH, D = "2016-06", datetime(2016, 6, 30, 23, 59, 59, tzinfo=UTC)
PLANTED = D + timedelta(seconds=2)
LATER = D + timedelta(days=60)
SPAN, CURVES_FROM, PLANTED_FROM = (date(1986, 1, 1), date(2016, 8, 31)), date(2011, 1, 1), date(2014, 1, 1)
LATE = date(2016, 3, 31)
"""Of market figures dated after this day and before D, every fifth is known only after D."""

INDICATORS = [names.indicator(i.name) for i in CATALOG.indicators.values() if i.series and not i.real_time]
"""Those in real time are held to it by their month, which the same methods compute of the same figures; one made of
other indicators alone is told nothing but what these say."""
REAL_TIME = [d for d in derivations(CATALOG) if d.tables[0].split("/")[0] in ("real_time", "changes")]
NOWHERE = {
    t for i in CATALOG.indicators.values() for t in i.tables if t.split("/")[0] not in ("indicators", "forecasts")
}
"""Tables that an indicator reads and that nobody makes here."""


FORETOLD = Recession.model_validate(
    {
        "peak": "2015-02-01",
        "trough": "2015-11-01",
        "peak_announced": PLANTED.date().isoformat(),
        "trough_announced": PLANTED.date().isoformat(),
    }
)
"""A recession that began before D, and was announced just after it."""


class Lakes(NamedTuple):
    before: Lakehouse
    after: Lakehouse


@pytest.fixture(scope="module")
def lakes(tmp_path_factory: pytest.TempPathFactory) -> Lakes:
    rows = vintages(CATALOG, behind(CATALOG), SPAN, CURVES_FROM)
    day = pl.col("observation_date")
    daily = [s.id for s in CATALOG.series.values() if s.frequency == "D"]
    is_late = pl.col("series_id").is_in(daily) & day.is_between(LATE, D.date()) & (day.dt.ordinal_day() % 5 == 0)
    rows = rows.with_columns(release_time=pl.when(is_late).then(PLANTED).otherwise("release_time"))
    known = rows.filter(pl.col("release_time") <= D)
    came = rows.filter(pl.col("release_time") > D)
    planted = known.filter(day >= PLANTED_FROM).unique(["series_id", "observation_date"], keep="last")
    revised = planted.with_columns(pl.col("value") * 1.5 + 1, release_time=PLANTED, ingested_at=PLANTED)
    told = replace(CATALOG, recessions=(*CATALOG.recessions, FORETOLD))
    folder = tmp_path_factory.mktemp("lakes")
    found = Lakes(Lakehouse(folder / "before", CATALOG), Lakehouse(folder / "after", told))
    for lake, until in zip(found, (D, LATER), strict=True):
        store(lake, known)
        for table in {t for i in CATALOG.indicators.values() for t in i.tables if t.startswith("forecasts/")}:
            store_forecasts(lake, table, until)
    store(found.after, pl.concat([came, revised]))
    return found


@pytest.fixture(scope="module")
def pasts(lakes: Lakes) -> tuple[_Past, _Past]:
    """As of D, without and with what came afterwards."""
    return _Past(lakes.before, D), _Past(lakes.after, D)


def test_what_came_afterwards_is_there(lakes: Lakes) -> None:
    """Or the tests below would prove nothing: of every series, the last figure known by D is another a day later."""
    then, later = (observations_as_of(at, root=lakes.after.root, catalog=CATALOG) for at in (D, LATER))
    last = then.sort("observation_date").group_by("series_id").last().select("series_id", "observation_date", "value")
    moved = last.join(later, on=["series_id", "observation_date"], suffix="_later").filter(
        pl.col("value") != pl.col("value_later")
    )
    assert set(moved["series_id"]) == set(behind(CATALOG))
    late = later.join(then, on=["series_id", "observation_date"], how="anti").filter(
        pl.col("observation_date") <= D.date()
    )
    assert late.height > 0
    assert announced(lakes.after.catalog.recessions, LATER).height > announced(CATALOG.recessions, D).height


@pytest.mark.parametrize("table", INDICATORS)
def test_an_indicator_as_of_a_day_is_not_moved_by_what_came_afterwards(pasts: tuple[_Past, _Past], table: str) -> None:
    before, after = (past.asked(table) for past in pasts)
    assert before.height > 0, "nothing was held to anything: give the synthetic figures what it waits for"
    assert_frame_equal(after, before, check_exact=True)


@pytest.mark.parametrize("derivation", REAL_TIME, ids=lambda d: str(d.tables[0]))
def test_a_month_in_real_time_is_not_moved_by_what_came_afterwards(lakes: Lakes, derivation: Derivation) -> None:
    before, after = (month_of(derivation, Inputs(lake, [derivation]), MONTH) for lake in lakes)
    assert isinstance(before, Mapping), before
    assert isinstance(after, Mapping), after
    (table,) = derivation.tables
    assert before[table].height > 0
    assert_frame_equal(*(made[table].drop("computed_at", strict=False) for made in (after, before)), check_exact=True)


def test_every_table_that_is_read_is_there() -> None:
    assert set() == NOWHERE, "store synthetic rows of it, as of forecasts"
