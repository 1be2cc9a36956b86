"""Damaged tables (fault F5): found, named, and taken back to the last good version, on disk and on S3.

The table under test is overwritten 23 times: version n has n rows, checkpoints are at 10 and 20.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from polars.testing import assert_frame_equal

from macro_assets.catalog import Catalog, default_catalog
from macro_assets.cli import examination
from macro_assets.lakehouse import connect, s3
from macro_assets.lakehouse.delta import LakeError, data_files, open_any, open_table, table_versions
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.landing import land
from macro_assets.lakehouse.paths import Root, S3Root, filesystem, location
from macro_assets.lakehouse.raw import append_vintages, read_raw
from macro_assets.lakehouse.upkeep.damage import examine, judge
from macro_assets.lakehouse.upkeep.repair import QUARANTINE, RepairReport, repair
from macro_assets.lakehouse.write import conform, overwrite
from macro_assets_tests.conftest import Built, Home
from macro_assets_tests.lakehouse.synthetic import day, frame, month, one_source, row, scored

NAME, NEWEST = "normalized/fred", 23
OTHERS = "other/partitioned", "raw/bundled"
HINT = "_delta_log/_last_checkpoint"


def entry(version: int) -> str:
    return f"_delta_log/{version:020d}.json"


def checkpoint(version: int) -> str:
    return f"_delta_log/{version:020d}.checkpoint.parquet"


def rows(version: int) -> pl.DataFrame:
    """The rows of the table's version."""
    frame = pl.DataFrame({"series_id": [f"S{i:02d}" for i in range(version)], "zscore": float(version)})
    return scored(frame.with_columns(source=pl.lit("bundled"), observation_date=date(2020, 1, 1)))


def vintages(n: int) -> pl.DataFrame:
    return frame(row(month(n), 100.0 + n, day(n)))


