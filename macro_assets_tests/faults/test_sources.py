"""F8 to F13 and F17 on the whole way from the wire to the lake: a fault of a provider never makes a table worse."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from macro_assets.sources.protocol import Window
from macro_assets_tests.faults.upstream import (
    QUICK,
    SINCE,
    TODAY,
    Change,
    Spoil,
    Upstream,
    changed,
    failures,
    lines_of,
    rows_of,
    small_catalog,
)
from macro_assets_tests.loopback import Scripted

SGS = ("BR_IPCA15_MOM", "BR_IPCA_CORE_EX0", "BR_IPCA_CORE_DP")
BAD, GOOD, ALSO_GOOD = SGS
COINS = ("COINGECKO_BTC_PRICE", "COINGECKO_ETH_PRICE")


@pytest.fixture(scope="module", autouse=True)
def _own_limits(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Limits of other tests, runs and users do not count."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tempfile.tempdir", str(tmp_path_factory.mktemp("limits")))
        yield


@contextmanager
def central_bank(lake: Path) -> Iterator[Upstream]:
    """Three monthly series of Brazil's central bank, once fetched."""
    with Upstream(small_catalog(*SGS, bcb_sgs={"timeout_seconds": 0.5}), lake) as upstream:
        assert failures(upstream.take()) == {}
        assert upstream.raw()["series_id"].n_unique() == 3
        yield upstream


@pytest.fixture
def sgs(tmp_path: Path) -> Iterator[Upstream]:
    with central_bank(tmp_path) as upstream:
        yield upstream


@pytest.fixture(scope="module")
def bank_of_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Upstream]:
    with central_bank(tmp_path_factory.mktemp("bank")) as upstream:
        yield upstream


@pytest.fixture
def bank(bank_of_all: Upstream) -> Iterator[Upstream]:
    """A lake that many faults happen to, one after the other."""
    bank_of_all.spoiled = {}
    before = bank_of_all.raw(BAD)
    yield bank_of_all
    assert bank_of_all.raw(BAD).equals(before), "for all that came, nothing changed"


@pytest.fixture
def coins(tmp_path: Path) -> Iterator[Upstream]:
    with Upstream(small_catalog(*COINS), tmp_path) as upstream:
        assert failures(upstream.take()) == {}
        yield upstream


def refused(upstream: Upstream, spoil: Spoil, *words: str, status: int | None = 200) -> None:
    """Spoil the answers of a series: its rows stay, the others get their news, the payload is kept, all is said."""
    before = upstream.raw()
    upstream.spoiled[BAD] = spoil
    upstream.news = {s: upstream.news.get(s, 0.0) + 0.001 for s in (GOOD, ALSO_GOOD)}
    done = upstream.take()
    assert list(failures(done)) == [BAD]
    assert upstream.raw(BAD).equals(before.filter(pl.col("series_id") == BAD))
    for other in (GOOD, ALSO_GOOD):
        assert upstream.raw(other).height > before.filter(pl.col("series_id") == other).height, "others go on"
    message = failures(done)[BAD]
    assert f"series {BAD} of source bcb_sgs: " in message
    for word in words:
        assert word in message, message
    if status is not None:
        kept = upstream.landed().filter(pl.col("request").str.contains(f"[.]{upstream.catalog.series[BAD].code}/"))
        assert kept["http_status"][-1] == status, "the payload is kept for study"


# --- F8, F9: the way to the provider --------------------------------------------------------------------------------

LATER = "Ask again later."


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_provider_that_fails(bank: Upstream, status: int) -> None:
    before = bank.asked(BAD)
    fault = Scripted(status, b"<html>upstream failed</html>")
    refused(bank, fault, f"HTTP {status}", "upstream failed", LATER, status=status)
    assert bank.asked(BAD) - before == QUICK.attempts, "attempts are bounded"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Retry-After": "7"},
        {"Retry-After": "Sun, 06 Nov 2044 08:49:37 GMT"},
        {"Retry-After": "Sun, 06 Nov 1994 08:49:37 GMT"},
        {"Retry-After": "999999999"},
        {"Retry-After": "soon"},
    ],
    ids=["none", "seconds", "a date", "a past date", "huge", "no time"],
)
def test_a_provider_that_is_asked_too_often(bank: Upstream, headers: dict[str, str]) -> None:
    before = bank.asked(BAD)
    fault = Scripted(429, b"slow down", headers)
    refused(bank, fault, "HTTP 429: asked too often", "slow down", LATER, status=429)
    assert bank.asked(BAD) - before <= QUICK.attempts


