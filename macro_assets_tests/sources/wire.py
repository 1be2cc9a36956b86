"""Recorded answers of the real services, where the folder of recordings is there, and clients that replay answers.

`RECORDINGS` names the folder (one folder per provider, each with an `index.json`); its default lies beside the
checkout. Tests read formats, not files: recordings nobody has seen must parse unchanged.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import polars as pl
import pytest

from macro_assets.catalog import Bounds, PublicationLag, Series, Source, default_catalog
from macro_assets.sources.errors import NotFoundError, SourceError
from macro_assets.sources.fetching import fetch
from macro_assets.sources.protocol import Client, Fetched, Request, Response, Window, connector
from macro_assets.sources.sdmx import from_csv
from macro_assets.sources.sdmx_json import from_json
from macro_assets.sources.sdmx_xml import from_xml

RECORDINGS = Path(os.environ.get("MACRO_WIRE") or Path(__file__).resolve().parents[3] / "shared" / "wire")
FIXTURES = Path(__file__).parent / "fixtures"


@dataclass(frozen=True)
class Recording:
    """One answer as a service gave it."""

    provider: str
    file: str
    method: str
    url: str
    query: Mapping[str, str]
    status: int
    recorded: datetime
    note: str

    @property
    def body(self) -> bytes:
        return (RECORDINGS / self.provider / self.file).read_bytes()

    @property
    def response(self) -> Response:
        text = f"{self.method} {self.url}" + (f"?{urlencode(sorted(self.query.items()))}" if self.query else "")
        return Response(text, self.body, self.recorded, self.status)

    def __str__(self) -> str:
        return f"{self.provider}/{self.file}"


def recordings(provider: str) -> list[Recording]:
    """Every recording of a provider; none where the folder is not there."""
    index = RECORDINGS / provider / "index.json"
    if not index.is_file():
        return []
    return [
        Recording(
            provider,
            e["file"],
            e["method"],
            e["url"],
            dict(e.get("query", {})),
            e["status"],
            _instant(e["recorded"]),
            e.get("note", ""),
        )
        for e in json.loads(index.read_text())
    ]


def _instant(text: str) -> datetime:
    """When an answer was recorded; some savers noted it loosely, or wrote the last row's date."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        return datetime(2026, 11, 1, tzinfo=UTC)


def each_recording(provider: str) -> pytest.MarkDecorator:
    """Run a test with every `recording` of a provider; skipped, with the reason, where there are none."""
    found: Sequence[Any] = recordings(provider) or [
        pytest.param(None, marks=pytest.mark.skip(reason=f"no recordings of {provider} at {RECORDINGS}"))
    ]
    return pytest.mark.parametrize("recording", found, ids=lambda r: r.file if r else "none")


Reader = Callable[[Response], pl.DataFrame]


@dataclass(frozen=True)
class Recorded:
    """How a connector reads the recorded answers of its provider.

    Parameters
    ----------
    provider
        Folder of the recordings.
    readers
        By pattern of the URL: what the connector reads such an answer with, as rows with `observation_date`, `value`;
        or what gives them for a recording.
    no_series
        By pattern of the URL: why such an answer is no series; or what gives them for a recording.
    count
        Counts the rows of a body in another way than the connector does.
    expected
        By file: how many rows must come, counted by hand. Files that are not listed are held against `count`.
    plausible
        Whether rows may be true.
    apart
        Whether a recording was dealt with otherwise: it asserts what holds of it.
    """

    provider: str
    readers: Mapping[str, Reader] | Callable[[Recording], Mapping[str, Reader]]
    no_series: Mapping[str, str] | Callable[[Recording], Mapping[str, str]]
    count: Callable[[bytes], int]
    expected: Mapping[str, int] = field(default_factory=dict)
    plausible: Callable[[pl.DataFrame], bool] = lambda rows: rows["observation_date"].is_unique().all()
    apart: Callable[[Recording], bool] = lambda recording: False


