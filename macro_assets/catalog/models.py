"""The vocabulary of the catalog: what a source, series, table, indicator, model and chart *are*.

Belongs here: typed, frozen declarations and the rules one entry must satisfy on its own. Does not belong here:
reading files (``load.py``), rules across entries (``load.py``), any computation on data.
"""

from __future__ import annotations

import re
from datetime import date, time
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

Frequency = Literal["D", "W", "M", "Q", "A"]
"""Daily (business days), weekly, monthly, quarterly, annual."""

SeasonalAdjustment = Literal["SA", "NSA", "SAAR"]
"""Seasonally adjusted, not seasonally adjusted, seasonally adjusted annual rate."""

Aggregation = Literal["mean", "last", "sum"]
"""How observations become one of a lower frequency: average, end of period, total."""

Dtype = Literal["str", "int", "float", "bool", "date", "timestamp", "binary"]

Vintages = Literal["none", "whole", "changes"]
"""How a provider tells what was known when: not at all, by whole dated vintages, or by dated changes alone."""


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"{name!r} is not an IANA time zone, expected one like 'America/New_York'") from None
    return name


KEPT_FOR_EVER = ("raw", "landing", "audit")
"""Layers whose rows are never deleted."""

SeriesId = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{0,62}$")]
Slug = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
TableName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*/[a-z][a-z0-9_]*$")]
TimeZone = Annotated[str, AfterValidator(_known_zone)]
Month = Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]


class Declaration(BaseModel):
    """One entry of the catalog: frozen, and refusing fields it does not know and numbers that are not finite."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Key(Declaration):
    """Where a provider's key is read from and where it goes in a request. The key is in the environment alone."""

    environment: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")]
    place: Literal["parameter", "header", "body"] = Field(
        description="Query parameter, header, or field of a JSON body"
    )
    name: str = Field(description="Name of the parameter, header or field")
    prefix: str = Field(default="", description="Text before the key, as 'Bearer '")
    required: bool = Field(default=True, description="False where the provider answers without a key too, if less")
    url: str = Field(description="Page where a key is had")


class Api(Declaration):
    """How a provider is reached over the network."""

    base_url: Annotated[str, Field(pattern=r"^https://[a-z0-9.-]+(/[^?#]*)?$")]
    requests_per_second: float = Field(gt=0, le=50, description="The provider's limit, for all processes of a machine")
    burst: int = Field(default=1, ge=1, le=100, description="Requests that may be made at once after a pause")
    in_flight: int = Field(default=8, ge=1, le=16, description="Requests that may be under way at once")
    timeout_seconds: float = Field(default=60, gt=0, le=600)
    max_body_mb: float = Field(default=64, gt=0, le=512)
    per_day: bool = Field(default=False, description="Whether each day is a request of its own, as with daily files")
    conditional: bool = Field(
        default=False, description="Whether the provider answers 304 to If-None-Match and the like"
    )
    key: Key | None = None
    headers: dict[str, str] = Field(default_factory=dict)


