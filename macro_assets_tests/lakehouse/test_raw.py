"""Appending to and reading from real raw tables."""

from __future__ import annotations

import dataclasses
import threading
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from macro_assets.catalog import Catalog, UnknownNameError
from macro_assets.catalog.derive import holdings_frame
from macro_assets.lakehouse import raw, write
from macro_assets.lakehouse.appending import AppendReport, VintageConflictError
from macro_assets.lakehouse.delta import LakeError, open_table
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.raw import (
    additions,
    append_vintages,
    invalidate,
    observations_as_of,
    panel_as_of,
    read_decisions,
    read_raw,
    reinstate,
)
from macro_assets.lakehouse.vintages import as_of
from macro_assets_tests.lakehouse.histories import IDS, moments, raw_rows
from macro_assets_tests.lakehouse.synthetic import (
    INGESTED,
    PROVIDER,
    Row,
    day,
    decisions,
    frame,
    month,
    one_source,
    row,
    vintage_frame,
)

CATALOG = one_source()


def store(root: Path, batch: pl.DataFrame, run_id: str = "run") -> AppendReport:
    return append_vintages(PROVIDER, batch.drop("run_id"), run_id, root=root, catalog=CATALOG)


def stored_version(root: Path) -> int:
    table = open_table(root, "raw/bundled")
    assert table is not None
    return table.version()


def test_append_is_one_commit_that_says_where_it_came_from(tmp_path: Path, catalog: Catalog) -> None:
    batch = vintage_frame(0, [1.0, float("nan"), float("inf")])
    report = store(tmp_path, batch, "r1")
    assert (report.new, report.missing, report.version) == (3, 2, 1)
    table = open_table(tmp_path, "raw/bundled")
    assert table is not None
    commit = table.history(1)[0]
    assert commit["run_id"] == "r1"
    assert commit["code_version"]
    assert len(commit["input_sha256"]) == 16
    stored = Lakehouse(tmp_path, catalog).read("raw/bundled")
    assert stored["value"].to_list() == [1.0, None, None]
    assert stored["run_id"].unique().to_list() == ["r1"]


def test_the_same_batch_twice_adds_no_row_and_no_version(tmp_path: Path) -> None:
    batch = vintage_frame(0, [1.0, 2.0])
    store(tmp_path, batch)
    again = store(tmp_path, batch, "later")
    assert (again.appended, again.unchanged, again.version) == (0, 2, 1)


def test_a_refused_batch_leaves_the_table_as_it_was(tmp_path: Path) -> None:
    store(tmp_path, vintage_frame(0, [1.0]))
    for bad, error, message in (
        (vintage_frame(0, [2.0]), VintageConflictError, "two values at the release time"),
        (vintage_frame(1, [2.0]).with_columns(release_basis=pl.lit(None)), LakeError, "release_basis must not be null"),
        (vintage_frame(1, [2.0]).with_columns(release_basis=pl.lit("guess")), LakeError, "basis 'guess' is none of"),
        (vintage_frame(1, [2.0]).with_columns(series_id=pl.lit("PAYEM")), UnknownNameError, "Did you mean PAYEMS"),
        (
            vintage_frame(1, [2.0]).with_columns(provider=pl.lit("yahoo")),
            LakeError,
            "none of its holders in raw/bundled: bundled",
        ),
        (vintage_frame(1, [2.0]).with_columns(value=pl.lit("x")), LakeError, "do not fit the catalog's types"),
        (vintage_frame(1, [2.0]).drop("provider").with_columns(provider=1), LakeError, "provider '1' is none of"),
    ):
        with pytest.raises(error, match=message):
            store(tmp_path, bad)
    with pytest.raises(LakeError, match="columns missing from the observations: value"):
        store(tmp_path, vintage_frame(1, [2.0]).drop("value"))
    assert stored_version(tmp_path) == 1


def test_an_unknown_source_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="raw/bundle"):
        append_vintages("bundle", vintage_frame(0, [1.0]), "run", root=tmp_path)


