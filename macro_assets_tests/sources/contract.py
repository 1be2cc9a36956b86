"""What every connector promises, as laws over what it declares of itself.

The tests of a connector, `providers/test_<connector>.py`, begin with `CONTRACT = Contract(...)`: good answers in the
provider's form with the rows they hold, and what is particular to the provider. `test_connectors.py` holds every
connector of the catalog to each law; a law yields what breaks it, in words.
"""

from __future__ import annotations

import codecs
import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from importlib import import_module
from itertools import islice, product
from urllib.parse import unquote

import polars as pl

from macro_assets.catalog import Catalog, Series, Source
from macro_assets.lakehouse.appending import VintageConflictError, rows_to_append
from macro_assets.sources.errors import AuthError, NotFoundError, RateLimitError, SourceError, TransientError
from macro_assets.sources.protocol import Ask, Fetched, Request, Response, Window, connector
from macro_assets_tests.sources.wire import RECORDINGS, Bodies, Recorded, Replayed, fetched

Answered = bytes | tuple[int, bytes]
"""A body, or an HTTP status and a body."""

TODAY = date(2026, 11, 20)
EVER = Window(today=TODAY)
LATELY = Window(date(2025, 1, 1), today=TODAY)
LONG_AFTER = Window(date(2071, 1, 1), today=TODAY)
OF_THEN, OF_TODAY = (
    re.compile(rf"(?<!\d){year}|\b{seconds}\d{{6}}\b") for year, seconds in ((2071, 3187), (2026, 1795))
)
"""How a request names the year 2071, and today's, as a date or in seconds."""

SECRET, KEY = b"s3cret", b"0123456789abcdef0123456789abcdef"
"""What stands in a declared body for a key, and the key: no error may repeat it."""

STATUSES: Mapping[int, type[SourceError]] = {
    401: AuthError,
    403: AuthError,
    404: NotFoundError,
    429: RateLimitError,
    500: TransientError,
    502: TransientError,
    503: TransientError,
    504: TransientError,
}
MANY = 60
"""Requests that no toy answer takes: more are a loop."""


def _as_it_is(text: bytes) -> bytes:
    return text


@dataclass(frozen=True)
class Good:
    """An answer that is right, and what makes it wrong. The harness damages it in the ways that any answer can be.

    Parameters
    ----------
    series
        What is asked for.
    path
        What is answered: the path of a request, or its whole target.
    body
        A synthetic answer in the provider's form.
    rows
        Dates and values that stand in it, by date.
    figure
        How one figure stands in it, in JSON with its quotes; None where it holds none.
    days
        How its date stands there, and that of another row, if there are.
    refused
        Answers that are refused for a reason particular to the provider, and what the message says; three items are a
        piece of the body, what comes in its place, and what the message says.
    asked
        The exact targets of the requests.
    empty
        Answers that say that there is nothing.
    others
        What else is answered.
    missing
        What may stand for the figure where there is none.
    harmless
        Kinds of damage that are none to this answer, and why.
    header
        How the line of names begins in a table that has lines before it.
    pack
        What makes of the text the bytes that are sent.
    """

    series: Series
    path: str
    body: bytes
    rows: tuple[tuple[date, float | None], ...]
    figure: bytes | None
    days: tuple[bytes, ...] = ()
    refused: tuple[tuple[Answered, str] | tuple[bytes, bytes, str], ...] = ()
    asked: tuple[str, ...] = ()
    empty: tuple[Answered, ...] = ()
    window: Window = EVER
    others: Bodies = field(default_factory=dict)
    missing: tuple[bytes, ...] = ()
    harmless: Mapping[str, str] = field(default_factory=dict)
    header: bytes = b""
    pack: Callable[[bytes], bytes] = _as_it_is

    def answered(self, answer: Answered) -> Bodies:
        """All answers, with this one in the place of the good one."""
        return {**self.others, self.path: answer}


@dataclass(frozen=True)
class Pages:
    """An answer in several pieces: pages of a list, or spans of a long window.

    Parameters
    ----------
    answers
        By exact target (of a POST followed by its body), in the order in which they must be asked for.
    rows
        What they hold together.
    """

    series: Series
    answers: Mapping[str, bytes]
    rows: tuple[tuple[date, float | None], ...]
    window: Window = EVER