class Folder(Declaration):
    """How a folder of CSV or Parquet files holds series: which files there are, what their rows and columns are.

    Without `vintage` it is one file. With it there is a file per vintage; its values were known at the end (UTC) of the
    day in its name, or of the month where the name has no day, and a blank was not released yet.
    """

    path: str = Field(description="The folder, absolute or relative to the folder of the declaring file")
    files: Annotated[str, Field(pattern=r"^[^/]*\.(csv|parquet)$")] = Field(
        default="*.csv", description="Which of its files are read: a pattern as '2*.csv', ending in .csv or .parquet"
    )
    vintage: str | None = Field(
        default=None, description="How a file's name, without its ending, says the vintage: '%Y-%m-%d', 'FRED-MD_%Ym%m'"
    )
    layout: Literal["wide", "long"] = Field(
        default="wide", description="A column per series, or columns that say the series and its value"
    )
    date: str = Field(description="Column of the date: any day of the period that a row describes")
    date_form: str = Field(default="%Y-%m-%d", description="How a date is written; '%m/%d/%Y' for 1/31/2020")
    series: str | None = Field(default=None, description="Of the layout 'long': the column of the series' code")
    value: str | None = Field(default=None, description="Of the layout 'long': the column of the value")
    prefix: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")] | None = Field(
        default=None, description="Every column is a series whose id is this and its name; None = those listed alone"
    )
    ignore: tuple[str, ...] = Field(default=(), description="Columns that are no series")
    skip: tuple[str, ...] = Field(default=(), description="Rows to skip, by what stands in their date column")
    transforms: str | None = Field(
        default=None, description="What stands in the date column of the row of FRED-MD transformation codes"
    )
    missing: tuple[str, ...] = Field(default=(), description="What stands for a missing value, beside a blank")
    absent: Literal["refuse", "allow"] = Field(
        default="refuse", description="What to do with a series that some vintages lack: no column, no rows"
    )
    separator: Annotated[str, Field(min_length=1, max_length=1)] = ","
    decimal: Literal[".", ","] = "."
    encoding: Literal["utf-8", "latin-1"] = "utf-8"

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        long = self.layout == "long"
        if long != (self.series is not None) or long != (self.value is not None):
            raise ValueError("'series' and 'value' are for the layout 'long', and both needed there")
        if long and (self.prefix or self.ignore or self.transforms):
            raise ValueError("'prefix', 'ignore' and 'transforms' are for the layout 'wide'")
        if self.separator == self.decimal:
            raise ValueError("'separator' and 'decimal' must differ")
        if self.vintage is not None and set(re.findall("%.", self.vintage)) not in ({"%Y", "%m"}, {"%Y", "%m", "%d"}):
            raise ValueError(f"vintage: expected a form with %Y and %m, and perhaps %d, got {self.vintage!r}")
        return self


class Source(Declaration):
    """A provider of series and how its numbers reach us."""

    name: Slug
    title: str
    description: str
    url: str
    owner: str = Field(description="A Dagster owner: an e-mail address or 'team:name'")
    packages: tuple[str, ...] = Field(
        default=(), description="Distributions whose version decides the figures of a source that ships inside them"
    )
    connector: Slug | None = Field(default=None, description="Module of sources/; by default the source's name")
    api: Api | None = Field(default=None, description="None for a source that needs no network")
    folder: Folder | None = Field(default=None, description="Of a source of the connector 'folder'")
    vintages: Vintages = "none"
    official: bool = Field(default=True, description="False for an interface its provider does not document or support")
    rolling: bool = Field(default=False, description="Whether the provider drops old observations from its answers")

    @model_validator(mode="after")
    def _folder_fits(self) -> Self:
        if (self.folder is not None) != (self.module == "folder"):
            raise ValueError("'folder' is for the connector 'folder', and needed there")
        if self.folder is not None and (self.folder.vintage is not None) != (self.vintages == "whole"):
            raise ValueError("'vintages' must be 'whole' where the files of a folder are vintages, else 'none'")
        return self

    @property
    def module(self) -> str:
        """Module of sources/ that speaks with the provider."""
        return self.connector or self.name

    @property
    def is_live(self) -> bool:
        """Whether its figures come over a network and go on growing."""
        return self.api is not None


class PublicationLag(Declaration):
    """When a period's first figure is published: `days` after the period's end, at a clock time."""

    days: int = Field(ge=0, le=730)
    time: time
    time_zone: TimeZone
    late: dict[date, date] = Field(
        default_factory=dict,
        description="Observation dates whose first figure came later than usual, and the day it did",
    )

    @model_validator(mode="after")
    def _later(self) -> Self:
        if wrong := [start for start, day in self.late.items() if day <= start]:
            raise ValueError(f"`late` has {wrong[0]}: {self.late[wrong[0]]}, which is not later")
        return self


class Bounds(Declaration):
    """Inclusive limits of plausible values, in the provider's unit. None = no limit on that side."""

    low: float | None
    high: float | None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise ValueError(f"low ({self.low}) must be below high ({self.high})")
        return self


class Selector(Declaration):
    """Which cells of a table of many columns make up a series."""

    where: dict[str, str] = Field(default_factory=dict, description="Column to the text it must hold")
    date: str = Field(description="Column of the observation date")
    value: str = Field(description="Column of the value")
    combine: Literal["only", "sum", "last"] = Field(
        default="only", description="What to do with several rows of one date; 'only' refuses them"
    )
    meaning: str = Field(description="What the observation date means, as 'settlement date of the auction'")


