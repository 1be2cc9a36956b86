"""What data files held when they were written is on record, and nothing is made of a file that holds something else."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import click
import polars as pl
import pytest
from click.testing import CliRunner

from macro_assets.catalog import Catalog
from macro_assets.cli.terminal import expected_errors
from macro_assets.lakehouse import fingerprints, write
from macro_assets.lakehouse.delta import LakeError, logged_files, open_table, reading
from macro_assets.lakehouse.fingerprints import FOLDER, recorded, told_by
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.session import connect, query
from macro_assets.lakehouse.upkeep.maintenance import maintain_table
from macro_assets_tests.lakehouse.synthetic import day, forecast_rows, frame, month, one_source, row, scored

RAW, DERIVED, MONTHLY = "raw/bundled", "normalized/fred", "forecasts/gdp_nowcast"
NOW = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def lake(tmp_path: Path, catalog: Catalog) -> Lakehouse:
    return Lakehouse(tmp_path, catalog)


def append(lake: Lakehouse, n: int) -> None:
    write.append(lake, RAW, frame(row(month(n), float(n), day(n))), {})


def overwrite(lake: Lakehouse, n: int) -> None:
    ids = [f"S{i}" for i in range(n)]
    dated = {"source": "bundled", "series_id": ids, "observation_date": date(2020, 1, 1), "zscore": float(n)}
    write.overwrite(lake, DERIVED, scored(pl.DataFrame(dated)), {})


def overwrite_month(lake: Lakehouse, n: int) -> None:
    key = f"2016-{n:02d}"
    write.overwrite(lake, MONTHLY, forecast_rows(key, float(n), datetime(2016, n, 28, tzinfo=UTC)), {}, [key])


def replace(lake: Lakehouse, n: int) -> None:
    append(lake, n)
    target = open_table(lake.root, RAW)
    assert target is not None
    write.replace_rows(lake, RAW, target, frame(row(month(n), 2.0 * n, day(n))), {})


WRITERS = [(append, RAW), (overwrite, DERIVED), (overwrite_month, MONTHLY), (replace, RAW)]


def files(lake: Lakehouse, name: str) -> list[Path]:
    stored = open_table(lake.root, name)
    assert stored is not None
    return [lake.root / name / file for file in logged_files(stored)]


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


@pytest.mark.parametrize(("writer", "name"), WRITERS)
def test_what_a_commit_adds_is_on_record(
    lake: Lakehouse,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    writer: Callable[[Lakehouse, int], None],
    name: str,
) -> None:
    """Files of versions before too, and those that a compaction makes."""
    monkeypatch.setattr(write, "MAX_FILES", 3)
    for n in range(1, 6):
        writer(lake, n)
    every = {f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in (lake.root / name).glob("*.parquet")}
    assert len(every) >= 5
    assert recorded(lake.root, name) == every
    assert {f.name for f in files(lake, name)} <= every.keys()


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (f"{FOLDER}/a.parquet.{'0' * 64}", {"a.parquet": "0" * 64}),
        (f"raw/x/{FOLDER}/p=a b/c.parquet.{'f' * 64}", {"raw/x/p=a b/c.parquet": "f" * 64}),
        (f"raw/x/{FOLDER}/a.parquet.{'0' * 63}", {}),
        (f"raw/x/a.parquet.{'0' * 64}", {}),
    ],
)
def test_a_record_is_told_by_its_name(path: str, found: dict[str, str]) -> None:
    assert told_by([path]) == found


def test_a_commit_that_could_not_be_put_on_record_stands(
    lake: Lakehouse, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As after a writer that was killed then: the next one leaves that file alone."""
    with monkeypatch.context() as failing:
        failing.setattr(fingerprints, "write_file", no_room)
        append(lake, 1)
    assert "raw/bundled: version 1 is stored, but what its new files hold is not on record: no room" in caplog.text
    assert lake.read(RAW).height == 1
    (unknown,) = files(lake, RAW)
    append(lake, 2)
    assert recorded(lake.root, RAW).keys() == {f.name for f in files(lake, RAW)} - {unknown.name}


