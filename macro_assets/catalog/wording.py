"""How instants and long texts stand in messages and tables. Does not belong here: what is said of them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, time
from typing import Literal

LONGEST = 300
"""Characters of a text that a message quotes at most."""

Clock = Literal["minutes", "seconds"]


def shortened(text: str, longest: int = LONGEST) -> str:
    """The text; of one that is too long the beginning and the end."""
    if len(text) <= longest:
        return text
    end = longest // 4
    return f"{text[: longest - end - 5]} ... {text[-end:]}"


def listed(texts: Iterable[object], most: int = 12) -> str:
    """The first of some texts, as a list in a message."""
    found = [str(t) for t in texts]
    more = f", and {len(found) - most} more" if len(found) > most else ""
    return shortened(", ".join(shortened(t, 60) for t in found[:most])) + more


def written(moment: datetime, clock: Clock = "minutes") -> str:
    """An instant as people write it: the day alone at its beginning or its end, else with the time, in UTC.

    One without a time zone is written as it is.
    """
    local = moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
    if local.time() == time.min or local.time() >= _LAST_SECOND:
        return local.date().isoformat()
    return local.isoformat(" ", clock) + (" UTC" if moment.tzinfo else "")


_LAST_SECOND = time(23, 59, 59)
