"""CFTC's Commitments of Traders from its public reporting service: the reports of ``cftc/``, asked by contract.

It is a holder of the files' series: `dataset` and `code` of a series are the same. Answers are JSON, a row per
contract and week, every number a string, an empty field left out; at most a page of rows, ordered, from an offset.
Names of fields carry slips of the service (`swap__positions_short_all`, `noncomm_postions_spread_all`), and lack their
`_all` here and there; they are brought to those of the files.

Source: https://publicreporting.cftc.gov (Socrata's SODA 2.1, https://dev.socrata.com/docs/queries/)
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import polars as pl

from macro_assets.catalog import Series
from macro_assets.sources.bodies import member, read_json, records, refuse_repeated
from macro_assets.sources.cells import dates
from macro_assets.sources.errors import NotFoundError, SchemaError
from macro_assets.sources.protocol import Answer, Ask, Request, Response, Steps, Window, read_each
from macro_assets.sources.providers.cftc.connector import positions
from macro_assets.sources.providers.cftc.releases import released

PAGE = 1000
"""Rows of a page; the service's own default, about four megabytes."""
RESOURCES = {"tff": "gpe5-46if", "disaggregated": "72hh-3qpy", "legacy": "6dca-aqww"}
"""The service's names of the reports: futures alone, without options."""

_CONTRACT, _DATE = "cftc_contract_market_code", "report_date_as_yyyy_mm_dd"
_LEGACY = {"noncomm": "noncommercial", "comm": "commercial", "nonrept": "nonreportable"}


def plan(series: Sequence[Series], window: Window) -> Iterator[Ask]:
    """One ask per report, for all its contracts."""
    for name in dict.fromkeys(s.dataset for s in series):
        if name not in RESOURCES:
            raise NotFoundError(f"source cftc_socrata has no report {name!r}, expected one of {list(RESOURCES)}")
        wanted = tuple(s for s in series if s.dataset == name)
        yield Ask(wanted, _steps(str(name), wanted, window))


def _steps(report: str, series: Sequence[Series], window: Window) -> Steps:
    begin = min(window.begin(s) for s in series)
    if begin > window.end:
        return []
    contracts = ",".join(f"'{c}'" for c in sorted({s.code.partition(":")[0] for s in series}))
    asked = {
        "$where": f"{_CONTRACT} in({contracts}) AND {_DATE} between '{begin}T00:00:00' and '{window.end}T00:00:00'",
        "$order": f"{_DATE},{_CONTRACT}",
        "$limit": str(PAGE),
    }
    answers: list[Answer] = []
    full = True
    while full:
        page = {**asked, "$offset": str(PAGE * len(answers))}
        response = yield Request(f"/resource/{RESOURCES[report]}.json", tuple(page.items()))
        refuse_repeated(response, answers)
        table = read_rows(response, report)
        full = table.height >= PAGE
        answers.append(read_each(response, series if table.height else (), partial(_weeks, table)))
    return answers


def _weeks(table: pl.DataFrame, series: Series) -> pl.DataFrame:
    return released(positions(table, series), series)


def read_rows(response: Response, report: str) -> pl.DataFrame:
    """A page as text with `observation_date`; columns of positions are named as ``cftc.read_report`` names them."""
    rows: list[dict[str, Any]] = member(read_json(response), of=list)
    if not all(isinstance(r, dict) for r in rows):
        raise SchemaError("expected a list of objects")
    fields = dict.fromkeys(f for r in rows for f in r)
    if rows and not {_CONTRACT, _DATE} <= set(fields):
        raise SchemaError(f"expected the fields {_CONTRACT!r} and {_DATE!r}, the answer has {sorted(fields)[:12]}")
    named = {_CONTRACT: _CONTRACT, _DATE: _DATE}
    for field in sorted(fields, key=lambda f: not f.lower().endswith("_all")):  # a whole name before one cut short
        if (name := _name(field, report)) is not None:
            named.setdefault(name, field)
    empty = dict.fromkeys(named.values())
    table = records([{**empty, **r} for r in rows], list(named.values()))
    table = table.select(pl.col(field).fill_null(".").alias(name) for name, field in named.items())  # as in the files
    return table.with_columns(observation_date=dates(table[_DATE]))


def _name(field: str, report: str) -> str | None:
    """What the files call a field of positions or open interest; None for any other."""
    plain = re.sub("_+", "_", field.lower()).replace("postions", "positions")
    found = re.fullmatch(r"(\w+?)_positions_(long|short|spread)(_all)?", plain)
    if found is None:
        return plain if plain == "open_interest_all" else None
    group, side, whole = found.groups()
    if report != "legacy":
        return f"{group}_positions_{side}_all"
    side = "spreading" if side == "spread" else side
    return f"{_LEGACY.get(group, group)}_positions_{side}_all" if whole else None  # without _all: old crops alone