def test_a_limit_that_passes_is_waited_out(sgs: Upstream) -> None:
    limited = iter([Scripted(429, b"", {"Retry-After": "1"})])
    honest = sgs.server.otherwise
    sgs.server.otherwise = lambda asked: next(limited, None) or honest(asked)  # type: ignore[operator]
    version = sgs.version()
    assert failures(sgs.take()) == {}
    assert sgs.version() == version


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Scripted(silent=True, delay=1.0), "cannot be reached: ReadTimeout"),
        (Scripted(body=b"[" * 5000, send=100), "cannot be reached: RemoteProtocolError"),
        (Scripted(body=b"[" * 5000, send=100, reset=True), "cannot be reached: "),
        (Scripted(body=b"[]", headers={"Content-Length": "5000"}), "cannot be reached: ReadTimeout"),
        (
            Scripted(body=b"[" * 5000, gzipped=True, send=10, length=False),
            "the compressed answer is cut off or damaged",
        ),
        (
            Scripted(body=b"\x1f\x8bnot really gzip", headers={"Content-Encoding": "gzip"}),
            "the compressed answer is cut off or damaged",
        ),
    ],
    ids=["read timeout", "short body", "reset in the body", "short Content-Length", "cut gzip", "wrong gzip"],
)
def test_an_answer_that_does_not_arrive_whole(bank: Upstream, fault: Scripted, words: str) -> None:
    before = bank.server.count()
    refused(bank, fault, words, LATER, status=None)
    assert bank.server.count() - before <= len(SGS) - 1 + QUICK.attempts


@contextmanager
def full_house() -> Iterator[str]:
    """A port that takes no more connections and refuses none: who comes waits at the door."""
    with socket.socket() as door, ExitStack() as guests:
        door.bind(("127.0.0.1", 0))
        door.listen(0)
        for _ in range(4):
            guest = guests.enter_context(socket.socket())
            guest.setblocking(False)
            guest.connect_ex(door.getsockname())
        yield f"http://127.0.0.1:{door.getsockname()[1]}"


def cannot_be_reached(sgs: Upstream, url: str, words: str) -> None:
    """All series of the source fail in words, what is stored stands, and it goes on afterwards."""
    before, version = sgs.raw(), sgs.version()
    sgs.news = dict.fromkeys(SGS, 0.05)
    done = sgs.take(environ={"MACRO_URL_BCB_SGS": url})
    assert set(failures(done)) == set(SGS)
    for name, message in failures(done).items():
        assert message.startswith(f"series {name} of source bcb_sgs: ")
        assert words in message
        assert message.endswith(LATER)
    assert (sgs.version(), sgs.raw().equals(before)) == (version, True)
    assert failures(sgs.take()) == {}
    assert sgs.raw().height > before.height
    assert sgs.rebuilt().equals(sgs.raw())


def test_a_host_that_does_not_speak_tls(sgs: Upstream) -> None:
    url = sgs.server.url.replace("http:", "https:")
    cannot_be_reached(sgs, url, f"{url} cannot be reached: ConnectError: [SSL")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://nowhere.invalid", "no network, or no such host: cannot resolve nowhere.invalid"),
        ("http://127.0.0.1:9", "127.0.0.1 refuses the connection"),
    ],
    ids=["no such name", "nobody there"],
)
def test_a_host_that_is_not_there(sgs: Upstream, url: str, words: str) -> None:
    cannot_be_reached(sgs, url, words)


def test_a_host_that_lets_nobody_in(sgs: Upstream) -> None:
    with full_house() as url:
        cannot_be_reached(sgs, url, "no way to 127.0.0.1: ")


