"""DBnomics, which republishes the series of some ninety agencies in one form.

`code` of a series is provider, data set and series, as ECB/EXR/D.USD.EUR.SP00.A. Periods and values are parallel
lists; a missing figure is the text "NA". The whole history is one answer. Its copies lag the agencies by hours to
days, so it serves what no other source here has, and is a further holder of what others have.
Source: https://api.db.nomics.world/v22/apidocs
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from macro_assets.catalog import Frequency, Series
from macro_assets.sources.bodies import member, read_json
from macro_assets.sources.cells import dates, finite
from macro_assets.sources.errors import NotFoundError, SchemaError
from macro_assets.sources.protocol import Answer, Ask, Request, Response, Steps, Window
from macro_assets.sources.rows import due

LIMIT = 1000
"""Series a page; the service's own limit."""

_NAME = ("provider_code", "dataset_code", "series_code")
FREQUENCIES: dict[Frequency, str] = {"D": "daily", "W": "weekly", "M": "monthly", "Q": "quarterly", "A": "annual"}


def plan(series: Sequence[Series], window: Window) -> Iterator[Ask]:
    """One series after the other."""
    for one in series:
        yield Ask((one,), _steps(one, window))


def _steps(series: Series, window: Window) -> Steps:
    pages: list[tuple[Response, Page]] = []
    had, total = 0, 1
    while had < total:
        params = {"observations": "1", "format": "json", "limit": str(LIMIT), "offset": str(had)}
        response = yield Request(f"/series/{series.code}", tuple(params.items()))
        page = read_page(response)
        pages.append((response, page))
        had, total = had + len(page.frequencies), page.total
        if not page.frequencies and had < total:
            raise SchemaError(f"expected {total} series, got {had} and then none")
    of_mine = [(r, p) for r, p in pages if series.code in p.frequencies]
    if len(of_mine) != 1:
        raise NotFoundError(f"DBnomics has {len(of_mine)} series {series.code!r}. Check the code in the catalog.")
    response, page = of_mine[0]
    if (frequency := page.frequencies[series.code]) != FREQUENCIES[series.frequency]:
        raise SchemaError(f"expected {FREQUENCIES[series.frequency]} figures, got {frequency}")
    day = pl.col("observation_date")
    if series.frequency == "W":  # a weekly date is the week's last day; the service states its first
        day = day + pl.duration(days=6)
    mine = page.rows.filter(pl.col("code") == series.code, day >= window.begin(series)).select(day, "value")
    return [Answer(response, due(mine, series, response.fetched_at))]


@dataclass(frozen=True)
class Page:
    """Series of an answer.

    Parameters
    ----------
    frequencies
        By code: daily, monthly and so on.
    rows
        `code`, `observation_date` and `value`, each day of a series once.
    total
        Series on all pages.
    """

    frequencies: dict[str, str]
    rows: pl.DataFrame
    total: int


def read_page(response: Response) -> Page:
    """Series of an answer.

    Raises
    ------
    SchemaError
        When the lists of a series differ in length, a day is none or stands twice, or a figure is neither a number
        nor "NA".
    """
    document = read_json(response)
    docs = member(document, "series", "docs", of=list)
    codes = [code_of(d) for d in docs]
    rows = pl.concat([_NO_ROWS, *(_rows(c, d) for c, d in zip(codes, docs, strict=True))])
    frequencies = {c: member(d, "@frequency", of=str) for c, d in zip(codes, docs, strict=True)}
    return Page(frequencies, rows, member(document, "series", "num_found", of=int))


def code_of(doc: Any) -> str:
    """The code of a series of an answer: provider, data set and series."""
    return "/".join(member(doc, name, of=str) for name in _NAME)


_NO_ROWS = pl.DataFrame(schema={"code": pl.String, "observation_date": pl.Date, "value": pl.Float64})


def _rows(code: str, doc: Any) -> pl.DataFrame:
    """The rows of one series."""
    listed, values = (member(doc, name, of=list) for name in ("period_start_day", "value"))
    if len(listed) != len(values):
        raise SchemaError(f"expected as many days as values, the series {code!r} has not")
    try:
        days = dates(pl.Series("period_start_day", listed, dtype=pl.String)).alias("observation_date")
    except TypeError:
        wrong = next(d for d in listed if type(d) is not str)
        raise SchemaError(f"expected days as text in 'period_start_day', got {wrong!r}") from None
    if days.n_unique() < len(days):
        raise SchemaError(f"expected each day once, the series {code!r} has one several times")
    figures = finite([None if v == "NA" else v for v in values], "value")
    return pl.DataFrame([pl.repeat(code, len(days), eager=True).alias("code"), days, figures])
