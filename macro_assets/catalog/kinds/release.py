"""When figures are published, by what is known of it beforehand."""

from __future__ import annotations

from datetime import date, time
from typing import Annotated, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, model_validator

from macro_assets.catalog.kinds.declaration import Declaration


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"{name!r} is not an IANA time zone, expected one like 'America/New_York'") from None
    return name


TimeZone = Annotated[str, AfterValidator(_known_zone)]


class PublicationLag(Declaration):
    """When a period's first figure is published: `days` after the period's end, at a clock time."""

    days: int = Field(ge=0, le=730)
    time: time
    time_zone: TimeZone
    late: dict[date, date] = Field(
        default_factory=dict,
        description="Observation dates whose first figure came later than usual, and the day it did",
    )

    @model_validator(mode="after")
    def _later(self) -> Self:
        if wrong := [start for start, day in self.late.items() if day <= start]:
            raise ValueError(f"`late` has {wrong[0]}: {self.late[wrong[0]]}, which is not later")
        return self
