"""What words of providers mean in the catalog: frequencies that it lacks, the units of figures."""

from __future__ import annotations

import re
import unicodedata

from macro_assets.sources.describing.protocol import plain
from macro_assets.sources.errors import SchemaError

NOT_STATED = "Not stated"
"""The provider's unit where it states none."""

_MAGNITUDE = re.compile(
    r"(?:level in )?(thousand|million|billion|trillion|milhar|mil|milh[ãõ]|bilh[ãõ])(?:s|es|o)?\b(?: (?:of|de)\b)?"
)
_POWERS = {"thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12, "mil": 1e3, "milhar": 1e3}
_POWERS |= {"milhã": 1e6, "milhõ": 1e6, "bilhã": 1e9, "bilhõ": 1e9}
_DOLLARS = re.compile(r"(?:chained (\d{4}) )?(?:u\.?s\.? )?dollars?")
_BASE = re.compile(r"index\W*(.*?)\s*=\s*100\b.*")
_YEARS = re.compile(r"\b(\d\d)(\d\d)-\1(\d\d)\b")


def no_such_frequency(provider: str, frequency: str) -> SchemaError:
    """What is said of a series whose frequency the catalog does not have."""
    return SchemaError(
        f"{provider} says its figures are {plain(frequency)!r}: the catalog has daily, weekly, monthly, quarterly and "
        "annual ones"
    )


def standard_unit(stated: str) -> tuple[str, float]:
    """The catalog's unit of figures in a provider's unit, and the number that turns its figures into that.

    Magnitudes are taken out: 'Millions of Dollars' is 'usd' and 1e6. 'Percent' of any kind is 'percent', but a share
    of something ('Percent of GDP'); 'Index 1982-1984=100' is 'index_1982_84_100'. Other words stand as they are.
    """
    text = stated.casefold().strip()
    scale = 1.0
    if magnitude := _MAGNITUDE.match(text):
        scale, text = _POWERS[magnitude[1]], text[magnitude.end() :].strip()
    if dollars := _DOLLARS.fullmatch(text):
        return f"usd_{dollars[1]}" if dollars[1] else "usd", scale
    if index := _BASE.fullmatch(text):
        base = _YEARS.sub(r"\1\2-\3", index[1])
        return _slug(f"index {base} 100"), scale
    if text.startswith(("percentage point", "pontos percentuais")):
        return "percentage_points", scale
    if (text.startswith("percent") and not text.startswith("percent of ")) or "%" in text:
        return "percent", scale
    if text == NOT_STATED.casefold():
        return "unknown", scale
    return "brl" if text == "reais" else _slug(text) or "units", scale


def is_rate(unit: str) -> bool:
    """Whether figures in a standard unit are rates or shares, whose differences are meant, not their growth."""
    return unit.startswith("percent")


def _slug(text: str) -> str:
    ascii_ = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "_", ascii_.lower()).strip("_")[:60]
