"""Keys of providers: read from the environment, and taken out of everything; `keyed.py` puts them into requests."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from macro_assets.catalog import Source

HIDDEN = "***"
_SHORTEST_IN_BODY = 8
"""Shorter keys, such as a provider's 'demo', are words that a body may hold for other reasons."""


def key_of(source: Source, environ: Mapping[str, str] = os.environ) -> str | None:
    """The key of a source; None where it needs none or the environment has none."""
    key = source.api.key if source.api else None
    return (environ.get(key.environment) or "").strip() or None if key else None


def missing_key(source: Source, environ: Mapping[str, str] = os.environ) -> str | None:
    """Why a source is off: its key is needed and not in the environment. None where it is on."""
    key = source.api.key if source.api else None
    if key is None or not key.required or key_of(source, environ):
        return None
    return f"source {source.name} is off: the environment has no {key.environment}. A key is had at {key.url}."


def wrong_key(source: Source, environ: Mapping[str, str] = os.environ) -> str | None:
    """Why what the environment has cannot be a key; it is not shown. None where it can, or where there is none."""
    key, value = source.api.key if source.api else None, key_of(source, environ)
    if key is None or value is None or (value.isascii() and value.isprintable()):
        return None
    return f"source {source.name} is off: {key.environment} has characters that no key has. Copy it anew."


def without_key(text: str, key: str | None) -> str:
    """A text with every spelling of the key taken out."""
    if not key or _plain_part(key) not in text:
        return text
    return re.sub(_spelled(key), HIDDEN, text)


def body_without_key(body: bytes, key: str | None) -> bytes:
    """A body with the key taken out, for providers that echo the request."""
    if key is None or len(key) < _SHORTEST_IN_BODY or _plain_part(key).encode() not in body:
        return body
    return re.sub(_spelled(key).encode(), HIDDEN.encode(), body)


def _plain_part(key: str) -> str:
    """The longest part of a key that every spelling has as it is: quick to look for in large bodies."""
    parts: list[str] = re.findall(r"[A-Za-z0-9]*", key)
    return max(parts, key=len)


def _spelled(key: str) -> str:
    """A pattern of the key as it is, in queries, forms, JSON and HTML, and of escapes that were escaped again."""
    return "".join(c if c.isalnum() else _escaped(c) for c in key)


def _escaped(character: str) -> str:
    code = ord(character)
    names = {"&": "amp", '"': "quot", "'": "apos", "<": "lt", ">": "gt"}
    entity = rf"&(?:amp;)*(?:\#0*{code}|\#[xX]0*(?i:{code:x})|{names.get(character, 'none')});"
    blank = r"|\+" if character == " " else ""
    return rf"\\*(?:{re.escape(character)}|%(?:25)*(?i:{code:02x})|u00(?i:{code:02x})|{entity}{blank})"
