"""The vintage law: any order of loading gives the same as-of answers, and nothing is seen before its release."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from macro_assets.catalog import Catalog
from macro_assets.lakehouse.delta import LakeError, open_table, read_table
from macro_assets.lakehouse.vintages import (
    VintageConflictError,
    append_vintages,
    as_of,
    instant,
    observations_as_of,
    rows_to_append,
)

SCHEMA = {
    "series_id": pl.String,
    "observation_date": pl.Date,
    "value": pl.Float64,
    "release_time": pl.Datetime("us", "UTC"),
    "release_basis": pl.String,
    "provider": pl.String,
    "ingested_at": pl.Datetime("us", "UTC"),
    "run_id": pl.String,
    "payload_sha256": pl.String,
}
INGESTED = datetime(2026, 1, 1, tzinfo=UTC)


def day(n: int) -> datetime:
    return datetime(2020, 1, n, 23, 59, 59, tzinfo=UTC)


def month(n: int) -> date:
    return date(2019, n, 1)


Row = dict[str, object]


def row(
    d: date, value: float | None, released: datetime, basis: str = "provider", **other: object
) -> dict[str, object]:
    return {
        "series_id": "SYNTHETIC",
        "observation_date": d,
        "value": value,
        "release_time": released,
        "release_basis": basis,
        "provider": "toy",
        "ingested_at": INGESTED,
        "run_id": "run",
        "payload_sha256": "hash",
        **other,
    }


def frame(*rows: Row) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=SCHEMA)


def load(raw: pl.DataFrame, batch: pl.DataFrame) -> pl.DataFrame:
    return pl.concat([raw, rows_to_append(raw, batch)[0]])


def answers(raw: pl.DataFrame, moment: datetime) -> dict[date, float | None]:
    return dict(as_of(raw, moment, "toy").select("observation_date", "value").iter_rows())


# A vintage states, for each date it covers, a value or that it is missing; dates are only ever added.
vintage_values = st.lists(st.sampled_from([None, 1.0, 2.0, 3.0]), min_size=1, max_size=4)
vintages = st.lists(vintage_values, min_size=1, max_size=4).map(lambda vs: sorted(vs, key=len))


def vintage_frame(n: int, values: list[float | None]) -> pl.DataFrame:
    return frame(*(row(month(i + 1), v, day(n + 1)) for i, v in enumerate(values)))


def oracle(all_vintages: list[list[float | None]], upto: int) -> dict[date, float | None]:
    """What the latest of the first `upto` vintages says; dates it lacks keep the last statement about them."""
    known: dict[date, float | None] = {}
    for values in all_vintages[:upto]:
        known |= {month(i + 1): v for i, v in enumerate(values)}
    return known


@settings(max_examples=20, deadline=None)
@given(vintages)
def test_any_order_of_loading_gives_the_same_answers(synthetic: list[list[float | None]]) -> None:
    for order in itertools.permutations(range(len(synthetic))):
        raw = frame()
        for n in order:
            raw = load(raw, vintage_frame(n, synthetic[n]))
        for upto in range(len(synthetic) + 1):
            assert answers(raw, day(upto) if upto else day(1) - timedelta(days=1)) == oracle(synthetic, upto), order


@settings(max_examples=20, deadline=None)
@given(vintages, st.randoms(use_true_random=False))
def test_loading_again_adds_nothing(synthetic: list[list[float | None]], random: object) -> None:
    raw = frame()
    for n, values in enumerate(synthetic):
        raw = load(raw, vintage_frame(n, values))
    batches = [vintage_frame(n, values) for n, values in enumerate(synthetic)]
    random.shuffle(batches)  # type: ignore[attr-defined]
    for batch in [*batches, pl.concat(batches)]:
        added, report = rows_to_append(raw, batch)
        assert added.is_empty()
        assert report.unchanged == batch.height


def test_only_changes_are_stored_and_counted() -> None:
    raw, first = rows_to_append(frame(), vintage_frame(0, [1.0, 2.0]))
    added, second = rows_to_append(raw, vintage_frame(1, [1.0, 2.5, 3.0]))
    assert (first.new, first.revised) == (2, 0)
    assert (second.seen, second.new, second.revised, second.unchanged) == (3, 1, 1, 1)
    assert added.sort("observation_date")["value"].to_list() == [2.5, 3.0]


def test_a_late_vintage_does_not_change_the_answers_of_a_later_one() -> None:
    raw = load(frame(), vintage_frame(0, [1.0]))
    raw = load(raw, vintage_frame(2, [1.0, 7.0]))
    raw = load(raw, vintage_frame(1, [9.0]))
    assert answers(raw, day(1)) == {month(1): 1.0}
    assert answers(raw, day(2)) == {month(1): 9.0}
    assert answers(raw, day(3)) == {month(1): 1.0, month(2): 7.0}


def test_a_vintage_that_changes_nothing_is_remembered() -> None:
    raw = load(load(frame(), vintage_frame(0, [1.0])), vintage_frame(2, [1.0]))
    raw = load(raw, vintage_frame(1, [9.0]))
    assert answers(raw, day(3)) == {month(1): 1.0}


def test_a_withdrawal_is_a_vintage_of_its_own() -> None:
    raw = load(load(frame(), vintage_frame(0, [1.0])), vintage_frame(1, [None]))
    assert answers(raw, day(1)) == {month(1): 1.0}
    assert answers(raw, day(2)) == {month(1): None}


def test_equal_duplicates_are_dropped_and_counted() -> None:
    batch = pl.concat([vintage_frame(0, [1.0, 2.0]), vintage_frame(0, [1.0])])
    added, report = rows_to_append(frame(), batch)
    assert (added.height, report.duplicate, report.seen) == (2, 1, 3)


@pytest.mark.parametrize("stored", [False, True])
def test_conflicting_values_for_one_instant_are_refused(stored: bool) -> None:
    one, other = vintage_frame(0, [1.0]), vintage_frame(0, [2.0])
    raw, batch = (load(frame(), one), other) if stored else (frame(), pl.concat([one, other]))
    with pytest.raises(VintageConflictError, match=r"SYNTHETIC of provider toy: 2019-01-01 .*1\.0 and 2\.0"):
        rows_to_append(raw, batch)


def test_vintages_replace_estimated_release_times() -> None:
    estimated = frame(row(month(1), 1.0, day(1), "publication_lag"))
    raw = load(estimated, frame(row(month(1), 1.0, day(5), "snapshot")))
    assert answers(raw, day(2)) == {}
    assert answers(raw, day(5)) == {month(1): 1.0}


def test_estimates_of_one_provider_survive_vintages_of_another() -> None:
    raw = load(
        frame(row(month(1), 1.0, day(1), "publication_lag")), frame(row(month(1), 5.0, day(2), provider="fallback"))
    )
    assert answers(raw, day(3)) == {month(1): 1.0}


def test_a_changed_value_without_a_vintage_is_known_from_when_it_was_fetched() -> None:
    estimate = frame(row(month(1), 1.0, day(1), "publication_lag"))
    changed = frame(row(month(1), 2.0, day(1), "publication_lag"))
    raw = load(estimate, changed)
    assert answers(raw, day(9)) == {month(1): 1.0}
    assert answers(raw, INGESTED) == {month(1): 2.0}
    assert raw["release_basis"].to_list() == ["publication_lag", "ingested"]
    assert rows_to_append(raw, changed)[0].is_empty()
    back = frame(row(month(1), 1.0, day(1), "publication_lag", ingested_at=INGESTED + timedelta(days=1)))
    assert answers(load(raw, back), INGESTED + timedelta(days=2)) == {month(1): 1.0}


def test_a_fallback_counts_only_where_the_primary_has_nothing() -> None:
    raw = frame(
        row(month(1), 1.0, day(1)),
        row(month(1), 9.0, day(5), provider="fallback"),
        row(month(2), 8.0, day(5), provider="fallback"),
    )
    assert answers(raw, day(9)) == {month(1): 1.0, month(2): 8.0}


def test_a_later_release_changes_no_earlier_answer() -> None:
    raw = load(frame(), vintage_frame(0, [1.0, 2.0]))
    before = as_of(raw, day(1), "toy")
    raw = load(raw, vintage_frame(8, [100.0, 200.0, 300.0]))
    assert as_of(raw, day(1), "toy").equals(before)


@pytest.mark.parametrize(
    ("given_as", "expected"),
    [
        (date(2016, 7, 29), datetime(2016, 7, 29, 23, 59, 59, 999999, tzinfo=UTC)),
        ("2016-07-29", datetime(2016, 7, 29, 23, 59, 59, 999999, tzinfo=UTC)),
        ("2016-07-29T12:00:00Z", datetime(2016, 7, 29, 12, tzinfo=UTC)),
        ("2016-07-29T12:00:00-04:00", datetime(2016, 7, 29, 16, tzinfo=UTC)),
    ],
)
def test_a_bare_date_means_its_end_in_utc(given_as: date | str, expected: datetime) -> None:
    assert instant(given_as) == expected


@pytest.mark.parametrize("bad", ["29/07/2016", "2016-13-01", "yesterday", "2016-07-29T12:00:00", datetime(2016, 7, 29)])
def test_an_instant_that_is_none_is_refused(bad: str | datetime) -> None:
    with pytest.raises(ValueError, match="is not a date|has no time zone"):
        instant(bad)


# --- on a real Delta table -----------------------------------------------------------------------------------------


def bundled(batch: pl.DataFrame) -> pl.DataFrame:
    return batch.with_columns(series_id=pl.lit("PAYEMS"), provider=pl.lit("bundled"))


def test_append_is_one_commit_and_idempotent(tmp_path: Path, catalog: Catalog) -> None:
    batch = bundled(vintage_frame(0, [1.0, float("nan"), float("inf")]))
    report, version = append_vintages(tmp_path, catalog, "bundled", batch, {"run_id": "r1"})
    assert (report.new, report.missing, version) == (3, 2, 1)
    again, same = append_vintages(tmp_path, catalog, "bundled", batch, {"run_id": "r2"})
    assert (again.appended, same) == (0, 1)
    table = open_table(tmp_path, "raw/bundled")
    assert table is not None
    assert table.history(1)[0]["run_id"] == "r1"
    stored = read_table(tmp_path, catalog.one_table("raw/bundled"), catalog)
    assert stored["value"].to_list() == [1.0, None, None]
    assert observations_as_of(tmp_path, catalog, day(1))["source"].to_list() == ["bundled"] * 3
    assert observations_as_of(tmp_path, catalog, day(1), ["GDPC1"]).is_empty()


def test_a_refused_batch_leaves_the_table_as_it_was(tmp_path: Path, catalog: Catalog) -> None:
    append_vintages(tmp_path, catalog, "bundled", bundled(vintage_frame(0, [1.0])), {})
    with pytest.raises(VintageConflictError):
        append_vintages(tmp_path, catalog, "bundled", bundled(vintage_frame(0, [2.0])), {})
    with pytest.raises(LakeError, match="series_id must not be null"):
        append_vintages(
            tmp_path, catalog, "bundled", bundled(vintage_frame(1, [2.0])).with_columns(series_id=pl.lit(None)), {}
        )
    table = open_table(tmp_path, "raw/bundled")
    assert table is not None
    assert table.version() == 1
