"""What a table said in earlier versions, as far back as their files are there: upkeep removes those of old ones."""

from __future__ import annotations

from collections.abc import Iterator

from macro_assets.lakehouse.delta import LakeError, reading
from macro_assets.lakehouse.handle import Held, Lakehouse
from macro_assets.lakehouse.upkeep.damage import opened


def earlier(lake: Lakehouse, name: str) -> Iterator[Held]:
    """The rows of the oldest version of a table that can still be read, and of the one before the present.

    Without the first of all, which has no rows.
    """
    present = opened(lake.root, name).version()
    low, high = 1, present
    while low < high:
        middle = (low + high) // 2
        if _rows(lake, name, middle, ["series_id"]) is not None:
            high = middle
        else:
            low = middle + 1
    for version in sorted({low, present - 1} - {0, present}):
        if (held := _rows(lake, name, version)) is not None:
            yield held


def _rows(lake: Lakehouse, name: str, version: int, columns: list[str] | None = None) -> Held | None:
    """The rows of a version, or some columns of them; None where its files are gone."""
    try:
        with reading(name, version):
            rows = lake.rows(name, opened(lake.root, name, version))
            return Held((rows if columns is None else rows.select(columns)).collect(), version)
    except LakeError:
        return None
