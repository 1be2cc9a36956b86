"""Processes that start in milliseconds: forked from a parent that has imported everything and computed nothing.

Forking a process that ran Polars or Delta hangs the child, and a fresh interpreter spends a second on imports.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess

FORKS = multiprocessing.get_context("forkserver")
_WORK = ("writers", "races", "sizes", "zones", "storms")
FORKS.set_forkserver_preload([*(f"macro_assets_tests.faults.{name}" for name in _WORK), "pandera.polars"])
HANGS = 120.0
"""Seconds after which a child is taken to hang."""


class Child:
    """A process that runs `work(*arguments, told)` and tells what it has to say through the connection `told`."""

    def __init__(self, work: Callable[..., None], *arguments: object) -> None:
        self.said, told = FORKS.Pipe()
        self.process: ForkServerProcess = FORKS.Process(target=work, args=(*arguments, told), daemon=True)
        self.process.start()
        told.close()

    def hear(self) -> object:
        """The next thing the child says."""
        assert self.said.poll(HANGS), "the child hangs"
        return self.said.recv()

    def go_on(self) -> None:
        """Tell the child, once, to go on or to stop: it knows which."""
        self.said.send(None)

    def rest(self) -> list[object]:
        """What it said until it ended, and wait for that."""
        heard = []
        while True:
            try:
                heard.append(self.hear())
            except EOFError:
                self.process.join(HANGS)
                return heard

    def kill(self) -> list[object]:
        """SIGKILL, and what it had said by then."""
        self.process.kill()
        return self.rest()


def answer(work: Callable[..., object], *arguments: object) -> object:
    """What `work` returns in a process of its own; what it raises there is raised here."""
    child = Child(_answer, work, arguments)
    said = child.rest()
    assert said, f"the child ended with {child.process.exitcode} and no answer"
    if isinstance(said[0], BaseException):
        raise said[0]
    return said[0]


def _answer(work: Callable[..., object], arguments: tuple[object, ...], told: Connection) -> None:
    try:
        told.send(work(*arguments))
    except BaseException as error:  # passed on, whatever it is
        told.send(error)
