"""The driver, with connectors and clients made for tests: what fails, fails alone, and rows say whence they are."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from types import ModuleType
from typing import Any

import polars as pl
import pytest
from polars.exceptions import PanicException

from macro_assets.catalog import Api, Series, Source
from macro_assets.sources.bodies import read_csv
from macro_assets.sources.cells import dates, numbers
from macro_assets.sources.errors import (
    AuthError,
    NotFoundError,
    RateLimitError,
    SchemaError,
    SourceError,
    TransientError,
    explain_status,
)
from macro_assets.sources.fetching import fetch
from macro_assets.sources.protocol import (
    OBSERVATION_SCHEMA,
    Answer,
    Ask,
    Fetched,
    Request,
    Response,
    Splits,
    Steps,
    Window,
    connector,
    read_each,
)
from macro_assets_tests.sources.wire import Replayed, toy_series

AT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
A, B, C = (toy_series("toy", c, id=c) for c in "ABC")
EVERYTHING = Window(today=date(2026, 11, 20))
ROWS = b"d,v\n2026-01-02,1\n2026-01-05,2\n"

Plan = Callable[[Sequence[Series], Window], Iterator[Ask]]


def read(response: Response) -> pl.DataFrame:
    table = read_csv(response, ["d", "v"])
    return pl.DataFrame({"observation_date": dates(table["d"]), "value": numbers(table["v"], ("",))})


def steps(one: Series) -> Steps:
    response = yield Request(f"/{one.code}")
    return [Answer(response, read(response))]


def one_by_one(series: Sequence[Series], window: Window) -> Iterator[Ask]:
    for one in series:
        yield Ask((one,), steps(one))


def source(in_flight: int = 1, **facts: Any) -> Source:
    api = Api(base_url="https://toy.example", requests_per_second=1, in_flight=in_flight)
    plain = {"name": "toy", "title": "", "description": "", "url": "", "owner": "", "api": api}
    return Source.model_validate({**plain, **facts})


@pytest.fixture
def speak(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Make a plan, and maybe an `explain`, the connector of the toy source."""

    def install(plan: Plan, **functions: Any) -> None:
        module = ModuleType("macro_assets.sources.providers.toy")
        for name, function in {"plan": plan, **functions}.items():
            setattr(module, name, function)
        monkeypatch.setitem(sys.modules, "macro_assets.sources.providers.toy", module)

    install(one_by_one)
    return install


@pytest.fixture(autouse=True)
def _speak_plainly(speak: Callable[..., None]) -> None:
    """Unless a test says otherwise, each series is asked for alone."""


def got(bodies: Any, *series: Series, of: Source | None = None, window: Window = EVERYTHING) -> Fetched:
    client = Replayed(bodies, AT) if isinstance(bodies, dict) else bodies
    return fetch(of or source(), client, series or (A, B, C), window)


def values(fetched: Fetched, series_id: str = "A") -> list[float | None]:
    return fetched.observations.filter(pl.col("series_id") == series_id)["value"].to_list()


# --- what comes of an answer ---------------------------------------------------------------------------------------


def test_rows_say_what_they_are_and_whence() -> None:
    bodies = {"/A": ROWS, "/B": b"d,v\n2026-01-02,7\n", "/C": b"d,v\n"}
    fetched = got(bodies)
    assert fetched.failures == {}
    assert fetched.observations.schema == pl.Schema(OBSERVATION_SCHEMA)
    assert fetched.observations.height == 3
    assert set(fetched.observations["provider"]) == {"toy"}
    assert set(fetched.observations["ingested_at"]) == {AT}
    assert [r.http_status for r in fetched.responses] == [200, 200, 200]
    by_series = dict(fetched.observations.select("series_id", "payload_sha256").iter_rows())
    assert by_series == {"A": fetched.responses[0].sha256, "B": fetched.responses[1].sha256}


