"""A naive profit and loss: by hand, late, paid for, and of planted signals."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pytest

from macro_assets.evaluation import pnl_path
from macro_assets.evaluation.pnl import Parameters, Sizing, compute, every_month, held_by_market, naive_pnl, statistics
from macro_assets.evaluation.returns import latest_signals
from macro_assets.quality import check_table
from macro_assets_tests.evaluation.markets import SHARES, SIGNALS, given, month_ends, prices, told, walk, weekdays
from macro_assets_tests.indicators.contract import table_of

DAYS = weekdays(date(2008, 1, 1), date(2019, 12, 31))
INSTANTS = month_ends(DAYS)


def parameters(**told: Any) -> Parameters:
    asked = {"signals": SIGNALS, "column": "index_value", "markets": [SHARES]}
    return Parameters.model_validate({**asked, **told})


def of_session(moves: list[float]) -> pl.DataFrame:
    """Returns of sessions from Wednesday 1 January 2020 on."""
    days = weekdays(date(2020, 1, 1), date(2020, 12, 31))[: len(moves)]
    return pl.DataFrame({"observation_date": days, "return_pct": moves})


def whole(**told: Any) -> Sizing:
    """Sizes of one, whatever the volatility."""
    return Sizing.model_validate({"max_leverage": 1, "target_volatility_pct": 1e6, "volatility_sessions": 21, **told})


def test_a_trade_is_done_a_session_after_the_day_and_earns_from_the_next_one_on() -> None:
    """Known on Friday 31 January, the 23rd session: bought at Monday's close for 10 basis points, held from Tuesday."""
    moves = [1.0, -1.0] * 11 + [1.0] + [5.0, 2.0, -3.0, 4.0]
    signals = pl.DataFrame({"day": [date(2020, 1, 31), date(2020, 2, 4)], "signal": [1.0, 0.0]})
    held = naive_pnl(signals, of_session(moves), whole(cost_bp=10))
    assert held["observation_date"].to_list() == [date(2020, 2, d) for d in (3, 4, 5)]
    assert held["position"].to_list() == [0.0, 1.0, 1.0]
    assert held["pnl"].to_list() == [pytest.approx(-0.1), pytest.approx(2.0), pytest.approx(-3.1)]
    later = naive_pnl(signals, of_session(moves), whole(lag_sessions=2))
    assert later["pnl"].to_list() == [pytest.approx(0.0), pytest.approx(-3.0), pytest.approx(4.0)]


def test_a_position_is_of_the_volatility_before_it_and_no_other() -> None:
    """Moves of one and minus one a day: a deviation of sqrt(22/21) percent over 22 sessions."""
    moves = [1.0, -1.0] * 20
    signals = pl.DataFrame({"day": [date(2020, 1, 30)], "signal": [3.0]})
    sizing = Sizing.model_validate({"target_volatility_pct": 10, "volatility_sessions": 22, "cap": 2})
    held = naive_pnl(signals, of_session(moves), sizing)
    size = 2 * 10 / (np.sqrt(22 / 21) * np.sqrt(252))
    assert held["position"].max() == pytest.approx(size)
    wild = moves[:22] + [m * 1e6 for m in moves[22:]]
    assert naive_pnl(signals, of_session(wild), sizing)["position"].equals(held["position"])
    by_sign = naive_pnl(signals, of_session(moves), sizing.model_copy(update={"sizing": "sign"}))
    assert by_sign["position"].max() == pytest.approx(size / 2)
    early = signals.with_columns(day=date(2020, 1, 29))
    assert naive_pnl(early, of_session(moves), sizing).is_empty()


def test_statistics_by_hand() -> None:
    held = pl.DataFrame(
        {
            "observation_date": [date(2020, 1, 30), date(2020, 1, 31), date(2020, 2, 3), date(2020, 2, 4)],
            "position": [1.0, 1.0, 1.0, 1.0],
            "traded": [0.5, 0.0, 0.0, 0.5],
            "pnl": [2.0, -1.0, -2.0, 3.0],
            "cost": [0.1, 0.0, 0.0, 0.1],
        }
    )
    found = statistics(held)
    year = 252 / 4
    assert found["return_pct"] == pytest.approx(2 * year)
    deviation = np.sqrt((1.5**2 + 1.5**2 + 2.5**2 + 2.5**2) / 3)
    assert found["sharpe"] == pytest.approx(2 * year / (deviation * np.sqrt(252)))
    assert found["sortino"] == pytest.approx(2 * year / (np.sqrt(5 / 4) * np.sqrt(252)))
    assert found["max_drawdown_pct"] == pytest.approx(-3.0)
    assert found["worst_21_days_pct"] == 0.0  # all four together earned two
    assert (found["traded_months"], found["positive_months"]) == (2, 1.0)
    assert (found["turnover"], found["cost_pct"]) == (pytest.approx(year), pytest.approx(0.2 * year))