@pytest.mark.parametrize(
    "fault",
    [Scripted(503), Scripted(body=b"[", send=0, reset=True), Scripted(body=b"<html>"), Scripted(body=b"[")],
    ids=["status", "reset", "HTML", "truncated"],
)
def test_a_fault_that_comes_and_goes(sgs: Upstream, fault: Scripted) -> None:
    """No version while nothing new comes, the news when it is over, and a history that can be rebuilt."""
    before, version = sgs.raw(), sgs.version()
    sgs.spoiled[BAD] = fault
    for _ in range(2):
        assert list(failures(sgs.take())) == [BAD]
    assert (sgs.version(), sgs.raw().equals(before)) == (version, True)
    sgs.news = dict.fromkeys(SGS, 0.05)
    sgs.take()
    sgs.spoiled = {}
    assert failures(sgs.take()) == {}
    assert sgs.raw().height == 2 * before.height
    assert sgs.rebuilt().equals(sgs.raw())
    version = sgs.version()
    sgs.take()
    assert sgs.version() == version


# --- F10, F11: bodies -----------------------------------------------------------------------------------------------


def text(old: str, new: str, encoding: str = "utf-8") -> Change:
    def spoil(body: bytes) -> bytes:
        assert old.encode() in body
        return body.replace(old.encode(), new.encode(encoding), 1)

    return spoil


def valor(written: str) -> Change:
    """The last figure as it is written in JSON."""
    return lambda body: body[: body.rindex(b'"valor": ')] + b'"valor": ' + written.encode() + b"}]"


STUDY = "look at the payload in landing"


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda body: b"<!DOCTYPE html><title>Maintenance</title>", "got a page of the gateway"),
        (lambda body: b"", "expected JSON, got an empty body"),
        (lambda body: b" \r\n", "expected JSON, got an empty body"),
        (lambda body: body[: len(body) // 2], "expected JSON, got "),
        (lambda body: body[:-1], "expected JSON, got "),
        (text('"data"', '"dáta"', "latin-1"), "expected JSON in utf-8, got "),
        (valor("NaN"), "NaN is no JSON number"),
        (valor("Infinity"), "Infinity is no JSON number"),
        (valor("-Infinity"), "-Infinity is no JSON number"),
        (valor('"NaN"'), "expected a number in 'valor', got 'NaN'"),
        (valor('"inf"'), "expected a number in 'valor', got 'inf'"),
        (valor('"."'), "expected a number in 'valor', got '.'"),
        (valor('"1,234"'), "expected a number in 'valor', got '1,234'"),
        (valor('"1e400"'), "expected a number in 'valor', got '1e400'"),
        (valor("1e400"), "expected text in 'data' and 'valor', got inf"),
        (valor('"1", "valor": "2"'), "the key 'valor' is given twice"),
        (valor("0.5"), "expected text in 'data' and 'valor', got 0.5"),
        (valor("true"), "expected text in 'data' and 'valor', got True"),
        (text('"valor"', '"value"'), "expected the fields ['data', 'valor']"),
        (lambda body: body.replace(b'"valor"', b'"value"'), "expected the fields ['data', 'valor']"),
        (text('"data": "', '"data": "2024-'), "expected a date like %d/%m/%Y in 'data'"),
        (lambda body: b'{"rows": ' + body + b"}", "got dict"),
        (lambda body: b"null", "got NoneType"),
    ],
    ids=[
        "HTML", "empty", "blank", "half", "last byte", "Latin-1", "NaN", "Infinity", "-Infinity", "NaN as text",
        "inf as text", "a dot", "thousands", "1e400 as text", "1e400", "a key twice", "a number", "true",
        "a column renamed in a row", "a column renamed", "a date in another form", "another shape", "null",
    ],
)  # fmt: skip
def test_a_body_that_cannot_be_trusted(bank: Upstream, spoil: Change, words: str) -> None:
    refused(bank, spoil, words, "expected", LATER if "gateway" in words else STUDY)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda body: b"\xef\xbb\xbf" + body,
        lambda body: body.replace(b'"valor"', b'"datafim": "", "valor"'),
        rows_of(lambda rows: rows[::-1]),
    ],
    ids=["BOM", "a column more", "in another order"],
)
def test_a_body_that_says_the_same_in_another_way(bank: Upstream, spoil: Change) -> None:
    version, before = bank.version(), bank.raw()
    bank.spoiled[BAD] = spoil
    assert failures(bank.take()) == {}
    assert (bank.version(), bank.raw().equals(before)) == (version, True)


