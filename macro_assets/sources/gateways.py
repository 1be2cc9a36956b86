"""Errors of services behind a gateway that sends a page of HTML, with HTTP 200, when the service does not answer.

Connectors of such services take `explain` from here; they never expect HTML.
"""

from __future__ import annotations

from macro_assets.sources.errors import SourceError, TransientError, explain_status, quoted
from macro_assets.sources.protocol import Response


def explain(response: Response) -> SourceError | None:
    """The error an answer stands for: a page is one that passes, else the HTTP status says it."""
    if response.http_status in (None, 200) and response.body.lstrip()[:1] == b"<":
        return TransientError(f"expected data, got a page of the gateway: {quoted(response.body)}. Ask again later.")
    return explain_status(response)
