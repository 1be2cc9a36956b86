"""The one way to a provider over the network.

A client asks the provider's own host and no other, at the provider's rate, holds its own patience, and gives back
bytes and status. Keys come from the environment and leave with the request alone.
"""

from __future__ import annotations

import gzip
import io
import ipaddress
import math
import os
import random
import re
import socket
import ssl
import time
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from urllib.parse import urlsplit

import httpx
from polars.exceptions import PanicException

import macro_assets
from macro_assets.catalog import Api, Source
from macro_assets.sources.errors import (
    AuthError,
    RateLimitError,
    SchemaError,
    SourceError,
    TransientError,
    UnreachableError,
)
from macro_assets.sources.keyed import Keyed
from macro_assets.sources.limits import Bucket
from macro_assets.sources.protocol import Request, Response, request_text
from macro_assets.sources.reach import NETWORK, Reach
from macro_assets.sources.secrets import HIDDEN, body_without_key, has_key, key_of, missing_key, without_key, wrong_key

_REDIRECTS = 3
_DOWN_AFTER = 3
_UNREACHED = 2
"""How often in a row a host is looked for: it is not there for its other series either."""
_CONNECT_SECONDS = 5.0
_GZIP = b"\x1f\x8b"
_ADDRESSES = 3
"""How many of a name's addresses are tried before a connection counts as failed."""
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


@dataclass(frozen=True)
class Patience:
    """How long to go on asking: attempts, and seconds between them."""

    attempts: int = 5
    first_delay: float = 1.0
    longest_delay: float = 60.0
    longest_retry_after: float = 120.0


