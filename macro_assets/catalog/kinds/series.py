"""What a series is: where its numbers are, what they mean, and who else has them."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from macro_assets.catalog.kinds.declaration import Country, Declaration, SeriesId, Slug
from macro_assets.catalog.kinds.release import PublicationLag
from macro_assets.catalog.kinds.source import Folder

Frequency = Literal["D", "W", "M", "Q", "A"]
"""Daily (business days), weekly, monthly, quarterly, annual."""

SeasonalAdjustment = Literal["SA", "NSA", "SAAR"]
"""Seasonally adjusted, not seasonally adjusted, seasonally adjusted annual rate."""

Aggregation = Literal["mean", "last", "sum", "compound"]
"""How observations become one of a lower frequency: average, end of period, total, changes in percent in a row."""


Kind = Literal["market_data", "macro_series", "curves", "flow_data", "fiscal_data"]
"""What sort of figure a series is.

- `market_data`: prices, rates, spreads and volatilities that are traded or quoted on a market, and averages, indices
  and market values made of them alone. Rates that a central bank sets, and those that banks state, are not.
- `curves`: yields of a stated maturity, and differences of them
- `flow_data`: what those who take part in markets trade, move and hold: volumes, flows, positions, funds
- `fiscal_data`: what a government takes in, spends, owes, sells as debt and has in cash
- `macro_series`: the rest, and so also policy rates, central banks' balance sheets and indices of financial stress
"""


class Bounds(Declaration):
    """Inclusive limits of plausible values, in the provider's unit. None = no limit on that side."""

    low: float | None
    high: float | None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise ValueError(f"low ({self.low}) must be below high ({self.high})")
        return self


class Identity(Declaration):
    """What a series is made of: the sum of others less others, in its standard unit, but for `tolerance`."""

    plus: tuple[SeriesId, ...] = Field(min_length=1)
    minus: tuple[SeriesId, ...] = ()
    tolerance: float = Field(gt=0, description="How far it may be off, as by the rounding of all")


class Selector(Declaration):
    """Which cells of a table of many columns make up a series."""

    where: dict[str, str] = Field(default_factory=dict, description="Column to the text it must hold")
    date: str = Field(description="Column of the observation date")
    value: str = Field(description="Column of the value")
    combine: Literal["only", "sum", "last"] = Field(
        default="only", description="What to do with several rows of one date; 'only' refuses them"
    )
    meaning: str = Field(description="What the observation date means, as 'settlement date of the auction'")


class Differing(Declaration):
    """What a holder of a series may have otherwise than its home; where nothing is stated, all is as at home."""

    code: str | None = Field(default=None, description="Its code there; by default that of the series at home")
    dataset: str | None = None
    selector: Selector | None = None
    unit: str | None = Field(default=None, description="Standard unit, where its base or unit is another")
    scale: float | None = Field(default=None, gt=0)
    provider_unit: str | None = None
    bounds: Bounds | None = Field(default=None, description="In its own unit")
    first_year: int | None = Field(default=None, ge=1700, le=2100)
    last_year: int | None = Field(default=None, ge=1700, le=2100)
    publication_lag: PublicationLag | None = None
    licence: str | None = None
    redistributable: bool | None = None
    folder: Folder | None = Field(default=None, repr=False, description="As that of a series; from its source")


class Holder(Differing):
    """Another provider of a series, asked in the entry's order where those before it are off or fail."""

    source: Slug
    factor: float = Field(
        default=1.0, gt=0, description="Its number times factor = number in the unit of the series there"
    )
    same: bool = Field(
        default=False, description="Whether its figures are the very same as those at home, not only the same concept"
    )


class Copy(Differing):
    """A series that a source holds though its home is another: stated in the file of the source that holds it."""

    of: SeriesId = Field(description="The series, by its id")
    source: Slug


class Series(Declaration):
    """One time series of one source."""

    id: SeriesId
    source: Slug
    dataset: str | None = Field(default=None, description="The provider's data set, where codes repeat between sets")
    code: str = Field(description="The provider's own code; by default the id")
    selector: Selector | None = Field(
        default=None, description="For answers of many columns: which cells are the series"
    )
    title: str
    unit: str = Field(description="Standard unit after `scale`: 'usd', 'persons', 'percent', 'index_2009_100', ...")
    scale: float = Field(gt=0, description="Provider's number times scale = number in `unit`")
    provider_unit: str = Field(description="The unit the provider publishes, in words")
    frequency: Frequency
    seasonal_adjustment: SeasonalAdjustment
    country: Country
    theme: Slug
    kind: Kind = Field(
        default="macro_series", description="What sort of figure: see `Kind`; a policy rate is a macro_series"
    )
    first_year: int = Field(ge=1700, le=2100)
    publication_lag: PublicationLag
    transform: int = Field(ge=1, le=7, description="FRED-MD transformation code (McCracken and Ng, 2016)")
    bounds: Bounds
    staleness_days: int = Field(gt=0, description="Age of the last observation period, at which a use of it refuses")
    aggregation: Aggregation
    holders: tuple[Holder, ...] = Field(default=(), description="Asked, in order, where the source is off or fails")
    release: str | None = Field(
        default=None, description="Id of the release that brings it, one of those of its source"
    )
    last_year: int | None = Field(
        default=None, ge=1700, le=2100, description="Year of the last observation, if it ended"
    )
    identities: tuple[Identity, ...] = Field(
        default=(), repr=False, description="Sums that it must equal, of series of its own family"
    )
    irregular: bool = Field(default=False, description="Whether its dates follow no rhythm, as those of auctions")
    projections: bool = Field(default=False, description="Whether observation dates in the future are right")
    folder: Folder | None = Field(
        default=None, repr=False, description="Of a series in a folder of files: how they are read; from its source"
    )
    publisher: str | None = Field(
        default=None, description="Who makes the figures, as a chart names its source; by default its home"
    )
    licence: str
    redistributable: bool | None = Field(
        default=None, description="Whether its figures may be passed on, of a licence that licences.yaml has not"
    )

    @model_validator(mode="before")
    @classmethod
    def _codes(cls, entry: object) -> object:
        """The code is the id where none is stated."""
        if not isinstance(entry, dict) or not (code := entry.get("code", entry.get("id"))):
            return entry
        return {**entry, "code": code}

    @model_validator(mode="after")
    def _each_holder_once(self) -> Self:
        asked = [self.source, *(h.source for h in self.holders)]
        if twice := [s for s in asked if asked.count(s) > 1]:
            raise ValueError(f"holders: {twice[0]!r} is named twice, or is the home of the series. Name each once.")
        return self

    @model_validator(mode="after")
    def _same_figures_are_in_one_unit(self) -> Self:
        for h in self.holders:
            there = self.at(h)
            units = [(s.unit, s.scale, s.provider_unit) for s in (self, there)]
            if h.same and (h.factor != 1 or units[0] != units[1]):
                raise ValueError(
                    f"holders: {h.source!r} has the very same figures, but a factor or another unit. "
                    "Leave out `same`, or factor, unit, scale and provider_unit."
                )
        return self

    def at(self, holder: Holder | Copy) -> Series:
        """The series as another holder has it; `source` is that holder."""
        stated = {f: v for f in Differing.model_fields if (v := getattr(holder, f)) is not None}
        return self.model_copy(update={**_OF_HOME, **stated, "source": holder.source})


_OF_HOME: dict[str, object] = {
    **dict.fromkeys(("dataset", "selector", "release", "folder", "redistributable")),
    "holders": (),
}
"""What a series is without, elsewhere than at home: where it stands there says nothing of another provider."""