def check_recording(recording: Recording, how: Recorded, explain: Callable[[Response], SourceError | None]) -> None:
    """Hold a connector against a recording.

    Parameters
    ----------
    explain
        Must find an error in files named `error-*`, unless reading them does, and in no answer that has rows.
    """
    if how.apart(recording):
        return
    response = recording.response
    error = explain(response)
    where = f"{recording.method} {recording.url}?{urlencode(recording.query)}"
    readers = how.readers(recording) if callable(how.readers) else how.readers
    no_series = how.no_series(recording) if callable(how.no_series) else how.no_series
    reader = next((r for pattern, r in readers.items() if re.search(pattern, where)), None)
    if recording.file.startswith("error-") or "-error-" in recording.file or recording.status >= 400:
        if error is None and reader is not None:  # one of several series in an answer may be an error
            with pytest.raises(SourceError):
                reader(response)
            return
        if error is None and any(re.search(pattern, where) for pattern in no_series):
            return  # an error of a service that is not asked
        assert isinstance(error, SourceError), f"{recording}: an error that is taken for an answer"
        return
    if any(re.search(pattern, where) for pattern in no_series):
        return
    if error is not None and _has_no_rows(recording.body, how.count):
        return  # an error under another name
    assert error is None, f"{recording}: {error}"
    assert reader is not None, f"{recording}: nothing reads {where}, and nothing says why"
    rows = reader(response)
    assert rows.height == how.expected.get(recording.file, how.count(recording.body)), recording
    assert rows["observation_date"].null_count() == 0
    assert rows["value"].is_finite().fill_null(True).all()
    assert how.plausible(rows), rows


def _has_no_rows(body: bytes, count: Callable[[bytes], int]) -> bool:
    try:
        return count(body) == 0
    except (ValueError, LookupError, TypeError, AttributeError):  # not of the form that is counted
        return True


# --- clients and toys ----------------------------------------------------------------------------------------------

Bodies = Mapping[str, bytes | tuple[int, bytes]]


class Replayed:
    """A client that answers from memory: by the exact target of a request, or else by its path.

    It keeps what was asked in `asked`.
    """

    def __init__(self, bodies: Bodies, at: datetime | None = None) -> None:
        self.bodies = dict(bodies)
        self.at = at or datetime.now(UTC)
        self.asked: list[Request] = []

    def get(self, request: Request) -> Response:
        self.asked.append(request)
        for key in (request.target + (request.json or ""), request.target, request.path):
            if key in self.bodies:
                found = self.bodies[key]
                status, body = found if isinstance(found, tuple) else (200, found)
                return Response(f"GET {request.target}", body, self.at, status)
        raise NotFoundError(f"nothing is recorded for {request.target}; there is {sorted(self.bodies)[:5]}")


def fixture(name: str) -> bytes:
    """A body of the project's own, made by hand after the format of the service (values are made up: synthetic)."""
    return (FIXTURES / name).read_bytes()


def toy_series(source: str, code: str, **facts: Any) -> Series:
    """A series of a source, for tests."""
    plain: dict[str, Any] = {
        "id": facts.pop("id", "TOY"),
        "source": source,
        "code": code,
        "title": "A toy",
        "unit": "percent",
        "scale": 1.0,
        "provider_unit": "Percent",
        "frequency": "D",
        "seasonal_adjustment": "NSA",
        "country": "US",
        "theme": "toys",
        "first_year": 1900,
        "publication_lag": PublicationLag(days=1, time=time(12), time_zone="UTC"),
        "transform": 1,
        "bounds": Bounds(low=None, high=None),
        "staleness_days": 30,
        "aggregation": "last",
        "licence": "none: synthetic",
    }
    return Series.model_validate({**plain, **facts})


def fetched(
    source: str | Source, series: Series | Iterable[Series], bodies: Bodies | Client, window: Window | None = None
) -> Fetched:
    """Fetch series of a source from bodies in memory."""
    one = default_catalog().sources[source] if isinstance(source, str) else source
    client = Replayed(bodies) if isinstance(bodies, Mapping) else bodies
    wanted = [series] if isinstance(series, Series) else list(series)
    return fetch(one, client, wanted, window or Window(today=date(2026, 11, 20)))


def sdmx_reader(body: bytes) -> Reader:
    """What reads a recorded answer of SDMX, by the form it begins in."""
    begins = body.lstrip()[:1]
    return from_xml if begins == b"<" else from_json if begins == b"{" else from_csv


def sdmx_rows(body: bytes) -> int:
    """Figures in a recorded answer of SDMX, counted by their marks in XML, JSON and lines."""
    if body.lstrip().startswith(b"<"):
        return len(re.findall(rb"<(?:\w+:)?Obs[\s>/]", body))
    if not body.lstrip().startswith(b"{"):
        return len(body.strip().splitlines()) - 1
    document = json.loads(body)
    sets = document.get("data", document)["dataSets"]
    parts = [one for s in sets for one in (s, *s.get("series", {}).values())]
    return sum(len(one.get("observations", {})) for one in parts)


def explains(source: str) -> Callable[[Response], SourceError | None]:
    """How a source's connector reads the errors of its provider."""
    return connector(default_catalog().sources[source]).explain
