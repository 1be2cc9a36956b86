"""DefiLlama's three hosts: synthetic answers in their form, and the recorded ones."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime
from urllib.parse import unquote

import polars as pl

from macro_assets.catalog import default_catalog
from macro_assets.quality.answers import empty
from macro_assets.sources.protocol import Request
from macro_assets.sources.providers.defillama import read_price, read_stablecoins, read_tvl
from macro_assets_tests.sources.contract import Contract, Good
from macro_assets_tests.sources.wire import Recorded, Recording, Replayed, each_recording, fetched, fixture, toy_series

TVL = toy_series("defillama", "Toychain", dataset="tvl")
COINS = toy_series("defillama_stablecoins", "all", dataset="totalCirculatingUSD")
PRICE = toy_series("defillama_coins", "coingecko:toy", dataset="price")
PRICES = "/prices/current/coingecko:toy"
QUOTED = (
    b'{"coins":{"coingecko:toy":{"decimals":6,"symbol":"TOY","price":0.998,"timestamp":1704200400,"confidence":1}}}'
)


def known(recording: Recording) -> list[str]:
    """Tokens of which prices were recorded."""
    of_prices = recording.status == 200 and re.search("/prices/(current|historical)/", recording.url)
    return list(json.loads(recording.body)["coins"]) if of_prices else []


CONTRACT = Contract(
    good=Good(
        TVL,
        "/v2/historicalChainTvl/Toychain",
        fixture("defillama_tvl.json"),
        rows=((date(2024, 1, 1), 50000000000.5), (date(2024, 1, 2), 51000000000), (date(2024, 1, 3), None)),
        figure=b"51000000000",
        days=(b"1704153600", b"1704067200"),
        refused=(
            (b'{"message":"x"}', "got dict"),
            (b'[{"day":1704067200,"tvl":1}]', "expected the fields"),
            (b'[{"date":1704067200,"totalLiquidityUSD":1}]', "expected the fields"),
            (b'[{"date":"2024-01-01","tvl":1}]', "expected a number in 'date', got '2024-01-01'"),
            (b'[{"date":null,"tvl":1}]', "expected a number in 'date', got an empty cell"),
            (b'[{"date":1704153600,"tvl":1},{"date":1704067200,"tvl":1}]', "they are in no order"),
        ),
        empty=(b"[]",),
    ),
    more=(
        Good(
            COINS,
            "/stablecoincharts/all",
            fixture("defillama_stablecoins.json"),
            rows=((date(2024, 1, 1), 1012.25), (date(2024, 1, 2), 1101), (date(2024, 1, 3), None)),
            figure=b"1101}",
            days=(b'"1704153600"',),
            refused=(
                (b'{"coins":[]}', "got dict"),
                (b'[{"date":"1704067200","circulating":{}}]', "expected the member 'totalCirculatingUSD'"),
                (b'[{"date":"1704067200","totalCirculatingUSD":5}]', "to be dict, got int"),
                (b'[{"date":"1704067200","totalCirculatingUSD":{"peggedUSD":"5"}}]', "expected a number in"),
                (b'[{"totalCirculatingUSD":{"peggedUSD":5}}]', "expected the fields ['date']"),
            ),
            empty=(b"[]",),
        ),
        Good(
            PRICE,
            PRICES,
            QUOTED,
            rows=((date(2024, 1, 2), 0.998),),
            figure=b"0.998",
            days=(b"1704200400",),
            refused=(
                (b'{"coin":{}}', "expected the member 'coins'"),
                (QUOTED.replace(b"1704200400", b'"1704200400"'), "'coingecko:toy.timestamp' to be int, got str"),
                (QUOTED.replace(b"0.998", b'"0.998"'), "expected a number in 'price', got '0.998'"),
                (QUOTED.replace(b'"price"', b'"usd"'), "expected the member 'coingecko:toy.price'"),
            ),
        ),
    ),
    asks=lambda s: (s.code.replace("all", "") if s.dataset == "tvl" else s.code,),
    recorded=Recorded(
        "defillama",
        readers=lambda recording: {
            "/prices/(current|historical)/": lambda r: read_price(r, known(recording)[0]),
            "/historicalChainTvl": read_tvl,
            "/stablecoincharts/": lambda r: read_stablecoins(r, "totalCirculatingUSD"),
        },
        no_series={
            r"/(batchHistorical|prices/first|percentage|chart|block)(/|\?)": "prices nobody asks for",
            r"/(protocols?|chains|tvl|pools|overview|summary|stablecoins?|fees)(/|\?|$)": "lists and protocols",
            r"/charts(/|\?)": "value locked as the service gave it before its second version",
            r"^(?!.*/(prices|historicalChainTvl|stablecoincharts))": "no end point with prices or sums by day",
        },
        expected={"prices-chunk-1.json": 1, "prices-current-1.json": 1, "prices-solana-1.json": 1},
        count=lambda body: 1 if b'"coins"' in body else len(json.loads(body)) - 1,
        plausible=lambda rows: bool((rows["value"] > 0).all()),
        # Of prices DefiLlama may know none of the tokens: the test below has this.
        apart=lambda recording: b'"coins"' in recording.body and not known(recording),
    ),
)


def test_no_price_in_a_past_window_is_no_error() -> None:
    momentary = list(default_catalog().series_of("defillama_coins"))
    assert momentary
    past = (date(2028, 1, 1), date(2028, 12, 31), date(2030, 1, 1))
    assert all(empty(pl.DataFrame(), s, *past) is None for s in momentary)
    rhythmic = momentary[0].model_copy(update={"irregular": False})
    assert empty(pl.DataFrame(), rhythmic, *past) is not None


def test_all_chains_have_a_path_of_their_own() -> None:
    every = toy_series("defillama", "all", dataset="tvl")
    found = fetched("defillama", every, {"/v2/historicalChainTvl": fixture("defillama_tvl.json")})
    assert found.observations.height == 3


def test_of_two_rows_of_a_day_the_first_holds() -> None:
    body = b'[{"date":1704067200,"tvl":1},{"date":1704070000,"tvl":2},{"date":1704153600,"tvl":3}]'
    found = fetched("defillama", TVL, {"/v2/historicalChainTvl/Toychain": body})
    assert found.observations["value"].to_list() == [1]


def test_stablecoins_are_summed_over_their_pegs_or_taken_by_one() -> None:
    dollars, euros = (
        toy_series("defillama_stablecoins", "all", id=f"TOY_{p}", dataset=f"totalCirculatingUSD.pegged{p}")
        for p in ("USD", "EUR")
    )
    client = Replayed({"/stablecoincharts/all": fixture("defillama_stablecoins.json")})
    found = fetched("defillama_stablecoins", [COINS, dollars, euros], client)
    assert client.asked == [Request("/stablecoincharts/all")]
    assert found.failures == {}
    values = {i: g["value"].to_list() for (i,), g in found.observations.group_by("series_id")}
    assert values == {"TOY": [1012.25, 1101, None], "TOY_USD": [1001.25, 1101, None], "TOY_EUR": [11, None, None]}
    assert found.observations["observation_date"].max() == date(2024, 1, 3)


def test_one_stablecoin_is_asked_by_its_number() -> None:
    one = toy_series("defillama_stablecoins", "all?stablecoin=7", dataset="totalCirculatingUSD.peggedUSD")
    client = Replayed({"/stablecoincharts/all?stablecoin=7": fixture("defillama_stablecoins.json")})
    found = fetched("defillama_stablecoins", one, client)
    assert client.asked == [Request("/stablecoincharts/all", (("stablecoin", "7"),))]
    assert found.observations.height == 3


def test_prices_are_asked_together_and_have_the_time_defillama_states() -> None:
    absent = toy_series("defillama_coins", "coingecko:gone", id="TOY_GONE", dataset="price")
    client = Replayed({f"{PRICES},coingecko:gone": QUOTED})
    found = fetched("defillama_coins", [PRICE, absent], client)
    assert len(client.asked) == 1
    assert found.observations["observation_date"].to_list() == [date(2024, 1, 2)]
    assert found.observations["value"].to_list() == [0.998]
    assert found.observations["release_time"].to_list() == [datetime(2024, 1, 2, 13, tzinfo=UTC)]
    assert list(found.failures) == ["TOY_GONE"]
    assert "has no price of 'coingecko:gone'" in found.failures["TOY_GONE"]


def test_a_peg_that_is_never_there_is_refused() -> None:
    toys = toy_series("defillama_stablecoins", "all", dataset="totalCirculatingUSD.peggedTOY")
    found = fetched("defillama_stablecoins", toys, {"/stablecoincharts/all": fixture("defillama_stablecoins.json")})
    assert "expected a member 'peggedTOY' in 'totalCirculatingUSD'" in found.failures["TOY"]


@each_recording("defillama")
def test_recorded_prices_go_through_the_connector(recording: Recording) -> None:
    found = re.search(r"/prices/current/.*", unquote(recording.url))  # paying customers have a key before it
    if recording.status != 200 or found is None:
        return  # not a question that the connector asks
    path = found[0]
    tokens = path.rpartition("/")[2].split(",")
    series = [toy_series("defillama_coins", t, id=f"TOY{n}", dataset="price") for n, t in enumerate(tokens)]
    answered = fetched("defillama_coins", series, {path: recording.body})
    quotes = json.loads(recording.body)["coins"]
    assert answered.observations["value"].to_list() == [quotes[t]["price"] for t in tokens if t in quotes]
    assert len(answered.failures) == sum(t not in quotes for t in tokens)