@settings(max_examples=3)
@given(
    st.lists(st.lists(st.sampled_from([None, 1.0, 2.0]), min_size=1, max_size=3), min_size=2, max_size=4),
    st.randoms(use_true_random=False),
)
def test_shuffled_and_repeated_loads_end_in_the_same_answers(
    tmp_path_factory: pytest.TempPathFactory, vintages: list[list[float | None]], random: object
) -> None:
    """F19: ten loads in any order, with overlaps, on real tables: one answer, and no version without a change."""
    vintages = sorted(vintages, key=len)
    batches = [vintage_frame(n, values) for n, values in enumerate(vintages)]
    answers = []
    for _ in range(2):
        root = tmp_path_factory.mktemp("lake")
        order = [*batches, *batches[:2], pl.concat(batches)]
        random.shuffle(order)  # type: ignore[attr-defined]
        for batch in order:
            store(root, batch)
        version = stored_version(root)
        for batch in [*order, *order]:
            assert store(root, batch).appended == 0
        assert stored_version(root) == version
        answers.append([observations_as_of(day(n), root=root, catalog=CATALOG) for n in range(1, len(vintages) + 2)])
    for one, other in zip(*answers, strict=True):
        # which of two equal statements tells of a value depends on the order; what was known when does not
        assert_frame_equal(
            one.select("series_id", "observation_date", "value"), other.select("series_id", "observation_date", "value")
        )


@settings(max_examples=8)
@given(raw_rows, moments)
def test_reading_files_is_reading_rows(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Row], moment: datetime | None
) -> None:
    """Appended row by row, so that the table has many files; and again after they were compacted."""
    root = tmp_path_factory.mktemp("lake")
    table = CATALOG.one_table("raw/bundled")
    for r in rows:
        write.append(Lakehouse(root, CATALOG), table.name, frame(r), {})
    told = ["series_id", "observation_date", "value"]
    expected = as_of(frame(*rows), moment, holdings_frame(CATALOG, IDS)).select(told)
    for _ in range(2):
        found = observations_as_of(moment, root=root, catalog=CATALOG)
        assert found.select(told).rows() == expected.rows()
        if rows:
            target = open_table(root, "raw/bundled")
            assert target is not None
            write.compact(root, "raw/bundled", target, max_files=0)


def test_a_panel_has_a_column_per_series_in_the_order_asked(tmp_path: Path) -> None:
    store(tmp_path, pl.concat([vintage_frame(0, [1.0, 2.0]), frame(row(month(2), 5.0, day(1), series_id="UNRATE"))]))
    panel = panel_as_of(day(1), ["UNRATE", "PAYEMS", "GDPC1"], root=tmp_path)
    assert panel.columns == ["observation_date", "UNRATE", "PAYEMS", "GDPC1"]
    assert panel.rows() == [(month(1), None, 1.0, None), (month(2), 5.0, 2.0, None)]
    assert panel_as_of(day(1), root=tmp_path).columns == ["observation_date", "PAYEMS", "UNRATE"]
    with pytest.raises(UnknownNameError, match="Did you mean PAYEMS"):
        panel_as_of(day(1), ["PAYEM"], root=tmp_path)


@pytest.mark.parametrize("values", [[], [None, None], [7.0], [7.0] * 12])
def test_no_row_one_row_only_missing_and_constant_series(tmp_path: Path, values: list[float | None]) -> None:
    """F20, small end."""
    batch = vintage_frame(0, values)
    report = store(tmp_path, batch)
    assert report.appended == batch.height
    assert store(tmp_path, batch).appended == 0
    known = observations_as_of(day(1), ["PAYEMS"], root=tmp_path)
    assert known["value"].to_list() == batch["value"].to_list()


def test_a_shrunk_or_unsorted_answer_takes_nothing_away(tmp_path: Path) -> None:
    """F13 at the store: what is not stated again stays."""
    store(tmp_path, vintage_frame(0, [1.0, 2.0, 3.0]).reverse())
    store(tmp_path, vintage_frame(1, [1.0]))
    assert observations_as_of(day(9), root=tmp_path)["value"].to_list() == [1.0, 2.0, 3.0]


# --- two writers ---------------------------------------------------------------------------------------------------