def coin(change: str, of: str = "prices") -> Change:
    """The figure before the last of a coin as it is written in JSON."""

    def spoil(body: bytes) -> bytes:
        document = json.loads(body)
        document[of][-2][1] = "?"
        return json.dumps(document).replace('"?"', change).encode()

    return spoil


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (coin("NaN"), "NaN is no JSON number"),
        (coin("1e400"), "expected a number in 'prices', got inf"),
        (coin("1" + 400 * "0"), "expected a number in 'prices', got 1000"),
        (coin('"12000.5"'), "expected a number in 'prices', got '12000.5'"),
        (coin("false"), "expected a number in 'prices', got False"),
        (coin('{"usd": 1}'), "expected a number in 'prices', got {'usd': 1}"),
    ],
    ids=["NaN", "1e400", "an integer too large", "text", "false", "an object"],
)
def test_a_number_that_is_none(coins: Upstream, spoil: Change, words: str) -> None:
    coins.spoiled[COINS[0]] = spoil
    before = coins.raw()
    done = coins.take()
    assert list(failures(done)) == [COINS[0]]
    assert words in failures(done)[COINS[0]]
    assert coins.raw().equals(before)


def test_a_provider_that_drops_what_is_old_shrinks_nothing(coins: Upstream) -> None:
    before = coins.raw()
    coins.spoiled[COINS[0]] = lambda body: json.dumps({k: v[-5:] for k, v in json.loads(body).items()}).encode()
    assert failures(coins.take()) == {}
    assert coins.raw().equals(before)


# --- F12: drift -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("factor", [100, 1.37, 0.001], ids=["unit", "base year", "thousands"])
def test_another_unit(bank: Upstream, factor: float) -> None:
    spoil = rows_of(lambda rows: [{**r, "valor": f"{float(r['valor']) * factor:.10f}"} for r in rows])
    kept = f"The stored rows were kept. If the new figures are right, `macro accept {BAD} --reason ...` takes them"
    bank.spoiled[BAD] = spoil
    message = failures(bank.take())[BAD]
    assert f"figures is {factor:.6g} times the stored one. Expected the unit of the catalog (%)" in message
    assert kept in message


def quarterly(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    return [r for r in rows if r["data"][3:5] in ("01", "04", "07", "10")]


def at_month_ends(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    return [{**r, "data": "28" + r["data"][2:]} for r in rows]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (quarterly, f"got quarters: {TODAY.year - 2}-01-01, {TODAY.year - 2}-04-01"),
        (at_month_ends, "expected the first day of a month (frequency M)"),
    ],
)
def test_another_frequency(bank: Upstream, change: object, words: str) -> None:
    refused(bank, rows_of(change), words, STUDY)  # type: ignore[arg-type]


def test_a_series_that_was_discontinued(bank: Upstream) -> None:
    fault = Scripted(404, b"no such series")
    refused(bank, fault, "HTTP 404: not found", "Check the series' code in the catalog.", status=404)


# --- F13: odd answers -----------------------------------------------------------------------------------------------

NOTHING = Scripted(404, b'{"error": "Value(s) not found"}')


def in_the_future(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    return [*rows, {"data": f"01/01/{TODAY.year + 2}", "valor": "0.3"}]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda rows: [*rows, rows[-1]], "expected one row per date in 'data', got"),
        (lambda rows: [*rows, {**rows[-1], "valor": "0.9"}], "expected one row per date in 'data', got"),
        (lambda rows: rows[1:], f"the answer lacks 1 of {{n}} dates that are stored for the asked window, {SINCE}"),
        (lambda rows: rows[:5] + rows[9:], "the answer lacks 4 of {n} dates"),
        (lambda rows: [], "the answer holds no observations"),
    ],
    ids=["a date twice", "two values of a date", "shrunk", "a gap", "an empty list"],
)
def test_an_answer_that_is_odd(bank: Upstream, change: object, words: str) -> None:
    known = bank.raw(BAD).height
    refused(bank, rows_of(change), words.format(n=known), STUDY)  # type: ignore[arg-type]


def test_an_observation_of_the_future(bank: Upstream) -> None:
    before = bank.raw()
    bank.spoiled[BAD] = rows_of(in_the_future)
    done = bank.take()
    assert "has an observation of" in failures(done)[BAD]
    assert "in the future. Expected none after" in failures(done)[BAD]
    assert bank.raw().equals(before)


def test_nothing_for_a_series_that_is_stored(bank: Upstream) -> None:
    refused(bank, NOTHING, "the answer holds no observations from", "Expected figures from", STUDY, status=404)


