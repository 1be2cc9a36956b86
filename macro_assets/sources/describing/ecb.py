"""The European Central Bank's data portal: a series with its attributes, as CSV. It has no search for programs.

UNIT is a code, UNIT_MULT the power of ten of the figures, COLLECTION whether a figure is an average, a sum or of the
end of its period. An unknown key is a 404. Source: https://data.ecb.europa.eu/help/api/data
"""

from __future__ import annotations

from macro_assets.catalog import Frequency
from macro_assets.catalog.kinds.series import Aggregation, SeasonalAdjustment
from macro_assets.sources.bodies import read_csv
from macro_assets.sources.describing.protocol import Description, Steps, plain
from macro_assets.sources.describing.words import no_such_frequency
from macro_assets.sources.errors import NotFoundError
from macro_assets.sources.protocol import Request
from macro_assets.sources.sdmx import from_csv, only

_FREQUENCIES: dict[str, Frequency] = {"D": "D", "B": "D", "W": "W", "M": "M", "Q": "Q", "A": "A"}
_NAMES = {"H": "half-yearly", "S": "half-yearly", "N": "minutely", "E": "event"}
_ADJUSTED: dict[str, SeasonalAdjustment] = {"S": "SA", "Y": "SA"}
"""Seasonally adjusted, with or without working days."""
_AGGREGATIONS: dict[str, Aggregation] = {"A": "mean", "E": "last", "S": "sum"}
_UNITS = {"PCPA": "Percent per annum", "PCT": "Percent", "PC": "Percent", "PCCH": "Percent change", "PN": "Pure number",
          "PURE_NUMB": "Pure number"}  # fmt: skip
_MAGNITUDES = {"3": "Thousands", "6": "Millions", "9": "Billions", "12": "Trillions"}
_EURO_AREA = ("U2", "I5", "I6", "I7", "I8", "I9", "I10")
"""Codes of the euro area, of changing or fixed composition."""


def named(text: str) -> tuple[str, str]:
    """Data set and key: EXR/D.USD.EUR.SP00.A, or with a dot between them, as the portal shows it."""
    dataset, slash, code = text.strip().partition("/")
    if not slash:
        dataset, _, code = text.strip().partition(".")
    if not dataset or "." not in code or "/" in code:
        raise NotFoundError(f"{text!r} is no key of the ECB: expected data set and key, as EXR/D.USD.EUR.SP00.A")
    return dataset.upper(), code


def describe(dataset: str | None, code: str) -> Steps[Description]:
    response = yield Request(f"/data/{dataset}/{code}", (("format", "csvdata"),))
    if response.http_status == 404:
        raise NotFoundError(f"the ECB knows no series {dataset}/{code}, or has no figures of it. Is its key right?")
    rows = only(from_csv(response), f"{dataset}.{code}")
    table = read_csv(response, ("FREQ",))
    told = {name: table[name][-1] or "" for name in table.columns} if table.height else {}
    if (frequency := _FREQUENCIES.get(told.get("FREQ", ""))) is None:
        raise no_such_frequency("the ECB", _NAMES.get(told.get("FREQ", ""), told.get("FREQ", "without figures")))
    title = told.get("TITLE_COMPL") or told.get("TITLE")
    area = told.get("REF_AREA", "")
    return Description(
        dataset=dataset,
        code=code,
        figures=rows,
        title=plain(title) if title else None,
        unit=_unit(told.get("UNIT", ""), told.get("UNIT_MULT", "")),
        frequency=frequency,
        seasonal_adjustment=_ADJUSTED.get(told.get("ADJUSTMENT", ""), "NSA"),
        country=area if len(area) == 2 and area.isalpha() else "EA" if area in _EURO_AREA else None,
        aggregation=_AGGREGATIONS.get(told.get("COLLECTION", "")),
    )


def _unit(code: str, power: str) -> str | None:
    if not code:
        return None
    words = _UNITS.get(code, plain(code))
    return f"{_MAGNITUDES[power]} of {words}" if power in _MAGNITUDES else words
