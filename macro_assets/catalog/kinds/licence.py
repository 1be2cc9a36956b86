"""What a licence is: terms under which figures are given, and whether these let one pass them on."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from macro_assets.catalog.kinds.declaration import Declaration


class Licence(Declaration):
    """Terms under which figures are given, by the words in which series state them."""

    text: str
    redistributable: bool = Field(description="Whether anybody may pass the figures on; false where that is in doubt")
    page: Annotated[str, Field(pattern=r"^https://\S+$", description="Where the provider says so")]
