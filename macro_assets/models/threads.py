"""How many threads a method computes with: one, whatever the environment says.

BLAS adds up in an order that depends on its threads, and so do the last digits of a fit, of its forecasts and of their
news. Matrices of 50 x 50 are also fastest so: on two busy cores its threads cost ten times what they save.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def on_one_thread(function: Callable[P, R]) -> Callable[P, R]:
    """The function, held to one thread of BLAS and OpenMP."""

    @wraps(function)
    def held(*args: P.args, **kwargs: P.kwargs) -> R:
        import scipy.linalg  # noqa: F401  # it has a BLAS of its own, and only what is loaded can be held
        from threadpoolctl import threadpool_limits

        with threadpool_limits(1):
            return function(*args, **kwargs)

    return held
