"""What a recession is: a peak and a trough of the NBER chronology, and when they were announced."""

from __future__ import annotations

from datetime import date
from typing import Self

from pydantic import Field, field_validator, model_validator

from macro_assets.catalog.kinds.declaration import Declaration


class Recession(Declaration):
    """One contraction of the NBER chronology: the months of peak and trough, and the days that they are known from."""

    peak: date = Field(description="Month of the peak, by its first day")
    peak_announced: date = Field(description="Day on which the peak was announced")
    trough: date | None = Field(default=None, description="Month of the trough; none while it is not announced")
    trough_announced: date | None = Field(default=None, description="Day on which the trough was announced")

    @field_validator("peak", "trough")
    @classmethod
    def _first_of_month(cls, value: date | None) -> date | None:
        if value is not None and value.day != 1:
            raise ValueError(f"{value} must be the first day of its month")
        return value

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if (self.trough is None) != (self.trough_announced is None):
            raise ValueError("trough and trough_announced: expected both or, while no trough is announced, neither")
        if self.trough and self.peak >= self.trough:
            raise ValueError(f"peak ({self.peak}) must be before trough ({self.trough})")
        for name, month, day in (
            ("peak", self.peak, self.peak_announced), ("trough", self.trough, self.trough_announced),
        ):  # fmt: skip
            if month and day and day <= month:
                raise ValueError(f"{name}_announced ({day}) must be after {name} ({month})")
        if self.trough_announced and self.trough_announced < self.peak_announced:
            raise ValueError(
                f"trough_announced ({self.trough_announced}) must not be before peak_announced ({self.peak_announced})"
            )
        return self

    def known_on(self, day: date) -> Self | None:
        """What of it had been announced by the end of a day: nothing, the peak alone, or both."""
        if day < self.peak_announced:
            return None
        if self.trough_announced is None or day >= self.trough_announced:
            return self
        return self.model_copy(update={"trough": None, "trough_announced": None})
