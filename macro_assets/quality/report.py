"""What a check found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

SAMPLE = 20
"""Failures shown at most: enough to see the pattern, small enough for an event log."""


@dataclass(frozen=True)
class CheckReport:
    """The result of a check.

    `failures` counts failed cells, `failed_rows` are positions in the checked frame, `sample` shows at most `SAMPLE`
    cases (column, rule, value, row).
    """

    subject: str
    rows: int
    failures: int = 0
    failed_rows: tuple[int, ...] = ()
    sample: Sequence[dict[str, Any]] = ()

    @property
    def passed(self) -> bool:
        return self.failures == 0

    def __str__(self) -> str:
        if self.passed:
            return f"{self.subject}: {self.rows} rows pass"
        first = self.sample[0]
        return (
            f"{self.subject}: {len(self.failed_rows) or self.failures} of {self.rows} rows fail; first: "
            f"{first['column']} {first['rule']}, got {first['value']!r} in row {first['row']}"
        )
