"""What a source is: a provider of series, and how its numbers reach us, over a network or from a folder of files."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from macro_assets.catalog.date_forms import ISO, date_form
from macro_assets.catalog.kinds.declaration import Declaration, Slug
from macro_assets.catalog.kinds.release import TimeZone

Vintages = Literal["none", "whole", "changes"]
"""How a provider tells what was known when: not at all, by whole dated vintages, or by dated changes alone."""

Dated = Literal["start", "end", "any"]
"""The day of a month, quarter or year by which a provider dates its figure: the first, the last, or one or another."""


_URL = r"^https://[a-z0-9.-]+(/[^?#]*)?$"


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

    base_url: Annotated[str, Field(pattern=_URL)]
    about_url: Annotated[str, Field(pattern=_URL)] | None = Field(
        default=None, description="Where it describes its series and searches them, if that is another service"
    )
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
    day in its name, or of the month where the name has no day, and a blank states nothing, or withdraws what an earlier
    file had.
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
    date_form: str = Field(
        default=ISO,
        description="How a date is written: '%m/%d/%Y' for 1/31/2020, '%YQ%q' for 2020Q1; by default as 2020-01-31, or "
        "as a period of the series' frequency: 2020-Q1, 2020-W05, 2020-01, Jan 2020, 2020",
    )
    time_zone: TimeZone | None = Field(
        default=None, description="Whose day a clock time is of that is not midnight, as 'Europe/Paris'"
    )
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
    blank: Literal["silent", "withdrawn"] = Field(
        default="silent",
        description="What a vintage says of a figure of an earlier one that it leaves blank or lacks: nothing, or that "
        "it was withdrawn",
    )
    most_withdrawn: float = Field(
        default=0.5,
        gt=0,
        le=1,
        description="Share of a series' figures that one vintage may withdraw; more is an error",
    )
    absent: Literal["refuse", "allow"] = Field(
        default="refuse", description="What to do with a series that some vintages lack: no column, no rows"
    )
    separator: Annotated[str, Field(min_length=1, max_length=1)] = ","
    decimal: Literal[".", ","] = "."
    thousands: Literal[".", ",", " ", "'"] | None = Field(
        default=None,
        description="What may stand between groups of three digits; None = nothing",
    )
    encoding: Literal["utf-8", "latin-1"] = "utf-8"

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        long = self.layout == "long"
        if long != (self.series is not None) or long != (self.value is not None):
            raise ValueError("'series' and 'value' are for the layout 'long', and both needed there")
        if long and (self.prefix or self.ignore or self.transforms):
            raise ValueError("'prefix', 'ignore' and 'transforms' are for the layout 'wide'")
        if self.vintage is None and self.blank != "silent":
            raise ValueError("'blank' is for files that are vintages: in a single file a blank is a missing value")
        if self.separator == self.decimal:
            raise ValueError("'separator' and 'decimal' must differ")
        if self.thousands == self.decimal:
            raise ValueError("'thousands' and 'decimal' must differ")
        try:
            date_form(self.date_form)
        except ValueError as error:
            raise ValueError(f"date_form: {error}, the form is {self.date_form!r}") from None
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
    family: Slug = Field(default="own", description="One of families.yaml: whose normalized table its series are in")
    via: str | None = Field(
        default=None, description="Of a source that passes on what others make: how a chart names it beside these"
    )
    packages: tuple[str, ...] = Field(
        default=(), description="Distributions whose version decides the figures of a source that ships inside them"
    )
    connector: Slug | None = Field(default=None, description="Module of sources/; by default the source's name")
    api: Api | None = Field(default=None, description="None for a source that needs no network")
    folder: Folder | None = Field(default=None, description="Of a source of the connector 'folder'")
    vintages: Vintages = Field(
        default="none", description="Of the connector 'manual' always 'changes': a line speaks of its own date alone"
    )
    dated: Dated = Field(
        default="start",
        description="By which day of their period it dates monthly, quarterly and annual figures",
    )
    official: bool = Field(default=True, description="False for an interface its provider does not document or support")
    rolling: bool = Field(default=False, description="Whether the provider drops old observations from its answers")

    @model_validator(mode="before")
    @classmethod
    def _by_hand(cls, stated: Any) -> Any:
        """What is entered by hand is changes, whatever is stated: no line is a whole vintage."""
        is_manual = isinstance(stated, dict) and stated.get("connector", stated.get("name")) == "manual"
        return {**stated, "vintages": "changes"} if is_manual else stated

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
    def tells_whole_vintages(self) -> bool:
        """Whether its figures come as whole dated vintages, so that what one does not mention is on record."""
        return self.vintages == "whole"

    @property
    def speaks_of_what_it_lists(self) -> bool:
        """Whether a stored date that an answer lacks stands: lines entered by hand, files that withdraw nothing."""
        files = self.folder is not None and self.folder.vintage is not None and self.folder.blank == "silent"
        return self.module == "manual" or files

    @property
    def is_live(self) -> bool:
        """Whether its figures come over a network and go on growing."""
        return self.api is not None