def no_room(*_: object) -> None:
    raise LakeError("no room")


# --- nothing is made of a damaged file ------------------------------------------------------------------------------


def test_a_damaged_file_is_not_merged_and_the_write_stands(
    lake: Lakehouse, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for n in (1, 2, 3):
        append(lake, n)
    damaged = files(lake, RAW)[1]
    flip(damaged)
    monkeypatch.setattr(write, "MAX_FILES", 3)
    append(lake, 4)
    assert "version 4 is stored, but was not compacted" in caplog.text
    assert damaged.name in caplog.text
    assert len(files(lake, RAW)) == 4
    with pytest.raises(LakeError, match=rf"table {RAW}: {damaged.name} is damaged.*--deep --repair"):
        maintain_table(lake, RAW, NOW)


def test_a_month_is_not_written_into_a_damaged_table(lake: Lakehouse) -> None:
    """The other months in its files would be written anew, and their damage be sound."""
    overwrite_month(lake, 1)
    flip(files(lake, MONTHLY)[0])
    with pytest.raises(LakeError, match=f"table {MONTHLY}: .* is damaged"):
        overwrite_month(lake, 2)


def test_retention_does_not_rewrite_a_damaged_table(lake: Lakehouse) -> None:
    overwrite_month(lake, 1)
    flip(files(lake, MONTHLY)[0])
    with pytest.raises(LakeError, match=f"table {MONTHLY}: .* is damaged"):
        maintain_table(lake, MONTHLY, NOW)


def test_a_table_that_is_computed_as_a_whole_is_written_over_its_damage(lake: Lakehouse) -> None:
    overwrite(lake, 3)
    (damaged,) = files(lake, DERIVED)
    pl.read_parquet(damaged).with_columns(zscore=pl.lit(9.0)).write_parquet(damaged)
    overwrite(lake, 3)
    assert lake.read(DERIVED)["zscore"].to_list() == [3.0, 3.0, 3.0]


# --- a reader that breaks down --------------------------------------------------------------------------------------


class PanicException(BaseException):
    """As another library in Rust has it: of its own, and no `Exception`."""


@pytest.mark.parametrize("panic", [pl.exceptions.PanicException, PanicException])
def test_a_reader_that_breaks_down_is_an_error_that_names_the_table(panic: type[BaseException]) -> None:
    words = r"table raw/x, version 7, cannot be read: the reader broke down: out-of-range date\. .*--deep`"
    with pytest.raises(LakeError, match=words), reading("raw/x", 7):
        raise panic("out-of-range date")


def test_sql_on_a_damaged_file_names_the_table_and_the_way_out(lake: Lakehouse) -> None:
    append(lake, 1)
    (file,) = files(lake, RAW)
    con = connect(root=lake.root, catalog=one_source())
    content = file.read_bytes()
    file.write_bytes(content[:4] + bytes(200) + content[204:])
    with pytest.raises(LakeError, match="A data file of raw/bundled is missing or damaged: `macro doctor --deep`"):
        query(con, "SELECT * FROM raw.bundled")
    for sql in ("SELECT * FROM raw.bundled_", "SELECT * FROM read_csv('/nowhere.csv')"):
        with pytest.raises(LakeError) as told:
            query(con, sql)
        assert "doctor" not in str(told.value)


def test_nothing_else_is_taken_for_damage() -> None:
    for error in (KeyboardInterrupt, ZeroDivisionError):
        with pytest.raises(error), reading("raw/x", 7):
            raise error


def test_a_command_that_breaks_down_is_one_message() -> None:
    """As where a table with an impossible date is printed."""

    @click.command()
    @expected_errors
    def prints() -> None:
        raise PanicException("out-of-range date")

    done = CliRunner().invoke(prints, catch_exceptions=False)
    assert done.exit_code == 2
    assert done.stderr.startswith("macro: the reader broke down: out-of-range date. ")
    assert "`macro doctor --deep`" in done.stderr
    assert done.stderr.count("\n") == 1
