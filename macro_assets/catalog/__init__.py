"""WHAT exists: typed, frozen declarations read from YAML, the only place where a fact about data is written."""

from macro_assets.catalog.kinds.chart import Axis, Chart, Drawn
from macro_assets.catalog.kinds.family import Family
from macro_assets.catalog.kinds.indicator import Indicator
from macro_assets.catalog.kinds.instrument import Instrument
from macro_assets.catalog.kinds.model import Backtest, Model, ModelInput, Target
from macro_assets.catalog.kinds.recession import Recession
from macro_assets.catalog.kinds.release import PublicationLag, Release
from macro_assets.catalog.kinds.rule import RuleCall
from macro_assets.catalog.kinds.score import Score
from macro_assets.catalog.kinds.series import Bounds, Copy, Frequency, Holder, Kind, Selector, Series
from macro_assets.catalog.kinds.source import Api, Folder, Key, Source, Vintages
from macro_assets.catalog.kinds.step import Step, Steps
from macro_assets.catalog.kinds.table import Column, Dtype, Retention, Table
from macro_assets.catalog.kinds.view import View
from macro_assets.catalog.load import Catalog, Holding, UnknownNameError, default_catalog, load_catalog
from macro_assets.catalog.read import CatalogError

__all__ = [
    "Api",
    "Axis",
    "Backtest",
    "Bounds",
    "Catalog",
    "CatalogError",
    "Chart",
    "Column",
    "Copy",
    "Drawn",
    "Dtype",
    "Family",
    "Folder",
    "Frequency",
    "Holder",
    "Holding",
    "Indicator",
    "Instrument",
    "Key",
    "Kind",
    "Model",
    "ModelInput",
    "PublicationLag",
    "Recession",
    "Release",
    "Retention",
    "RuleCall",
    "Score",
    "Selector",
    "Series",
    "Source",
    "Step",
    "Steps",
    "Table",
    "Target",
    "UnknownNameError",
    "View",
    "Vintages",
    "default_catalog",
    "load_catalog",
]
