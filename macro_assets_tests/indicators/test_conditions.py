"""Indices of conditions and stress: the methods and the entries of the catalog, against numbers worked out by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from math import exp, log, sqrt
from typing import Any

import polars as pl
import pytest
from pydantic import ValidationError

from macro_assets.catalog import Catalog
from macro_assets.catalog.derive import series_facts
from macro_assets.graph.entries import FACTS, computed_method
from macro_assets.indicators import by_category, composite, cycle_adjusted, logistic_scale, predictive_weights
from macro_assets.indicators.expected import expect_input, expect_same, expect_unit, expect_used
from macro_assets.indicators.protocol import Given
from macro_assets_tests.indicators.toys import FIGURES, monthly

FIRST = date(2010, 1, 1)
ONE = sqrt(23 / 24)
"""The z-score of the last of 24 figures that alternate about their mean by one, or by any size."""

UP, DOWN = [-1.0, 1.0] * 12, [1.0, -1.0] * 12


def month(number: int) -> date:
    return date(FIRST.year + number // 12, number % 12 + 1, 1)


def table(**columns: Sequence[float | str | None]) -> pl.DataFrame:
    (length,) = {len(c) for c in columns.values()}
    return pl.DataFrame({"observation_date": [month(n) for n in range(length)], **columns})


def of_entry(
    catalog: Catalog, name: str, tables: Mapping[str, pl.DataFrame] | None = None, **columns: Sequence[float | None]
) -> pl.DataFrame:
    """What an entry of the catalog makes of figures by month, with the catalog's own facts but for the frequency."""
    entry = catalog.indicators[name]
    module, parameters, _ = computed_method("indicators", entry, catalog)
    facts = series_facts((catalog.one_series(s) for s in entry.series), *FACTS).with_columns(frequency=pl.lit("M"))
    rows = [(s, month(n), v) for s, told in columns.items() for n, v in enumerate(told) if v is not None]
    found: pl.DataFrame = module.compute(
        Given(pl.DataFrame(rows, FIGURES, orient="row"), facts, dict(tables or {})), parameters
    )
    return found


def over_a_year(changes: Sequence[float]) -> list[float]:
    """Levels whose percent changes over a year are these, after a year at 100."""
    levels = [100.0] * 12
    for change in changes:
        levels.append(levels[-12] * (1 + change / 100))
    return levels


def late(figures: Sequence[float], months: int = 12) -> list[float | None]:
    return [*[None] * months, *figures]


# --- the origin's constants, in the catalog ------------------------------------------------------------------------


def test_the_constants_of_the_origin_are_those_of_the_catalog(catalog: Catalog) -> None:
    """R-36: weights of financial conditions, and bands of liquidity stress."""
    weights = {c["name"]: c["weight"] for c in _parameters(catalog, "financial_conditions")["components"]}
    assert weights == {"credit_spread": 0.30, "term_premium": 0.25, "dollar": 0.25, "volatility": 0.20}
    for name in ("liquidity_stress", "liquidity_stress_predictive"):
        parameters = logistic_scale.Parameters.model_validate(catalog.indicators[name].parameters)
        bands = [band_of(parameters, v) for v in (0, 29.9, 30, 59.9, 60, 80, 80.1, 100)]
        assert bands == ["abundant"] * 2 + ["normal"] * 2 + ["moderate"] * 2 + ["severe"] * 2


def _parameters(catalog: Catalog, name: str) -> Any:
    return catalog.indicators[name].parameters


def band_of(parameters: logistic_scale.Parameters, value: float) -> str:
    """The band of a value, by what the method makes of the index that has it."""
    level = log(value / (100 - value)) if 0 < value < 100 else (-745.0 if value == 0 else 745.0)
    plain = parameters.model_copy(update={"index": "X", "steps": ()})
    found = logistic_scale.compute(monthly(X=[level]), plain)
    assert found["value"].to_list() == pytest.approx([value])
    return str(found["band"][0])


