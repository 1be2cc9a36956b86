"""The HTTP client against a real server on loopback that answers well, badly, late, twice and not at all."""

from __future__ import annotations

import gzip
import html
import json
import logging
import re
import socket
import ssl
import tempfile
import time
import traceback
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import httpx
import pytest

from macro_assets.catalog import Api, Key, Source, default_catalog
from macro_assets.sources.errors import (
    AuthError,
    NotFoundError,
    RateLimitError,
    SchemaError,
    SourceError,
    TransientError,
    UnreachableError,
    explain_status,
)
from macro_assets.sources.fetching import fetch
from macro_assets.sources.http import HttpClient, Patience, _Guarded, _retry_after, public_addresses
from macro_assets.sources.protocol import Request, Response, Window, connector
from macro_assets.sources.reach import Reach
from macro_assets_tests.loopback import Asked, Loopback, Script, Scripted
from macro_assets_tests.sources.wire import toy_series

SECRET = "s3cr3t-Key/with+signs=&%9"
"""A key whose every spelling must stay inside: it needs escapes in a query, in JSON and in a form."""

OK = Scripted(body=b'{"rows": [1, 2, 3]}')
LIMITED = Scripted(429, b"slow down")
QUICK = Patience(attempts=5, first_delay=1.0, longest_delay=4.0, longest_retry_after=120.0)


@pytest.fixture(autouse=True)
def own_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits of other tests, runs and users do not count."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def source(place: str | None = None, required: bool = True, prefix: str = "", **api: Any) -> Source:
    """A source, whose key goes to a place where it has one."""
    key = place and Key.model_validate(
        {
            "environment": "LOOP_KEY",
            "place": place,
            "name": "api_key",
            "prefix": prefix,
            "required": required,
            "url": "https://provider.example/keys",
        }
    )
    facts = {"base_url": "https://provider.example/v1", "requests_per_second": 50, "key": key or None, **api}
    return Source(
        name="loop",
        title="Loop",
        description="A toy",
        url="https://provider.example",
        owner="team:research",
        api=Api.model_validate(facts),
    )


class Sleeper:
    """Notes how long one would have slept; the limiter's own waits of microseconds are left out."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def __call__(self, seconds: float) -> None:
        if seconds > 0.001:
            self.slept.append(seconds)


@contextmanager
def client(
    server: Loopback | str,
    of: Source | None = None,
    explain: Callable[[Response], SourceError | None] = explain_status,
    patience: Patience = QUICK,
    environ: Mapping[str, str] | None = None,
    **more: Any,
) -> Iterator[HttpClient]:
    """A client of a source that asks the server in place of the provider."""
    url = server if isinstance(server, str) else server.url
    there = {"MACRO_URL_LOOP": url, "MACRO_RATE_LOOP": "1e6", "LOOP_KEY": SECRET, **(environ or {})}
    more = {"sleep": Sleeper(), **more}
    one = HttpClient(of or source(), explain, environ=there, patience=patience, **more)
    try:
        yield one
    finally:
        one.close()


def asked_of(script: Scripted | list[Scripted], **more: Any) -> tuple[Response | SourceError, int, list[float]]:
    """What a client makes of a script: its response or error, how often it asked, how it waited between."""
    sleeper = Sleeper()
    with Loopback({"/a": script}) as server, client(server, sleep=sleeper, **more) as one:
        try:
            got: Response | SourceError = one.get(Request("/a"))
        except SourceError as error:
            got = error
        return got, server.count(), sleeper.slept


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


# --- what goes out, what comes back --------------------------------------------------------------------------------


def test_the_answer_comes_back_with_what_landing_keeps() -> None:
    before = datetime.now(UTC)
    with Loopback({"/a/b c": OK}, otherwise=OK) as server, client(server) as one:
        response = one.get(Request("/a/b c", (("x", "1 2"), ("y", "é&=+#"), ("z", "a,b:c'(d)*!/$@"))))
        asked = server.asked[0]
    assert response.body == OK.body
    assert response.http_status == 200
    assert before <= response.fetched_at <= datetime.now(UTC)
    assert response.seconds is not None
    assert 0 <= response.seconds < 60
    target = "/a/b%20c?x=1%202&y=%C3%A9%26%3D%2B%23&z=a,b:c'(d)*!/$@"
    assert response.request == f"GET https://provider.example/v1{target}", "the provider's own address, not a mirror's"
    assert asked.target == target, "sent is what is kept"
    assert asked.params == [("x", "1 2"), ("y", "é&=+#"), ("z", "a,b:c'(d)*!/$@")]


def test_a_post_carries_its_body() -> None:
    with Loopback({"/a": OK}) as server, client(server) as one:
        response = one.get(Request("/a", json='{"ids": ["X"]}'))
        asked = server.asked[0]
    assert (asked.method, asked.body, asked.headers["Content-Type"]) == ("POST", b'{"ids": ["X"]}', "application/json")
    assert response.request == 'POST https://provider.example/v1/a {"ids": ["X"]}'


def test_the_source_says_who_asks_and_how() -> None:
    headers = {"Accept": "text/csv", "Accept-Language": "en"}
    with Loopback({"/a": OK}) as server, client(server, source(headers=headers)) as one:
        one.get(Request("/a"))
        sent = server.asked[0].headers
    assert sent["User-Agent"].startswith("macro_assets/")
    assert (sent["Accept"], sent["Accept-Language"], sent["Accept-Encoding"]) == ("text/csv", "en", "gzip")


def test_proxies_and_passwords_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password mine\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{free_port()}")
    with Loopback({"/a": OK}) as server, client(server) as one:
        assert one.get(Request("/a")).body == OK.body
        assert "Authorization" not in server.asked[0].headers


def test_a_source_without_a_network_has_no_client() -> None:
    with pytest.raises(ValueError, match="source loop is not reached over a network"):
        HttpClient(source().model_copy(update={"api": None}), explain_status, environ={})


# --- asking again --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_a_passing_failure_is_asked_again_until_it_passes(status: int) -> None:
    got, count, _ = asked_of([Scripted(status), Scripted(status), OK])
    assert isinstance(got, Response)
    assert (got.body, count) == (OK.body, 3)


@pytest.mark.parametrize("status", [408, 429, 500, 503])
@pytest.mark.parametrize("attempts", [1, 2, 5])
def test_asking_again_is_bounded_and_the_last_answer_is_shown(status: int, attempts: int) -> None:
    script = [Scripted(status, f"answer {n}".encode()) for n in range(1, 9)]
    got, count, slept = asked_of(script, patience=Patience(attempts=attempts))
    assert isinstance(got, Response)
    assert (got.http_status, got.body, count) == (status, f"answer {attempts}".encode(), attempts)
    assert len(slept) == attempts - 1


def test_delays_double_up_to_the_longest_with_jitter() -> None:
    spans = [(0.5, 1), (1, 2), (2, 4), (2, 4)]
    tries = [asked_of(Scripted(503))[2] for _ in range(5)]
    for slept in tries:
        assert len(slept) == 4
        assert all(low <= s <= high for s, (low, high) in zip(slept, spans, strict=True)), slept
    assert len({s for slept in tries for s in slept}) == 20, "processes that failed together must not ask together"


FAULTS = {
    "silent": Scripted(silent=True),
    "reset before the status": Scripted(silent=True, reset=True),
    "reset in the body": Scripted(body=b"x" * 5000, send=2000, reset=True),
    "short body": Scripted(body=b"x" * 5000, send=2000),
    "cut gzip": Scripted(body=gzip.compress(b"x" * 5000)[:-9], headers={"Content-Encoding": "gzip"}),
    "broken gzip": Scripted(body=gzip.compress(b"x" * 5000)[:12] + b"\xff" * 9, headers={"Content-Encoding": "gzip"}),
    "wrong checksum": Scripted(body=gzip.compress(b"x")[:-8] + b"\0" * 8, headers={"Content-Encoding": "gzip"}),
    "no status line": Scripted(status=99999),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_a_fault_of_the_way_is_asked_again(fault: Scripted) -> None:
    got, count, _ = asked_of([fault, fault, OK])
    assert isinstance(got, Response), got
    assert (got.body, count) == (OK.body, 3)


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_a_fault_that_stays_is_a_transient_error_that_names_the_host(fault: Scripted) -> None:
    got, count, _ = asked_of(fault)
    assert type(got) is TransientError
    assert "127.0.0.1" in str(got)
    assert count == 5


def test_nobody_there_is_asked_twice_and_not_for_the_next_series() -> None:
    sleeper = Sleeper()
    with client(f"http://127.0.0.1:{free_port()}", sleep=sleeper) as one:
        said = set()
        for n in range(50):
            with pytest.raises(UnreachableError) as caught:
                one.get(Request(f"/{n}"))
            said.add(str(caught.value))
    assert said == {"127.0.0.1 refuses the connection. Ask again later."}, "one reason, told once"
    assert len(sleeper.slept) == 1


def test_a_host_that_is_back_is_asked_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that restarts refuses for a moment."""
    script = [Scripted(503), OK]
    with Loopback({"/a": script}) as server, client(server) as one:
        exchange, refused = one._exchange, iter([httpx.ConnectError("[Errno 111] Connection refused")])

        def sometimes(*given: Any) -> Any:
            error = next(refused, None)
            if error is not None:
                raise error from ConnectionRefusedError(111, "Connection refused")
            return exchange(*given)

        monkeypatch.setattr(one, "_exchange", sometimes)
        assert one.get(Request("/a")).body == OK.body
        assert server.count() == 2


