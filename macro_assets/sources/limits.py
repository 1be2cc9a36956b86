"""Rate limits of providers, shared by all processes of a machine.

A generic cell rate algorithm (the virtual scheduling form of ITU-T I.371, annex A) whose one number, the theoretical
arrival time of the next request, lies in a small locked file per host. Times are of the machine's monotonic clock,
which all its processes share and no clock change moves.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

_STALE_SECONDS = 3600.0
"""A time further ahead than this was written before the machine's clock began anew."""


def _boot() -> str:
    """What tells one run of the machine, and so of its clock, from another; empty where the system does not say."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def limits_folder() -> Path:
    """Where the processes of this user and machine keep what they know of limits."""
    folder = Path(tempfile.gettempdir()) / f"macro_assets-{os.getuid() if hasattr(os, 'getuid') else 'user'}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


class Bucket:
    """Grants requests to one host at a steady rate, with a small burst after a pause.

    Parameters
    ----------
    host
        Requests to the same host share a limit.
    per_second
        Requests a second.
    burst
        Requests that may go at once after a pause.
    """

    def __init__(
        self,
        host: str,
        per_second: float,
        burst: int = 1,
        folder: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        boot: str | None = None,
    ) -> None:
        self.interval = 1 / per_second
        self.tolerance = (burst - 1) * self.interval
        self.file = (folder or limits_folder()) / f"{host.replace(':', '_')}.json"
        self.clock, self.sleep, self.boot = clock, sleep, _boot() if boot is None else boot

    def take(self) -> float:
        """Wait until the next request may go; returns the seconds waited."""
        waited = 0.0
        while True:
            with self._lock():
                now = self.clock()
                due, paused = self._read(now)
                allowed = max(now, due - self.tolerance, paused)
                self._write(max(due, allowed) + self.interval, paused)
            if allowed <= now:
                return waited
            self.sleep(allowed - now)
            waited += allowed - now
            with self._lock():
                if self._read(self.clock())[1] <= max(paused, allowed):
                    return waited
            # A pause was asked for meanwhile, beyond the turn that was granted: another turn, after it.

    def pause(self, seconds: float) -> None:
        """Let nobody ask for some seconds: the provider said so."""
        with self._lock():
            now = self.clock()
            due, paused = self._read(now)
            self._write(due, max(paused, now + min(seconds, _STALE_SECONDS / 2)))

    def _lock(self) -> FileLock:
        return FileLock(f"{self.file}.lock", thread_local=False)  # one object per use: threads wait for each other

    def _read(self, now: float) -> tuple[float, float]:
        try:
            due, paused, boot = json.loads(self.file.read_text())
            due, paused = float(due), float(paused)
        except (OSError, ValueError, TypeError, OverflowError):
            return now, now
        if boot != self.boot:
            return now, now
        return tuple(t if t < now + _STALE_SECONDS else now for t in (due, paused))  # type: ignore[return-value]

    def _write(self, due: float, paused: float) -> None:
        self.file.write_text(json.dumps([due, paused, self.boot]))
