"""What describers and their driver agree on: how a series is named, what is said of it, what a search finds.

A describer is a module of this package with

- `named(text)`: the provider's data set (or None) and code of what a user wrote;
- `describe(dataset, code)`: yields requests, is sent responses, returns a :class:`Description`;
- `search(words, limit)`, where the provider has a search: the same way, returns what was :class:`Found`;
- `OWN_IDS`, where the provider's codes are the ids of the catalog.

An error of a request is raised inside the generator, which may go on without that answer. What providers write is
theirs: texts are taken through :func:`plain`, everything else through the strict readers.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import TypeVar

import polars as pl

from macro_assets.catalog import Frequency, Source
from macro_assets.catalog.kinds.series import Aggregation, SeasonalAdjustment
from macro_assets.sources.clients import closing
from macro_assets.sources.errors import SchemaError, SourceError
from macro_assets.sources.http import HttpClient, Patience
from macro_assets.sources.protocol import Request, Response, connector

LONGEST = 200
"""Characters of a provider's text that are kept."""

T = TypeVar("T")
Steps = Generator[Request, Response, T]

_SOON = Patience(attempts=2, first_delay=0.5, longest_retry_after=10)
"""Somebody waits for the answer."""


@dataclass(frozen=True)
class AboutRequest(Request):
    """A request to the service that describes, where that is another than the one of the figures."""


@dataclass(frozen=True)
class Description:
    """What a provider says of one of its series; None where it says nothing.

    Parameters
    ----------
    dataset, code
        As the provider spells them.
    figures
        `observation_date` and `value`: all that it serves today.
    frequency
        None: to be read off the figures.
    unit
        As published, in words.
    country
        ISO code; EA for the euro area, WW for groups of countries.
    aggregation
        How its observations become one of a lower frequency.
    release
        The provider's id of the release that brings it, and its title.
    notes
        What the user should look at, for the provider does not say it.
    """

    dataset: str | None
    code: str
    figures: pl.DataFrame
    title: str | None = None
    unit: str | None = None
    frequency: Frequency | None = None
    seasonal_adjustment: SeasonalAdjustment = "NSA"
    country: str | None = None
    aggregation: Aggregation | None = None
    licence: str | None = None
    release: tuple[str, str] | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Found:
    """A series that a search found, as the provider tells it; "" where it does not.

    Parameters
    ----------
    code
        As `macro add` takes it.
    """

    code: str
    title: str
    unit: str = ""
    frequency: str = ""
    first: str = ""
    last: str = ""


@dataclass(frozen=True)
class Describer:
    """What a module of this package offers."""

    named: Callable[[str], tuple[str | None, str]]
    describe: Callable[[str | None, str], Steps[Description]]
    search: Callable[[str, int], Steps[Sequence[Found]]] | None = None
    own_ids: bool = False


def describer(source: Source) -> Describer | None:
    """Who describes the series of a source; None where nobody can."""
    name = f"{__package__}.{source.module}"
    if source.module in _NO_DESCRIBERS or find_spec(name) is None:
        return None
    module = import_module(name)
    return Describer(
        module.named, module.describe, getattr(module, "search", None), bool(getattr(module, "OWN_IDS", False))
    )


_NO_DESCRIBERS = ("protocol", "words")


def described(source: Source, dataset: str | None, code: str) -> Description:
    """What a provider says of a series. Raises as :func:`asked`."""
    speaks = describer(source)
    if speaks is None:
        raise SourceError(f"source {source.name} does not describe its series")
    told = asked(source, speaks.describe(dataset, code))
    if told.code.casefold() != code.casefold():
        raise SchemaError(f"asked {source.name} for {code!r}, got a description of {plain(told.code)!r}")
    return told


def asked(source: Source, steps: Steps[T]) -> T:
    """What the steps of a describer return, carried out over the network.

    Raises
    ------
    SourceError
        When the provider cannot be asked, or does not answer as it should.
    """
    explain = connector(source).explain
    with (
        closing(HttpClient(source, explain, patience=_SOON)) as figures,
        closing(HttpClient(_describing(source), explain, patience=_SOON)) as about,
    ):

        def answer(request: Request) -> Response:
            response = (about if isinstance(request, AboutRequest) else figures).get(request)
            if (error := explain(response)) is not None:
                raise error
            return response

        return _driven(steps, answer)


def _describing(source: Source) -> Source:
    """The source as the service that describes it is reached; where that is another, it needs no key."""
    if source.api is None or source.api.about_url is None:
        return source
    api = source.api.model_copy(update={"base_url": source.api.about_url, "key": None})
    return source.model_copy(update={"api": api})


def _driven(steps: Steps[T], answer: Callable[[Request], Response]) -> T:
    try:
        request = next(steps)
        while True:
            try:
                response = answer(request)
            except SourceError as error:
                request = steps.throw(error)
            else:
                request = steps.send(response)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]
    except _ODD as error:
        raise SchemaError(f"the answer is in another form than expected: {type(error).__name__}: {error}") from None
    finally:
        steps.close()


_ODD = (AttributeError, LookupError, TypeError, ValueError)
"""What comes of a text where an object was expected, and the like."""


def plain(text: object) -> str:
    """A provider's text on one line: without control and format characters, and not longer than is worth reading.

    Raises
    ------
    SchemaError
        When it is no text.
    """
    if not isinstance(text, str):
        raise SchemaError(f"expected text, got {type(text).__name__}")
    visible = "".join(" " if c.isspace() else c for c in text if c.isspace() or unicodedata.category(c)[0] != "C")
    line = " ".join(visible.split())
    return line if len(line) <= LONGEST else line[: LONGEST - 3].rstrip() + "..."
