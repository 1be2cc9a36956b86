"""F3: no room, no permission. The error names the table and its place, nothing changed, and nothing needs repair."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from macro_assets.lakehouse import LakeError, write
from macro_assets.lakehouse.files import read_file, write_file
from macro_assets_tests.faults.processes import answer
from macro_assets_tests.faults.writers import (
    TABLES,
    refusal_of_an_ordinary_user,
    refusals,
    refusals_by_file_size,
    step,
    times_written,
    written,
)

BLOCK = 4096


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 600 kB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", str(place)]
    done = subprocess.run(mount, capture_output=True, text=True) if os.geteuid() == 0 else None
    if done is None or done.returncode:
        pytest.skip(f"no tmpfs can be mounted here: {done.stderr.strip() if done else 'not root'}")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def filler(disk: Path) -> Callable[[int], None]:
    """A function that fills a disk up to some blocks."""

    def leave(blocks: int) -> None:
        (disk / "filler").unlink(missing_ok=True)
        state = os.statvfs(disk)
        (disk / "filler").write_bytes(b"x" * (state.f_bavail * state.f_frsize - blocks * BLOCK))

    return leave


def is_clear(message: str, lake: Path, k: int, why: str) -> bool:
    name = TABLES[k % len(TABLES)].name
    words = [f"table {name} at {lake / name} cannot be written", why, "Nothing was committed", "Make room"]
    return all(w in message for w in words)


@pytest.mark.parametrize("k", [6, 7, 8])
def test_a_full_disk(small_disk: Path, monkeypatch: pytest.MonkeyPatch, k: int) -> None:
    """F3, ENOSPC: refused for the data file and for the commit, then done where there is no room to compact."""
    monkeypatch.setattr(write, "MAX_FILES", 2)
    monkeypatch.setattr(write, "CHECKPOINT_EVERY", 1)
    lake = small_disk / "lake"
    for before in range(k):
        step(lake, before)
    said = refusals(lake, k, filler(small_disk))
    assert len(said) >= 2
    assert all(is_clear(m, lake, k, "No space left on device") for m in said)
    (small_disk / "filler").unlink()
    for after in range(k, k + 4):
        step(lake, after)
    assert times_written(lake) == written(k + 4)


def test_a_write_that_is_stored_has_not_failed(
    small_disk: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """F3: room for the commit and none for the compaction behind it is a warning, and the next write compacts."""
    monkeypatch.setattr(write, "MAX_FILES", 2)
    lake = small_disk / "lake"
    for before in range(6):
        step(lake, before)
    refusals(lake, 6, filler(small_disk))
    assert "table raw/bundled: version 3 is stored, but was not compacted" in caplog.text
    assert "No space left" in caplog.text
    (small_disk / "filler").unlink()
    step(lake, 9)
    step(lake, 7)
    assert len(list((lake / "raw/bundled/_delta_log").glob("*.checkpoint.parquet"))) == 1


def test_files_that_may_not_grow(tmp_path: Path) -> None:
    """F3, EFBIG: the same where no disk can be filled. The limit is the process's, so a process of its own has it."""
    for before in range(6):
        step(tmp_path, before)
    said = answer(refusals_by_file_size, tmp_path, 6)
    assert isinstance(said, list)
    assert len(said) >= 2
    assert all(is_clear(m, tmp_path, 6, "File too large") for m in said)
    step(tmp_path, 7)
    assert times_written(tmp_path) == written(8)


@pytest.fixture
def open_place() -> Iterator[Path]:
    """A folder that every user may enter, which pytest's own are not."""
    place = Path(tempfile.mkdtemp(prefix="macro_assets_"))
    place.chmod(0o755)
    yield place
    _permit(place, 0o755)
    shutil.rmtree(place)


def _permit(place: Path, mode: int) -> None:
    """Set what is allowed in a folder and those below it."""
    for folder in (place, *(p for p in place.rglob("*") if p.is_dir())):
        folder.chmod(mode)


@pytest.mark.parametrize("closed", ["raw/bundled", "raw/bundled/_delta_log"])
def test_a_folder_that_may_not_be_written(open_place: Path, closed: str) -> None:
    """F3, EACCES: at the data file, and at the commit. The lake stays readable; once it is allowed, all is well."""
    lake = open_place
    for before in range(3):
        step(lake, before)
    _permit(lake, 0o777)
    (lake / closed).chmod(0o555)
    message = answer(refusal_of_an_ordinary_user, lake, 3)
    assert is_clear(str(message), lake, 3, "Permission denied")
    assert times_written(lake) == written(3)
    _permit(lake, 0o777)
    assert answer(refusal_of_an_ordinary_user, lake, 3) is None
    assert times_written(lake) == written(4)


def test_a_lake_that_may_not_be_begun(open_place: Path) -> None:
    """F3, EACCES: no table is there yet."""
    open_place.chmod(0o555)
    message = str(answer(refusal_of_an_ordinary_user, open_place, 0))
    assert f"the lake root {open_place} cannot be written" in message
    assert "Permission denied" in message
    assert not any(open_place.iterdir())


def test_a_page_that_finds_no_room(small_disk: Path) -> None:
    """F3: the chart page that was there is still there, and no half of the new one."""
    write_file(small_disk, "chart.html", b"old")
    filler(small_disk)(1)
    with pytest.raises(LakeError, match=r"file .*/disk/chart\.html cannot be written: No space left on device"):
        write_file(small_disk, "chart.html", b"new" * BLOCK)
    assert read_file(small_disk, "chart.html") == b"old"
    assert sorted(p.name for p in small_disk.iterdir()) == ["chart.html", "filler"]
    (small_disk / "filler").unlink()
    write_file(small_disk, "chart.html", b"new")
    assert read_file(small_disk, "chart.html") == b"new"
