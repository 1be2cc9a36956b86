"""Markov switching: Hamilton's published model, a simulated truth, names that do not depend on the search, refusals."""

from __future__ import annotations

import ast
from datetime import date
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from pydantic import ValidationError

from macro_assets.transforms.regimes.errors import RegimeError
from macro_assets.transforms.regimes.markov import Fit, Markov, filtered, fit, smoothed

HAMILTON = Markov(order=4)
CALM = Markov(switching_variance=True, label_by="variance")


@pytest.fixture(scope="module")
def growth() -> np.ndarray:
    """Growth of US real GNP, 1951Q2 to 1984Q4, 100 times the log difference: Hamilton (1989).

    Read out of a test of statsmodels, which is not imported: it needs markers of its own.
    """
    found = find_spec("statsmodels.tsa.regime_switching.tests.test_markov_autoregression")
    assert found is not None
    assert found.origin is not None
    for node in ast.parse(Path(found.origin).read_text()).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "rgnp":
            return np.array(ast.literal_eval(node.value), dtype=float)
    raise AssertionError("statsmodels has the figures no more")


@pytest.fixture(scope="module")
def hamilton(growth: np.ndarray) -> Fit:
    return fit(growth, HAMILTON)


def runs(on: np.ndarray) -> list[tuple[date, date]]:
    """First and last quarter of each run."""
    quarters = pl.date_range(date(1951, 4, 1), date(1984, 10, 1), "3mo", eager=True).to_list()
    edges = np.flatnonzero(np.diff(np.concatenate([[0], np.asarray(on, dtype=int), [0]])))
    return [(quarters[a], quarters[b - 1]) for a, b in edges.reshape(-1, 2)]


def test_hamiltons_model_of_gnp(hamilton: Fit) -> None:
    """Reference R-06: Hamilton (1989), Table I, as EViews has it; expected durations of 4.076 and 10.426 quarters."""
    assert hamilton.loglikelihood == pytest.approx(-181.26339, abs=1e-4)
    assert hamilton.means == pytest.approx((-0.358811, 1.163516), rel=1e-3)
    assert hamilton.staying == pytest.approx((0.754673, 1 - 0.095915), rel=1e-3)
    assert hamilton.variances == pytest.approx((0.5914, 0.5914), rel=1e-3)
    assert [1 / (1 - p) for p in hamilton.staying] == pytest.approx([4.0760, 10.4259], rel=1e-3)
    parameters = len(hamilton.params)
    assert -2 * hamilton.loglikelihood + 2 * parameters == pytest.approx(380.5268, abs=1e-3)
    assert -2 * hamilton.loglikelihood + np.log(131) * parameters == pytest.approx(406.4036, abs=1e-3)


def test_hamiltons_dates_are_those_of_smoothed_probabilities(growth: np.ndarray, hamilton: Fit) -> None:
    """Hamilton's Table II, to the quarter; filtered ones, which know nothing of the future, see eleven runs."""
    found = smoothed(growth, hamilton)
    assert runs(found[:, 0] > 0.5) == [
        (date(1953, 7, 1), date(1954, 4, 1)),
        (date(1957, 1, 1), date(1958, 1, 1)),
        (date(1960, 4, 1), date(1960, 10, 1)),
        (date(1969, 7, 1), date(1970, 10, 1)),
        (date(1974, 1, 1), date(1975, 1, 1)),
        (date(1979, 4, 1), date(1980, 7, 1)),
        (date(1981, 4, 1), date(1982, 10, 1)),
    ]
    known = runs(filtered(growth, hamilton)[:, 0] > 0.5)
    assert len(known) == 11
    assert known[0][0] == date(1953, 10, 1)
    assert np.isnan(found[:4]).all(), "the first quarters are lags"
    assert found[4:].sum(axis=1) == pytest.approx(1)


def test_filtered_probabilities_know_nothing_of_later_figures(growth: np.ndarray, hamilton: Fit) -> None:
    whole, cut = filtered(growth, hamilton), filtered(growth[:60], hamilton)
    assert np.array_equal(whole[4:60], cut[4:])
    assert not np.allclose(smoothed(growth, hamilton)[4:60], smoothed(growth[:60], hamilton)[4:])


@pytest.fixture(scope="module")
def simulated() -> tuple[np.ndarray, np.ndarray]:
    """Returns with a deviation of one, and of three in stretches: figures and which is which."""
    draw = np.random.default_rng(7)
    turbulent = np.sin(np.arange(400) / 20) > 0.7
    return draw.normal(0.5 - turbulent, 1 + 2 * turbulent), turbulent


def test_names_do_not_depend_on_where_the_search_starts(simulated: tuple[np.ndarray, np.ndarray]) -> None:
    """Started with the regimes exchanged, the optimiser numbers them the other way: their names stay."""
    values, turbulent = simulated
    one, other = (fit(values, CALM, start) for start in (turbulent.astype(int), 1 - turbulent.astype(int)))
    assert one.order != other.order
    assert one.variances == pytest.approx(other.variances, rel=1e-2)
    assert one.variances[0] < one.variances[1]
    told, again = filtered(values, one)[:, 1] > 0.5, filtered(values, other)[:, 1] > 0.5
    assert (told == again).mean() > 0.99


def test_a_simulated_truth_is_found(simulated: tuple[np.ndarray, np.ndarray]) -> None:
    values, turbulent = simulated
    found = fit(values, CALM)
    assert found.variances == pytest.approx((1, 9), rel=0.25)
    assert found.means == pytest.approx((0.5, -0.5), abs=0.75)
    assert ((filtered(values, found)[:, 1] > 0.5) == turbulent).mean() > 0.85
    assert found.observations == 400


def test_means_are_the_labels_where_they_are_asked_for(simulated: tuple[np.ndarray, np.ndarray]) -> None:
    """The same regimes by rising mean: the turbulent one first."""
    found = fit(simulated[0], Markov(switching_variance=True))
    assert found.means[0] < found.means[1]
    assert found.variances[0] > found.variances[1]


FIFTY = np.random.default_rng(7).normal(size=50)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (np.arange(9.0), "expected at least 10 figures, got 9"),
        (np.append(FIFTY, np.nan), "some are missing or infinite"),
        (np.full(50, 2.0), "expected figures that differ, all are 2"),
        (np.append(FIFTY, 30.0), "expected 2 regimes with at least 5 figures each"),
    ],
)
def test_figures_that_tell_no_regimes_apart_are_refused(values: np.ndarray, said: str) -> None:
    """The last: one figure far off is no regime, though the likelihood has no bound there."""
    with pytest.raises(RegimeError, match=said):
        fit(values, CALM)


def test_a_start_must_have_all_regimes() -> None:
    with pytest.raises(RegimeError, match="start: expected a regime from 0 to 1"):
        fit(FIFTY, CALM, np.zeros(50, dtype=int))


def test_regimes_of_one_variance_are_not_told_apart_by_it() -> None:
    with pytest.raises(ValidationError, match="label_by"):
        Markov(label_by="variance")
