"""What whole vintages do not say: a value in force is the latest statement about its date, in any order of loading."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from deltalake import DeltaTable
from hypothesis import given, settings
from hypothesis import strategies as st

from macro_assets.lakehouse import raw as raw_tables
from macro_assets.lakehouse import write
from macro_assets.lakehouse.appending import concerned, rows_to_append
from macro_assets.lakehouse.delta import LakeError
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.raw import append_vintages, observations_as_of, read_silences
from macro_assets.lakehouse.silences import NO_SILENCES, silences_of
from macro_assets.lakehouse.vintages import in_force
from macro_assets_tests.lakehouse.synthetic import PROVIDER, SERIES, day, frame, month, one_source, row

MONTHS, DAYS = 4, 5

Said = Mapping[tuple[int, int], float | None]
"""By day of the vintage and month: what it states of it. Of months that it does not have it says nothing."""


def load(
    raw: pl.DataFrame, silences: pl.DataFrame, batch: pl.DataFrame, some: bool = False
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Stored rows and silences after a batch; with `some`, decided by the rows that it concerns alone."""
    held = concerned(raw.lazy(), batch, every_date=True).collect() if some else raw
    silent = pl.concat([silences, silences_of(held, batch, silences)])
    added, report = rows_to_append(held, batch, silences=silent)
    assert added.height == report.appended
    assert report.seen == report.new + report.revised + report.unchanged + report.duplicate
    raw = pl.concat([raw, added])
    assert not raw.select("observation_date", "release_time").is_duplicated().any()
    return raw, silent


def batch_of(said: Said, parts: Iterable[tuple[int, int]]) -> pl.DataFrame:
    return frame(*(row(month(m), said[n, m], day(n)) for n, m in parts))


def stated(said: Said, upto: int) -> dict[date, float | None]:
    """By brute force: of each month what the latest vintage says that states it."""
    return {month(m): v for (n, m), v in sorted(said.items()) if n <= upto}


def answers(raw: pl.DataFrame, moment: datetime) -> dict[date, float | None]:
    return dict(in_force(raw, moment).select("observation_date", "value").iter_rows())


def assert_right(raw: pl.DataFrame, said: Said, context: object) -> None:
    for n in range(DAYS + 1):
        assert answers(raw, day(n + 1) - timedelta(days=1)) == stated(said, n), (n, context)


_absent = object()
_tables = st.lists(
    st.lists(st.sampled_from([_absent, _absent, 1.0, 1.0, 1.0, 1.0, 2.0, None]), min_size=MONTHS, max_size=MONTHS),
    min_size=3,
    max_size=DAYS,
)
histories = _tables.map(
    lambda rows: {(n, m): v for n, row in enumerate(rows, 1) for m, v in enumerate(row, 1) if v is not _absent}
).filter(bool)


@st.composite
def loads(draw: st.DrawFn) -> tuple[Said, list[list[tuple[int, int]]]]:
    """What vintages say, and its batches in any order: whole vintages or parts of them, some more than once."""
    said = draw(histories)
    parts = draw(st.permutations(sorted(said)))
    if draw(st.sampled_from([True, True, False])):  # whole vintages
        days = list(dict.fromkeys(n for n, _ in parts))
        pieces = [[p for p in parts if p[0] == n] for n in days]
    else:
        pieces = [[p] for p in parts]
    pieces += draw(st.lists(st.sampled_from(pieces), max_size=2))
    sizes = draw(st.lists(st.sampled_from([1, 1, 1, 2, 3]), min_size=len(pieces), max_size=len(pieces)))
    batches, left = [], list(pieces)
    for size in sizes:
        batches.append([p for piece in left[:size] for p in piece])
        left = left[size:]
    return said, [b for b in batches if b]


@settings(max_examples=30)
@given(loads(), st.booleans())
def test_the_latest_statement_holds_in_any_order_and_any_batches(
    drawn: tuple[Said, list[list[tuple[int, int]]]], some: bool
) -> None:
    said, batches = drawn
    raw, silences = frame(), NO_SILENCES
    for n, parts in enumerate(batches):
        raw, silences = load(raw, silences, batch_of(said, parts), some)
        loaded = {p: said[p] for b in batches[: n + 1] for p in b}
        assert_right(raw, loaded, batches)
    again, same = load(raw, silences, batch_of(said, said), some)
    assert again.equals(raw)
    assert same.equals(silences)


@pytest.mark.parametrize(
    ("said", "order"),
    [
        # the third leaves out January, the fourth repeats it
        ({(1, 1): 1.0, (1, 2): 1.0, (2, 1): 9.0, (3, 2): 2.0, (4, 1): 1.0, (4, 2): 3.0}, (1, 3, 4, 2)),
        # the third repeats February, beside March that it leaves out
        ({(1, 1): 1.0, (1, 2): 1.0, (1, 3): 1.0, (2, 2): 9.0, (3, 1): 2.0, (3, 2): 1.0}, (1, 3, 2)),
        # and beside January
        ({(1, 1): 1.0, (1, 2): 1.0, (1, 3): 1.0, (2, 2): 9.0, (3, 2): 1.0, (3, 3): 2.0}, (1, 3, 2)),
        # the oldest comes last and makes January known, the second and the third say nothing of it
        ({(1, 1): 1.0, (2, 2): 1.0, (3, 2): 1.0, (2, 1): 5.0, (4, 1): 1.0, (4, 2): 2.0}, (3, 4, 1, 2)),
    ],
)
def test_what_a_vintage_repeats_is_defended_and_what_it_leaves_out_is_not(said: Said, order: tuple[int, ...]) -> None:
    raw, silences = frame(), NO_SILENCES
    for n in order:
        raw, silences = load(raw, silences, batch_of(said, [p for p in said if p[0] == n]))
    assert_right(raw, said, order)