def test_nothing_asked_is_nothing() -> None:
    fetched = fetch(source(), Replayed({}), [], EVERYTHING)
    assert (fetched.observations.height, fetched.responses, fetched.failures) == (0, (), {})
    assert fetched.observations.schema == pl.Schema(OBSERVATION_SCHEMA)


def test_a_release_that_the_provider_does_not_state_is_estimated() -> None:
    monthly = toy_series("toy", "A", id="A", frequency="M")
    fetched = got({"/A": b"d,v\n2026-01-01,1\n2026-02-01,2\n"}, monthly)
    released = fetched.observations["release_time"].to_list()
    assert released == [datetime(2026, 2, 1, 12, tzinfo=UTC), datetime(2026, 3, 1, 12, tzinfo=UTC)]
    assert set(fetched.observations["release_basis"]) == {"publication_lag"}


def test_a_release_that_the_provider_states_is_kept(speak: Callable[..., None]) -> None:
    stated = datetime(2026, 1, 9, 13, 30, tzinfo=UTC)

    def plan(basis: str | None) -> Plan:
        def told(one: Series) -> Steps:
            response = yield Request("/A")
            rows = read(response).with_columns(release_time=pl.lit(stated))
            return [Answer(response, rows if basis is None else rows.with_columns(release_basis=pl.lit(basis)))]

        return lambda series, window: iter([Ask(tuple(series), told(series[0]))])

    for basis, kept in ((None, "provider"), ("snapshot", "snapshot")):
        speak(plan(basis))
        rows = got({"/A": ROWS}, A).observations
        assert set(rows["release_time"]) == {stated}
        assert set(rows["release_basis"]) == {kept}


@pytest.mark.parametrize("vintages", ["none", "whole", "changes"])
@pytest.mark.parametrize("window", [Window(), Window(first=date(2026, 1, 3)), Window(last=date(2026, 1, 2))])
def test_what_an_answer_has_of_other_dates_comes_too(window: Window, vintages: str) -> None:
    """A revision may be of any date, and a body that was fetched anyway has it."""
    fetched = got({"/A": ROWS}, A, of=source(vintages=vintages), window=window)
    assert values(fetched) == [1, 2]
    assert fetched.failures == {}


def test_pages_are_asked_one_after_the_other(speak: Callable[..., None]) -> None:
    def pages(one: Series) -> Steps:
        answers = []
        for n in range(3):
            response = yield Request(f"/{one.code}", (("page", str(n)),))
            answers.append(Answer(response, read(response)))
        return answers

    speak(lambda series, window: (Ask((s,), pages(s)) for s in series))
    client = Replayed({f"/A?page={n}": f"d,v\n2026-01-0{n + 1},{n}\n".encode() for n in range(3)}, AT)
    fetched = got(client, A)
    assert values(fetched) == [0, 1, 2]
    assert [r.target for r in client.asked] == ["/A?page=0", "/A?page=1", "/A?page=2"]
    hashes = {d.day: h for d, h in fetched.observations.select("observation_date", "payload_sha256").iter_rows()}
    assert hashes == {n + 1: fetched.responses[n].sha256 for n in range(3)}, "each row names the page it was on"


def test_splits_of_all_answers_come_in_turn_once_and_of_no_series_that_failed(speak: Callable[..., None]) -> None:
    first, second = (date(2026, 1, 5), 4.0), (date(2026, 1, 2), 0.5)

    def told(one: Series, *splits: Splits) -> Steps:
        response = yield Request(f"/{one.code}")
        lost = {"B": SchemaError("no")} if one.id == "B" else {}
        return [Answer(response, read(response), lost, {one.id: found}) for found in splits]

    speak(lambda series, window: (Ask((s,), told(s, (first,), (), (first, second))) for s in series))
    fetched = got({"/A": ROWS, "/B": ROWS}, A, B)
    assert fetched.splits == {"A": (second, first)}
    assert set(fetched.failures) == {"B"}
    speak(lambda series, window: (Ask((s,), told(s, ())) for s in series))
    assert got({"/A": ROWS}, A).splits == {}


