"""Backups of real Delta tables: what is restored answers as before, whatever happened in between."""

from __future__ import annotations

import json
import logging
import multiprocessing
import os
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import duckdb
import polars as pl
import pytest
from deltalake import DeltaTable, TableFeatures, write_deltalake
from moto.server import ThreadedMotoServer
from polars.testing import assert_frame_equal

from macro_assets.catalog import default_catalog
from macro_assets.lakehouse import append_vintages, connect, observations_as_of, s3
from macro_assets.lakehouse.delta import LakeError, open_any, open_table, table_versions
from macro_assets.lakehouse.files import read_file, write_file
from macro_assets.lakehouse.fingerprints import told_by
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.paths import Root, S3Root, charts_folder, filesystem, storage_options
from macro_assets.lakehouse.upkeep import backup as backup_module
from macro_assets.lakehouse.upkeep import copying, manifests, snapshot
from macro_assets.lakehouse.upkeep import restore as restore_module
from macro_assets.lakehouse.upkeep.backup import backup
from macro_assets.lakehouse.upkeep.copying import listing
from macro_assets.lakehouse.upkeep.destination import backups, refuse_nested
from macro_assets.lakehouse.upkeep.manifests import Manifest
from macro_assets.lakehouse.upkeep.restore import is_half_restored, restore
from macro_assets.lakehouse.upkeep.verify import verify
from macro_assets.lakehouse.write import compact, overwrite
from macro_assets_tests.lakehouse.synthetic import one_source, scored