@pytest.mark.parametrize(("first_year", "is_due"), [(2001, True), (TODAY.year, False), (TODAY.year + 1, False)])
def test_nothing_where_something_or_nothing_is_due(tmp_path: Path, first_year: int, is_due: bool) -> None:
    catalog = changed(small_catalog(*SGS), BAD, first_year=first_year)
    with Upstream(catalog, tmp_path) as upstream:
        upstream.spoiled[BAD] = NOTHING
        done = upstream.take()
        assert list(failures(done)) == ([BAD] if is_due else [])
        assert set(upstream.raw()["series_id"]) == {GOOD, ALSO_GOOD}
        assert upstream.rebuilt().equals(upstream.raw())


def test_nothing_for_a_smaller_window_is_no_loss(bank: Upstream) -> None:
    version = bank.version()
    early = Window(date(1990, 1, 1), date(1990, 12, 31), TODAY)
    bank.spoiled = dict.fromkeys(SGS, NOTHING)
    assert failures(bank.take(window=early)) == {}
    assert bank.version() == version


def test_rows_of_a_file_that_are_twice(tmp_path: Path) -> None:
    """Where a provider's files are known to repeat rows, equal ones count once; two values for a day are refused."""
    with Upstream(small_catalog("CBOE_VIX"), tmp_path) as cboe:
        cboe.spoiled["CBOE_VIX"] = lines_of(lambda lines: [*lines, *lines[-3:]])
        done = cboe.take()
        assert (failures(done), done.report.duplicate) == ({}, 3)
        before = cboe.raw()
        assert not before["observation_date"].is_duplicated().any()
        cboe.spoiled["CBOE_VIX"] = lines_of(lambda lines: [*lines, lines[-1].rsplit(",", 1)[0] + ",99.5"])
        message = failures(cboe.take())["CBOE_VIX"]
        assert "series CBOE_VIX of provider cboe: " in message
        assert "has two values at the release time" in message
        assert " 99.5" in message
        assert cboe.raw().equals(before)


# --- CSV, and a provider with vintages ------------------------------------------------------------------------------

HICP = ("EA_HICP_YOY", "EA_HICP_CORE_YOY")
UNRATE = ("UNRATE", "U6RATE")


@pytest.fixture(scope="module")
def hicp_of_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Upstream]:
    with Upstream(small_catalog(*HICP), tmp_path_factory.mktemp("hicp")) as upstream:
        assert failures(upstream.take()) == {}
        yield upstream


@pytest.fixture(scope="module")
def fred_of_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Upstream]:
    catalog = small_catalog(*UNRATE)
    for series in UNRATE:
        catalog = changed(catalog, series, holders=())
    with Upstream(catalog, tmp_path_factory.mktemp("fred")) as upstream:
        assert failures(upstream.take()) == {}
        yield upstream


def refused_alone(upstream: Upstream, spoil: Spoil, *words: str) -> None:
    """Spoil the answers of the first series: it fails, and no table changes, for nothing new came."""
    first, *_ = upstream.catalog.series
    before, version = upstream.raw(), upstream.version()
    upstream.spoiled = {first: spoil}
    done = upstream.take()
    upstream.spoiled = {}
    assert list(failures(done)) == [first]
    for word in (f"series {first} of source {upstream.source.name}: ", *words):
        assert word in failures(done)[first], failures(done)
    assert (upstream.version(), upstream.raw().equals(before)) == (version, True)