def together(frame: Callable[[Response, Sequence[Series]], Any]) -> Plan:
    """All series in one ask for one path."""

    def asked(series: Sequence[Series]) -> Steps:
        response = yield Request("/all")
        answer = frame(response, series)
        return [answer if isinstance(answer, Answer) else Answer(response, answer)]

    return lambda series, window: iter([Ask(tuple(series), asked(series))])


def wide(response: Response, series: Sequence[Series]) -> Answer:
    table = read_csv(response, ["d"])

    def column(one: Series) -> pl.DataFrame:
        if one.code not in table.columns:
            raise NotFoundError(f"there is no column {one.code}")
        return pl.DataFrame({"observation_date": dates(table["d"]), "value": numbers(table[one.code])})

    return read_each(response, series, column)


def test_series_that_are_asked_together_are_told_apart(speak: Callable[..., None]) -> None:
    speak(together(wide))
    client = Replayed({"/all": b"d,A,B,C\n2026-01-02,1,2,3\n2026-01-05,4,5,6\n"}, AT)
    fetched = got(client)
    assert (values(fetched, "A"), values(fetched, "B"), values(fetched, "C")) == ([1, 4], [2, 5], [3, 6])
    assert len(client.asked) == len(fetched.responses) == 1
    assert set(fetched.observations["payload_sha256"]) == {fetched.responses[0].sha256}


def test_series_that_are_asked_together_have_their_own_lag(speak: Callable[..., None]) -> None:
    speak(together(wide))
    slow = toy_series("toy", "B", id="B", frequency="M")
    rows = got({"/all": b"d,A,B\n2026-01-01,1,2\n"}, A, slow).observations
    days = {s: t.date() for s, t in rows.select("series_id", "release_time").iter_rows()}
    assert days == {"A": date(2026, 1, 2), "B": date(2026, 2, 1)}


def test_rows_of_series_nobody_asked_for_are_left_out(speak: Callable[..., None]) -> None:
    speak(together(lambda r, s: read(r).with_columns(series_id=pl.Series(["A", "Z"]))))
    assert got({"/all": ROWS}, A, B).observations["series_id"].to_list() == ["A"]


def test_rows_that_do_not_say_of_which_series_they_are_are_refused(
    speak: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    """To give them to the first series would file numbers under a wrong name, for ever."""
    speak(together(lambda r, s: read(r)))
    fetched = got({"/all": ROWS}, A, B)
    assert fetched.observations.is_empty()
    assert set(fetched.failures) == {"A", "B"}
    assert "the connector failed" in fetched.failures["A"]
    assert "series_id" in fetched.failures["A"]
    assert values(got({"/all": ROWS}, A)) == [1, 2], "of one series there is no doubt"


# --- what fails ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ((404, b"no such series"), "HTTP 404: not found: 'no such series'"),
        ((401, b"bad key"), "HTTP 401: access was refused"),
        ((429, b"slow down"), "HTTP 429: asked too often"),
        ((503, b""), "HTTP 503: the provider failed"),
        (b"<html>Sorry</html>", "got a page of HTML"),
        (b"", "got an empty body"),
        (b"d,v\n2026-01-02,n/a\n", "expected a number in 'v', got 'n/a'"),
        (b"d,value\n2026-01-02,1\n", "expected the column 'v'"),
    ],
)
def test_a_series_that_fails_fails_alone(body: Any, says: str) -> None:
    fetched = got({"/A": ROWS, "/B": body, "/C": ROWS})
    assert list(fetched.failures) == ["B"]
    assert fetched.failures["B"].startswith("series B of source toy: ")
    assert says in fetched.failures["B"]
    assert "\n" not in fetched.failures["B"]
    assert set(fetched.observations["series_id"]) == {"A", "C"}
    assert len(fetched.responses) == 3, "an answer that was an error is kept too"
    assert fetched.unchanged == frozenset()