class HttpClient:
    """Asks one source.

    Parameters
    ----------
    source
        A source with an `api`. `MACRO_URL_<SOURCE>` in the environment replaces its base URL, private addresses
        included; `MACRO_RATE_<SOURCE>` its requests per second.
    explain
        The connector's reading of errors: what it takes for a :class:`TransientError` is asked again.
    transport
        In place of the network.
    remembered
        Earlier responses by the text of their request, to ask whether they still hold.

    Raises
    ------
    AuthError
        When the source needs a key and the environment has none, or something that cannot be one.
    SourceError
        When the rate or the URL of the environment is none.
    """

    def __init__(
        self,
        source: Source,
        explain: Callable[[Response], SourceError | None],
        transport: httpx.BaseTransport | None = None,
        environ: Mapping[str, str] = os.environ,
        patience: Patience | None = None,
        remembered: Mapping[str, Response] | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        api = source.api
        if api is None:
            raise ValueError(f"source {source.name} is not reached over a network")
        if why := missing_key(source, environ) or wrong_key(source, environ):
            raise AuthError(why)
        self.source, self.api, self.explain, self.sleep = source, api, explain, sleep
        self.patience, self.remembered = patience or Patience(), remembered or {}
        self.key = key_of(source, environ)
        own = _own_url(source, environ)
        self.base = (own or api.base_url).rstrip("/")
        self.reach = NETWORK if own is None else Reach()  # a mirror may be of this machine
        self.proxy = _proxy(environ) if own is None else None
        self.bucket = Bucket(urlsplit(self.base).netloc, _rate(source, api, environ), api.burst, sleep=sleep)
        way = transport or _network(self.proxy, guarded=own is None)
        if self.key is not None and api.key is not None:
            way = Keyed(way, api.key, self.key)
        agent = f"macro_assets/{macro_assets.__version__}"
        self._http = httpx.Client(
            transport=way,
            headers={"User-Agent": agent, "Accept-Encoding": "gzip", **api.headers},
            timeout=httpx.Timeout(api.timeout_seconds, connect=min(_CONNECT_SECONDS, api.timeout_seconds)),
            follow_redirects=False,
        )
        self._failed_in_a_row = 0
        self._last_failure = ""
        self._limited = False
        self._unreachable: UnreachableError | None = None

    def close(self) -> None:
        self._http.close()

    def get(self, request: Request) -> Response:
        """Send a request and return what came, an error's body too.

        Raises
        ------
        SourceError
            When nothing came, or nothing that may be kept: the provider cannot be reached, sends too much, or points
            elsewhere. No message carries the key.
        """
        if (nobody := self._unreachable or self.reach.down()) is not None:
            raise UnreachableError(str(nobody))  # a new one each time: threads share the client
        if self._failed_in_a_row >= _DOWN_AFTER:
            if self._limited:  # to wait out a spent quota once more for every series would take hours
                raise RateLimitError(
                    f"{self.base} was asked too often {_DOWN_AFTER} times in a row: not asked again in this fetch. "
                    "Fetch again later."
                )
            raise TransientError(
                f"{self.base} did not answer {_DOWN_AFTER} requests in a row: taken for down, not asked again in this "
                f"fetch. Fetch again later. The last one: {self._last_failure}"
            )
        response, error = self._patiently(request)
        if response is None and error is not None:
            raise error
        assert response is not None
        return response

    def _patiently(self, request: Request) -> tuple[Response | None, SourceError | None]:
        response: Response | None = None
        error: SourceError | None = None
        unreached = 0
        for attempt in range(1, self.patience.attempts + 1):
            asked_to_wait: float | None = None
            try:
                response, asked_to_wait = self._once(request)
                error = self._explained(response)
            except SourceError as failed:
                response, error = None, self._told(failed)
            unreached = unreached + 1 if isinstance(error, UnreachableError) else 0
            if unreached == _UNREACHED:
                break
            if not self._is_worth_another(response, error) or attempt == self.patience.attempts:
                break
            if asked_to_wait is not None and asked_to_wait > self.patience.longest_retry_after:
                self.bucket.pause(self.patience.longest_retry_after)
                break
            self._wait(attempt, asked_to_wait)
        self._failed_in_a_row = self._failed_in_a_row + 1 if isinstance(error, TransientError) else 0
        self._last_failure = str(error or "")
        self._limited = isinstance(error, RateLimitError)
        self._unreachable = error if isinstance(error, UnreachableError) else None
        return response, error

    def _explained(self, response: Response) -> SourceError | None:
        """The error that an answer stands for; None too where it cannot be told: who asked finds out, and keeps it."""
        try:
            return self._told(self.explain(response))
        except (Exception, PanicException):
            return None

    def _told(self, error: SourceError | None) -> SourceError | None:
        """An error whose message has no key, in any spelling: a body or an address that came may have held it."""
        said = without_key(str(error), self.key)
        return error if error is None or said == str(error) else type(error)(said)

    def _is_worth_another(self, response: Response | None, error: SourceError | None) -> bool:
        """Whether asking again may help. A limit told with status 200 is a quota: it does not pass in a minute."""
        if not isinstance(error, TransientError):
            return False
        return not (isinstance(error, RateLimitError) and response is not None and response.http_status == 200)

    def _wait(self, attempt: int, asked_to_wait: float | None) -> None:
        if asked_to_wait:  # 0, or a date that is past, is no reason to ask without pause
            self.bucket.pause(asked_to_wait)  # for every process: the next one that takes waits
            return
        longest = min(self.patience.first_delay * 2 ** (attempt - 1), self.patience.longest_delay)
        self.sleep(random.uniform(longest / 2, longest))  # apart, lest all ask again at once

    # --- one exchange ----------------------------------------------------------------------------------------------

    def _once(self, request: Request) -> tuple[Response, float | None]:
        """One exchange, redirects within the host included: the response, and the seconds it asks to wait."""
        url = self.base + request.target
        text = request_text(self.source, request)
        earlier = self.remembered.get(text)
        headers = _conditions(earlier)
        for _ in range(_REDIRECTS + 1):
            self.bucket.take()
            start = time.monotonic()
            try:
                status, answered, body = self._exchange(url, request.json, headers)
            except (httpx.HTTPError, OSError) as error:
                raise self._why_not(error) from None
            self.reach.answered()
            if status in (301, 302, 303, 307, 308):
                url = self._redirected(url, answered.get("location", ""))
                continue
            if status == 304 and earlier is not None:
                return earlier_again(earlier), None
            response = Response(
                request=text,
                body=body_without_key(body, self.key),
                fetched_at=datetime.now(UTC),
                http_status=status,
                validator=self._validator(answered) if status == 200 else None,
                seconds=time.monotonic() - start,
            )
            return response, _retry_after(answered)
        raise SchemaError(f"{self.base}{request.path} redirects more than {_REDIRECTS} times. Check the base URL.")

    def _why_not(self, error: Exception) -> SourceError:
        """What an exchange that failed means; a host that was not reached is remembered."""
        host = urlsplit(self.base).hostname or self.base
        if (lost := self.reach.lost(host, error, self.proxy and urlsplit(self.proxy).hostname)) is not None:
            return lost
        said = without_key(f"{type(error).__name__}: {error}", self.key)
        return TransientError(f"{self.base} cannot be reached: {said}. Ask again later.")

    def _validator(self, headers: httpx.Headers) -> str | None:
        """What the provider can be asked to compare with; nothing that repeats the key."""
        told = _validator(headers) if self.api.conditional else None
        return None if told is None or has_key(told, self.key) else told

    def _exchange(self, url: str, json: str | None, headers: Mapping[str, str]) -> tuple[int, httpx.Headers, bytes]:
        method, content = ("GET", None) if json is None else ("POST", json.encode())
        sent = dict(headers) if json is None else {**headers, "Content-Type": "application/json"}
        most, deadline = int(self.api.max_body_mb * 1e6), time.monotonic() + 5 * self.api.timeout_seconds
        with self._http.stream(method, url, content=content, headers=sent) as answer:
            if answer.is_stream_consumed:  # a transport in place of the network may give all at once
                return answer.status_code, answer.headers, answer.content
            parts, size = [], 0
            for part in answer.iter_raw():  # as it comes: collected to a size, slow drops would not be timed
                size += len(part)
                if size > most:
                    raise SchemaError(_too_large(url, most))
                if time.monotonic() > deadline:
                    raise TransientError(f"{self.base}: the answer did not end in {5 * self.api.timeout_seconds:g} s")
                parts.append(part)
        body = _unpacked(b"".join(parts), answer.headers.get("content-encoding", ""), most, url)
        return answer.status_code, answer.headers, body

    def _redirected(self, url: str, location: str) -> str:
        here = httpx.URL(url)
        try:
            target = here.join(location)
        except httpx.InvalidURL:
            raise SchemaError(f"{self.base} redirects to something that is no address: refused.") from None
        if (target.scheme, target.host, target.port) != (here.scheme, here.host, here.port):
            # of an address with the key in it the host may be a part of the key
            shown = HIDDEN if has_key(location, self.key) else f"{target.scheme}://{target.host}"
            raise SchemaError(
                f"{self.base} points to another host, {shown}: refused. "
                "If the provider moved, change the source's base_url in the catalog."
            )
        if self.api.key is not None and self.api.key.name in target.params:  # repeated from our query; added anew
            target = target.copy_remove_param(self.api.key.name)
        if has_key(str(target), self.key):  # it would be logged
            raise SchemaError(f"{self.base} redirects to an address that has the key in it: refused.")
        return str(target)


def _own_url(source: Source, environ: Mapping[str, str]) -> str | None:
    """What the environment has in place of the base URL. It is not shown where it is wrong: it may hold a password."""
    name = f"MACRO_URL_{source.name.upper()}"
    told = environ.get(name) or None
    if told is not None and not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", told):
        raise SourceError(f"{name} in the environment: expected an address like http://host:8080/path. Correct it.")
    return told


def _rate(source: Source, api: Api, environ: Mapping[str, str]) -> float:
    """Requests per second: those of the environment, or else of the catalog."""
    name = f"MACRO_RATE_{source.name.upper()}"
    told = environ.get(name)
    if not told:
        return api.requests_per_second
    try:
        rate = float(told)
    except ValueError:
        rate = math.nan
    if not 0 < rate < math.inf:
        raise SourceError(f"{name} in the environment: expected requests per second above 0, got {told!r}. Correct it.")
    return rate


def earlier_again(earlier: Response) -> Response:
    """An earlier response that still holds, as of now."""
    return Response(earlier.request, earlier.body, datetime.now(UTC), 200, earlier.validator)


def _conditions(earlier: Response | None) -> dict[str, str]:
    if earlier is None or not earlier.validator:
        return {}
    kind, _, value = earlier.validator.partition(": ")
    return {{"ETag": "If-None-Match", "Last-Modified": "If-Modified-Since"}[kind]: value}


def _validator(headers: httpx.Headers) -> str | None:
    return next((f"{k}: {headers[k]}" for k in ("ETag", "Last-Modified") if headers.get(k)), None)


def _retry_after(headers: httpx.Headers) -> float | None:
    """Seconds a provider asks to wait, told as seconds or as a date; None where it asks for none it can mean."""
    told = headers.get("retry-after", "").strip()
    if told.isascii() and told.isdigit():
        return float(told)
    try:
        until = parsedate_to_datetime(told)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return max(0.0, (until.replace(tzinfo=until.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


def _unpacked(body: bytes, encoding: str, most: int, url: str) -> bytes:
    """A body as it was before transport; one that is plain though it says otherwise, as it came."""
    if not body or encoding.lower() not in ("gzip", "x-gzip", "deflate"):
        return body
    try:
        if body.startswith(_GZIP):
            plain = gzip.GzipFile(fileobj=io.BytesIO(body)).read(most + 1)  # of all its members, checksums checked
        else:
            stream = zlib.decompressobj()
            plain = stream.decompress(body, most + 1)
            if len(plain) <= most and not stream.eof:
                raise EOFError
    except (OSError, EOFError, zlib.error) as error:
        if isinstance(error, zlib.error) and not body.startswith(_GZIP):
            return body
        raise TransientError(
            f"{urlsplit(url).netloc}: the compressed answer is cut off or damaged. Ask again later."
        ) from None
    if len(plain) > most:
        raise SchemaError(_too_large(url, most))
    return plain


def _too_large(url: str, most: int) -> str:
    return (
        f"{urlsplit(url).netloc}: the answer is larger than {most / 1e6:g} MB and was given up. If it is right, raise "
        "max_body_mb of the source."
    )


# --- addresses -----------------------------------------------------------------------------------------------------


class _Guarded(httpx.BaseTransport):
    """Connects to public addresses only: a name is looked up, checked, and the checked address is what is connected."""

    def __init__(self, transport: httpx.BaseTransport) -> None:
        self.transport = transport

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        *others, last = public_addresses(request.url.host, request.url.port or 443)
        for address in others:
            with suppress(httpx.ConnectError, httpx.ConnectTimeout):  # nothing was sent yet
                return self.transport.handle_request(_to(address, request))
        return self.transport.handle_request(_to(last, request))

    def close(self) -> None:
        self.transport.close()


def _to(address: str, request: httpx.Request) -> httpx.Request:
    """A request to an address, which is still one to the name: for the server, and for its certificate."""
    headers = {**request.headers, "host": request.url.netloc.decode()}
    named = {**request.extensions, "sni_hostname": request.url.host}
    url = request.url.copy_with(host=address)
    return httpx.Request(request.method, url, headers=headers, content=request.read(), extensions=named)


def public_addresses(host: str, port: int) -> list[str]:
    """Addresses of a host to try, the first first; all that it has must be public.

    Raises
    ------
    SchemaError
        When one is private, of this machine, or otherwise not of the public network.
    """
    found = [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    for address in found:
        if not _is_public(address):
            raise SchemaError(
                f"{host} has the private address {address}: refused. Set MACRO_URL_<SOURCE> if a mirror is meant."
            )
    ipv4_first = sorted(dict.fromkeys(found), key=lambda a: ":" in a)  # many networks have no way for IPv6
    return ipv4_first[:_ADDRESSES]


def _is_public(address: str) -> bool:
    """Whether an address, and the IPv4 address inside it if there is one, is of the public network."""
    one = ipaddress.ip_address(address.partition("%")[0])
    inner = [one]
    if isinstance(one, ipaddress.IPv6Address):
        within = [one.ipv4_mapped, one.sixtofour, ipaddress.IPv4Address(int(one) % 2**32) if one in _NAT64 else None]
        inner += [a for a in within if a is not None]
    return all(a.is_global and not a.is_multicast for a in inner)


@cache
def _trusted() -> ssl.SSLContext:
    """The certificates that are trusted, loaded once: that takes 16 ms, and every source has a client."""
    return httpx.create_ssl_context(trust_env=False)


def _proxy(environ: Mapping[str, str]) -> str | None:
    return environ.get("HTTPS_PROXY") or environ.get("https_proxy") or None


def _network(proxy: str | None, guarded: bool) -> httpx.BaseTransport:
    """The network, through a proxy if there is one (it then looks up the names)."""
    if proxy:
        return httpx.HTTPTransport(proxy=proxy, trust_env=False, verify=_trusted())
    plain = httpx.HTTPTransport(trust_env=False, verify=_trusted())
    return _Guarded(plain) if guarded else plain