def test_an_answer_that_does_not_come_is_given_up() -> None:
    late = Scripted(body=b"late", delay=1.5)
    got, count, _ = asked_of([late, OK], of=source(timeout_seconds=0.3))
    assert isinstance(got, Response)
    assert (got.body, count) == (OK.body, 2)
    got, count, _ = asked_of(late, of=source(timeout_seconds=0.2), patience=Patience(attempts=2))
    assert type(got) is TransientError
    assert "ReadTimeout" in str(got)
    assert count == 2


def test_an_answer_that_comes_by_drops_is_given_up() -> None:
    """Every drop comes in time, but 300 of them would take half a minute."""
    start = time.monotonic()
    slow = Scripted(body=b"x" * 300, drip=(1, 0.1))
    got, _, _ = asked_of(slow, of=source(timeout_seconds=0.3), patience=Patience(attempts=1))
    assert type(got) is TransientError
    assert "did not end in 1.5 s" in str(got)
    assert time.monotonic() - start < 15


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (204, None),
        (304, None),
        (400, SchemaError),
        (401, AuthError),
        (403, AuthError),
        (404, NotFoundError),
        (405, SchemaError),
        (410, NotFoundError),
        (422, SchemaError),
    ],
)
def test_a_lasting_error_is_asked_once(status: int, kind: type[SourceError] | None) -> None:
    body = b"" if kind is None else b"No such thing"
    got, count, slept = asked_of(Scripted(status, body, {"Retry-After": "1"}))
    assert isinstance(got, Response)
    assert (got.http_status, got.body, count, slept) == (status, body, 1, [])
    if kind is not None:
        error = explain_status(got)
        assert type(error) is kind
        assert "No such thing" in str(error)


def test_what_the_connector_takes_for_passing_is_asked_again() -> None:
    """Some providers tell a failure with status 200, others a bad request where they mean a bad moment."""

    def explain(response: Response) -> SourceError | None:
        return TransientError("try later") if b"try later" in response.body else explain_status(response)

    for said in (Scripted(200, b"try later"), Scripted(400, b"try later")):
        got, count, _ = asked_of([said, said, OK], explain=explain)
        assert isinstance(got, Response)
        assert (got.body, count) == (OK.body, 3)


def test_what_an_explanation_breaks_on_comes_back_to_be_kept() -> None:
    def explain(response: Response) -> SourceError | None:
        raise RecursionError("too deep")

    got, count, _ = asked_of(Scripted(200, b"[[[["), explain=explain)
    assert isinstance(got, Response)
    assert (got.body, count) == (b"[[[[", 1)


