"""The entry of a series that a provider has and the catalog has not, by what the provider says of it.

Belongs here: the rules by which a field follows from a description; `docs/adding-a-series.md` states them. Does not
belong here: asking the provider (`sources/describing/`), where the entry goes (`catalog/own.py`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any

import polars as pl
import yaml

from macro_assets.catalog import Catalog, Frequency, PublicationLag, Series, Source
from macro_assets.catalog.periods import PeriodError, period_end, refuse_another_rhythm
from macro_assets.sources.describing.protocol import Description, plain
from macro_assets.sources.describing.words import NOT_STATED, is_rate, no_such_frequency, standard_unit
from macro_assets.sources.errors import EmptyError, SchemaError
from macro_assets.sources.rows import of_periods

RANGES = 10
"""How many times the range of what was served the limits lie beyond it."""

PERIODS = 3
"""After how many periods and the publication lag the last figure is stale."""

_DAYS: dict[Frequency, int] = {"D": 4, "W": 7, "M": 31, "Q": 92, "A": 366}
"""Days of a period at most; of a daily figure to the next, over a long weekend."""


@dataclass(frozen=True)
class Stated:
    """What the user states in place of what follows from the description."""

    id: str | None = None
    title: str | None = None
    unit: str | None = None
    country: str | None = None


@dataclass(frozen=True)
class Addition:
    """A series to add to a source: its id, the document of its file, and what the user should look at."""

    id: str
    document: dict[str, Any]
    notes: tuple[str, ...]

    def text(self, command: str) -> str:
        """The file: the document under a line that says what wrote it."""
        head = f"# Written by `{plain(command)}`. Edit what does not fit; `macro doctor` says what is wrong.\n"
        return head + yaml.safe_dump(
            self.document, default_flow_style=None, sort_keys=False, allow_unicode=True, width=116
        )


@dataclass(frozen=True)
class Wanted:
    """A series of a source, by what its provider calls it; `own_ids` where its codes are the ids of the catalog."""

    source: Source
    dataset: str | None
    code: str
    own_ids: bool = False

    @property
    def id(self) -> str:
        """Its id: the provider's code where that is one, else source, data set and code."""
        named = [self.code] if self.own_ids and self.code[:1].isalpha() else [self.source.name, self.dataset, self.code]
        return re.sub(r"[^A-Z0-9]+", "_", "_".join(filter(None, named)).upper()).strip("_")

    def held(self, catalog: Catalog) -> Series | None:
        """The series of the catalog that it is: one that the source has under its code, or whose id the code is."""
        code, dataset = self.code.casefold(), (self.dataset or "").casefold()
        for one in catalog.series.values():
            for h in catalog.holdings(one.id):
                there = (h.provider, (h.series.dataset or "").casefold(), h.series.code.casefold())
                if there == (self.source.name, dataset, code):
                    return one
        return catalog.series.get(self.id) if self.own_ids else None


def addition(catalog: Catalog, source: Source, told: Description, given: Stated, today: date) -> Addition:
    """What adds a series to a source.

    Parameters
    ----------
    given
        With the id.
    today
        UTC day of the asking.

    Raises
    ------
    SourceError
        When the provider has no figures of it, or they are of no frequency of the catalog.
    """
    days = told.figures.drop_nulls("value")["observation_date"].to_list()
    if not days:
        raise EmptyError(f"{source.title} has no figures of {told.code}: nothing is added")
    frequency = told.frequency or _rhythm(days)
    figures = of_periods(told.figures.drop_nulls("value"), frequency, source.dated)
    release = told.release[0] if told.release else None
    first, last = (getattr(figures["observation_date"], end)() for end in ("min", "max"))
    lag = prudent_lag(catalog, source, frequency, release, (today - period_end(last, frequency)).days)
    known = catalog.releases.get(f"{source.name}/{release}")
    provider_unit = given.unit or told.unit or NOT_STATED
    unit, scale = standard_unit(provider_unit)
    stale = lag.days + PERIODS * _DAYS[frequency]
    ended = (today - last).days > stale
    entry = {
        "id": given.id,
        "dataset": told.dataset,
        "code": None if told.code == given.id else told.code,
        "title": given.title or told.title or f"Series {told.code} of {source.title}",
        "unit": unit,
        "scale": scale,
        "provider_unit": provider_unit,
        "frequency": frequency,
        "seasonal_adjustment": told.seasonal_adjustment,
        "country": given.country or told.country,
        **_as_its_release(catalog, source, release),
        "first_year": first.year,
        "last_year": last.year if ended else None,
        "publication_lag": None if known is not None and known.publication_lag == lag else _stated(lag),
        "transform": _transform(unit, provider_unit, figures["value"]),
        "bounds": bounds(figures["value"]),
        "staleness_days": stale,
        "aggregation": told.aggregation or "mean",
        "release": release,
        "irregular": _is_irregular(figures["observation_date"], frequency) or None,
        "projections": last > today or None,
        "licence": told.licence,
    }
    new = {"releases": {release: {"title": told.release[1]}}} if told.release and known is None else {}
    stated = {field: value for field, value in entry.items() if value is not None}
    notes = (*told.notes, *([f"Its last figure is of {last}: it is taken to have ended."] if ended else []))
    return Addition(str(given.id), {"source": source.name, **new, "series": [stated]}, notes)


