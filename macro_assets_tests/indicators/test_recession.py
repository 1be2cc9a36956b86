"""Odds of recession: published figures, labels as they were known, the mean of legs, and what is refused."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import date
from itertools import groupby
from typing import Any

import numpy as np
import polars as pl
import pytest
from pydantic import ValidationError

from macro_assets.catalog import Catalog
from macro_assets.indicators import bill_spread, recession_ensemble, recession_probability, two_state_index
from macro_assets.indicators.protocol import Given
from macro_assets.transforms.probit import fit
from macro_assets.transforms.recessions import announced, recession_months
from macro_assets_tests.conftest import ROOT
from macro_assets_tests.indicators.toys import FACTS, monthly

USREC = ROOT.parent / "shared" / "data" / "recession" / "USREC_1960_2025.csv"

MONTHS = pl.date_range(date(1960, 1, 1), date(2010, 12, 1), "1mo", eager=True)
FIGURES = np.random.default_rng(5).normal(size=len(MONTHS))


def parameters(**more: Any) -> recession_probability.Parameters:
    told = {"event": "in_month", "months": 12, "steps": "level", "min_obs": 24, "min_episodes": 2}
    return recession_probability.Parameters.model_validate({**told, **more})


def given(catalog: Catalog, figures: Any = FIGURES) -> Given:
    return replace(monthly(MONTHS[0], X=list(figures)), recessions=announced(catalog.recessions))


# --- the chronology ------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not USREC.is_file(), reason="needs ../shared/data, which is not part of the project")
def test_the_chronology_is_that_of_fred(catalog: Catalog) -> None:
    """USREC of 1960 to 2025: 95 months in nine runs, one from the month after the peak through that of the trough."""
    read = csv.DictReader(USREC.read_text().splitlines())
    rows = [(date.fromisoformat(r["observation_date"]), float(r["USREC"])) for r in read]
    known = [(day, flag) for day, flag in rows if day <= date(2020, 4, 1)]
    assert recession_months(announced(catalog.recessions), pl.Series([d for d, _ in known])).to_list() == [
        flag for _, flag in known
    ]
    assert sum(flag for _, flag in known) == sum(flag for _, flag in rows) == 95
    runs = [[d for d, _ in run] for flag, run in groupby(rows, key=lambda r: r[1]) if flag]
    assert [f"{run[0]:%Y-%m} {run[-1]:%Y-%m}" for run in runs] == [
        "1960-05 1961-02",
        "1970-01 1970-11",
        "1973-12 1975-03",
        "1980-02 1980-07",
        "1981-08 1982-11",
        "1990-08 1991-03",
        "2001-04 2001-11",
        "2008-01 2009-06",
        "2020-03 2020-04",
    ]


# --- the yield curve -----------------------------------------------------------------------------------------------


def test_a_bill_is_set_beside_a_bond_on_the_basis_of_the_bond() -> None:
    """A discount of 2.82 percent is a bond-equivalent yield of 2.879694 (the New York Fed's allmonth.xls)."""
    rows = bill_spread.compute(monthly(GS10=[4.0, 2.0], TB3MS=[2.82, None]), bill_spread.Parameters(bill_days=91))
    assert rows.rows() == [(date(2020, 1, 1), pytest.approx(4 - 2.879694, abs=1e-6))]


def test_the_published_probit_by_hand(catalog: Catalog) -> None:
    """At a spread of 0 the probability is the normal distribution at -0.5333; of the entry's own coefficients."""
    entry = catalog.indicators["recession_yield_curve"]
    declared = recession_probability.Parameters.model_validate(entry.parameters)
    spreads = pl.DataFrame(
        {"observation_date": [date(2006, 11, 1), date(2006, 12, 1)], "value": [0.0, -0.5333 / 0.633]}
    )
    table = Given(pl.DataFrame(), pl.DataFrame(schema=dict.fromkeys(FACTS, pl.String)), {entry.inputs[0]: spreads})
    first, second = recession_probability.compute(table, declared).rows(named=True)
    assert first["probability"] == pytest.approx(0.296913, abs=1e-6)
    assert second["probability"] == pytest.approx(0.5, abs=1e-9)
    assert (first["target_date"], first["event"]) == (date(2007, 11, 1), "in_month")
    assert (first["episodes"], first["estimated_through"]) == (None, date(2009, 12, 31))


# --- estimates as of each January ----------------------------------------------------------------------------------


def test_labels_end_with_the_last_turning_point_that_had_been_announced(catalog: Catalog) -> None:
    """The peak of 2007-12 was announced on 2008-12-01: in January 2008 the last was the trough of 2001, in 2009 it."""
    rows = recession_probability.compute(given(catalog), parameters())
    through = dict(rows.select("observation_date", "estimated_through").iter_rows())
    assert through[date(2008, 12, 1)] == date(2001, 11, 30)
    assert through[date(2009, 1, 1)] == through[date(2010, 12, 1)] == date(2007, 12, 31)
    assert through[date(1980, 12, 1)] == date(1975, 3, 31)
    assert min(through) == date(1979, 1, 1), "nobody had announced a turning point before 1979"


@pytest.mark.parametrize("event", ["in_month", "within"])
def test_what_came_after_it_is_missing_and_no_expansion(event: str, catalog: Catalog) -> None:
    """The estimates of 2009 are those of the months whose outcome was known: of all of them, where several count."""
    in_recession = {
        m for r in catalog.recessions if r.trough for m in pl.date_range(r.peak, r.trough, "1mo", eager=True)[1:]
    }
    labels, figures = [], []
    for place, figure in enumerate(FIGURES):
        ahead = [12] if event == "in_month" else list(range(1, 13))
        targets = [place + n for n in ahead]
        if place + 12 < len(MONTHS) and MONTHS[place + 12] <= date(2007, 12, 1):
            labels.append(float(any(MONTHS[t] in in_recession for t in targets)))
            figures.append(figure)
    expected = fit(labels, figures)
    row = recession_probability.compute(given(catalog), parameters(event=event)).row(-1, named=True)
    assert (row["constant"], row["coefficient"]) == pytest.approx(expected.coefficients, abs=1e-9)
    assert row["probability"] == pytest.approx(expected.probability([FIGURES[-1]])[0])
    assert row["episodes"] == 7


def test_a_recession_announced_later_changes_nothing_before(catalog: Catalog) -> None:
    known = given(catalog)
    assert known.recessions is not None
    later = replace(known, recessions=known.recessions.filter(pl.col("peak_announced") < date(1990, 1, 1)))
    before = pl.col("observation_date") < date(1991, 12, 31)
    whole = recession_probability.compute(known, parameters())
    assert whole.filter(before).equals(recession_probability.compute(later, parameters()).filter(before))


def test_a_figure_that_separates_recessions_and_too_few_of_them_make_no_estimates(catalog: Catalog) -> None:
    known = given(catalog)
    assert known.recessions is not None
    ahead = recession_months(known.recessions, MONTHS.dt.offset_by("12mo")).to_list()
    assert recession_probability.compute(given(catalog, [f or 0 for f in ahead]), parameters()).is_empty()
    few = recession_probability.compute(known, parameters(min_episodes=6))
    assert few["observation_date"].min() == date(1993, 1, 1), "the trough of the sixth was announced in December 1992"
    assert recession_probability.compute(replace(known, recessions=None), parameters()).is_empty()


def test_the_latest_periods_alone_are_what_they_are_among_all(catalog: Catalog) -> None:
    whole = recession_probability.compute(given(catalog), parameters()).tail(24)
    assert recession_probability.compute(replace(given(catalog), periods=24), parameters()).tail(24).equals(whole)


# --- an index of output --------------------------------------------------------------------------------------------


def test_output_of_two_states_is_called_a_quarter_later() -> None:
    """Four quarters of falling output among steady growth, which begins and ends the recession in the next quarter."""
    growth = np.random.default_rng(2).normal(0.8, 0.3, size=80)
    for begin in (12, 40, 70):
        growth[begin : begin + 4] -= 2.5
    level = 100 * np.exp(np.cumsum(growth) / 100)
    quarters = pl.date_range(date(1990, 1, 1), interval="3mo", end=date(2009, 10, 1), eager=True)
    figures = pl.DataFrame({"series_id": "Q", "observation_date": quarters, "value": level})
    facts = pl.DataFrame([("Q", "Q", "mean", "usd")], FACTS, orient="row")
    rows = two_state_index.compute(Given(figures, facts), two_state_index.Parameters(min_obs=35))
    called = rows.filter("signal")["target_date"].to_list()
    assert called == [quarters[n] for begin in (40, 70) for n in range(begin, begin + 4)]
    first = rows.row(0, named=True)
    assert first["observation_date"] == date(1999, 1, 1)
    assert (first["target_date"], first["estimated_through"]) == (date(1998, 10, 1), date(1998, 12, 31))


# --- the ensemble --------------------------------------------------------------------------------------------------


def leg(*rows: tuple[date, float], event: str = "in_month") -> pl.DataFrame:
    ahead = "12mo" if event == "in_month" else "-3mo"
    frame = pl.DataFrame(rows, {"observation_date": pl.Date, "probability": pl.Float64}, orient="row")
    return frame.with_columns(target_date=pl.col("observation_date").dt.offset_by(ahead), event=pl.lit(event))


NOTHING = (pl.DataFrame(), pl.DataFrame(schema=dict.fromkeys(FACTS, pl.String)))
JANUARY, MARCH = date(2020, 1, 1), date(2020, 3, 1)
WEIGHTS = recession_ensemble.Parameters(weights={"curve": 0.4, "labor": 0.35, "credit": 0.25}, min_legs=2)
LEGS = {
    "indicators/curve": leg((JANUARY, 0.5), (MARCH, 0.6)),
    "indicators/labor": leg((JANUARY, 0.2)),
    "indicators/credit": leg((JANUARY, 0.1), (MARCH, 0.2)),
}


def test_the_mean_of_the_legs_by_hand() -> None:
    """0.4 x 0.5 + 0.35 x 0.2 + 0.25 x 0.1 = 0.295; without labor 0.6154 x 0.6 + 0.3846 x 0.2 = 0.4462."""
    rows = recession_ensemble.compute(Given(*NOTHING, LEGS), WEIGHTS)
    by_month = dict(rows.select("observation_date", "probability").unique().iter_rows())
    assert by_month == {JANUARY: pytest.approx(0.295), MARCH: pytest.approx((0.4 * 0.6 + 0.25 * 0.2) / 0.65)}
    assert rows.filter(pl.col("observation_date") == MARCH)["weight"].to_list() == pytest.approx(
        [0.25 / 0.65, 0.4 / 0.65]
    )
    assert rows["target_date"].unique().sort().to_list() == [date(2021, 1, 1), date(2021, 3, 1)]


def test_a_month_with_too_few_legs_has_none() -> None:
    legs = {**LEGS, "indicators/credit": leg((JANUARY, 0.1))}
    rows = recession_ensemble.compute(Given(*NOTHING, legs), WEIGHTS)
    assert rows["observation_date"].unique().to_list() == [JANUARY]


def test_another_event_stands_beside_without_weight_from_the_end_of_its_quarter_on() -> None:
    beside = {**LEGS, "indicators/index": leg((date(2019, 10, 1), 0.7), (JANUARY, 0.9), event="in_quarter")}
    rows = recession_ensemble.compute(Given(*NOTHING, beside), WEIGHTS)
    others = rows.filter(component="index").select("observation_date", "leg_probability", "weight", "target_date")
    assert others.rows() == [(JANUARY, 0.7, 0, date(2019, 7, 1)), (MARCH, 0.9, 0, date(2019, 10, 1))]
    assert rows.filter(pl.col("observation_date") == JANUARY)["probability"].to_list() == pytest.approx([0.295] * 4)


@pytest.mark.parametrize(
    "other",
    [leg((JANUARY, 0.2)).with_columns(event=pl.lit("within")), leg((JANUARY, 0.2)).with_columns(target_date=MARCH)],
)
def test_legs_of_different_events_are_not_averaged(other: pl.DataFrame) -> None:
    with pytest.raises(ValueError, match="expected legs of one event"):
        recession_ensemble.compute(Given(*NOTHING, {**LEGS, "indicators/labor": other}), WEIGHTS)


def test_a_leg_that_is_no_input_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^parameters\.weights: expected inputs, got labor"):
        recession_ensemble.compute(Given(*NOTHING, {k: v for k, v in LEGS.items() if "labor" not in k}), WEIGHTS)


def test_the_weights_of_the_catalog(catalog: Catalog) -> None:
    weights = catalog.indicators["recession_ensemble"].parameters["weights"]
    assert weights == {"recession_yield_curve": 0.40, "recession_labor": 0.35, "recession_credit": 0.25}


# --- what is asked of inputs and parameters ------------------------------------------------------------------------


def facts(*rows: tuple[str, str, str, str]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), dict.fromkeys(FACTS, pl.String), orient="row").with_columns(
        seasonal_adjustment=pl.lit("SA")
    )


