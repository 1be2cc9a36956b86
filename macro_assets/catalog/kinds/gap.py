"""What a gap is: figures that people ask for and that the catalog has not, and why."""

from __future__ import annotations

from pydantic import Field

from macro_assets.catalog.kinds.declaration import Declaration, Slug


class Gap(Declaration):
    """Figures that are not here, because no public source has them or none in a form that is read."""

    name: Slug
    title: str = Field(min_length=1)
    reason: str = Field(min_length=1, description="Why they are not here, and what comes nearest")
    page: str = Field(pattern=r"^https?://[^\s/]+\.[^\s]+$", description="The page that says so")
