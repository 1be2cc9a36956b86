"""A real HTTP server on 127.0.0.1 that answers as scripted, badly where that is asked, and notes what it was asked.

with Loopback({"/series": [Scripted(503), Scripted(body=b"{}")]}) as server:
    ...  # ask server.url
    assert server.count("/series") == 2
"""

from __future__ import annotations

import gzip
import os
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit


@dataclass(frozen=True)
class Scripted:
    """One answer.

    Parameters
    ----------
    body
        As it is before transport.
    headers
        Besides Content-Length, which is there unless `length` is False. A value given here is sent in place of ours.
    delay
        Seconds before the first byte.
    gzipped
        Send the body compressed, and say so.
    send
        Bytes of the body that are sent before the connection ends, though Content-Length promises all; None = all.
    reset
        End the connection by a TCP reset rather than in order.
    silent
        Send nothing at all, not even a status.
    drip
        Bytes of each piece the body is sent in, and seconds between pieces.
    """

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    gzipped: bool = False
    length: bool = True
    send: int | None = None
    reset: bool = False
    silent: bool = False
    drip: tuple[int, float] | None = None


@dataclass(frozen=True)
class Asked:
    """One request as it came; `at` is of the monotonic clock, which all processes of the machine share."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    at: float

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def params(self) -> list[tuple[str, str]]:
        return parse_qsl(urlsplit(self.target).query, keep_blank_values=True)


Script = Scripted | Sequence[Scripted] | Callable[[Asked], Scripted]
"""An answer for every time, answers for the first, second, ... time (the last again and again), or a function."""


class Loopback:
    """The server. Use it in a `with`.

    Parameters
    ----------
    answers
        By what is asked: path and query ('/a?b=1'; with a POST's body after a blank, or without it), or the path alone.
    otherwise
        What everything else gets.
    latency
        Seconds before every answer, for benchmarks.
    ignored
        Parameters that do not count when an answer is looked up by path and query, such as a key's.
    """

    def __init__(
        self,
        answers: Mapping[str, Script],
        otherwise: Script = Scripted(404, b"nothing is scripted here"),
        latency: float = 0.0,
        ignored: Sequence[str] = (),
    ) -> None:
        self.answers, self.otherwise, self.latency, self.ignored = dict(answers), otherwise, latency, frozenset(ignored)
        self.asked: list[Asked] = []
        self.sent = 0  # bytes of bodies, counted when they are given to the network
        self._times: dict[str, int] = {}
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Loopback:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def count(self, path: str | None = None) -> int:
        """How often a path was asked for; without one, how often anything was."""
        return len(self.asked) if path is None else sum(a.path == path for a in self.asked)

    def times(self) -> list[float]:
        """When each request came, in order."""
        return sorted(a.at for a in self.asked)

    def answer(self, asked: Asked) -> Scripted:
        """The next answer to a request, which is noted."""
        with self._lock:
            self.asked.append(asked)
            key, script = self._script(asked)
            turn = self._times.get(key, 0)
            self._times[key] = turn + 1
        if callable(script):
            return script(asked)
        return script if isinstance(script, Scripted) else script[min(turn, len(script) - 1)]

    def _script(self, asked: Asked) -> tuple[str, Script]:
        kept = urlencode([(k, v) for k, v in asked.params if k not in self.ignored])
        bare = f"{asked.path}?{kept}" if kept else asked.path
        body = asked.body.decode("utf-8", errors="replace")
        for key in (f"{asked.target} {body}", asked.target, f"{bare} {body}", bare, asked.path):
            if key in self.answers:
                return key, self.answers[key]
        return "", self.otherwise


class _Server(ThreadingHTTPServer):
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], OSError):  # of clients that went away, which is what tests are about
            super().handle_error(request, client_address)


def _handler(server: Loopback) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            at = time.monotonic()
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            answer = server.answer(Asked(self.command, self.path, dict(self.headers.items()), body, at))
            time.sleep(server.latency + answer.delay)
            if not answer.silent:
                self._send(answer)
            if answer.reset:  # closed without lingering and without a shutdown, the connection ends by a reset
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                os.close(self.connection.detach())
            if answer.silent or answer.reset or answer.send is not None or not answer.length:
                self.close_connection = True

        do_POST = do_GET  # noqa: N815

        def _send(self, answer: Scripted) -> None:
            body = gzip.compress(answer.body, mtime=0) if answer.gzipped else answer.body
            headers = {"Content-Length": str(len(body))} if answer.length else {"Connection": "close"}
            headers |= {"Content-Encoding": "gzip"} if answer.gzipped else {}
            self.send_response(answer.status)
            for name, value in (headers | dict(answer.headers)).items():
                self.send_header(name, value)
            self.end_headers()
            body = body[: answer.send]
            piece, pause = answer.drip or (len(body) or 1, 0.0)
            for start in range(0, len(body), piece):
                self.wfile.write(body[start : start + piece])
                server.sent += len(body[start : start + piece])
                time.sleep(pause)

        def log_message(self, *_: object) -> None:
            pass

    return Handler
