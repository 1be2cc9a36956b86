"""F20: a million rows of one series, and thousands of series, in bounded memory. The small end is in `test_raw.py`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from macro_assets_tests.faults import sizes
from macro_assets_tests.faults.processes import answer

MOST_MEGABYTES = 1500


def test_a_series_of_a_million_rows(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    """F20: appended in one commit, then a vintage more, and read as of three of them; 690 MB at the most."""
    found: Any = answer(sizes.a_long_series, tmp_path)
    known, megabytes = found
    record_property("peak_megabytes", megabytes)
    assert known == [(sizes.DATES, float(n * sizes.DATES)) for n in (0, 7, sizes.VINTAGES)]
    assert megabytes < MOST_MEGABYTES


def test_a_catalog_of_thousands_of_series(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    """F20: a row each, and one of them revised; 230 MB at the most."""
    found: Any = answer(sizes.many_series, tmp_path)
    before, after, megabytes = found
    record_property("peak_megabytes", megabytes)
    assert (before, after) == (sizes.SERIES, [sizes.SERIES, sizes.SERIES])
    assert megabytes < MOST_MEGABYTES
