"""What an HTTP status stands for, and what a message quotes of an answer."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from macro_assets.sources.errors import (
    MOST,
    AuthError,
    EmptyError,
    NotFoundError,
    RateLimitError,
    SchemaError,
    SourceError,
    TransientError,
    explain_status,
)
from macro_assets.sources.protocol import Response


def of(status: int | None, body: bytes = b"because") -> Response:
    return Response("GET /a", body, datetime(2026, 1, 1, tzinfo=UTC), status)


@pytest.mark.parametrize("status", [None, 200, 203, 206])
def test_a_success_is_no_error(status: int | None) -> None:
    assert explain_status(of(status)) is None


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (204, EmptyError),
        (304, SchemaError),
        (400, SchemaError),
        (401, AuthError),
        (403, AuthError),
        (404, NotFoundError),
        (408, TransientError),
        (410, NotFoundError),
        (422, SchemaError),
        (425, TransientError),
        (429, RateLimitError),
        (500, TransientError),
        (503, TransientError),
        (599, TransientError),
    ],
)
def test_a_status_is_told_with_what_came_and_what_to_do(status: int, kind: type[SourceError]) -> None:
    error = explain_status(of(status))
    assert type(error) is kind
    assert f"HTTP {status}" in str(error)
    assert status == 204 or "'because'" in str(error)


@pytest.mark.parametrize("size", [10, 500_000])
def test_a_message_quotes_no_more_than_a_few_lines(size: int) -> None:
    said = str(SchemaError(f"expected a number in 'v', got {'x' * size!r}. Correct the entry."))
    assert len(said) <= MOST
    assert said.startswith("expected a number in 'v', got 'xxx")
    assert said.endswith("xxx'. Correct the entry.")


def test_a_limit_passes_and_a_refusal_does_not() -> None:
    """What is asked again is decided by the kind."""
    assert issubclass(RateLimitError, TransientError)
    for lasting in (AuthError, NotFoundError, EmptyError, SchemaError):
        assert not issubclass(lasting, TransientError)


def test_a_message_quotes_the_beginning_of_a_body_only() -> None:
    error = explain_status(of(500, b"<html>\n" + b"very long " * 100_000))
    assert len(str(error)) < 300
    assert "\n" not in str(error)
    assert "an empty body" in str(explain_status(of(500, b"")))
    assert "\\x1b" in str(explain_status(of(500, b"\x1b[2J"))), "nothing that a terminal would obey"
