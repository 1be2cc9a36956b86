"""The contract finds each kind of broken connector: a toy that keeps every law, and toys that each break one."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from types import ModuleType
from typing import Any

import polars as pl
import pytest

from macro_assets.catalog import Api, Key, Series, Source
from macro_assets.sources.bodies import member, read_json, records
from macro_assets.sources.cells import dates, numbers
from macro_assets.sources.errors import NotFoundError, SchemaError, SourceError, TransientError
from macro_assets.sources.protocol import Answer, Ask, Request, Response, Steps, Window
from macro_assets_tests.sources import contract
from macro_assets_tests.sources.contract import LAWS, Contract, Good, Pages, Served, contract_of
from macro_assets_tests.sources.wire import toy_series

A, B = (toy_series("toy", code, id=code, first_year=2024) for code in ("A", "B"))
PAGE = b'{"pages": 1, "rows": [{"day": "2024-01-02", "value": "1.5"}, {"day": "2024-01-03", "value": "-"}]}'
SOURCE = Source.model_validate(
    {
        "name": "toy",
        "title": "",
        "description": "",
        "url": "",
        "owner": "",
        "api": Api(
            base_url="https://toy.example",
            requests_per_second=1,
            key=Key(environment="TOY_KEY", place="parameter", name="apikey", url="https://toy.example"),
        ),
    }
)
SERVED = Served("toy", {"toy": SOURCE}, {"toy": (A, B)})


def page(number: int, pages: int, day: str) -> bytes:
    return json.dumps({"pages": pages, "rows": [{"day": day, "value": "1"}]}).encode()


def target(number: int) -> str:
    return f"/A?page={number}&from=2024-01-01&to=2026-11-20"


KEPT = Contract(
    good=Good(
        A,
        "/A",
        PAGE,
        rows=((date(2024, 1, 2), 1.5), (date(2024, 1, 3), None)),
        figure=b'"1.5"',
        days=(b"2024-01-02", b"2024-01-03"),
        missing=(b'"-"',),
        refused=((b'"rows"', b'"lines"', "expected the member 'rows'"),),
        empty=(b'{"pages": 0, "rows": []}',),
        asked=("/A?page=1&from=2024-01-01&to=2026-11-20",),
    ),
    errors=((200, b'{"error": "s3cret"}', NotFoundError), (200, PAGE, None)),
    pages=Pages(
        A,
        {target(1): page(1, 2, "2024-01-02"), target(2): page(2, 2, "2024-01-03")},
        rows=((date(2024, 1, 2), 1), (date(2024, 1, 3), 1)),
    ),
)


class Toy:
    """A connector that keeps the contract; subclasses break it."""

    def plan(self, series: Sequence[Series], window: Window) -> Iterator[Ask]:
        for one in series:
            yield Ask((one,), self.steps(one, window))

    def request(self, series: Series, number: int, window: Window) -> Request:
        params = {"page": str(number), "from": str(window.begin(series)), "to": str(window.end)}
        return Request(f"/{series.code}", tuple(params.items()))

    def steps(self, series: Series, window: Window) -> Steps:
        answers: list[Answer] = []
        while not answers or len(answers) < self.pages(answers[-1].response):
            response = yield self.request(series, len(answers) + 1, window)
            answers.append(Answer(response, self.read(response)))
        return answers

    def pages(self, response: Response) -> int:
        return member(read_json(response), "pages", of=int)

    def read(self, response: Response) -> pl.DataFrame:
        table = records(member(read_json(response), "rows", of=list), ("day", "value"))
        return pl.DataFrame({"observation_date": dates(table["day"]), "value": numbers(table["value"], ("-",))})

    def explain(self, response: Response) -> SourceError | None:
        from macro_assets.sources.errors import explain_status

        if response.body.startswith(b'{"error"'):
            return NotFoundError("the bank does not know it")
        return explain_status(response)


@pytest.fixture
def broken_laws(monkeypatch: pytest.MonkeyPatch) -> Callable[..., set[str]]:
    """The names of the laws that a toy breaks."""

    def broken(toy: Toy, declared: Contract = KEPT, served: Served = SERVED) -> set[str]:
        module = ModuleType("macro_assets.sources.providers.toy")
        module.plan, module.explain = toy.plan, toy.explain  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, module.__name__, module)
        return {law.__name__ for law in LAWS if list(law(declared, served))}

    return broken


Broken = Callable[..., set[str]]


def test_a_connector_that_keeps_the_contract_breaks_no_law(broken_laws: Broken) -> None:
    assert broken_laws(Toy()) == set()


class SwallowsABadNumber(Toy):
    def read(self, response: Response) -> pl.DataFrame:
        table = records(member(read_json(response), "rows", of=list), ("day", "value"))
        lenient = table["value"].cast(pl.Float64, strict=False)
        return pl.DataFrame({"observation_date": dates(table["day"]), "value": lenient})


class ReadsNotANumber(Toy):
    def read(self, response: Response) -> pl.DataFrame:
        table = records(member(read_json(response), "rows", of=list), ("day", "value"))
        lenient = [None if v == "-" else float("nan" if v == "n/x" else v) for v in table["value"]]
        return pl.DataFrame({"observation_date": dates(table["day"]), "value": lenient})


class GuessesDates(Toy):
    def read(self, response: Response) -> pl.DataFrame:
        table = records(member(read_json(response), "rows", of=list), ("day", "value"))
        lenient = table["day"].str.to_date("%Y-%m-%d", strict=False).fill_null(date(2024, 1, 2))
        return pl.DataFrame({"observation_date": lenient, "value": numbers(table["value"], ("-",))})


class CrashesUntyped(Toy):
    def read(self, response: Response) -> pl.DataFrame:
        try:
            return super().read(response)
        except SchemaError as error:
            raise KeyError("rows") from error


class TakesHtmlForNothing(Toy):
    def read(self, response: Response) -> pl.DataFrame:
        if response.body.startswith(b"<"):
            return pl.DataFrame(schema={"observation_date": pl.Date, "value": pl.Float64})
        return super().read(response)

    def pages(self, response: Response) -> int:
        return 1 if response.body.startswith(b"<") else super().pages(response)


class IgnoresByteOrderMarks(Toy):
    def read(self, response: Response) -> pl.DataFrame:
        if response.body.startswith(b"\xef\xbb\xbf"):
            raise SchemaError("expected JSON")
        return super().read(response)


class TakesTheFirstOfADay(Toy):
    """Which may be a blank."""

    def read(self, response: Response) -> pl.DataFrame:
        return super().read(response).unique("observation_date", keep="first", maintain_order=True)


class TakesTheLastOfADay(Toy):
    """Which keeps the law: the day stands once."""

    def read(self, response: Response) -> pl.DataFrame:
        return super().read(response).unique("observation_date", keep="last", maintain_order=True)


class RemembersWhatItRead(Toy):
    times = 0.0

    def read(self, response: Response) -> pl.DataFrame:
        self.times += 1
        return super().read(response).with_columns(pl.col("value") * self.times)


class TakesAllErrorsForOne(Toy):
    def explain(self, response: Response) -> SourceError | None:
        return None if response.http_status == 200 and b"error" not in response.body else TransientError("something")


class RepeatsTheKey(Toy):
    def explain(self, response: Response) -> SourceError | None:
        if response.body.startswith(b'{"error"'):
            return NotFoundError(response.body.decode())
        return super().explain(response)


class AsksForAnotherCode(Toy):
    def request(self, series: Series, number: int, window: Window) -> Request:
        return super().request(A, number, window)


class ForgetsASeries(Toy):
    def plan(self, series: Sequence[Series], window: Window) -> Iterator[Ask]:
        return super().plan(series[:1], window)


class AsksTwice(Toy):
    def plan(self, series: Sequence[Series], window: Window) -> Iterator[Ask]:
        yield from super().plan(series, window)
        yield from super().plan(series[:1], window)


class SendsTheKey(Toy):
    def request(self, series: Series, number: int, window: Window) -> Request:
        request = super().request(series, number, window)
        return Request(request.path, (*request.params, ("apikey", "k")))


class IsNeverTheSame(Toy):
    count = 0

    def request(self, series: Series, number: int, window: Window) -> Request:
        self.count += 1
        request = super().request(series, number, window)
        return Request(request.path, (*request.params, ("nonce", str(self.count))))


class AsksForTheFuture(Toy):
    def request(self, series: Series, number: int, window: Window) -> Request:
        return Request(f"/{series.code}", (("page", str(number)), ("from", str(window.begin(series)))))


class NeverFollowsAPage(Toy):
    def pages(self, response: Response) -> int:
        return super().pages(response) and 1


class AsksForThePageAgain(Toy):
    def request(self, series: Series, number: int, window: Window) -> Request:
        return super().request(series, 1, window)


class LoopsForEver(Toy):
    def steps(self, series: Series, window: Window) -> Steps:
        """Until a page is without rows, whatever the number of pages."""
        answers: list[Answer] = []
        while not answers or answers[-1].rows.height:
            response = yield self.request(series, len(answers) + 1, window)
            answers.append(Answer(response, self.read(response)))
        return answers


READ, DAMAGED, TYPED = "good_answers_are_read", "damaged_answers_are_refused", "errors_are_typed"
ASKED, TO_COME, PIECES = "every_series_is_asked_for", "nothing_to_come_is_asked_for", "pieces_are_put_together"


@pytest.mark.parametrize(
    ("toy", "law"),
    [
        (SwallowsABadNumber(), DAMAGED),
        (ReadsNotANumber(), DAMAGED),
        (GuessesDates(), DAMAGED),
        (CrashesUntyped(), DAMAGED),
        (CrashesUntyped(), "particular_answers_are_refused"),
        (TakesHtmlForNothing(), DAMAGED),
        (IgnoresByteOrderMarks(), "marks_of_other_systems_are_no_matter"),
        (RemembersWhatItRead(), READ),
        (TakesAllErrorsForOne(), TYPED),
        (RepeatsTheKey(), TYPED),
        (AsksForAnotherCode(), ASKED),
        (ForgetsASeries(), ASKED),
        (AsksTwice(), ASKED),
        (SendsTheKey(), ASKED),
        (IsNeverTheSame(), ASKED),
        (AsksForTheFuture(), TO_COME),
        (NeverFollowsAPage(), PIECES),
        (AsksForThePageAgain(), PIECES),
        (LoopsForEver(), PIECES),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Toy) else "",
)
def test_a_broken_connector_is_caught(broken_laws: Broken, toy: Toy, law: str) -> None:
    assert law in broken_laws(toy)


def test_of_a_day_that_comes_twice_one_row_may_be_taken(broken_laws: Broken) -> None:
    assert DAMAGED not in broken_laws(TakesTheLastOfADay())


def test_a_blank_that_hides_a_figure_is_caught(broken_laws: Broken) -> None:
    both = replace(
        KEPT.good, body=PAGE.replace(b'"-"', b'"2.5"'), rows=((date(2024, 1, 2), 1.5), (date(2024, 1, 3), 2.5))
    )
    declared = replace(KEPT, good=both)
    assert broken_laws(TakesTheFirstOfADay(), declared) == {"no_blank_hides_a_figure"}
    assert broken_laws(TakesTheLastOfADay(), declared) == set()


@pytest.mark.parametrize(
    ("changes", "law"),
    [
        ({"empty": (PAGE,)}, READ),
        ({"asked": ("/B",)}, READ),
        ({"harmless": {"cut off": "it seems"}}, DAMAGED),
        ({"rows": ((date(2024, 1, 2), 1.25), (date(2024, 1, 3), None))}, READ),
        ({"missing": (b'"0"',)}, READ),
        ({"refused": ((b'"-"', b'"2"', "expected"),)}, "particular_answers_are_refused"),
        ({"refused": ((b'"rows"', b'"lines"', "something else"),)}, "particular_answers_are_refused"),
        ({"refused": ((b"nowhere", b"", "expected"),)}, "particular_answers_are_refused"),
        ({"statuses": {404: None}}, TYPED),
        ({"errors": ((200, PAGE, NotFoundError),)}, TYPED),
    ],
)
def test_a_contract_that_is_not_true_is_caught(broken_laws: Broken, changes: dict[str, Any], law: str) -> None:
    own = changes.keys() & {"rows", "missing", "refused", "empty", "asked", "harmless"}
    declared = replace(KEPT, good=replace(KEPT.good, **changes)) if own else replace(KEPT, **changes)
    assert broken_laws(Toy(), declared) == {law}


@pytest.mark.parametrize("changes", [{"figure": b"7"}, {"days": (b"1999-01-01",)}, {"days": ()}])
def test_a_figure_or_a_day_that_is_not_in_the_answer_is_caught(broken_laws: Broken, changes: dict[str, Any]) -> None:
    with pytest.raises(AssertionError, match="stand in|must say how"):
        broken_laws(Toy(), replace(KEPT, good=replace(KEPT.good, **changes)))


def test_recordings_nobody_reads_are_caught(
    broken_laws: Broken, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contract, "RECORDINGS", tmp_path)
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy" / "index.json").write_text("[]")
    assert broken_laws(Toy()) == {"recordings_are_declared"}


def test_a_connector_without_a_contract_is_told_what_to_write_and_where() -> None:
    where = "CONTRACT = Contract.* in macro_assets_tests/sources/providers/test_no_such.py"
    with pytest.raises(LookupError, match=where):
        contract_of("no_such")
