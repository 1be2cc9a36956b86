"""What every kind of the catalog shares: the frozen base class, and the names by which entries call each other.

Does not belong here: a kind, or anything that one kind alone has.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

SeriesId = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{0,62}$")]
Slug = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
TableName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*/[a-z][a-z0-9_]*$")]
Month = Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]


class Declaration(BaseModel):
    """One entry of the catalog: frozen, and refusing fields it does not know and numbers that are not finite."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
