"""A stand-in for CBOE's files of daily prices; figures are synthetic."""

from __future__ import annotations

from macro_assets_tests.providers import Asked, World


def answer(asked: Asked, world: World) -> tuple[int, bytes]:
    code = asked.path.rsplit("/", 1)[-1].removesuffix("_History.csv")
    series = world.series("cboe", code)
    if series is None:
        return 404, b"NoSuchKey"
    rows = [(f"{d:%m/%d/%Y}", world.value(series, d)) for d in world.days(series)]
    bars = "".join(f"{d},{v},{v + 0.5:.4f},{v - 0.5:.4f},{v}\n" for d, v in rows)
    return 200, f"DATE,OPEN,HIGH,LOW,CLOSE\n{bars}".encode()
