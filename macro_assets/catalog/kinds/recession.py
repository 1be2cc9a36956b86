"""What a recession is: a peak and a trough of the NBER chronology."""

from __future__ import annotations

from datetime import date
from typing import Self

from pydantic import field_validator, model_validator

from macro_assets.catalog.kinds.declaration import Declaration


class Recession(Declaration):
    """One contraction of the NBER chronology: the months of peak and trough."""

    peak: date
    trough: date

    @field_validator("peak", "trough")
    @classmethod
    def _first_of_month(cls, value: date) -> date:
        if value.day != 1:
            raise ValueError(f"{value} must be the first day of its month")
        return value

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.peak >= self.trough:
            raise ValueError(f"peak ({self.peak}) must be before trough ({self.trough})")
        return self
