"""The rules by which an entry follows from a description: limits, lags, frequency, what is taken from others."""

from __future__ import annotations

import dataclasses
from datetime import date
from typing import Any

import polars as pl
import pytest

from macro_assets.catalog import Catalog, PublicationLag, default_catalog
from macro_assets.catalog.entries import validated
from macro_assets.catalog.kinds.series import Series
from macro_assets.intake.adding import Stated, Wanted, addition, bounds, prudent_lag
from macro_assets.sources.describing.protocol import Description
from macro_assets.sources.errors import EmptyError, SchemaError

CATALOG: Catalog = default_catalog()
FRED = CATALOG.sources["fred"]
TODAY = date(2026, 11, 20)
MINE = Stated(id="SYN1")


RECENT = pl.DataFrame(
    {"observation_date": [date(2026, 8, 1), date(2026, 9, 1), date(2026, 10, 1)], "value": [4.0, 4.5, 5.0]}
)
TOLD = Description(
    None, "SYN1", RECENT, title="Synthetic rate", unit="Percent", frequency="M", country="US", licence="synthetic"
)


def entry(given: Stated = MINE, source: str = "fred", **changed: Any) -> dict[str, Any]:
    told = dataclasses.replace(TOLD, **changed)
    (found,) = addition(CATALOG, CATALOG.sources[source], told, given, TODAY).document["series"]
    return dict(found)


def test_the_entry_is_a_series_of_the_catalog() -> None:
    found = entry()
    problems: list[Any] = []
    series = validated(Series, {**found, "source": "fred"}, "x", "SYN1", problems)
    assert problems == []
    assert series is not None
    assert (series.first_year, series.last_year, series.transform) == (2026, None, 2)
    assert (series.aggregation, series.theme, series.kind) == ("mean", "own", "macro_series")
    assert "code" not in found


# --- limits --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "low", "high"),
    [
        ([4.0, 5.0], -46, 55),  # ten times the range from zero, beyond what was served
        ([100.0, 29_000.0], -290_000, 319_000),
        ([-3.0, 2.0], -53, 52),
        ([-7.0, -7.0], -77, 63),
        ([0.0, 0.0], -10, 10),
        ([1e-9, 2e-9], -1.9e-8, 2.2e-8),
        ([1e308, -1e308], None, None),
    ],
)
def test_limits_are_ten_ranges_beyond_what_was_served(values: list[float], low: float, high: float) -> None:
    found = bounds(pl.Series(values))
    assert found == {"low": pytest.approx(low), "high": pytest.approx(high)}


def test_a_figure_in_another_unit_is_outside() -> None:
    found = bounds(pl.Series([95.0, 105.0]))
    assert found["high"] is not None
    assert found["high"] < 95_000
    assert found["high"] > 10 * 105


# --- lags ----------------------------------------------------------------------------------------------------------


def test_the_lag_is_the_longest_of_its_release() -> None:
    """Where that is the release's own, it is not stated again."""
    of_jobs = [s.publication_lag for s in CATALOG.series_of("fred") if (s.release, s.frequency) == ("50", "M")]
    assert prudent_lag(CATALOG, FRED, "M", "50", 0).days == max(lag.days for lag in of_jobs)
    assert prudent_lag(CATALOG, FRED, "M", "50", 0) == CATALOG.releases["fred/50"].publication_lag
    found = entry(release=("50", "Employment Situation"))
    assert found["release"] == "50"
    assert "publication_lag" not in found


def of_family(source: str, frequency: str) -> list[int]:
    family = {s.name for s in CATALOG.sources_of(CATALOG.sources[source].family)}
    return [
        s.publication_lag.days
        for s in CATALOG.series.values()
        if (s.source in family, s.frequency) == (True, frequency)
    ]


def test_a_release_that_the_catalog_has_not_gets_the_family_s_longest_lag() -> None:
    assert prudent_lag(CATALOG, FRED, "Q", "9999", 1000).days == max(of_family("fred", "Q"))
    found = addition(CATALOG, FRED, dataclasses.replace(TOLD, release=("9999", "Synthetic")), MINE, TODAY).document
    assert found["releases"] == {"9999": {"title": "Synthetic"}}
    (series,) = found["series"]
    lag = PublicationLag.model_validate(series["publication_lag"])
    assert lag.late == lag.formerly == {}
    assert series["staleness_days"] == lag.days + 3 * 31


def test_what_the_figures_show_shortens_the_lag() -> None:
    """That of October is there on 20 November: with a month for those that take longer 51 days, not a chronology's."""
    assert max(of_family("fred", "M")) > 51
    assert entry()["publication_lag"]["days"] == 20 + 31
    assert prudent_lag(CATALOG, FRED, "D", None, 0).days >= 7, "days may be published once a week"
    assert prudent_lag(CATALOG, FRED, "M", None, -40).days == max(of_family("fred", "M")), "projections show nothing"


def test_a_frequency_that_the_family_has_not_gets_the_longest_of_all() -> None:
    annual = [s.publication_lag.days for s in CATALOG.series.values() if s.frequency == "A"]
    assert of_family("yahoo_chart", "A") == []
    assert prudent_lag(CATALOG, CATALOG.sources["yahoo_chart"], "A", None, 700).days == max(annual)


# --- frequency and dates -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("frequency", "days"),
    [
        ("D", [date(2026, 11, 16), date(2026, 11, 17), date(2026, 11, 18)]),
        ("W", [date(2026, 11, 4), date(2026, 11, 11), date(2026, 11, 18)]),
        ("M", [date(2026, 7, 1), date(2026, 9, 1), date(2026, 10, 1)]),
        ("Q", [date(2026, 1, 1), date(2026, 4, 1), date(2026, 7, 1)]),
        ("A", [date(2021, 1, 1), date(2023, 1, 1), date(2025, 1, 1)]),
    ],
)
def test_a_frequency_that_is_not_told_is_read_off_the_figures(frequency: str, days: list[date]) -> None:
    rows = pl.DataFrame({"observation_date": days, "value": [1.0, 2.0, 3.0]})
    assert entry(frequency=None, figures=rows)["frequency"] == frequency


