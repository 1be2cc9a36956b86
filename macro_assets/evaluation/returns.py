"""What markets returned after an instant, in percent: signals meet prices here, and nowhere before their instant.

A signal is known at its as-of instant. Whoever acts on it buys at the close of the first session after that day, never
at that of the day itself, and the return begins there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Self

import polars as pl
from pydantic import Field, model_validator

from macro_assets.catalog.kinds.declaration import Declaration, SeriesId, Slug

MAX_WAIT = "10d"
"""Days in which a first session is looked for after an instant: where prices have a longer hole, there is no return."""


class Market(Declaration):
    """A market: its daily series, and what of it is the return of holding it.

    `price`: the change of the price. `inverse`: of one over it, as of a currency quoted in units per dollar. `yield`:
    of a bond at the yield, by its duration alone, without coupon and convexity.
    """

    name: Slug
    series: SeriesId
    quote: Literal["price", "inverse", "yield"] = "price"
    duration_years: float | None = Field(default=None, gt=0, description="Of the bond, where a yield is quoted")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.quote == "yield") != (self.duration_years is not None):
            raise ValueError("'duration_years' belongs to a yield, and a yield needs it")
        return self


def check_markets(markets: Sequence[Market], facts: pl.DataFrame) -> None:
    """Refuse markets that are named twice, or whose series are no daily inputs.

    Raises
    ------
    ValueError
        With the field, what was expected and what came.
    """
    names = [m.name for m in markets]
    if repeated := sorted({n for n in names if names.count(n) > 1}):
        raise ValueError(f"parameters.markets: {', '.join(repeated)}: expected each name once")
    known = {fact["series_id"]: fact for fact in facts.to_dicts()}
    for number, market in enumerate(markets):
        field = f"parameters.markets.{number}"
        if market.series not in known:
            raise ValueError(f"{field}.series: {market.series}: expected one of the inputs {', '.join(known)}")
        if (frequency := known[market.series]["frequency"]) != "D":
            raise ValueError(f"{field}.series: expected daily prices, {market.series} has the frequency {frequency!r}")
        if market.quote == "yield" and (unit := known[market.series]["unit"]) != "percent":
            raise ValueError(f"{field}.quote: expected a yield in percent, {market.series} is in {unit!r}")


def quotes(observations: pl.DataFrame, markets: Sequence[Market]) -> pl.DataFrame:
    """The sessions of markets: `market`, `observation_date`, `quote`, by both; no price that is not above zero."""
    own = pl.DataFrame(
        {"market": [m.name for m in markets], "series_id": [m.series for m in markets]},
        schema={"market": pl.String, "series_id": pl.String},
    )
    yields = [m.name for m in markets if m.quote == "yield"]
    return (
        observations.select("series_id", "observation_date", quote=pl.col("value").cast(pl.Float64))
        .join(own, on="series_id")
        .filter(pl.col("quote").is_finite() & ((pl.col("quote") > 0) | pl.col("market").is_in(yields)))
        .select("market", "observation_date", "quote")
        .sort("market", "observation_date")
    )


def held(before: pl.Expr, after: pl.Expr, markets: Sequence[Market]) -> pl.Expr:
    """Return in percent of holding a market from one quote to another."""
    durations = {m.name: m.duration_years for m in markets}
    inverse = pl.col("market").is_in([m.name for m in markets if m.quote == "inverse"])
    duration = pl.col("market").replace_strict(durations, default=None, return_dtype=pl.Float64)
    return (
        pl.when(duration.is_not_null())
        .then(-duration * (after - before))
        .when(inverse)
        .then(100 * (before / after - 1))
        .otherwise(100 * (after / before - 1))
    )


def daily_returns(sessions: pl.DataFrame, markets: Sequence[Market]) -> pl.DataFrame:
    """Returns from session to session: `market`, `observation_date`, `return_pct`, by both; none of the first."""
    before = pl.col("quote").shift(1).over("market")
    told = sessions.with_columns(return_pct=held(before, pl.col("quote"), markets)).drop_nulls("return_pct")
    return told.select("market", "observation_date", "return_pct")


def latest_signals(table: pl.DataFrame, column: str) -> pl.DataFrame:
    """The signals of a table of as-of months: of each month and market the value of its last period.

    Parameters
    ----------
    table
        `as_of_month`, `as_of`, `market`, `observation_date` and the column. A market whose last period is more than a
        month before the as-of month has no signal then.

    Returns
    -------
    DataFrame
        `market`, `as_of_month`, `as_of`, `signal`, by market and instant.
    """
    month = (pl.col("as_of_month") + "-01").str.to_date()
    told = table.select("market", "as_of_month", "as_of", "observation_date", signal=pl.col(column).cast(pl.Float64))
    last = pl.col("observation_date").max().over("market", "as_of_month")
    return (
        told.filter((pl.col("observation_date") == last) & (last >= month.dt.offset_by("-1mo")))
        .filter(pl.col("signal").is_finite())
        .unique(["market", "as_of_month"], keep="first", maintain_order=True)
        .select("market", "as_of_month", "as_of", "signal")
        .sort("market", "as_of")
    )


def after_signals(
    signals: pl.DataFrame, sessions: pl.DataFrame, markets: Sequence[Market], months: int
) -> pl.DataFrame:
    """Signals with what their market returned over the months after.

    A return runs from the close of the first session after the day of the as-of instant to that of the first session
    after the end of the month `months` later. One that is not over yet is not there.

    Parameters
    ----------
    signals
        `market`, `as_of` (UTC), `signal`, perhaps more.
    sessions
        As :func:`quotes` gives them.

    Returns
    -------
    DataFrame
        The signals with `first_date`, `last_date` and `return_pct`, by market and instant.
    """
    asked = signals.with_columns(_day=pl.col("as_of").dt.date(), _order=pl.int_range(pl.len())).with_columns(
        _end=pl.col("_day").dt.offset_by(f"{months}mo").dt.month_end()
    )
    told = _first_after(_first_after(asked, sessions, "_day", "first"), sessions, "_end", "last")
    return (
        told.with_columns(return_pct=held(pl.col("first_quote"), pl.col("last_quote"), markets))
        .drop_nulls("return_pct")
        .sort("market", "as_of", "_order")
        .select(*signals.columns, "first_date", "last_date", "return_pct")
    )


def _first_after(asked: pl.DataFrame, sessions: pl.DataFrame, day: str, name: str) -> pl.DataFrame:
    """With the date and quote of the first session strictly after a day."""
    named = sessions.select(
        "market", pl.col("observation_date").alias(f"{name}_date"), pl.col("quote").alias(f"{name}_quote")
    )
    return asked.sort(day).join_asof(
        named.sort(f"{name}_date"),
        left_on=day,
        right_on=f"{name}_date",
        by="market",
        strategy="forward",
        tolerance=MAX_WAIT,
        allow_exact_matches=False,
        check_sortedness=False,
        coalesce=False,
    )
