"""`real_time: true`: an indicator as of each month is what was known then, and the published real-time figures."""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from macro_assets.catalog import Catalog, default_catalog, names
from macro_assets.catalog.periods import month_end
from macro_assets.graph.declared import derivations
from macro_assets.graph.derivation import Derivation
from macro_assets.graph.endings import Empty, month_of
from macro_assets.graph.inputs import Inputs
from macro_assets.indicators import rise_over_low
from macro_assets.indicators.protocol import Given
from macro_assets.indicators.rise_over_low import Parameters
from macro_assets.indicators.rise_over_low import compute as rises
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.raw import append_vintages
from macro_assets.models.protocol import StaleInputError
from macro_assets_tests.indicators.toys import FIGURES
from macro_assets_tests.lakehouse.synthetic import one_source, row

# Unemployment rate as first released, March 2023 to October 2024 (BLS), and SAHMREALTIME as FRED published it
# (https://fred.stlouisfed.org/series/SAHMREALTIME).
RATES = (3.5, 3.4, 3.7, 3.6, 3.5, 3.8, 3.8, 3.9, 3.7, 3.7, 3.7, 3.9, 3.8, 3.9, 4.0, 4.1, 4.3, 4.2, 4.1, 4.1)
PUBLISHED = {"2024-06": 0.43, "2024-07": 0.53, "2024-08": 0.57, "2024-09": 0.50, "2024-10": 0.43}
TABLE = names.real_time("sahm_rule")


def months(first: date, count: int) -> list[date]:
    return pl.date_range(
        first, pl.select(pl.lit(first).dt.offset_by(f"{count - 1}mo")).item(), "1mo", eager=True
    ).to_list()


def following(month: date, day: int = 1) -> date:
    return (month.replace(day=28) + timedelta(days=4)).replace(day=day)


@pytest.fixture
def lake(tmp_path: Path) -> Lakehouse:
    """Each rate released on the fifth of the month after its own."""
    catalog = one_source()
    released = [datetime.combine(following(m, 5), datetime.min.time(), UTC) for m in months(date(2023, 3, 1), 20)]
    rows = [
        {**row(m, rate, when), "series_id": "UNRATE"}
        for m, rate, when in zip(months(date(2023, 3, 1), 20), RATES, released, strict=True)
    ]
    append_vintages("bundled", pl.DataFrame(rows).drop("run_id"), "run", root=tmp_path, catalog=catalog)
    return Lakehouse(tmp_path, catalog)


def sahm(catalog: Catalog) -> Derivation:
    return next(d for d in derivations(catalog) if d.tables == (TABLE,))


def as_of(lake: Lakehouse, month: str, now: datetime = datetime(2025, 1, 1, tzinfo=UTC)) -> pl.DataFrame | Empty:
    derivation = sahm(lake.catalog)
    made = month_of(derivation, Inputs(lake, [derivation], [month], now), month)
    return made if isinstance(made, Empty) else made[TABLE]


def test_the_last_figure_of_each_month_is_the_published_one(lake: Lakehouse) -> None:
    """Reference R-04: what was published in real time, to the printed digit; the signal from July to September."""
    signals = {}
    for period, published in PUBLISHED.items():
        month = f"{following(date.fromisoformat(f'{period}-01')):%Y-%m}"
        known = as_of(lake, month)
        assert isinstance(known, pl.DataFrame)
        last = known.sort("observation_date").row(-1, named=True)
        assert f"{last['observation_date']:%Y-%m}" == period
        assert round(last["value"], 2) == published
        assert last["as_of"] == month_end(month, datetime(2025, 1, 1, tzinfo=UTC))
        signals[period] = last["signal"]
    assert signals == {"2024-06": False, "2024-07": True, "2024-08": True, "2024-09": True, "2024-10": False}


