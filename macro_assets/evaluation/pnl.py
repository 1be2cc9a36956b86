"""What acting on a signal would have earned: a naive profit and loss, which sizes by volatility, trades late and pays.

It is no engine of portfolios: once a month each market is held in proportion to its signal, or by its sign, at a target
volatility that is estimated on sessions up to the as-of instant; the trade is done some sessions after it, at a cost.
Profits of days are added, not compounded, in percent of the capital, as macrosynergy's NaivePnL does.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import polars as pl
from pydantic import Field

from macro_assets.catalog.kinds.declaration import Declaration, Slug, TableName
from macro_assets.evaluation.returns import Market, check_markets, daily_returns, latest_signals, quotes
from macro_assets.indicators.protocol import Given

SHAPE = "pnl"

EXAMPLE = {
    "inputs": ["real_time/macro_bias", "SP500"],
    "parameters": {
        "signals": "real_time/macro_bias",
        "column": "index_value",
        "markets": [{"name": "us_equities", "series": "SP500"}],
        "cost_bp": 5,
    },
}

SESSIONS = 252
"""Of a year."""
DRAW = 21
"""Sessions of the worst month."""
ALL = "all"
"""Name of the equal mean of the markets."""

Numbers = np.ndarray[Any, Any]

SCHEMA = pl.Schema(
    {
        "market": pl.String(),
        "first_date": pl.Date(),
        "last_date": pl.Date(),
        "traded_months": pl.Int64(),
        "return_pct": pl.Float64(),
        "volatility_pct": pl.Float64(),
        "sharpe": pl.Float64(),
        "sortino": pl.Float64(),
        "max_drawdown_pct": pl.Float64(),
        "worst_21_days_pct": pl.Float64(),
        "positive_months": pl.Float64(),
        "turnover": pl.Float64(),
        "cost_pct": pl.Float64(),
    }
)

Held = pl.DataFrame
"""Of a market by session: `observation_date`, `position` (of capital, during the session), `traded`, `pnl`, `cost`."""


class Sizing(Declaration):
    """How a signal becomes a position."""

    sizing: Literal["proportional", "sign"] = "proportional"
    cap: float = Field(default=2.0, gt=0, description="Signals are cut at it, and a signal of one is the whole target")
    target_volatility_pct: float = Field(default=10.0, gt=0, description="Per annum, of a signal of one")
    volatility_sessions: int = Field(default=63, gt=20, strict=True, description="Sessions that the volatility is of")
    max_leverage: float = Field(default=5.0, gt=0, description="A position is never more of the capital")
    lag_sessions: int = Field(
        default=1, ge=1, strict=True, description="Which session after the as-of day trades at its close"
    )
    cost_bp: float = Field(default=0.0, ge=0, description="Basis points of what is traded")


class Parameters(Sizing):
    """Which signals, of which markets, and how they are traded."""

    signals: TableName = Field(description="A table of as-of months by market, among the inputs")
    column: Slug = Field(description="Its column that is the signal: above zero for a rise")
    markets: tuple[Market, ...] = Field(min_length=1)


def check(parameters: Parameters, facts: pl.DataFrame) -> None:
    """Refuse markets that cannot be made of the inputs, or one with the name of the mean."""
    check_markets(parameters.markets, facts)
    if ALL in {m.name for m in parameters.markets}:
        raise ValueError(f"parameters.markets: {ALL!r} is the name of their mean")


def compute(given: Given, parameters: Parameters) -> pl.DataFrame:
    """What each market earned, and the mean of those that were held on a day.

    Returns
    -------
    DataFrame
        As :func:`statistics` has them, a row per market and one of `all`; markets that were never held are not there.
    """
    held = held_by_market(given, parameters)
    rows = [{"market": m, **statistics(h)} for m, h in held.items()]
    if held:
        rows.append({"market": ALL, **statistics(mean_of(held))})
    return pl.DataFrame(rows, SCHEMA, orient="row")


def path(given: Given, parameters: Parameters) -> pl.DataFrame:
    """Profits by month: `observation_date` (its first), `market`, `position`, `profit_pct`, their sum so far."""
    held = held_by_market(given, parameters)
    parts = held | ({ALL: mean_of(held)} if held else {})
    empty = pl.DataFrame(schema={"observation_date": pl.Date, "position": pl.Float64, "pnl": pl.Float64})
    days = pl.concat(
        h.select("observation_date", "position", "pnl", market=pl.lit(m)) for m, h in ({"": empty} | parts).items()
    )
    months = days.group_by("market", pl.col("observation_date").dt.truncate("1mo")).agg(
        pl.col("position").mean(), profit_pct=pl.col("pnl").sum()
    )
    return (
        months.sort("market", "observation_date")
        .with_columns(cumulative_profit_pct=pl.col("profit_pct").cum_sum().over("market"))
        .select("observation_date", "market", "position", "profit_pct", "cumulative_profit_pct")
        .sort("observation_date", "market")
    )


def held_by_market(given: Given, parameters: Parameters) -> dict[str, Held]:
    """What was held of each market that was held at all, by session."""
    signals = latest_signals(given.tables[parameters.signals], parameters.column)
    returns = daily_returns(quotes(given.observations, parameters.markets), parameters.markets)
    found = {}
    for market in parameters.markets:
        own, days = (frame.filter(pl.col("market") == market.name) for frame in (signals, returns))
        if not own.is_empty() and not days.is_empty():
            held = naive_pnl(every_month(own), days, parameters)
            if not held.is_empty():
                found[market.name] = held
    return found


def every_month(signals: pl.DataFrame) -> pl.DataFrame:
    """The signals of a market with a zero at the end of each month without one, and of the month after the last."""
    told = signals.select("as_of_month", day=pl.col("as_of").dt.date(), signal="signal")
    months = (pl.col("as_of_month") + "-01").str.to_date()
    first, last = told.select(first=months.min(), last=months.max().dt.offset_by("1mo")).row(0)
    grid = pl.select(month=pl.date_range(first, last, "1mo")).select(
        as_of_month=pl.col("month").dt.strftime("%Y-%m"), _end=pl.col("month").dt.month_end()
    )
    joined = grid.join(told, on="as_of_month", how="left", maintain_order="left")
    return joined.select(pl.coalesce("day", "_end").alias("day"), pl.col("signal").fill_null(0.0))


def naive_pnl(signals: pl.DataFrame, returns: pl.DataFrame, sizing: Sizing) -> Held:
    """What was held of a market, and what it earned.

    Parameters
    ----------
    signals
        `day`, at whose end the `signal` is known, in order. Each holds until the next one's trade.
    returns
        `observation_date`, `return_pct` by session, in order.

    Returns
    -------
    DataFrame
        From the session after the first trade to the last that a position reaches: `observation_date`, `position`,
        `traded` (at the close of the session), `pnl` (percent of the capital, costs taken off), `cost`. The trade of a
        signal is done at the close of the `lag_sessions`-th session after its day, and earns from the one after that;
        its size is of the volatility of sessions up to its day, and there is no position before there are enough.
    """
    days, moves = returns["observation_date"].to_numpy(), returns["return_pct"].to_numpy()
    known = np.searchsorted(days, signals["day"].to_numpy(), side="right")
    wanted = np.array(
        [_size(s, moves[:k], sizing) for s, k in zip(signals["signal"].to_list(), known.tolist(), strict=True)]
    )
    trades = known + sizing.lag_sessions - 1
    done = trades < len(days)
    closing = np.zeros(len(days))  # what is held after the close of each session
    for at, size, until in zip(trades[done], wanted[done], [*trades[done][1:], len(days)], strict=True):
        closing[at:until] = size
    position = np.concatenate([[0.0], closing[:-1]])
    traded = np.abs(np.diff(closing, prepend=0.0))
    cost = traded * sizing.cost_bp / 100
    held = pl.DataFrame(
        {
            "observation_date": returns["observation_date"],
            "position": position,
            "traded": traded,
            "pnl": position * moves - cost,
            "cost": cost,
        }
    )
    active = np.flatnonzero((position != 0) | (traded != 0))
    return held[int(active[0]) : int(active[-1]) + 1] if len(active) else held.clear()


def _size(signal: float, moves: Numbers, sizing: Sizing) -> float:
    """Share of the capital to hold, by the sessions known so far."""
    if signal == 0 or len(moves) < sizing.volatility_sessions:
        return 0.0
    volatility = float(np.std(moves[-sizing.volatility_sessions :], ddof=1)) * np.sqrt(SESSIONS)
    if volatility <= 0:
        return 0.0
    strength = np.sign(signal) if sizing.sizing == "sign" else np.clip(signal, -sizing.cap, sizing.cap)
    limit = sizing.max_leverage
    return float(np.clip(strength * sizing.target_volatility_pct / volatility, -limit, limit))


def mean_of(held: dict[str, Held]) -> Held:
    """The equal mean of the markets that were held on each day."""
    figures = ("position", "traded", "pnl", "cost")
    days = pl.concat(list(held.values())).group_by("observation_date")
    return days.agg(pl.col("position").abs().mean(), pl.col(figures[1:]).mean()).sort("observation_date")


def statistics(held: Held) -> dict[str, Any]:
    """What is said of a profit and loss.

    Returns
    -------
    dict
        `first_date`, `last_date`, `traded_months` (with a position), `return_pct` and `volatility_pct` per annum,
        `sharpe` and `sortino` (over the root mean square of losses), none where nothing varies, `max_drawdown_pct` (of
        the sum from its peak) and `worst_21_days_pct` (lowest sum of 21 sessions, of fewer where there are no more),
        both not above zero, `positive_months` (share of the months), `turnover` (times the capital per annum) and
        `cost_pct` per annum.
    """
    pnl = held["pnl"].to_numpy()
    yearly = SESSIONS / len(pnl)
    earned = float(pnl.sum() * yearly)
    volatility = float(np.std(pnl, ddof=1) * np.sqrt(SESSIONS)) if len(pnl) > 1 else 0.0
    downside = float(np.sqrt(np.mean(np.minimum(pnl, 0) ** 2)) * np.sqrt(SESSIONS))
    path = np.concatenate([[0.0], np.cumsum(pnl)])
    span = min(DRAW, len(pnl))
    month = pl.col("observation_date").dt.truncate("1mo")
    months = held.group_by(month).agg(pl.col("pnl").sum(), is_held=(pl.col("position") != 0).any())
    return {
        "first_date": held["observation_date"].first(),
        "last_date": held["observation_date"].last(),
        "traded_months": int(months["is_held"].sum()),
        "return_pct": earned,
        "volatility_pct": volatility,
        "sharpe": earned / volatility if volatility > 0 else None,
        "sortino": earned / downside if downside > 0 else None,
        "max_drawdown_pct": float((path - np.maximum.accumulate(path)).min()),
        "worst_21_days_pct": min(float((path[span:] - path[:-span]).min()), 0.0),
        "positive_months": float(np.mean(months.filter("is_held")["pnl"].to_numpy() > 0))
        if months["is_held"].any()
        else 0.0,
        "turnover": float(held["traded"].to_numpy().sum()) * yearly,
        "cost_pct": float(held["cost"].to_numpy().sum()) * yearly,
    }