def test_half_years_and_a_single_figure_are_refused() -> None:
    halves = pl.DataFrame({"observation_date": [date(2025, 1, 1), date(2025, 7, 1)], "value": [1.0, 2.0]})
    with pytest.raises(SchemaError, match="half-yearly"):
        entry(frequency=None, figures=halves)
    with pytest.raises(SchemaError, match="one figure alone"):
        entry(frequency=None, figures=RECENT.head(1))


def test_dates_that_are_none_of_the_frequency_are_refused_before_anything_is_written() -> None:
    ends = RECENT.with_columns(pl.col("observation_date").dt.month_end())
    with pytest.raises(SchemaError, match="2026-08-31"):
        entry(figures=ends)


def test_figures_with_another_rhythm_are_irregular() -> None:
    yearly = RECENT.with_columns(observation_date=pl.Series([date(y, 10, 1) for y in (2024, 2025, 2026)]))
    assert entry(figures=yearly)["irregular"] is True
    assert "irregular" not in entry()


def test_a_series_without_figures_is_refused() -> None:
    for nothing in (RECENT.head(0), RECENT.with_columns(value=pl.lit(None, pl.Float64))):
        with pytest.raises(EmptyError, match="no figures of SYN1"):
            entry(figures=nothing)


def test_a_series_that_ended_is_not_waited_for() -> None:
    """Else its next figure would be missing for ever."""
    old = RECENT.with_columns(pl.col("observation_date").dt.offset_by("-20y"))
    found = addition(CATALOG, FRED, dataclasses.replace(TOLD, figures=old), MINE, TODAY)
    assert found.document["series"][0]["last_year"] == 2006
    assert "taken to have ended" in found.notes[0]


def test_figures_of_days_to_come_are_projections() -> None:
    ahead = RECENT.with_columns(pl.col("observation_date").dt.offset_by("1y"))
    assert entry(figures=ahead)["projections"] is True


# --- units, transforms, names --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("unit", "values", "transform"),
    [
        ("Percent", [4.0, 4.5, 5.0], 2),
        ("Percent Change from Year Ago", [4.0, -4.5, 5.0], 1),
        ("Billions of Dollars", [4.0, 4.5, 5.0], 5),
        ("Billions of Dollars", [4.0, -4.5, 5.0], 2),
        ("Index 2017=100", [0.0, 4.5, 5.0], 2),
    ],
)
def test_the_transform_follows_from_unit_and_sign(unit: str, values: list[float], transform: int) -> None:
    assert entry(unit=unit, figures=RECENT.with_columns(value=pl.Series(values)))["transform"] == transform


def test_what_the_user_states_counts() -> None:
    found = entry(Stated("MY_ID", "My title", "Millions of Euros", "DE"))
    assert (found["id"], found["code"], found["title"]) == ("MY_ID", "SYN1", "My title")
    assert (found["unit"], found["scale"], found["provider_unit"]) == ("euros", 1e6, "Millions of Euros")
    assert found["country"] == "DE"


def test_what_nobody_says_is_said_to_be_unknown() -> None:
    found = entry(title=None, unit=None)
    assert (found["title"], found["unit"]) == (f"Series SYN1 of {FRED.title}", "unknown")
    assert found["provider_unit"] == "Not stated"


@pytest.mark.parametrize(
    ("source", "dataset", "code", "series_id"),
    [
        ("fred", None, "UNRATENSA", "UNRATENSA"),
        ("fred", None, "00XALCATM086NEST", "FRED_00XALCATM086NEST"),
        ("bcb_sgs", None, "20786", "BCB_SGS_20786"),
        ("dbnomics", None, "BIS/WS_EER/M.R.B.BR", "DBNOMICS_BIS_WS_EER_M_R_B_BR"),
        ("ecb", "EXR", "M.USD.EUR.SP00.A", "ECB_EXR_M_USD_EUR_SP00_A"),
    ],
)
def test_ids(source: str, dataset: str | None, code: str, series_id: str) -> None:
    assert Wanted(CATALOG.sources[source], dataset, code, source == "fred").id == series_id


@pytest.mark.parametrize(
    ("source", "dataset", "code", "series_id"),
    [
        ("fred", None, "PAYEMS", "PAYEMS"),
        ("bcb_sgs", None, "433", "BR_IPCA_MOM"),
        ("sidra", None, "t/1737/n1/all/v/63", "BR_IPCA_MOM"),  # of a further holder
        ("ecb", "EXR", "d.usd.eur.sp00.a", "ECB_EUR_USD"),
        ("worldbank", None, "WLD/SP.POP.TOTL", "WW_POPULATION"),
    ],
)
def test_what_the_catalog_has_is_known_by_its_code(source: str, dataset: str | None, code: str, series_id: str) -> None:
    found = Wanted(CATALOG.sources[source], dataset, code, source == "fred").held(CATALOG)
    assert found == CATALOG.series[series_id]


def test_an_id_of_fred_is_one_whoever_its_home_is() -> None:
    """Spreads of ICE BofA have another home here, because FRED drops their old figures."""
    recent = CATALOG.series_of("fred_recent")[0]
    assert Wanted(FRED, None, recent.code, own_ids=True).held(CATALOG) == recent
    assert Wanted(CATALOG.sources["bcb_sgs"], None, "99999").held(CATALOG) is None
