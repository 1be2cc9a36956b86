"""DefiLlama: value locked in decentralised finance, stablecoins in circulation and prices of tokens, as JSON.

Three hosts, hence three sources of this module: daily lists `[{"date": seconds, "tvl": dollars}]` of a chain or of
all; daily lists of stablecoins `[{"date": "seconds", "totalCirculatingUSD": {"peggedUSD": dollars, ...}}]`; prices of
the moment `{"coins": {"coingecko:tether": {"price", "timestamp"}}}`, where an unknown token is simply absent.
Documentation: https://api-docs.defillama.com/
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl

from macro_assets.catalog import Series
from macro_assets.sources.bodies import member, read_json, records
from macro_assets.sources.cells import epoch_instant, epoch_instants, finite, numbers
from macro_assets.sources.errors import NotFoundError, SchemaError
from macro_assets.sources.protocol import Ask, Request, Response, Steps, Window, read_each
from macro_assets.sources.rows import one_a_date

ALL = "all"
"""`code` of what is summed over all chains."""

TVL, PRICE = "tvl", "price"
"""`dataset` of series of value locked and of prices; of stablecoins it is the member that is wanted."""


def plan(series: Sequence[Series], window: Window) -> Iterator[Ask]:
    """One question per chain or stablecoin, one for all prices. No answer depends on the window.

    `code` is a chain's name or 'all', for stablecoins with '?stablecoin=ID' to have one alone, for prices a token as
    'coingecko:tether'. `dataset` is 'tvl', 'price' or a member of the stablecoins' rows: 'totalCirculatingUSD' is the
    sum over what coins are pegged to, 'totalCirculatingUSD.peggedUSD' those pegged to the dollar.
    """
    prices = tuple(s for s in series if s.dataset == PRICE)
    for code in dict.fromkeys(s.code for s in series if s not in prices):
        same = tuple(s for s in series if s not in prices and s.code == code)
        yield Ask(same, _history(code, same))
    if prices:
        yield Ask(prices, _prices(prices))


def _history(code: str, series: tuple[Series, ...]) -> Steps:
    if series[0].dataset == TVL:
        response = yield Request("/v2/historicalChainTvl" + ("" if code == ALL else f"/{code}"))
        return [read_each(response, series, lambda _: read_tvl(response))]
    chain, _, coin = code.partition("?stablecoin=")
    response = yield Request(f"/stablecoincharts/{chain}", (("stablecoin", coin),) if coin else ())
    return [read_each(response, series, lambda one: read_stablecoins(response, one.dataset or ""))]


def _prices(series: tuple[Series, ...]) -> Steps:
    response = yield Request(f"/prices/current/{','.join(dict.fromkeys(s.code for s in series))}")
    return [read_each(response, series, lambda one: read_price(response, one.code))]


def read_tvl(response: Response) -> pl.DataFrame:
    """Value locked at the start of each day but the last: `observation_date`, `value` in dollars."""
    rows = member(read_json(response), of=list)
    table = records(rows, ("date", "tvl"))
    return _whole_days(table["date"], numbers(table["tvl"], missing=(None,)))


def read_stablecoins(response: Response, path: str) -> pl.DataFrame:
    """Stablecoins at the start of each day but the last: `observation_date`, `value` in dollars.

    Parameters
    ----------
    path
        A member of each row, as 'totalCirculatingUSD' (summed over the pegs) or 'totalCirculatingUSD.peggedUSD' (null
        on days when there was none).
    """
    rows = member(read_json(response), of=list)
    name, _, peg = path.partition(".")
    pegs = [member(row, name, of=dict) for row in rows]
    values = finite([p.get(peg) for p in pegs], path) if peg else _totals(pegs, name)
    if peg and pegs and values.null_count() == len(pegs):
        raise SchemaError(f"expected a member {peg!r} in {name!r}, the last row has {sorted(pegs[-1])[:12]}")
    return _whole_days(records(rows, ("date",))["date"], values)


def _totals(pegs: list[dict[str, Any]], name: str) -> pl.Series:
    """Sum of each row over its pegs; null where there is no figure."""
    flat = finite([v for p in pegs for v in p.values()], name)
    rows = pl.Series("row", [n for n, p in enumerate(pegs) for _ in p], dtype=pl.UInt32)
    sums = pl.DataFrame({"row": rows, "value": flat}).drop_nulls().group_by("row").agg(pl.col("value").sum())
    every = pl.DataFrame({"row": pl.Series(range(len(pegs)), dtype=pl.UInt32)})
    return every.join(sums, on="row", how="left", maintain_order="left")["value"]


def _whole_days(seconds: pl.Series, values: pl.Series) -> pl.DataFrame:
    """Daily rows without the last one, which is of the running day and moves on. Of several of a day, the first."""
    stamps = numbers(seconds)
    if not stamps.is_sorted():
        raise SchemaError("expected rows by rising 'date', they are in no order: the last one cannot be told")
    days = epoch_instants(stamps, "date").dt.date()
    rows = pl.DataFrame({"observation_date": days, "value": values}).head(-1)
    return one_a_date(rows, "first")


def read_price(response: Response, token: str) -> pl.DataFrame:
    """A token's price in dollars, with the moment DefiLlama states for it as its `release_time`."""
    coins = member(read_json(response), "coins", of=dict)
    if token not in coins:
        raise NotFoundError(f"DefiLlama has no price of {token!r}, the answer has {sorted(coins)[:12]}.")
    moment = epoch_instant(member(coins, token, "timestamp", of=int), "timestamp")
    value = finite([member(coins, token, "price", of=(int, float, str))], "price")
    return pl.DataFrame({"observation_date": [moment.date()], "value": value, "release_time": [moment]})
