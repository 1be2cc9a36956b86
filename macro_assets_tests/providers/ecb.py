"""A stand-in for the ECB's data portal; figures are synthetic."""

from __future__ import annotations

from macro_assets.sources.sdmx import period
from macro_assets_tests.providers import Asked, World


def answer(asked: Asked, world: World) -> tuple[int, bytes]:
    flow, key = asked.path.removeprefix("/data/").split("/")
    series = world.series(asked.source, key)
    if series is None or series.dataset != flow:
        return 404, b"No results found."
    named = {period(d, series.frequency): world.value(series, d) for d in world.days(series)}
    first, last = asked.params["startPeriod"], asked.params["endPeriod"]
    rows = [f"{flow}.{key},{series.frequency},{name},{v}\n" for name, v in named.items() if first <= name <= last]
    if not rows:
        return 404, b"No results found."
    return 200, ("KEY,FREQ,TIME_PERIOD,OBS_VALUE\n" + "".join(rows)).encode()
