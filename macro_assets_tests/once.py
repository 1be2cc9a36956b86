"""What is made once per test run and shared by its worker processes, and a check that nobody changed it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest
from filelock import FileLock


class MakingFailedError(Exception):
    """What all need could not be made."""


@dataclass(frozen=True)
class Said:
    """Output of the command that made a folder."""

    stdout: str
    stderr: str


def common_folder(factory: pytest.TempPathFactory) -> Path:
    """A temporary folder that all workers of a run know."""
    own = factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


def once(folder: Path, make: Callable[[Path], Said]) -> Said:
    """Make a folder unless another process of the run has done so, and give what its making said.

    A folder whose maker died is made anew.

    Raises
    ------
    MakingFailedError
        When making it failed, here or in another process: all are told the same.
    """
    marker = folder.with_name(f"{folder.name}.json")
    with FileLock(f"{folder}.lock"):
        if not marker.exists():
            shutil.rmtree(folder, ignore_errors=True)
            try:
                outcome = {"said": asdict(make(folder)), "failure": None}
            except Exception:  # told to all who need the folder, below: whatever it is, none of them can go on
                outcome = {"said": None, "failure": traceback.format_exc()}
            marker.write_text(json.dumps({**outcome, "contents": contents(folder)}))
    found = json.loads(marker.read_text())
    if found["failure"]:
        raise MakingFailedError(f"{folder.name} could not be made:\n{found['failure']}")
    return Said(**found["said"])


def contents(folder: Path) -> dict[str, str]:
    """A hash of every file, by path."""
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def changes(folder: Path, below: str = "", patience: float = 5) -> list[str]:
    """Files below a folder that are not as they were made. What is amiss for a moment (a probe, a rewrite) is none."""
    made = json.loads(folder.with_name(f"{folder.name}.json").read_text())["contents"]
    made = {name: value for name, value in made.items() if name.startswith(below)}
    while True:
        try:
            found = {f"{below}{name}": value for name, value in contents(folder / below).items()}
        except FileNotFoundError:  # a probe, gone while the folder was read
            found = {}
        changed = sorted(n for n in made.keys() | found.keys() if made.get(n) != found.get(n))
        if not changed or patience <= 0:
            return changed
        time.sleep(0.2)
        patience -= 0.2
