"""Banco Central do Brasil, Focus: what forecasters expect, by day of the survey, from an OData service.

`Data` is the day the survey was taken. The figures of a week become public together: the release time is the first
Monday strictly after the survey's day, at the clock time of the series' publication lag. The answer does not state it,
so its basis is `publication_lag`; where that Monday is a holiday the report comes later, and days that
`publication_lag` names as `late` have the day it gives.

Entity sets (a series' `dataset`) and what a row of them is:

- `ExpectativasMercadoAnuais`: all forecasters, for a calendar year (`DataReferencia`, as 2026);
- `ExpectativaMercadoMensais`: all forecasters, for a month (`DataReferencia`, as 03/2026);
- `ExpectativasMercadoInflacao12Meses`: all forecasters, the next twelve months, smoothed (`Suavizada` S) or not (N);
- `ExpectativasMercadoTop5Anuais`, `ExpectativasMercadoTop5Selic`: the five best in a ranking (`tipoCalculo`: C of
  short, M of medium, L of long-term accuracy), for a year or a meeting of Copom (`reuniao`, R4/2026 = fourth of 2026).

`baseCalculo` doubles rows: 0 = forecasts given within 30 days, 1 = within five working days.
Source: https://olinda.bcb.gov.br/olinda/servico/Expectativas/versao/v1/documentacao
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast

import polars as pl

from macro_assets.catalog import Selector, Series
from macro_assets.sources.bodies import column, names, records
from macro_assets.sources.cells import dates, finite
from macro_assets.sources.errors import SchemaError
from macro_assets.sources.olinda import explain as explain
from macro_assets.sources.olinda import read_entities
from macro_assets.sources.protocol import Answer, Ask, Request, Response, Steps, Window, read_each
from macro_assets.sources.rows import combined

_SERVICE = "/olinda/servico/Expectativas/versao/v1/odata"
_PAGE = 10_000
_PERIOD, _AHEAD = "DataReferencia", "ahead"
"""The year or month that is forecast, as the answer has it, and how many years or months after the survey's it is."""
_MONTHLY = "ExpectativaMercadoMensais"


def plan(series: Sequence[Series], window: Window) -> Iterator[Ask]:
    """One ask per entity set, indicator and conditions of the selector.

    A series' `code` is the indicator, as IPCA; for calendar years IPCA/0 is the survey's year and IPCA/1 the next,
    of monthly forecasts the survey's month and the next.
    """
    groups: dict[tuple[str, str, tuple[tuple[str, str], ...]], list[Series]] = {}
    for one in series:
        if one.selector is None or one.dataset is None:
            raise SchemaError(f"series {one.id} needs a `dataset` and a `selector` in the catalog")
        key = (one.dataset, one.code.partition("/")[0], tuple(one.selector.where.items()))
        groups.setdefault(key, []).append(one)
    for (entities, indicator, where), same in groups.items():
        yield Ask(tuple(same), _steps(entities, indicator, where, same, window))


def _steps(
    entities: str, indicator: str, where: Sequence[tuple[str, str]], series: Sequence[Series], window: Window
) -> Steps:
    """Pages until one is empty: nothing says how many rows the service is willing to send at once."""
    years = [_PERIOD] if any("/" in one.code for one in series) else []
    values = sorted({one.selector.value for one in series if one.selector})
    conditions = [
        f"Indicador eq '{indicator}'",
        *(f"{field} eq " + (wanted if wanted.isdigit() else f"'{wanted}'") for field, wanted in where),
        f"Data ge '{min(map(window.begin, series))}'",
        f"Data le '{window.end}'",
    ]
    query = (
        ("$format", "json"),
        ("$select", ",".join(["Data", *years, *(field for field, _ in where), *values])),
        ("$filter", " and ".join(conditions)),
        ("$orderby", ",".join(f"{field} asc" for field in ("Data", *years))),
        ("$top", str(_PAGE)),
    )
    answers: list[Answer] = []
    skip, before = 0, pl.DataFrame()
    while True:
        response = yield Request(f"{_SERVICE}/{entities}", (*query, ("$skip", str(skip))))
        labels = ("Data", *years, *(field for field, _ in where))
        survey = read_survey(response, labels, values, monthly=entities == _MONTHLY)
        if not survey.height:
            answers.append(Answer(response, _no_rows()))
            break
        if survey.equals(before):
            raise SchemaError(f"expected other rows after the first {skip}, got the same page again: $skip is ignored")
        answers.append(read_each(response, series, lambda one, survey=survey: _of(survey, one)))  # type: ignore[misc]
        skip, before = skip + survey.height, survey
    rows = pl.concat([a.rows for a in answers], how="diagonal")
    if (twice := rows.filter(rows.select("series_id", "observation_date").is_duplicated())).height:
        raise SchemaError(
            f"expected one row per survey day, got several for {twice['observation_date'][0]} of "
            f"{twice['series_id'][0]}. Check the selector, or ask again: the pages may have shifted."
        )
    return answers


