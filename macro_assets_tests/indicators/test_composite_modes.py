"""Scores, weights and stand-ins of a composite in every declared mode, on synthetic panels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from math import sqrt
from typing import Any

import numpy as np
import polars as pl
import pytest
from pydantic import ValidationError

from macro_assets.indicators.composite import Parameters, compute, correlations
from macro_assets.indicators.protocol import Given
from macro_assets.quality import check_table
from macro_assets.transforms.change_terms import Reading, decompose
from macro_assets_tests.indicators.contract import table_of
from macro_assets_tests.indicators.toys import monthly

JAN, FEB, MAR, APR, MAY, JUN = (date(2020, m, 1) for m in range(1, 7))
NAMES = "abcd"
PORTFOLIO = {"weights": "portfolio", "score": "empirical", "decay": 0.93}
MODES: Mapping[str, Mapping[str, Any]] = {
    "equal": {"weights": "equal"},
    "rolling": {"score": "rolling_zscore", "window": 36, "neutral": "zero", "winsor": 2.0},
    "pca": {"weights": "pca", "anchor": "a"},
    "factor": {"weights": "factor", "anchor": "a", "lag_months": 2},
    "portfolio": PORTFOLIO,
    "portfolio, lagged": {**PORTFOLIO, "lag_months": 3, "leave_out": "pandemic"},
    "carry": {"missing": "carry", "carry_months": 3, "score": "empirical"},
    "factor fill": {"missing": "factor_fill", "carry_months": 3, "leave_out": "pandemic"},
    "pca, factor fill": {"weights": "pca", "anchor": "c", "missing": "factor_fill", "carry_months": 3},
    "portfolio, factor fill": {**PORTFOLIO, "missing": "factor_fill", "carry_months": 2},
}


def told(names: str = NAMES, signs: Sequence[int] = (1, 1, -1, 1), **parameters: Any) -> Parameters:
    weighed = {"weight": 1 / len(names)} if parameters.get("weights", "fixed") in ("fixed", "portfolio") else {}
    parts = [
        {"name": n, "title": n, "of": [n.upper()], "steps": "level", "sign": sign, **weighed}
        for n, sign in zip(names, signs, strict=False)
    ]
    return Parameters.model_validate({"min_history_months": 12, "min_components": 2, "components": parts, **parameters})


def panel(months: int = 240) -> dict[str, list[float | None]]:
    """Four walks with a common part, the third the other way; one is late at times, one ends, one begins late."""
    draw = np.random.default_rng(5)
    common = draw.normal(size=months).cumsum()
    found: dict[str, list[float | None]] = {
        n.upper(): [float(v) for v in size * common + draw.normal(size=months)]
        for n, size in zip(NAMES, (1, 0.7, -0.8, 0.4), strict=True)
    }
    found["B"][100] = found["B"][150] = found["B"][151] = None
    found["C"][200:] = [None] * (months - 200)
    found["D"][:60] = [None] * 60
    return found


def index(found: pl.DataFrame) -> pl.DataFrame:
    return found.select("observation_date", "index_value").unique(maintain_order=True)


def cell(found: pl.DataFrame, component: str, day: date, column: str) -> Any:
    return found.row(by_predicate=(pl.col("component") == component) & (pl.col("observation_date") == day), named=True)[
        column
    ]


# --- in every mode -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
def test_contributions_add_up_and_rows_are_of_the_shape(mode: str) -> None:
    found = compute(monthly(date(2001, 1, 1), **panel()), told(**MODES[mode]))
    assert found["observation_date"].n_unique() > 180
    assert check_table(found, table_of("contributions")).passed


@pytest.mark.parametrize("mode", MODES)
def test_a_last_value_times_a_million_moves_nothing_before(mode: str) -> None:
    """Bit for bit, also when it falls in the month of an estimate."""
    for last in (180, 217):
        plain = {n: v[:last] for n, v in panel().items()}
        wild = {n: [*v[:-1], None if v[-1] is None else v[-1] * 1e6] for n, v in plain.items()}
        before, after = (compute(monthly(date(2001, 1, 1), **p), told(**MODES[mode])) for p in (plain, wild))
        earlier = pl.col("observation_date") < before["observation_date"].max()
        assert before.filter(earlier).equals(after.filter(earlier))
        assert not before.equals(after)


@pytest.mark.parametrize("mode", MODES)
def test_the_order_of_the_components_does_not_matter(mode: str) -> None:
    given = monthly(date(2001, 1, 1), **panel())
    forth, back = told(**MODES[mode]), told(NAMES[::-1], (1, -1, 1, 1), **MODES[mode])
    one, other = (index(compute(given, p)) for p in (forth, back))
    assert one["observation_date"].equals(other["observation_date"])
    assert one["index_value"].to_list() == pytest.approx(other["index_value"].to_list(), abs=1e-6)


@pytest.mark.parametrize("mode", MODES)
def test_any_change_is_decomposed_exactly(mode: str) -> None:
    """Also over the ends and beginnings of components and the re-estimations in between."""
    given, parameters = monthly(date(2001, 1, 1), **panel()), told(**MODES[mode])
    found, pairs = compute(given, parameters), correlations(given, parameters)
    days = found["observation_date"].unique().sort()
    for first, last in ((5, 6), (10, 100), (60, -1), (-30, -1), (-1, 20)):
        before, after = (_reading(found, pairs, days[n]) for n in (first, last))
        moved = after.rows["index_value"][0] - before.rows["index_value"][0]
        terms = decompose(before, after)
        assert terms["value"].sum() == pytest.approx(moved, abs=1e-9)
        assert terms.filter(term="revision")["value"].sum() == 0


def _reading(found: pl.DataFrame, pairs: pl.DataFrame | None, day: date) -> Reading:
    own = pl.col("observation_date") == day
    return Reading(found.filter(own), None if pairs is None else pairs.filter(own))


# --- weights -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("weights", ["pca", "factor"])
def test_the_sign_is_that_of_the_anchor_in_every_window(weights: str) -> None:
    """The third component goes the other way, whatever sign is declared; with it as the anchor all turn."""
    given = monthly(date(2001, 1, 1), **panel())
    signs = {}
    for anchor in "ac":
        found = compute(given, told(signs=(1, 1, 1, 1), weights=weights, anchor=anchor))
        signs[anchor] = dict(found.group_by("component").agg(pl.col("sign").unique()).iter_rows())
        z = found.filter(component=anchor).select("observation_date", "zscore", "index_value")
        for (_,), window in z.group_by(pl.col("observation_date").dt.year()):
            if window.height == 12:
                assert window.select(pl.corr("zscore", "index_value")).item() > 0
    assert signs["a"] == {"a": [1], "b": [1], "c": [-1], "d": [1]}
    assert signs["c"] == {"a": [-1], "b": [-1], "c": [1], "d": [-1]}


def test_estimates_hold_from_january_to_december_and_may_be_older() -> None:
    given = monthly(date(2001, 1, 1), **{n: v for n, v in panel().items() if n != "D"})
    now, late = (compute(given, told("abc", weights="pca", anchor="a", lag_months=lag)) for lag in (0, 3))
    full = now.filter(pl.len().over("observation_date") == 3, pl.col("component") == "b")
    by_year = full.group_by(pl.col("observation_date").dt.year()).agg(n=pl.col("weight").n_unique())
    assert set(by_year["n"]) == {1}
    assert full["weight"].n_unique() == by_year.height
    assert cell(late, "b", date(2010, 3, 1), "weight") == cell(now, "b", date(2009, 12, 1), "weight")
    assert cell(late, "b", date(2010, 4, 1), "weight") == cell(now, "b", date(2010, 1, 1), "weight")


def test_a_portfolio_of_one_thing_said_four_times_is_its_score() -> None:
    """With all correlations one the index is the plain weighted sum."""
    walk = panel()["A"]
    found = compute(monthly(date(2001, 1, 1), **dict.fromkeys("ABCD", walk)), told(signs=(1, 1, 1, 1), **PORTFOLIO))
    assert found["index_value"].to_list() == pytest.approx(found["zscore"].to_list(), abs=1e-9)
    assert found["contribution"].to_list() == pytest.approx((found["zscore"] / 4).to_list(), abs=1e-9)


def test_portfolio_weights_are_the_root_of_the_quadratic_form() -> None:
    given = monthly(date(2001, 1, 1), **panel())
    found, pairs = compute(given, told(**PORTFOLIO)), correlations(given, told(**PORTFOLIO))
    assert pairs is not None
    day = date(2015, 6, 1)
    s = found.filter(observation_date=day).sort("component").select(pl.col("weight") * pl.col("zscore")).to_series()
    c = pairs.filter(observation_date=day).pivot(on="other", index="component", values="correlation").sort("component")
    matrix = c.select(sorted(NAMES)).to_numpy()
    assert found.filter(observation_date=day)["index_value"][0] == pytest.approx(
        sqrt(s.to_numpy() @ matrix @ s.to_numpy())
    )
    assert correlations(given, told()) is None


# --- scores --------------------------------------------------------------------------------------------------------


def of_one(values: Sequence[float | None], **parameters: Any) -> dict[date, float]:
    one = told("a", (parameters.pop("sign", 1),), **{"min_history_months": 2, "min_components": 1, **parameters})
    return dict(compute(monthly(JAN, A=values), one).select("observation_date", "zscore").iter_rows())


def test_empirical_scores_are_the_share_so_far_that_is_not_worse() -> None:
    assert of_one([3, 1, 2, 2, 5], score="empirical") == {FEB: 1 / 2, MAR: 2 / 3, APR: 3 / 4, MAY: 1}
    assert of_one([3, 1, 2, 2, 5], score="empirical", sign=-1) == {FEB: 1, MAR: 2 / 3, APR: 3 / 4, MAY: 1 / 5}
    assert of_one([7, 7, 7, 8], score="empirical") == {APR: 1}, "of equal figures none is high"


def test_zscores_from_another_level_of_a_window_and_bounded() -> None:
    values = [1.0, 3.0, 5.0, 3.0]
    assert of_one(values, neutral="zero") == pytest.approx({FEB: 3 / sqrt(2), MAR: 5 / 2, APR: 3 / sqrt(8 / 3)})
    assert of_one(values, neutral=2.0) == pytest.approx({FEB: 1 / sqrt(2), MAR: 3 / 2, APR: 1 / sqrt(8 / 3)})
    rolling = {FEB: sqrt(0.5), MAR: sqrt(0.5), APR: -sqrt(0.5)}
    assert of_one(values, score="rolling_zscore", window=2) == pytest.approx(rolling)
    assert of_one([1, 3, 5, 90], winsor=1.2) == pytest.approx({FEB: sqrt(0.5), MAR: 1.0, APR: 1.2})


def test_a_level_that_is_neutral_is_one_of_the_figure_and_not_of_its_sign() -> None:
    values = {"A": [1.0, 3.0, 5.0]}
    one = told("a", (-1,), min_history_months=2, min_components=1, neutral=2.0)
    found = compute(monthly(JAN, **values), one)
    assert found["zscore"].to_list() == pytest.approx([1 / sqrt(2), 3 / 2])
    assert found["contribution"].to_list() == pytest.approx([-1 / sqrt(2), -3 / 2])


def test_months_that_are_left_out_are_scored_and_not_estimated_on() -> None:
    spans = [["2020-03", "2020-03"]]
    found = of_one([1, 3, 90, 3], leave_out=spans)
    assert found[MAR] == pytest.approx(88 / sqrt(2))
    assert found[APR] == pytest.approx((3 - 7 / 3) / sqrt(4 / 3))


# --- missing components --------------------------------------------------------------------------------------------

STAND_INS: Sequence[dict[str, Any]] = (
    {},
    {"missing": "carry", "carry_months": 2},
    {"missing": "factor_fill", "carry_months": 2, "refit_months": 1},
)
LATE = {"A": [1, 2, 3, 1, 5, 4], "B": [2, 4, 6, None, None, 8]}
TWO = {"names": "ab", "signs": (1, 1), "min_history_months": 2, "min_components": 1}


def late(**parameters: Any) -> pl.DataFrame:
    return compute(monthly(JAN, **LATE), told(**{**TWO, **parameters}))


def test_without_a_late_component_its_weight_goes_to_the_others() -> None:
    found = late()
    assert cell(found, "a", APR, "weight") == 1
    changed = found.filter("is_composition_changed")["observation_date"].unique().sort().to_list()
    assert changed == [APR, JUN], "its leaving and its return"


def test_a_late_component_is_carried_up_to_its_age() -> None:
    found = late(missing="carry", carry_months=1)
    assert cell(found, "b", APR, "zscore") == cell(found, "b", MAR, "zscore") == 1
    assert cell(found, "b", APR, "component_value") == 6
    assert cell(found, "b", APR, "component_state") == "carried"
    assert cell(found, "b", MAR, "component_state") == "observed"
    assert found.filter(observation_date=MAY)["component"].to_list() == ["a"]
    assert found.filter("is_composition_changed")["observation_date"].unique().sort().to_list() == [MAY, JUN]


def test_a_late_component_is_filled_by_what_the_others_say() -> None:
    """Of two, the regression on the other, of the scores before the month of estimating, here every one."""
    found = late(missing="factor_fill", carry_months=2, refit_months=1)
    a, b = ([cell(found, n, day, "zscore") for day in (FEB, MAR)] for n in "ab")
    r, now = 1.0, cell(found, "a", APR, "zscore")  # two points: a correlation of one, of which the factor leaves .005
    wanted = np.mean(b) + np.std(b, ddof=1) * r * (now - np.mean(a)) / np.std(a, ddof=1)
    assert cell(found, "b", APR, "zscore") == pytest.approx(wanted, abs=0.01 * abs(wanted) + 0.02)
    assert cell(found, "b", APR, "component_value") is None
    assert cell(found, "b", APR, "component_state") == "filled"
    assert not found["is_composition_changed"].any()


def test_what_is_filled_does_not_count_towards_the_least() -> None:
    assert MAY not in late(missing="factor_fill", carry_months=2, refit_months=1, min_components=2)["observation_date"]
    assert APR in late(missing="carry", carry_months=1, min_components=2)["observation_date"]


def test_a_month_in_which_nothing_is_observed_has_no_index() -> None:
    given = monthly(JAN, A=[1, 2, 3, None, 5], B=[2, 4, 6, None, 1], C=[1, 1, 1, 1, 1])
    found = compute(given, told("ab", (1, 1), min_history_months=2, min_components=1, missing="carry", carry_months=3))
    assert APR not in found["observation_date"]


@pytest.mark.parametrize(
    "missing",
    [{}, {"missing": "carry", "carry_months": 2}, {"missing": "factor_fill", "carry_months": 2, "refit_months": 1}],
)
@pytest.mark.parametrize("score", ["zscore", "empirical"])
def test_a_constant_component_never_counts(missing: dict[str, Any], score: str) -> None:
    found = compute(monthly(JAN, A=[1, 2, 3, 1, 5], B=[7] * 5), told(**TWO, **missing, score=score))
    assert set(found["component"]) == {"a"}


@pytest.mark.parametrize("missing", ["renormalize", "carry", "factor_fill"])
def test_a_component_that_begins_late_enters_and_is_never_made_up(missing: str) -> None:
    given = monthly(JAN, A=[1, 2, 3, 1, 5, 4], B=[None, None, 2, 4, 6, 5])
    stands_in = {} if missing == "renormalize" else {"missing": missing, "carry_months": 6, "refit_months": 1}
    found = compute(given, told(**TWO, **stands_in))
    assert found.filter(component="b")["observation_date"].to_list() == [APR, MAY, JUN]
    assert found.filter("is_composition_changed")["observation_date"].unique().to_list() == [APR]
    before, after = (_reading(found, None, day) for day in (MAR, APR))
    terms = decompose(before, after)
    assert terms.filter(term="entry")["component"].to_list() == ["b"]
    assert terms.filter(term="weights")["value"].sum() == pytest.approx(0, abs=1e-12)


def test_one_of_two_that_leaves_is_the_whole_jump() -> None:
    """a stays at its score: all that the index moves is the exit of b, and nothing is data."""
    found = compute(monthly(JAN, A=[1, 3, 2, 2], B=[1, 2, 9, None]), told(**TWO, score="rolling_zscore", window=2))
    before = _reading(found, None, MAR)
    stays = before.rows.filter(component="a").with_columns(weight=1.0, contribution=pl.col("sign") * pl.col("zscore"))
    after = Reading(stays.with_columns(index_value="contribution"))
    terms = decompose(before, after)
    moved = after.rows["index_value"][0] - before.rows["index_value"][0]
    assert terms.filter(term="exit").select("component", "value").rows() == [("b", pytest.approx(moved))]
    assert terms.filter(term="data")["value"].to_list() == [0]


def test_a_month_needs_its_share_of_the_weight() -> None:
    parts = [("a", 0.6), ("b", 0.4)]
    components = [
        {"name": n, "title": n, "of": [n.upper()], "steps": "level", "sign": 1, "weight": w} for n, w in parts
    ]
    fields = {"min_history_months": 2, "min_components": 1, "components": components}
    given = monthly(JAN, A=[1, 2, 3, None, 1], B=[2, 4, None, 3, 5])
    months = {
        share: compute(given, Parameters.model_validate({**fields, "coverage": share}))["observation_date"].unique()
        for share in (0.4, 0.5, 0.7)
    }
    assert [sorted(m) for m in months.values()] == [[FEB, MAR, APR, MAY], [FEB, MAR, MAY], [FEB, MAY]]


def test_categories_stand_beside_their_components() -> None:
    given = monthly(JAN, A=[1, 2, 3], B=[1, 3, 2])
    p = told(**TWO).model_dump()
    p["components"] = [
        {**c, "title": "t", "category": k} for c, k in zip(p["components"], ("prices", None), strict=True)
    ]
    found = compute(given, Parameters.model_validate(p))
    assert found.filter(observation_date=FEB).select("component", "category").rows() == [("a", "prices"), ("b", None)]


def test_nothing_gives_nothing_in_every_mode() -> None:
    for mode in MODES.values():
        given = monthly(JAN, A=[1.0], B=[None], C=[None], D=[None])
        nothing = Given(given.observations.clear(), given.facts)
        for few in (given, nothing):
            found = compute(few, told(**mode))
            assert found.is_empty()
            assert check_table(found, table_of("contributions")).passed


# --- what an entry says --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"weights": "pca"}, "anchor: expected of factor and pca weights"),
        ({"weights": "pca", "anchor": "x"}, "anchor: 'x' is no component"),
        ({"anchor": "a"}, "anchor: expected of factor and pca weights, and nowhere else"),
        ({"weights": "portfolio", "decay": 0.9}, "portfolio weights: expected empirical scores"),
        ({"weights": "portfolio", "score": "empirical"}, "decay: expected of portfolio weights"),
        ({"weights": "equal", "decay": 0.9}, "decay: expected of portfolio weights, and nowhere else"),
        ({"weights": "equal", "lag_months": 1}, "lag_months: equal weights have no age"),
        ({"score": "rolling_zscore"}, "window: expected of rolling z-scores"),
        ({"score": "rolling_zscore", "window": 6}, "min_history_months must not be above window"),
        ({"window": 60}, "window: expected of rolling z-scores, and nowhere else"),
        ({"score": "empirical", "winsor": 3.0}, "neutral and winsor are of z-scores"),
        ({"score": "empirical", "neutral": "zero"}, "neutral and winsor are of z-scores"),
        ({"missing": "carry"}, "carry_months: expected where what is missing is stood in for"),
        ({"carry_months": 3}, "carry_months: expected where what is missing is stood in for, and nowhere else"),
        ({"coverage": 1.2}, "less than or equal to 1"),
        ({"neutral": "median"}, "neutral"),
    ],
)
def test_parameters_that_do_not_fit_are_refused(parameters: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        told(**parameters)


def test_weights_are_declared_where_they_are_used_and_nowhere_else() -> None:
    fields = told().model_dump()
    fields["components"] = [{**c, "title": "t"} for c in fields["components"]]
    with pytest.raises(ValidationError, match="equal weights: expected components without a weight"):
        Parameters.model_validate({**fields, "weights": "equal"})
    fields["components"] = [{k: v for k, v in c.items() if k != "weight"} for c in fields["components"]]
    with pytest.raises(ValidationError, match="fixed weights: expected a weight of each component"):
        Parameters.model_validate(fields)
    with pytest.raises(ValidationError, match="three components at least"):
        told("ab", (1, 1), weights="factor", anchor="a")
