"""A stand-in for B3's reference rates of the last twenty sessions; figures are synthetic, files in base64."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from datetime import date

from macro_assets_tests.providers import Asked, World

SESSIONS = 20
HEAD = "Descrição da Taxa;Dias Úteis;Dias Corridos;Preço/Taxa"


def answer(asked: Asked, world: World) -> tuple[int, bytes]:
    call, _, told = asked.path.removeprefix("/referenceRatesProxy/Search/").partition("/")
    arguments = json.loads(b64decode(told))
    curve = [s for s in world.by_source[asked.source] if s.code.startswith(f"{arguments['id']}/")]
    if call == "GetDate":
        days = sorted(world.days(curve[0]), reverse=True)[:SESSIONS] if curve else []
        return 200, json.dumps([f"{d}T00:00:00" for d in days]).encode()
    day = date.fromisoformat(arguments["date"])
    knots = {int(s.code.partition("/")[2]): world.figures(s).get(day) for s in curve}
    rows = [f"DI x pré;{n};{n * 7 // 5};{v}".replace(".", ",") for n, v in sorted(knots.items()) if v is not None]
    return 200, b'"' + b64encode("\r\n".join([HEAD, *rows]).encode("latin-1")) + b'"'