def test_a_writer_that_was_overtaken_decides_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between reading and committing, another process stores the same vintage: nothing is stored twice."""
    store(tmp_path, vintage_frame(0, [1.0]))
    decide, overtaken = raw.rows_to_append, []

    def slow(*args: pl.DataFrame) -> tuple[pl.DataFrame, AppendReport]:
        if not overtaken:
            overtaken.append(True)
            monkeypatch.setattr(raw, "rows_to_append", decide)
            store(tmp_path, vintage_frame(1, [2.0]), "the other")
            monkeypatch.setattr(raw, "rows_to_append", slow)
            return decide(args[0], args[1], args[2])
        return decide(args[0], args[1], args[2])

    monkeypatch.setattr(raw, "rows_to_append", slow)
    report = store(tmp_path, pl.concat([vintage_frame(1, [2.0]), vintage_frame(2, [3.0])]))
    stored = read_raw(Lakehouse.at(tmp_path), PROVIDER)
    assert stored.sort("release_time").select("value", "run_id").rows() == [
        (1.0, "run"),
        (2.0, "the other"),
        (3.0, "run"),
    ]
    assert (report.revised, report.unchanged, report.version) == (1, 1, 3)


def test_a_late_vintage_that_meets_another_writer_is_restated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A blind second try would keep the late value in force behind the vintage the other process just stored."""
    store(tmp_path, vintage_frame(0, [1.0]))
    decide, overtaken = raw.rows_to_append, []

    def slow(*args: pl.DataFrame) -> tuple[pl.DataFrame, AppendReport]:
        if not overtaken:
            overtaken.append(True)
            decided = decide(args[0], args[1], args[2])
            store(tmp_path, vintage_frame(2, [1.0, 5.0]))
            return decided
        return decide(args[0], args[1], args[2])

    monkeypatch.setattr(raw, "rows_to_append", slow)
    store(tmp_path, vintage_frame(1, [9.0]))
    known = observations_as_of(day(3), root=tmp_path)
    assert known["value"].to_list() == [1.0, 5.0]


def test_parallel_writers_store_everything_once(tmp_path: Path) -> None:
    batches = [vintage_frame(n, [float(n), 1.0]) for n in range(6)]
    everything = pl.concat(batches)
    store(tmp_path, batches[0])
    failures: list[BaseException] = []

    def work(batch: pl.DataFrame) -> None:
        try:
            store(tmp_path, batch)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(b,)) for b in [*batches[1:], everything]]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert failures == []
    for n in range(6):
        assert observations_as_of(day(n + 1), root=tmp_path)["value"].to_list() == [float(n), 1.0]
    stored = read_raw(Lakehouse.at(tmp_path), PROVIDER)
    assert not stored.select("series_id", "observation_date", "release_time", "provider").is_duplicated().any()


# --- decisions -----------------------------------------------------------------------------------------------------


def test_invalidate_and_reinstate_by_day_or_instant(tmp_path: Path, catalog: Catalog) -> None:
    store(tmp_path, pl.concat([vintage_frame(0, [1.0]), vintage_frame(1, [9.0])]))
    decided = invalidate("PAYEMS", month(1), "2020-01-02", " fat finger ", "ana", tmp_path)
    assert decided.select("release_time", "action", "reason", "author").rows() == [
        (day(2), "invalidate", "fat finger", "ana")
    ]
    before = decided["decided_at"].item() - timedelta(microseconds=1)
    assert observations_as_of(before, root=tmp_path)["value"].to_list() == [9.0]
    assert observations_as_of(None, root=tmp_path)["value"].to_list() == [1.0]
    assert read_raw(Lakehouse(tmp_path, catalog), PROVIDER).height == 2
    reinstate("PAYEMS", month(1), day(2), "it was right", "ben", tmp_path)
    assert observations_as_of(None, root=tmp_path)["value"].to_list() == [9.0]
    assert read_decisions(Lakehouse(tmp_path, catalog)).sort("decided_at")["author"].to_list() == ["ana", "ben"]


def test_a_decision_that_makes_no_sense_is_refused(tmp_path: Path, catalog: Catalog) -> None:
    store(tmp_path, vintage_frame(0, [1.0]))
    with pytest.raises(LakeError, match=r"found 0\. Releases of that date: 2020-01-01T23:59:59\+00:00"):
        invalidate("PAYEMS", month(1), "2020-01-05", "why", "ana", tmp_path)
    with pytest.raises(LakeError, match="needs a reason and an author"):
        invalidate("PAYEMS", month(1), "2020-01-01", " ", "ana", tmp_path)
    with pytest.raises(LakeError, match="is not marked as invalid"):
        reinstate("PAYEMS", month(1), "2020-01-01", "why", "ana", tmp_path)
    with pytest.raises(UnknownNameError, match="Did you mean PAYEMS"):
        invalidate("PAYEM", month(1), "2020-01-01", "why", "ana", tmp_path)
    invalidate("PAYEMS", month(1), "2020-01-01", "why", "ana", tmp_path)
    with pytest.raises(LakeError, match="is marked as invalid already"):
        invalidate("PAYEMS", month(1), "2020-01-01", "why", "ana", tmp_path)
    assert read_decisions(Lakehouse(tmp_path, catalog)).height == 1