@dataclass(frozen=True)
class Contract:
    """What a connector declares.

    Parameters
    ----------
    good, more
        A good answer of each form there is.
    asks
        Words that the first request for a series must hold, by default its code.
    statuses
        Kinds of errors of plain HTTP statuses where they are other than `STATUSES`; None = no error.
    errors
        What else the provider says with a status and a body, and the kind of error it is; None = no error.
    pages
        Of a connector whose answers come in pieces.
    recorded
        How recorded answers are read, where there are any.
    """

    good: Good
    more: tuple[Good, ...] = ()
    asks: Callable[[Series], tuple[str, ...]] = lambda series: (series.code,)
    statuses: Mapping[int, type[SourceError] | None] = field(default_factory=dict)
    errors: tuple[tuple[int, bytes, type[SourceError] | None], ...] = ()
    pages: Pages | None = None
    recorded: Recorded | None = None

    @property
    def goods(self) -> tuple[Good, ...]:
        return (self.good, *self.more)


@dataclass(frozen=True)
class Served:
    """A connector's sources, by name, with the series that each is asked for, as home or as a holder."""

    module: str
    sources: Mapping[str, Source]
    series: Mapping[str, tuple[Series, ...]]


def served(catalog: Catalog, module: str) -> Served:
    """What a connector serves in a catalog."""
    sources = {s.name: s for s in catalog.sources.values() if s.module == module}
    series = {name: list(catalog.series_of(name)) for name in sources}
    for one in catalog.series.values():
        for holder in one.holders:
            if holder.source in sources:
                series[holder.source].append(one.at(holder))
    return Served(module, sources, {name: tuple(found) for name, found in series.items()})


def contract_of(module: str) -> Contract:
    """What a connector declares.

    Raises
    ------
    LookupError
        When it declares nothing.
    """
    tests = f"macro_assets_tests.sources.providers.test_{module}"
    try:
        declared = getattr(import_module(tests), "CONTRACT", None)
    except ModuleNotFoundError as error:
        if error.name != tests:
            raise
        declared = None
    if not isinstance(declared, Contract):
        raise LookupError(
            f"the connector {module} of the catalog declares no contract: write `CONTRACT = Contract(Good(...))` "
            f"in macro_assets_tests/sources/providers/test_{module}.py, as docs/adding-a-series.md shows."
        )
    return declared


# --- the laws ------------------------------------------------------------------------------------------------------

Breaches = Iterator[str]
Law = Callable[[Contract, Served], Breaches]


def good_answers_are_read(contract: Contract, of: Served) -> Breaches:
    """A good answer holds the stated rows, each time it is read, and nothing else, whatever the window is."""
    for good in contract.goods:
        source, bodies = of.sources[good.series.source], good.answered(good.pack(good.body))
        client = _Patient(bodies)
        once, again = (fetched(source, good.series, client, good.window) for _ in range(2))
        if good.asked and [r.target for r in client.asked] != [*good.asked, *good.asked]:
            yield f"expected the requests {good.asked}, got {[r.target for r in client.asked]}"
        if once.failures:
            yield f"a good answer is refused: {once.failures}"
        if _rows(once) != _by_date(good.rows):
            yield f"expected {_by_date(good.rows)}, read {_rows(once)}"
        if _rows(again) != _rows(once):
            yield f"the same answer read twice is {_rows(once)}, then {_rows(again)}"
        if not once.observations["value"].is_finite().fill_null(True).all():
            yield f"a value that is no number was read: {_rows(once)}"
        for answer in good.empty:
            nothing = _fetched(source, good, good.answered(answer))
            if nothing.failures or not nothing.observations.is_empty():
                yield f"{answer!r:.200} holds nothing, and was read as {_rows(nothing)}: {dict(nothing.failures)}"
        for mark in good.missing:
            blank = _rows(_fetched(source, good, good.answered(good.pack(good.body.replace(good.figure or b"", mark)))))
            if len(blank) != len(good.rows) or [v for _, v in blank].count(None) <= [v for _, v in good.rows].count(
                None
            ):
                yield f"{mark!r} stands for no figure, and was read as {blank}"
        if source.vintages != "changes":
            last = max(d for d, _ in good.rows)
            narrow = Window(last, last, today=good.window.today)
            had = _rows(fetched(source, good.series, _Patient(bodies), narrow))
            if not set(had) <= set(good.rows):
                yield f"of the window {last} alone, expected some of {_by_date(good.rows)}, got {had}"


def damaged_answers_are_refused(contract: Contract, of: Served) -> Breaches:
    """What damages any answer is refused with a typed error that names series and source, and nothing is read."""
    for good in contract.goods:
        source = of.sources[good.series.source]
        for what, answer, says in damages(good):
            breaches = list(_not_refused(source, good, what, answer, says))
            if what not in good.harmless:
                yield from breaches
            elif not breaches:
                yield f"{what} is refused after all, and `harmless` says {good.harmless[what]!r}"
        for what, answer in repeated_days(good):
            found = _fetched(source, good, good.answered(good.pack(answer)))
            days = [d for d, _ in _rows(found)]
            if len(days) > len(set(days)) and _can_be_stored(found.observations, source):
                yield f"{what}: was read as {_rows(found)}"


