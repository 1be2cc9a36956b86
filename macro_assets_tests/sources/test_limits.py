"""The rate limit: of one taker by a clock of its own, of many threads, and of real processes against a real server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from macro_assets.sources.limits import Bucket, limits_folder
from macro_assets_tests.loopback import Asked, Loopback, Scripted


@dataclass
class Clock:
    """A clock that moves when somebody sleeps by it."""

    now: float = 1000.0
    slept: list[float] = field(default_factory=list)
    meanwhile: list[Callable[[], object]] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        if self.meanwhile:
            self.meanwhile.pop(0)()
        self.now += seconds
        self.slept.append(seconds)


def bucket(folder: Path, clock: Clock, per_second: float = 2.0, burst: int = 1, host: str = "h") -> Bucket:
    return Bucket(host, per_second, burst, folder, clock, clock.sleep, boot="this")


def granted(one: Bucket, clock: Clock, count: int) -> list[float]:
    """When requests may go that are made one after the other, without delay."""
    times = []
    for _ in range(count):
        one.take()
        times.append(clock.now - 1000)
    return times


# --- one taker -----------------------------------------------------------------------------------------------------


def test_requests_are_spaced_by_the_rate(tmp_path: Path) -> None:
    clock = Clock()
    assert granted(bucket(tmp_path, clock), clock, 5) == [0, 0.5, 1, 1.5, 2]


def test_a_burst_may_go_at_once_and_no_more(tmp_path: Path) -> None:
    clock = Clock()
    one = bucket(tmp_path, clock, burst=3)
    assert granted(one, clock, 6) == [0, 0, 0, 0.5, 1, 1.5]
    clock.now += 60
    assert granted(one, clock, 5) == [61.5, 61.5, 61.5, 62, 62.5], "a long rest saves up one burst, not many"


def test_who_waits_is_told_how_long(tmp_path: Path) -> None:
    clock = Clock()
    one = bucket(tmp_path, clock)
    assert [one.take(), one.take()] == [0, 0.5]
    clock.now += 0.2
    assert one.take() == pytest.approx(0.3)


def test_a_slow_taker_never_waits(tmp_path: Path) -> None:
    clock = Clock()
    one = bucket(tmp_path, clock)
    for _ in range(5):
        assert one.take() == 0
        clock.now += 0.5


def test_hosts_have_limits_of_their_own(tmp_path: Path) -> None:
    clock = Clock()
    assert granted(bucket(tmp_path, clock, host="a:80"), clock, 1) == [0]
    assert granted(bucket(tmp_path, clock, host="a:81"), clock, 1) == [0]
    assert granted(bucket(tmp_path, clock, host="a:80"), clock, 1) == [0.5]


# --- pauses --------------------------------------------------------------------------------------------------------


def test_nobody_asks_during_a_pause(tmp_path: Path) -> None:
    clock = Clock()
    one, other = bucket(tmp_path, clock), bucket(tmp_path, clock)
    one.take()
    one.pause(30)
    assert granted(other, clock, 3) == [30, 30.5, 31]


def test_a_shorter_pause_does_not_end_a_longer_one(tmp_path: Path) -> None:
    clock = Clock()
    one = bucket(tmp_path, clock)
    one.pause(30)
    one.pause(5)
    assert granted(one, clock, 1) == [30]


def test_a_pause_holds_back_who_waits_for_a_turn_already(tmp_path: Path) -> None:
    """Turns are given ahead: without this, all that queue at the moment of a 429 would ask in the pause."""
    clock = Clock()
    one, other = bucket(tmp_path, clock), bucket(tmp_path, clock)
    one.take()
    clock.meanwhile.append(lambda: other.pause(30))
    assert one.take() == pytest.approx(30)
    assert clock.now - 1000 == pytest.approx(30)
    clock.meanwhile += [lambda: other.pause(10), lambda: other.pause(20)]
    other.pause(5)
    one.take()
    assert clock.now - 1000 == pytest.approx(55), "a pause within a pause within a pause"


def test_an_absurd_pause_ends_within_the_hour(tmp_path: Path) -> None:
    clock = Clock()
    one = bucket(tmp_path, clock)
    for seconds in (1e9, float("inf")):
        one.pause(seconds)
        assert granted(one, clock, 1)[0] <= 3600
        clock.now = 1000


# --- the file ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[1000",
        "[1, 2]",
        "[1, 2, 3, 4]",
        '["a", "b", "this"]',
        '[null, null, "this"]',
        '{"a": 1, "b": 2, "c": 3}',
        '"abc"',
        "7",
        '[NaN, NaN, "this"]',
        '[Infinity, Infinity, "this"]',
        f'[1{"0" * 400}, 0, "this"]',
        '[1e9, 1e9, "this"]',
        "\x00\x00\x00",
    ],
)
def test_a_file_that_tells_nothing_is_begun_anew(tmp_path: Path, text: str) -> None:
    clock = Clock()
    (tmp_path / "h.json").write_text(text)
    assert granted(bucket(tmp_path, clock), clock, 3) == [0, 0.5, 1]


def test_a_file_of_bytes_that_are_no_text_is_begun_anew(tmp_path: Path) -> None:
    clock = Clock()
    (tmp_path / "h.json").write_bytes(b"\xff\xfe\x00")
    assert granted(bucket(tmp_path, clock), clock, 2) == [0, 0.5]


def test_what_was_written_before_the_machine_began_anew_is_forgotten(tmp_path: Path) -> None:
    """The clock restarts near zero: what was due at 50 minutes of the old one would be waited for now."""
    before, after = Clock(3000), Clock(20)
    old = Bucket("h", 2, 1, tmp_path, before, before.sleep, boot="before")
    old.pause(600)
    old.take()
    new = Bucket("h", 2, 1, tmp_path, after, after.sleep, boot="after")
    assert new.take() == 0
    assert new.take() == 0.5


def test_where_the_system_does_not_tell_its_runs_apart_a_wait_still_ends(tmp_path: Path) -> None:
    before, after = Clock(1e6), Clock(20)
    Bucket("h", 2, 1, tmp_path, before, before.sleep, boot="").take()
    assert Bucket("h", 2, 1, tmp_path, after, after.sleep, boot="").take() == 0


def test_a_file_is_what_a_process_that_was_killed_left(tmp_path: Path) -> None:
    """A lock ends with its holder, however that ends."""
    script = (
        "import os, sys, pathlib\n"
        "from macro_assets.sources.limits import Bucket\n"
        "one = Bucket('h', 2, 1, pathlib.Path(sys.argv[1]))\n"
        "one._lock().acquire()\n"
        "one.file.write_text('[12')\n"
        "os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False)
    assert done.returncode == -9
    clock = Clock()
    assert bucket(tmp_path, clock).take() == 0


def test_the_folder_is_of_this_user_alone() -> None:
    folder = limits_folder()
    assert str(os.getuid()) in folder.name
    assert folder.stat().st_mode & 0o077 == 0


# --- many takers ---------------------------------------------------------------------------------------------------


def within_rate(times: list[float], per_second: float, burst: int) -> bool:
    """Whether no span of time holds more than rate times its length and a burst."""
    times = sorted(times)
    return all(
        last - first + 1 <= per_second * (times[last] - times[first]) + burst + 1e-6
        for first in range(len(times))
        for last in range(first, len(times))
    )


def test_the_measure_of_these_tests_tells_right_from_wrong() -> None:
    assert within_rate([0, 0.5, 1], 2, 1)
    assert not within_rate([0, 0.4, 1], 2, 1)
    assert within_rate([0, 0, 0.5], 2, 2)
    assert not within_rate([0, 0, 0.5, 0.5], 2, 2)


@given(
    rate=st.sampled_from([0.1, 1, 3, 50]),
    burst=st.integers(1, 5),
    steps=st.lists(
        st.tuples(st.integers(0, 2), st.floats(0, 5), st.sampled_from([None, None, None, 0.0, 7.0])), max_size=40
    ),
)
def test_no_span_of_time_holds_more_than_the_rate_and_a_burst(
    tmp_path_factory: pytest.TempPathFactory, rate: float, burst: int, steps: list[tuple[int, float, float | None]]
) -> None:
    clock, folder = Clock(), tmp_path_factory.mktemp("limits")
    takers = [bucket(folder, clock, rate, burst) for _ in range(3)]
    times: list[float] = []
    paused = 0.0
    for taker, rest, pause in steps:
        clock.now += rest
        if pause is not None:
            takers[taker].pause(pause)
            paused = max(paused, clock.now + pause)
        takers[taker].take()
        times.append(clock.now)
        assert clock.now >= paused - 1e-6
    assert within_rate(times, rate, burst)


def test_threads_share_a_limit(tmp_path: Path) -> None:
    times: list[float] = []

    def ask() -> None:
        one = Bucket("h", 100, 2, tmp_path)
        for _ in range(10):
            one.take()
            times.append(time.monotonic())

    start = time.monotonic()
    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(times) == 40
    assert len(times) <= 100 * (max(times) - start) + 2


ASKER = """
import sys, time, pathlib
from macro_assets.catalog import Api, Source
from macro_assets.sources.protocol import Request
from macro_assets.sources.errors import explain_status
from macro_assets.sources.http import HttpClient, Patience

