"""DBnomics: what it says of a series and of the dimensions of its data set, and its search.

The unit, the country and the adjustment of a series are values of dimensions, which every agency names its own way:
they are known by what the dimension is called. The search finds data sets; series of the best of them are asked for.
Source: https://api.db.nomics.world/v22/apidocs
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from macro_assets.catalog.kinds.series import SeasonalAdjustment
from macro_assets.sources.bodies import member, read_json
from macro_assets.sources.describing.protocol import Description, Found, Steps, plain
from macro_assets.sources.describing.words import no_such_frequency
from macro_assets.sources.errors import NotFoundError
from macro_assets.sources.protocol import Request
from macro_assets.sources.providers.dbnomics import FREQUENCIES, code_of, read_page

_DATASETS = 3
"""Of how many data sets a search shows series."""

_CATALOG_FREQUENCIES = {told: ours for ours, told in FREQUENCIES.items()}
_EURO_AREA = re.compile(r"EA\d*|EMU|EURO|EZ|U2|XM|I\d{1,2}")


def named(text: str) -> tuple[None, str]:
    """A code is provider, data set and series."""
    code = text.strip().strip("/")
    if code.count("/") != 2 or not all(code.split("/")):
        raise NotFoundError(
            f"{text!r} is no code of DBnomics: expected provider/dataset/series, as BIS/WS_EER/M.N.B.BR"
        )
    return None, code


def describe(dataset: str | None, code: str) -> Steps[Description]:
    params = (("observations", "1"), ("format", "json"), ("limit", "2"), ("offset", "0"), ("metadata", "1"))
    response = yield Request(f"/series/{code}", params)
    document = read_json(response)
    docs = member(document, "series", "docs", of=list)
    if len(docs) != 1:
        raise NotFoundError(f"DBnomics has {len(docs)} series {code!r}. Expected the code of one.")
    series, told = docs[0], _told(document, docs[0])
    stated = member(series, "@frequency", of=str)
    if (frequency := _CATALOG_FREQUENCIES.get(stated)) is None:
        raise no_such_frequency("DBnomics", stated)
    place = next((code for name, code, _ in told if _is_place(name)), None)
    country = _country(place or "")
    unsure = f"DBnomics says {place or 'nothing'} of its country: `country` is WW; --country states another."
    return Description(
        dataset=None,
        code=code_of(series),
        figures=read_page(response).rows.select("observation_date", "value"),
        title=plain(series.get("series_name") or member(series, "dataset_name", of=str)),
        unit=next((label for name, _, label in told if "unit" in name), None),
        frequency=frequency,
        seasonal_adjustment=next((_adjusted(label) for name, _, label in told if "adjust" in name), "NSA"),
        country=country or "WW",
        licence=_licence(document),
        notes=() if country else (unsure,),
    )


def _told(document: Any, series: Any) -> list[tuple[str, str, str]]:
    """Of each dimension of a series: what it is called, the series' value of it, and what that is called."""
    dataset = document.get("dataset") or {}
    names, labels = (dataset.get(f"dimensions_{kind}") or {} for kind in ("labels", "values_labels"))
    found = []
    for dimension, value in (series.get("dimensions") or {}).items():
        named_values = dict(labels.get(dimension) or {})
        called = f"{dimension} {names.get(dimension) or ''}".casefold()
        found.append((called, plain(value), plain(named_values.get(value) or value)))
    return found


def _is_place(name: str) -> bool:
    return any(word in name.replace("_", " ").split() for word in ("country", "geo", "area", "location", "borrowers"))


def _country(code: str) -> str | None:
    """The catalog's code of a place; None where it is another one."""
    if _EURO_AREA.fullmatch(code):
        return "EA"
    return code if re.fullmatch("[A-Z]{2}", code) else None


def _adjusted(label: str) -> SeasonalAdjustment:
    text = label.casefold()
    negated = any(word in text for word in ("not ", "non", "neither", "unadjusted", "no "))
    return "SA" if "season" in text and not negated else "NSA"


def _licence(document: Any) -> str:
    provider = document.get("provider") or {}
    name, terms = (plain(provider.get(field) or "") for field in ("name", "terms_of_use"))
    return f"{name or 'The agency'}{f' ({terms})' if terms else ', on its terms'}; collected by DBnomics"


def search(words: str, limit: int) -> Steps[Sequence[Found]]:
    """Series of the data sets in which the words are most often."""
    answer = read_json((yield Request("/search", (("q", words), ("limit", str(_DATASETS)), ("offset", "0")))))
    found: list[Found] = []
    for dataset in member(answer, "results", "docs", of=list):
        path = f"/series/{member(dataset, 'provider_code', of=str)}/{member(dataset, 'code', of=str)}"
        shown = (("limit", str(-(-limit // _DATASETS))), ("offset", "0"), ("observations", "0"), ("metadata", "0"))
        page = read_json((yield Request(path, (("q", words), *shown))))
        name = plain(dataset.get("name") or "")
        for series in member(page, "series", "docs", of=list):
            title = plain(series.get("series_name") or "")
            frequency = plain(series.get("@frequency") or "")
            found.append(Found(code_of(series), f"{name}: {title}" if name else title, frequency=frequency))
    return found[:limit]
