"""Outliers: the counts of two vintages of FRED-MD, and what a later value may not decide."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from macro_assets.catalog.kinds.step import Step
from macro_assets.transforms.outliers import flagged, without
from macro_assets.transforms.steps import transformed_by
from macro_assets_tests.sources.own_files import catalog_of, declare, fetched_of
from macro_assets_tests.sources.wire import RECORDINGS
from macro_assets_tests.transforms.synthetic import concat, months, observed

FRED_MD = RECORDINGS.parent / "data" / "fred_md"
CALM = [float(i % 7) for i in range(30)]


@pytest.mark.skipif(not FRED_MD.is_dir(), reason="FRED-MD is absent")
@pytest.mark.parametrize(("vintage", "points", "series", "april"), [("2020-03", 81, 26, 0), ("2020-06", 133, 58, 38)])
def test_fred_md_has_as_many_as_its_rule_says(
    vintage: str, points: int, series: int, april: int, tmp_path: Path
) -> None:
    """Of the stationary series through the folder source, without the two rows that second differences lose."""
    form = {"date": "sasdate", "date_form": "%m/%d/%Y", "transforms": "Transform:", "vintage": "%Y-%m"}
    shutil.copy(FRED_MD / f"{vintage}.csv", declare(tmp_path, {**form, "prefix": "MD_"}))
    declared = catalog_of(tmp_path).series_of("mine")
    steps = {s.id: (Step(name="fred_md", parameters={"code": s.transform}),) for s in declared}
    figures = fetched_of(tmp_path).observations.select("series_id", "observation_date", "value")
    stationary = transformed_by(figures, steps, dict.fromkeys(steps, "M"))
    found = flagged(stationary.filter(pl.col("observation_date") >= date(1959, 3, 1)), whole=True).filter("is_outlier")
    assert (found.height, found["series_id"].n_unique()) == (points, series)
    assert found.filter(observation_date=date(2020, 4, 1)).height == april


def flags(*values: float | None, **how: object) -> list[bool]:
    return flagged(observed("X", months(*values)), **how)["is_outlier"].to_list()  # type: ignore[arg-type]


def test_by_hand() -> None:
    """Of 1 to 5 the quartiles are 2 and 4: the median is 3, and one range beyond begins at 5."""
    assert flags(1, 2, 3, 4, 5, ranges=1, min_obs=2, whole=True) == [False] * 5
    assert flags(1, 2, 3, 4, 5, ranges=0.99, min_obs=2, whole=True) == [True, False, False, False, True]


def test_no_later_value_decides() -> None:
    assert flags(*CALM, 500.0)[-1]
    assert not any(flags(*CALM, 500.0)[:-1])
    shifted = flags(*CALM, 500.0, *[500.0 + v for v in CALM] * 3)
    assert shifted[: len(CALM) + 1] == flags(*CALM, 500.0), "a level that lasts is none of the past's business"
    assert not any(flags(*CALM, 500.0, *[500.0 + v for v in CALM] * 3, whole=True)[31:])


def test_what_has_no_spread_or_too_few_values_has_none() -> None:
    assert not any(flags(*[5.0] * 30, 500.0))
    assert not any(flags(*CALM[:10], 500.0))
    assert flags(None, *CALM, None, 500.0) == [False] * 32 + [True]
    assert flagged(observed("X", {})).is_empty()
    assert not any(flags(None, None, whole=True))


def test_series_do_not_mix_and_the_flagged_may_be_left_out() -> None:
    frames = [observed("A", months(*CALM, 500.0)), observed("B", months(*[500.0 + v for v in CALM], 500.0))]
    found = flagged(concat(frames))
    assert found.filter("is_outlier").select("series_id", "value").rows() == [("A", 500.0)]
    assert without(found).filter("is_outlier")["value"].to_list() == [None]
    assert without(found)["value"].null_count() == 1