def last_cell(written: str) -> Change:
    return lines_of(lambda lines: [*lines[:-1], lines[-1].rsplit(",", 1)[0] + "," + written])


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (text("OBS_VALUE", "VALUE"), "expected the column 'OBS_VALUE', the answer has"),
        (text("TIME_PERIOD", "PERIOD"), "expected the column 'TIME_PERIOD', the answer has"),
        (lines_of(lambda lines: [line.rsplit(",", 1)[0] for line in lines]), "expected the column 'OBS_VALUE'"),
        (lambda body: body.replace(b"HICP.M.", b"HICP.Q."), "M.U2.N.000000.4D0.ANR"),
        (lambda body: body[: body.rindex(b",") - 3], "expected "),
        (last_cell("1,234.5"), "expected CSV, got"),
        (last_cell('"1,234.5"'), "expected a number in 'OBS_VALUE', got '1,234.5'"),
        (last_cell("1e400"), "expected a number in 'OBS_VALUE', got '1e400'"),
        (last_cell("inf"), "expected a number in 'OBS_VALUE', got 'inf'"),
        (last_cell("."), "expected a number in 'OBS_VALUE', got '.'"),
        (text("KEY", "KÉY", "latin-1"), "expected CSV in utf-8, got"),
        (lambda body: body.decode().encode("utf-16"), "expected CSV in utf-8, got"),
        (lambda body: body.replace(b",", b";"), "expected the column 'TIME_PERIOD'"),
        (lines_of(lambda lines: [*lines, lines[-1]]), "expected"),
        (lines_of(lambda lines: lines[:1]), "the answer holds no observations"),
        (lambda body: b"<html>login</html>", "expected CSV, got a page of HTML: '<html>login</html>'"),
    ],
    ids=[
        "value renamed", "time renamed", "a column dropped", "another series", "cut", "a cell more", "thousands",
        "1e400", "inf", "a dot", "Latin-1", "UTF-16", "semicolons", "a row twice", "a header alone", "HTML",
    ],
)  # fmt: skip
def test_a_table_that_cannot_be_trusted(hicp_of_all: Upstream, spoil: Change, words: str) -> None:
    refused_alone(hicp_of_all, spoil, words, "look at the payload in landing")


def test_a_table_with_a_mark_and_a_column_more(hicp_of_all: Upstream) -> None:
    version = hicp_of_all.version()
    hicp_of_all.spoiled = {HICP[0]: lambda body: b"\xef\xbb\xbf" + body.replace(b"\n", b",\r\n")}
    assert failures(hicp_of_all.take()) == {}
    assert hicp_of_all.version() == version


def described(old: str, new: str) -> Change:
    """FRED's description of the series says something else."""
    return lambda body: body.replace(old.encode(), new.encode()) if b'"seriess"' in body else body


def observed(old: str, new: str) -> Change:
    """The last observation of FRED says something else."""

    def spoil(body: bytes) -> bytes:
        if b'"observations"' not in body:
            return body
        head, mark, tail = body.rpartition(old.encode())
        return head + new.encode() + tail if mark else body

    return spoil


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (described('"Percent"', '"Index 2017=100"'), ("Index 2017=100", "Percent")),
        (described('"units": "Percent"', '"units": 1'), ("units",)),
        (described('"frequency_short": "M"', '"frequency_short": "Q"'), ("frequency", "Q")),
        (described('"seasonal_adjustment_short": "SA"', '"seasonal_adjustment_short": "NSA"'), ("adjust", "NSA")),
        (observed('"value": "', '"value": "1,'), ("expected a number in 'value', got '1,",)),
        (observed('"value": "', '"value": "NaN'), ("expected a number in 'value', got 'NaN",)),
        (observed('"date"', '"day"'), ("date",)),
        (Scripted(400, b'{"error_code":400,"error_message":"Bad Request.  The series does not exist."}'), ("exist",)),
        (Scripted(404, b"<html>"), ("HTTP 404",)),
    ],
    ids=["unit", "a unit that is none", "frequency", "adjustment", "thousands", "NaN", "renamed", "gone", "404"],
)
def test_a_description_or_a_page_that_cannot_be_trusted(
    fred_of_all: Upstream, spoil: Spoil, words: tuple[str, ...]
) -> None:
    refused_alone(fred_of_all, spoil, *words)


def test_a_dot_is_a_figure_that_is_missing(tmp_path: Path) -> None:
    """FRED's own mark is stored as no value, and never as a number; a stored vintage does not come to lack one."""
    with Upstream(changed(small_catalog("U6RATE"), "U6RATE", holders=()), tmp_path) as fred:
        fred.spoiled = {"U6RATE": lambda body: re.sub(rb'"value": "[^"]*"}]', b'"value": "."}]', body)}
        assert failures(fred.take()) == {}
        before = fred.raw()
        latest = before.filter(pl.col("observation_date") == before["observation_date"].max())
        assert latest["value"].to_list() == [None]
        assert before["value"].null_count() == 1
        fred.spoiled = {}
        message = failures(fred.take())["U6RATE"]
        assert "series U6RATE of provider fred: " in message
        assert "has two values at the release time" in message
        assert fred.raw().equals(before)