# --- the entries ---------------------------------------------------------------------------------------------------


def test_financial_conditions(catalog: Catalog) -> None:
    """All four are one deviation up: 0.30 + 0.25 + 0.25 + 0.20 of it; without the term premium, the rest of 0.75."""
    told = {
        "BAA": late([5 + v for v in UP]),
        "AAA": late([4.0] * 24),
        "THREEFYTP10": late(UP),
        "DTWEXBGS": over_a_year(UP),
        "VIXCLS": late([20 + v for v in DOWN]),
    }
    last = of_entry(catalog, "financial_conditions", **told).filter(pl.col("observation_date") == month(35))
    parts = dict(last.select("component", "contribution").iter_rows())
    assert parts == pytest.approx(
        {"credit_spread": 0.3 * ONE, "term_premium": 0.25 * ONE, "dollar": 0.25 * ONE, "volatility": -0.2 * ONE}
    )
    assert last["index_value"].unique().to_list() == pytest.approx([0.6 * ONE])
    without = of_entry(catalog, "financial_conditions", **{**told, "THREEFYTP10": []})
    assert without["index_value"].to_list()[-1] == pytest.approx((0.3 + 0.25 - 0.2) / 0.75 * ONE)


def test_financial_conditions_need_half_of_their_weight(catalog: Catalog) -> None:
    told = {"DTWEXBGS": over_a_year(UP), "VIXCLS": late([20 + v for v in UP])}
    assert of_entry(catalog, "financial_conditions", **told).is_empty()


def test_liquidity_is_short_when_the_facility_is_empty_and_dealers_are_full(catalog: Catalog) -> None:
    """An emptier facility, dearer secured money, less repo and fuller books are each a quarter of the stress."""
    books = [*[0.0] * 23, *UP]
    months = len(books)
    found = of_entry(
        catalog,
        "liquidity_components",
        RRPONTSYD=late([1e12 - 1e9 * v for v in UP], months - 24),
        SOFR=late([2.0 + v / 100 for v in UP], months - 24),
        EFFR=late([2.0] * 24, months - 24),
        OFR_REPO_TRI_VOLUME=late(over_a_year(DOWN), months - 36),
        NYFED_PD_NET_UST=books,
    )
    last = found.filter(pl.col("observation_date") == month(months - 1)).sort("component")
    assert last["component"].to_list() == ["dealer_inventory", "repo_volume", "reverse_repo", "secured_spread"]
    assert last["contribution"].to_list()[1:] == pytest.approx([0.25 * ONE] * 3)
    assert last["contribution"][0] > 0
    assert last["sign"].to_list() == [1, -1, -1, 1]


def test_liquidity_stress_is_the_logistic_of_the_composites_score(catalog: Catalog) -> None:
    composed = {"indicators/liquidity_components": table(index_value=UP)}
    found = of_entry(catalog, "liquidity_stress", composed)
    assert found.rows() == [(month(23), pytest.approx(100 / (1 + exp(-ONE))), "moderate")]
    other = {"indicators/liquidity_components_predictive": table(index_value=DOWN)}
    weighted = of_entry(catalog, "liquidity_stress_predictive", other)
    assert weighted.rows() == [(month(23), pytest.approx(100 / (1 + exp(ONE))), "abundant")]


def test_systemic_stress_is_one_when_all_is_at_its_worst_at_once(catalog: Catalog) -> None:
    """Ranks that move as one are correlated at 1: the index is the plain sum of the weights, 1; and less otherwise."""
    rising = [float(n) for n in range(1, 61)]
    told = {"CPFF": rising, "BAA": [4 + v for v in rising], "AAA": [4.0] * 60, "VIXCLS": rising}
    found = of_entry(catalog, "systemic_stress", **told)
    assert found.filter(pl.col("observation_date") == month(59))["index_value"].to_list() == pytest.approx([1] * 3)
    apart = of_entry(catalog, "systemic_stress", **{**told, "CPFF": [v * (-1) ** n for n, v in enumerate(rising)]})
    assert apart.filter(pl.col("observation_date") == month(59))["index_value"].max() < 0.95


