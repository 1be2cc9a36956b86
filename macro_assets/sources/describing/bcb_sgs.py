"""Banco Central do Brasil, SGS: the figures say when, the bank's open data portal says what, of some of the series.

The portal is a CKAN whose data sets carry `codigo_sgs`, `title`, `periodicidade`, `unidade_medida`, `inicio_periodo`
(DD-MM-YYYY): one for each series that it lists. Of the others the service of figures tells nothing but figures.
Source: https://dadosabertos.bcb.gov.br/ and https://docs.ckan.org/en/latest/api/
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import polars as pl

from macro_assets.catalog import Frequency
from macro_assets.sources.bodies import member, read_json
from macro_assets.sources.describing.protocol import AboutRequest, Description, Found, Steps, plain
from macro_assets.sources.describing.words import no_such_frequency
from macro_assets.sources.errors import NotFoundError, SourceError
from macro_assets.sources.protocol import windows
from macro_assets.sources.providers.bcb_sgs import YEARS, question, read_values

_SEARCH = "/api/3/action/package_search"
_FREQUENCIES: dict[str, Frequency] = {
    "diaria": "D", "diária": "D", "semanal": "W", "mensal": "M", "trimestral": "Q", "anual": "A",
}  # fmt: skip
_EARLIEST = date(1900, 1, 1)
"""Where no start is told: no series is older."""


def named(text: str) -> tuple[None, str]:
    """Codes are numbers."""
    if not re.fullmatch(r"\d{1,9}", text.strip()):
        raise NotFoundError(f"{text!r} is no code of SGS: expected a number, as 433")
    return None, text.strip()


def describe(dataset: str | None, code: str) -> Steps[Description]:
    told = yield from _listed(code)
    frequency = _frequency(plain(told["periodicidade"])) if told.get("periodicidade") else None
    figures = yield from _figures(code, _start(told.get("inicio_periodo")))
    if figures.is_empty():
        raise NotFoundError(f"the bank has no figures of series {code}. Is its number right?")
    title, unit = (plain(told[name]) if told.get(name) else None for name in ("title", "unidade_medida"))
    note = "The bank's open data portal does not describe it: state what it is with --title and --unit."
    return Description(
        dataset=None,
        code=code,
        figures=figures,
        title=title,
        unit=unit,
        frequency=frequency,
        country="BR",
        notes=() if title and unit else (note,),
    )


def _listed(code: str) -> Steps[dict[str, Any]]:
    """What the portal says of a series; nothing of one that it does not list, or where it does not answer."""
    try:
        answer = read_json((yield AboutRequest(_SEARCH, (("fq", f"codigo_sgs:{code}"),))))
        found = member(answer, "result", "results", of=list)
        return next((one for one in found if str(one.get("codigo_sgs")) == code), {})
    except (SourceError, AttributeError):
        return {}


def _frequency(told: str) -> Frequency:
    if (found := _FREQUENCIES.get(told.casefold())) is None:
        raise no_such_frequency("the bank's portal", told)
    return found


def _start(told: object) -> date:
    try:
        return datetime.strptime(str(told), "%d-%m-%Y").date()
    except ValueError:
        return _EARLIEST


def _figures(code: str, start: date) -> Steps[pl.DataFrame]:
    """All figures: a question for each ten years, which is more than monthly series need."""
    frames = [pl.DataFrame(schema={"observation_date": pl.Date, "value": pl.Float64})]
    for first, last in windows(start, datetime.now(UTC).date(), YEARS):
        frames.append(read_values((yield question(code, first, last))))
    return pl.concat(frames)


def search(words: str, limit: int) -> Steps[Sequence[Found]]:
    """What the portal lists, the most fitting first."""
    params = (("q", words), ("fq", "codigo_sgs:*"), ("rows", str(limit)), ("sort", "score desc"))
    answer = read_json((yield AboutRequest(_SEARCH, params)))
    return [
        Found(
            code=plain(str(one["codigo_sgs"])),
            **{field: plain(str(one.get(name) or "")) for field, name in _TOLD.items()},
        )
        for one in member(answer, "result", "results", of=list)
        if isinstance(one, dict) and one.get("codigo_sgs")
    ]


_TOLD = {
    "title": "title",
    "unit": "unidade_medida",
    "frequency": "periodicidade",
    "first": "inicio_periodo",
    "last": "fim_periodo",
}
