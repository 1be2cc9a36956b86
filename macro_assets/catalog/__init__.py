"""WHAT exists: typed, frozen declarations read from YAML, the only place where a fact about data is written."""

from macro_assets.catalog.load import Catalog, CatalogError, UnknownNameError, default_catalog, load_catalog
from macro_assets.catalog.models import (
    Api,
    Chart,
    Column,
    Fallback,
    Folder,
    Indicator,
    Instrument,
    Key,
    Model,
    PublicationLag,
    Recession,
    Selector,
    Series,
    Source,
    Table,
)

__all__ = [
    "Api",
    "Catalog",
    "CatalogError",
    "Chart",
    "Column",
    "Fallback",
    "Folder",
    "Indicator",
    "Instrument",
    "Key",
    "Model",
    "PublicationLag",
    "Recession",
    "Selector",
    "Series",
    "Source",
    "Table",
    "UnknownNameError",
    "default_catalog",
    "load_catalog",
]
