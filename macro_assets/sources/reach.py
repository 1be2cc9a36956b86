"""Whether there is a way to anybody: what a process learns of hosts that cannot be found or connected to.

Where one host after the other cannot be had, it is the network of this machine, and nobody else is asked for a while:
forty sources would each wait for a resolver to give up.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterator, Sequence

import httpx

from macro_assets.sources.errors import NO_NETWORK, UnreachableError

_HOSTS = 2
"""How many hosts in turn cannot be had before it is the network."""

_REMEMBERED_SECONDS = 60.0
"""How long a host that could not be had counts: a daemon goes on, and the network may come back."""


class Reach:
    """What is known of the way to anybody, by all clients of a process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._lost: dict[str, float] = {}

    def answered(self) -> None:
        """Somebody answered: there is a network."""
        self._lost.clear()

    def lost(self, host: str, error: Exception, proxy: str | None = None) -> UnreachableError | None:
        """What an error means that came before a request was sent, in words; None for any other.

        The host is remembered, unless it refused: then there is a network. Through a proxy it is the proxy that was
        not found.
        """
        causes, there = list(_causes(error)), f"the proxy {proxy}" if proxy else host
        if _is_of(ConnectionRefusedError, causes):
            return UnreachableError(f"{there} refuses the connection. Ask again later.")
        if _is_of(socket.gaierror, causes):
            why = f"{NO_NETWORK}, or no such host: cannot resolve {there}"
        elif isinstance(error, httpx.ConnectError | httpx.ConnectTimeout) and not _is_of(_ANSWERED, causes):
            told = next((e.strerror for e in causes if isinstance(e, OSError) and e.strerror), "nobody answers")
            why = f"{NO_NETWORK}, or no way to {there}: {told}"
        else:
            return None
        self._lost[host] = self.clock()
        return UnreachableError(f"{why}. Ask again later.")

    def down(self) -> UnreachableError | None:
        """Why nobody need be asked; None where there may be a network."""
        lately = [host for host, at in list(self._lost.items()) if self.clock() - at < _REMEMBERED_SECONDS]
        if len(lately) < _HOSTS:
            return None
        hosts = " nor ".join(lately[:_HOSTS])
        return UnreachableError(
            f"{NO_NETWORK}: neither {hosts} can be reached, nobody else was asked. Ask again later."
        )


NETWORK = Reach()
_ANSWERED = (ssl.SSLError, ConnectionResetError)
"""Errors of a connection that say that somebody was there."""


def _is_of(kind: type[Exception] | tuple[type[Exception], ...], errors: Sequence[BaseException]) -> bool:
    return any(isinstance(e, kind) for e in errors)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error, and those that led to it."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
