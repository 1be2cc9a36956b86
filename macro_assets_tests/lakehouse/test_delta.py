"""The write boundary and the refusals of the lake, on real Delta tables."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime
from pathlib import Path

import deltalake
import polars as pl
import pytest
from deltalake.schema import Field, PrimitiveType, Schema

from macro_assets.catalog import Catalog
from macro_assets.lakehouse import delta, write
from macro_assets.lakehouse.delta import LakeError, content_hash, data_version, open_table
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.write import append, conform, overwrite
from macro_assets_tests.lakehouse.synthetic import forecast_rows, scored

COMMIT = {"run_id": "test"}


def zscores(*rows: tuple[str, date, float | None]) -> pl.DataFrame:
    return scored(
        pl.DataFrame(
            [{"source": "bundled", "series_id": s, "observation_date": d, "zscore": z} for s, d, z in rows],
            schema={"source": pl.String, "series_id": pl.String, "observation_date": pl.Date, "zscore": pl.Float64},
        )
    )


GOOD = zscores(("B", date(2020, 1, 1), 0.5), ("A", date(2020, 1, 1), -1.0))


def forecasts(month: str, value: float) -> pl.DataFrame:
    return forecast_rows(month, value, as_of=datetime(2016, 6, 30, tzinfo=UTC))


@pytest.fixture
def lake(tmp_path: Path, catalog: Catalog) -> Lakehouse:
    return Lakehouse(tmp_path, catalog)


def test_rows_are_stored_in_key_order_with_catalog_types(lake: Lakehouse, catalog: Catalog) -> None:
    table = catalog.one_table("normalized/fred")
    overwrite(lake, table.name, GOOD.select(sorted(GOOD.columns)), COMMIT)
    stored = lake.read(table.name)
    assert stored.columns == [c.name for c in table.columns]
    assert stored["series_id"].to_list() == ["A", "B"]


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (GOOD.drop("zscore"), "columns missing from the data: zscore"),
        (GOOD.with_columns(extra=1), "columns the catalog does not have: extra"),
        (GOOD.with_columns(zscore=pl.lit("high")), "does not fit the catalog's types"),
        (GOOD.with_columns(release_time=None), "column release_time must not be null, 2 rows are"),
        (pl.concat([GOOD, GOOD]), "two rows have the same key"),
    ],
)
def test_data_that_does_not_fit_is_refused(lake: Lakehouse, catalog: Catalog, bad: pl.DataFrame, message: str) -> None:
    table = catalog.one_table("normalized/fred")
    overwrite(lake, table.name, GOOD, COMMIT)
    with pytest.raises(LakeError, match=message):
        overwrite(lake, table.name, bad, COMMIT)
    assert lake.read(table.name).equals(conform(GOOD, table))


def test_no_nan_or_infinity_is_stored(catalog: Catalog) -> None:
    values = [float("nan"), float("-inf"), 1.0]
    rows = zscores(*((s, date(2020, 1, 1), z) for s, z in zip("ABC", values, strict=True)))
    assert conform(rows, catalog.one_table("normalized/fred"))["zscore"].to_list() == [None, None, 1.0]


def test_the_same_content_makes_no_new_version(lake: Lakehouse, catalog: Catalog) -> None:
    table = catalog.one_table("normalized/fred")
    first = overwrite(lake, table.name, GOOD, COMMIT)
    assert overwrite(lake, table.name, GOOD.reverse(), COMMIT) == first
    assert overwrite(lake, table.name, GOOD.head(1), COMMIT) == first + 1


def test_only_the_named_partitions_are_replaced(lake: Lakehouse, catalog: Catalog) -> None:
    table = catalog.one_table("forecasts/gdp_nowcast")
    both = pl.concat([forecasts("2016-06", 1.0), forecasts("2016-07", 2.0)])
    overwrite(lake, table.name, both, COMMIT, ["2016-06", "2016-07"])
    overwrite(lake, table.name, forecasts("2016-07", 9.0), COMMIT, ["2016-07"])
    assert lake.read(table.name).sort("as_of_month")["value"].to_list() == [1.0, 9.0]
    overwrite(lake, table.name, forecasts("2016-07", 9.0).clear(), COMMIT, ["2016-07"])
    assert lake.read(table.name)["value"].to_list() == [1.0]


def test_rows_of_another_partition_are_refused(lake: Lakehouse, catalog: Catalog) -> None:
    table = catalog.one_table("forecasts/gdp_nowcast")
    with pytest.raises(LakeError, match=r"rows of \['2016-06'\] do not belong to partitions \['2016-07'\]"):
        overwrite(lake, table.name, forecasts("2016-06", 1.0), COMMIT, ["2016-07"])


@pytest.mark.parametrize("hostile", ["2016-07' OR '1'='1", "2016'--07", "x" * 7])
def test_a_hostile_partition_key_never_reaches_a_predicate(lake: Lakehouse, catalog: Catalog, hostile: str) -> None:
    table = catalog.one_table("forecasts/gdp_nowcast")
    overwrite(lake, table.name, forecasts("2016-06", 1.0), COMMIT, ["2016-06"])
    with pytest.raises(LakeError, match="is not a month"):
        overwrite(lake, table.name, forecasts(hostile, 1.0).clear(), COMMIT, [hostile])
    assert lake.read(table.name).height == 1


def test_a_table_of_a_newer_schema_is_refused_and_left_alone(lake: Lakehouse, tmp_path: Path, catalog: Catalog) -> None:
    table = catalog.one_table("normalized/fred")
    newer = Field("series_id", PrimitiveType("string"), metadata={"macro_assets.schema_version": "99"})
    deltalake.DeltaTable.create(tmp_path / table.name, Schema([newer]))
    for attempt in (
        lambda: lake.read(table.name),
        lambda: overwrite(lake, table.name, GOOD, COMMIT),
        lambda: append(lake, table.name, GOOD, COMMIT),
    ):
        with pytest.raises(LakeError, match=r"normalized/fred .* schema version 99.*reads up to 6.*Upgrade"):
            attempt()
    assert deltalake.DeltaTable(tmp_path / table.name).version() == 0


def test_the_schema_version_survives_overwrites(
    lake: Lakehouse, tmp_path: Path, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = catalog.one_table("normalized/fred")
    for rows in (GOOD, GOOD.head(1)):
        overwrite(lake, table.name, rows, COMMIT)
    monkeypatch.setattr(delta, "SCHEMA_VERSION", 1)
    with pytest.raises(LakeError, match="schema version 6"):
        open_table(tmp_path, table.name)


def test_only_a_missing_table_means_create(lake: Lakehouse, tmp_path: Path, catalog: Catalog) -> None:
    table = catalog.one_table("normalized/fred")
    overwrite(lake, table.name, GOOD, COMMIT)
    log = tmp_path / table.name / "_delta_log"
    newest = max(log.glob("*.json"))
    newest.write_bytes(newest.read_bytes()[:40])
    with pytest.raises(LakeError, match="normalized/fred"):
        overwrite(lake, table.name, GOOD.head(1), COMMIT)
    assert len(newest.read_bytes()) == 40


def test_a_lake_that_cannot_be_made_is_one_message(tmp_path: Path, catalog: Catalog) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(LakeError, match=r"cannot be written .*Set MACRO_LAKE"):
        overwrite(Lakehouse(tmp_path / "file" / "lake", catalog), "normalized/fred", GOOD, COMMIT)


def test_the_data_version_is_of_what_a_table_says(catalog: Catalog) -> None:
    table = catalog.one_table("raw/bundled")
    row = {
        "series_id": "A",
        "observation_date": date(2020, 1, 1),
        "value": 1.0,
        "release_time": datetime(2020, 2, 1, tzinfo=UTC),
        "release_basis": "provider",
        "provider": "bundled",
        "ingested_at": datetime(2026, 1, 1, tzinfo=UTC),
        "run_id": "one",
        "payload_sha256": "x",
    }
    rows = pl.DataFrame([row, {**row, "series_id": "B"}])
    same = rows.reverse().with_columns(run_id=pl.lit("two"))
    assert data_version(rows, table) == data_version(same, table)
    assert data_version(rows, table) != data_version(rows.with_columns(value=1.0000001), table)


TEXTS = [f"a text of more than twelve letters, {i}" for i in range(6)]
HELD_IN_TWO_WAYS = [
    (
        pl.DataFrame({"x": [1.0, None]}),
        pl.DataFrame({"x": [1.0, 7.0]}).with_columns(pl.when(pl.col("x") < 5).then("x")),
    ),
    (
        pl.DataFrame({"x": [True, None]}),
        pl.DataFrame({"x": [True, True]}).with_columns(pl.when(pl.int_range(2) < 1).then("x")),
    ),
    (pl.DataFrame({"x": TEXTS}), pl.concat([pl.DataFrame({"x": TEXTS[3:]}), pl.DataFrame({"x": TEXTS[:3]})]).sort("x")),
    (pl.DataFrame({"x": [*TEXTS, None]}), pl.DataFrame({"x": [None, *TEXTS[::-1]]}).reverse()),
    (pl.DataFrame({"x": [1, None, 3]}), pl.DataFrame({"x": [0, 1, None, 3]}).slice(1)),
    *(
        (
            pl.DataFrame({"x": [a, b]}),
            pl.concat([pl.DataFrame({"x": [v, None]}) for v in (a, b)], rechunk=True).drop_nulls(),
        )
        for a, b in ((1.0, 2.0), (1, 2), (date(2020, 1, 1), date(2021, 1, 1)))
    ),
]


@pytest.mark.parametrize(("one", "other"), HELD_IN_TWO_WAYS)
def test_the_hash_is_of_rows_however_memory_holds_them(one: pl.DataFrame, other: pl.DataFrame) -> None:
    """What lies under a null, and how long texts are shared out among buffers, is not content."""
    assert one.equals(other)
    assert content_hash(one) == content_hash(other)
    assert content_hash(one) != content_hash(one.reverse())


@pytest.mark.parametrize("stored", [[], [GOOD.clear()], [GOOD, GOOD.clear()]])
def test_of_two_runs_that_fill_an_empty_table_one_is_refused(
    lake: Lakehouse, catalog: Catalog, monkeypatch: pytest.MonkeyPatch, stored: list[pl.DataFrame]
) -> None:
    """F6: there is no file that both would remove, by which Delta could tell."""
    table = catalog.one_table("normalized/fred")
    for frame in stored:
        overwrite(lake, table.name, frame, COMMIT)
    the_other = zscores(("C", date(2020, 1, 1), 2.0))

    def overtaken(*args: object, **kwargs: object) -> None:
        monkeypatch.setattr(write, "write_deltalake", deltalake.write_deltalake)
        overwrite(lake, table.name, the_other, COMMIT)
        deltalake.write_deltalake(*args, **kwargs)

    monkeypatch.setattr(write, "write_deltalake", overtaken)
    with pytest.raises(write.WriteConflictError, match="another process changed the same rows meanwhile"):
        overwrite(lake, table.name, GOOD, COMMIT)
    assert lake.read(table.name)["series_id"].to_list() == ["C"]


def test_parallel_appends_lose_nothing(lake: Lakehouse, catalog: Catalog) -> None:
    table = catalog.one_table("landing/bundled")
    moment = datetime(2026, 1, 1, tzinfo=UTC)

    def rows(n: int) -> pl.DataFrame:
        unsaid = dict.fromkeys(c.name for c in table.columns)
        receipt = {"request": str(n), "payload_sha256": "x", "fetched_at": moment, "run_id": "run"}
        return pl.DataFrame([{**unsaid, **receipt, "asked_on": moment.date()}])

    append(lake, table.name, rows(-1), COMMIT)
    threads = [threading.Thread(target=append, args=(lake, table.name, rows(n), COMMIT)) for n in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sorted(lake.read(table.name)["request"]) == ["-1", "0", "1", "2", "3"]
