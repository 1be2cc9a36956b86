"""What an instrument is: something that is traded, and the series that price it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from macro_assets.catalog.kinds.declaration import Country, Declaration, SeriesId, Slug

AssetClass = Literal["rates", "fx", "equity", "commodity", "credit", "volatility", "crypto"]


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
