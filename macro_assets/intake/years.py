"""The years of observation dates by which raw series are asked for.

The first year stands for everything earlier too, the last for everything later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from macro_assets.sources.protocol import Window


@dataclass(frozen=True)
class Years:
    """Some years, 'YYYY', among all that there are."""

    asked: Sequence[str]
    all: Sequence[str]

    @property
    def window(self) -> Window:
        """Observation dates from the first to the last year asked for."""
        first, last = min(self.asked), max(self.asked)
        return Window(
            first=None if first == self.all[0] else date(int(first), 1, 1),
            last=None if last == self.all[-1] else date(int(last), 12, 31),
        )

    def of(self, day: date) -> str:
        """The year that an observation date belongs to."""
        return min(max(str(day.year), self.all[0]), self.all[-1])
