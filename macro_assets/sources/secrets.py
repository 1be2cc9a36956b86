"""Keys of providers: read from the environment, and taken out of everything; `keyed.py` puts them into requests."""

from __future__ import annotations

import os
import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

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
    return _spellings(key).hidden(text) if key else text


def has_key(text: str, key: str | None) -> bool:
    """Whether a text has the key in any spelling; a key that may be a word counts for none."""
    return key is not None and len(key) >= _SHORTEST_IN_BODY and without_key(text, key) != text


def body_without_key(body: bytes, key: str | None) -> bytes:
    """A body with the key taken out, for providers that echo the request."""
    if key is None or len(key) < _SHORTEST_IN_BODY:
        return body
    found = _spellings(key)
    if not found.may_be_in(body):
        return body
    return found.hidden(body.decode("latin-1")).encode("latin-1")  # a character for each byte, whatever it stands for


@dataclass(frozen=True)
class _Spellings:
    """How a key may be written.

    Parameters
    ----------
    pattern
        As it is or in other capitals, in queries, forms, JSON and HTML, of escapes that were escaped again, and as
        hexadecimal digits.
    plain, signs
        In lower case; of a text with the pattern in it, one of them is a part: the key's longest part without anything
        that is ever escaped, its hexadecimal digits, or by their mark what escapes of its first letter look like.
        Whoever escapes letters escapes all.
    encoded
        In Base64, wherever it begins.
    """

    pattern: re.Pattern[str]
    plain: tuple[bytes, ...]
    signs: Mapping[bytes, tuple[bytes, ...]]
    encoded: tuple[str, ...]

    def may_be_in(self, body: bytes) -> bool:
        """Whether it is worth looking closer: a hundred megabytes in a quarter of a second."""
        lower = body.lower()
        signs = (s for mark, some in self.signs.items() if mark in lower for s in some)
        return any(s in lower for s in (*self.plain, *signs)) or any(e.encode() in body for e in self.encoded)

    def hidden(self, text: str) -> str:
        for encoded in self.encoded:
            text = text.replace(encoded, HIDDEN)
        return self.pattern.sub(HIDDEN, text)


@lru_cache(maxsize=64)
def _spellings(key: str) -> _Spellings:
    raw = key.encode()
    pattern = "".join(map(_spelled, key))
    if len(key) < _SHORTEST_IN_BODY:
        return _Spellings(re.compile(pattern), (), {}, ())
    plain = max(re.findall(r"[A-Za-z0-9]*", key), key=len).lower()
    codes = {f"{ord(c):02x}".encode() for first in plain[:1] for c in (first, first.upper())}
    signs = {
        b"%": tuple(b"%" + more + c for c in codes for more in (b"", b"25")),
        b"\\": tuple(b"\\" + form + c for c in codes for form in (b"u00", b"x")),
        b"#": (b"&#", b";#"),
    }
    found = tuple(s.encode() for s in (plain, raw.hex()) if s)
    return _Spellings(re.compile(f"(?i:{pattern}|{raw.hex()})"), found, signs, tuple(_in_base64(raw)))


def _in_base64(raw: bytes) -> Iterator[str]:
    """The characters that are made of some bytes alone, whatever stands before and after them."""
    for before in range(3):
        text = b64encode(bytes(before) + raw + bytes(2)).decode()
        whole = text[-(-8 * before // 6) : 8 * (before + len(raw)) // 6]
        yield from dict.fromkeys((whole, whole.replace("+", "-").replace("/", "_")))


def _spelled(character: str) -> str:
    """A pattern of a character as it is or escaped."""
    codes = "|".join(dict.fromkeys(f"{ord(c):02x}" for c in (character.lower(), character.upper())))
    numbers = "|".join(dict.fromkeys(f"{ord(c)}" for c in (character.lower(), character.upper())))
    names = {"&": "amp", '"': "quot", "'": "apos", "<": "lt", ">": "gt"}
    entity = rf"&(?:amp;)*(?:\#0*(?:{numbers})|\#[xX]0*(?i:{codes})|{names.get(character, 'none')});"
    escaped = rf"%(?:25)*(?i:{codes})|u00(?i:{codes})|{entity}"
    if character.isalnum():
        return rf"(?:{character}|%(?:25)*(?i:{codes})|\\+(?:u00|x)(?i:{codes})|{entity})"
    blank = r"|\+" if character == " " else ""
    return rf"\\*(?:{re.escape(character)}|{escaped}{blank})"