STRESS = {
    "VIXCLS": late([20 + v for v in UP], 96),
    "BAA": late([5 + v for v in UP], 96),
    "AAA": late([4.0] * 24, 96),
    "SP500": late([100.0, *[100 * (1 - (2 + v) / 100) for v in UP[1:]]], 96),
    "UNRATE": [*[5.0] * 96, *[5 + v for v in UP]],
}


def test_stress_by_category_and_with_sentiment(catalog: Catalog) -> None:
    """Of three components, one deviation each, a third of the weight; with a fourth that is as high, a quarter."""
    plain = of_entry(catalog, "economic_stress_index", **{**STRESS, "SP500": []})
    assert plain.is_empty(), "volatility and the spread are two, and the gap of unemployment has one year"
    told = {**STRESS, "SP500": late([*[100.0] * 12, *([99.0, 97.0] * 6)], 96)}
    plain = of_entry(catalog, "economic_stress_index", **told)
    last = plain.filter(pl.col("observation_date") == month(119))
    assert last["contribution"].to_list()[0] == pytest.approx(ONE / 3)
    cut = of_entry(catalog, "economic_stress_by_category", {"indicators/economic_stress_index": plain})
    by = cut.filter(pl.col("observation_date") == month(119)).select("category", "weight", "contribution").rows()
    equities = last.filter(pl.col("category") == "equities")["contribution"].sum()
    assert by == [
        ("credit", pytest.approx(1 / 3), pytest.approx(ONE / 3)),
        ("equities", pytest.approx(2 / 3), equities),
    ]
    without = of_entry(catalog, "economic_stress_with_sentiment", **told)
    assert without["index_value"].to_list() == pytest.approx(plain["index_value"].to_list())
    uneasy = of_entry(catalog, "economic_stress_with_sentiment", **told, USEPUINDXD=late([100 + v for v in UP], 96))
    assert uneasy["index_value"][-1] == pytest.approx((3 * plain["index_value"][-1] + ONE) / 4)


# --- what the cycle lets expect ------------------------------------------------------------------------------------


def test_what_the_cycle_explains_is_taken_off(catalog: Catalog) -> None:
    """The index is 0.5 of growth a month before and minus 0.1 of inflation, and 1 more in the last month."""
    growth = [float(n % 5) for n in range(60)]
    inflation = [float(n % 7) for n in range(60)]
    index = [0.0] * 13 + [0.5 * growth[n - 13] - 0.1 * inflation[n - 13] for n in range(13, 70)]
    index[-1] += 1
    composed = {"indicators/financial_conditions": table(index_value=index)}
    levels = {"INDPRO": over_a_year(growth), "PCEPI": over_a_year(inflation)}
    found = of_entry(catalog, "financial_conditions_adjusted", composed, **levels)
    assert found["observation_date"].to_list() == [month(n) for n in range(60, 70)]
    assert found["value"].to_list() == pytest.approx([0] * 9 + [1], abs=1e-8)
    assert found["estimated_through"].unique().to_list() == [date(2014, 12, 1)]
    assert found["expected_value"][-1] == pytest.approx(index[-1] - 1)


CONTROL = {"name": "g", "of": "G", "steps": "level"}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"index": "X"}, "parameters.index: expected one of the inputs, X is none"),
        ({"controls": [{**CONTROL, "of": "X"}]}, "parameters.controls.0.of: X: expected one of the inputs Y, G"),
        ({"controls": [{**CONTROL, "steps": "yoy"}]}, "parameters.controls.0.steps: step 1 'yoy'"),
        ({"controls": [CONTROL, CONTROL]}, "expected each name once, got g, g"),
        ({"index": "indicators/some", "controls": [CONTROL]}, "inputs: no regression is made of Y"),
    ],
)
def test_a_regression_that_cannot_be_is_refused(changed: dict[str, Any], said: str) -> None:
    told = {"index": "Y", "controls": [CONTROL], "min_history_months": 24, **changed}
    facts = monthly(Y=[1.0], G=[1.0]).facts.with_columns(seasonal_adjustment=pl.lit("SA"))
    with pytest.raises(ValueError, match=said):
        cycle_adjusted.check(cycle_adjusted.Parameters.model_validate(told), facts)


