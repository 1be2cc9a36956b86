"""Hashes of rows: of what the rows say, of all of it, whatever their order and whoever computes them."""

from __future__ import annotations

import hashlib
import itertools
import math
import struct
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from macro_assets.catalog import Catalog
from macro_assets.lakehouse.hashing import month_versions, row_hashes, series_versions

SCHEMA = pl.Schema(
    {
        "series_id": pl.String(),
        "observation_date": pl.Date(),
        "value": pl.Float64(),
        "release_time": pl.Datetime("us", "UTC"),
        "rank": pl.Int64(),
        "is_released": pl.Boolean(),
    }
)
ROW = ("PAYEMS", date(2020, 1, 1), 1.5, datetime(2020, 2, 7, 13, 30, tzinfo=UTC), 3, True)
Cells = tuple[Any, ...]


def frame(*rows: Cells) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=SCHEMA, orient="row")


def hashes(*rows: Cells) -> list[int]:
    return list(row_hashes(frame(*rows), SCHEMA.names()).tolist())


def changed(position: int, cell: object) -> Cells:
    return (*ROW[:position], cell, *ROW[position + 1 :])


series = st.sampled_from(["", "A", "B"])
cells = st.tuples(
    st.one_of(st.none(), series),
    st.sampled_from([None, date(1969, 12, 31), date(1970, 1, 1), date(2020, 1, 1)]),
    st.sampled_from([None, 0.0, -0.0, 1.0, 2.0]),
    st.sampled_from([None, datetime(1970, 1, 1, tzinfo=UTC), datetime(2020, 1, 1, tzinfo=UTC)]),
    st.sampled_from([None, -1, 0, 1]),
    st.sampled_from([None, False, True]),
)
named = st.tuples(series, cells).map(lambda both: (both[0], *both[1][1:]))


@settings(max_examples=300)
@given(st.lists(cells, min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_rows_have_equal_hashes_when_they_are_equal(rows: list[Cells], random: Any) -> None:
    found = hashes(*rows)
    for (one, its), (other, others) in itertools.combinations(zip(rows, found, strict=True), 2):
        assert (one == other) == (its == others)  # 0.0 == -0.0
    order = list(range(len(rows)))
    random.shuffle(order)
    assert hashes(*(rows[i] for i in order)) == [found[i] for i in order]


@pytest.mark.parametrize("bit", range(64))
def test_each_bit_of_a_value_counts(bit: int) -> None:
    (bits,) = struct.unpack("<q", struct.pack("<d", 1.5))
    flipped = bits ^ (1 << bit if bit < 63 else -(1 << 63))
    (other,) = struct.unpack("<d", struct.pack("<q", flipped))
    assert hashes(changed(2, other)) != hashes(ROW)


@pytest.mark.parametrize(
    ("position", "cell"),
    [
        (0, "PAYEMS "),
        (1, date(2020, 1, 2)),
        (3, ROW[3] + timedelta(microseconds=1)),
        (4, 2),
        (5, False),
        *((n, None) for n in range(len(ROW))),
    ],
)
def test_the_least_change_of_a_cell_counts(position: int, cell: object) -> None:
    assert hashes(changed(position, cell)) != hashes(ROW)


def test_nan_is_one_value() -> None:
    assert hashes(changed(2, -math.nan)) == hashes(changed(2, math.nan)) != hashes(changed(2, None))


def test_the_order_of_columns_counts() -> None:
    rows = pl.DataFrame({"a": [1.0], "b": [2.0]})
    assert row_hashes(rows, ["a", "b"]) != row_hashes(rows, ["b", "a"])
    assert row_hashes(rows, ["a", "b"]) == row_hashes(rows.select("b", "a"), ["a", "b"])


def test_a_value_moved_to_another_row_or_column_is_seen() -> None:
    """What a sum of the cells could not tell apart."""
    by_row = [
        series_versions(pl.DataFrame({"series_id": "A", "x": x, "y": [1.0, 2.0]})) for x in ([3.0, 4.0], [4.0, 3.0])
    ]
    assert by_row[0] != by_row[1]
    rows = pl.DataFrame({"x": [3.0, 4.0, None, None], "y": [4.0, 3.0, 3.0, None]})
    assert len(set(row_hashes(rows, ["x", "y"]).tolist())) == 4


def test_what_is_held_in_another_way_is_the_same() -> None:
    """Categories, units of time, narrow numbers, what lies under a null, chunks."""
    rows = frame(ROW, changed(0, None), changed(2, None), changed(2, math.nan))
    other = rows.cast({"series_id": pl.Categorical, "release_time": pl.Datetime("ms", "UTC"), "rank": pl.UInt8})
    masked = other.with_columns(value=pl.when(pl.int_range(pl.len()) != 2).then(pl.col("value").fill_null(7.0)))
    for way in (other, masked, rows.cast({"series_id": pl.Enum(["B", "PAYEMS"])}), pl.concat([rows[:1], rows[1:]])):
        assert row_hashes(way, SCHEMA.names()).tolist() == row_hashes(rows, SCHEMA.names()).tolist()


def test_the_hash_is_the_same_for_ever() -> None:
    """A stored version is compared with one of another process, another day and other libraries."""
    expected = ["52ee0bb1e3612357", "56740e04da7c3063", "da91d53dd014b15b"]
    assert [f"{h:016x}" for h in hashes(ROW, (None,) * len(ROW), changed(2, -0.0))] == expected
    assert series_versions(frame(ROW, changed(0, "UNRATE"), changed(2, 2.5))) == {
        "PAYEMS": "3cad583bd5841491",
        "UNRATE": "611c315cf7777ebe",
    }


@given(st.lists(cells, min_size=1, max_size=5))
def test_the_hash_is_splitmix64_of_the_cells_in_turn(rows: list[Cells]) -> None:
    """The same in Python's whole numbers."""
    assert hashes(*rows) == [by_hand(r) for r in rows]


def by_hand(row: Cells) -> int:
    found = 0
    for cell in row:
        found = (found ^ word(cell)) + 0x9E3779B97F4A7C15
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB), (31, 1)):
            found %= 2**64
            found = (found ^ (found >> shift)) * factor
        found %= 2**64
    return found


