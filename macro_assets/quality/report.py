"""What a check found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from macro_assets.catalog.wording import shortened

SAMPLE = 20
"""Failures shown at most: enough to see the pattern, small enough for an event log."""


@dataclass(frozen=True)
class CheckReport:
    """The result of a check.

    `failures` counts failed cells, `failed_rows` are positions in the checked frame, `sample` shows at most `SAMPLE`
    cases (column, rule, value, row). `failed_rows` is empty where a failure is no single row's (a column that is
    missing, unknown or of another type): it condemns them all. `warnings` are what rules that only warn have found.
    """

    subject: str
    rows: int
    failures: int = 0
    failed_rows: tuple[int, ...] = ()
    sample: Sequence[dict[str, Any]] = ()
    warnings: tuple[CheckReport, ...] = ()

    @property
    def passed(self) -> bool:
        return self.failures == 0

    def __str__(self) -> str:
        if self.passed:
            return f"{self.subject}: {self.rows} rows pass"
        first = self.sample[0]
        extent = f"{len(self.failed_rows)} of {self.rows} rows fail" if self.failed_rows else "the frame fails"
        where = "" if first["row"] is None else f" in row {first['row']}"
        got = shortened(repr(first["value"]))
        return f"{self.subject}: {extent}; first: {first['column']} {first['rule']}, got {got}{where}"
