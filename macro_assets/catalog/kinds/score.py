"""What a score is: how well an indicator, a signal or a regime did, by a method of macro_assets/evaluation/."""

from __future__ import annotations

from pydantic import Field

from macro_assets.catalog.kinds.computed import Computed
from macro_assets.catalog.kinds.declaration import Slug


class Score(Computed):
    """A score. Its tables may be stored as of months: all months that are stored are read."""

    name: Slug = Field(description="Unique among scores: its table is `scores/<name>`")
    method: Slug = Field(description="Module of macro_assets/evaluation/ that computes it")
