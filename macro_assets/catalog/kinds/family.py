"""What a family is: sources that are looked at together, and share a normalized table."""

from __future__ import annotations

from macro_assets.catalog.kinds.declaration import Declaration, Slug


class Family(Declaration):
    """Sources that are looked at together: one group of the asset graph, one normalized table."""

    name: Slug
    title: str
    description: str
