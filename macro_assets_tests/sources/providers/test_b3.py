"""The exchange's curve of DI: synthetic answers in the form of the service. No answer of it was recorded."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from datetime import date

import polars as pl
import pytest

from macro_assets.catalog import default_catalog
from macro_assets.sources.errors import TransientError
from macro_assets.sources.protocol import Response, Window
from macro_assets.sources.providers import b3
from macro_assets.sources.providers.b3 import at_days, read_curve
from macro_assets_tests.sources.contract import HTML, Contract, Good
from macro_assets_tests.sources.wire import Recorded, Replayed, fetched, toy_series

TOY = toy_series("b3", "PRE/252", first_year=2020)
TODAY = Window(today=date(2026, 11, 20))
HEAD = "Descrição da Taxa;Dias Úteis;Dias Corridos;Preço/Taxa\r\n"


def path(call: str, **arguments: str) -> str:
    return b3._request(call, **arguments).path


def curve(text: str) -> bytes:
    """A file as the service sends it, within quotes."""
    return b'"' + b64encode(text.encode("latin-1")) + b'"'


def service(**files: bytes) -> dict[str, bytes]:
    """Sessions by day, with underscores for hyphens."""
    days = [name.removeprefix("d").replace("_", "-") for name in files]
    listed = json.dumps([f"{day}T00:00:00" for day in days]).encode()
    bodies = {path("GetDate", id="PRE"): listed}
    return bodies | {path("GetDownloadFile", id="PRE", date=d): f for d, f in zip(days, files.values(), strict=True)}


KNOTS = "DI x pré;1;1;14,90\r\nDI x pré;200;290;14,00\r\nDI x pré;300;430;13,50\r\n"


def knots(response: Response) -> pl.DataFrame:
    read = read_curve(response)
    return read.rename({"rate": "value"}).with_columns(observation_date=pl.lit(response.fetched_at.date()))


LISTED = path("GetDate", id="PRE")
ONE_SESSION = service(d2026_11_19=curve(KNOTS))
FILE = path("GetDownloadFile", id="PRE", date="2026-11-19")
KNOT = toy_series("b3", "PRE/200", first_year=2020)
CONTRACT = Contract(
    good=Good(
        KNOT,
        FILE,
        (HEAD + KNOTS).encode("latin-1"),
        rows=((date(2026, 11, 19), 14.0),),
        figure=b"14,00",
        harmless={"no bytes": "a holiday has no rates"},
        others=ONE_SESSION,
        pack=lambda text: b'"' + b64encode(text) + b'"' if text not in (b"", HTML) else text,
        refused=(
            (b"not base64!", "expected a file in base64"),
            (curve("DI x pré;1;1;14,90;x\r\n"), "expected CSV"),
            (curve("Descrição da Taxa;Dias;Preço/Taxa\r\nDI x pré;1;14,90\r\n"), "expected the column 'Dias Úteis'"),
            (curve("DI x pré;1;1;n/d\r\n"), "expected a number in 'Preço/Taxa', got 'n/d'"),
            (curve("DI x pré;1;1;14.900,1\r\n"), "expected a number in 'Preço/Taxa'"),
            (curve("DI x pré;5;7;14,9\r\nDI x pré;4;6;14,8\r\n"), "expected growing 'Dias Úteis'"),
            (curve("DI x pré;0;0;14,9\r\n"), "expected growing 'Dias Úteis'"),
            (curve("DI x pré;4;6;14,9\r\nDI x pré;4;6;14,8\r\n"), "expected growing 'Dias Úteis'"),
            (curve("DI x pré;1;1;14,9\r\nSelic x pré;4;6;14,8\r\n"), "expected one curve"),
        ),
        empty=(b"", b'""'),
    ),
    more=(
        Good(
            KNOT,
            LISTED,
            ONE_SESSION[LISTED],
            rows=((date(2026, 11, 19), 14.0),),
            figure=None,
            harmless={"other names": "a list of days has no names"},
            days=(b"2026-11-19T00:00:00",),
            others=ONE_SESSION,
            refused=(
                (b'{"dates":[]}', "expected a list of dates"),
                (b"[20261119]", "expected a list of dates"),
                (b'["19/11/2026"]', "expected a date like"),
                (
                    json.dumps([f"2026-{m:02d}-{d:02d}" for m in (1, 2, 3) for d in range(1, 29)]).encode(),
                    "at most 60 sessions",
                ),
            ),
            empty=(b"[]",),
        ),
    ),
    asks=lambda s: (LISTED,),
    errors=((200, b"<html>", TransientError),),
    recorded=Recorded(
        "b3",
        readers={r"GetDownloadFile/": knots},
        no_series={r"GetDate/": "the list of sessions", r"GetList/": "the newest curve whatever the date"},
        count=lambda body: b64decode(body.strip().strip(b'"')).decode("latin-1").count("DI x pr"),
        plausible=lambda rows: rows["value"].is_between(-5, 100).all(),
    ),
)


def test_codes_are_those_of_the_ids() -> None:
    for one in default_catalog().series_of("b3"):
        assert one.id == f"BR_DI_PRE_{one.code.partition('/')[2]}D"


def test_a_session_is_read_between_its_knots() -> None:
    bodies = service(d2026_11_18=curve(HEAD + KNOTS), d2026_11_19=curve(KNOTS.replace("13,50", "13,60")))
    found = fetched("b3", TOY, bodies, TODAY)
    assert found.failures == {}
    assert found.observations["observation_date"].to_list() == [date(2026, 11, 18), date(2026, 11, 19)]
    first, second = found.observations["value"]
    assert 13.5 < first < 14.0 < 14.9
    assert second > first
    assert len(found.responses) == 3


def test_a_rate_between_knots_keeps_the_forward_rate() -> None:
    value = at_days([200, 300], [14.0, 13.5], 252)
    assert value is not None
    forward = (1.135 ** (300 / 252) / 1.14 ** (200 / 252)) ** (252 / 100)
    assert 1.14 ** (200 / 252) * forward ** (52 / 252) == pytest.approx((1 + value / 100) ** (252 / 252), rel=1e-12)


@pytest.mark.parametrize(("wanted", "value"), [(200, 14.0), (300, 13.5), (199, None), (301, None)])
def test_knots_are_exact_and_nothing_is_beyond_them(wanted: float, value: float | None) -> None:
    assert at_days([200, 300], [14.0, 13.5], wanted) == value
    assert at_days([], [], wanted) is None


def test_what_is_asked_for() -> None:
    client = Replayed(service(d2026_11_17=curve(KNOTS), d2026_11_18=curve(KNOTS), d2026_11_19=curve(KNOTS)))
    fetched("b3", TOY, client, Window(date(2026, 11, 18), date(2026, 11, 18), date(2026, 11, 20)))
    calls = [r.path.removeprefix("/referenceRatesProxy/Search/").split("/") for r in client.asked]
    assert [(call, json.loads(b64decode(told))) for call, told in calls] == [
        ("GetDate", {"language": "pt-br", "id": "PRE"}),
        ("GetDownloadFile", {"language": "pt-br", "id": "PRE", "date": "2026-11-18"}),
    ]


def test_sessions_may_come_as_json_within_json() -> None:
    bodies = service(d2026_11_19=curve(KNOTS))
    bodies[path("GetDate", id="PRE")] = json.dumps('["2026-11-19T00:00:00"]').encode()
    assert fetched("b3", TOY, bodies, TODAY).observations.height == 1
