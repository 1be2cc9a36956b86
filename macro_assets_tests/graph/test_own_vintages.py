"""An indicator in real time from vintages in a folder of the user's own."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from macro_assets.catalog import load_catalog
from macro_assets.graph.reading import read
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets_tests.indicators.test_rise_over_low import RELEASED
from macro_assets_tests.intake.taking import taken
from macro_assets_tests.sources.own_files import SHIPPED, declare

PUBLISHED = {"2024-07-05": 0.43, "2024-08-02": 0.53, "2024-09-06": 0.57, "2024-10-04": 0.50, "2024-11-01": 0.43}
"""SAHMREALTIME (FRED) of June to October 2024, by the day on which the month was released."""


def test_the_sahm_rule_as_published_in_real_time(tmp_path: Path) -> None:
    """From a file a release, each of which revises a month of no account: as of each day its own answer."""
    place = declare(tmp_path / "own", {"vintage": "%Y-%m-%d"}, [{"of": "UNRATE"}], seasonal_adjustment="SA")
    months = [date(2023 + (n + 2) // 12, (n + 2) % 12 + 1, 1) for n in range(len(RELEASED))]
    for known, day in enumerate(PUBLISHED, start=16):
        figures = [RELEASED[0] + known / 100, *RELEASED[1:known]]
        rows = [f"{month},{figure}" for month, figure in zip(months, figures, strict=False)]
        (place / f"{day}.csv").write_text("\n".join(["Date,UNRATE", *rows]))
    lake = Lakehouse(tmp_path / "lake", load_catalog(SHIPPED, tmp_path / "own"))
    taken(lake, "mine")
    for place_of_last, (day, published) in enumerate(PUBLISHED.items(), start=15):
        rows = read("indicators/sahm_rule", day, lake.root, lake.catalog)
        last = rows.row(-1, named=True)
        assert (last["observation_date"], last["value"]) == (months[place_of_last], pytest.approx(published, abs=0.005))
