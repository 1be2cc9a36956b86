"""What an instrument is: something that is traded, the series that price it, and of a future its contract."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from macro_assets.catalog.kinds.declaration import Country, Declaration, SeriesId, Slug

AssetClass = Literal["rates", "fx", "equity", "commodity", "credit", "volatility", "crypto"]


Month = Annotated[int, Field(ge=1, le=12)]


class Contract(Declaration):
    """What is agreed of a future, in the quotation of its instrument."""

    multiplier: float = Field(gt=0, description="Units in one contract: a move of the price by 1 is worth as much")
    tick: float = Field(gt=0, description="Smallest move of the price")
    months: tuple[Month, ...] = Field(min_length=1, description="Months of the calendar that contracts are of, in turn")
    expiry: str = Field(description="When trading in a contract ends, by its month")
    page: Annotated[str, Field(pattern=r"^https://\S+$", description="Where the exchange says so")]

    @model_validator(mode="after")
    def _months_in_turn(self) -> Self:
        if list(self.months) != sorted(set(self.months)):
            raise ValueError(f"months: expected each once and in turn, got {list(self.months)}")
        return self

    @property
    def tick_value(self) -> float:
        """What the smallest move of the price is worth by the contract, in the currency of the quotation."""
        return float(Decimal(str(self.multiplier)) * Decimal(str(self.tick)))


class Instrument(Declaration):
    """Something that is traded, and the series that price it."""

    name: Slug
    title: str
    asset_class: AssetClass
    country: Country
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$", description="Currency it is quoted in, ISO 4217")]
    quotation: str = Field(description="What a price of 1 means, as 'BRL per USD' or 'percent per annum'")
    venue: str = Field(description="Where it trades: an exchange, or 'over the counter'")
    symbols: dict[Slug, str] = Field(default_factory=dict, description="Its symbol at each source that has one")
    price: SeriesId = Field(description="The series of its price or yield")
    others: tuple[SeriesId, ...] = Field(default=(), description="Other series of it: volumes, positions, volatility")
    contract: Contract | None = Field(default=None, description="Of a future")
