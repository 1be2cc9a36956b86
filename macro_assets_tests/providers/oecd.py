"""A stand-in for the OECD's data service; figures are synthetic."""

from __future__ import annotations

from macro_assets.sources.sdmx import period
from macro_assets_tests.providers import Asked, World

DIMENSIONS = (
    "REF_AREA,FREQ,MEASURE,UNIT_MEASURE,ACTIVITY,ADJUSTMENT,TRANSFORMATION,TIME_HORIZ,METHODOLOGY"  # of the flow DF_CLI
)


def answer(asked: Asked, world: World) -> tuple[int, bytes]:
    flow, key = asked.path.removeprefix("/data/").split("/")
    series = world.series(asked.source, key)
    if series is None or series.dataset != flow:
        return 404, b"NoRecordsFound"
    named = {period(d, series.frequency): world.value(series, d) for d in world.days(series)}
    first, last = asked.params["startPeriod"], asked.params["endPeriod"]
    codes = key.replace(".", ",")
    rows = [f'"{flow}",{codes},{name},{v}\n' for name, v in named.items() if first <= name <= last]
    return 200, (f"DATAFLOW,{DIMENSIONS},TIME_PERIOD,OBS_VALUE\n" + "".join(rows)).encode()
