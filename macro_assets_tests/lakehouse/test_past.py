"""The past stands still: what the laws admit is no error, and each way to break them is named by series."""

from __future__ import annotations

from datetime import timedelta

import polars as pl
import pytest
from hypothesis import given, settings

from macro_assets.catalog.kinds.source import Vintages
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.past import Moved, moved
from macro_assets.lakehouse.raw import append_vintages
from macro_assets.lakehouse.silences import NO_SILENCES
from macro_assets.lakehouse.upkeep.earlier import earlier
from macro_assets.lakehouse.write import overwrite
from macro_assets_tests.lakehouse.synthetic import PROVIDER, SERIES, day, frame, month, one_source, row
from macro_assets_tests.lakehouse.test_silences import Said, batch_of, load, loads

WHOLE: dict[str, Vintages] = {PROVIDER: "whole"}
NONE: dict[str, Vintages] = {PROVIDER: "none"}


def hows(found: list[Moved]) -> list[str]:
    return [m.how for m in found]


# --- whole vintages ------------------------------------------------------------------------------------------------


@settings(max_examples=30)
@given(loads())
def test_what_is_loaded_in_any_order_breaks_no_law(drawn: tuple[Said, list[list[tuple[int, int]]]]) -> None:
    said, batches = drawn
    raw, silences = frame(), NO_SILENCES
    for parts in batches:
        before = raw
        raw, silences = load(raw, silences, batch_of(said, parts))
        assert [str(m) for m in moved(before, raw, WHOLE, silences) if m.is_error] == []


FIRST = frame(row(month(1), 1.0, day(1)), row(month(2), 2.0, day(1)), row(month(2), 3.0, day(20)))
"""A vintage, and a later one that states January again and revises February."""


def after(*more: dict[str, object], stored: pl.DataFrame = FIRST) -> pl.DataFrame:
    return pl.concat([stored, frame(*more)])


def test_a_first_load_a_next_vintage_and_one_before_all_others_move_nothing() -> None:
    assert moved(FIRST.clear(), FIRST, WHOLE) == []
    assert moved(FIRST, FIRST, WHOLE) == []
    assert moved(FIRST, after(row(month(1), 9.0, day(21)), row(month(3), 1.0, day(21))), WHOLE) == []
    assert moved(FIRST.filter(pl.col("release_time") > day(1)), FIRST, WHOLE) == []


def test_a_late_vintage_is_named_and_is_no_error() -> None:
    late, restated = row(month(1), 7.0, day(10)), row(month(1), 1.0, day(20))
    (found,) = moved(FIRST, after(late, restated), WHOLE)
    assert (found.series_id, found.how, found.rows, found.since, found.is_error) == (SERIES, "late", 1, day(10), False)
    assert "series PAYEMS of bundled: vintages came late" in str(found)
    assert "2019-01-01: 7.0" in str(found)
    assert moved(FIRST, after(row(month(1), 1.0, day(10))), WHOLE) == [], "it says what was known"


def test_a_late_vintage_that_overrules_a_later_one_is_an_error() -> None:
    wrong = after(row(month(1), 7.0, day(10)))
    assert hows(moved(FIRST, wrong, WHOLE)) == ["overruled", "late"]
    assert hows(moved(FIRST, wrong, {PROVIDER: "changes"})) == ["late"], "a line that is entered late"
    vintage = {"series_id": SERIES, "provider": PROVIDER, "release_time": day(20)}
    silent = pl.DataFrame([{**vintage, "first_date": month(1), "last_date": month(1)}], schema=NO_SILENCES.schema)
    assert hows(moved(FIRST, wrong, WHOLE, silent)) == ["late"], "the later vintage said nothing of January"


@pytest.mark.parametrize(
    "changed",
    [
        FIRST.head(2),
        FIRST.with_columns(value=pl.col("value") + (pl.col("release_time") == day(20)).cast(pl.Float64)),
        FIRST.with_columns(value=pl.when(pl.col("release_time") < day(20)).then("value")),
        FIRST.with_columns(release_time=pl.col("release_time") - timedelta(days=1)),
        FIRST.with_columns(release_basis=pl.lit("publication_lag")),
    ],
)
def test_a_stored_row_that_is_not_there_any_more_is_an_error(changed: pl.DataFrame) -> None:
    found = moved(FIRST, changed, WHOLE)
    assert found[0].how == "lost"
    assert found[0].is_error
    assert "series PAYEMS" in str(found[0])


# --- providers that overwrite --------------------------------------------------------------------------------------

LOOKED = day(15)
SEEN = frame(
    row(month(1), 1.0, day(1), "publication_lag", ingested_at=LOOKED),
    row(month(2), 2.0, day(2), "publication_lag", ingested_at=LOOKED),
)


@pytest.mark.parametrize(
    ("new", "how"),
    [
        (row(month(3), 3.0, day(16), "publication_lag", ingested_at=day(17)), []),
        (row(month(1), 9.0, day(17), "ingested", ingested_at=day(17)), []),
        (row(month(3), 3.0, day(14), "publication_lag", ingested_at=day(17)), ["sooner"]),
        (row(month(1), 9.0, day(14), "ingested", ingested_at=day(17)), ["backdated"]),
        (row(month(1), 9.0, day(14), "rebased", ingested_at=day(17)), ["backdated"]),
    ],
)
def test_what_was_not_there_at_the_last_look_was_not_known_then(new: dict[str, object], how: list[str]) -> None:
    found = moved(SEEN, after(new, stored=SEEN), NONE)
    assert hows(found) == how
    assert [m.is_error for m in found] == [h == "backdated" for h in how]


def test_a_longer_history_is_no_late_figure() -> None:
    old = row(month(1).replace(year=2010), 1.0, day(1), "publication_lag", ingested_at=day(17))
    assert moved(SEEN, after(old, stored=SEEN), NONE) == []


def test_holders_are_judged_by_themselves() -> None:
    other = [row(month(1), 9.0, day(10), provider="fred"), row(month(1), 8.0, day(11), "ingested", provider="fred")]
    assert moved(FIRST, after(*other), {**WHOLE, "fred": "whole"}) == []


# --- versions of the table -----------------------------------------------------------------------------------------


def test_earlier_versions_are_had_as_far_back_as_their_files_are_there(lake: Lakehouse) -> None:
    name = f"raw/{PROVIDER}"
    for n in (1, 2, 3):
        batch = frame(row(month(n), 150.0, day(n))).drop("run_id")
        append_vintages(PROVIDER, batch, f"run{n}", "v", lake.root, lake.catalog)
    found = list(earlier(lake, name))
    assert [h.rows.height for h in found] == [1, 2]
    now = lake.read(name)
    overwrite(lake, name, now.with_columns(value=pl.col("value") + 1), {"run_id": "a tool of somebody else"})
    told = [moved(h.rows, lake.read(name), WHOLE) for h in earlier(lake, name)]
    assert [hows(t) for t in told] == [["lost"], ["lost"]]


@pytest.fixture
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lakehouse:
    return Lakehouse(tmp_path_factory.mktemp("lake"), one_source())