def receipts(n: int) -> pl.DataFrame:
    fetched_at = datetime(2026, 1, n, tzinfo=UTC)
    return pl.DataFrame(
        [
            {
                "request": "GET /x",
                "payload_sha256": str(n),
                "fetched_at": fetched_at,
                "run_id": str(n),
                "http_status": 200,
                "provider": "bundled",
                "series_ids": "PAYEMS",
                "window_first": None,
                "window_last": None,
                "asked_on": fetched_at.date(),
                "known_through": None,
                "validator": None,
                "body": str(n).encode(),
            }
        ],
        schema_overrides={
            "window_first": pl.Date,
            "window_last": pl.Date,
            "known_through": pl.String,
            "validator": pl.String,
        },
    )


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sound lake with a computed, a raw and a landing table, and one of another program."""
    catalog, root = default_catalog(), tmp_path_factory.mktemp("sound") / "a lake"
    for version in range(1, NEWEST + 1):
        overwrite(Lakehouse(root, catalog), NAME, rows(version), {})
    for n in (1, 2, 3):
        append_vintages("bundled", vintages(n), f"run {n}", root=root, catalog=catalog)
        land(Lakehouse(root, catalog), "bundled", receipts(n), {})
    parts = pa.table({"part": ["a b", "c/d", "e%20f"], "value": [1, 2, 3]})
    write_deltalake(str(root / "other" / "partitioned"), parts, partition_by=["part"])
    return root


@dataclass(frozen=True)
class Store:
    """A lake whose files can be looked at and damaged, wherever it is."""

    root: Root

    def all(self) -> dict[str, str]:
        """MD5 of every file."""
        if isinstance(self.root, Path):
            files = [f for f in self.root.rglob("*") if f.is_file()]
            return {str(f.relative_to(self.root)): hashlib.md5(f.read_bytes()).hexdigest() for f in files}
        listed = s3.settings().client().list_objects_v2(Bucket=self.root.bucket)["Contents"]
        return {o["Key"].removeprefix(f"{self.root.prefix}/"): o["ETag"].strip('"') for o in listed}

    def read(self, file: str, name: str = NAME) -> bytes:
        if isinstance(self.root, Path):
            return (self.root / name / file).read_bytes()
        place = self.root / name / file
        content: bytes = s3.settings().client().get_object(Bucket=place.bucket, Key=place.prefix)["Body"].read()
        return content

    def write(self, file: str, content: bytes, name: str = NAME) -> None:
        if isinstance(self.root, Path):
            (self.root / name / file).write_bytes(content)
        else:
            place = self.root / name / file
            s3.settings().client().put_object(Bucket=place.bucket, Key=place.prefix, Body=content)

    def remove(self, file: str, name: str = NAME) -> None:
        if isinstance(self.root, Path):
            (self.root / name / file).unlink()
        else:
            place = self.root / name / file
            s3.settings().client().delete_object(Bucket=place.bucket, Key=place.prefix)

    def data_file(self, version: int, name: str = NAME) -> str:
        """The one data file of a version of the sound lake."""
        table = open_any(self.root, name)
        assert table is not None
        table.load_as_version(version)
        (file,) = data_files(self.root, table)
        return file.rpartition("/")[2]


@pytest.fixture(params=["disk", "s3"])
def store(request: pytest.FixtureRequest, sound: Path, tmp_path: Path) -> Store:
    """A copy of the sound lake."""
    if request.param == "disk":
        shutil.copytree(sound, tmp_path / "a lake")
        return Store(tmp_path / "a lake")
    root = location(f"s3://{request.getfixturevalue('s3_bucket')}/a/lake")
    assert isinstance(root, S3Root)
    client = s3.settings().client()
    for file in Store(sound).all():
        client.put_object(Bucket=root.bucket, Key=f"{root.prefix}/{file}", Body=(sound / file).read_bytes())
    return Store(root)


# --- the damages ----------------------------------------------------------------------------------------------------


def cut_entry(store: Store) -> None:
    store.write(entry(23), store.read(entry(23))[:300])


def cut_entry_at_a_line_end(store: Store) -> None:
    store.write(entry(23), store.read(entry(23)).splitlines(keepends=True)[0])


def empty_entry(store: Store) -> None:
    store.write(entry(23), b"")


def zeroed_entry(store: Store) -> None:
    store.write(entry(23), bytes(len(store.read(entry(23)))))


def empty_entry_below(store: Store) -> None:
    store.write(entry(22), b"")


def missing_entry(store: Store) -> None:
    store.remove(entry(21))


def cut_checkpoint(store: Store) -> None:
    store.write(checkpoint(20), store.read(checkpoint(20))[:-300])


def empty_checkpoint(store: Store) -> None:
    store.write(checkpoint(20), b"")


def missing_checkpoint(store: Store) -> None:
    store.remove(checkpoint(20))


def garbled_checkpoints(store: Store) -> None:
    for version in (10, 20):
        content = store.read(checkpoint(version))
        store.write(checkpoint(version), content[:100] + bytes(len(content) - 108) + content[-8:])


def garbled_hint(store: Store) -> None:
    store.write(HINT, b'{"version":')


def empty_hint(store: Store) -> None:
    store.write(HINT, b"")


def hint_at_nothing(store: Store) -> None:
    store.write(HINT, b'{"version":21,"size":1}')


def missing_data(store: Store) -> None:
    store.remove(store.data_file(23))


def cut_data(store: Store) -> None:
    file = store.data_file(23)
    store.write(file, store.read(file)[:500])


def empty_data(store: Store) -> None:
    store.write(store.data_file(23), b"")


def garbled_footer(store: Store) -> None:
    file = store.data_file(23)
    content = store.read(file)
    store.write(file, content[:-200] + bytes(192) + content[-8:])


def zeroed_end(store: Store) -> None:
    file = store.data_file(23)
    content = store.read(file)
    store.write(file, content[:-100] + bytes(100))


def data_of_three_versions(store: Store) -> None:
    for file in [store.data_file(v) for v in (21, 22, 23)]:
        store.remove(file)


def data_behind_the_checkpoint(store: Store) -> None:
    """Versions 12 to 23, and of the entries that lead to the older ones one is empty."""
    for file in [store.data_file(v) for v in range(12, 24)]:
        store.remove(file)
    store.write(entry(11), b"")


def everything_at_once(store: Store) -> None:
    data_of_22 = store.data_file(22)
    cut_entry(store)
    cut_checkpoint(store)
    empty_hint(store)
    store.write(data_of_22, store.read(data_of_22)[:100])


# What is damaged, the version that is still good, what is said of it, and whether a read of the damaged table fails.
DAMAGES: list[tuple[Callable[[Store], None], int, list[str], bool]] = [
    (cut_entry, 22, ["00000000000000000023.json of version 23 is cut off or garbled in line 1"], True),
    (cut_entry_at_a_line_end, 22, ["23.json of version 23 is cut off: it has 0 of 1 'add' lines"], False),
    (empty_entry, 22, ["23.json of version 23 is empty"], True),
    (zeroed_entry, 22, ["23.json of version 23 is cut off or garbled in line 1"], True),
    (empty_entry_below, 21, ["22.json of version 22 is empty"], True),
    (missing_entry, 20, ["21.json of version 21 is missing"], True),
    (cut_checkpoint, 23, ["20.checkpoint.parquet of version 20 is cut off or garbled"], True),
    (empty_checkpoint, 23, ["20.checkpoint.parquet of version 20 is empty", "points to checkpoint 20"], True),
    (missing_checkpoint, 23, ["_last_checkpoint of version 23 points to checkpoint 20, which is missing"], True),
    (garbled_checkpoints, 23, ["20.checkpoint.parquet of version 20", "10.checkpoint.parquet of version 10"], True),
    (garbled_hint, 23, ["_last_checkpoint of version 23 is cut off or garbled"], False),
    (empty_hint, 23, ["_last_checkpoint of version 23 is cut off or garbled"], False),
    (hint_at_nothing, 23, ["_last_checkpoint of version 23 points to checkpoint 21, which is missing"], True),
    (missing_data, 22, [".parquet of version 23 is missing"], True),
    (cut_data, 22, [".parquet of version 23 has 500 bytes, the log says"], True),
    (empty_data, 22, [".parquet of version 23 has 0 bytes, the log says"], True),
    (garbled_footer, 22, [".parquet of version 23 is garbled: its Parquet footer cannot be read"], True),
    (zeroed_end, 22, [".parquet of version 23 is cut off or garbled: it has no Parquet footer"], True),
    (data_of_three_versions, 20, [".parquet of version 23 is missing"], True),
    (data_behind_the_checkpoint, 10, [".parquet of version 23 is missing"], True),
    (everything_at_once, 21, ["_last_checkpoint", "20.checkpoint.parquet", "23.json"], True),
]
# On S3 every request of the test server costs, so there only one of each kind.
ON_S3 = (cut_entry, empty_entry, missing_entry, cut_checkpoint, missing_data, garbled_footer, everything_at_once)
CASES = [
    pytest.param(where, *case, id=f"{where}-{case[0].__name__}")
    for case in DAMAGES
    for where in ("disk", "s3")
    if where == "disk" or case[0] in ON_S3
]


@pytest.mark.parametrize(("store", "damage", "good", "words", "fails"), CASES, indirect=["store"])
def test_a_damaged_table_goes_back_to_its_last_good_version(
    store: Store, catalog: Catalog, damage: Callable[[Store], None], good: int, words: list[str], fails: bool
) -> None:
    table = catalog.one_table(NAME)
    damage(store)
    before = store.all()
    silent_on_s3 = damage in (empty_entry, empty_entry_below) and isinstance(store.root, S3Root)
    if fails and not silent_on_s3:
        with pytest.raises(LakeError, match=rf"table {NAME}, version \d+,.*`macro doctor --repair`") as refusal:
            Lakehouse(store.root, catalog).read(table.name)
        assert "\n" not in str(refusal.value)
        assert "\x1b" not in str(refusal.value)
    (finding,) = [f for f in doctor_of(store) if not f.ok]
    assert finding.subject == NAME
    assert all(w in finding.message for w in [*words, "`macro doctor --repair`"])
    assert store.all() == before  # looking changes nothing

    report = repair(Lakehouse(store.root, catalog), NAME)
    assert report.good == good
    assert report.before == NEWEST
    assert all(w in report.message for w in words)
    assert_frame_equal(Lakehouse(store.root, catalog).read(table.name), conform(rows(good), table))
    assert examine(store.root, NAME) == []
    count = connect(root=store.root, catalog=one_source()).execute("SELECT count(*) FROM normalized.fred").fetchone()
    assert count == (good,)

    after = store.all()
    changed = {f for f in before | after if before.get(f) != after.get(f)}
    assert all(f.startswith(f"{NAME}/") for f in changed)
    assert set(before.values()) <= set(after.values())  # moved at most
    repeated = repair(Lakehouse(store.root, catalog), NAME)
    assert repeated.faults == ()
    assert store.all() == after

    assert overwrite(Lakehouse(store.root, catalog), table.name, rows(5), {}) > 0
    assert Lakehouse(store.root, catalog).read(table.name).height == 5


def doctor_of(store: Store) -> list[examination.Finding]:
    """The doctor's findings on the tables of a lake."""
    return [
        f for name, version in table_versions(store.root).items()
        if isinstance(f := examination._table(store.root, name, version), examination.Finding)
    ]  # fmt: skip