def marks_of_other_systems_are_no_matter(contract: Contract, of: Served) -> Breaches:
    """An answer with a byte order mark, or with the line ends of another system, holds the same rows."""
    for good in contract.goods:
        plain, *marked = (
            (what, _fetched(of.sources[good.series.source], good, good.answered(good.pack(body))))
            for what, body in (("", good.body), *_marked(good))
        )
        for what, found in marked:
            if found.failures or _rows(found) != _rows(plain[1]):
                yield f"{what}: expected {_rows(plain[1])}, read {_rows(found)}: {dict(found.failures)}"


def no_blank_hides_a_figure(contract: Contract, of: Served) -> Breaches:
    """Where a day comes twice, once without a figure, the figure is read or the answer is refused."""
    for good in contract.goods:
        source = of.sources[good.series.source]
        for mark, (what, body) in product(good.missing, repeated_days(good)):
            found = _fetched(source, good, good.answered(good.pack(body.replace(good.figure or b"", mark))))
            figures = [sum(v is not None for _, v in rows) for rows in (good.rows, _rows(found))]
            if not found.failures and figures[1] < figures[0] - 1 and _can_be_stored(found.observations, source):
                yield f"{what}, once with {mark!r}: was read as {_rows(found)}"


def particular_answers_are_refused(contract: Contract, of: Served) -> Breaches:
    """What the connector declares as refused is, with what the message says."""
    for good in contract.goods:
        for case in good.refused:
            if len(case) == 3:
                old, new, says = case
                if old not in good.body:
                    yield f"{old!r} does not stand in the good answer"
                answer: Answered = good.pack(good.body.replace(old, new))
            else:
                answer, says = case
            yield from _not_refused(of.sources[good.series.source], good, f"{case!r:.200}", answer, says)


def errors_are_typed(contract: Contract, of: Served) -> Breaches:
    """Each HTTP status, and what else the provider says, is the kind of error it stands for, and repeats no key."""
    for source in of.sources.values():
        explain = connector(source).explain
        plain = {} if source.api is None else {**STATUSES, **contract.statuses}
        declared = [(status, b"Synthetic", kind) for status, kind in plain.items()]
        goods = [g for g in contract.goods if g.series.source == source.name]
        for status, body, kind in (*declared, *((s, b.replace(SECRET, KEY), k) for s, b, k in contract.errors)):
            for good in goods:
                error = explain(Response(f"GET {good.path}", body, datetime.now(UTC), status))
                if type(error) is not (type(None) if kind is None else kind):
                    yield f"{(status, body)!r:.200} of {source.name}: expected {kind}, got {error!r}"
                elif error is not None:
                    if KEY.decode() in str(error):
                        yield f"{(status, body)!r:.200} of {source.name}: the error repeats it: {error}"
                    yield from _not_refused(source, good, f"{(status, body)!r:.200}", (status, body), "")


def every_series_is_asked_for(contract: Contract, of: Served) -> Breaches:
    """Every series of the catalog is in one ask, whose first request is of its code, holds no key and never differs."""
    for name, source in of.sources.items():
        series = of.series[name]
        plan = connector(source).plan
        asks = [(ask, _first(ask)) for ask in plan(series, LATELY)]
        if [(a.series, r) for a, r in asks] != [(a.series, _first(a)) for a in plan(series, LATELY)]:
            yield f"the plan of {name}, made twice, differs"
        times = Counter((s.id, s.code) for ask, _ in asks for s in ask.series)
        yield from (f"{s.id} of {name} is in {times[s.id, s.code]} asks" for s in series if times[s.id, s.code] != 1)
        alike: dict[str, set[frozenset[tuple[str | None, str]]]] = defaultdict(set)
        for ask, request in asks:
            if request is None:
                yield f"nothing is asked for {[s.id for s in ask.series]} of {name}"
                continue
            text = _text(request)
            alike[text].add(frozenset((s.dataset, s.code) for s in ask.series))
            for one in ask.series:
                yield from (
                    f"{one.id} of {name}: expected {w!r} in {text}" for w in contract.asks(one) if w not in text
                )
            key = source.api.key.name.lower() if source.api and source.api.key else None
            if key is not None and (key in {n.lower() for n, _ in request.params} or f'"{key}"' in text.lower()):
                yield f"{name}: the request holds a key: {text}"
        yield from (f"{name}: one request for {codes}: {text}" for text, codes in alike.items() if len(codes) > 1)