def test_two_releases_of_one_day_must_be_told_apart(tmp_path: Path) -> None:
    """F14: a same-day double revision is two releases."""
    noon, evening = datetime(2020, 1, 5, 12, tzinfo=UTC), datetime(2020, 1, 5, 20, tzinfo=UTC)
    store(tmp_path, frame(row(month(1), 1.0, noon), row(month(1), 2.0, evening)))
    with pytest.raises(LakeError, match="expected one release .* found 2"):
        invalidate("PAYEMS", month(1), "2020-01-05", "why", "ana", tmp_path)
    invalidate("PAYEMS", month(1), "2020-01-05T20:00:00Z", "why", "ana", tmp_path)
    assert observations_as_of(None, root=tmp_path)["value"].to_list() == [1.0]


def test_observation_dates_are_dates(tmp_path: Path) -> None:
    store(tmp_path, vintage_frame(0, [1.0]))
    assert observations_as_of(None, root=tmp_path)["observation_date"].to_list() == [date(2019, 1, 1)]


# --- each provider by its own way of telling vintages --------------------------------------------------------------


def three_providers(catalog: Catalog) -> Catalog:
    ways = {"one": "whole", "two": "changes", "three": "none"}
    any_source = catalog.sources["bundled"]
    sources = {n: any_source.model_copy(update={"name": n, "vintages": way}) for n, way in ways.items()}
    return dataclasses.replace(catalog, sources=sources)


def test_a_batch_of_several_providers_is_added_by_the_way_of_each(catalog: Catalog) -> None:
    """A late statement: a whole vintage is defended, a change taken, an overwritten value known from its fetch."""
    world = three_providers(catalog)
    stored = pl.concat(
        frame(row(month(1), 1.0, day(1), provider=p), row(month(2), 5.0, day(3), provider=p))
        for p in ("one", "two", "three")
    )
    late = frame(*(row(month(1), 2.0, day(2), provider=p) for p in ("one", "two", "three")))
    added, _, report = additions(stored, late, decisions(), world)
    found = added.select("provider", "release_time", "release_basis", "value").sort("provider", "release_time").rows()
    assert found == [
        ("one", day(2), "provider", 2.0),
        ("one", day(3), "provider", 1.0),
        ("three", INGESTED, "ingested", 2.0),
        ("two", day(2), "provider", 2.0),
    ]
    assert (report.seen, report.revised, report.restated, report.new) == (3, 3, 1, 0)


def test_providers_are_not_compared_with_each_other(catalog: Catalog) -> None:
    """Equal figures of two providers are two statements, different ones no conflict."""
    world = three_providers(catalog)
    stored = frame(row(month(1), 1.0, day(1), provider="one"))
    batch = frame(*(row(month(1), v, day(1), provider=p) for p, v in (("two", 1.0), ("three", 9.0))))
    added, _, report = additions(stored, batch, decisions(), world)
    assert sorted(added["provider"]) == ["three", "two"]
    assert report.new == 2


def test_a_conflict_of_one_provider_names_it_and_an_empty_batch_adds_nothing(catalog: Catalog) -> None:
    world = three_providers(catalog)
    nothing = decisions()
    twice = [row(month(1), v, day(1), provider="two") for v in (1.0, 2.0)]
    with pytest.raises(VintageConflictError, match="PAYEMS of provider two: 2019-01-01 has two values"):
        additions(frame(), frame(row(month(1), 1.0, day(1), provider="one"), *twice), nothing, world)
    added, _, report = additions(frame(), frame(), nothing, world)
    assert added.is_empty()
    assert report == AppendReport()
    assert str(report) == "0 observations"


def test_a_report_is_told_in_words_without_what_did_not_happen() -> None:
    assert str(AppendReport(seen=49_607, new=49_600, revised=7)) == "49,607 observations: 49,600 new, 7 revised"


# --- observation dates -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "dates", [(date(2019, 1, 31), date(2019, 2, 28)), (date(2019, 1, 1), date(2019, 2, 28)), (date(2019, 1, 15),)]
)
def test_a_month_is_stored_by_its_first_day_alone(tmp_path: Path, dates: tuple[date, ...]) -> None:
    store(tmp_path, frame(row(month(1), 1.0, day(1)), row(month(2), 2.0, day(1))))
    wrong = next(d for d in dates if d.day > 1)
    with pytest.raises(LakeError, match=rf"series PAYEMS: .*\(frequency M\), .*, got {wrong}\. Nothing was stored"):
        store(tmp_path, frame(*(row(d, 3.0, day(2)) for d in dates)))
    assert stored_version(tmp_path) == 1
    known = observations_as_of(None, root=tmp_path, catalog=CATALOG)
    assert known["observation_date"].to_list() == [month(1), month(2)]
