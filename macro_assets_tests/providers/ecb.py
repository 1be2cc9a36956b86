"""A stand-in for the ECB's data portal; figures are synthetic."""

from __future__ import annotations

from collections.abc import Mapping

from macro_assets.catalog import Series
from macro_assets.sources.sdmx import period
from macro_assets_tests.providers import Asked, World


def answer(asked: Asked, world: World) -> tuple[int, bytes]:
    flow, key = asked.path.removeprefix("/data/").split("/")
    series = world.series(asked.source, key)
    if series is None or series.dataset != flow:
        return 404, b"No results found."
    named = {period(d, series.frequency): world.value(series, d) for d in world.days(series)}
    if asked.params.get("detail") != "dataonly":
        return _described(series, named)
    first, last = asked.params["startPeriod"], asked.params["endPeriod"]
    rows = [f"{flow}.{key},{series.frequency},{name},{v}\n" for name, v in named.items() if first <= name <= last]
    if not rows:
        return 404, b"No results found."
    return 200, ("KEY,FREQ,TIME_PERIOD,OBS_VALUE\n" + "".join(rows)).encode()


def _described(series: Series, named: Mapping[str, float]) -> tuple[int, bytes]:
    """All figures, each with the attributes of the series; UNIT is a code."""
    key = f"{series.dataset}.{series.code}"
    told = f'E,"{series.title}",PCPA,6,N,U2'
    rows = [f"{key},{series.frequency},{name},{v},{told}\n" for name, v in named.items()]
    header = "KEY,FREQ,TIME_PERIOD,OBS_VALUE,COLLECTION,TITLE,UNIT,UNIT_MULT,ADJUSTMENT,REF_AREA\n"
    return 200, (header + "".join(rows)).encode()
