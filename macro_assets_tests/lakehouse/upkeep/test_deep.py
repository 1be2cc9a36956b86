"""Bit rot: data files that can be read and hold something else than was written are found, named and led out of."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from macro_assets.catalog import Catalog, default_catalog
from macro_assets.cli import examination
from macro_assets.lakehouse import append_vintages, fingerprints, s3
from macro_assets.lakehouse.delta import LakeError, logged_files, open_table, table_versions
from macro_assets.lakehouse.fingerprints import FOLDER, recorded
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.landing import land
from macro_assets.lakehouse.paths import Root, S3Root
from macro_assets.lakehouse.upkeep.backup import backup
from macro_assets.lakehouse.upkeep.damage import CHANGED, UNREADABLE
from macro_assets.lakehouse.upkeep.deep import compare
from macro_assets.lakehouse.upkeep.maintenance import maintain_table
from macro_assets.lakehouse.upkeep.manifests import object_path
from macro_assets.lakehouse.upkeep.repair import put_back, repair
from macro_assets.lakehouse.upkeep.restore import restore
from macro_assets.lakehouse.write import overwrite
from macro_assets_tests.conftest import make_home
from macro_assets_tests.lakehouse.synthetic import scored
from macro_assets_tests.lakehouse.upkeep.test_repair import receipts, vintages

RAW, LANDING, DERIVED = "raw/bundled", "landing/bundled", "normalized/fred"


def rows(n: int) -> pl.DataFrame:
    dated = {"source": "bundled", "series_id": [f"S{i}" for i in range(n)], "observation_date": date(2020, 1, 1)}
    return scored(pl.DataFrame({**dated, "zscore": float(n)}))


def fill(lake: Lakehouse) -> None:
    for n in (1, 2, 3):
        overwrite(lake, DERIVED, rows(n), {})
        append_vintages("bundled", vintages(n), f"run {n}", root=lake.root)
        land(lake, "bundled", receipts(n), {})


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("sound") / "a lake"
    fill(Lakehouse(root, default_catalog()))
    return root


@pytest.fixture
def lake(template: Path, tmp_path: Path, catalog: Catalog) -> Lakehouse:
    return Lakehouse(Path(shutil.copytree(template, tmp_path / "a lake")), catalog)


def data_files(root: Root, name: str) -> list[str]:
    stored = open_table(root, name)
    assert stored is not None
    return [*logged_files(stored)]


def flip(root: Root, name: str, file: str | None = None, position: int | None = None) -> str:
    """Flip one bit of a table's data file, the first by default; its size stays.

    By default in the name of the program that wrote it, which readers take as it is.
    """
    file = file or data_files(root, name)[0]
    place = root / name / file
    if isinstance(place, S3Root):
        client = s3.settings().client()
        content = bytearray(client.get_object(Bucket=place.bucket, Key=place.prefix)["Body"].read())
    else:
        content = bytearray(place.read_bytes())
    content[content.rfind(b"quet-rs") - 1 if position is None else position] ^= 2
    if isinstance(place, S3Root):
        client.put_object(Bucket=place.bucket, Key=place.prefix, Body=bytes(content))
    else:
        place.write_bytes(content)
    return file


def test_a_flipped_bit_is_found_wherever_it_is(lake: Lakehouse) -> None:
    sound = compare(lake.root)
    assert (sound.tables, sound.faults, sound.new) == (4, {}, {}), "silences too"
    assert sound.bytes == sum(f.stat().st_size for f in current_files(lake))
    (file,) = data_files(lake.root, DERIVED)
    size = (lake.root / DERIVED / file).stat().st_size
    for position in range(0, size, size // 7):
        flip(lake.root, DERIVED, file, position)
        ((name, (fault,)),) = compare(lake.root).faults.items()
        assert (name, fault.version, fault.file) == (DERIVED, 3, file)
        assert fault.problem in (CHANGED, UNREADABLE)
        flip(lake.root, DERIVED, file, position)
    assert compare(lake.root).faults == {}


def current_files(lake: Lakehouse) -> Iterator[Path]:
    for name in (RAW, LANDING, DERIVED, "silences/bundled"):
        if (lake.root / name).exists():
            yield from (lake.root / name / file for file in data_files(lake.root, name))


def test_a_lake_of_an_earlier_version_is_taken_on_record_once_and_told(lake: Lakehouse) -> None:
    for folder in lake.root.glob(f"*/*/{FOLDER}"):
        shutil.rmtree(folder)
    looked = compare(lake.root, take=False)
    assert set(looked.new) >= {RAW, LANDING, DERIVED}
    assert recorded(lake.root, RAW) == {}, "only looked at"
    assert compare(lake.root).new == looked.new
    assert recorded(lake.root, RAW).keys() == set(data_files(lake.root, RAW))
    assert compare(lake.root).new == {}
    flip(lake.root, RAW)
    assert [*compare(lake.root).faults] == [RAW]


def test_a_file_that_cannot_be_read_is_not_taken_on_record(lake: Lakehouse) -> None:
    shutil.rmtree(lake.root / DERIVED / FOLDER)
    (file,) = data_files(lake.root, DERIVED)
    content = (lake.root / DERIVED / file).read_bytes()
    (lake.root / DERIVED / file).write_bytes(bytes(200) + content[200:])
    done = compare(lake.root)
    ((name, (fault,)),) = done.faults.items()
    assert (name, fault.problem) == (DERIVED, UNREADABLE)
    assert DERIVED not in done.new
    assert recorded(lake.root, DERIVED) == {}


def test_a_lake_that_cannot_be_written_is_compared_all_the_same(
    lake: Lakehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise LakeError("no permission")

    shutil.rmtree(lake.root / DERIVED / FOLDER)
    flip(lake.root, RAW)
    monkeypatch.setattr(fingerprints, "write_file", refused)
    done = compare(lake.root)
    assert ([*done.faults], [*done.new], done.untaken) == ([RAW], [DERIVED], "no permission")


def test_damage_and_its_cost_are_told_with_the_way_out(lake: Lakehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MACRO_LAKE", str(lake.root))
    file = flip(lake.root, DERIVED)
    told = examination._contents(None)
    assert [(f.subject, f.ok) for f in told] == [("content", True), (DERIVED, False)]
    assert "data files of 4 tables" in told[0].message
    assert "MB/s" in told[0].message
    for word in (f"version 3: {file}", CHANGED, "`macro doctor --deep --repair --from BACKUPS`"):
        assert word in told[1].message


def test_the_doctor_compares_and_repairs_when_asked(
    template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examination, "_sql", lambda: "not looked at")
    home = make_home(tmp_path)
    shutil.copytree(template, home.lake)
    flip(home.lake, DERIVED)
    assert "WRONG" not in home.macro("doctor").stdout
    told = " ".join(home.macro("doctor", "--deep", expect=1).stdout.split())
    assert "data files of 4 tables" in told
    assert f"WRONG {DERIVED}: version 3: part-" in told
    assert "nothing to repair; --deep compares" in " ".join(home.macro("doctor", "--repair").stdout.split())
    told = " ".join(home.macro("doctor", "--deep", "--repair").stdout.split())
    assert f"mended {DERIVED}, version 3: part-" in told
    assert "WRONG" not in told


# --- repair ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["disk", "s3"])
def test_a_computed_table_goes_back_to_the_last_version_without_the_file(
    where: str, lake: Lakehouse, catalog: Catalog, request: pytest.FixtureRequest
) -> None:
    if where == "s3":
        lake = Lakehouse(S3Root(request.getfixturevalue("s3_bucket"), "a/lake"), catalog)
        for n in (1, 2, 3):
            overwrite(lake, DERIVED, rows(n), {})
    flip(lake.root, DERIVED)
    assert repair(lake, DERIVED).faults == (), "seen by nothing but a deep look"
    done = repair(lake, DERIVED, deep=True)
    assert done.good == 2
    assert CHANGED in done.message
    assert f"`macro run {DERIVED} --force` computes it" in done.message
    assert lake.read(DERIVED).height == 2
    assert compare(lake.root).faults == {}
    assert compare(lake.root).new == {}, "what an older version is made of keeps its record"


def test_a_raw_table_goes_back_only_where_landing_has_its_rows(lake: Lakehouse) -> None:
    damaged = data_files(lake.root, RAW)
    flip(lake.root, LANDING)
    flip(lake.root, RAW, damaged[-1])
    assert repair(lake, RAW, deep=True).good is None
    assert lake.read(RAW).height == 3
    flip(lake.root, LANDING)
    done = repair(lake, RAW, deep=True)
    assert "`macro rebuild bundled`" in done.message
    assert lake.read(RAW).height < 3


def test_what_nothing_else_has_is_left_as_it_is(lake: Lakehouse) -> None:
    flip(lake.root, LANDING)
    done = repair(lake, LANDING, deep=True)
    assert done.good is None
    assert "It was left as it is" in done.message
    assert "`--from BACKUPS` puts back" in done.message
    assert lake.read(LANDING).height == 3


@pytest.mark.parametrize("name", [LANDING, DERIVED])
@pytest.mark.parametrize("harm", [flip, lambda root, name: (root / name / data_files(root, name)[0]).unlink()])
def test_a_backup_has_what_was_written(
    lake: Lakehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, harm: Callable[[Path, str], object], name: str
) -> None:
    monkeypatch.setenv("MACRO_LAKE", str(lake.root))
    backup(lake.root, tmp_path / "backups")
    before = lake.read(name)
    harm(lake.root, name)
    (done,) = examination.mend(deep=True, backups=tmp_path / "backups")
    assert (done.subject, done.ok) == (name, True)
    assert "What was written was put back from" in done.message
    assert lake.read(name).equals(before)
    assert table_versions(lake.root)[name] == 3
    assert compare(lake.root).faults == {}


def test_a_backup_that_is_damaged_or_lacks_a_file_puts_nothing_back(lake: Lakehouse, tmp_path: Path) -> None:
    backup(lake.root, tmp_path / "backups")
    file = flip(lake.root, DERIVED)
    faults = compare(lake.root).faults[DERIVED]
    damaged = tmp_path / "backups" / object_path(recorded(lake.root, DERIVED)[file])
    damaged.write_bytes(b"something else")
    assert put_back(lake.root, tmp_path / "backups", faults) == []
    damaged.unlink()
    assert put_back(lake.root, tmp_path / "backups", faults) == []
    assert [*compare(lake.root).faults] == [DERIVED]
    assert repair(lake, DERIVED, deep=True).good == 2


def test_a_mistyped_place_of_backups_takes_nothing_back(
    lake: Lakehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MACRO_LAKE", str(lake.root))
    flip(lake.root, DERIVED)
    with pytest.raises(LakeError, match="there is no backup at"):
        list(examination.mend(deep=True, backups=tmp_path / "backpus"))
    assert table_versions(lake.root)[DERIVED] == 3


# --- backup, restore, upkeep ----------------------------------------------------------------------------------------


def test_a_backup_refuses_a_file_that_is_not_as_it_was_written(lake: Lakehouse, tmp_path: Path) -> None:
    file = flip(lake.root, DERIVED)
    words = rf"table {DERIVED}, version 3: file {DERIVED}/{file} has other content than was written.*--deep`"
    with pytest.raises(LakeError, match=words):
        backup(lake.root, tmp_path / "backups")
    flip(lake.root, DERIVED, file)
    assert backup(lake.root, tmp_path / "backups").tables == 4


def test_a_backup_refuses_a_file_that_is_not_as_it_was_backed_up(lake: Lakehouse, tmp_path: Path) -> None:
    """Of a lake without records. A file with the same time is not read again, and the backup keeps the right one."""
    for folder in lake.root.glob(f"*/*/{FOLDER}"):
        shutil.rmtree(folder)
    first = backup(lake.root, tmp_path / "backups")
    flip(lake.root, DERIVED)
    with pytest.raises(LakeError, match=f"table {DERIVED}, version 3: file .* has other content than was backed up"):
        backup(lake.root, tmp_path / "backups")
    flip(lake.root, DERIVED)
    assert backup(lake.root, tmp_path / "backups").bytes_reused == first.bytes


def test_a_restored_lake_is_on_record(lake: Lakehouse, tmp_path: Path) -> None:
    backup(lake.root, tmp_path / "backups")
    restored = tmp_path / "restored"
    restore(tmp_path / "backups", restored)
    for name in (RAW, LANDING, DERIVED):
        known = recorded(lake.root, name)
        assert recorded(restored, name) == {file: known[file] for file in data_files(lake.root, name)}
    flip(restored, RAW)
    assert [*compare(restored).faults] == [RAW]


def test_upkeep_keeps_records_as_long_as_their_files(lake: Lakehouse) -> None:
    now = datetime(2026, 11, 1, tzinfo=UTC)
    table = open_table(lake.root, DERIVED)
    assert table is not None
    every = recorded(lake.root, DERIVED)
    assert len(every) == 3
    assert len(table.vacuum(retention_hours=0, dry_run=False, enforce_retention_duration=False, full=True)) == 2
    assert recorded(lake.root, DERIVED) == every, "a vacuum leaves them alone"
    maintain_table(lake, DERIVED, now)
    assert recorded(lake.root, DERIVED) == every, "and young ones stay: a writer may just have made them"
    make_old(lake.root / DERIVED / FOLDER)
    maintain_table(lake, DERIVED, now)
    assert recorded(lake.root, DERIVED).keys() == set(data_files(lake.root, DERIVED))


def make_old(folder: Path) -> None:
    forty_days_ago = time.time() - 40 * 86400
    for file in folder.iterdir():
        os.utime(file, (forty_days_ago, forty_days_ago))
