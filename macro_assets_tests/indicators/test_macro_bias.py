"""The bias of markets: by hand, with scores that come late or not at all, and its summary."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest
from pydantic import ValidationError

from macro_assets.indicators import bias_summary
from macro_assets.indicators.macro_bias import Parameters, check, compute
from macro_assets.indicators.protocol import Given
from macro_assets.quality import check_table
from macro_assets_tests.indicators.contract import table_of
from macro_assets_tests.indicators.toys import monthly

SCORES = [
    {"name": "growth", "title": "Growth", "of": ["OUTPUT"], "steps": "level"},
    {"name": "credit", "title": "Spread", "of": ["BAD", "GOOD"], "steps": "spread"},
]
MARKETS = [
    {"name": "shares", "region": "US", "on": {"growth": 3, "credit": -1}},
    {"name": "bonds", "region": "US", "on": {"growth": -1, "credit": 1}},
]


def parameters(**told: Any) -> Parameters:
    asked = {
        "min_history_months": 3,
        "min_scores": 1,
        "carry_months": 1,
        "cap": 2,
        "scores": SCORES,
        "markets": MARKETS,
    }
    return Parameters.model_validate({**asked, **told})


def given(output: list[float | None], spread: list[float | None]) -> Given:
    return monthly(OUTPUT=output, BAD=[None if s is None else 5 + s for s in spread], GOOD=[5.0] * len(spread))


def test_a_bias_by_hand() -> None:
    """Growth 1 2 3 has a z-score of 1, the spread 2 2 1 one of -2/sqrt(3): shares 3/4 and 1/4 of them, bonds halves."""
    found = compute(given([1, 2, 3], [2, 2, 1]), parameters())
    assert check_table(found, table_of("bias")).passed
    credit = -2 / 3**0.5
    assert found.select("market", "component", "zscore", "sign", "weight").rows() == [
        ("bonds", "credit", pytest.approx(credit), 1, 0.5),
        ("bonds", "growth", pytest.approx(1.0), -1, 0.5),
        ("shares", "credit", pytest.approx(credit), -1, 0.25),
        ("shares", "growth", pytest.approx(1.0), 1, 0.75),
    ]
    by_market = dict(found.select("market", "index_value").iter_rows())
    assert by_market["shares"] == pytest.approx(0.75 - 0.25 * credit)
    assert by_market["bonds"] == pytest.approx(-0.5 + 0.5 * credit)


def test_a_late_score_is_carried_then_left_out_and_its_coming_and_going_is_said() -> None:
    found = compute(given([1, 2, 3, 4, 5, 6], [2, 2, 1, None, None, 9]), parameters()).filter(market="shares")
    credit = found.filter(component="credit").select("observation_date", "component_state").rows()
    assert credit == [
        (date(2020, 3, 1), "observed"),
        (date(2020, 4, 1), "carried"),
        (date(2020, 6, 1), "observed"),
    ]
    months = found.group_by("observation_date", maintain_order=True).agg(
        pl.col("is_composition_changed").first(), pl.col("weight").sum()
    )
    assert months["is_composition_changed"].to_list() == [False, False, True, True]
    assert months["weight"].to_list() == [pytest.approx(1.0)] * 4
    carried = found.filter(component="credit")["zscore"]
    assert carried[0] == carried[1]


def test_scores_are_cut_and_a_market_with_too_few_of_them_has_no_bias() -> None:
    far = compute(given([1.0, 1.1] * 10 + [99.0], [None] * 21), parameters())
    assert far.filter(market="shares")["zscore"].max() == 2
    assert compute(given([1, 2, 3], [None] * 3), parameters(min_scores=2)).is_empty()
    needy = [{**MARKETS[0], "needs": ["credit"]}, MARKETS[1]]
    alone = compute(given([1, 2, 3], [None] * 3), parameters(markets=needy))
    assert alone["market"].to_list() == ["bonds"]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"markets": [{"name": "shares", "region": "US", "on": {"labor": 1}}]}, "shares is on labor: expected some of"),
        ({"markets": [MARKETS[0], MARKETS[0]]}, "markets have one name: shares"),
        ({"markets": [{"name": "shares", "region": "US", "on": {"growth": 1}}]}, "no market is on credit"),
        ({"markets": [{**MARKETS[0], "on": {"growth": 0, "credit": 1}}]}, "a weight is not zero"),
        (
            {"markets": [{"name": "shares", "region": "US", "on": {"growth": 1, "credit": 1}, "needs": ["x"]}]},
            "needs x",
        ),
        ({"min_scores": 3}, "min_scores is 3, but shares has 2"),
    ],
)
def test_parameters_that_cannot_be_are_refused(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        parameters(**changed)


def test_scores_that_cannot_be_made_are_refused() -> None:
    facts = given([1.0], [1.0]).facts.with_columns(seasonal_adjustment=pl.lit("SA"))
    check(parameters(), facts)
    with pytest.raises(ValueError, match=r"^inputs: no score is made of OUTPUT"):
        check(parameters(scores=SCORES[1:], markets=[{**MARKETS[0], "on": {"credit": 1}}]), facts)
    with pytest.raises(ValueError, match=r"^parameters\.scores\.0\.of: OUTPUT: expected some of the inputs BAD, GOOD"):
        check(parameters(), facts.tail(2))
    with pytest.raises(ValueError, match=r"^parameters\.scores\.1\.steps: step 1 'spread'"):
        check(parameters(), facts.with_columns(unit=pl.Series(["percent", "percent", "usd"])))


def test_the_summary_has_change_strongest_score_and_the_regime_of_the_first_that_has_one() -> None:
    bias = compute(given([1, 2, 3, 5], [2, 2, 1, None]), parameters(carry_months=0))
    days = [date(2020, 3, 30), date(2020, 3, 31), date(2020, 3, 1), date(2020, 4, 1)]
    regimes = pl.DataFrame(
        {"observation_date": days, "component": ["rule", "rule", "chain", "chain"], "regime": ["a", "b", "c", "d"]}
    )
    asked = bias_summary.Parameters(bias="indicators/b", regimes="indicators/r", regime_of=("rule", "chain"))
    tables = {"indicators/b": bias, "indicators/r": regimes}
    found = bias_summary.compute(Given(pl.DataFrame(), pl.DataFrame(), tables), asked)
    assert check_table(found, table_of("bias_summary")).passed
    shares = found.filter(market="shares").to_dicts()
    assert [(r["regime"], r["scores_present"], r["strongest"]) for r in shares] == [
        ("b", 2, "growth"),
        ("d", 1, "growth"),
    ]
    assert shares[0]["bias_change"] is None
    assert shares[1]["bias_change"] == pytest.approx(shares[1]["bias"] - shares[0]["bias"])
    assert shares[1]["is_composition_changed"]
    nothing = {name: table.clear() for name, table in tables.items()}
    assert bias_summary.compute(Given(pl.DataFrame(), pl.DataFrame(), nothing), asked).is_empty()