PERCENT, DOLLARS = ("A", "M", "mean", "percent"), ("B", "M", "mean", "usd")


@pytest.mark.parametrize(
    ("module", "declared", "rows", "said"),
    [
        (bill_spread, bill_spread.Parameters(bill_days=91), [PERCENT], "inputs: expected a yield and a bill"),
        (bill_spread, bill_spread.Parameters(bill_days=91), [PERCENT, DOLLARS], r"inputs\.1: expected percent"),
        (bill_spread, bill_spread.Parameters(bill_days=91), [PERCENT, ("B", "D", "mean", "percent")], "monthly"),
        (recession_probability, parameters(steps="spread"), [PERCENT, DOLLARS], r"parameters\.steps: "),
        (recession_probability, parameters(), [], r"parameters\.steps: expected none"),
        (two_state_index, two_state_index.Parameters(min_obs=20), [], "inputs: expected one series, got none"),
        (two_state_index, two_state_index.Parameters(min_obs=20), [PERCENT], r"inputs\.0: expected output"),
        (recession_ensemble, WEIGHTS, [PERCENT], "inputs: expected tables"),
    ],
)
def test_other_inputs_are_refused(module: Any, declared: Any, rows: list[Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        module.check(declared, facts(*rows))


PUBLISHED = {"constant": 0, "coefficient": 1, "estimated_through": "2009-12-31"}


@pytest.mark.parametrize(
    ("kind", "told", "said"),
    [
        (recession_ensemble.Parameters, {"weights": {"a": 0.5, "b": 0.4}, "min_legs": 1}, "add up to 1"),
        (recession_ensemble.Parameters, {"weights": {"a": 1.5, "b": -0.5}, "min_legs": 1}, "above 0"),
        (recession_ensemble.Parameters, {"weights": {"a": 1.0}, "min_legs": 2}, "there are 1 legs"),
        (two_state_index.Parameters, {"min_obs": 20, "ends_below": 0.7}, "less than begins_above"),
        (
            recession_probability.Parameters,
            {"event": "within", "months": 12, "published": PUBLISHED},
            "expected in_month",
        ),
        (recession_probability.Parameters, {"event": "in_month", "months": 12, "refit_months": 6}, "refit_months"),
    ],
)  # fmt: skip
def test_other_parameters_are_refused(kind: Any, told: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        kind.model_validate(told)
