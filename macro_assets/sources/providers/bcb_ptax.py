"""Banco Central do Brasil, PTAX: the day's reference exchange rates, purchase and sale, in reais.

The rates are read from the closing bulletin alone. Of the dollar there is a call that has nothing else; the call for
other currencies also brings the bulletins of the day (`tipoBoletim`: Abertura, Intermediário, Fechamento), and where
that field is not in the answer the last row of a day is the closing one. Dates are MM-DD-YYYY in quotes in a request.
`dataHoraCotacao` is Brasília's clock time of the bulletin, hence the release time; where it is midnight exactly, no
time is recorded: known by its date alone, the bulletin counts from the end of that day in UTC.
Source: https://olinda.bcb.gov.br/olinda/servico/PTAX/versao/v1/documentacao
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, time
from itertools import compress

import polars as pl

from macro_assets.catalog import Series
from macro_assets.sources.bodies import members, names
from macro_assets.sources.cells import finite, instants
from macro_assets.sources.errors import SchemaError
from macro_assets.sources.olinda import explain as explain
from macro_assets.sources.olinda import read_entities
from macro_assets.sources.protocol import Ask, Request, Response, Steps, Window, read_each, windows
from macro_assets.sources.rows import one_a_date

_SERVICE = "/olinda/servico/PTAX/versao/v1/odata"
_YEARS = 5
"""Calendar years a request spans: some 6,000 rows with all bulletins of a day."""

RATES = ("cotacaoCompra", "cotacaoVenda")
_FIELDS = (*RATES, "dataHoraCotacao", "tipoBoletim")


def plan(series: Sequence[Series], window: Window) -> Iterator[Ask]:
    """One request per currency and five years: `code` is the currency, the selector's `value` which rate of it."""
    currencies: dict[str, list[Series]] = {}
    for one in series:
        currencies.setdefault(one.code, []).append(one)
    for code, same in currencies.items():
        yield Ask(tuple(same), _steps(code, same, window))


def _steps(currency: str, series: Sequence[Series], window: Window) -> Steps:
    answers = []
    for first, last in windows(min(map(window.begin, series)), window.end, _YEARS):
        response = yield _request(currency, first, last)
        quotes = read_quotes(response)
        answers.append(read_each(response, series, lambda one, quotes=quotes: _rate(quotes, one)))  # type: ignore[misc]
    return answers


def _request(currency: str, first: date, last: date) -> Request:
    span = (("@dataInicial", f"'{first:%m-%d-%Y}'"), ("@dataFinalCotacao", f"'{last:%m-%d-%Y}'"))
    shape = (("$format", "json"), ("$select", ",".join((*RATES, "dataHoraCotacao"))))
    if currency == "USD":
        call = "CotacaoDolarPeriodo(dataInicial=@dataInicial,dataFinalCotacao=@dataFinalCotacao)"
        return Request(f"{_SERVICE}/{call}", (*span, *shape))
    call = "CotacaoMoedaPeriodo(moeda=@moeda,dataInicial=@dataInicial,dataFinalCotacao=@dataFinalCotacao)"
    shape = (shape[0], (shape[1][0], f"{shape[1][1]},tipoBoletim"))
    return Request(f"{_SERVICE}/{call}", (("@moeda", f"'{currency}'"), *span, *shape))


def read_quotes(response: Response) -> pl.DataFrame:
    """Closing rates of a currency.

    Returns
    -------
    pl.DataFrame
        `observation_date` (Brasília's), `release_time`, `has_time` (whether the answer states more than a date), and
        `cotacaoCompra` and `cotacaoVenda`, those that are there, in reais per unit of the currency. By `release_time`,
        the last one of a day counts.
    """
    first = response.body[:4096]
    rows = read_entities(response, [name for name in _FIELDS if name.encode() in first])
    if "tipoBoletim" in names(rows):
        bulletins = members(rows, "tipoBoletim", str)
        closing = {name for name in set(bulletins) if name.startswith("Fechamento")}
        rows = list(compress(rows, map(closing.__contains__, bulletins)))
    stamps = pl.Series("dataHoraCotacao", members(rows, "dataHoraCotacao", str), dtype=pl.String)
    rates = [name for name in RATES if not rows or name in names(rows)]
    return pl.DataFrame(
        [
            instants(stamps, "%Y-%m-%d %H:%M:%S%.f", "America/Sao_Paulo").alias("release_time"),
            stamps.str.head(10).str.to_date("%Y-%m-%d").alias("observation_date"),
            (~stamps.str.contains(" 00:00:00", literal=True)).alias("has_time"),
            *(finite(members(rows, name, float, int, type(None)), name) for name in rates),
        ]
    ).sort("release_time")


def _rate(quotes: pl.DataFrame, series: Series) -> pl.DataFrame:
    name = series.selector.value if series.selector else None
    if name not in RATES:
        raise SchemaError(f"series {series.id} needs one of {RATES} as the `value` of its selector, it has {name!r}")
    if name not in quotes.columns:
        raise SchemaError(f"expected the field {name!r}, the answer has {quotes.columns}")
    # not an estimate: beside release times that the provider states, reads ignore those
    end_of_day = pl.col("observation_date").dt.combine(time.max, "us").dt.replace_time_zone("UTC")
    known = pl.when("has_time").then("release_time").otherwise(end_of_day)
    return one_a_date(quotes.select("observation_date", value=pl.col(name), release_time=known), "last")