def test_a_sound_lake_is_left_untouched(store: Store, catalog: Catalog) -> None:
    before = store.all()
    times = {f: f.stat().st_mtime_ns for f in store.root.rglob("*")} if isinstance(store.root, Path) else {}
    assert doctor_of(store) == []
    for name, version in table_versions(store.root).items():
        report = repair(Lakehouse(store.root, catalog), name)
        assert report == RepairReport(name, version, version, (), None, f"{name}: version {version} is whole.")
    assert store.all() == before
    assert times == {f: f.stat().st_mtime_ns for f in times}


@pytest.mark.parametrize("name", [NAME, "raw/bundled", "other/partitioned"])
def test_an_entry_cut_off_anywhere_is_noticed(sound: Path, tmp_path: Path, name: str) -> None:
    shutil.copytree(sound / name, tmp_path / name)
    newest = tmp_path / name / entry(table_versions(sound)[name])
    content = newest.read_bytes()
    harmless = [content.rfind(b"\n") + n for n in (0, 1)] if b'"txn"' in content.rpartition(b"\n")[2] else []
    for length in range(len(content)):
        newest.write_bytes(content[:length])
        assert length in harmless or judge(filesystem(tmp_path / name), name).faults, length


def test_upkeep_leaves_the_quarantine_alone(tmp_path: Path, sound: Path, catalog: Catalog) -> None:
    shutil.copytree(sound, tmp_path / "a lake")
    store = Store(tmp_path / "a lake")
    everything_at_once(store)
    repair(Lakehouse(store.root, catalog), NAME)
    held = {f: c for f, c in store.all().items() if QUARANTINE in f}
    table = open_table(store.root, NAME)
    assert table is not None
    assert table.vacuum(retention_hours=0, dry_run=False, enforce_retention_duration=False, full=True)
    assert held == {f: c for f, c in store.all().items() if QUARANTINE in f}


