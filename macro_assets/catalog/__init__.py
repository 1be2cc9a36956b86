"""WHAT exists: typed, frozen declarations read from YAML, the only place where a fact about data is written."""

from macro_assets.catalog.load import Catalog, CatalogError, UnknownNameError, default_catalog, load_catalog
from macro_assets.catalog.models import Chart, Column, Indicator, Model, Recession, Series, Source, Table

__all__ = [
    "Catalog",
    "CatalogError",
    "Chart",
    "Column",
    "Indicator",
    "Model",
    "Recession",
    "Series",
    "Source",
    "Table",
    "UnknownNameError",
    "default_catalog",
    "load_catalog",
]
