"""Scores of signals: figures by hand, planted signals, and returns that begin after the instant."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pytest

from macro_assets.evaluation.association import dependent_pvalues, independent_pvalues
from macro_assets.evaluation.returns import Market, after_signals, daily_returns, latest_signals, quotes
from macro_assets.evaluation.signals import Parameters, Sampling, check, compute, score_signal
from macro_assets.quality import check_table
from macro_assets_tests.evaluation.markets import SHARES, SIGNALS, given, month_ends, prices, told, walk, weekdays
from macro_assets_tests.indicators.contract import table_of

DAYS = weekdays(date(2000, 1, 3), date(2019, 12, 31))
INSTANTS = month_ends(DAYS)
M1 = [{"frequency": "M", "months": 1}]


def parameters(samplings: list[dict[str, Any]] = M1, markets: tuple[dict[str, Any], ...] = (SHARES,)) -> Parameters:
    told = {"signals": SIGNALS, "column": "index_value", "markets": list(markets), "samplings": samplings}
    return Parameters.model_validate(told)


def scored(signal: list[float], returns: list[float], overlap: int = 0) -> dict[str, Any]:
    dates = pl.Series(range(len(signal)))
    return score_signal(pl.Series(signal), pl.Series(returns), dates, overlap)


def moves(seed: int) -> np.ndarray[Any, Any]:
    return np.random.default_rng(seed).normal(0, 1, len(DAYS))


def months_after(
    observations: pl.DataFrame, markets: tuple[Market, ...] = (Market.model_validate(SHARES),)
) -> pl.DataFrame:
    signals = latest_signals(told({m.name: [1.0] * len(INSTANTS) for m in markets}, INSTANTS), "index_value")
    return after_signals(signals, quotes(observations, markets), markets, 1)


def test_five_pairs_by_hand() -> None:
    """Signs + + - - + before + - - - +; a rise had 1 and 1 before it, a fall 2, -1 and -2."""
    found = scored([1, 2, -1, -2, 1], [1, -1, -1, -2, 2])
    assert found["pairs"] == 5
    assert found["accuracy"] == pytest.approx(4 / 5)
    assert found["bal_accuracy"] == pytest.approx((1 + 2 / 3) / 2)
    assert (found["pos_sigr"], found["pos_retr"]) == (pytest.approx(3 / 5), pytest.approx(2 / 5))
    assert (found["pos_prec"], found["neg_prec"]) == (pytest.approx(2 / 3), 1.0)
    assert found["auc"] == pytest.approx(4 / 6)
    # around the means .2 and -.2 the products add up to 6.2, the squares to 10.8 both times
    assert found["pearson"] == pytest.approx(6.2 / 10.8)
    # of ten pairs six agree, two do not, one is a tie of the signals and one of the returns
    assert found["kendall"] == pytest.approx((6 - 2) / 9)
    assert found["pvalue_method"] == "independent"


def test_zeros_are_of_no_sign_and_missing_figures_no_pair() -> None:
    found = scored([1.0, 0.0, -1.0, float("nan"), 1.0], [1, 5, 0, 1, -1])
    assert (found["pairs"], found["accuracy"], found["neg_prec"]) == (4, 0.5, None)


def test_what_cannot_be_said_is_none() -> None:
    assert scored([], [])["accuracy"] is None
    constant = scored([1, 1, 1, 1], [1, 2, 3, 4])
    assert (constant["pearson"], constant["kendall_pval"], constant["auc"]) == (None, None, None)


def test_perfect_foresight_scores_one_and_a_random_signal_nothing() -> None:
    observations = prices({"SP500": walk(moves(1))}, DAYS)
    returns = months_after(observations)
    known = told({"shares": returns["return_pct"].to_list()}, INSTANTS[: returns.height])
    (seer,) = compute(given(observations, known), parameters()).filter(segment="market").to_dicts()
    best = ("accuracy", "bal_accuracy", "pos_prec", "neg_prec", "pearson", "kendall", "auc")
    assert [seer[c] for c in best] == [pytest.approx(1.0)] * len(best)
    drawn = told({"shares": list(np.random.default_rng(2).normal(size=len(INSTANTS)))}, INSTANTS)
    (guess,) = compute(given(observations, drawn), parameters()).filter(segment="market").to_dicts()
    assert abs(guess["accuracy"] - 0.5) < 0.1
    assert abs(guess["auc"] - 0.5) < 0.1
    assert min(guess["pearson_pval"], guess["kendall_pval"]) > 0.05


def test_the_return_of_the_next_session_is_not_to_be_had() -> None:
    """The signal is the sign of the session after the instant. With that day's delay taken away it is always right."""
    walked = moves(3)
    after = [next(n for n, d in enumerate(DAYS) if d > i.date()) for i in INSTANTS]
    signs = np.sign(walked[after])
    walked[after] = 20 * signs
    signals = told({"shares": signs.tolist()}, INSTANTS)

    def accuracy(observations: pl.DataFrame) -> float:
        return float(compute(given(observations, signals), parameters()).filter(segment="market")["accuracy"].item())

    observations = prices({"SP500": walk(walked)}, DAYS)
    assert abs(accuracy(observations) - 0.5) < 0.1
    assert accuracy(observations.with_columns(pl.col("value").shift(1))) > 0.95