def test_what_was_moved_and_why_is_on_record(store: Store) -> None:
    everything_at_once(store)
    original = store.read(entry(23))
    report = repair(Lakehouse.at(store.root), NAME)
    moved = {f.rpartition("/")[2]: f.removeprefix(f"{NAME}/") for f in store.all() if f"/{QUARANTINE}/" in f}
    assert set(moved) == {"repair.json", "_last_checkpoint", checkpoint(20)[11:], entry(23)[11:]}
    assert store.read(moved[entry(23)[11:]]) == original
    told = json.loads(store.read(moved["repair.json"]))
    assert (told["table"], told["newest_version"], told["rows_of_version"]) == (NAME, 23, 21)
    assert len(told["faults"]) == 4
    assert str(report.quarantine) in report.message


def test_the_restored_version_is_a_new_one_and_history_stays(store: Store) -> None:
    missing_data(store)
    repair(Lakehouse.at(store.root), NAME)
    table = open_table(store.root, NAME)
    assert table is not None
    assert table.version() == 24
    assert table.history(1)[0]["operation"] == "RESTORE"
    table.load_as_version(21)
    assert table.count() == 21


def test_a_table_with_an_extra_column_goes_back_to_its_old_columns(tmp_path: Path, catalog: Catalog) -> None:
    narrow = DeltaTable.create(
        tmp_path / "marts" / "one", pa.schema([("a", pa.int64())]), configuration={"delta.checkpointInterval": "10"}
    )
    write_deltalake(narrow, pa.table({"a": [1]}), mode="append")
    write_deltalake(narrow, pa.table({"a": [1], "b": [2]}), mode="overwrite", schema_mode="overwrite")
    (file,) = narrow.file_uris()
    Path(file).unlink()
    report = repair(Lakehouse(tmp_path, catalog), "marts/one")
    assert report.good == 1
    assert "have the program that writes it bring it up to date" in report.message
    assert DeltaTable(tmp_path / "marts" / "one").to_pyarrow_table().to_pydict() == {"a": [1]}


