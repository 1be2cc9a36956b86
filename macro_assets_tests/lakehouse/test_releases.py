"""Releases, revisions, triangle, statistics and the history of one number."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings

from macro_assets.catalog import UnknownNameError
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.raw import append_vintages, invalidate
from macro_assets.lakehouse.releases import (
    history,
    no_history,
    numbered,
    releases,
    revision_statistics,
    revision_triangle,
    revisions,
    statistics,
    triangle,
    with_revisions,
)
from macro_assets_tests.conftest import Built
from macro_assets_tests.lakehouse import oracle
from macro_assets_tests.lakehouse.histories import IDS, moments, stores
from macro_assets_tests.lakehouse.oracle import Concept, Holder
from macro_assets_tests.lakehouse.synthetic import PROVIDER, Row, day, decisions, frame, month, row


@settings(max_examples=100)
@given(stores(), moments)
def test_releases_are_what_brute_force_finds(store: tuple[list[Row], list[Row]], moment: datetime | None) -> None:
    """Those of one holder, whatever others have told."""
    rows, taken = store
    own = [r for r in rows if r["provider"] == PROVIDER]
    alone = dict.fromkeys(IDS, Concept(1, (Holder(PROVIDER, PROVIDER),)))
    found = numbered(frame(*rows), PROVIDER, decisions(*taken), moment)
    told = found.select("series_id", "observation_date", "release", "value", "release_time", "provider").rows()
    assert told == oracle.releases(own, taken, moment, alone)


def test_a_repeated_value_is_no_release() -> None:
    raw = frame(*(row(month(1), v, day(n)) for n, v in enumerate([1.0, 1.0, 2.0, 2.0, 1.0], start=1)))
    assert numbered(raw, PROVIDER).select("release", "value", "release_time").rows() == [
        (1, 1.0, day(1)),
        (2, 2.0, day(3)),
        (3, 1.0, day(5)),
    ]


@pytest.mark.parametrize("basis", ["snapshot", "publication_lag"])
def test_what_was_known_before_is_never_release_one(basis: str) -> None:
    second = "provider" if basis == "snapshot" else "ingested"
    raw = frame(
        row(month(1), 1.0, day(1), basis), row(month(1), 2.0, day(2), second), row(month(2), 3.0, day(2), second)
    )
    found = numbered(raw, PROVIDER)
    assert found.select("observation_date", "release").rows() == [(month(1), None), (month(1), None), (month(2), 1)]
    assert with_revisions(found).select("previous_value", "value", "revision").rows() == [(1.0, 2.0, 1.0)]


def test_a_withdrawal_is_a_release_and_a_missing_beginning_is_none() -> None:
    raw = frame(*(row(month(1), v, day(n)) for n, v in enumerate([None, 1.0, None, 1.0], start=1)))
    assert numbered(raw, PROVIDER).select("release", "value").rows() == [(1, 1.0), (2, None), (3, 1.0)]


def test_what_another_holder_says_is_no_revision() -> None:
    raw = frame(row(month(1), 1.0, day(1)), row(month(1), 2.0, day(2), provider="another"))
    assert numbered(raw, PROVIDER)["value"].to_list() == [1.0]


def test_the_triangle_has_a_row_per_date_and_a_column_per_release() -> None:
    raw = frame(
        row(month(1), 1.0, day(1)),
        row(month(1), 1.5, day(2)),
        row(month(2), 2.0, day(2)),
        row(month(1), 1.7, day(3)),
        row(month(2), 2.5, day(3)),
        row(month(3), 3.0, day(3)),
    )
    wide = triangle(numbered(raw, PROVIDER))
    assert wide.columns == ["observation_date", "1", "2", "3"]
    assert wide.rows() == [(month(1), 1.0, 1.5, 1.7), (month(2), 2.0, 2.5, None), (month(3), 3.0, None, None)]
    assert triangle(numbered(frame(), PROVIDER)).columns == ["observation_date"]


def test_statistics_by_hand() -> None:
    """Second releases are off by 1, -1, 3 and 1; one of them is revised once more, to +4."""
    firsts, seconds = [10.0, 20.0, 30.0, 40.0], [11.0, 19.0, 33.0, 41.0]
    rows = [row(month(i + 1), v, day(1)) for i, v in enumerate(firsts)]
    rows += [row(month(i + 1), v, day(2)) for i, v in enumerate(seconds)]
    rows += [row(month(3), 34.0, day(3)), row(month(5), 50.0, day(3))]
    found = {r["horizon"]: r for r in statistics(numbered(frame(*rows), PROVIDER)).iter_rows(named=True)}
    assert list(found) == ["2", "3", "latest"]
    two = found["2"]
    assert (two["observations"], two["mean"], two["mean_absolute"]) == (4, 1.0, 1.5)
    assert two["standard_deviation"] == pytest.approx(math.sqrt(8 / 3))
    # n = 4: floor(4 (0.04)^(2/9)) = 1 lag; deviations 0, -2, 2, 0: variance 8/4, autocovariance -4/4, weight 1/2
    assert two["bias_t"] == pytest.approx(1.0 / math.sqrt((2.0 + 2 * 0.5 * -1.0) / 4))
    assert (found["3"]["observations"], found["3"]["mean"], found["3"]["bias_t"]) == (1, 4.0, None)
    assert (found["latest"]["observations"], found["latest"]["mean"]) == (5, (1 - 1 + 4 + 1 + 0) / 5)


def test_statistics_match_statsmodels() -> None:
    """Newey and West's standard error of a mean is that of a regression on a constant."""
    import numpy as np
    import statsmodels.api as sm

    rng = np.random.default_rng(3)
    size = 60
    revision = 0.1 + np.convolve(rng.normal(size=size + 2), [1, 0.6, 0.3], "valid")
    dates = [date(2000 + i // 12, i % 12 + 1, 1) for i in range(size)]
    rows = [row(d, 100.0, day(1)) for d in dates] + [
        row(d, 100.0 + r, day(2)) for d, r in zip(dates, revision, strict=True)
    ]
    lags = math.floor(4 * (size / 100) ** (2 / 9))
    fit = sm.OLS(revision, np.ones(size)).fit(cov_type="HAC", cov_kwds={"maxlags": lags, "use_correction": False})
    found = statistics(numbered(frame(*rows), PROVIDER)).row(0, named=True)
    assert found["bias_t"] == pytest.approx(fit.tvalues[0], rel=1e-9)


def test_no_revision_has_no_bias() -> None:
    raw = frame(*(row(month(n), 1.0, day(1)) for n in range(1, 5)))
    only = statistics(numbered(raw, PROVIDER)).row(0, named=True)
    assert (only["horizon"], only["observations"], only["mean"], only["bias_t"]) == ("latest", 4, 0.0, None)


# --- on real tables ------------------------------------------------------------------------------------------------


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    rows = frame(
        row(month(1), 1.0, day(1)),
        row(month(1), 1.5, day(2)),
        row(month(2), 2.0, day(2)),
        row(month(1), 4.0, day(2), series_id="UNRATE"),
    )
    append_vintages(PROVIDER, rows.drop("run_id"), "run", root=tmp_path)
    return tmp_path


def test_first_second_and_nth_release(lake: Path) -> None:
    assert releases("PAYEMS", 1, root=lake)["value"].to_list() == [1.0, 2.0]
    assert releases("PAYEMS", 2, root=lake)["value"].to_list() == [1.5]
    assert releases("PAYEMS", 3, root=lake).is_empty()
    assert releases(["UNRATE", "PAYEMS"], root=lake)["series_id"].to_list() == ["PAYEMS"] * 3 + ["UNRATE"]
    assert releases("PAYEMS", as_of=day(1), root=lake)["value"].to_list() == [1.0]
    with pytest.raises(ValueError, match="numbered from 1, got n=0"):
        releases("PAYEMS", 0, root=lake)
    with pytest.raises(UnknownNameError, match="Did you mean PAYEMS"):
        releases("PAYEM", root=lake)


def test_revisions_triangle_and_statistics_of_a_stored_series(lake: Path) -> None:
    assert revisions("PAYEMS", root=lake).select("previous_value", "value", "revision").rows() == [(1.0, 1.5, 0.5)]
    assert revision_triangle("PAYEMS", root=lake).rows() == [(month(1), 1.0, 1.5), (month(2), 2.0, None)]
    assert revision_triangle("PAYEMS", as_of=day(1), root=lake).rows() == [(month(1), 1.0)]
    assert revision_statistics("PAYEMS", root=lake)["horizon"].to_list() == ["2", "latest"]


def test_history_tells_all_about_one_number(lake: Path) -> None:
    invalidate("PAYEMS", month(1), day(2), "fat finger", "ana", lake)
    found = history("PAYEMS", "2019-01-01", root=lake)
    assert found.select("value", "release", "release_time", "action", "author").rows() == [
        (1.0, 1, day(1), None, None),
        (1.5, None, day(2), "invalidate", "ana"),
    ]
    assert {"provider", "ingested_at", "run_id", "payload_sha256", "release_basis", "reason"} <= set(found.columns)
    assert history("PAYEMS", date(1999, 1, 1), root=lake).is_empty()


@pytest.mark.parametrize(
    ("series_id", "asked", "told"),
    [
        ("PAYEMS", date(2019, 1, 31), "for 2019-01-31: periods are dated by their first day, 2019-01-01."),
        ("PAYEMS", date(1950, 1, 1), "for 1950-01-01: what is stored of it begins 2019-01-01."),
        ("PAYEMS", date(1950, 1, 9), "by their first day, 1950-01-01: what is stored of it begins 2019-01-01."),
        ("PAYEMS", date(2019, 6, 1), "for 2019-06-01: what is stored of it ends 2019-05-01."),
        ("PAYEMS", date(2019, 3, 1), "for 2019-03-01: the dates beside it are 2019-02-01 and 2019-05-01."),
        (
            "GDPC1",
            date(2019, 1, 1),
            "series GDPC1 was never fetched: nothing of it is stored. `macro fetch",
        ),
    ],
)
def test_where_nothing_is_stored_one_is_told_where_something_is(
    lake: Path, series_id: str, asked: date, told: str
) -> None:
    append_vintages(PROVIDER, frame(row(month(5), 2.0, day(9))).drop("run_id"), "run", root=lake)
    assert told in no_history(Lakehouse.at(lake), series_id, asked)


def test_the_bundled_vintages(built: Built) -> None:
    """June 2016 came first in the second vintage; the jobs of April were revised in it, by +21 thousand."""
    first = releases("PAYEMS", 1, root=built.home.lake)
    assert first.select("observation_date", "value", "release_time").rows() == [
        (date(2016, 6, 1), 144175.0, datetime(2016, 7, 29, 23, 59, 59, 999999, tzinfo=UTC))
    ]
    revised = revisions("PAYEMS", root=built.home.lake).sort("observation_date")
    assert revised.select("observation_date", "release", "revision").rows() == [
        (date(2016, 4, 1), None, 21.0),
        (date(2016, 5, 1), None, -6.0),
    ]
    assert pl.Series(history("PAYEMS", "2016-04-01", root=built.home.lake)["value"]).to_list() == [143856.0, 143877.0]
