"""Mends `time.sleep` for `make test-clock`: libfaketime 0.9.10 refuses to sleep until an instant of the true monotonic
clock, which Python does, and a false one makes every wait with a timeout endless.
"""

import select
import time


def sleep(seconds: float) -> None:
    if seconds < 0:
        raise ValueError("sleep length must be non-negative")
    select.select([], [], [], seconds)


time.sleep = sleep
