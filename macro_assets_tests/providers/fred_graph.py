"""A stand-in for the CSV of FRED's charts; figures are synthetic."""

from __future__ import annotations

from macro_assets_tests.providers import Asked, World


def answer(asked: Asked, world: World) -> tuple[int, bytes]:
    code = asked.params["id"]
    series = world.series(asked.source, code)
    if series is None:
        return 404, b"<!DOCTYPE html><html><head><title>Not Found</title></head></html>"
    first, last = asked.params["cosd"], asked.params.get("coed", "9999-12-31")
    dated = ((str(d), v) for d, v in world.figures(series).items())
    rows = [f"{day},{v}\n" for day, v in dated if first <= day <= last]
    return 200, f"observation_date,{code}\n{''.join(rows)}".encode()
