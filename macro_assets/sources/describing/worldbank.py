"""The World Bank: what an indicator and a country are called, and the search in its World Development Indicators.

The unit of an indicator stands in brackets at the end of its name. A code is COUNTRY/INDICATOR, the world where no
country is named. The search looks through what is written of each indicator.
Source: https://datahelpdesk.worldbank.org/knowledgebase/articles/889392 and, of the search,
https://datahelpdesk.worldbank.org/knowledgebase/articles/1886695
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import polars as pl

from macro_assets.sources.bodies import member, read_json
from macro_assets.sources.describing.protocol import Description, Found, Steps, plain
from macro_assets.sources.errors import NotFoundError
from macro_assets.sources.protocol import Request, Response
from macro_assets.sources.providers.worldbank import PER_PAGE, read_page

WORLD = "WLD"

_JSON = ("format", "json")
_UNIT = re.compile(r"\(([^()]+)\)\s*$")


def named(text: str) -> tuple[None, str]:
    """Country and indicator, in either order: indicators have dots, countries have none."""
    parts = text.strip().strip("/").split("/")
    countries, indicators = ([p.upper() for p in parts if ("." in p) == dotted] for dotted in (False, True))
    if len(indicators) != 1 or len(countries) > 1:
        raise NotFoundError(
            f"{text!r} is no code of the World Bank: expected indicator and country, as SP.POP.TOTL/BRA"
        )
    return None, f"{countries[0] if countries else WORLD}/{indicators[0]}"


def describe(dataset: str | None, code: str) -> Steps[Description]:
    place, indicator = code.split("/")
    name = plain(member(_only((yield Request(f"/indicator/{indicator}", (_JSON,)))), "name", of=str))
    country = _only((yield Request(f"/country/{place}", (_JSON,))))
    frames: list[pl.DataFrame] = []
    pages = 1
    while len(frames) < pages:
        paging = (_JSON, ("per_page", str(PER_PAGE)), ("page", str(len(frames) + 1)))
        rows, _, pages = read_page((yield Request(f"/country/{place}/indicator/{indicator}", paging)))
        frames.append(rows)
    unit = _UNIT.search(name)
    return Description(
        dataset=None,
        code=code,
        figures=pl.concat(frames),
        title=f"{name}, {plain(member(country, 'name', of=str))}",
        unit=unit[1] if unit else None,
        country=_iso(country),
    )


def _only(response: Response) -> dict[str, Any]:
    """The one thing that was asked about."""
    found: dict[str, Any] = member(read_json(response), 1, 0, of=dict)
    return found


def _iso(country: dict[str, Any]) -> str:
    """Its code of two letters; of groups, which have no region, WW, but the euro area."""
    code = member(country, "iso2Code", of=str)
    if code == "XC":
        return "EA"
    region = country.get("region") or {}
    is_group = region.get("id") == "NA" or "ggregates" in str(region.get("value"))
    return code if re.fullmatch("[A-Z]{2}", code) and not is_group else "WW"


def search(words: str, limit: int) -> Steps[Sequence[Found]]:
    """Indicators in whose description the words are."""
    params = (_JSON, ("per_page", str(max(limit, 50))))
    answer = read_json((yield Request(f"/sources/2/search/{quote(words, safe='')}", params)))
    return [
        Found(code=plain(member(one, "id", of=str)), title=plain(one.get("name") or ""), unit=_stated(one))
        for source in member(answer, "source", of=list)
        for concept in member(source, "concept", of=list)
        if concept.get("id") == "Series"
        for one in member(concept, "variable", of=list)
    ][:limit]


def _stated(one: dict[str, Any]) -> str:
    unit = _UNIT.search(plain(one.get("name") or ""))
    return unit[1] if unit else ""