def test_a_month_without_a_signal_is_without_a_position() -> None:
    table = told({"shares": [1.0, 1.0, 1.0]}, INSTANTS[:3]).filter(pl.col("as_of_month") != "2008-02")
    signals = every_month(latest_signals(table, "index_value"))
    assert signals.rows() == [
        (date(2008, 1, 31), 1.0),
        (date(2008, 2, 29), 0.0),
        (date(2008, 3, 31), 1.0),
        (date(2008, 4, 30), 0.0),
    ]


def test_foresight_earns_a_random_signal_does_not_and_the_next_session_is_not_to_be_had() -> None:
    walked = np.random.default_rng(11).normal(0, 1, len(DAYS))
    after = [next(n for n, d in enumerate(DAYS) if d > i.date()) for i in INSTANTS]
    spans = [slice(a + 1, b + 1) for a, b in zip(after, [*after[1:], len(DAYS) - 1], strict=True)]
    sessions, observations = walked.copy(), None

    def earned(signal: list[float]) -> dict[str, Any]:
        asked = parameters(sizing="sign", cost_bp=1)
        found = compute(given(observations, told({"shares": signal}, INSTANTS)), asked)  # type: ignore[arg-type]
        assert check_table(found, table_of("pnl")).passed
        return found.filter(market="shares").row(0, named=True)

    observations = prices({"SP500": walk(walked)}, DAYS)
    seer = earned([float(walked[s].sum()) for s in spans])
    assert seer["sharpe"] > 2
    assert seer["positive_months"] > 0.9
    assert abs(earned(list(np.random.default_rng(12).normal(size=len(INSTANTS))))["sharpe"]) < 0.5
    sessions[after] *= 15
    observations = prices({"SP500": walk(sessions)}, DAYS)
    assert abs(earned([float(sessions[n]) for n in after])["sharpe"]) < 0.5


def test_all_is_the_mean_of_the_markets_held() -> None:
    walked = np.random.default_rng(13).normal(0, 1, (2, len(DAYS)))
    observations = prices({"SP500": walk(walked[0]), "DCOILWTICO": walk(walked[1])}, DAYS)
    signals = told(
        {"shares": [1.0] * len(INSTANTS), "oil": [-1.0] * len(INSTANTS), "gold": [1.0] * len(INSTANTS)}, INSTANTS
    )
    asked = parameters(markets=[SHARES, {"name": "oil", "series": "DCOILWTICO"}, {"name": "gold", "series": "GOLD"}])
    both = given(observations, signals)
    found = compute(both, asked)
    assert found["market"].to_list() == ["shares", "oil", "all"]
    sums = {m: h["pnl"].sum() for m, h in held_by_market(both, asked).items()}
    days = (found["last_date"][0] - found["first_date"][0]).days
    sessions = len([d for d in DAYS if 0 <= (d - found["first_date"][0]).days <= days])
    assert found["return_pct"][2] == pytest.approx(sum(sums.values()) / 2 * 252 / sessions)
    months = pnl_path.compute(both, pnl_path.Parameters.model_validate(asked.model_dump()))
    assert check_table(months, table_of("pnl_path")).passed
    for market, total in sums.items():
        own = months.filter(market=market)
        assert own["cumulative_profit_pct"][-1] == pytest.approx(total)
        assert own["profit_pct"].sum() == pytest.approx(total)
    assert pnl_path.compute(given(observations.clear(), signals), asked).is_empty()  # type: ignore[arg-type]
    nothing = compute(given(observations.clear(), signals), asked)
    assert nothing.is_empty()
    assert check_table(nothing, table_of("pnl")).passed