def test_an_empty_table_is_sound(tmp_path: Path, catalog: Catalog) -> None:
    DeltaTable.create(tmp_path / "marts" / "empty", pa.schema([("a", pa.int64())]))
    assert repair(Lakehouse(tmp_path, catalog), "marts/empty").faults == ()


def test_no_table_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(LakeError, match="there is no table raw/nothing in the lake"):
        repair(Lakehouse.at(tmp_path), "raw/nothing")


# --- what to do next ------------------------------------------------------------------------------------------------


def test_rows_of_a_raw_table_come_back_from_landing(store: Store, catalog: Catalog) -> None:
    store.write(entry(3), b"{", "raw/bundled")
    report = repair(Lakehouse(store.root, catalog), "raw/bundled")
    assert report.good == 2
    assert "Rows after that version are missing" in report.message
    assert "`macro rebuild bundled` brings all rows back from landing" in report.message
    assert read_raw(Lakehouse(store.root, catalog), "bundled")["value"].sort().to_list() == [101.0, 102.0]
    done = append_vintages("bundled", vintages(3), "again", root=store.root, catalog=catalog)
    assert (done.new, done.version) == (1, 3)


def test_a_raw_table_is_not_rebuilt_from_a_landing_that_lost_something(store: Store, catalog: Catalog) -> None:
    store.write(entry(3), b"", "raw/bundled")
    store.write(entry(3), b"", "landing/bundled")
    message = repair(Lakehouse(store.root, catalog), "landing/bundled").message
    assert "Do not run `macro rebuild bundled`" in message
    message = repair(Lakehouse(store.root, catalog), "raw/bundled").message
    assert "`macro restore` brings all rows back from a backup" in message
    assert "landing/bundled is not whole" in message


def test_a_raw_table_without_a_good_version_makes_way_for_a_rebuild(store: Store, catalog: Catalog) -> None:
    store.write(entry(0), b"{", "raw/bundled")
    before = store.all()
    report = repair(Lakehouse(store.root, catalog), "raw/bundled")
    assert report.good is None
    assert "No good version is left, and the table was set aside" in report.message
    assert "`macro rebuild bundled` makes it anew from landing; do that before anything is run" in report.message
    assert open_any(store.root, "raw/bundled") is None
    assert set(before.values()) <= set(store.all().values())


@pytest.mark.parametrize(
    ("damaged", "says"),
    [
        (1, "What later vintages did not say is missing: `macro rebuild bundled` brings all rows back from landing"),
        (0, "`macro rebuild bundled` makes it anew from landing"),
    ],
)
def test_silences_come_back_with_a_rebuild(store: Store, catalog: Catalog, damaged: int, says: str) -> None:
    store.write(entry(damaged), b"{", "silences/bundled")
    assert says in repair(Lakehouse(store.root, catalog), "silences/bundled").message


def test_a_raw_table_that_landing_cannot_make_is_left_as_it_is(store: Store, catalog: Catalog) -> None:
    store.write(entry(0), b"{", "raw/bundled")
    store.write(entry(3), b"{", "landing/bundled")
    before = store.all()
    assert "it was left as it is: `macro restore`" in repair(Lakehouse(store.root, catalog), "raw/bundled").message
    assert store.all() == before