def word(cell: Any) -> int:
    match cell:
        case None:
            return 0xD6E8FEB86659FD93
        case str():
            return int.from_bytes(hashlib.sha256(cell.encode()).digest()[:8], "little")
        case float():
            return int(struct.unpack("<Q", struct.pack("<d", cell + 0.0))[0])
        case datetime():
            return (cell - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
        case date():
            return (cell - date(1970, 1, 1)).days % 2**64
        case _:
            return int(cell) % 2**64


def test_a_column_of_another_kind_is_refused() -> None:
    with pytest.raises(TypeError, match="column 'x' has type List"):
        row_hashes(pl.DataFrame({"x": [[1]]}), ["x"])


def test_of_no_rows_there_is_no_version() -> None:
    assert series_versions(frame()) == {}
    assert row_hashes(frame(), SCHEMA.names()).tolist() == []


@settings(max_examples=100)
@given(st.lists(named, min_size=1, max_size=12), st.lists(named, max_size=12), st.randoms(use_true_random=False))
def test_the_version_of_a_series_is_that_of_its_rows(rows: list[Cells], others: list[Cells], random: Any) -> None:
    def told(every: list[Cells], series: str) -> list[str]:
        return sorted(str([0.0 if c == 0 and isinstance(c, float) else c for c in r]) for r in every if r[0] == series)

    one = series_versions(frame(*rows))
    assert set(one) == {r[0] for r in rows}
    shuffled = list(rows)
    random.shuffle(shuffled)
    assert series_versions(frame(*shuffled)) == one
    other = series_versions(frame(*others))
    for series in set(one) | set(other):
        assert (one.get(series) == other.get(series)) == (told(rows, series) == told(others, series))


# --- months of as-of tables ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def news() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "as_of_month": ["2016-06", "2016-07", "2016-07"],
            "as_of": [datetime(2016, n, 29, tzinfo=UTC) for n in (6, 7, 7)],
            "computed_at": datetime(2020, 1, 1, tzinfo=UTC),
            "series_id": ["PAYEMS", "PAYEMS", "GDPC1"],
            "impact": [0.1, None, -0.2],
        }
    )


def test_a_month_has_a_version_of_its_own(catalog: Catalog, news: pl.DataFrame) -> None:
    table = catalog.one_table("news/gdp_nowcast")
    before = month_versions(news, table)
    assert list(before) == ["2016-06", "2016-07"]
    revised = news.with_columns(pl.col("impact").replace(-0.2, -0.3))
    after = month_versions(revised, table)
    assert after["2016-06"] == before["2016-06"]
    assert after["2016-07"] != before["2016-07"]
    assert month_versions(news.filter(pl.col("as_of_month") == "2016-07"), table) == {"2016-07": before["2016-07"]}


def test_neither_order_nor_bookkeeping_counts(catalog: Catalog, news: pl.DataFrame) -> None:
    table = catalog.one_table("news/gdp_nowcast")
    later = news.with_columns(pl.col("computed_at") + timedelta(days=1))
    for same in (news.reverse(), news.select(reversed(news.columns)), later):
        assert month_versions(same, table) == month_versions(news, table)
    moved = news.with_columns(pl.col("as_of") + timedelta(microseconds=1))
    assert month_versions(moved, table) != month_versions(news, table)