class Fallback(Declaration):
    """The same series at another provider."""

    source: Slug
    code: str
    dataset: str | None = None
    selector: Selector | None = None
    factor: float = Field(
        default=1.0, gt=0, description="Its number times factor = number in the series' provider_unit"
    )


class Series(Declaration):
    """One time series of one source."""

    id: SeriesId
    source: Slug
    dataset: str | None = Field(default=None, description="The provider's data set, where codes repeat between sets")
    code: str = Field(description="The provider's own code")
    selector: Selector | None = Field(
        default=None, description="For answers of many columns: which cells are the series"
    )
    title: str
    unit: str = Field(description="Standard unit after `scale`: 'usd', 'persons', 'percent', 'index_2009_100', ...")
    scale: float = Field(gt=0, description="Provider's number times scale = number in `unit`")
    provider_unit: str = Field(description="The unit the provider publishes, in words")
    frequency: Frequency
    seasonal_adjustment: SeasonalAdjustment
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    theme: Slug
    first_year: int = Field(ge=1700, le=2100)
    publication_lag: PublicationLag
    transform: int = Field(ge=1, le=7, description="FRED-MD transformation code (McCracken and Ng, 2016)")
    bounds: Bounds
    staleness_days: int = Field(gt=0, description="Age of the last observation period, at which a use of it refuses")
    aggregation: Aggregation
    fallback: tuple[Fallback, ...] = Field(default=(), description="Asked, in order, when the source fails")
    release: str | None = Field(default=None, description="The release of the provider's calendar that brings it")
    last_year: int | None = Field(
        default=None, ge=1700, le=2100, description="Year of the last observation, if it ended"
    )
    irregular: bool = Field(default=False, description="Whether its dates follow no rhythm, as those of auctions")
    projections: bool = Field(default=False, description="Whether observation dates in the future are right")
    folder: Folder | None = Field(
        default=None, repr=False, description="Of a series in a folder of files: how they are read; from its source"
    )
    licence: str

    def at(self, fallback: Fallback) -> Series:
        """The series as one of its fallbacks has it."""
        update = {f: getattr(fallback, f) for f in ("source", "code", "dataset", "selector")}
        return self.model_copy(update=update)


AssetClass = Literal["rates", "fx", "equity", "commodity", "credit", "volatility", "crypto"]


class Instrument(Declaration):
    """Something that is traded, and the series that price it."""

    name: Slug
    title: str
    asset_class: AssetClass
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$", description="Currency it is quoted in, ISO 4217")]
    quotation: str = Field(description="What a price of 1 means, as 'BRL per USD' or 'percent per annum'")
    venue: str = Field(description="Where it trades: an exchange, or 'over the counter'")
    symbols: dict[Slug, str] = Field(default_factory=dict, description="Its symbol at each source that has one")
    price: SeriesId = Field(description="The series of its price or yield")
    others: tuple[SeriesId, ...] = Field(default=(), description="Other series of it: volumes, positions, volatility")


class Column(Declaration):
    """A column of the lake: the same name means the same quantity in every table."""

    name: Slug
    dtype: Dtype
    nullable: bool = False
    unit: str | None = None
    low: float | None = None
    high: float | None = None
    description: str


class Retention(Declaration):
    """How long rows are kept: until `column` is `years` in the past. Without one they are kept for ever."""

    years: int = Field(ge=1)
    column: Slug


