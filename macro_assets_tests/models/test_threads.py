"""The environment says how many threads libraries take; the figures of a method do not depend on it."""

from __future__ import annotations

import os
import subprocess
import sys

from macro_assets_tests.models.contract import method_modules

VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS")
PROGRAM = """
from macro_assets_tests.models.contract import Method, method_modules
for name, module in method_modules().items():
    told = Method(name, module).usual
    forecasts, news = told.outcome.forecasts["value"], told.news["impact"] if told.news is not None else ()
    print(name, told.fitted.rows(), list(forecasts), told.outcome.diagnostics, list(news))
"""


def test_methods_say_the_same_whatever_threads_the_environment_allows() -> None:
    running = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM],
            env={**os.environ, **dict.fromkeys(VARIABLES, count)},
            stdout=subprocess.PIPE,
            text=True,
        )
        for count in ("1", "4")
    ]
    one, four = (process.communicate(timeout=300)[0] for process in running)
    assert one == four
    assert len(one.splitlines()) == len(method_modules())
