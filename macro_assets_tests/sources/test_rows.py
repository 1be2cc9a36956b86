"""The rows of a series chosen out of tables, and what is refused."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest

from macro_assets.catalog import Selector
from macro_assets.sources.bodies import read_csv
from macro_assets.sources.errors import NotFoundError, SchemaError
from macro_assets.sources.protocol import Response
from macro_assets.sources.rows import combined, due, select
from macro_assets_tests.sources.wire import toy_series


def of(body: bytes | str) -> Response:
    return Response("GET /a", body.encode() if isinstance(body, str) else body, datetime(2026, 1, 1, tzinfo=UTC), 200)


AUCTIONS = """day,kind,amount,rate
2026-01-02,bill,"1,000",4.5
2026-01-02,bill,500,4.6
2026-01-02,note,7,4.0
2026-01-03,bill,20,
2026-01-03,bill,,4.7
2026-01-04,bill,,
"""


def selecting(value: str = "amount", combine: str = "sum", where: dict[str, str] | None = None) -> Any:
    kept = {"kind": "bill"} if where is None else where
    facts = {"where": kept, "date": "day", "value": value, "combine": combine, "meaning": "settlement"}
    return toy_series("toy", "x", selector=Selector.model_validate(facts))


def chosen(series: Any) -> list[tuple[Any, ...]]:
    return select(read_csv(of(AUCTIONS)), series, thousands=",").rows()


def test_several_rows_of_a_date_are_added_where_the_selector_says_so() -> None:
    assert chosen(selecting()) == [(date(2026, 1, 2), 1500), (date(2026, 1, 3), 20), (date(2026, 1, 4), None)]


def test_the_last_figure_of_a_date_is_taken_where_the_selector_says_so() -> None:
    """A row without a figure is no figure: null is said only where every row of a date has none."""
    assert chosen(selecting(combine="last")) == [
        (date(2026, 1, 2), 500),
        (date(2026, 1, 3), 20),
        (date(2026, 1, 4), None),
    ]


def test_several_rows_of_a_date_are_refused_elsewhere() -> None:
    with pytest.raises(SchemaError, match="series TOY: expected one row for 2026-01-02, got several"):
        chosen(selecting(combine="only"))
    assert chosen(selecting(combine="only", where={"kind": "note"})) == [(date(2026, 1, 2), 7)]


def test_a_row_given_twice_is_one_row() -> None:
    rows = pl.DataFrame({"observation_date": [date(2026, 1, 1)] * 2, "value": [1.0, 1.0]})
    assert combined(rows, selecting(combine="only").selector, "TOY").rows() == [(date(2026, 1, 1), 1.0)]
    null = rows.with_columns(value=pl.Series([1.0, None]))
    with pytest.raises(SchemaError, match="expected one row"):
        combined(null, selecting(combine="only").selector, "TOY")


def test_a_selection_that_matches_nothing_is_not_found() -> None:
    with pytest.raises(NotFoundError, match="series TOY: no row of the answer has {'kind': 'bond'}"):
        chosen(selecting(where={"kind": "bond"}))


def test_a_table_without_rows_has_no_selection_and_no_error() -> None:
    found = select(read_csv(of("day,kind,amount\n")), selecting())
    assert found.schema == {"observation_date": pl.Date, "value": pl.Float64}
    assert found.is_empty()


def test_a_selection_by_nothing_takes_all_rows() -> None:
    assert chosen(selecting(where={}))[0] == (date(2026, 1, 2), 1507)


@pytest.mark.parametrize(
    ("series", "says"),
    [
        (selecting(value="price"), "expected the column 'price'"),
        (selecting(where={"class": "bill"}), "expected the column 'class'"),
        (toy_series("toy", "x"), "series TOY needs a `selector` in the catalog"),
    ],
)
def test_a_selection_by_what_is_not_there_is_refused(series: Any, says: str) -> None:
    with pytest.raises(SchemaError) as caught:
        chosen(series)
    assert says in str(caught.value)


def test_cells_of_a_selection_are_read_strictly() -> None:
    with pytest.raises(SchemaError, match="expected a number in 'amount', got 'many'"):
        select(read_csv(of("day,kind,amount\n2026-01-02,bill,many\n")), selecting())
    with pytest.raises(SchemaError, match="expected a date like %Y-%m-%d in 'day', got '01/02/2026'"):
        select(read_csv(of("day,kind,amount\n01/02/2026,bill,1\n")), selecting())
    with pytest.raises(SchemaError, match="got an empty cell"):
        select(read_csv(of("day,kind,amount\n2026-01-02,bill,\n")), selecting(), missing=())
    other = select(read_csv(of("day,kind,amount\n02.01.2026, bill ,1\n")), selecting(), date_form="%d.%m.%Y")
    assert other.rows() == [(date(2026, 1, 2), 1)]


def test_a_whole_column_may_be_the_series() -> None:
    rate = selecting("rate", "only", {})
    table = read_csv(of("day,rate\n2026-01-02,4.5\n2026-01-03,\n"))
    assert select(table, rate).rows() == [(date(2026, 1, 2), 4.5), (date(2026, 1, 3), None)]
    twice = read_csv(of("day,rate\n2026-01-02,4.5\n2026-01-02,4.6\n"))
    with pytest.raises(SchemaError, match="series TOY: expected one row for 2026-01-02, got several"):
        select(twice, rate)
    with pytest.raises(SchemaError, match="expected the column 'rate'"):
        select(table.drop("rate"), rate)
    with pytest.raises(SchemaError, match="needs a `selector`"):
        select(table, toy_series("toy", "x"))


def test_a_blank_of_a_period_that_is_not_due_is_no_missing_figure() -> None:
    days = [date(2026, 1, 1), date(2026, 1, 2), date(2026, 1, 3)]
    rows = pl.DataFrame({"observation_date": days, "value": [None, None, 3.0]}, schema_overrides={"value": pl.Float64})
    daily = toy_series("toy", "x")  # out at noon of the day after
    at = datetime(2026, 1, 2, 18, tzinfo=UTC)
    assert due(rows, daily, at).rows() == [(days[0], None), (days[2], 3.0)], "a figure that came early is a figure"
    assert due(rows, daily, datetime(2026, 2, 1, tzinfo=UTC)).equals(rows)