@pytest.mark.parametrize(
    ("name", "way"), [("landing/bundled", "`macro restore`"), ("other/partitioned", "`macro restore`")]
)
def test_what_cannot_be_made_anew_is_restored_from_a_backup(store: Store, name: str, way: str) -> None:
    store.write(entry(0), b"", name)
    before = store.all()
    assert way in repair(Lakehouse.at(store.root), name).message
    assert store.all() == before


def test_a_computed_table_without_a_good_version_makes_way(store: Store, catalog: Catalog) -> None:
    garbled_checkpoints(store)
    store.remove(entry(0))
    report = repair(Lakehouse(store.root, catalog), NAME)
    assert report.good is None
    assert f"`macro run {NAME}` makes it anew" in report.message
    assert open_table(store.root, NAME) is None
    overwrite(Lakehouse(store.root, catalog), NAME, rows(4), {})
    assert examine(store.root, NAME) == []
    assert Lakehouse(store.root, catalog).read(NAME).height == 4


@pytest.mark.parametrize("store", ["s3"], indirect=True)
def test_a_store_that_fails_is_not_damage(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    missing_data(store)
    before = store.all()
    with monkeypatch.context() as away:
        away.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        with pytest.raises(LakeError, match="cannot be looked at.*Nothing was changed"):
            repair(Lakehouse.at(store.root), NAME)
    assert store.all() == before


def test_a_checkpoint_in_parts_and_files_of_other_writers_are_understood(tmp_path: Path, catalog: Catalog) -> None:
    folder = tmp_path / "other" / "spark"
    write_deltalake(str(folder), pa.table({"a": [1]}))
    DeltaTable(folder).create_checkpoint()
    log = folder / "_delta_log"
    content = (log / f"{0:020d}.checkpoint.parquet").read_bytes()
    (log / f"{0:020d}.checkpoint.parquet").unlink()
    (log / f"{0:020d}.checkpoint.0000000001.0000000001.parquet").write_bytes(content)
    (log / "_last_checkpoint").write_text('{"version":0,"size":3,"parts":1}')
    (log / f"{0:020d}.crc").write_text("{}")
    assert repair(Lakehouse(tmp_path, catalog), "other/spark").faults == ()


# --- the command ----------------------------------------------------------------------------------------------------


def test_doctor_repairs_and_the_commands_it_names_bring_the_rows_back(copied: Home, built: Built) -> None:
    name = "charts/credit_spread"
    (file,) = DeltaTable(copied.lake / name).file_uris()
    Path(file).unlink()
    raw = copied.lake / "raw" / "bundled" / entry(1)
    raw.write_bytes(raw.read_bytes()[:1000])

    looked = copied.macro("doctor", expect=1).stdout
    assert f"WRONG  {name}: version 1:" in looked
    assert "WRONG  raw/bundled: version 1:" in looked
    assert "mended" not in looked
    repaired = " ".join(copied.macro("doctor", "--repair").stdout.split())
    assert f"mended {name}, version 1:" in repaired
    assert f"`macro run {name} --force`" in repaired
    assert "mended raw/bundled, version 1:" in repaired
    assert "Rows after that version are missing: `macro rebuild bundled`" in repaired
    assert "WRONG" not in repaired
    assert "nothing to repair" in copied.macro("doctor", "--repair").stdout

    copied.macro("run", name, "--force")
    copied.macro("rebuild", "bundled")
    for table in (name, "raw/bundled"):
        mended, original = (pl.read_delta(str(h.lake / table)) for h in (copied, built.home))
        keys = ["chart"] if table == name else ["series_id", "observation_date", "release_time"]
        assert_frame_equal(mended.sort(keys), original.sort(keys))


def test_a_raw_table_that_was_set_aside_is_rebuilt(copied: Home, built: Built) -> None:
    (copied.lake / "raw" / "bundled" / entry(0)).write_bytes(b"")
    repaired = " ".join(copied.macro("doctor", "--repair", expect=1).stdout.split())
    assert "`macro rebuild bundled` makes it anew from landing" in repaired
    copied.macro("rebuild", "bundled")
    keys = ["series_id", "observation_date", "release_time"]
    mended, original = (pl.read_delta(str(h.lake / "raw" / "bundled")).sort(keys) for h in (copied, built.home))
    assert_frame_equal(mended, original)
