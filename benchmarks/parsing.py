"""Reading what providers answer against nothing but parsing the same bytes: `json.loads`, `pl.read_csv`, `fromstring`.

The answers are those of the synthetic providers to the requests of up to thirty series of a source: daily and weekly
ones from 2010 on, others as if they reached back to 1700, lest what every answer costs outweigh its rows. Connectors
run as in a fetch, on answers in memory: what counts is the time from an answer to its last observation. To run some
connectors alone, name them: `python benchmarks/parsing.py ecb cboe`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from xml.etree.ElementTree import fromstring
from zipfile import ZipFile

import polars as pl
from measure import ROOT, Ratio, interleaved, show

sys.path.insert(0, str(ROOT))

from macro_assets.catalog import Series, Source, default_catalog
from macro_assets.sources.protocol import Answer, Response, Steps, Window, connector
from macro_assets_tests import providers
from macro_assets_tests.providers import World, answer, finra

TARGET, TIGHT = 4.0, 2.5
CLOSE = {"bcb_focus", "bcb_ptax", "dbnomics", "fred"}
"""Connectors whose target is the tight one: their answers are the long ones of a backfill."""
PIECE = 0.002
"""Seconds that a series of an answer may take where four times the plain parser is less: what a small answer costs
does not depend on its size."""

ROUNDS = 7
LEAST = 1_000_000
"""Bytes of a round: of a connector with less they are read several times."""

TODAY = date(2026, 11, 20)
SERIES = 30
FIRST = {"finra": TODAY - timedelta(days=30)}
"""First date asked for where it is not the series' own: a file of FINRA has ten thousand shares, and is of one day."""


@dataclass(frozen=True)
class Work:
    """What a connector reads in a round: of each source its series, and what is answered to each of its questions."""

    window: Window
    sources: list[tuple[Source, tuple[Series, ...], list[list[Response]]]]

    pieces: int
    """Series of answers: what is read for itself."""

    @property
    def bodies(self) -> list[bytes]:
        return [r.body for _, _, asks in self.sources for got in asks for r in got if r.http_status == 200 and r.body]

    def read(self) -> None:
        """All that the connector does between an answer and its observations."""
        for source, series, asks in self.sources:
            for ask, responses in zip(connector(source).plan(series, self.window), asks, strict=True):
                answers = given(ask.steps, responses)
                assert answers is not None, f"{source.name}: the answers did not suffice"
                assert not any(a.failures for a in answers), answers


def given(steps: Steps, responses: list[Response]) -> Sequence[Answer] | None:
    """What steps that are sent these responses return."""
    try:
        next(steps)
        for response in responses:
            steps.send(response)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]
    return None


def work(sources: Collection[Source], world: World) -> Work:
    """The answers of the synthetic providers for all series of some sources."""
    first = next((FIRST[s.name] for s in sources if s.name in FIRST), None)
    window, at = Window(first, None, TODAY), datetime(2026, 11, 20, 23, tzinfo=UTC)
    found, pieces = [], 0
    for source in sources:
        known, asks = world.by_source[source.name], []
        series = known[:: -(-len(known) // SERIES)]
        for ask in connector(source).plan(series, window):
            asks.append([])
            try:
                request = next(ask.steps)
                while True:
                    status, body = answer(source.name, request.target, (request.json or "").encode(), world)
                    asks[-1].append(Response(request.target, body, at, status))
                    request = ask.steps.send(asks[-1][-1])
            except StopIteration:
                pieces += len(ask.series) * len(asks[-1])
        found.append((source, series, asks))
    return Work(window, found, pieces)


def unpacked(body: bytes) -> bytes:
    """The one file of a zip."""
    with ZipFile(BytesIO(body)) as archive:
        return archive.read(archive.namelist()[0])


def parser(body: bytes) -> tuple[str, Callable[[bytes], object]]:
    """The plain parser of a body's format, by its first byte."""
    start = body.lstrip()[:1]
    if start in (b"{", b"["):
        return "json.loads", json.loads
    if body.startswith(b"PK"):
        return "ZipFile.read and pl.read_csv", lambda b: pl.read_csv(unpacked(b), infer_schema=False)
    if start == b"<":
        return "ElementTree.fromstring", fromstring
    separator = max(",|\t;", key=lambda mark: body[:4096].count(mark.encode()))
    if separator == "\t":  # blocks of text, which no reader of CSV takes
        return "str.split", lambda b: [line.split("\t") for line in b.decode().splitlines()]
    form = {"separator": separator, "truncate_ragged_lines": True}
    return "pl.read_csv", lambda b: pl.read_csv(b, infer_schema=False, **form)


def long(series: Series) -> Series:
    """A series with the history that it has here."""
    first_year = max(2010, series.first_year) if series.frequency in ("D", "W") else 1700
    return series.model_copy(update={"first_year": first_year})


def race(name: str, sources: Collection[Source], world: World) -> Ratio:
    whole = work(sources, world)
    plain = [(*parser(body), body) for body in whole.bodies]
    size = sum(len(body) for *_, body in plain)
    times = range(-(-LEAST // size))

    def ours() -> None:
        for _ in times:
            whole.read()

    def theirs() -> None:
        for _ in times:
            for _, parse, body in plain:
                parse(body)

    ours(), theirs()
    mine, other = interleaved(ours, theirs, ROUNDS)
    megabytes, pieces = size * len(times) / 1e6, whole.pieces * len(times)
    title = f"reading {name}, {megabytes / mine:.0f} MB/s"
    parsers = f"{' and '.join(sorted({p[0] for p in plain}))}, {megabytes / other:.0f} MB/s"
    if name in CLOSE or TARGET * other >= PIECE * pieces:
        return Ratio(title, mine, parsers, other, TIGHT if name in CLOSE else TARGET)
    return Ratio(f"{title}, a series", mine / pieces, f"as set; {mine / other:.1f}x {parsers}", PIECE, 1.0)


def run(only: Collection[str] = ()) -> list[Ratio]:
    providers.FIRST_YEAR = 1700
    catalog = default_catalog()
    world = World(replace(catalog, series={s.id: long(s) for s in catalog.series.values()}), TODAY)
    finra.SHARES = 10_000  # as in a true file
    modules: dict[str, list[Source]] = {}
    for source in world.catalog.sources.values():
        if source.is_live and (not only or source.module in only):
            modules.setdefault(source.module, []).append(source)
    return [race(name, sources, world) for name, sources in modules.items()]


if __name__ == "__main__":
    show(run(sys.argv[1:]))