class Table(Declaration):
    """A Delta table of the lake."""

    name: TableName
    title: str
    description: str
    owner: str
    key: tuple[str, ...] = Field(description="Columns that identify a row")
    columns: tuple[Column, ...]
    per_series: bool = Field(default=False, description="One further nullable float column per series, named by its id")
    as_of_partitioned: bool = False
    kinds: tuple[str, ...] = ("polars", "deltalake")
    parameters: dict[str, int] = Field(default_factory=dict, description="Frozen parameters of its computation")
    rules: tuple[str, ...] = Field(default=(), description="Functions of quality/rules.py the table must satisfy")
    retention: Retention | None = None

    @property
    def layer(self) -> str:
        return self.name.split("/")[0]

    @model_validator(mode="after")
    def _key_is_columns(self) -> Self:
        names = [c.name for c in self.columns]
        if len(set(names)) != len(names):
            raise ValueError(f"columns repeat: {sorted(n for n in set(names) if names.count(n) > 1)}")
        if missing := set(self.key) - set(names):
            raise ValueError(f"key names columns the table does not have: {sorted(missing)}")
        return self

    @model_validator(mode="after")
    def _retention_fits(self) -> Self:
        if self.retention is None:
            return self
        if self.layer in KEPT_FOR_EVER:
            raise ValueError(
                f"rows of layer {self.layer!r} are kept for ever: vintages and their proof are never deleted"
            )
        clocks = [c.name for c in self.columns if c.dtype in ("date", "timestamp")]
        if self.retention.column not in clocks:
            raise ValueError(
                f"retention column {self.retention.column!r} is no date or timestamp of the table: {clocks}"
            )
        return self


class Component(Declaration):
    """One part of a composite indicator: a formula over series, its sign and its weight."""

    name: Slug
    title: str
    formula: Literal["level", "spread", "drawdown", "gap"]
    series: tuple[SeriesId, ...]
    unit: str
    sign: Literal[-1, 1]
    weight: float = Field(gt=0, le=1)
    window_months: int | None = Field(default=None, gt=1, description="Window of the 'gap' formula's trailing mean")

    @model_validator(mode="after")
    def _fits_formula(self) -> Self:
        wanted = 2 if self.formula == "spread" else 1
        if len(self.series) != wanted:
            raise ValueError(f"formula {self.formula!r} takes {wanted} series, got {len(self.series)}")
        if (self.formula == "gap") != (self.window_months is not None):
            raise ValueError("window_months is for the formula 'gap', and needed there")
        return self


class Indicator(Declaration):
    """A composite indicator: expanding z-scores of its components, signed, weighted and added."""

    name: Slug
    title: str
    components: tuple[Component, ...]
    min_history_months: int = Field(gt=1, description="Observations a component needs before its first z-score")
    min_components: int = Field(gt=0, description="Components a month needs; weights are rescaled over those present")

    @model_validator(mode="after")
    def _weights(self) -> Self:
        total = sum(c.weight for c in self.components)
        if abs(total - 1) > 1e-9:
            raise ValueError(f"weights of the components must add up to 1, they add up to {total:g}")
        if self.min_components > len(self.components):
            raise ValueError(
                f"min_components is {self.min_components}, but there are {len(self.components)} components"
            )
        return self


class ModelInput(Declaration):
    """A series of a factor model, how it is made stationary, and the factors it loads on."""

    series: SeriesId
    transform: Literal["lin", "chg", "pch", "pca"] = Field(
        description="level, change, percent change, percent change at annual rate"
    )
    factors: tuple[str, ...]


class Model(Declaration):
    """A forecasting model and everything that fixes its result."""

    name: Slug
    title: str
    target: SeriesId
    sample_start: date
    factor_order: int = Field(gt=0)
    max_iterations: int = Field(gt=0)
    tolerance: float = Field(gt=0, description="EM stops when the relative change of the log-likelihood is below")
    horizon_quarters: int = Field(ge=0, description="Quarters after the as-of quarter that are forecast")
    demo_partitions: tuple[Month, ...] = Field(description="As-of months that a full local run backfills")
    inputs: tuple[ModelInput, ...]

    @model_validator(mode="after")
    def _target_is_input(self) -> Self:
        ids = [i.series for i in self.inputs]
        if self.target not in ids:
            raise ValueError(f"target {self.target} is not among the inputs")
        if len(set(ids)) != len(ids):
            raise ValueError("an input series is named twice")
        return self


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


class Recession(Declaration):
    """One contraction of the NBER chronology: the months of peak and trough."""

    peak: date
    trough: date

    @field_validator("peak", "trough")
    @classmethod
    def _first_of_month(cls, value: date) -> date:
        if value.day != 1:
            raise ValueError(f"{value} must be the first day of its month")
        return value

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.peak >= self.trough:
            raise ValueError(f"peak ({self.peak}) must be before trough ({self.trough})")
        return self
