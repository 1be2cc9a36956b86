"""A stand-in for DBnomics; figures are synthetic."""

from __future__ import annotations

import json
from datetime import timedelta

from macro_assets.catalog import Series
from macro_assets.sources.sdmx import period
from macro_assets_tests.providers import Asked, World

FREQUENCIES = {"D": "daily", "W": "weekly", "M": "monthly", "Q": "quarterly", "A": "annual"}


def answer(asked: Asked, world: World) -> tuple[int, bytes]:
    if asked.path == "/search" or asked.path.count("/") == 3:
        return _search(asked, world)
    code = asked.path.removeprefix("/series/")
    series = world.series(asked.source, code)
    if series is None:
        return 404, b'{"message": "series not found"}'
    days = list(world.days(series))
    starts = [d - timedelta(days=d.weekday()) for d in days] if series.frequency == "W" else days
    doc = {
        **_named(series),
        "dimensions": {"FREQ": series.frequency, "UNIT_MEASURE": "U1", "REF_AREA": series.country},
        "period": [period(d, series.frequency) for d in days],
        "period_start_day": [str(d) for d in starts],
        "value": [world.value(series, d) for d in days],
    }
    page = {"docs": [doc], "limit": 1000, "offset": 0, "num_found": 1}
    document = {"errors": None, "series": page}
    if asked.params.get("metadata") == "1":
        labels = {"UNIT_MEASURE": {"U1": series.provider_unit}}
        names = {"UNIT_MEASURE": "Unit of measure", "REF_AREA": "Reference area"}
        document["dataset"] = {"dimensions_labels": names, "dimensions_values_labels": labels}
        document["provider"] = {"name": "Synthetic agency", "terms_of_use": "https://example.org/terms"}
    return 200, json.dumps(document).encode()


def _named(series: Series) -> dict[str, str]:
    code = dict(zip(("provider_code", "dataset_code", "series_code"), series.code.split("/"), strict=True))
    return code | {"series_name": series.title, "@frequency": FREQUENCIES[series.frequency]}


def _search(asked: Asked, world: World) -> tuple[int, bytes]:
    """Data sets of series whose names have some words; of one of them its series."""
    words = asked.params["q"].casefold().split()
    found = [_named(s) for s in world.by_source["dbnomics"] if all(w in s.title.casefold() for w in words)]
    if asked.path == "/search":
        sets = dict.fromkeys((d["provider_code"], d["dataset_code"]) for d in found)
        docs = [{"provider_code": p, "code": d, "name": f"Data set {d}", "nb_matching_series": 1} for p, d in sets]
        return 200, json.dumps({"results": {"docs": docs, "num_found": len(docs)}}).encode()
    inside = [d for d in found if asked.path == f"/series/{d['provider_code']}/{d['dataset_code']}"]
    page = {"docs": inside, "limit": 1000, "offset": 0, "num_found": len(inside)}
    return 200, json.dumps({"series": page}).encode()