def nothing_to_come_is_asked_for(contract: Contract, of: Served) -> Breaches:
    """A window that begins long after today asks for nothing, or for nothing beyond today."""
    for name, source in of.sources.items():
        for ask in connector(source).plan(of.series[name], LONG_AFTER):
            request = _first(ask)
            if (
                request is not None
                and not ask.series[0].projections
                and OF_THEN.search(_text(request))
                and not OF_TODAY.search(_text(request))
            ):
                yield f"{name}: on {TODAY} it was asked for {_text(request)}"
            if request is None and (why := fetched(source, ask.series, Replayed({}), LONG_AFTER).failures):
                yield f"{name}: nothing was asked, and yet {dict(why)}"


def pieces_are_put_together(contract: Contract, of: Served) -> Breaches:
    """The pieces of an answer are asked for in order and put together; one that comes again and again ends it."""
    if (pages := contract.pages) is not None:
        source = of.sources[pages.series.source]
        client = _Patient(pages.answers)
        found = fetched(source, pages.series, client, pages.window)
        asked = [r.target + (r.json or "") for r in client.asked]
        if asked != list(pages.answers):
            yield f"expected the requests {list(pages.answers)}, got {asked}: {dict(found.failures)}"
        if found.failures or _rows(found) != _by_date(pages.rows):
            yield f"expected {_by_date(pages.rows)!s:.500}, read {_rows(found)!s:.500}: {dict(found.failures)}"
        stuck = _Stuck(next(iter(pages.answers.values())))
        again = fetched(source, pages.series, stuck, pages.window)
        if len(stuck.asked) > MANY:
            yield f"the first piece was asked for again and again: {dict(again.failures)}"


def recordings_are_declared(contract: Contract, of: Served) -> Breaches:
    """Where answers of the connector were recorded, it is declared how they are read."""
    if contract.recorded is None and (RECORDINGS / of.module / "index.json").is_file():
        yield f"there are recordings of {of.module} at {RECORDINGS}, and `recorded` does not say how they are read"


LAWS: tuple[Law, ...] = (
    good_answers_are_read,
    damaged_answers_are_refused,
    marks_of_other_systems_are_no_matter,
    no_blank_hides_a_figure,
    particular_answers_are_refused,
    errors_are_typed,
    every_series_is_asked_for,
    nothing_to_come_is_asked_for,
    pieces_are_put_together,
    recordings_are_declared,
)


class _Patient(Replayed):
    """Answers from memory, but no more often than any toy needs: what loops must end."""

    def get(self, request: Request) -> Response:
        if len(self.asked) > MANY:
            raise TransientError("asked too many times")
        return super().get(request)


class _Stuck(_Patient):
    """Answers everything with one body."""

    def __init__(self, body: bytes) -> None:
        super().__init__({})
        self.body = body

    def get(self, request: Request) -> Response:
        self.bodies = {request.path: self.body}
        return super().get(request)


def _fetched(source: Source, good: Good, bodies: Bodies) -> Fetched:
    return fetched(source, good.series, _Patient(bodies), good.window)


def _rows(found: Fetched) -> list[tuple[date, float | None]]:
    rows = found.observations.sort("observation_date", "release_time")
    return rows.select("observation_date", pl.col("value")).rows()


def _by_date(rows: Sequence[tuple[date, float | None]]) -> list[tuple[date, float | None]]:
    return sorted(rows, key=lambda row: row[0])


def _can_be_stored(rows: pl.DataFrame, source: Source) -> bool:
    """Whether the store takes rows: not those with two values of one date."""
    batch = rows.with_columns(run_id=pl.lit("run"))
    try:
        rows_to_append(batch.clear(), batch, vintages=source.vintages)
    except VintageConflictError:
        return False
    return True


def _not_refused(source: Source, good: Good, what: str, answer: Answered, says: str) -> Breaches:
    found = _fetched(source, good, good.answered(answer))
    said = found.failures.get(good.series.id)
    if not found.observations.is_empty():
        yield f"{what}: was read as {_rows(found)}"
    if said is None:
        yield f"{what}: was not refused"
    elif says not in said:
        yield f"{what}: expected {says!r} in {said!r}"
    elif good.series.id not in said or f"of source {source.name}: " not in said:
        yield f"{what}: expected the series and the source in {said!r}"
    elif ": the connector failed: " in said:
        yield f"{what}: expected an error with a type, got {said!r}"