def test_a_quota_told_with_status_200_is_asked_once() -> None:
    def explain(response: Response) -> SourceError | None:
        return RateLimitError("25 requests a day") if b"quota" in response.body else explain_status(response)

    got, count, slept = asked_of(Scripted(200, b"quota"), explain=explain)
    assert isinstance(got, Response)
    assert (got.body, count, slept) == (b"quota", 1, [])


def test_a_provider_that_is_down_is_left_alone() -> None:
    with Loopback({"/up": OK}, otherwise=Scripted(503)) as server, client(server, patience=Patience(2)) as one:
        for n in (1, 2):
            assert one.get(Request(f"/{n}")).http_status == 503
        assert one.get(Request("/up")).body == OK.body, "an answer between: it is not down"
        for n in (3, 4, 5):
            assert one.get(Request(f"/{n}")).http_status == 503
        assert server.count() == 11
        for _ in range(100):
            with pytest.raises(TransientError, match="did not answer 3 requests in a row.*The last one: .*503"):
                one.get(Request("/up"))
        assert server.count() == 11


def test_a_lasting_error_does_not_make_a_provider_down() -> None:
    with Loopback({}) as server, client(server) as one:
        for n in range(9):
            assert one.get(Request(f"/{n}")).http_status == 404
        assert server.count() == 9


@pytest.mark.parametrize("headers", [{}, {"Retry-After": "86400"}])
def test_a_quota_that_is_spent_is_not_asked_for_every_series(headers: dict[str, str]) -> None:
    """Two hundred series that wait out a limit one after the other would take hours."""
    sleeper = Sleeper()
    limited = Scripted(429, b"daily quota", headers)
    with Loopback({}, otherwise=limited) as server, client(server, sleep=sleeper) as one:
        for n in range(3):
            assert one.get(Request(f"/{n}")).http_status == 429
        spent, waited = server.count(), len(sleeper.slept)
        for n in range(200):
            with pytest.raises(RateLimitError, match="asked too often.*Fetch again later"):
                one.get(Request(f"/{n}"))
        assert (server.count(), len(sleeper.slept)) == (spent, waited)


# --- Retry-After ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [429, 503])
def test_a_provider_says_in_seconds_when_to_come_back(status: int) -> None:
    got, count, slept = asked_of([Scripted(status, b"", {"Retry-After": "30"}), OK])
    assert isinstance(got, Response)
    assert (got.body, count) == (OK.body, 2)
    assert len(slept) == 1
    assert 29 < slept[0] <= 30


def test_a_provider_says_by_a_date_when_to_come_back() -> None:
    until = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    got, count, slept = asked_of([Scripted(429, b"", {"Retry-After": until}), OK])
    assert isinstance(got, Response)
    assert (got.body, count) == (OK.body, 2)
    assert len(slept) == 1
    assert 50 < slept[0] <= 60


@pytest.mark.parametrize(
    "told",
    [
        "0",
        "-5",
        "Wed, 21 Oct 2015 07:28:00 GMT",
        "soon",
        "1.5",
        "",
        "Wed, 99 Foo 2015",
        "Wed, 21 Oct 99999 07:28:00 GMT",
        "Wed, 21 Oct 2015 07:28:00 +999999",
        "\u00bd".encode().decode("latin-1"),
    ],
)
def test_what_means_no_wait_is_the_usual_wait(told: str) -> None:
    """A provider that says 'now' again and again, or whose clock is behind, must not be asked without pause."""
    got, count, slept = asked_of([Scripted(503, b"", {"Retry-After": told}), OK])
    assert isinstance(got, Response)
    assert (got.body, count) == (OK.body, 2)
    assert len(slept) == 1
    assert 0.5 <= slept[0] <= 1