# --- scale and bands -----------------------------------------------------------------------------------------------

SCALE: dict[str, Any] = {
    "index": "X",
    "slope": 2.0,
    "neutral": 1.0,
    "bands": [{"name": "low", "below": 50}, {"name": "high"}],
}


def test_the_neutral_level_is_fifty() -> None:
    found = logistic_scale.compute(monthly(X=[1.0, 1.5, None, 0.5]), logistic_scale.Parameters.model_validate(SCALE))
    assert found["value"].to_list() == pytest.approx([50, 100 / (1 + exp(-1)), 100 / (1 + exp(1))])
    assert found["band"].to_list() == ["high", "high", "low"]


@pytest.mark.parametrize(
    ("bands", "said"),
    [
        ([{"name": "a"}, {"name": "b"}], "expected one of 'below' and 'up_to' of each band but the last"),
        ([{"name": "a", "below": 1, "up_to": 2}, {"name": "b"}], "expected one of 'below' and 'up_to'"),
        ([{"name": "a", "below": 30}, {"name": "b", "below": 40}], "expected the last, b, to have no end"),
        ([{"name": "a", "below": 30}, {"name": "b", "up_to": 20}, {"name": "c"}], "ends that rise"),
        ([{"name": "a", "below": 30}, {"name": "a"}], "expected each name once"),
        ([{"name": "a", "below": 101}, {"name": "b"}], "less than 100"),
    ],
)
def test_bands_that_cannot_be_are_refused(bands: list[dict[str, Any]], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        logistic_scale.Parameters.model_validate({**SCALE, "bands": bands})


def test_a_scale_is_of_its_index_alone() -> None:
    facts = monthly(X=[1.0], Y=[1.0]).facts
    with pytest.raises(ValueError, match="inputs: no index is made of Y"):
        logistic_scale.check(logistic_scale.Parameters.model_validate(SCALE), facts)
    with pytest.raises(ValueError, match=r"parameters\.steps: step 1 'zscroe' is no transform"):
        logistic_scale.check(logistic_scale.Parameters.model_validate({**SCALE, "steps": "zscroe"}), facts.head(1))


# --- weights by power ----------------------------------------------------------------------------------------------


def composed(**scores: Sequence[float]) -> pl.DataFrame:
    """A composite of equal weights."""
    part = composite.Parameters.model_validate(
        {
            "min_history_months": 2,
            "min_components": 1,
            "weights": "equal",
            "components": [{"name": n.lower(), "title": n, "of": [n], "steps": "level", "sign": 1} for n in scores],
        }
    )
    return composite.compute(monthly(FIRST, **scores), part)


def weighted(rows: pl.DataFrame, target: Sequence[float | None], **asked: Any) -> pl.DataFrame:
    told = {"of": "t", "target": "Y", "months_ahead": 1, "min_history_months": 12, **asked}
    plain = monthly(FIRST, Y=target)
    parameters = predictive_weights.Parameters.model_validate(told)
    return predictive_weights.compute(Given(plain.observations, plain.facts, {"t": rows}), parameters)


def test_a_component_weighs_by_what_followed_it() -> None:
    """The target is last month's score of `a`, and `b` moves against it: all weight is on `a`, from January on."""
    a = [float(n * n % 11) for n in range(30)]
    rows = composed(A=a, B=[-v for v in a])
    scores = dict(rows.filter(pl.col("component") == "a").select("observation_date", "zscore").iter_rows())
    found = weighted(rows, [None, *(scores.get(month(n)) for n in range(29))])
    told = found.filter(pl.col("component") == "a").select("observation_date", "weight", "index_value")
    early, later = (
        told.filter(told["observation_date"] < month(24)),
        told.filter(told["observation_date"] >= month(24)),
    )
    assert early["weight"].unique().to_list() == [0.5]
    assert later["weight"].to_list() == pytest.approx([1] * 6)
    assert later["index_value"].to_list() == pytest.approx([scores[m] for m in later["observation_date"]])
    assert weighted(rows, [None] * 30)["weight"].unique().to_list() == [0.5], "nobody knows what followed"


def test_what_followed_counts_once_it_is_over() -> None:
    """A target of the last months before the January moves nothing before the next."""
    a = [float(n * n % 11) for n in range(30)]
    rows = composed(A=a, B=[float(n * 3 % 7) for n in range(30)])
    target = [float(n * 5 % 13) for n in range(30)]
    moved = [v if n < 24 else 1e6 for n, v in enumerate(target)]
    assert weighted(rows, target).equals(weighted(rows, moved))
    assert not weighted(rows, target).equals(weighted(rows, [v if n != 23 else 1e6 for n, v in enumerate(target)]))


def test_liquidity_weighted_by_power_keeps_its_components(catalog: Catalog) -> None:
    rows = composed(A=[float(n % 7) for n in range(60)], B=[float(n % 5) for n in range(60)])
    table_of = {"indicators/liquidity_components": rows}
    found = of_entry(catalog, "liquidity_components_predictive", table_of, CPFF=[float((n - 1) % 7) for n in range(60)])
    last = found.filter(pl.col("observation_date") == month(59))
    assert last["component"].to_list() == ["a", "b"]
    assert last["weight"][0] > 0.8
    assert last["contribution"].sum() == pytest.approx(last["index_value"][0])


def test_a_category_that_is_not_declared_is_other() -> None:
    parameters = by_category.Parameters(of="t")
    rows = composed(A=[1.0, 2.0, 4.0], B=[1.0, 3.0, 2.0])
    nothing = monthly(X=[])
    found = by_category.compute(Given(nothing.observations, nothing.facts.clear(), {"t": rows}), parameters)
    assert found["category"].unique().to_list() == ["other"]
    assert found["contribution"].to_list() == pytest.approx(found["index_value"].to_list())


def test_a_table_that_is_no_input_is_refused_when_it_is_read() -> None:
    nothing = monthly(X=[])
    given = Given(nothing.observations, nothing.facts.clear(), {"indicators/a": composed(A=[1.0, 2.0, 4.0])})
    said = "expected a table of the inputs, indicators/b is none of indicators/a"
    with pytest.raises(ValueError, match=said):
        by_category.compute(given, by_category.Parameters(of="indicators/b"))
    with pytest.raises(ValueError, match=said):
        logistic_scale.compute(given, logistic_scale.Parameters.model_validate({**SCALE, "index": "indicators/b"}))


# --- what methods expect of their inputs ---------------------------------------------------------------------------


def test_what_inputs_are_not_is_said_with_the_field() -> None:
    facts = monthly(A=[1.0], B=[1.0]).facts
    expect_unit(facts, "percent")
    expect_input(facts, "A", "percent", "parameters.a")
    expect_same(facts, ["B", "A"], "parameters.of")
    expect_used(facts, {"A", "B"}, "pair")
    with pytest.raises(ValueError, match=r"inputs\.0: expected usd, A is in 'percent'"):
        expect_unit(facts, "usd")
    with pytest.raises(ValueError, match=r"parameters\.a: expected an input in usd, A is in 'percent'"):
        expect_input(facts, "A", "usd", "parameters.a")
    with pytest.raises(ValueError, match=r"parameters\.of: .* B, C is on one side alone"):
        expect_same(facts, ["A", "C"], "parameters.of")
    with pytest.raises(ValueError, match="inputs: no pair is made of B"):
        expect_used(facts, {"A"}, "pair")
