"""A stand-in for the World Bank's API; figures are synthetic, newest first, in pages."""

from __future__ import annotations

import json

from macro_assets_tests.providers import Asked, World

UNKNOWN = [{"message": [{"id": "120", "key": "Invalid value", "value": "The code is not known here"}]}]


def answer(asked: Asked, world: World) -> tuple[int, bytes]:
    if asked.path.startswith("/sources/2/search/"):
        return _search(asked.path.rpartition("/")[2], world)
    if "/country/" not in asked.path or "/indicator/" not in asked.path:
        return _described(asked.path, world)
    country, indicator = asked.path.removeprefix("/country/").split("/indicator/")
    series = world.series(asked.source, f"{country}/{indicator}")
    if series is None:
        return 200, json.dumps(UNKNOWN).encode()
    first, last = (int(year) for year in asked.params.get("date", "0:9999").split(":"))
    rows = [
        {"indicator": {"id": indicator}, "date": str(d.year), "value": world.value(series, d)}
        for d in reversed(list(world.days(series)))
        if first <= d.year <= last
    ]
    size, page = int(asked.params["per_page"]), int(asked.params["page"])
    about = {"page": page, "pages": -(-len(rows) // size), "per_page": size, "total": len(rows)}
    return 200, json.dumps([about, rows[size * (page - 1) : size * page] or None]).encode()


def _described(path: str, world: World) -> tuple[int, bytes]:
    """What an indicator or a country is called."""
    kind, code = path.removeprefix("/").split("/")
    place = 0 if kind == "country" else 1
    series = next((s for s in world.by_source["worldbank"] if s.code.split("/")[place] == code), None)
    if series is None:
        return 200, json.dumps(UNKNOWN).encode()
    told: dict[str, object] = {"id": code, "name": f"{series.title} (synthetic %)", "unit": ""}
    if kind == "country":
        region = {"id": "NA", "value": "Aggregates"} if code == "WLD" else {"id": "LCN", "value": "Latin America"}
        told = {"id": code, "iso2Code": series.country, "name": f"Land {code}", "region": region}
    return 200, json.dumps([{"page": 1, "pages": 1, "total": 1}, [told]]).encode()


def _search(words: str, world: World) -> tuple[int, bytes]:
    matching = [s for s in world.by_source["worldbank"] if all(w in s.title.casefold() for w in words.split())]
    series = [{"id": s.code.split("/")[1], "name": s.title, "metatype": []} for s in matching]
    concepts = [{"id": "Country", "variable": [{"id": "BRA", "metatype": []}]}, {"id": "Series", "variable": series}]
    return 200, json.dumps({"page": 1, "pages": 1, "source": [{"id": "2", "concept": concepts}]}).encode()
