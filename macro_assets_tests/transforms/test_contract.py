"""Every transform keeps every law, and each law finds the transform that breaks it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl
import pytest

from macro_assets.catalog import default_catalog
from macro_assets.catalog.kinds.declaration import Declaration
from macro_assets.catalog.kinds.step import Step
from macro_assets.transforms.library import TRANSFORMS, Calendar, Transform, same, transform
from macro_assets.transforms.registry import KNOWN
from macro_assets.transforms.steps import check
from macro_assets_tests.transforms.contract import LAWS, Law, nothing_infinite_comes_out


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("name", TRANSFORMS)
def test_every_transform_keeps_every_law(name: str, law: Law) -> None:
    assert list(law(TRANSFORMS[name])) == []


def test_every_series_has_a_code_that_its_unit_and_frequency_admit() -> None:
    problems = {}
    for series in default_catalog().series.values():
        try:
            check((Step(name="fred_md", parameters={"code": series.transform}),), [series.unit], series.frequency)
        except ValueError as error:
            problems[series.id] = str(error)
    assert problems == {}


# --- transforms that break a law -----------------------------------------------------------------------------------


def next_value(x: pl.Expr) -> pl.Expr:
    return x.shift(-1)


def full_sample_zscore(x: pl.Expr) -> pl.Expr:
    return (x - x.mean()) / x.std()


def centred_window(x: pl.Expr) -> pl.Expr:
    return x.rolling_mean(3, center=True)


def from_the_last(x: pl.Expr) -> pl.Expr:
    return x - x.drop_nulls().last()


def fills_with_zero(x: pl.Expr) -> pl.Expr:
    return x.fill_null(0)


def fills_forward(x: pl.Expr) -> pl.Expr:
    return x.forward_fill()


def counts_rows(x: pl.Expr) -> pl.Expr:
    return pl.int_range(pl.len()).cast(pl.Float64)


def nothing_at_all(x: pl.Expr) -> pl.Expr:
    return pl.when(x.is_null()).then(x)


def inverse(x: pl.Expr) -> pl.Expr:
    return 1 / x


def unguarded_growth(x: pl.Expr) -> pl.Expr:
    return x / x.shift(1) - 1


def unguarded_log(x: pl.Expr) -> pl.Expr:
    return x.log()


def difference_across_series(x: pl.Expr) -> pl.Expr:
    """Says of itself that it is elementwise, so that it is given all series at once."""
    return x.map_batches(lambda values: values.diff(), return_dtype=pl.Float64, is_elementwise=True)


def never_the_same(x: pl.Expr) -> pl.Expr:
    return x + x.is_not_null().cum_sum().shuffle()


NEXT, NULLS, FINITE = "uses_no_later_value", "nulls_stay_nulls", "nothing_infinite_comes_out"
MIX, ORDER = "series_do_not_mix", "order_of_rows_does_not_matter"


def toy(function: Any = None, **fields: Any) -> Transform:
    def plain(series: Sequence[pl.Expr], parameters: Any, calendar: Calendar) -> pl.Expr:
        return series[0] if function is None else function(series[0])

    return Transform(**{"name": "toy", "description": "A toy.", "function": plain, "unit": same, **fields})


@pytest.fixture
def breaks(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Which laws a planted transform breaks, among some, by default among all."""

    def of(planted: Transform, *among: str) -> set[str]:
        monkeypatch.setitem(KNOWN, planted.name, planted)
        return {n for law in LAWS if (n := law.__name__) in (among or {n}) and any(law(planted))}

    return of


@pytest.mark.parametrize(
    ("function", "law"),
    [
        (next_value, NEXT),
        (full_sample_zscore, NEXT),
        (centred_window, NEXT),
        (from_the_last, NEXT),
        (fills_with_zero, NULLS),
        (fills_forward, NULLS),
        (counts_rows, NULLS),
        (nothing_at_all, NULLS),
        (inverse, FINITE),
        (unguarded_growth, FINITE),
        (unguarded_log, FINITE),
        (difference_across_series, MIX),
        (never_the_same, ORDER),
    ],
)
def test_a_bad_expression_is_found(breaks: Any, function: Any, law: str) -> None:
    assert breaks(toy(function), law)


class Lenient(Declaration):
    """Takes the text '1' and 1.0 for a number, and looks back by any number of periods, below zero too."""

    periods: int = 1


def unit_of_anything(units: Sequence[str], parameters: Any) -> str:
    return ""


def unit_without_words(units: Sequence[str], parameters: Any) -> str:
    if units[0] != "usd":
        raise ValueError
    return "usd"


@pytest.mark.parametrize(
    ("fields", "law"),
    [
        ({"parameters": Lenient}, "what_is_not_admitted_is_refused"),
        ({"unit": unit_without_words}, "what_is_not_admitted_is_refused"),
        ({"unit": unit_of_anything}, "says_what_it_is"),
        ({"description": ""}, "says_what_it_is"),
        ({"frequencies": "MX"}, "says_what_it_is"),
    ],
)
def test_a_bad_entry_is_found(breaks: Any, fields: dict[str, Any], law: str) -> None:
    assert breaks(toy(lambda x: pl.when(x.is_finite()).then(x), **fields), law)


def test_a_toy_that_keeps_the_contract_breaks_no_law(breaks: Any) -> None:
    assert breaks(toy(lambda x: pl.when(x.is_finite()).then(x))) == set()


def test_what_is_entered_gives_nothing_infinite(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KNOWN, "toy", toy())  # and takes it away afterwards
    transform(same, name="toy")(lambda series, parameters, per_year: 1 / series[0])
    assert list(nothing_infinite_comes_out(TRANSFORMS["toy"])) == []