def _first(ask: Ask) -> Request | None:
    """The first request of an ask; None where it asks for nothing."""
    request = next(islice(ask.steps, 1), None)
    ask.steps.close()
    return request


def _text(request: Request) -> str:
    """A request in words: path, query and body without escapes."""
    query = "&".join(f"{n}={v}" for n, v in request.params)
    return unquote(request.path) + (f"?{query}" if query else "") + (request.json or "")


# --- what can happen to any answer ---------------------------------------------------------------------------------

HTML = b"<!DOCTYPE html><html><title>Sorry</title></html>"


def damages(good: Good) -> Iterator[tuple[str, bytes, str]]:
    """A good answer damaged in the ways that any answer of its form can be, and what the message must say."""
    yield "no bytes", b"", "empty body"
    yield "a page of HTML", HTML, ""
    yield "cut off", good.pack(_cut(good)), ""
    yield from ((what, good.pack(body), "") for what, body in _other_forms(good))
    for piece in (good.figure or b"", *good.days):
        assert piece in good.body, f"{piece!r} does not stand in the good answer of {good.series.source}"
    if good.figure is not None:
        for bad in (b for b in _bad_figures(good, good.figure) if b not in good.missing):
            yield f"the figure {bad!r}", good.pack(good.body.replace(good.figure, bad)), ""
    for day in good.days[:1]:
        for bad in _bad_days(day):
            yield f"the day {bad!r}", good.pack(good.body.replace(day, bad)), ""
    stated = [d for d, _ in good.rows if d.isoformat().encode() in good.body]
    assert good.days or not stated, f"the good answer of {good.series.source} holds {stated}: `days` must say how"


def repeated_days(good: Good) -> Iterator[tuple[str, bytes]]:
    """A good answer in which one day comes twice."""
    if len(good.days) == 2:
        yield f"{good.days[0]!r} twice", good.body.replace(*reversed(good.days))


def _marked(good: Good) -> Iterator[tuple[str, bytes]]:
    """A good answer as other tools would have written it. What is in another encoding has no mark."""
    with suppress(UnicodeDecodeError):
        good.body.decode()
        yield "a byte order mark", codecs.BOM_UTF8 + good.body
    if b"\r" not in good.body:
        yield "carriage returns", good.body.replace(b"\n", b"\r\n")


def _is_json(body: bytes) -> bool:
    return body.lstrip()[:1] in (b"{", b"[")


def _header(good: Good) -> tuple[bytes, bytes]:
    """The line of names of a table, and what separates them."""
    line = next(line for line in good.body.splitlines() if line.startswith(good.header))
    return line, max((b",", b";", b"|", b"\t"), key=line.count)


def _cut(good: Good) -> bytes:
    """An answer cut off where it can be seen: a table before a figure."""
    if _is_json(good.body):
        return good.body[: len(good.body) // 2 + 1]
    _, separator = _header(good)
    return good.body[: good.body.rindex(separator, 0, good.body.index(good.figure or good.body[-1:]))]


def _other_forms(good: Good) -> Iterator[tuple[str, bytes]]:
    """The same with other names, and something else in the same language."""
    if _is_json(good.body):
        document = json.loads(good.body)
        yield "other names", json.dumps(_renamed(document)).encode()
        yield "another shape", b'{"unexpected": 0}' if isinstance(document, list) else b"[0]"
    else:
        line, separator = _header(good)
        names = separator.join(b"x%d" % n for n in range(line.count(separator) + 1))
        yield "other names", good.body.replace(line, names, 1)
        yield "another language", b'{"unexpected": 0}'


def _renamed(document: object) -> object:
    if isinstance(document, dict):
        return {f"x_{name}": _renamed(value) for name, value in document.items()}
    return [_renamed(value) for value in document] if isinstance(document, list) else document


def _bad_figures(good: Good, figure: bytes) -> Sequence[bytes]:
    if not _is_json(good.body):
        return b"n/x", b"NaN", b"inf", b"-Infinity", b"1e999"
    if figure.startswith(b'"'):
        return b'"n/x"', b'"NaN"', b'"inf"', b'"-Infinity"', b'"1e999"', b"true", b"[1]", b"{}"
    return b'"n/x"', b"NaN", b"Infinity", b"-Infinity", b"1e999", b"true", b"[1]", b"{}"


def _bad_days(day: bytes) -> Sequence[bytes]:
    """Dates in another form, that cannot be, and of another type."""
    if day.isdigit() and len(day) > 8:  # seconds or milliseconds
        return b'"2024-01-01"', b"true", b"[1]"
    return re.sub(rb"\d", b"0", day), re.sub(rb"\d+", b"x", day), b"day " + day
