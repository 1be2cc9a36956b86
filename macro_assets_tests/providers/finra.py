"""A stand-in for FINRA's files of short sales; figures are synthetic, and shares far fewer than in a true file.

Sums over all shares are reached by a share of the rest. The figures of shares of no series are the same every day.
"""

from __future__ import annotations

from datetime import datetime
from functools import cache

from macro_assets_tests.providers import Asked, World

COLUMNS = ("ShortVolume", "ShortExemptVolume", "TotalVolume")
MISSING = b"<Error><Code>AccessDenied</Code></Error>"
SHARES = 300


def answer(asked: Asked, world: World) -> tuple[int, bytes]:
    code, stamp = asked.path.rsplit("/", 1)[-1].removesuffix(".txt").split("shvol")
    day = datetime.strptime(stamp, "%Y%m%d").date()
    series = [s for s in world.by_source[asked.source] if s.code == code and s.selector]
    if not series or day > world.today or day.isoweekday() > 5:
        return 403, MISSING
    cells: dict[str, dict[str, int]] = {}
    totals: dict[str, int] = {}
    for one in series:
        assert one.selector is not None
        value = int(world.figures(one).get(day, 0))
        if one.selector.where:
            cells.setdefault(one.selector.where["Symbol"], {})[one.selector.value] = value
        else:
            totals[one.selector.value] = value
    for name, total in totals.items():
        rest = total - sum(c.get(name, 0) for c in cells.values()) - SHARES
        cells.setdefault("ZREST", {})[name] = rest
    rows = "".join(
        f"{stamp}|{symbol}|{'|'.join(str(of.get(c, 0)) for c in COLUMNS)}|B,Q,N\n" for symbol, of in cells.items()
    )
    whole = f"Date|Symbol|{'|'.join(COLUMNS)}|Market\n{rows}{_others(SHARES).replace('DATE', stamp)}"
    return 200, f"{whole}{len(cells) + SHARES}\n".encode()


@cache
def _others(shares: int) -> str:
    return "".join(f"DATE|TOY{n}|1|0|1|Q,N\n" for n in range(shares))