def test_a_return_runs_from_close_to_close_after_the_instants() -> None:
    """As of Friday 31 January 2020 to Monday 2 March: 3 February is the first close after it, a Monday."""
    days = weekdays(date(2020, 1, 29), date(2020, 3, 3))
    values = [100.0 + n for n in range(len(days))]
    markets = tuple(
        Market.model_validate(m)
        for m in (
            {"name": "price", "series": "A"},
            {"name": "currency", "series": "B", "quote": "inverse"},
            {"name": "bond", "series": "C", "quote": "yield", "duration_years": 8},
        )
    )
    instants = month_ends(days)
    signals = latest_signals(told({m.name: [1.0] * len(instants) for m in markets}, instants), "index_value")
    sessions = quotes(prices({"A": values, "B": values, "C": values}, days), markets)
    found = after_signals(signals, sessions, markets, 1)
    assert found["first_date"].to_list() == [date(2020, 2, 3)] * 3
    assert found["last_date"].to_list() == [date(2020, 3, 2)] * 3
    before, after = 103, 123
    by_market = dict(found.select("market", "return_pct").iter_rows())
    assert by_market == {
        "price": pytest.approx(100 * (after / before - 1)),
        "currency": pytest.approx(100 * (before / after - 1)),
        "bond": pytest.approx(-8 * 20),
    }
    first = daily_returns(sessions, markets).group_by("market", maintain_order=True).first()
    assert first["observation_date"].to_list() == [date(2020, 1, 30)] * 3


def test_a_return_that_is_not_over_and_a_price_below_zero_are_none() -> None:
    days = weekdays(date(2020, 1, 29), date(2020, 4, 2))
    values = [-37.0 if d == date(2020, 3, 2) else 50.0 for d in days]
    markets = (Market.model_validate(SHARES),)
    instants = month_ends(days)
    signals = latest_signals(told({"shares": [1.0] * len(instants)}, instants), "index_value")
    found = after_signals(signals, quotes(prices({"SP500": values}, days), markets), markets, 1)
    assert found.select("first_date", "last_date").rows() == [
        (date(2020, 2, 3), date(2020, 3, 3)),
        (date(2020, 3, 3), date(2020, 4, 1)),
    ]


def test_the_last_period_of_a_month_is_the_signal_unless_it_is_old() -> None:
    instants = INSTANTS[:2]
    table = told({"shares": [1.0, 2.0]}, instants)
    assert latest_signals(table, "index_value")["signal"].to_list() == [1.0, 2.0]
    old = table.with_columns(pl.col("observation_date").dt.offset_by("-2mo"))
    assert latest_signals(old, "index_value").is_empty()