CATALOG = one_source()
SERIES = ["PAYEMS", "INDPRO", "UNRATE"]
MONTHS = [date(2015 + n // 12, n % 12 + 1, 1) for n in range(600)]
OTHER = "elsewhere/of another program"
CHART, PACKED = b"<html>a chart</html>", b"not gzip, whatever the name says"
QUESTIONS = ["2014-12-31", "2015-06-15", "2016-01-15", "2016-02-28", "2026-01-01"]


def vintage(n: int) -> pl.DataFrame:
    """The n-th vintage: one more month of each series, and the month before revised."""
    released = datetime(2015, 1, 1, tzinfo=UTC) + timedelta(days=31 * n)
    rows = [
        (series, MONTHS[m], float(100 * k + 10 * m + n), released)
        for k, series in enumerate(SERIES)
        for m in range(max(n - 1, 0), n + 1)
    ]
    return pl.DataFrame(rows, schema=["series_id", "observation_date", "value", "release_time"], orient="row").select(
        pl.all(),
        release_basis=pl.lit("provider"),
        provider=pl.lit("bundled"),
        ingested_at=pl.lit(released + timedelta(hours=1)),
        payload_sha256=pl.lit("x"),
    )


def zscores(n: int) -> pl.DataFrame:
    return scored(
        pl.DataFrame(
            {
                "source": ["bundled"] * n,
                "series_id": ["PAYEMS"] * n,
                "observation_date": MONTHS[:n],
                "zscore": [float(i) for i in range(n)],
            }
        )
    )


def append_other(lake: Root, n: int) -> None:
    """A table of another program, its partition with all that is escaped in an address."""
    rows = pl.DataFrame({"x": [n], "part": ["a b%/é:"]}).to_arrow()
    options = storage_options(lake)
    write_deltalake(str(lake / OTHER), rows, mode="append", partition_by=["part"], storage_options=options)


def build(lake: Root, vintages: int = 13) -> None:
    """Checkpoints, a compaction, an overwritten table, a table of another program and files that are no tables."""
    for n in range(vintages - 1):
        append_vintages("bundled", vintage(n), f"run-{n}", root=lake)
    raw = open_table(lake, "raw/bundled")
    assert raw is not None
    compact(lake, "raw/bundled", raw, 1)
    append_vintages("bundled", vintage(vintages - 1), "last", root=lake)
    for n in (3, 5, 4):
        overwrite(Lakehouse(lake, CATALOG), "normalized/fred", zscores(n), {})
    append_other(lake, 1)
    append_other(lake, 2)
    write_file(charts_folder(lake), "gdp.html", CHART)
    write_file(charts_folder(lake), "gdp.svg.gz", PACKED)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("template") / "a lake"
    build(folder)
    log = folder / "raw/bundled/_delta_log"
    assert list(log.glob("*.checkpoint.parquet"))
    assert (log / "_last_checkpoint").exists()
    return folder


@pytest.fixture
def lake(template: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(template, tmp_path / "a lake"))


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "backups"


@pytest.fixture(scope="session")
def endpoint() -> Iterator[str]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty bucket on a local server."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "canary-key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary-secret")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    name = f"lake-{uuid4().hex[:12]}"
    s3.settings().client().create_bucket(Bucket=name)
    return name


def answers(lake: Root) -> list[pl.DataFrame]:
    """What every question is answered, by Polars and by SQL."""
    con = connect(root=lake, catalog=CATALOG)
    by = ["source", "series_id", "observation_date"]
    frames = []
    for moment in QUESTIONS:
        frames.append(observations_as_of(moment, root=lake, catalog=CATALOG))
        sql = con.execute("FROM observations_as_of(?)", [moment]).pl().sort(by)
        assert_frame_equal(sql.select(frames[-1].columns), frames[-1])
        frames.append(sql)
    frames.append(con.execute("SELECT * FROM normalized.fred ORDER BY ALL").pl())
    frames.append(con.execute(f'SELECT * FROM "elsewhere"."{OTHER.split("/")[1]}" ORDER BY ALL').pl())
    con.close()
    return frames


def assert_same(lake: Root, expected: list[pl.DataFrame]) -> None:
    for frame, wanted in zip(answers(lake), expected, strict=True):
        assert_frame_equal(frame, wanted)


def state(lake: Root) -> dict[str, tuple[int, list[dict[str, Any]]]]:
    """Version and rows of every table: what `answers` are made of, ten times as fast."""
    tables = {name: open_any(lake, name) for name in table_versions(lake)}
    return {n: (t.version(), rows_of(t).sort(pl.all()).to_dicts()) for n, t in tables.items() if t is not None}


def rows_of(table: DeltaTable) -> pl.DataFrame:
    return pl.DataFrame(table.to_pyarrow_table())  # Polars' own reader does not find files with a % in their name


def contents(root: Path) -> dict[str, bytes]:
    return {str(f.relative_to(root)): f.read_bytes() for f in root.rglob("*") if f.is_file()}


def backed_up(paths: Iterable[str]) -> set[str]:
    """Those that a backup has: records of what files held are made anew from its manifest."""
    return {path for path in paths if not told_by([path])}


def manifest_of(store: Root) -> Manifest:
    moments = backups(store)
    path = manifests.manifest_path(moments[-1])
    return manifests.decode(path, b"".join(copying.chunks(filesystem(store), path)))


def object_of(store: Path, like: str) -> tuple[str, Path]:
    """A file of the newest backup whose path has that text, and its object."""
    entry = next(f for f in manifest_of(store).files if like in f.path)
    return entry.path, store / manifests.object_path(entry.sha256)


class Interrupted(Exception):  # noqa: N818 - it is no error
    pass


def interrupt(monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    """Let copying fail after that many files."""
    place, left, lock = copying.place, [after], threading.Lock()

    def failing(*arguments: Any, **named: Any) -> None:
        with lock:
            left[0] -= 1
            if left[0] < 0:
                raise Interrupted
        place(*arguments, **named)

    monkeypatch.setattr(backup_module, "place", failing)
    monkeypatch.setattr(restore_module, "place", failing)


# --- what was backed up comes back ---------------------------------------------------------------------------------


def test_a_restored_lake_answers_as_before_whatever_its_file_times(lake: Path, store: Path, tmp_path: Path) -> None:
    before = answers(lake)
    made = backup(lake, store)
    assert (made.tables, made.files_copied, made.bytes_reused) == (4, made.files, 0)
    restored = tmp_path / "restored"
    report = restore(store, restored)
    assert (report.files, report.bytes_copied, report.bytes_reused) == (made.files, made.bytes, 0)
    assert table_versions(restored) == table_versions(lake)
    assert_same(restored, before)
    assert read_file(charts_folder(restored), "gdp.html") == CHART
    assert contents(restored)["files/charts/gdp.svg.gz"] == PACKED
    for file in restored.rglob("*"):
        os.utime(file, (0, 0))
    assert_same(restored, before)


def test_a_restored_lake_can_be_written_and_backed_up_again(lake: Path, store: Path, tmp_path: Path) -> None:
    backup(lake, store)
    restored = tmp_path / "restored"
    restore(store, restored)
    assert {p.stat().st_mode for p in restored.rglob("*.json")} == {p.stat().st_mode for p in lake.rglob("*.json")}
    for at in (lake, restored):
        append_vintages("bundled", vintage(13), "after", root=at)
    assert_frame_equal(observations_as_of(None, root=restored), observations_as_of(None, root=lake))
    again = backup(restored, store)
    assert again.files_copied < 10
    assert verify(store).ok


def test_only_the_tables_at_their_versions_and_other_files_are_in_a_backup(lake: Path, store: Path) -> None:
    (lake / "normalized/fred/orphan.parquet").write_bytes(b"left by a killed writer")
    (lake / "files/charts/.gdp.html.4711").write_bytes(b"being written")
    (lake / "notes").mkdir()
    (lake / "notes/readme.txt").write_bytes(b"kept")
    backup(lake, store)
    manifest = manifest_of(store)
    assert manifest.tables == table_versions(lake)
    paths = {f.path for f in manifest.files}
    data = {p for p in paths if p.startswith("normalized/fred/part-")}
    stored = open_table(lake, "normalized/fred")
    assert stored is not None
    assert len(data) == len(stored.file_uris()) == 1
    assert {"notes/readme.txt", "files/charts/gdp.html"} <= paths
    assert not [p for p in paths if "orphan" in p or ".html.4711" in p or "_last_checkpoint" in p]


def test_an_empty_table_is_kept(lake: Path, store: Path, tmp_path: Path) -> None:
    catalog = default_catalog()
    overwrite(Lakehouse(lake, catalog), "normalized/fred", zscores(1).clear(), {})
    backup(lake, store)
    restore(store, tmp_path / "restored")
    table = open_table(tmp_path / "restored", "normalized/fred")
    assert table is not None
    assert table.count() == 0


def test_deletion_vectors_are_kept_with_the_tables_that_use_them(lake: Path, store: Path) -> None:
    for name in (OTHER, "normalized/fred"):
        (lake / name / "deletion_vector_1.bin").write_bytes(b"which rows are gone")
    DeltaTable(str(lake / OTHER)).alter.add_feature(
        TableFeatures.DeletionVectors, allow_protocol_versions_increase=True
    )
    backup(lake, store)
    assert [f.path for f in manifest_of(store).files if f.path.endswith(".bin")] == [f"{OTHER}/deletion_vector_1.bin"]


def test_what_was_committed_meanwhile_is_left_for_the_next_backup(
    lake: Path, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def then_made(root: Root) -> dict[str, int]:
        versions = table_versions(root)
        write_deltalake(str(root / "elsewhere/new"), pl.DataFrame({"x": [1]}).to_arrow())
        append_other(root, 3)
        return versions

    monkeypatch.setattr(snapshot, "table_versions", then_made)
    backup(lake, store)
    manifest = manifest_of(store)
    assert manifest.tables[OTHER] == 1
    assert not [f for f in manifest.files if f.path.startswith("elsewhere/new")]
    assert not [f for f in manifest.files if f.path.endswith("00000000000000000002.json") and OTHER in f.path]


# --- incremental ---------------------------------------------------------------------------------------------------


def test_the_next_backup_reads_and_copies_only_what_is_new(
    lake: Path, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = backup(lake, store)
    chunks, read = copying.chunks, []

    def recorded(files: Any, path: str) -> Iterator[bytes]:
        read.append(path)
        return chunks(files, path)

    monkeypatch.setattr(copying, "chunks", recorded)
    same = backup(lake, store)
    loose = ["files/charts/gdp.html", "files/charts/gdp.svg.gz"]
    assert (same.files_copied, same.bytes_copied, same.bytes_reused) == (0, 0, first.bytes)
    assert sorted(p for p in read if not p.startswith("manifests/")) == loose
    read.clear()
    append_vintages("bundled", vintage(13), "next", root=lake)
    write_file(charts_folder(lake), "gdp.html", b"redrawn")
    third = backup(lake, store)
    new = [p for p in read if not p.startswith("manifests/") and p not in loose]
    assert new
    assert all(p.startswith(("raw/bundled/", "silences/bundled/")) for p in new)
    assert third.files_copied == len(new) + 1
    assert third.bytes_copied == sum((lake / p).stat().st_size for p in new) + len(b"redrawn")


def test_a_rewritten_chart_of_the_same_size_and_time_is_copied(lake: Path, store: Path) -> None:
    backup(lake, store)
    page = charts_folder(lake) / "gdp.html"
    times = page.stat()
    page.write_bytes(CHART.swapcase())
    os.utime(page, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert backup(lake, store).files_copied == 1


def test_the_same_content_is_stored_once(lake: Path, store: Path) -> None:
    write_file(charts_folder(lake), "copy.html", CHART)
    backup(lake, store)
    assert len([p for p in (store / "objects").rglob("*") if p.is_file() and p.read_bytes() == CHART]) == 1


def test_an_object_that_was_lost_is_copied_again(lake: Path, store: Path) -> None:
    backup(lake, store)
    for like in ("gdp.html", "raw/bundled/part-"):
        object_of(store, like)[1].unlink()
    assert not verify(store).ok
    assert backup(lake, store).files_copied == 2
    assert verify(store).ok


def test_each_backup_is_restored_as_it_was_then(lake: Path, store: Path, tmp_path: Path) -> None:
    expected = {}
    for n in range(3):
        expected[backup(lake, store).taken_at] = answers(lake)
        append_vintages("bundled", vintage(13 + n), f"run-{n}", root=lake)
    assert backups(store) == list(expected)
    for k, (moment, wanted) in enumerate(expected.items()):
        after = (moment + timedelta(microseconds=1)).isoformat()
        assert verify(store, after).taken_at == moment
        assert restore(store, tmp_path / f"{k}", moment if k else after).taken_at == moment
        assert_same(tmp_path / f"{k}", wanted)
    assert restore(store, tmp_path / "today", datetime.now(UTC).date().isoformat()).taken_at == backups(store)[-1]


def test_a_clock_set_back_does_not_hide_the_newest_backup(
    lake: Path, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = backup(lake, store)

    class Past(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Past:
            return cls(2001, 1, 1, tzinfo=UTC)

    monkeypatch.setattr(snapshot, "datetime", Past)
    second = backup(lake, store)
    assert second.taken_at > first.taken_at
    assert verify(store).manifest == second.manifest


# --- damage --------------------------------------------------------------------------------------------------------


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


@pytest.mark.parametrize("like", ["raw/bundled/part-", "_delta_log/00000000000000000003.json", ".checkpoint", "gdp."])
@pytest.mark.parametrize(
    ("harm", "word"), [(flip, "damaged"), (Path.unlink, "missing"), (lambda f: f.write_bytes(b""), "damaged")]
)
def test_a_bad_object_is_named_and_never_restored(
    lake: Path, store: Path, tmp_path: Path, like: str, harm: Callable[[Path], None], word: str
) -> None:
    backup(lake, store)
    path, stored = object_of(store, like)
    harm(stored)
    report = verify(store)
    assert not report.ok
    assert path in report.problems
    assert word in report.problems[path]
    assert len(report.problems) == 1
    with pytest.raises(LakeError, match=f"file {path}.*(damaged|missing).*--verify.*--at"):
        restore(store, tmp_path / "restored")
    assert not (tmp_path / "restored" / path).exists()


def test_a_damaged_lake_file_never_replaces_a_good_backup(lake: Path, store: Path) -> None:
    backup(lake, store)
    data = next((lake / "raw/bundled").glob("*.parquet"))
    active = manifest_of(store)
    data = lake / next(f.path for f in active.files if f.path.startswith("raw/bundled/part-"))
    data.write_bytes(data.read_bytes()[:-100])
    with pytest.raises(LakeError, match=r"table raw/bundled \(it has .* bytes, not .*macro doctor --repair"):
        backup(lake, store)
    data.unlink()
    with pytest.raises(LakeError, match=r"data file .* of table raw/bundled is missing or damaged, 3 looks"):
        backup(lake, store)
    assert len(backups(store)) == 1
    assert verify(store).ok


def test_a_log_that_cannot_be_read_is_refused(lake: Path, store: Path) -> None:
    newest = max((lake / "normalized/fred/_delta_log").glob("*.json"))
    newest.write_bytes(newest.read_bytes()[:40])
    with pytest.raises(LakeError, match="version 3 of table normalized/fred"):
        backup(lake, store)
    assert backups(store) == []


def edited(document: dict[str, Any], **changes: Any) -> bytes:
    return json.dumps({**document, "manifest": {**document["manifest"], **changes}}).encode()


def test_a_manifest_that_was_changed_is_refused(lake: Path, store: Path, tmp_path: Path) -> None:
    made = backup(lake, store)
    file = store / made.manifest
    whole = file.read_bytes()
    document = json.loads(whole)
    fewer = document["manifest"]["files"][1:]
    for content in (edited(document, files=fewer), edited(document, tables={}), whole[:-40], b"", b"[]", b"null"):
        file.write_bytes(content)
        for attempt in (lambda: verify(store), lambda: restore(store, tmp_path / "restored")):
            with pytest.raises(LakeError, match=f"manifest {made.manifest} is damaged or was changed"):
                attempt()
    assert not (tmp_path / "restored").exists()
    assert backup(lake, store).files_copied == 0
    assert verify(store).ok


@pytest.mark.parametrize("path", ["../outside", "/etc/outside", "a/../../outside", "", "a//b", "a\0b"])
def test_a_manifest_that_leads_out_of_the_lake_is_refused(lake: Path, store: Path, tmp_path: Path, path: str) -> None:
    made = backup(lake, store)
    body = json.loads((store / made.manifest).read_bytes())["manifest"]
    body["files"][0]["path"] = path
    forged = json.dumps({"manifest": body, "sha256": manifests._sha256(body)}).encode()
    (store / made.manifest).write_bytes(forged)
    with pytest.raises(LakeError, match="it names a file outside the lake"):
        restore(store, tmp_path / "deep" / "restored")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 99}, "has format 99, this macro_assets reads 1. Upgrade"),
        ({"taken_at": "2020-01-01T00:00:00+00:00"}, "it says it is manifests/2020"),
        ({"files": [{"path": "a", "size": 1, "sha256": "../../x", "mtime_ns": 0}]}, "file a has no SHA-256"),
        ({"files": [{"path": "a", "size": 1, "sha256": "0" * 64, "mtime_ns": 0}] * 2}, "names a file twice"),
        ({"files": [{"path": "a"}]}, "damaged or was changed"),
    ],
)
def test_what_a_manifest_says_is_looked_at(lake: Path, store: Path, change: dict[str, Any], message: str) -> None:
    made = backup(lake, store)
    body = json.loads((store / made.manifest).read_bytes())["manifest"] | change
    (store / made.manifest).write_text(json.dumps({"manifest": body, "sha256": manifests._sha256(body)}))
    with pytest.raises(LakeError, match=message):
        verify(store)


# --- pruning -------------------------------------------------------------------------------------------------------


def backdated(store: Path, days: int) -> None:
    """Make the newest backup that much older."""
    manifest = manifest_of(store)
    older = Manifest(manifest.taken_at - timedelta(days=days), manifest.lake, manifest.tables, manifest.files)
    (store / older.path).write_bytes(manifests.encode(older))
    (store / manifest.path).unlink()


def test_pruning_keeps_what_the_remaining_backups_need(lake: Path, store: Path, tmp_path: Path) -> None:
    expected = []
    for n, days in enumerate((40, 20)):
        expected.append(state(lake))
        backup(lake, store)
        backdated(store, days)
        overwrite(Lakehouse.at(lake), "normalized/fred", zscores(7 + n), {})
    (store / "objects/ab").mkdir(exist_ok=True)
    orphan = store / manifests.object_path("ab" * 32)
    orphan.write_bytes(b"of a killed backup")
    (store / "objects/readme.txt").write_bytes(b"not ours")
    expected.append(state(lake))
    before = len(contents(store / "objects"))
    report = backup(lake, store, keep_days=30)
    assert report.manifests_pruned == 1
    assert report.bytes_pruned > len(b"of a killed backup")
    assert not orphan.exists()
    assert (store / "objects/readme.txt").exists()
    assert len(backups(store)) == 2
    assert len(contents(store / "objects")) < before + report.files_copied
    for k, moment in enumerate(backups(store)):
        assert verify(store, moment).ok
        restore(store, tmp_path / f"{k}", moment)
        assert state(tmp_path / f"{k}") == expected[k + 1]
    with pytest.raises(LakeError, match="no backup .* is as old as"):
        restore(store, tmp_path / "oldest", datetime.now(UTC) - timedelta(days=40))


def test_the_newest_backup_is_never_pruned(lake: Path, store: Path) -> None:
    backup(lake, store)
    backdated(store, 100)
    report = backup(lake, store, keep_days=0)
    assert report.manifests_pruned == 1
    assert len(backups(store)) == 1
    assert verify(store).ok


def test_nothing_is_pruned_beside_a_manifest_that_cannot_be_read(lake: Path, store: Path) -> None:
    backup(lake, store)
    backdated(store, 100)
    damaged = backup(lake, store)
    (store / damaged.manifest).write_bytes(b"{")
    objects = contents(store / "objects")
    with pytest.raises(LakeError, match=f"is complete, but no older one was removed: manifest {damaged.manifest}"):
        backup(lake, store, keep_days=30)
    assert contents(store / "objects") == objects
    assert len(backups(store)) == 3


# --- interrupted ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.95])
def test_an_interrupted_backup_harms_no_other_and_goes_on(
    lake: Path, store: Path, tmp_path: Path, share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = backup(lake, tmp_path / "to count the files").files
    with monkeypatch.context() as patch:
        interrupt(patch, int(share * files))
        with pytest.raises(Interrupted):
            backup(lake, store)
    assert backups(store) == []
    assert not list((store / "partial").glob("*.partial"))
    held = contents(store / "objects")
    assert all(copying.hashlib.sha256(content).hexdigest() == Path(name).name for name, content in held.items())
    report = backup(lake, store)
    assert report.files_copied == report.files - len(held)
    with monkeypatch.context() as patch:
        interrupt(patch, 0)
        append_other(lake, 3)
        with pytest.raises(Interrupted):
            backup(lake, store)
    assert backups(store) == [report.taken_at]
    assert verify(store).ok
    restore(store, tmp_path / "restored")
    assert table_versions(tmp_path / "restored")[OTHER] == 1


def shown(lake: Path, name: str) -> int | None:
    """Rows a reader sees of a table; None when it sees none or an error."""
    try:
        table = open_any(lake, name)
        return rows_of(table).height if table is not None else None
    except (LakeError, OSError):
        return None


@pytest.mark.parametrize("share", [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95])
def test_an_interrupted_restore_shows_no_wrong_table_and_goes_on(
    lake: Path, store: Path, tmp_path: Path, share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = backup(lake, store)
    restored = tmp_path / "restored"
    with monkeypatch.context() as patch:
        interrupt(patch, int(share * made.files))
        with pytest.raises(Interrupted):
            restore(store, restored)
    for name in manifest_of(store).tables:
        assert shown(restored, name) in (None, shown(lake, name))
    with pytest.raises(LakeError, match="half restored"):
        backup(restored, tmp_path / "elsewhere")
    report = restore(store, restored)
    assert report.bytes_copied + report.bytes_reused == made.bytes
    assert (report.bytes_reused > 0) is (share > 0)
    assert not (restored / ".restoring").exists()
    assert state(restored) == state(lake)


def test_no_table_opens_before_all_is_in_place(
    lake: Path, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither delta-rs nor DuckDB, after any file; least of all a table that a later commit describes in full."""
    other = DeltaTable(str(lake / OTHER))
    other.alter.set_table_properties({"delta.enableChangeDataFeed": "true"})
    other.create_checkpoint()
    backup(lake, store)
    restored, place, tables = tmp_path / "restored", copying.place, table_versions(lake)
    seen = []

    def watched(target: Any, content: Any, path: str, mtime_ns: int | None = None) -> None:
        place(target, content, path, mtime_ns)
        seen.extend(shown(restored, name) for name in tables)
        if len(seen) % (8 * len(tables)) == 0:
            con = connect(root=restored, catalog=CATALOG)
            for name in tables:
                schema, _, view = name.partition("/")
                with pytest.raises(duckdb.Error, match=r"gap|Gap|No table metadata"):
                    con.execute(f'FROM "{schema}"."{view}"')
            con.close()

    monkeypatch.setattr(restore_module, "place", watched)
    monkeypatch.setattr(copying, "_WORKERS", 1)
    restore(store, restored)
    assert set(seen) == {None}
    assert state(restored) == state(lake)


def test_interrupted_while_the_tables_are_opened(
    lake: Path, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup(lake, store)
    remove, left = copying.remove, [1]

    def failing(target: Any, path: str) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise Interrupted
        remove(target, path)

    with monkeypatch.context() as patch:
        patch.setattr(restore_module, "remove", failing)
        patch.setattr(copying, "_WORKERS", 1)
        with pytest.raises(Interrupted):
            restore(store, tmp_path / "restored")
    assert is_half_restored(tmp_path / "restored")
    views = [shown(tmp_path / "restored", name) for name in table_versions(lake)]
    assert views.count(None) == 3
    assert all(v in (None, shown(lake, name)) for v, name in zip(views, table_versions(lake), strict=True))
    assert restore(store, tmp_path / "restored").bytes_copied == 0
    assert state(tmp_path / "restored") == state(lake)
    assert not is_half_restored(tmp_path / "restored")


def test_a_writer_cannot_begin_a_table_that_is_being_restored(
    lake: Path, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup(lake, store)
    with monkeypatch.context() as patch:
        interrupt(patch, 0)
        with pytest.raises(Interrupted):
            restore(store, tmp_path / "restored")
    with pytest.raises(LakeError, match="raw/bundled.* cannot be opened"):
        append_vintages("bundled", vintage(0), "daemon", root=tmp_path / "restored")
    restore(store, tmp_path / "restored")
    assert state(tmp_path / "restored") == state(lake)


def test_a_half_restored_root_is_finished_from_the_backup_it_began_with(
    lake: Path, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = backup(lake, store)
    expected, restored = state(lake), tmp_path / "restored"
    with monkeypatch.context() as patch:
        interrupt(patch, 5)
        with pytest.raises(Interrupted):
            restore(store, restored)
    append_other(lake, 3)
    second = backup(lake, store)
    with pytest.raises(LakeError, match=f"half restored from {first.manifest}, and {second.manifest} was asked for"):
        restore(store, restored, second.taken_at)
    (restored / "raw/bundled/stranger.parquet").parent.mkdir(parents=True, exist_ok=True)
    (restored / "raw/bundled/stranger.parquet").write_bytes(b"")
    with pytest.raises(LakeError, match=r"stranger.parquet, 1 in all\): something else writes there.*daemon"):
        restore(store, restored)
    (restored / "raw/bundled/stranger.parquet").unlink()
    assert restore(store, restored).taken_at == first.taken_at
    assert state(restored) == expected


def test_a_file_damaged_since_the_interruption_is_restored_again(
    lake: Path, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup(lake, store)
    with monkeypatch.context() as patch:
        interrupt(patch, 12)
        with pytest.raises(Interrupted):
            restore(store, tmp_path / "restored")
    flip(next((tmp_path / "restored").rglob("gdp.*")))
    restore(store, tmp_path / "restored")
    assert state(tmp_path / "restored") == state(lake)
    assert read_file(charts_folder(tmp_path / "restored"), "gdp.html") == CHART


def killed(action: Callable[[], object], after: int) -> None:
    """In a process of its own: end without a farewell after that many files."""
    place, left = copying.place, [after]

    def failing(*arguments: Any, **named: Any) -> None:
        left[0] -= 1
        if left[0] < 0:
            os._exit(9)
        place(*arguments, **named)

    backup_module.place = restore_module.place = failing  # type: ignore[attr-defined]
    action()


def in_process(function: Callable[..., object], *arguments: object) -> int | None:
    process = multiprocessing.get_context("spawn").Process(target=_kill_in, args=(function, *arguments))
    process.start()
    process.join(120)
    return process.exitcode


def _kill_in(function: Callable[..., object], after: int, *arguments: object) -> None:
    killed(lambda: function(*arguments), after)


def test_a_killed_process_leaves_no_lock_and_nothing_half(lake: Path, store: Path, tmp_path: Path) -> None:
    assert in_process(backup, 11, lake, store) == 9
    assert list((store / "partial").glob("*.partial"))
    backup(lake, store)
    assert not list((store / "partial").glob("*.partial"))
    assert verify(store).ok
    assert in_process(restore, 11, store, tmp_path / "restored") == 9
    restore(store, tmp_path / "restored")
    assert state(tmp_path / "restored") == state(lake)
    assert backed_up(contents(tmp_path / "restored")) == {f.path for f in manifest_of(store).files}


# --- others at work ------------------------------------------------------------------------------------------------


def test_a_backup_beside_a_writer_is_one_state_of_it(lake: Path, store: Path, tmp_path: Path) -> None:
    """The writer adds to one table, then to the other: no backup has more of the second than of the first."""
    stop, rounds = threading.Event(), [0]

    def write() -> None:
        while not stop.is_set():
            rounds[0] += 1
            for name in ("elsewhere/first", "elsewhere/second"):
                rows = pl.DataFrame({"n": rounds}).to_arrow()
                write_deltalake(str(lake / name), rows, mode="append", configuration={"delta.checkpointInterval": "10"})
            if rounds[0] % 7 == 0:
                DeltaTable(str(lake / "elsewhere/first")).optimize.compact()
            append_vintages("bundled", vintage(12 + rounds[0]), f"run-{rounds[0]}", root=lake)

    writer = threading.Thread(target=write)
    writer.start()
    taken = []
    try:
        while writer.is_alive() and (len(taken) < 3 or rounds[0] < 11):
            taken.append(backup(lake, store).taken_at)
    finally:
        stop.set()
        writer.join()
    assert rounds[0] >= 11  # past a checkpoint and a compaction
    for k, moment in enumerate(taken):
        assert verify(store, moment).ok
        restored = tmp_path / f"{k}"
        restore(store, restored, moment)
        rows = [shown(restored, name) or 0 for name in ("elsewhere/first", "elsewhere/second")]
        assert rows[0] - rows[1] in (0, 1)
    assert backups(store) == taken


def test_a_file_that_vanishes_is_looked_for_in_a_newer_state(
    lake: Path, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A compaction and a vacuum between the look and the copying."""
    fetched, looks = copying.fetched, [0]

    def vacuumed(files: Any, path: str, target: Any) -> Any:
        if looks[0] == 0 and path.startswith(OTHER) and path.endswith(".parquet"):
            looks[0] += 1
            other = DeltaTable(str(lake / OTHER))
            other.optimize.compact()
            other.vacuum(0, dry_run=False, enforce_retention_duration=False)
        return fetched(files, path, target)

    monkeypatch.setattr(backup_module, "fetched", vacuumed)
    backup(lake, store)
    assert manifest_of(store).tables[OTHER] == table_versions(lake)[OTHER] > 1
    restore(store, tmp_path / "restored")
    assert state(tmp_path / "restored") == state(lake)


def test_a_writer_in_a_root_that_is_being_restored_is_noticed(
    lake: Path, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup(lake, store)
    restored, settle = tmp_path / "restored", copying.settle

    def written(target: Any, below: str = "") -> None:
        settle(target, below)
        write_file(charts_folder(restored), "new.html", b"")

    monkeypatch.setattr(restore_module, "settle", written)
    with pytest.raises(LakeError, match="not of the backup being restored .files/charts/new.html"):
        restore(store, restored)
    assert (restored / ".restoring").exists()


def test_only_one_backup_at_a_time_writes_to_a_place(lake: Path, store: Path) -> None:
    with (
        copying.alone(copying.open_target(store, "partial")),
        pytest.raises(LakeError, match="another backup or restore is writing to"),
    ):
        backup(lake, store)
    backup(lake, store)


# --- refusals ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", [".", "backups", "..", "files/charts/../../raw"])
def test_a_destination_inside_or_around_the_lake_is_refused(lake: Path, where: str) -> None:
    before = contents(lake)
    with pytest.raises(LakeError, match="must be apart"):
        backup(lake, lake / where)
    with pytest.raises(LakeError, match="must be apart"):
        restore(lake / where, lake)
    assert contents(lake) == before


@pytest.mark.parametrize(
    ("a", "b", "refused"),
    [("", "x", True), ("x", "", True), ("x", "x", True), ("x/y", "x", True), ("x", "xy", False), ("x/y", "x/z", False)],
)
def test_prefixes_of_a_bucket_must_be_apart(a: str, b: str, refused: bool) -> None:
    one, other = S3Root("bucket", a), S3Root("bucket", b)
    if refused:
        with pytest.raises(LakeError, match="must be apart"):
            refuse_nested(one, other)
    else:
        refuse_nested(one, other)
    refuse_nested(one, S3Root("other-bucket", b))
    refuse_nested(one, Path("/"))


def test_a_place_that_holds_something_else_is_refused(lake: Path, store: Path, tmp_path: Path) -> None:
    store.mkdir()
    (store / "thesis.txt").write_bytes(b"mine")
    with pytest.raises(LakeError, match=r"holds something else \(thesis.txt\).*Nothing was written"):
        backup(lake, store)
    assert contents(store) == {"thesis.txt": b"mine"}
    with pytest.raises(LakeError, match=r"NotADirectory|Not a directory|cannot be"):
        backup(lake, store / "thesis.txt")
    backup(lake, tmp_path / "good")
    with pytest.raises(LakeError, match=r"is not empty \(thesis.txt\).*Name an empty one with --to"):
        restore(tmp_path / "good", store)


def test_what_cannot_be_is_refused_with_what_to_do(lake: Path, store: Path, tmp_path: Path) -> None:
    with pytest.raises(LakeError, match="nothing to back up: there is no lake at"):
        backup(tmp_path / "none", store)
    with pytest.raises(LakeError, match="-1 days; expected 0 or more"):
        backup(lake, store, keep_days=-1)
    for attempt in (lambda: verify(store), lambda: restore(store, tmp_path / "restored")):
        with pytest.raises(LakeError, match="there is no backup at .*`macro backup"):
            attempt()
    backup(lake, store)
    with pytest.raises(LakeError, match="no backup .* is as old as 2001-01-01; the oldest is of 2"):
        verify(store, "2001-01-01")
    with pytest.raises(ValueError, match="is not a date"):
        verify(store, "yesterday")


def test_a_table_with_data_outside_the_lake_is_refused(lake: Path, store: Path) -> None:
    newest = max((lake / OTHER / "_delta_log").glob("*.json"))
    entries = [json.loads(line) for line in newest.read_text().splitlines()]
    for entry in entries:
        if "add" in entry:
            entry["add"]["path"] = "s3://somewhere/else.parquet"
    newest.write_text("\n".join(json.dumps(e) for e in entries))
    with pytest.raises(LakeError, match=f"table {OTHER} has data outside the lake .s3://somewhere/else.parquet"):
        backup(lake, store)


def test_a_full_disk_is_one_message(lake: Path, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(copying.os, "fsync", full)
        with pytest.raises(LakeError, match="cannot be written: .*No space left.*Make room"):
            backup(lake, store)
    assert backups(store) == []
    backup(lake, store)
    assert verify(store).ok


def test_progress_is_told_in_the_callers_thread_and_ends_complete(lake: Path, store: Path, tmp_path: Path) -> None:
    told: list[tuple[str, int, int, int]] = []

    def tell(what: str, done: int, total: int) -> None:
        told.append((what, done, total, threading.get_ident()))

    backup(lake, store, progress=tell)
    verify(store, progress=tell)
    restore(store, tmp_path / "restored", progress=tell)
    for what in ("backup", "verify", "restore"):
        steps = [(done, total) for w, done, total, _ in told if w == what]
        assert steps == sorted(steps)
        assert steps[-1][0] == steps[-1][1] > 0
    assert {thread for *_, thread in told} == {threading.get_ident()}


# --- on S3 ---------------------------------------------------------------------------------------------------------


def test_from_disk_to_s3_and_back(lake: Path, bucket: str, tmp_path: Path) -> None:
    store = S3Root(bucket, "backups")
    made = backup(lake, store)
    assert backup(lake, store).files_copied == 0
    assert verify(store).ok
    names = set(listing(store))
    assert {p.split("/")[0] for p in names} == {"objects", "manifests"}
    text = str([b"".join(copying.chunks(filesystem(store), p)) for p in names if p.startswith("manifests/")])
    assert "canary" not in text
    expected = answers(lake)
    for restored in (tmp_path / "restored", S3Root(bucket, "restored")):
        assert restore(store, restored).bytes_copied == made.bytes
        assert backed_up(listing(restored)) == {f.path for f in manifest_of(store).files}
        assert_same(restored, expected)


def test_a_lake_on_s3_to_disk(bucket: str, store: Path, tmp_path: Path) -> None:
    lake = S3Root(bucket, "lake")
    build(lake, 11)
    made = backup(lake, store)
    again = backup(lake, store)
    assert (again.files_copied, again.bytes_reused) == (0, made.bytes)
    restore(store, tmp_path / "restored")
    assert_same(tmp_path / "restored", answers(lake))


def test_pruning_and_damage_on_s3(lake: Path, bucket: str, tmp_path: Path) -> None:
    store, client = S3Root(bucket, "backups"), s3.settings().client()
    backup(lake, store)
    append_other(lake, 3)
    compact(lake, OTHER, DeltaTable(str(lake / OTHER)), 1)
    report = backup(lake, store, keep_days=0)
    assert (report.manifests_pruned, len(backups(store))) == (1, 1)
    assert report.bytes_pruned > 0
    assert verify(store).ok
    entry = next(f for f in manifest_of(store).files if "raw/bundled/part-" in f.path)
    key = f"backups/{manifests.object_path(entry.sha256)}"
    client.put_object(Bucket=bucket, Key=key, Body=b"x" * entry.size)
    assert list(verify(store).problems) == [entry.path]
    with pytest.raises(LakeError, match=f"file {entry.path}, object .* is damaged"):
        restore(store, tmp_path / "damaged")
    client.delete_object(Bucket=bucket, Key=key)
    assert verify(store).problems == {entry.path: f"object {manifests.object_path(entry.sha256)} is missing"}
    with pytest.raises(LakeError, match="is missing"):
        restore(store, tmp_path / "missing")
    assert backup(lake, store).files_copied == 1
    assert verify(store).ok


def test_interrupted_on_s3(lake: Path, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    store, restored = S3Root(bucket, "backups"), S3Root(bucket, "restored")
    for after in (3, 11):
        with monkeypatch.context() as patch:
            interrupt(patch, after)
            with pytest.raises(Interrupted):
                backup(lake, store)
    made = backup(lake, store)
    assert made.files_copied < made.files
    for after in (6, 20):
        with monkeypatch.context() as patch:
            interrupt(patch, after)
            with pytest.raises(Interrupted):
                restore(store, restored)
    assert restore(store, restored).bytes_reused > 0
    assert state(restored) == state(lake)
    with pytest.raises(LakeError, match="is not empty"):
        restore(store, restored)


def test_the_lock_on_s3_holds_until_it_runs_out(lake: Path, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    store = S3Root(bucket, "backups")
    target = copying.open_target(store, "partial")
    with copying.alone(target) as prolong:
        prolong()
        with pytest.raises(LakeError, match=r"writing to .*, or was killed: its lock .* ends at \d\d:\d\d:\d\d UTC"):
            backup(lake, store)
        monkeypatch.setattr(copying, "_LEASE", timedelta(0))
        prolong()  # it now ends at once: as if this process had been killed ten minutes ago
        monkeypatch.setattr(copying, "_LEASE", timedelta(minutes=10))
        assert backup(lake, store).files > 0
        monkeypatch.setattr(copying, "_LEASE", timedelta(0))
        with pytest.raises(LakeError, match="took .* over"):
            prolong()
    assert not [p for p in listing(store) if p.startswith("partial/")]


def test_a_bucket_that_is_not_there_is_one_message(lake: Path, bucket: str, tmp_path: Path) -> None:
    nowhere = S3Root(f"{bucket}-none", "backups")
    with pytest.raises(LakeError, match=r"s3://.*-none/backups cannot be written: .*NoSuchBucket"):
        backup(lake, nowhere)
    with pytest.raises(LakeError, match="there is no backup at s3://"):
        restore(nowhere, tmp_path / "restored")