def _no_rows() -> pl.DataFrame:
    return pl.DataFrame(schema={"series_id": pl.String(), "observation_date": pl.Date(), "value": pl.Float64()})


def read_survey(
    response: Response,
    labels: Sequence[str] = ("Data",),
    statistics: Sequence[str] = ("Mediana",),
    *,
    monthly: bool = False,
) -> pl.DataFrame:
    """Rows of any of the entity sets.

    Parameters
    ----------
    labels
        Fields that are kept as text.
    statistics
        Fields that are numbers, in the indicator's unit: percent, or reais per dollar for Câmbio.
    monthly
        Whether what is forecast are months, not calendar years.

    Returns
    -------
    pl.DataFrame
        The fields by these names, `observation_date` (day of the survey) and `value` (the first statistic); `ahead`,
        where the labels have what is forecast. One set spells its fields in lower case; they are found whatever the
        case.
    """
    rows = read_entities(response, dict.fromkeys((*labels, *statistics)))
    spelled = {name.lower(): name for name in names(rows)}
    fields = {name: spelled.get(name.lower(), name) for name in (*labels, *statistics)}
    sent = {fields[name]: name for name in labels}
    table = records(rows, sent).rename(sent)
    try:
        figures = [finite(column(rows, fields[name]), name) for name in statistics]
    except KeyError as error:
        raise SchemaError(f"expected the field {error} in every row") from None
    day = dates(table["Data"]).alias("observation_date")
    found = table.with_columns(*figures, day, figures[0].alias("value"))
    if _PERIOD not in labels:
        return found
    return found.with_columns(_ahead(table[_PERIOD], day, monthly).alias(_AHEAD))


def _ahead(period: pl.Series, day: pl.Series, monthly: bool) -> pl.Series:
    """Years from the survey's to the year that is forecast, or months to the month."""
    what, form = ("a month like 03/2026", "^(0[1-9]|1[0-2])/[0-9]{4}$") if monthly else ("a year", "^[0-9]{4}$")
    if not (told := period.str.contains(form)).all(ignore_nulls=False):
        raise SchemaError(f"expected {what} in {_PERIOD!r}, got {period.filter(~told.fill_null(False))[0]!r}")
    years = period.str.slice(-4).cast(pl.Int32) - day.dt.year()
    return 12 * years + period.str.slice(0, 2).cast(pl.Int32) - day.dt.month() if monthly else years


def _of(survey: pl.DataFrame, series: Series) -> pl.DataFrame:
    """The rows of one series, with their release times."""
    selector = cast(Selector, series.selector)
    _, _, ahead = series.code.partition("/")
    day, lag = pl.col("observation_date"), series.publication_lag
    tests = [pl.col(field) == wanted for field, wanted in selector.where.items()]
    if ahead:
        tests.append(pl.col(_AHEAD) == int(ahead))
    chosen = survey.filter(tests) if tests else survey
    rows = combined(chosen.select(day, value=selector.value), selector, series.id)
    monday = day + pl.duration(days=8 - day.dt.weekday())
    if lag.late:
        monday = day.replace_strict(lag.late, default=monday, return_dtype=pl.Date)
    release = monday.dt.combine(lag.time, "us").dt.replace_time_zone(lag.time_zone).dt.convert_time_zone("UTC")
    return rows.with_columns(release_time=release, release_basis=pl.lit("publication_lag"))