def test_pvalues_know_of_overlap_and_of_markets_that_move_together() -> None:
    """A persistent signal of no worth: taken as independent it is found significant far too often."""
    draw, found = np.random.default_rng(5), np.zeros((2, 2))
    rounds, n = 80, 150
    for _ in range(rounds):
        shocks, news = draw.normal(size=n + 2), draw.normal(size=n)
        returns = np.convolve(shocks, np.ones(3), "valid")
        signal = np.array(news)
        for t in range(1, n):
            signal[t] += 0.95 * signal[t - 1]
        found[0] += np.array(independent_pvalues(signal, returns)) < 0.05
        found[1] += np.array(dependent_pvalues(signal, returns, np.arange(n), 4)) < 0.05
    naive, honest = found / rounds
    assert min(naive) > 0.15
    assert max(honest) < 0.14
    twins = [np.repeat(x, 5) for x in (draw.normal(size=40), draw.normal(size=40), np.arange(40))]
    assert dependent_pvalues(*twins, 0)[0] == pytest.approx(dependent_pvalues(*(x[::5] for x in twins), 0)[0])


def test_the_scorecard_has_all_markets_and_years_by_sampling() -> None:
    observations = prices({"SP500": walk(moves(6)), "DCOILWTICO": walk(moves(7))}, DAYS)
    signals = told({"shares": [1.0, -2.0] * 119 + [1.0], "oil": [1.5, 1.0] * 119 + [1.0]}, INSTANTS)
    samplings = [*M1, {"frequency": "M", "months": 3}, {"frequency": "Q", "months": 3}]
    asked = parameters(samplings, (SHARES, {"name": "oil", "series": "DCOILWTICO"}))
    found = compute(given(observations, signals), asked)
    assert found["segment"].unique(maintain_order=True).to_list() == ["all", "market", "year"]
    assert found.height == 3 * (1 + 2 + 20)
    methods = found.filter(segment="market", market="oil").select("frequency", "horizon_months", "pvalue_method").rows()
    assert methods == [("M", 1, "independent"), ("M", 3, "dependent"), ("Q", 3, "independent")]
    assert found.filter(segment="all")["pvalue_method"].unique().to_list() == ["dependent"]
    quarters = found.filter(segment="market", market="oil", frequency="Q")["pairs"].item()
    assert (
        quarters == found.filter(segment="market", market="oil", frequency="M", horizon_months=3)["pairs"].item() // 3
    )
    table = table_of("signal_scores")
    assert check_table(found, table).passed
    nothing = compute(given(observations.clear(), signals.clear()), asked)
    assert nothing.is_empty()
    assert check_table(nothing, table).passed


def test_overlap_is_counted_in_samples() -> None:
    asked = [
        Sampling.model_validate({"frequency": f, "months": m}).overlap
        for f, m in (("M", 1), ("M", 3), ("Q", 3), ("Q", 4))
    ]
    assert asked == [0, 2, 0, 1]


@pytest.mark.parametrize(
    ("market", "said"),
    [
        ({"series": "NASDAQ"}, r"^parameters\.markets\.0\.series: NASDAQ: expected one of the inputs SP500"),
        ({"quote": "yield", "duration_years": 8}, r"^parameters\.markets\.0\.quote: expected a yield in percent"),
    ],
)
def test_markets_that_cannot_be_are_refused(market: dict[str, Any], said: str) -> None:
    facts = given(prices({"SP500": [1.0]}, DAYS[:1]), told({"shares": [1.0]}, INSTANTS[:1])).facts
    check(parameters(), facts)
    with pytest.raises(ValueError, match=said):
        check(parameters(markets=({**SHARES, **market},)), facts)
    with pytest.raises(ValueError, match="shares: expected each name once"):
        check(parameters(markets=(SHARES, SHARES)), facts)
    with pytest.raises(ValueError, match="expected daily prices, SP500 has the frequency 'M'"):
        check(parameters(), facts.with_columns(frequency=pl.lit("M")))
    with pytest.raises(ValueError, match="'duration_years' belongs to a yield"):
        parameters(markets=({**SHARES, "duration_years": 8},))
