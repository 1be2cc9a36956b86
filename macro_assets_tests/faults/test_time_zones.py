"""F16: where the machine is, when its clocks change and which year it is make no difference."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from macro_assets_tests.conftest import ROOT
from macro_assets_tests.faults import zones
from macro_assets_tests.faults.processes import answer

EXPECTED = {
    "known on 2040-02-28": "0 None (None,)",
    "known on 2040-02-29": "24 2039-12-01 (datetime.date(2039, 12, 1),)",
    "known on 2040-03-01": "24 2039-12-01 (datetime.date(2039, 12, 1),)",
    "end of 2024-02-29": "2024-02-29T23:59:59.999999+00:00",
    "end of 2016-03-13": "2016-03-13T23:59:59.999999+00:00",
    "end of 2016-11-06": "2016-11-06T23:59:59.999999+00:00",
    "end of 2039-12-31": "2039-12-31T23:59:59.999999+00:00",
    "D from 2024-02-29": "2024-02-29",
    "W from 2024-02-26": "2024-02-26",
    "W from 2020-12-28": "2020-12-28",
    "M from 2024-02-01": "2024-02-29",
    "M from 2040-02-01": "2040-02-29",
    "Q from 2038-01-01": "2038-03-31",
    "Q from 2039-10-01": "2039-12-31",
    "A from 2038-01-01": "2038-12-31",
    "released on 2024-02-29": "2024-02-29T07:30:00+00:00",
    "released on 2016-03-13": "2016-03-13T07:30:00+00:00",  # half past two is skipped that night
    "released on 2016-11-06": "2016-11-06T07:30:00+00:00",
    "released on 2039-12-31": "2039-12-31T07:30:00+00:00",
    "end of month 2024-02": "2024-02-29T23:59:59.999999+00:00",
    "end of month 2016-03": "2016-03-31T23:59:59.999999+00:00",
    "end of month 2040-02": "2040-02-29T23:59:59.999999+00:00",
    "an offset": "2016-03-13T07:30:00+00:00",
}


def of_an_interpreter(zone: str, lake: Path) -> dict[str, str]:
    """The answers of an interpreter that was started in a time zone."""
    done = subprocess.run(
        [sys.executable, "-m", zones.__name__, str(lake)],
        env={**os.environ, "TZ": zone},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, str] = json.loads(done.stdout)
    return found


def test_the_same_lake_in_every_time_zone(tmp_path: Path) -> None:
    """F16: hashes of the stored rows, of as-of answers in Polars and SQL, of a session as of a day and of releases."""
    found = {
        zone: answer(zones.answers_in, zone, tmp_path / zone.replace("/", "_"))
        for zone in ("UTC", "America/New_York", "Pacific/Auckland")
    }
    found["Asia/Kolkata"] = of_an_interpreter("Asia/Kolkata", tmp_path / "of an interpreter")
    offsets = {zone: said.pop("now") for zone, said in found.items()}  # type: ignore[attr-defined]
    assert offsets == {
        "UTC": "+0000", "America/New_York": "-0500", "Pacific/Auckland": "+1200", "Asia/Kolkata": "+0530"
    }  # fmt: skip
    reference = found.pop("UTC")
    for zone, said in found.items():
        assert said == reference, zone
    assert isinstance(reference, dict)
    assert {k: v for k, v in reference.items() if k in EXPECTED} == EXPECTED