url, rate, burst, name, count = sys.argv[1:]
api = Api(base_url="https://provider.example", requests_per_second=50, burst=int(burst))
source = Source(name="loop", title="", description="", url="", owner="", api=api)
environ = {"MACRO_URL_LOOP": url, "MACRO_RATE_LOOP": rate}
client = HttpClient(source, explain_status, environ=environ, patience=Patience(3, 0.05, 0.1))
print("ready", flush=True)
sys.stdin.readline()
print(time.monotonic(), flush=True)
answers = []
for n in range(int(count)):
    try:
        answers.append(client.get(Request(f"/{name}/{n}")).http_status)
    except Exception as error:
        answers.append(type(error).__name__)
print(answers, flush=True)
"""


def test_real_processes_share_a_limit_in_a_storm_of_refusals(tmp_path: Path) -> None:
    """Four processes that ask as fast as they may stay within one rate, refusals and asking again included.

    The bound holds however slow the machine is: turns are given at the rate from the first taking on, and a request
    cannot come before its turn.
    """
    rate, burst, each = 25.0, 3, 12
    refused = Scripted(429, b"too often", {"Retry-After": "1"})
    turns = iter(range(10_000))

    def script(asked: Asked) -> Scripted:
        turn = next(turns)
        return refused if turn in (10, 11) else Scripted(429) if 20 <= turn < 26 else Scripted(body=b"[]")

    environ = {**os.environ, "TMPDIR": str(tmp_path)}
    with Loopback({}, otherwise=script) as server:
        arguments = [server.url, str(rate), str(burst)]
        askers = [
            subprocess.Popen(
                [sys.executable, "-c", ASKER, *arguments, f"p{n}", str(each)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env=environ,
            )
            for n in range(4)
        ]
        for asker in askers:
            assert asker.stdout is not None
            assert asker.stdout.readline() == "ready\n"
        for asker in askers:
            assert asker.stdin is not None
            asker.stdin.write("go\n")
            asker.stdin.flush()
        told = [asker.communicate(timeout=120)[0].splitlines() for asker in askers]
        times = server.times()
        asked = [a.path for a in server.asked]
    start = min(float(lines[0]) for lines in told)
    assert len(times) <= rate * (times[-1] - start) + burst + 1
    assert {p.split("/")[1] for p in asked} == {"p0", "p1", "p2", "p3"}
    assert len(times) >= 4 * each, "refusals were asked again"
    answers = [a for lines in told for a in json.loads(lines[1].replace("'", '"'))]
    assert len(answers) == 4 * each
    assert answers.count(200) >= 4 * each - 8
    assert times[-1] - start >= 1, "a pause of a second was kept"