# --- on record -----------------------------------------------------------------------------------------------------

SAID: Said = {(1, 1): 1.0, (1, 2): 5.0, (2, 1): 9.0, (3, 2): 5.0}
"""January is stated by the first vintage and revised by the second; the third says nothing of it."""
PARTS = sorted(SAID)
CATALOG = one_source()


def of_vintage(n: int) -> pl.DataFrame:
    return batch_of(SAID, [p for p in PARTS if p[0] == n]).drop("run_id")


def append(root: Path, *vintages: int) -> None:
    batch = pl.concat(of_vintage(n) for n in vintages)
    append_vintages(PROVIDER, batch, f"run {vintages}", root=root, catalog=CATALOG)


def january(root: Path) -> float | None:
    known = observations_as_of(day(3), [SERIES], root, CATALOG)
    return known.filter(pl.col("observation_date") == month(1))["value"].item()  # type: ignore[no-any-return]


def silences(root: Path) -> list[tuple[object, ...]] | None:
    found = read_silences(Lakehouse(root, CATALOG), PROVIDER)
    return None if found is None else found.select("release_time", "first_date", "last_date").sort(pl.all()).rows()


def test_a_silence_is_a_range_up_to_the_next_date_that_is_stated(tmp_path: Path) -> None:
    append(tmp_path, 1, 3)
    assert silences(tmp_path) == [(day(3), date.min, month(2) - timedelta(days=1))]
    append(tmp_path, 2)
    assert january(tmp_path) == 9.0
    assert silences(tmp_path) == [
        (day(2), month(1) + timedelta(days=1), date.max),
        (day(3), date.min, month(2) - timedelta(days=1)),
    ]


def test_files_that_hold_the_last_months_leave_a_range_or_two_each() -> None:
    """Loaded from the newest to the oldest, each of which makes a month known that all others leave out."""
    said: Said = {(n, m): 1.0 for n in range(1, 9) for m in range(n, n + 3)}
    raw, silences = frame(), NO_SILENCES
    for n in range(8, 0, -1):
        raw, silences = load(raw, silences, batch_of(said, [p for p in said if p[0] == n]))
    assert silences.height <= 2 * 8
    assert_right(raw, said, "newest first")


def test_a_table_that_is_there_says_that_nothing_was_left_out(tmp_path: Path) -> None:
    append(tmp_path, 1)
    assert silences(tmp_path) == []


def test_what_was_loaded_before_silences_were_kept_is_on_record_when_it_comes_again(tmp_path: Path) -> None:
    append(tmp_path, 1, 3)
    shutil.rmtree(tmp_path / "silences")
    append(tmp_path, 1, 2, 3)
    assert january(tmp_path) == 9.0
    assert (day(3), date.min, month(2) - timedelta(days=1)) in (silences(tmp_path) or [])


def test_a_write_that_ends_before_its_rows_are_stored_leaves_nothing_that_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The third vintage is told as silent about January, is not stored, and comes again with it."""
    append(tmp_path, 1)
    with monkeypatch.context() as broken:
        broken.setattr(raw_tables, "rows_to_append", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            append(tmp_path, 3)
    assert silences(tmp_path) == []
    with monkeypatch.context() as broken:
        broken.setattr(write, "write_deltalake", _only("silences", write.write_deltalake))
        with pytest.raises(LakeError, match="full"):
            append(tmp_path, 3)
    assert silences(tmp_path) == [(day(3), date.min, month(2) - timedelta(days=1))]
    append(tmp_path, 2)
    assert january(tmp_path) == 9.0
    whole = pl.concat([of_vintage(3), batch_of({(3, 1): 9.0}, [(3, 1)]).drop("run_id")])
    append_vintages(PROVIDER, whole, "whole", root=tmp_path, catalog=CATALOG)
    late = batch_of({(2, 2): 7.0}, [(2, 2)]).with_columns(release_time=pl.lit(day(2) + timedelta(hours=1)))
    late = pl.concat([late, late.with_columns(observation_date=pl.lit(month(1)))]).drop("run_id")
    append_vintages(PROVIDER, late, "late", root=tmp_path, catalog=CATALOG)
    assert january(tmp_path) == 9.0


def _only(layer: str, write_deltalake: Callable[..., None]) -> Callable[..., None]:
    """Delta writes of one layer; the disk is full for others."""

    def writing(target: DeltaTable, *args: object, **more: object) -> None:
        if f"/{layer}/" not in target.table_uri:
            raise OSError("the disk is full")
        write_deltalake(target, *args, **more)

    return writing
