"""B3, reference rates: the curve of DI against fixed rates, one file per session for some twenty sessions.

The page of the exchange reads them from a service it does not document. A call's arguments are JSON in base64 at the
end of the path. `GetDate` lists the sessions; `GetDownloadFile` gives a session's CSV in base64, in Latin-1:
`Descrição da Taxa;Dias Úteis;Dias Corridos;Preço/Taxa`, decimal commas, the header not always there, nothing on a
holiday. (`GetList` ignores the date, and the older pages by date were closed in March 2026.)

The knots of the curve move from day to day. A series is the rate at a fixed number of business days, between knots by
the exchange's own rule, constant forward rates over 252 business days a year.
Source: https://www.b3.com.br/pt_br/market-data-e-indices/servicos-de-dados/market-data/consultas/
mercado-de-derivativos/precos-referenciais/taxas-referenciais-bm-fbovespa/ and its Manual de Curvas
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date

import polars as pl

from macro_assets.catalog import Series
from macro_assets.sources.bodies import read_csv, read_json, text_body
from macro_assets.sources.cells import dates, numbers
from macro_assets.sources.errors import SchemaError, quoted
from macro_assets.sources.gateways import explain as explain
from macro_assets.sources.protocol import Ask, Request, Response, Steps, Window, read_each

_HEADER = "Descrição da Taxa;Dias Úteis;Dias Corridos;Preço/Taxa"
_MOST = 60
"""Sessions that may be asked for in one go; the service lists some twenty."""


def plan(series: Sequence[Series], window: Window) -> Iterator[Ask]:
    """One ask per curve: `code` is the curve and the business days, as PRE/252."""
    curves: dict[str, list[Series]] = {}
    for one in series:
        curves.setdefault(one.code.partition("/")[0], []).append(one)
    for curve, same in curves.items():
        yield Ask(tuple(same), _steps(curve, same, window))


def _steps(curve: str, series: Sequence[Series], window: Window) -> Steps:
    response = yield _request("GetDate", id=curve)
    first = min(map(window.begin, series))
    days = [day for day in read_sessions(response) if first <= day <= window.end]
    if len(days) > _MOST:
        raise SchemaError(f"expected at most {_MOST} sessions of curve {curve!r}, the service lists {len(days)}")
    answers = []
    for day in days:
        response = yield _request("GetDownloadFile", id=curve, date=day.isoformat())
        knots = read_curve(response)
        answers.append(
            read_each(response, series, lambda one, day=day, knots=knots: _rate(knots, one, day))  # type: ignore[misc]
        )
    return answers


def _request(call: str, **arguments: str) -> Request:
    told = json.dumps({"language": "pt-br", **arguments}, separators=(",", ":"))
    return Request(f"/referenceRatesProxy/Search/{call}/{b64encode(told.encode()).decode()}")


def read_sessions(response: Response) -> list[date]:
    """Days for which the service has a file, oldest first."""
    listed = read_json(response)
    if isinstance(listed, str):  # some answers are JSON within a JSON string
        listed = read_json(replace(response, body=listed.encode()))
    if not isinstance(listed, list) or not all(isinstance(day, str) for day in listed):
        raise SchemaError(f"expected a list of dates, got {quoted(response.body)}")
    return sorted(set(dates(pl.Series("sessions", listed, dtype=pl.String))))


def read_curve(response: Response) -> pl.DataFrame:
    """The knots of a curve in one session: `days` (business days), `rate` (percent per annum over 252 days)."""
    text = response.body.strip().strip(b'"')
    if not text:
        return pl.DataFrame(schema={"days": pl.Float64(), "rate": pl.Float64()})
    try:
        file = replace(response, body=b64decode(text, validate=True))
    except ValueError as error:
        raise SchemaError(f"expected a file in base64, got {quoted(response.body)} ({error})") from None
    body = text_body(file, "CSV", "latin-1").strip()
    headed = body if body.startswith(_HEADER.split(";")[0]) else f"{_HEADER}\n{body}"
    table = read_csv(replace(response, body=headed.encode()), _HEADER.split(";"), separator=";")
    if table["Descrição da Taxa"].n_unique() > 1:
        raise SchemaError(f"expected one curve, got {table['Descrição da Taxa'].unique().to_list()[:5]}")
    knots = pl.DataFrame(
        {"days": numbers(table["Dias Úteis"]), "rate": numbers(table["Preço/Taxa"], decimal=",")}
    ).unique(maintain_order=True)
    if not (knots["days"].diff().drop_nulls() > 0).all() or not (knots["days"] > 0).all():
        raise SchemaError(f"expected growing 'Dias Úteis', got {knots['days'].to_list()[:10]}")
    return knots


def _rate(knots: pl.DataFrame, series: Series, day: date) -> pl.DataFrame:
    value = at_days(knots["days"].to_list(), knots["rate"].to_list(), float(series.code.partition("/")[2]))
    found = [] if value is None else [(day, value)]
    return pl.DataFrame(found, schema={"observation_date": pl.Date(), "value": pl.Float64()}, orient="row")


def at_days(days: Sequence[float], rates: Sequence[float], wanted: float) -> float | None:
    """The rate at a number of business days, by constant forward rates between knots.

    Parameters
    ----------
    days, rates
        Knots in business days, growing, and percent per annum.

    Returns
    -------
    float or None
        Percent per annum over 252 business days; None outside the knots.
    """
    if not days or not days[0] <= wanted <= days[-1]:
        return None
    right = bisect_left(days, wanted)
    if days[right] == wanted:
        return rates[right]
    before, after = days[right - 1], days[right]
    share = (wanted - before) / (after - before)
    grown = [(1 + rates[k] / 100) ** (days[k] / 252) for k in (right - 1, right)]
    return float(100 * ((grown[0] ** (1 - share) * grown[1] ** share) ** (252 / wanted) - 1))
