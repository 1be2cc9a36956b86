"""What a chart is: the tables it draws, and its words."""

from __future__ import annotations

from datetime import date

from macro_assets.catalog.kinds.declaration import Declaration, SeriesId, Slug, TableName


class Chart(Declaration):
    """A chart: which tables it draws, in which words."""

    name: Slug
    title: str
    subtitle: str
    description: str
    inputs: tuple[TableName, ...]
    series: tuple[SeriesId, ...] = ()
    first_date: date | None = None
    recession_shading: bool = False
