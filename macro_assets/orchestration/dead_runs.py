"""Runs of `macro run` whose process was killed: they hold their source's pool slot until somebody ends them.

The daemon ends such runs, but `macro run` works without one: it signs its runs with its process, and ends signed runs
whose process is gone before it starts its own. Measured: without this, a run after `kill -9` waits for ever.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path

import dagster as dg

_PROCESS = "macro_assets/process"


def signature() -> dict[str, str]:
    """Tags of a run executed in this process. The daemon must not retry it: the user who started it sees it fail."""
    return {_PROCESS: _identity(os.getpid()), "dagster/max_retries": "0"}


def end_dead_runs(instance: dg.DagsterInstance) -> list[str]:
    """Mark runs of dead processes of this machine as failed, free their pool slots, and return their ids."""
    going = dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED])
    dead = [run for run in instance.get_runs(going) if _is_dead(run.tags.get(_PROCESS, ""))]
    for run in dead:
        instance.report_run_failed(run, "The process of this run is gone; `macro run` ended it.")
        instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
    return [run.run_id for run in dead]


def _is_dead(identity: str) -> bool:
    host, _, rest = identity.partition("/")
    pid = rest.partition("/")[0]
    return host == socket.gethostname() and pid.isdigit() and _identity(int(pid)) != identity


def _identity(pid: int) -> str:
    """Host, process and, where the system tells, when it started: a process id is used again."""
    try:
        started = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        started = "running" if _runs(pid) else "gone"
    return f"{socket.gethostname()}/{pid}/{started}"


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