def test_a_later_release_changes_no_earlier_month(lake: Lakehouse) -> None:
    before = as_of(lake, "2024-11")
    revised = {**row(date(2024, 8, 1), 9.9, datetime(2024, 12, 2, tzinfo=UTC)), "series_id": "UNRATE"}
    append_vintages("bundled", pl.DataFrame([revised]).drop("run_id"), "run", root=lake.root, catalog=lake.catalog)
    assert isinstance(before, pl.DataFrame)
    after = as_of(lake, "2024-11")
    assert isinstance(after, pl.DataFrame)
    assert after.drop("computed_at").equals(before.drop("computed_at"))
    changed = as_of(lake, "2024-12")
    assert isinstance(changed, pl.DataFrame)
    assert changed["value"].max() > 1  # type: ignore[operator]


def test_it_has_the_latest_two_dozen_periods(lake: Lakehouse) -> None:
    earlier = [
        {**row(m, 4.0, datetime(2023, 3, 1, tzinfo=UTC)), "series_id": "UNRATE"} for m in months(date(2018, 3, 1), 60)
    ]
    append_vintages("bundled", pl.DataFrame(earlier).drop("run_id"), "run", root=lake.root, catalog=lake.catalog)
    known = as_of(lake, "2024-11")
    assert isinstance(known, pl.DataFrame)
    assert known["observation_date"].sort().to_list() == months(date(2022, 11, 1), 24)


def test_before_anything_was_known_a_month_is_empty(lake: Lakehouse) -> None:
    assert as_of(lake, "2022-12") == Empty("nothing was known of any input by the end of 2022-12")


def test_stale_inputs_are_refused(lake: Lakehouse) -> None:
    """Of a holder that goes on publishing; offline figures end, and so does the table."""
    late = datetime(2026, 1, 1, tzinfo=UTC)
    ended = as_of(lake, "2025-09", late)
    assert isinstance(ended, Empty)
    assert "Only offline figures were known, which end" in ended.reason
    api = default_catalog().sources["fred"].api
    live = lake.catalog.sources["bundled"].model_copy(update={"api": api})
    alive = dataclasses.replace(lake.catalog, sources={"bundled": live})
    with pytest.raises(StaleInputError, match=rf"{TABLE} as of 2025-09-30.*UNRATE"):
        as_of(Lakehouse(lake.root, alive), "2025-09", late)


def test_a_month_goes_on_without_inputs_that_are_optional(lake: Lakehouse) -> None:
    """Of two scores one is of a series that nobody knows: with `optional` it is left out, else the month is empty."""
    scores = [
        {"name": "labor", "title": "", "of": ["UNRATE"], "steps": "level"},
        {"name": "growth", "title": "", "of": ["INDPRO"], "steps": [{"pch": {"periods": 12}}]},
    ]
    numbers = {"min_history_months": 3, "min_scores": 1, "carry_months": 1, "cap": 2.5}
    markets = [{"name": "shares", "region": "US", "on": {"labor": -1, "growth": 1}}]
    told = {"inputs": ("UNRATE", "INDPRO"), "parameters": {**numbers, "scores": scores, "markets": markets}, "demo": ()}

    def components(optional: tuple[str, ...]) -> list[str] | str:
        entry = default_catalog().indicators["macro_bias"].model_copy(update={**told, "optional": optional})
        changed = dataclasses.replace(lake.catalog, indicators={"macro_bias": entry})
        (derivation,) = (d for d in derivations(changed) if d.tables == ("real_time/macro_bias",))
        inputs = Inputs(Lakehouse(lake.root, changed), [derivation], ["2024-11"], datetime(2025, 1, 1, tzinfo=UTC))
        made = month_of(derivation, inputs, "2024-11")
        if isinstance(made, Empty):
            return made.reason
        return made["real_time/macro_bias"]["component"].unique().to_list()

    assert components(("INDPRO",)) == ["labor"]
    assert "nothing was known of INDPRO" in components(())


def test_a_method_is_told_how_many_periods_are_kept_and_one_of_today_that_all_are(
    lake: Lakehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[int | None] = []

    def compute(given: Given, parameters: Parameters) -> pl.DataFrame:
        told.append(given.periods)
        return rises(given, parameters)

    monkeypatch.setattr(rise_over_low, "compute", compute)
    as_of(lake, "2024-11")
    today = next(d for d in derivations(lake.catalog) if d.tables == (names.indicator("sahm_rule"),))
    today.compute({"known": pl.DataFrame(schema=FIGURES)})
    assert told == [24, None]
