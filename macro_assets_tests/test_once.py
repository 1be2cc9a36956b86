"""The sharing of one built lake between worker processes."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from macro_assets_tests.once import MakingFailedError, Said, changes, once


def test_many_ask_and_one_makes(tmp_path: Path) -> None:
    made, heard = [], []

    def make(folder: Path) -> Said:
        made.append(folder)
        time.sleep(0.1)
        folder.mkdir()
        return Said("out", "err")

    threads = [threading.Thread(target=lambda: heard.append(once(tmp_path / "lake", make))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [tmp_path / "lake"]
    assert heard == [Said("out", "err")] * 4


def test_all_are_told_the_same_of_a_failure(tmp_path: Path) -> None:
    made = []

    def make(folder: Path) -> Said:
        made.append(folder)
        raise ValueError("no room")

    told = []
    for _ in range(3):
        with pytest.raises(MakingFailedError, match="lake could not be made:\n(.|\n)*ValueError: no room") as failure:
            once(tmp_path / "lake", make)
        told.append(str(failure.value))
    assert len(set(told)) == len(made) == 1


def test_what_a_dead_process_began_is_made_anew(tmp_path: Path) -> None:
    def dies(folder: Path) -> Said:
        folder.mkdir()
        (folder / "half").touch()
        raise SystemExit

    def make(folder: Path) -> Said:
        folder.mkdir()
        return Said("", "")

    with pytest.raises(SystemExit):
        once(tmp_path / "lake", dies)
    once(tmp_path / "lake", make)
    assert list((tmp_path / "lake").iterdir()) == []


def test_changes_are_found(tmp_path: Path) -> None:
    def make(folder: Path) -> Said:
        (folder / "raw").mkdir(parents=True)
        (folder / "raw" / "a").write_text("1")
        (folder / "raw" / "b").write_text("2")
        (folder / "log").write_text("3")
        return Said("", "")

    folder = tmp_path / "lake"
    once(folder, make)
    (folder / "log").write_text("4")
    (folder / "raw" / "a").write_text("1")
    assert changes(folder, "raw/", patience=0) == []
    assert changes(folder, patience=0) == ["log"]
    (folder / "raw" / "a").write_text("9")
    (folder / "raw" / "b").unlink()
    (folder / "raw" / "c").touch()
    assert changes(folder, "raw/", patience=0) == ["raw/a", "raw/b", "raw/c"]


def test_a_probe_that_goes_is_no_change(tmp_path: Path) -> None:
    def make(folder: Path) -> Said:
        folder.mkdir()
        return Said("", "")

    folder = tmp_path / "lake"
    once(folder, make)
    (folder / "probe").touch()
    gone = threading.Timer(0.3, (folder / "probe").unlink)
    gone.start()
    assert changes(folder, patience=60) == []
    gone.join()
