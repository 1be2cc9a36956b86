"""A stand-in for the reference rates of B3; figures are synthetic. It has the last twenty sessions, as the real one."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from datetime import date

from macro_assets.catalog import Series
from macro_assets_tests.providers import Asked, World

SESSIONS = 20
HEAD = "Descrição da Taxa;Dias Úteis;Dias Corridos;Preço/Taxa\r\n"


def answer(asked: Asked, world: World) -> tuple[int, bytes]:
    call, _, told = asked.path.removeprefix("/referenceRatesProxy/Search/").partition("/")
    arguments = json.loads(b64decode(told))
    same = [s for s in world.by_source[asked.source] if s.code.partition("/")[0] == arguments["id"]]
    sessions = [*world.days(same[0])][-SESSIONS:] if same else []
    if call == "GetDate":
        return 200, json.dumps([f"{day}T00:00:00" for day in reversed(sessions)]).encode()
    day = date.fromisoformat(arguments["date"])
    return 200, b'"' + b64encode(_file(world, same, day).encode("latin-1") if day in sessions else b"") + b'"'


def _file(world: World, same: list[Series], day: date) -> str:
    """A knot five days to either side of each series, at the same rate."""
    rates = {int(s.code.partition("/")[2]): world.value(s, day) for s in same}
    knots = {days + aside: rate for days, rate in rates.items() for aside in (-5, 5)}
    lines = [
        f"DI x pré;{days};{days * 7 // 5};{rate:.2f}\r\n".replace(".", ",") for days, rate in sorted(knots.items())
    ]
    return HEAD + "".join(lines)
