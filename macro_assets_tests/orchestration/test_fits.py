"""Fits are tables of their own: a month takes the one of the latest refit, and makes it where it is not there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg
import pytest

from macro_assets.graph.derivation import Derivation
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.orchestration.records import month_records
from macro_assets.orchestration.run import run, select
from macro_assets.orchestration.summary import Summary
from macro_assets_tests.graph.toy import BAD, FIT, SHARE, as_of_catalog, fitted_graph
from macro_assets_tests.orchestration.test_months import release, stored

MONTHS = ("2020-03", "2020-04")


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lakehouse:
    """Known in January 2020: 4; from March on also 8, so that the mean is 6."""
    monkeypatch.setenv("MACRO_LAKE", str(tmp_path))
    lake = Lakehouse(tmp_path, as_of_catalog(FIT, SHARE))
    release(lake, 4.0, datetime(2020, 1, 10, tzinfo=UTC))
    release(lake, 8.0, datetime(2020, 3, 10, tzinfo=UTC), first=date(2020, 2, 1))
    return lake


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


def run_months(
    lake: Lakehouse,
    instance: dg.DagsterInstance,
    found: Sequence[Derivation],
    words: Sequence[str] = (FIT, SHARE),
    months: Sequence[str] = MONTHS,
    force: bool = False,
) -> Summary:
    chosen = select(list(words), lake.catalog, months[0], months[-1], found=found)
    return run(lake, chosen, instance, force, found)


@pytest.mark.parametrize("words", [(FIT, SHARE), (SHARE,)], ids=["both asked for", "the fit not asked for"])
def test_the_fit_of_the_latest_refit_is_made_where_it_is_not_there(
    lake: Lakehouse, instance: dg.DagsterInstance, words: Sequence[str]
) -> None:
    done = run_months(lake, instance, fitted_graph(), words)
    assert not done.failures
    assert stored(lake, FIT) == {"2020-01": 4.0}, "estimated from what was known in January"
    assert stored(lake, SHARE) == {"2020-03": 1.5, "2020-04": 1.5}
    assert set(month_records(instance, FIT, ["2020-01"])) == {"2020-01"}, "and Dagster knows of it"


def test_a_month_without_refit_is_an_empty_month_of_the_fits(lake: Lakehouse, instance: dg.DagsterInstance) -> None:
    run_months(lake, instance, fitted_graph())
    assert set(month_records(instance, FIT, MONTHS)) == set(MONTHS)
    assert set(stored(lake, FIT)) == {"2020-01"}


def test_nothing_is_computed_twice(lake: Lakehouse, instance: dg.DagsterInstance) -> None:
    run_months(lake, instance, fitted_graph())
    assert run_months(lake, instance, fitted_graph()).runs == 0


def test_what_was_known_at_the_refit_decides_whether_a_month_is_stale(
    lake: Lakehouse, instance: dg.DagsterInstance
) -> None:
    run_months(lake, instance, fitted_graph())
    release(lake, 5.0, datetime(2020, 1, 20, tzinfo=UTC))  # another figure, loaded late: known by the refit
    done = run_months(lake, instance, fitted_graph())
    assert stored(lake, FIT) == {"2020-01": 5.0}
    assert stored(lake, SHARE) == {"2020-03": 6.5 / 5, "2020-04": 6.5 / 5}, "the vintage of March did not speak of it"
    assert not done.failures


def test_a_fit_that_fails_is_named_by_what_needs_it(lake: Lakehouse, instance: dg.DagsterInstance) -> None:
    done = run_months(lake, instance, fitted_graph(bad=("2020-01",)), (SHARE,))
    (why,) = done.failures.values()
    assert f"it needs {FIT}, which could not be computed: 2020-01: {BAD}" in why
    mended = run_months(lake, instance, fitted_graph(), (SHARE,))
    assert not mended.failures
    assert stored(lake, SHARE) == {"2020-03": 1.5, "2020-04": 1.5}


def test_each_month_may_have_its_own_fit(lake: Lakehouse, instance: dg.DagsterInstance) -> None:
    run_months(lake, instance, fitted_graph(range(1, 13)))
    assert stored(lake, FIT) == dict.fromkeys(MONTHS, 6.0)
    assert stored(lake, SHARE) == dict.fromkeys(MONTHS, 1.0)


def test_before_the_first_refit_was_known_a_month_is_empty(lake: Lakehouse, instance: dg.DagsterInstance) -> None:
    done = run_months(lake, instance, fitted_graph(), months=("2019-11", "2019-12"))
    assert not done.failures
    assert stored(lake, SHARE) == {}


def test_a_forced_run_estimates_again(lake: Lakehouse, instance: dg.DagsterInstance) -> None:
    run_months(lake, instance, fitted_graph(), months=("2020-01", "2020-02"))
    done = run_months(lake, instance, fitted_graph(), months=("2020-01", "2020-02"), force=True)
    assert done.layer("fits").ran == 2
    assert done.layer("forecasts").ran == 2
