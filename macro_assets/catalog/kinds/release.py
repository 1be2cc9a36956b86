"""What a release is: figures that a provider publishes together, and when they may be expected."""

from __future__ import annotations

from datetime import date, time
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, model_validator

from macro_assets.catalog.kinds.declaration import Declaration, Slug


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"{name!r} is not an IANA time zone, expected one like 'America/New_York'") from None
    return name


TimeZone = Annotated[str, AfterValidator(_known_zone)]


class PublicationLag(Declaration):
    """When a period's first figure is published: `days` after the period's end, at a clock time.

    It is the usual day or a later one: an estimate must not be earlier than the figure was known.
    """

    days: int = Field(ge=0, le=730)
    time: time
    time_zone: TimeZone
    holidays: Literal["US"] | None = Field(
        default=None, description="Whose federal holidays it waits for: each since the period's end adds a day"
    )
    formerly: dict[date, Annotated[int, Field(ge=0, le=730)]] = Field(
        default_factory=dict, description="Days before which observations had a longer lag, and that lag in days"
    )
    late: dict[date, date] = Field(
        default_factory=dict,
        description="Observation dates whose first figure came later than usual, and the day it did",
    )

    @model_validator(mode="after")
    def _later(self) -> Self:
        if wrong := [start for start, day in self.late.items() if day <= start]:
            raise ValueError(f"`late` has {wrong[0]}: {self.late[wrong[0]]}, which is not later")
        if shorter := [f"{start}: {days}" for start, days in self.formerly.items() if days <= self.days]:
            raise ValueError(f"`formerly` has {shorter[0]}, which is no longer lag than `days` ({self.days})")
        return self


class Release(Declaration):
    """Series that a provider publishes together, and what they share where they do not state it themselves."""

    source: Slug
    id: str = Field(min_length=1, description="The provider's own id, as its calendar has it")
    title: str = Field(description="The provider's own name")
    publisher: str | None = Field(default=None, description="Who makes the figures of its series")
    publication_lag: PublicationLag | None = Field(default=None, description="Of most of its series")
    licence: str | None = None
