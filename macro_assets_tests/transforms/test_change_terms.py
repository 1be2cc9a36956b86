"""Why an index moved: the terms add up, and each cause stands in its own."""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt

import numpy as np
import polars as pl
import pytest

from macro_assets.transforms.change_terms import TERMS, Reading, decompose
from macro_assets.transforms.weighting import portfolio

Parts = Mapping[str, tuple[float, float]]
"""Weight and signed score by component."""


def reading(parts: Parts, correlation: float | None = None) -> Reading:
    rows = [(n, abs(z), 1 if z >= 0 else -1, w) for n, (w, z) in parts.items()]
    frame = pl.DataFrame(rows, ["component", "zscore", "sign", "weight"], orient="row")
    if correlation is None:
        return Reading(frame)
    pairs = [(a, b, 1.0 if a == b else correlation) for a in parts for b in parts]
    return Reading(frame, pl.DataFrame(pairs, ["component", "other", "correlation"], orient="row"))


def index(parts: Parts, correlation: float | None = None) -> float:
    s = np.array([[w * z for w, z in parts.values()]])
    if correlation is None:
        return float(s.sum())
    n = s.shape[1]
    return float(portfolio(s, np.full((1, n, n), correlation) + (1 - correlation) * np.eye(n)).sum())


def by_term(found: pl.DataFrame) -> dict[str, float]:
    return dict(found.group_by("term", maintain_order=True).agg(pl.col("value").sum()).iter_rows())


def said(found: pl.DataFrame, term: str) -> dict[str | None, float]:
    return dict(found.filter(pl.col("term") == term).select("component", "value").iter_rows())


A_B = {"a": (0.25, 2.0), "b": (0.75, 1.0)}


@pytest.mark.parametrize("correlation", [None, 0.0, 0.4, 1.0])
def test_a_component_that_leaves_is_the_whole_jump(correlation: float | None) -> None:
    """0.25 x 2 + 0.75 x 1 = 1.25 becomes 2 when b leaves and its weight goes to a; nothing else happened."""
    alone = {"a": (1.0, 2.0)}
    found = decompose(reading(A_B, correlation), reading(alone, correlation))
    jump = index(alone, correlation) - index(A_B, correlation)
    assert by_term(found) == pytest.approx({**dict.fromkeys(TERMS, 0.0), "exit": jump})
    assert said(found, "exit") == pytest.approx({"b": jump})
    assert said(found, "entry") == {None: 0.0}
    if correlation is None:
        assert jump == pytest.approx(0.75)


@pytest.mark.parametrize("correlation", [None, 0.4])
def test_a_component_that_enters_is_the_whole_jump(correlation: float | None) -> None:
    alone = {"a": (1.0, 2.0)}
    found = decompose(reading(alone, correlation), reading(A_B, correlation))
    jump = index(A_B, correlation) - index(alone, correlation)
    assert by_term(found) == pytest.approx({**dict.fromkeys(TERMS, 0.0), "entry": jump})
    assert said(found, "entry") == pytest.approx({"b": jump})


def test_of_several_that_leave_each_has_what_it_leaves_behind() -> None:
    """The rest is worth 2: b (0.5 x 1) leaves 0.5 x 2 - 0.5, c (0.25 x 4) leaves 0.25 x 2 - 1."""
    three = {"a": (0.25, 2.0), "b": (0.5, 1.0), "c": (0.25, 4.0)}
    found = decompose(reading(three), reading({"a": (1.0, 2.0)}))
    assert said(found, "exit") == pytest.approx({"b": 0.5, "c": -0.5})


def test_revision_data_and_weights_are_told_apart_by_hand() -> None:
    """Revised from 2 to 3: 0.25; then from 3 to 5: 0.5; weights from 0.25 to 0.5 of 5 against 1: 1.25 - 0.25."""
    revised, after = {"a": (0.25, 3.0), "b": (0.75, 1.0)}, {"a": (0.5, 5.0), "b": (0.5, 1.0)}
    found = decompose(reading(A_B), reading(after), reading(revised))
    expected = {"exit": 0.0, "revision": 0.25, "data": 0.5, "weights": 1.0, "entry": 0.0}
    assert by_term(found) == pytest.approx(expected)
    assert list(by_term(found)) == list(TERMS)
    assert said(found, "weights") == pytest.approx({"a": 1.25, "b": -0.25})


def test_correlations_alone_are_weights() -> None:
    found = decompose(reading(A_B, 0.0), reading(A_B, 1.0))
    moved = 0.5 + 0.75 - sqrt(0.5**2 + 0.75**2)
    assert by_term(found) == pytest.approx({**dict.fromkeys(TERMS, 0.0), "weights": moved})
    assert said(found, "weights") == pytest.approx({"a": moved / 2, "b": moved / 2})


def test_a_loading_that_turns_is_weights() -> None:
    found = decompose(reading({"a": (1.0, 2.0)}), Reading(reading({"a": (1.0, -2.0)}).rows))
    assert by_term(found) == pytest.approx({**dict.fromkeys(TERMS, 0.0), "weights": -4.0})


def test_all_that_leave_and_others_that_come_add_up() -> None:
    found = decompose(reading({"a": (1.0, 2.0)}), reading({"b": (1.0, 5.0)}))
    assert by_term(found) == pytest.approx({**dict.fromkeys(TERMS, 0.0), "exit": -2.0, "entry": 5.0})


@pytest.mark.parametrize("is_portfolio", [False, True])
def test_terms_add_up_whatever_happens(is_portfolio: bool) -> None:
    draw = np.random.default_rng(3)
    for _ in range(50):
        made = []
        for _ in range(3):
            own = draw.permutation(list("abcde"))[: draw.integers(1, 5)]
            weights = draw.dirichlet(np.ones(len(own)))
            scores = draw.uniform(0.01, 1, len(own)) if is_portfolio else draw.normal(size=len(own))
            made.append({n: (w, z) for n, w, z in zip(own, weights, scores, strict=True)})
        before, revised, after = made
        old, now = draw.uniform(0, 1, 2) if is_portfolio else (None, None)
        found = decompose(reading(before, old), reading(after, now), reading(revised, now))
        assert found["value"].sum() == pytest.approx(index(after, now) - index(before, old), abs=1e-12)
        assert found["value"].is_finite().all()