@pytest.mark.parametrize("told", ["121", "86400", "9" * 400, "9" * 5000, "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_a_wait_beyond_patience_fails_at_once_and_holds_everybody_back(told: str) -> None:
    limited = Scripted(429, b"tomorrow", {"Retry-After": told})
    sleeper = Sleeper()
    with Loopback({"/a": [limited, OK]}) as server, client(server, sleep=sleeper) as one:
        response = one.get(Request("/a"))
        assert type(explain_status(response)) is RateLimitError
        assert (server.count(), sleeper.slept) == (1, [])
        with client(server, sleep=sleeper) as another:
            assert another.get(Request("/a")).body == OK.body
        assert len(sleeper.slept) == 1
        assert 119 < sleeper.slept[0] <= 120


def test_a_date_without_a_zone_is_of_utc() -> None:
    until = (datetime.now(UTC) + timedelta(seconds=60)).strftime("%a, %d %b %Y %H:%M:%S")
    told = _retry_after(httpx.Headers({"Retry-After": until}))
    assert told is not None
    assert 50 < told <= 60


# --- how much, and how packed --------------------------------------------------------------------------------------


def test_a_compressed_answer_is_unpacked() -> None:
    got, _, _ = asked_of(Scripted(body=b"figures " * 1000, gzipped=True))
    assert isinstance(got, Response)
    assert got.body == b"figures " * 1000


def test_a_compressed_answer_of_several_members_is_read_to_its_end() -> None:
    body = gzip.compress(b"first,") + gzip.compress(b"") + gzip.compress(b"second")
    got, _, _ = asked_of(Scripted(body=body, headers={"Content-Encoding": "gzip"}))
    assert isinstance(got, Response)
    assert got.body == b"first,second"


@pytest.mark.parametrize("status", [200, 404, 204])
def test_nothing_compressed_is_nothing(status: int) -> None:
    got, count, _ = asked_of(Scripted(status, b"", {"Content-Encoding": "gzip"}))
    assert isinstance(got, Response)
    assert (got.body, count) == (b"", 1)


def test_a_body_that_is_not_compressed_though_it_says_so_is_kept() -> None:
    got, _, _ = asked_of(Scripted(body=b"plain,text", headers={"Content-Encoding": "gzip"}))
    assert isinstance(got, Response)
    assert got.body == b"plain,text"


MEGABYTE = 1_000_000
LARGE = {
    "announced": Scripted(body=b"x" * (MEGABYTE + 1)),
    "not announced": Scripted(body=b"x" * (2 * MEGABYTE), length=False),
    "gzip bomb": Scripted(body=b"\0" * (64 * MEGABYTE), gzipped=True),
    "gzip bomb of members": Scripted(
        body=gzip.compress(b"\0" * (MEGABYTE // 2)) * 200, headers={"Content-Encoding": "gzip"}
    ),
    "error page": Scripted(404, b"x" * (2 * MEGABYTE)),
}


@pytest.mark.parametrize("answer", LARGE.values(), ids=LARGE.keys())
def test_an_answer_that_is_too_large_is_given_up(answer: Scripted) -> None:
    got, count, _ = asked_of(answer, of=source(max_body_mb=1))
    assert type(got) is SchemaError
    assert "larger than 1 MB" in str(got)
    assert "max_body_mb" in str(got)
    assert count == 1


def test_an_endless_answer_is_not_read_to_its_end() -> None:
    """What is allowed is read, and the rest is never sent but for what lies in buffers of the network."""
    endless = Scripted(body=b"x" * (64 * MEGABYTE), drip=(100_000, 0.0))
    with Loopback({"/a": endless}) as server, client(server, source(max_body_mb=1)) as one:
        with pytest.raises(SchemaError, match="larger than 1 MB"):
            one.get(Request("/a"))
        assert server.count() == 1
    assert server.sent < 32 * MEGABYTE


def test_an_answer_of_the_largest_size_is_taken() -> None:
    for answer in (Scripted(body=b"x" * MEGABYTE), Scripted(body=b"x" * MEGABYTE, gzipped=True)):
        got, _, _ = asked_of(answer, of=source(max_body_mb=1))
        assert isinstance(got, Response)
        assert len(got.body) == MEGABYTE


# --- redirects -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("location", ["/b?x=1", "b?x=1", "./b?x=1"])
def test_a_redirect_within_the_host_is_followed(status: int, location: str) -> None:
    answers = {"/a": Scripted(status, b"moved", {"Location": location}), "/b?x=1": OK}
    with Loopback(answers) as server, client(server) as one:
        response = one.get(Request("/a"))
        assert [a.target for a in server.asked] == ["/a", "/b?x=1"]
    assert (response.body, response.http_status) == (OK.body, 200)
    assert response.request == "GET https://provider.example/v1/a", "what was asked, so that a replay finds it"


@pytest.mark.parametrize(
    "location",
    [
        "https://elsewhere.example/b",
        "//elsewhere.example/b",
        "http://169.254.169.254/latest/meta-data/",
        "http://127.0.0.1/b",
        "http://[::1]/b",
        "http://localhost:PORT/b",
        "https://127.0.0.1:PORT/b",
        "http://user@elsewhere.example/b",
        "http://127.0.0.1:PORT@elsewhere.example/b",
        "file:///etc/passwd",
        "http://[",
    ],
)
def test_a_redirect_elsewhere_is_refused(location: str) -> None:
    def script(asked: Asked) -> Scripted:
        return Scripted(302, b"", {"Location": location.replace("PORT", server.url.rpartition(":")[2])})

    with Loopback({"/a": script}, otherwise=OK) as server, client(server) as one:
        with pytest.raises(SchemaError, match="another host.*refused"):
            one.get(Request("/a"))
        assert server.count() == 1


@pytest.mark.parametrize("location", ["http://a:b:c/", "/b\u0001\u0002"])
def test_a_redirect_that_is_no_address_is_a_fault(location: str) -> None:
    got, count, _ = asked_of(Scripted(302, b"", {"Location": location}), patience=Patience(2))
    assert type(got) is TransientError
    assert "Invalid URL in location header" in str(got)
    assert count == 2


def test_redirects_that_go_round_end() -> None:
    answers = {"/a": Scripted(302, b"", {"Location": "/b"}), "/b": Scripted(302, b"", {"Location": "/a"})}
    with Loopback(answers) as server, client(server) as one:
        with pytest.raises(SchemaError, match="/a redirects more than 3 times"):
            one.get(Request("/a"))
        assert server.count() == 4


def test_a_redirect_to_nowhere_ends() -> None:
    got, count, _ = asked_of(Scripted(302))
    assert type(got) is SchemaError
    assert count == 4


# --- conditional requests ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("header", "condition"), [("ETag", "If-None-Match"), ("Last-Modified", "If-Modified-Since")])
def test_what_still_holds_is_not_sent_again(header: str, condition: str) -> None:
    value = '"abc"' if header == "ETag" else "Wed, 21 Oct 2015 07:28:00 GMT"

    def script(asked: Asked) -> Scripted:
        if asked.headers.get(condition) == value:
            return Scripted(304, b"", {header: value, "Content-Encoding": "gzip"})  # some say how it would be packed
        return Scripted(200, b"figures", {header: value})

    one_source = source(conditional=True)
    with Loopback({"/a": script}) as server:
        with client(server, one_source) as one:
            first = one.get(Request("/a"))
        assert first.validator == f"{header}: {value}"
        with client(server, one_source, remembered={first.request: first}) as one:
            again, other = one.get(Request("/a")), one.get(Request("/a", (("x", "1"),)))
        assert [condition in a.headers for a in server.asked] == [False, True, False]
    assert (again.body, again.http_status, again.validator) == (b"figures", 200, first.validator)
    assert (again.request, again.sha256) == (first.request, first.sha256)
    assert again.fetched_at > first.fetched_at
    assert other.body == b"figures"


def test_what_changed_is_sent_again() -> None:
    held = Response("GET https://provider.example/v1/a", b"old", datetime(2026, 1, 1, tzinfo=UTC), 200, 'ETag: "1"')
    answer = Scripted(200, b"new", {"ETag": '"2"'})
    with (
        Loopback({"/a": answer}) as server,
        client(server, source(conditional=True), remembered={held.request: held}) as one,
    ):
        got = one.get(Request("/a"))
    assert (got.body, got.validator) == (b"new", 'ETag: "2"')


def test_a_provider_that_is_not_known_to_compare_is_not_asked_to() -> None:
    got, _, _ = asked_of(Scripted(200, b"x", {"ETag": '"1"'}), of=source(conditional=False))
    assert isinstance(got, Response)
    assert got.validator is None
    got, _, _ = asked_of(Scripted(404, b"x", {"ETag": '"1"'}), of=source(conditional=True))
    assert isinstance(got, Response)
    assert got.validator is None, "an error does not hold"


# --- addresses -----------------------------------------------------------------------------------------------------


def resolving(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    """Let names have these addresses; returns the names that are looked up."""
    looked_up: list[str] = []

    def getaddrinfo(host: str, port: Any, *_: Any, **__: Any) -> list[Any]:
        looked_up.append(host)
        kinds = {True: socket.AF_INET6, False: socket.AF_INET}
        return [
            (kinds[":" in a], socket.SOCK_STREAM, 6, "", (a, port, 0, 0)[: 4 if ":" in a else 2]) for a in addresses
        ]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return looked_up


PRIVATE = [
    "10.0.0.1",
    "127.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1%eth0",
    "fd00::1",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::a00:1",
    "2002:7f00:1::",
]


@pytest.mark.parametrize("environ", [{}, {"MACRO_URL_LOOP": ""}], ids=["no mirror", "an empty one"])
@pytest.mark.parametrize("address", PRIVATE)
@pytest.mark.parametrize("others", [(), ("93.184.215.14",)], ids=["alone", "beside a public one"])
def test_a_name_with_a_private_address_is_refused(
    monkeypatch: pytest.MonkeyPatch, address: str, others: tuple[str, ...], environ: dict[str, str]
) -> None:
    def connect(*_: Any, **__: Any) -> None:
        raise AssertionError("a connection was tried")

    looked_up = resolving(monkeypatch, *others, address)
    monkeypatch.setattr(socket, "create_connection", connect)
    one = HttpClient(source(), explain_status, environ=environ, patience=QUICK, sleep=Sleeper())
    with pytest.raises(SchemaError, match="provider.example has the private address .*MACRO_URL_"):
        one.get(Request("/a"))
    assert looked_up == ["provider.example"], "not asked again: this does not pass"
    one.close()


def test_the_addresses_of_a_name_are_tried_ipv4_first_and_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, "2606:2800:21f::1", "93.184.215.14", "93.184.215.14", "1.1.1.1", "8.8.8.8", "9.9.9.9")
    assert public_addresses("provider.example", 443) == ["93.184.215.14", "1.1.1.1", "8.8.8.8"]
    resolving(monkeypatch, "2606:2800:21f::1")
    assert public_addresses("provider.example", 443) == ["2606:2800:21f::1"]


class Noting(httpx.BaseTransport):
    """A transport that notes what it is given."""

    def __init__(self) -> None:
        self.given: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.given.append(request)
        return httpx.Response(200, content=b"ok")


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f::1"])
def test_the_address_that_was_checked_is_the_one_that_is_connected(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    """A name that has another address a moment later (DNS rebinding) leads nowhere else."""
    looked_up = resolving(monkeypatch, address)
    below = Noting()
    with httpx.Client(transport=_Guarded(below)) as one:
        one.get("https://provider.example/v1/a?x=1")
    (given,) = below.given
    assert looked_up == ["provider.example"]
    assert given.url.host == address
    assert given.url.raw_path == b"/v1/a?x=1"
    assert given.headers["Host"] == "provider.example"
    assert given.extensions["sni_hostname"] == "provider.example", "the certificate must be of the name"


def test_the_connection_goes_to_the_checked_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """Down to the socket: httpcore is asked for the address and never looks the name up again."""
    resolving(monkeypatch, "93.184.215.14")
    connected: list[Any] = []

    def connect(address: Any, *_: Any, **__: Any) -> None:
        connected.append(address)
        raise ConnectionRefusedError("as planned")

    monkeypatch.setattr(socket, "create_connection", connect)
    one = HttpClient(source(), explain_status, environ={}, patience=Patience(1), sleep=Sleeper())
    with pytest.raises(TransientError, match="refuses the connection"):
        one.get(Request("/a"))
    assert connected == [("93.184.215.14", 443)]
    one.close()


def test_a_dead_address_of_a_name_does_not_stand_for_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, "93.184.215.14", "1.1.1.1")

    class Dead(Noting):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            answer = super().handle_request(request)
            if request.url.host == "93.184.215.14":
                raise httpx.ConnectError("refused")
            return answer

    below = Dead()
    with httpx.Client(transport=_Guarded(below)) as one:
        assert one.post("https://provider.example/a", content=b"x").content == b"ok"
    assert [(r.url.host, r.headers["Host"], r.content) for r in below.given] == [
        ("93.184.215.14", "provider.example", b"x"),
        ("1.1.1.1", "provider.example", b"x"),
    ]


def test_a_request_that_was_sent_is_not_sent_to_another_address(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, "93.184.215.14", "1.1.1.1")

    class Late(Noting):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            super().handle_request(request)
            raise httpx.ReadTimeout("late")

    below = Late()
    with httpx.Client(transport=_Guarded(below)) as one, pytest.raises(httpx.ReadTimeout):
        one.get("https://provider.example/a")
    assert len(below.given) == 1


def nameless(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """No name is known; the hosts that were looked for."""
    asked: list[str] = []

    def unknown(host: str, *_: Any, **__: Any) -> None:
        asked.append(host)
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    return asked


def named(host: str, reach: Reach, sleeper: Sleeper) -> HttpClient:
    one = HttpClient(source(base_url=f"https://{host}/v1"), explain_status, environ={}, sleep=sleeper)
    one.reach = reach
    return one


def test_a_name_nobody_knows_is_looked_up_twice_and_told_without_the_resolvers_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked, sleeper = nameless(monkeypatch), Sleeper()
    one = named("provider.example", Reach(), sleeper)
    for n in range(20):
        with pytest.raises(UnreachableError) as caught:
            one.get(Request(f"/{n}"))
        assert str(caught.value) == ("no network, or no such host: cannot resolve provider.example. Ask again later.")
    assert asked == ["provider.example"] * 2
    assert sum(sleeper.slept) < 2
    one.close()


def test_where_two_hosts_cannot_be_found_nobody_else_is_asked_for_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, now = nameless(monkeypatch), [100.0]
    reach = Reach(clock=lambda: now[0])
    for host in ("a.example", "b.example"):
        with pytest.raises(UnreachableError, match=f"cannot resolve {host}"):
            named(host, reach, Sleeper()).get(Request("/x"))
    with pytest.raises(UnreachableError, match=r"no network: neither a.example nor b.example can be reached"):
        named("c.example", reach, Sleeper()).get(Request("/x"))
    assert "c.example" not in asked
    now[0] += 61
    with pytest.raises(UnreachableError, match=r"cannot resolve c\.example"):
        named("c.example", reach, Sleeper()).get(Request("/x"))


def test_who_answers_shows_that_there_is_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    reach = Reach()
    for host in ("a.example", "b.example"):
        reach.lost(host, socket.gaierror(-2, "unknown"))
    assert reach.down() is not None
    reach.answered()
    assert reach.down() is None
    for host in ("a.example", "b.example", "c.example"):
        error = httpx.ConnectError("refused")
        error.__cause__ = ConnectionRefusedError(111, "Connection refused")
        assert isinstance(reach.lost(host, error), UnreachableError)
    assert reach.down() is None, "who refuses is there"
    for error in (httpx.ReadTimeout("late"), httpx.ConnectError("[SSL] wrong"), ssl.SSLError("wrong")):
        error.__cause__ = ssl.SSLCertVerificationError("certificate has expired")
        assert reach.lost("a.example", error) is None, "it was found"


# --- settings ------------------------------------------------------------------------------------------------------


def test_the_rate_of_the_environment_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    with client("http://127.0.0.1:1", source(requests_per_second=5)) as one:
        assert one.bucket.interval == 1e-6
    with client("http://127.0.0.1:1", source(requests_per_second=5), environ={"MACRO_RATE_LOOP": ""}) as one:
        assert one.bucket.interval == 0.2


@pytest.mark.parametrize("rate", ["fast", "0", "-1", "nan", "inf", "1,5"])
def test_a_rate_that_is_none_is_refused(rate: str) -> None:
    with pytest.raises(SourceError, match="MACRO_RATE_LOOP.*requests per second.*got"):
        HttpClient(source(), explain_status, environ={"MACRO_RATE_LOOP": rate})


@pytest.mark.parametrize(
    "url",
    [
        "localhost:8080",
        "mirror",
        "ftp://mirror",
        "http://",
        "http://me:passw0rd@mirror",
        "http://mirror/a?b=1",
        "http://a b",
    ],
)
def test_an_address_in_place_of_the_base_url_is_held_to_be_one(url: str) -> None:
    with pytest.raises(SourceError, match="MACRO_URL_LOOP.*expected an address like") as caught:
        HttpClient(source(), explain_status, environ={"MACRO_URL_LOOP": url})
    assert "passw0rd" not in str(caught.value)


def test_a_mirror_may_have_a_path_and_a_slash_at_its_end() -> None:
    with Loopback({"/mirror/v1/a": OK}) as server, client(server.url + "/mirror/v1/") as one:
        response = one.get(Request("/a"))
    assert response.body == OK.body
    assert response.request == "GET https://provider.example/v1/a"


def test_a_transport_in_place_of_the_network_gets_the_key_and_is_read() -> None:
    given: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        given.append(request)
        return httpx.Response(200, content=SECRET.encode())

    one = HttpClient(
        source("parameter"), explain_status, httpx.MockTransport(answer), {"LOOP_KEY": SECRET}, sleep=Sleeper()
    )
    assert one.get(Request("/a")).body == b"***"
    assert given[0].url.params["api_key"] == SECRET
    assert given[0].url.host == "provider.example"
    one.close()


def test_requests_are_held_to_the_rate() -> None:
    sleeper = Sleeper()
    with (
        Loopback({"/a": OK}) as server,
        client(server, source(burst=2), environ={"MACRO_RATE_LOOP": "0.1"}, sleep=sleeper) as one,
    ):
        for _ in range(4):
            one.get(Request("/a"))
    assert len(sleeper.slept) == 2
    assert 9 < sleeper.slept[0] <= 10
    assert 19 < sleeper.slept[1] <= 20, "the first two may go at once, the third waits, the fourth waits for it"


# --- keys ----------------------------------------------------------------------------------------------------------


def spellings(key: str) -> set[str]:
    escaped = {quote(key, safe=""), quote_plus(key), quote(key)}
    lower = {re.sub("%..", lambda found: found[0].lower(), e) for e in escaped}
    in_json = json.dumps(key)
    again = {quote(quote(key, safe=""), safe=""), json.dumps(in_json)[3:-3], json.dumps(json.dumps(in_json))[7:-7]}
    of_pages = {html.escape(key), html.escape(html.escape(key)), html.escape(in_json)[6:-6], key.replace("/", "&#x2F;")}
    php = {key.replace("/", "\\/"), key.replace("/", "\\u002f")}
    return {key, in_json[1:-1], repr(key)[1:-1], *escaped, *lower, *again, *of_pages, *php}


def shows_key(text: str) -> bool:
    return any(s in text for s in spellings(SECRET))


PLAIN = "9f8e7d6c5b4a39281706f5e4d3c2b1a0"
"""A key as FRED's: nothing in it needs an escape."""

IN_DISGUISE = {
    "other capitals": PLAIN.upper(),
    "some capitals": PLAIN.title(),
    "percent": "".join(f"%{ord(c):02x}" for c in PLAIN),
    "percent twice": "".join(f"%25{ord(c):02X}" for c in PLAIN),
    "JSON": "".join(f"\\u00{ord(c):02x}" for c in PLAIN),
    "entities": "".join(f"&#{ord(c)};" for c in PLAIN),
    "hexadecimal": PLAIN.encode().hex(),
    "Base64": b64encode(PLAIN.encode()).decode().rstrip("="),
    "Base64 of a pair": b64encode(f"me:{PLAIN}".encode()).decode(),
    "Base64 behind one": b64encode(f"x{PLAIN}y".encode()).decode(),
}


@pytest.mark.parametrize("disguise", IN_DISGUISE.values(), ids=IN_DISGUISE.keys())
def test_a_body_that_repeats_the_key_in_disguise_is_kept_without_it(disguise: str) -> None:
    echo = f'{{"request": "{disguise}", "v": [1, 2, 3]}}'
    got, _, _ = asked_of(Scripted(body=echo.encode()), of=source("parameter"), environ={"LOOP_KEY": PLAIN})
    assert isinstance(got, Response)
    said = got.body.decode()
    assert "***" in said
    assert disguise[4:-4] not in said, "in Base64 what stands around it stays"
    assert said.endswith('"v": [1, 2, 3]}')


def test_what_is_no_key_is_left_as_it_is() -> None:
    body = b'{"a": "9f8e7d6c", "b": "%39&#57;\\u0039", "c": "' + b64encode(PLAIN[:20].encode()) + b'"}'
    got, _, _ = asked_of(Scripted(body=body), of=source("parameter"), environ={"LOOP_KEY": PLAIN})
    assert isinstance(got, Response)
    assert got.body == body


REDIRECTS = {
    "host": "http://{}.evil.example/",
    "scheme": "{}://evil.example/",
    "bracket": "http://[{}",
    "userinfo": "http://{}@evil.example/",
    "port": "http://evil.example:{}/",
    "path": "/{}/b",
    "another parameter": "/b?again={}",
    "own userinfo": "http://{}@HERE/b",
}


@pytest.mark.parametrize("key", [PLAIN, "abcdefghij" + PLAIN[:6]], ids=["digits", "letters"])
@pytest.mark.parametrize("location", REDIRECTS.values(), ids=REDIRECTS.keys())
@pytest.mark.parametrize("spelled", [str, str.upper], ids=["as it is", "capitals"])
def test_a_redirect_that_has_the_key_in_it_shows_it_nowhere(
    location: str, spelled: Callable[[str], str], key: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    def moved(asked: Asked) -> Scripted:
        here = server.url.removeprefix("http://")
        return Scripted(302, b"", {"Location": location.replace("HERE", here).format(spelled(key))})

    with (
        Loopback({"/a": moved}, otherwise=OK) as server,
        client(server, source("header"), environ={"LOOP_KEY": key}, patience=Patience(2)) as one,
        pytest.raises(SourceError) as caught,
    ):
        one.get(Request("/a"))
    told = [str(caught.value), repr(caught.value), caplog.text, *(repr(r.args) for r in caplog.records)]
    assert not [t for t in told if key.lower() in t.lower()]


def test_a_validator_that_repeats_the_key_is_not_kept() -> None:
    answer = Scripted(body=b"figures", headers={"ETag": f'"{PLAIN}"'})
    got, _, _ = asked_of(answer, of=source("parameter", conditional=True), environ={"LOOP_KEY": PLAIN})
    assert isinstance(got, Response)
    assert got.validator is None


def everything_of(error: BaseException | None) -> Iterator[str]:
    """All that an error and what led to it can tell: what reports, traces and loggers may print."""
    seen: set[int] = set()
    left = [error]
    while left:
        one = left.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield from (str(one), repr(one), repr(one.args), *map(str, getattr(one, "__notes__", ())))
        yield from traceback.format_exception(one)
        asked = getattr(one, "_request", None)
        if asked is not None:
            yield from (str(asked.url), repr(asked.headers), asked.content.decode())
        left += [one.__cause__, one.__context__]


PLACES = [("parameter", ""), ("header", ""), ("header", "Bearer "), ("body", "")]


@pytest.mark.parametrize(("place", "prefix"), PLACES)
def test_the_key_reaches_the_provider_and_nobody_else(
    place: str, prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    asks = Request("/a", (("x", "1"),), '{"ids": [1]}' if place == "body" else None)
    with Loopback({"/a": OK}) as server, client(server, source(place, prefix=prefix)) as one:
        response = one.get(asks)
        bare = one.get(Request("/a")) if place != "body" else response
        asked, last = server.asked[0], server.asked[-1]
    if place == "parameter":
        assert asked.params == [("x", "1"), ("api_key", SECRET)]
        assert last.params == [("api_key", SECRET)]
    elif place == "header":
        assert asked.headers["api_key"] == prefix + SECRET
        assert asked.params == [("x", "1")]
    else:
        assert httpx.Response(200, content=asked.body).json() == {"ids": [1], "api_key": SECRET}
    assert not shows_key(repr(response) + repr(bare) + repr(one.get.__self__.source))
    assert caplog.records, "httpx says what it asks"
    assert not shows_key(caplog.text)
    assert not any(shows_key(repr(r.args)) for r in caplog.records)


ECHOES = {
    "EIA's form": b'{"request": {"command": "/v2/x", "params": {"api_key": "%s", "length": 5}}, "data": [1]}',
    "an address": b'<a href="/next?page=2&api_key=%s&x=1">next</a>',
}


@pytest.mark.parametrize("form", ECHOES.values(), ids=ECHOES.keys())
@pytest.mark.parametrize("spelling", sorted(spellings(SECRET)))
@pytest.mark.parametrize("status", [200, 400])
def test_a_provider_that_repeats_the_key_is_kept_without_it(form: bytes, spelling: str, status: int) -> None:
    echo = form % spelling.encode()
    for gzipped in (False, True):
        got, _, _ = asked_of(Scripted(status, echo, gzipped=gzipped), of=source("parameter"))
        assert isinstance(got, Response)
        assert got.body == form % b"***"


def test_short_keys_that_are_words_are_left_in_bodies() -> None:
    got, _, _ = asked_of(Scripted(body=b"a demo of demography"), of=source("parameter"), environ={"LOOP_KEY": "demo"})
    assert isinstance(got, Response)
    assert got.body == b"a demo of demography"


def location_with_key(asked: Asked) -> Scripted:
    """Within the host, with the whole query again, as web servers add a slash."""
    return Scripted(301, b"", {"Location": "/b?" + asked.target.partition("?")[2]})


def elsewhere_with_key(asked: Asked) -> Scripted:
    return Scripted(301, b"", {"Location": f"https://elsewhere.example/{quote(SECRET, safe='')}?api_key={SECRET}"})


TROUBLE: dict[str, Any] = {
    **FAULTS,
    "too large": Scripted(body=b"x" * (2 * MEGABYTE)),
    "elsewhere": elsewhere_with_key,
    "round and round": Scripted(302, b"", {"Location": f"/a?api_key={quote(SECRET, safe='')}"}),
}


@pytest.mark.parametrize("trouble", TROUBLE.values(), ids=TROUBLE.keys())
@pytest.mark.parametrize(("place", "prefix"), PLACES)
def test_no_error_shows_the_key(trouble: Any, place: str, prefix: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    asks = Request("/a", json="{}" if place == "body" else None)
    with (
        Loopback({"/a": trouble}) as server,
        client(server, source(place, prefix=prefix, max_body_mb=1), patience=Patience(2)) as one,
        pytest.raises(SourceError) as caught,
    ):
        one.get(asks)
    assert not [t for t in everything_of(caught.value) if shows_key(t)]
    assert not shows_key(caplog.text)


def test_no_error_of_a_connection_shows_the_key(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with (
        client(f"http://127.0.0.1:{free_port()}", source("parameter")) as one,
        pytest.raises(TransientError) as caught,
    ):
        one.get(Request("/a"))
    assert not [t for t in everything_of(caught.value) if shows_key(t)]
    assert not shows_key(caplog.text)


def test_a_redirect_that_repeats_the_query_takes_the_key_along_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with Loopback({"/a": location_with_key, "/b": OK}) as server, client(server, source("parameter")) as one:
        response = one.get(Request("/a", (("x", "1"),)))
        assert [a.params for a in server.asked] == [[("x", "1"), ("api_key", SECRET)]] * 2
    assert response.body == OK.body
    assert not shows_key(caplog.text)


def test_a_source_whose_key_is_missing_is_off() -> None:
    for environ in ({}, {"LOOP_KEY": ""}, {"LOOP_KEY": "  \n"}):
        with pytest.raises(AuthError, match="source loop is off.*LOOP_KEY.*https://provider.example/keys"):
            HttpClient(source("parameter"), explain_status, environ=environ)


def test_a_key_that_is_not_needed_may_be_missing() -> None:
    with Loopback({"/a": OK}) as server:
        with client(server, source("parameter", required=False), environ={"LOOP_KEY": ""}) as one:
            one.get(Request("/a"))
        assert server.asked[0].params == []


def test_blanks_around_a_key_are_of_the_file_it_was_kept_in() -> None:
    with Loopback({"/a": OK}) as server:
        with client(server, source("header"), environ={"LOOP_KEY": f" {SECRET}\n"}) as one:
            one.get(Request("/a"))
        assert server.asked[0].headers["api_key"] == SECRET


@pytest.mark.parametrize("wrong", ["two\nlines-of-key", "caf\u00e9-key-with-accent", "null\0in-the-middle"])
@pytest.mark.parametrize("place", ["parameter", "header", "body"])
def test_what_cannot_be_a_key_is_refused_unshown(wrong: str, place: str) -> None:
    with pytest.raises(AuthError, match="LOOP_KEY") as caught:
        HttpClient(source(place), explain_status, environ={"LOOP_KEY": wrong})
    assert not any(part in t for t in everything_of(caught.value) for part in (wrong, repr(wrong)[1:-1]))


def test_a_key_in_another_sources_place_is_not_sent() -> None:
    """The environment holds keys of many sources: one without a key in the catalog sends none."""
    with Loopback({"/a": OK}) as server, client(server, source()) as one:
        one.get(Request("/a"))
        (asked,) = server.asked
    assert not shows_key(asked.target + repr(asked.headers))


# --- the whole way -------------------------------------------------------------------------------------------------


def test_a_connector_speaks_with_a_provider_over_the_network() -> None:
    """The real connector of a real source, its answers from the server: through driver, client and sockets."""
    cboe = default_catalog().sources["cboe"]
    path = "/api/global/us_indices/daily_prices/{}_History.csv"
    answers: dict[str, Script] = {
        path.format("VIX"): [Scripted(503), Scripted(body=b"DATE,CLOSE\n01/02/2024,13.2\n", gzipped=True)],
        path.format("VVIX"): Scripted(body=b"<html>Sorry</html>"),
        path.format("SKEW"): Scripted(body=b"DATE,SKEW\n01/02/2024,140.5\n", send=3),
    }
    with Loopback(answers) as server:
        environ = {"MACRO_URL_CBOE": server.url, "MACRO_RATE_CBOE": "1e6"}
        series = [toy_series("cboe", code, id=code) for code in ("VIX", "VVIX", "SKEW", "NONE")]
        one = HttpClient(cboe, connector(cboe).explain, environ=environ, patience=Patience(2), sleep=Sleeper())
        fetched = fetch(cboe, one, series, Window(today=date(2026, 11, 20)))
        one.close()
        assert [server.count(path.format(s.id)) for s in series] == [2, 1, 2, 1]
    assert fetched.observations.select("series_id", "value").rows() == [("VIX", 13.2)]
    assert set(fetched.failures) == {"VVIX", "SKEW", "NONE"}
    assert "page of HTML" in fetched.failures["VVIX"]
    assert "RemoteProtocolError" in fetched.failures["SKEW"]
    assert "HTTP 404" in fetched.failures["NONE"]
    assert [r.http_status for r in fetched.responses] == [200, 200, 404]
