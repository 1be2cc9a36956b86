"""What can go wrong with an answer, by what is to be done about it.

Every message names who was asked, what was expected, what came and what to do; none carries a key.
"""

from __future__ import annotations

from typing import Protocol

from macro_assets.catalog.wording import shortened

SHOWN = 160
"""Characters of a body that an error quotes."""

NO_NETWORK = "no network"
"""How a message begins that is, or may be, about the network of this machine."""
MOST = 600
"""Characters of a message: whatever of a body is in it, it goes to the log, the events and the screen."""


class SourceError(Exception):
    """An answer that brings no observations, or none at all. The kinds below say what may help."""

    def __init__(self, message: str = "") -> None:
        super().__init__(shortened(message, MOST))


class TransientError(SourceError):
    """The provider or the way to it failed for now: asked again later, it may answer."""


class RateLimitError(TransientError):
    """The provider was asked too often."""


class UnreachableError(TransientError):
    """Nothing was sent: the host cannot be found, or nobody takes the connection."""


class AuthError(SourceError):
    """The key is missing, wrong or not allowed this."""


class NotFoundError(SourceError):
    """The provider does not know what was asked for: the catalog's code is wrong or was withdrawn."""


class EmptyError(SourceError):
    """The answer holds no observations where there must be some."""


class SchemaError(SourceError):
    """The answer is not in the form it had: nothing of it can be trusted."""


class Answered(Protocol):
    """What an error is read from: a body, and the HTTP status where there is one."""

    @property
    def body(self) -> bytes: ...

    @property
    def http_status(self) -> int | None: ...


def explain_status(response: Answered) -> SourceError | None:
    """The error that an HTTP status stands for; None for a success or an answer that is not of HTTP."""
    status = response.http_status
    if status is None or status in (200, 203, 206):
        return None
    said = quoted(response.body)
    if status in (401, 403):
        return AuthError(f"HTTP {status}: access was refused: {said}. Check the key of the source (`macro sources`).")
    if status in (404, 410):
        return NotFoundError(f"HTTP {status}: not found: {said}. Check the series' code in the catalog.")
    if status == 429:
        return RateLimitError(f"HTTP 429: asked too often: {said}. Ask again later.")
    if status in (408, 425) or status >= 500:
        return TransientError(f"HTTP {status}: the provider failed: {said}. Ask again later.")
    if status == 204:
        return EmptyError("HTTP 204: the answer is empty. Expected observations.")
    return SchemaError(f"HTTP {status}: the request was refused: {said}. The connector asks what is not served.")


def quoted(body: bytes) -> str:
    """The beginning of a body, on one line, for a message."""
    text = " ".join(body[: 4 * SHOWN].decode("utf-8", errors="replace").split())
    if not text:
        return "an empty body"
    return repr(text if len(text) <= SHOWN else text[:SHOWN] + "...")
