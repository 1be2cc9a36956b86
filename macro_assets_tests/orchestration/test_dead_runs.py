"""kill -9 anywhere, then run again: the same lake as an undisturbed run."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from macro_assets.orchestration.dead_runs import end_dead_runs, signature
from macro_assets_tests.conftest import make_home

FAILED, STARTED = dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.STARTED


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


def run_of(instance: dg.DagsterInstance, process: str | None) -> str:
    """A run that was started and not ended."""
    run_id = str(uuid.uuid4())
    tags = {"macro_assets/process": process} if process else {}
    instance.add_run(dg.DagsterRun("job", run_id, status=STARTED, tags=tags))
    return run_id


def ended_process() -> int:
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    return done.pid


def test_only_signed_runs_of_dead_processes_of_this_machine_are_ended(instance: dg.DagsterInstance) -> None:
    host = socket.gethostname()
    dead = run_of(instance, f"{host}/{ended_process()}/12345")
    reused = run_of(instance, f"{host}/{os.getpid()}/12345")  # this process id, but another start
    kept = [
        run_of(instance, signature()["macro_assets/process"]),
        run_of(instance, f"another-host/{ended_process()}/12345"),
        run_of(instance, None),
        run_of(instance, "nonsense"),
    ]
    assert set(end_dead_runs(instance)) == {dead, reused}
    status = {r.run_id: r.status for r in instance.get_runs()}
    assert {status[r] for r in (dead, reused)} == {FAILED}
    assert {status[r] for r in kept} == {STARTED}


def test_a_run_after_kill_9_does_not_wait_for_the_dead_one(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    log = tmp_path / "log"
    words = ["run", "raw", "normalized/fred"]
    with log.open("wb") as out:
        killed = subprocess.Popen(
            [sys.executable, "-m", "macro_assets.cli", *words],
            env=home.environment,
            cwd=home.dagster_home,
            stderr=out,
            stdout=out,
        )
        while "raw/bundled/" not in log.read_text() and killed.poll() is None:  # the step holds the pool's slot now
            time.sleep(0.05)
        killed.send_signal(signal.SIGKILL)
        assert killed.wait() == -signal.SIGKILL
    again = home.macro(*words)
    assert "raw/bundled " in again.stderr
    assert "Everything is up to date" in home.macro(*words).stdout