class Breaking(Replayed):
    """A client that raises for some paths."""

    def __init__(self, errors: dict[str, Exception]) -> None:
        super().__init__({"/A": ROWS, "/B": ROWS, "/C": ROWS}, AT)
        self.errors = errors

    def get(self, request: Request) -> Response:
        if request.path in self.errors:
            raise self.errors[request.path]
        return super().get(request)


@pytest.mark.parametrize("day", ["9999-12-31", "2200-01-01"])
def test_a_date_of_no_time_fails_its_series_alone(day: str, caplog: pytest.LogCaptureFixture) -> None:
    """A figure of the last day that Python knows would be released after it."""
    fetched = got({"/A": ROWS, "/B": ROWS + f"{day},3\n".encode(), "/C": ROWS})
    assert list(fetched.failures) == ["B"]
    assert f"expected dates before 2200, got {day}" in fetched.failures["B"]
    assert len(fetched.responses) == 3
    assert not caplog.records


@pytest.mark.parametrize("fault", [PanicException("out-of-range date"), RecursionError("too deep"), ValueError("seek")])
def test_a_fault_of_a_reader_is_of_its_series_alone_and_the_body_is_kept(
    fault: BaseException, speak: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    """A panic of Polars is no `Exception`: it took the source's whole fetch with it."""

    def broken(one: Series) -> Steps:
        response = yield Request(f"/{one.code}")
        if one.id == "B":
            raise fault
        return [Answer(response, read(response))]

    speak(lambda series, window: (Ask((s,), broken(s)) for s in series))
    fetched = got({"/A": ROWS, "/B": ROWS, "/C": ROWS})
    assert list(fetched.failures) == ["B"]
    assert f"the connector failed: {type(fault).__name__}" in fetched.failures["B"]
    assert set(fetched.observations["series_id"]) == {"A", "C"}
    assert len(fetched.responses) == 3

    def together_but(response: Response, series: Sequence[Series]) -> Answer:
        def one_of(one: Series) -> pl.DataFrame:
            if one.id == "B":
                raise fault
            return read(response)

        return read_each(response, series, one_of)

    speak(together(together_but))
    fetched = got({"/all": ROWS})
    assert list(fetched.failures) == ["B"]
    assert "the connector failed" in fetched.failures["B"]
    assert values(fetched, "C") == [1, 2]
    assert len(caplog.records) == 2, "a fault of the connector is logged"


@pytest.mark.parametrize("kind", [TransientError, RateLimitError, AuthError, SchemaError, SourceError])
def test_what_could_not_be_asked_fails_alone(kind: type[SourceError], caplog: pytest.LogCaptureFixture) -> None:
    fetched = got(Breaking({"/A": kind("nobody there")}))
    assert fetched.failures == {"A": "series A of source toy: nobody there"}
    assert set(fetched.observations["series_id"]) == {"B", "C"}
    assert len(fetched.responses) == 2
    assert not caplog.records, "a foreseen failure is no fault of ours"


def test_one_of_a_table_that_cannot_be_read_fails_alone(speak: Callable[..., None]) -> None:
    speak(together(wide))
    fetched = got({"/all": b"d,A,C\n2026-01-02,1,many\n"})
    assert set(fetched.failures) == {"B", "C"}
    assert "series B of source toy: there is no column B" in fetched.failures["B"]
    assert "expected a number in 'C', got 'many'" in fetched.failures["C"]
    assert values(fetched) == [1]


def test_series_of_one_ask_fail_together_and_are_named(speak: Callable[..., None]) -> None:
    many = [toy_series("toy", "A", id=f"S{n}") for n in range(9)]
    speak(together(wide))
    fetched = got({"/all": (500, b"oops")}, *many)
    assert set(fetched.failures) == {s.id for s in many}
    assert fetched.failures["S8"].startswith("series S0, S1, S2, S3, S4, ... of source toy: HTTP 500")


def test_a_page_that_fails_leaves_nothing_of_its_series(speak: Callable[..., None]) -> None:
    """A series in part would be taken for a series whose other observations were withdrawn."""

    def pages(one: Series) -> Steps:
        first = yield Request(f"/{one.code}")
        second = yield Request(f"/{one.code}/2")
        return [Answer(first, read(first)), Answer(second, read(second))]

    speak(lambda series, window: (Ask((s,), pages(s)) for s in series))
    fetched = got({"/A": ROWS, "/A/2": (503, b""), "/B": ROWS, "/B/2": ROWS}, A, B)
    assert list(fetched.failures) == ["A"]
    assert set(fetched.observations["series_id"]) == {"B"}
    assert len(fetched.responses) == 4, "every answer is kept, the error too"


def test_a_series_that_fails_in_one_of_its_asks_is_not_returned_in_part(speak: Callable[..., None]) -> None:
    def plan(series: Sequence[Series], window: Window) -> Iterator[Ask]:
        yield Ask((A,), steps(A))
        yield Ask((A,), steps(replace_code(A, "missing")))

    speak(plan)
    fetched = got({"/A": ROWS}, A)
    assert list(fetched.failures) == ["A"]
    assert fetched.observations.is_empty()


def replace_code(one: Series, code: str) -> Series:
    return one.model_copy(update={"code": code})


@pytest.mark.parametrize("error", [NotFoundError("no data set 'x'"), KeyError("x")], ids=["foreseen", "fault"])
@pytest.mark.parametrize("lazily", [True, False])
def test_a_plan_that_breaks_for_one_series_stands_for_the_others(
    speak: Callable[..., None], error: Exception, lazily: bool
) -> None:
    def lazy(series: Sequence[Series], window: Window) -> Iterator[Ask]:
        for one in series:
            if one.id == "B":
                raise error
            yield Ask((one,), steps(one))

    speak(lazy if lazily else lambda series, window: list(lazy(series, window)))
    client = Replayed({"/A": ROWS, "/C": ROWS}, AT)
    fetched = got(client)
    assert list(fetched.failures) == ["B"]
    assert fetched.failures["B"].startswith("series B of source toy: ")
    assert (values(fetched, "A"), values(fetched, "C")) == ([1, 2], [1, 2])
    assert sorted(r.path for r in client.asked) == ["/A", "/C"], "nothing is asked twice"


def test_a_series_without_a_question_is_a_failure(speak: Callable[..., None]) -> None:
    """It would else vanish: neither had, nor failed, nor unchanged."""
    speak(lambda series, window: [Ask((one,), steps(one)) for one in series if one.id != "B"])
    fetched = got({"/A": ROWS, "/C": ROWS})
    assert list(fetched.failures) == ["B"]
    assert fetched.failures["B"].startswith("series B of source toy: the connector toy has no way to ask for it: ")
    assert "code 'B'" in fetched.failures["B"]
    assert (values(fetched, "A"), values(fetched, "C")) == ([1, 2], [1, 2])


def test_an_answer_in_another_form_can_be_studied() -> None:
    said = got({"/A": b"<html>", "/B": ROWS, "/C": ROWS}).failures["A"]
    assert said.startswith(
        "series A of source toy: expected CSV, got a page of HTML: '<html>'. Nothing of it was stored"
    )
    assert "look at the payload in landing" in said


def test_a_fault_of_a_connector_is_logged_and_fails_its_series_only(
    speak: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    def faulty(one: Series) -> Steps:
        response = yield Request(f"/{one.code}")
        if one.id == "B":
            return [Answer(response, {}["nothing"])]
        return [Answer(response, read(response))]

    speak(lambda series, window: (Ask((s,), faulty(s)) for s in series))
    fetched = got({"/A": ROWS, "/B": ROWS, "/C": ROWS})
    assert fetched.failures == {"B": "series B of source toy: the connector failed: KeyError: 'nothing'"}
    assert set(fetched.observations["series_id"]) == {"A", "C"}
    (record,) = caplog.records
    assert (record.levelno, record.getMessage()) == (logging.ERROR, "connector toy failed on B: KeyError")
    assert record.exc_info is not None
    assert "faulty" in caplog.text, "with the place where it failed"


@pytest.mark.parametrize(
    "rows",
    [
        pl.DataFrame({"value": [1.0]}),
        pl.DataFrame({"observation_date": [date(2026, 1, 1)]}),
        pl.DataFrame({"observation_date": ["soon"], "value": [1.0]}),
        pl.DataFrame({"observation_date": [date(2026, 1, 1)], "value": ["many"]}),
    ],
)
def test_rows_of_another_form_are_a_fault_of_the_connector(speak: Callable[..., None], rows: pl.DataFrame) -> None:
    speak(together(lambda response, series: rows))
    fetched = got({"/all": ROWS}, A)
    assert "the connector failed" in fetched.failures["A"]
    assert fetched.observations.is_empty()


def test_a_fault_in_explaining_fails_its_series_only(speak: Callable[..., None]) -> None:
    def explain(response: Response) -> SourceError | None:
        return {b"x": None}[response.body] if "/B" in response.request else None

    speak(one_by_one, explain=explain)
    fetched = got({"/A": ROWS, "/B": ROWS}, A, B)
    assert list(fetched.failures) == ["B"]
    assert values(fetched) == [1, 2]


# --- generators ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [ROWS, (500, b""), b"", None])
def test_a_generator_is_closed_however_it_ends(speak: Callable[..., None], body: Any) -> None:
    closed: list[str] = []

    def careful(one: Series) -> Steps:
        try:
            response = yield Request(f"/{one.code}")
            return [Answer(response, read(response))]
        finally:
            closed.append(one.id)

    speak(lambda series, window: (Ask((s,), careful(s)) for s in series))
    got({} if body is None else {"/A": body}, A)
    assert closed == ["A"]


def test_an_error_is_not_sent_into_the_generator(speak: Callable[..., None]) -> None:
    """A connector reads answers only: errors are explained before."""
    sent: list[Response] = []

    def noting(one: Series) -> Steps:
        sent.append((yield Request("/A")))
        return []

    speak(lambda series, window: iter([Ask((A,), noting(A))]))
    got({"/A": (500, b"")}, A)
    assert sent == []


# --- explaining, unchanged -----------------------------------------------------------------------------------------


def test_a_connector_may_explain_errors_of_its_own(speak: Callable[..., None]) -> None:
    def explain(response: Response) -> SourceError | None:
        if response.body == b"no rows":
            return None
        return AuthError("the key is wrong") if response.body == b"denied" else explain_status(response)

    def lenient(one: Series) -> Steps:
        response = yield Request(f"/{one.code}")
        return [Answer(response, read(replace(response, body=b"d,v\n") if response.http_status == 404 else response))]

    speak(lambda series, window: (Ask((s,), lenient(s)) for s in series), explain=explain)
    fetched = got({"/A": (404, b"no rows"), "/B": (200, b"denied"), "/C": (404, b"what?")})
    assert set(fetched.failures) == {"B", "C"}
    assert fetched.failures["B"] == "series B of source toy: the key is wrong"
    assert "HTTP 404" in fetched.failures["C"]


def test_without_an_own_explanation_the_status_is_read(speak: Callable[..., None]) -> None:
    assert connector(source()).explain is explain_status


def test_what_did_not_change_is_told(speak: Callable[..., None]) -> None:
    def unchanged(one: Series) -> Steps:
        response = yield Request(f"/{one.code}")
        return None if response.body == b"same" else [Answer(response, read(response))]

    speak(lambda series, window: (Ask((s,), unchanged(s)) for s in series))
    fetched = got({"/A": b"same", "/B": ROWS, "/C": (500, b"")})
    assert fetched.unchanged == {"A"}
    assert list(fetched.failures) == ["C"]
    assert set(fetched.observations["series_id"]) == {"B"}
    assert len(fetched.responses) == 3


def test_an_empty_answer_is_no_failure_and_not_unchanged() -> None:
    fetched = got({"/A": b"d,v\n"}, A)
    assert (fetched.failures, fetched.unchanged, fetched.observations.height) == ({}, frozenset(), 0)


@pytest.mark.parametrize("in_flight", [1, 4])
def test_progress_is_told_after_every_ask(in_flight: int) -> None:
    told: list[tuple[int, int]] = []
    client = Replayed({"/A": ROWS, "/B": (500, b"")}, AT)
    fetch(source(in_flight), client, (A, B, C), EVERYTHING, lambda done, of: told.append((done, of)))
    assert told == [(1, 3), (2, 3), (3, 3)]


# --- lanes ---------------------------------------------------------------------------------------------------------


class Slow(Replayed):
    """A client whose answers take their time, in no order; it counts how many it was asked at once."""

    def __init__(self, bodies: Any) -> None:
        super().__init__(bodies, AT)
        self.now, self.most, self.lock = 0, 0, threading.Lock()

    def get(self, request: Request) -> Response:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        time.sleep(0.002 * (sum(request.path.encode()) % 7 + 1))
        try:
            return super().get(request)
        finally:
            with self.lock:
                self.now -= 1


def test_lanes_give_what_one_lane_gives() -> None:
    many = [toy_series("toy", f"T{n}", id=f"S{n}") for n in range(30)]
    bodies: dict[str, Any] = {f"/T{n}": f"d,v\n2026-01-02,{n}\n2026-01-05,{n}\n".encode() for n in range(30)}
    bodies |= {"/T7": (500, b"oops"), "/T8": b"<html>", "/T9": b"d,v\n"}
    alone, abreast = Slow(bodies), Slow(bodies)
    first, second = got(alone, *many, of=source(1)), got(abreast, *many, of=source(4))
    assert first.observations.equals(second.observations), "in the same order, too"
    assert [r.request for r in first.responses] == [r.request for r in second.responses]
    assert first.failures == second.failures
    assert list(first.failures) == ["S7", "S8"]
    assert alone.most == 1
    assert 1 < abreast.most <= 4


def test_lanes_do_not_part_the_steps_of_an_ask(speak: Callable[..., None]) -> None:
    def pages(one: Series) -> Steps:
        answers = []
        for n in range(3):
            response = yield Request(f"/{one.code}/{n}")
            answers.append(Answer(response, read(response)))
        return answers

    speak(lambda series, window: (Ask((s,), pages(s)) for s in series))
    client = Slow({f"/{c}/{n}": f"d,v\n2026-01-0{n + 1},{n}\n".encode() for c in "ABC" for n in range(3)})
    fetched = got(client, of=source(3))
    for c in "ABC":
        assert values(fetched, c) == [0, 1, 2]
        assert [r.path for r in client.asked if r.path[1] == c] == [f"/{c}/{n}" for n in range(3)]


def test_a_source_without_a_network_has_one_lane() -> None:
    client = Slow({"/A": ROWS, "/B": ROWS, "/C": ROWS})
    assert got(client, of=source(api=None)).failures == {}
    assert client.most == 1


# --- observation dates -----------------------------------------------------------------------------------------------


def lines(*days: str) -> bytes:
    return "\n".join(["d,v", *(f"{d},{n}" for n, d in enumerate(days))]).encode()


def of(frequency: str, **facts: Any) -> Series:
    return toy_series("toy", "A", id="A", frequency=frequency, **facts)


@pytest.mark.parametrize(
    ("frequency", "day"),
    [("M", "2020-01-31"), ("M", "2020-01-15"), ("Q", "2020-03-31"), ("Q", "2020-02-01"), ("A", "2020-07-01")],
)
def test_a_date_that_is_not_the_first_of_its_period_fails_its_series_alone(frequency: str, day: str) -> None:
    found = got({"/A": lines("2020-01-01", day), "/B": ROWS}, of(frequency), B)
    assert set(found.observations["series_id"]) == {"B"}
    assert f"series A of source toy: expected the first day of a {NAMES[frequency]}" in found.failures["A"]
    assert f"got {day}" in found.failures["A"]
    assert "state `dated: end` or `any`" in found.failures["A"]


NAMES = {"M": "month", "Q": "quarter", "A": "year"}


def test_one_of_several_series_of_an_ask_is_refused_alone(speak: Callable[..., None]) -> None:
    def together(series: Sequence[Series]) -> Steps:
        response = yield Request("/A")
        return [read_each(response, series, lambda _: read(response))]

    speak(lambda series, window: iter([Ask(tuple(series), together(series))]))
    found = got({"/A": ROWS}, of("M"), B)
    assert list(found.failures) == ["A"]
    assert set(found.observations["series_id"]) == {"B"}


@pytest.mark.parametrize(
    ("dated", "days"),
    [("end", ["2020-01-31", "2020-02-29"]), ("any", ["2020-01-31", "2020-02-03"])],
)
def test_a_source_may_date_by_another_day_of_the_period(dated: str, days: list[str]) -> None:
    found = got({"/A": lines(*days)}, of("M"), of=source(dated=dated))
    assert found.failures == {}
    assert found.observations["observation_date"].to_list() == [date(2020, 1, 1), date(2020, 2, 1)]
    assert found.observations["release_time"][-1] == datetime(2020, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("dated", "days", "says"),
    [
        ("end", ["2020-01-31", "2020-02-28"], "expected the last day of a month (frequency M), 2020-02-29"),
        ("any", ["2020-01-01", "2020-01-08", "2020-02-01"], "expected one value for the period of 2020-01-01"),
    ],
)
def test_what_is_no_such_day_or_several_of_one_period_is_refused(dated: str, days: list[str], says: str) -> None:
    found = got({"/A": lines(*days)}, of("M"), of=source(dated=dated))
    assert says in found.failures["A"]
    assert found.observations.is_empty()


def test_a_blank_beside_the_figure_of_its_period_is_none() -> None:
    body = b"d,v\n2020-01-01,\n2020-02-01,\n2020-03-01,5\n2020-04-01,\n"
    found = got({"/A": body}, of("Q"), of=source(dated="any"))
    assert found.observations.sort("observation_date")["value"].to_list() == [5.0, None]


QUARTERS = ["2020-01-01", "2020-04-01", "2020-07-01"]


@pytest.mark.parametrize(
    ("frequency", "days", "found"),
    [
        ("M", QUARTERS, "quarters"),
        ("M", ["2020-01-01", "2020-07-01", "2021-01-01"], "half-years"),
        ("Q", ["2020-01-01", "2020-07-01", "2021-01-01"], "half-years"),
        ("W", ["2020-01-01", "2020-01-02"], "days"),
        ("D", ["2020-01-01", "2020-01-08", "2020-01-15"], "weeks"),
    ],
)
def test_figures_of_another_frequency_are_refused_and_the_way_out_is_told(
    frequency: str, days: list[str], found: str
) -> None:
    refused = got({"/A": lines(*days)}, of(frequency))
    assert refused.observations.is_empty()
    assert f"got {found}: 2020-01-01" in refused.failures["A"]
    assert "state `irregular: true`" in refused.failures["A"]
    taken = got({"/A": lines(*days)}, of(frequency, irregular=True))
    assert (taken.failures, taken.observations.height) == ({}, len(days))


@pytest.mark.parametrize(("frequency", "vintages", "first"), [("M", "changes", None), ("D", "none", date(2020, 1, 1))])
def test_changes_and_days_of_a_part_of_a_history_tell_no_rhythm(
    frequency: str, vintages: str, first: date | None
) -> None:
    window = Window(first, today=EVERYTHING.today)
    found = got({"/A": lines(*QUARTERS)}, of(frequency), of=source(vintages=vintages), window=window)
    assert (found.failures, found.observations.height) == ({}, 3)
