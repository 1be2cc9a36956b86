"""A stand-in for FINRA's daily files of short sales; figures are synthetic, the last line counts the others."""

from __future__ import annotations

from datetime import datetime

from macro_assets_tests.providers import Asked, World

COLUMNS = ("ShortVolume", "TotalVolume")


def answer(asked: Asked, world: World) -> tuple[int, bytes]:
    code, _, rest = asked.path.rpartition("/")[2].partition("shvol")
    day = datetime.strptime(rest.removesuffix(".txt"), "%Y%m%d").date()
    shares: dict[str, dict[str, int]] = {}
    for series in world.by_source[asked.source]:
        value = world.figures(series).get(day) if series.code == code else None
        if value is not None and series.selector:
            shares.setdefault(series.selector.where.get("Symbol", ""), {})[series.selector.value] = round(value)
    total = shares.pop("", None)
    if total is None:
        return 403, b"<Error><Code>AccessDenied</Code></Error>"
    named = {s: {c: v.get(c, sum(v.values())) for c in COLUMNS} for s, v in shares.items()}
    named["ZZZSYN"] = {c: total[c] - sum(v[c] for v in named.values()) for c in COLUMNS}  # the sum is as it must be
    lines = [f"{day:%Y%m%d}|{s}|{v['ShortVolume']}|0|{v['TotalVolume']}|B,Q,N" for s, v in named.items()]
    head = "Date|Symbol|ShortVolume|ShortExemptVolume|TotalVolume|Market"
    return 200, "\r\n".join([head, *lines, str(len(lines)), ""]).encode()