def bounds(values: pl.Series) -> dict[str, float | None]:
    """Limits ten times the range of some figures beyond them: a figure in another unit is outside, a true one is not.

    The range is at least that from zero, so that a short or constant history has room; None where there is no such
    number.
    """
    low, high = (float(v) for v in (values.min(), values.max()))  # type: ignore[arg-type]
    reach = RANGES * (max(high - low, abs(low), abs(high)) or 1.0)
    return {"low": _rounded(low - reach, math.floor), "high": _rounded(high + reach, math.ceil)}


def _rounded(limit: float, outward: Any) -> float | None:
    """A limit to three digits, away from the figures."""
    if not math.isfinite(limit):
        return None
    power = 10.0 ** (math.floor(math.log10(abs(limit))) - 2)
    found = float(f"{outward(limit / power) * power:.3g}") if power else limit
    return found if math.isfinite(found) else None


def prudent_lag(
    catalog: Catalog, source: Source, frequency: Frequency, release: str | None, age: int
) -> PublicationLag:
    """The longest publication lag of series that are like one: too short a lag would look ahead.

    They are those of its release and frequency, and what the release itself says. Where the catalog has not the
    release, they are those of the source's family and frequency, else all; then the figures may show that so much is
    not needed: the latest one was out at its `age`, and one period is added for those that take longer.

    Parameters
    ----------
    age
        Days since the end of the latest period that has a figure.
    """
    declared = catalog.releases.get(f"{source.name}/{release}")
    of_release = [declared.publication_lag] if declared and declared.publication_lag else []
    same = [s for s in catalog.series.values() if s.frequency == frequency]
    of_release += [s.publication_lag for s in same if release and (s.source, s.release) == (source.name, release)]
    if of_release:
        return _longest(of_release)
    family = {s.name for s in catalog.sources_of(source.family)}
    longest = _longest([s.publication_lag for s in same if s.source in family] or [s.publication_lag for s in same])
    shown = age + max(_DAYS[frequency], _DAYS["W"])
    return longest.model_copy(update={"days": min(longest.days, shown), "formerly": {}}) if age >= 0 else longest


def _longest(lags: Iterable[PublicationLag]) -> PublicationLag:
    return max(lags, key=lambda lag: lag.days)


def _stated(lag: PublicationLag) -> dict[str, Any]:
    """A lag as an entry states it; what came late of other series did not of this one."""
    told = {"days": lag.days, "time": f"{lag.time:%H:%M}", "time_zone": lag.time_zone}
    return told | ({"holidays": lag.holidays} if lag.holidays else {})


def _as_its_release(catalog: Catalog, source: Source, release: str | None) -> dict[str, Any]:
    """Theme and kind, where all series of its release have the same."""
    peers = [s for s in catalog.series_of(source.name) if release and s.release == release]
    themes, kinds = {s.theme for s in peers}, {s.kind for s in peers}
    return {
        "theme": themes.pop() if len(themes) == 1 else "own",
        "kind": kinds.pop() if len(kinds) == 1 else "macro_series",
    }


def _transform(unit: str, provider_unit: str, values: pl.Series) -> int:
    """FRED-MD code: changes as they are, rates by their difference, what is positive by its growth, else difference."""
    if is_rate(unit):
        return 1 if re.search("change|growth|variaç", provider_unit.casefold()) else 2
    return 5 if (values > 0).all() else 2


def _rhythm(days: list[date]) -> Frequency:
    """The frequency of figures of which nobody says it."""
    known = sorted(set(days))
    gaps = [(later - day).days for day, later in pairwise(known)]
    if not gaps:
        raise SchemaError("one figure alone tells no frequency: nothing is added")
    if min(gaps) < 28:
        return "D" if min(gaps) < 6 else "W"
    months = math.gcd(*(12 * (d.year - known[0].year) + d.month - known[0].month for d in known))
    if months % 12 == 6:
        raise no_such_frequency("the provider", "half-yearly")
    return "A" if months % 12 == 0 else "Q" if months == 3 else "M"


def _is_irregular(days: pl.Series, frequency: Frequency) -> bool:
    try:
        refuse_another_rhythm(days.unique().to_list(), frequency)
    except PeriodError:
        return True
    return False
