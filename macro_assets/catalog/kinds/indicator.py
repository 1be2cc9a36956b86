"""What an indicator is: a method, what it is computed from, and the parameters of the method."""

from __future__ import annotations

import re
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator

from macro_assets.catalog.kinds.computed import Computed
from macro_assets.catalog.kinds.declaration import Month, SeriesId, Slug

_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")


def _months(value: Any) -> Any:
    """Months one by one, or all from a first to a last one."""
    if not isinstance(value, dict):
        return value
    if value.keys() != {"first", "last"} or not all(_MONTH.fullmatch(str(m)) for m in value.values()):
        raise ValueError(f"expected months, or their first and last as '2016-06', got {value!r}")
    (year, month), (last_year, last) = (map(int, value[at].split("-")) for at in ("first", "last"))
    found = range(12 * year + month - 1, 12 * last_year + last)
    if not found:
        raise ValueError(f"first ({value['first']}) must not be after last ({value['last']})")
    return [f"{n // 12}-{n % 12 + 1:02}" for n in found]


class Indicator(Computed):
    """An indicator, and whether it is known as of each month."""

    name: Slug = Field(description="Unique among indicators: its table is `indicators/<name>`")
    method: Slug = Field(description="Module of macro_assets/indicators/ that computes it")
    real_time: bool = Field(default=False, description="Also as of each month: `real_time/<name>`")
    optional: tuple[SeriesId, ...] = Field(
        default=(), description="Inputs of which nothing need be known as of a month: the method goes on without them"
    )
    demo: Annotated[tuple[Month, ...], BeforeValidator(_months)] = Field(
        default=(), description="As-of months that a full local run computes: each, or {first: 2010-01, last: 2018-12}"
    )

    @property
    def changes(self) -> bool:
        """Whether its changes are told by term and component: `changes/<name>`."""
        return self.real_time and self.shape == "contributions"

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.demo and not self.real_time:
            raise ValueError("'demo' names as-of months, which only an indicator with 'real_time: true' has")
        if strangers := [s for s in self.optional if s not in self.series]:
            raise ValueError(f"'optional' names {', '.join(strangers)}: expected some series of the inputs")
        return self
