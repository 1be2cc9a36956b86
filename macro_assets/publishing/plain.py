"""Text of others as a terminal may show it: titles, cells and messages say things, they do not drive the screen."""

from __future__ import annotations

import re

_ACTING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters but tab and line feed, what turns the direction of writing, and halves of characters."""


def plain(text: str) -> str:
    r"""The text with every character that acts on a terminal in its place as an escape, such as `\x1b`."""
    return _ACTING.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
