"""Every method of the room keeps the contract, which finds each kind of bad one."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest
from pydantic import BaseModel

from macro_assets.catalog import Catalog
from macro_assets.catalog.kinds.declaration import Declaration
from macro_assets.indicators.protocol import Given
from macro_assets_tests.indicators.contract import Case, methods, problems

METHODS = methods()


@pytest.mark.parametrize("name", sorted(METHODS))
def test_every_method_keeps_the_contract(name: str, catalog: Catalog) -> None:
    assert problems(Case(METHODS[name], catalog)) == []


def test_the_methods_of_the_room_are_found() -> None:
    assert {"composite", "rise_over_low"} <= METHODS.keys()
    assert "protocol" not in METHODS


# --- a method that keeps it, and some that do not ------------------------------------------------------------------


class Parameters(Declaration):
    """Months of the mean."""

    months: int


class Loose(BaseModel):
    """Neither frozen nor strict."""

    months: int


class Unfrozen(Parameters, frozen=False, extra="ignore"):
    """A declaration no more."""


Method = Callable[[Given, Any], pl.DataFrame]


def of(change: Callable[[pl.Expr], pl.Expr]) -> Method:
    """A method that does something to the monthly figures of the first series, and leaves out what is missing."""

    def compute(given: Given, parameters: Any) -> pl.DataFrame:
        value = change(pl.col(given.series[0]))
        return given.monthly().select("observation_date", value=value).drop_nulls("value")

    return compute


def then(change: Callable[[pl.DataFrame], pl.DataFrame]) -> Method:
    """A method that is right, but for what is done to its rows at the end."""
    return lambda given, parameters: change(GOOD.compute(given, parameters))


GOOD = SimpleNamespace(
    __doc__="A trailing mean.",
    SHAPE="value",
    Parameters=Parameters,
    EXAMPLE={"inputs": ["UNRATE", "SP500"], "parameters": {"months": 3}},
    compute=lambda given, parameters: of(lambda x: x.rolling_mean(parameters.months))(given, parameters),
)


def toy(**fields: Any) -> Any:
    return SimpleNamespace(**{**vars(GOOD), **fields})


def in_order_of_rows(given: Given, parameters: Any) -> pl.DataFrame:
    first = given.observations.drop_nulls("value")["value"].first()
    return of(lambda x: x - pl.lit(first, dtype=pl.Float64))(given, parameters)


def of_a_column_more(given: Given, parameters: Any) -> pl.DataFrame:
    early = given.observations.filter(pl.col("release_time").dt.year() < 2100)
    return of(lambda x: x)(Given(early, given.facts), parameters)


def summed_by_hash(given: Given, parameters: Any) -> pl.DataFrame:
    """Sums of days in the order of rows: right but for rounding."""
    month = pl.col("observation_date").dt.truncate("1mo")
    days = given.observations.filter(pl.col("series_id") == given.series[1]).drop_nulls("value")
    return days.group_by(observation_date=month).agg(pl.col("value").sum()).sort("observation_date")


def of_the_quarter(given: Given, parameters: Any) -> pl.DataFrame:
    """The mean of the quarter, said of each of its months."""
    quarter = pl.col("observation_date").dt.truncate("1q")
    return of(lambda x: x.mean().over(quarter))(given, parameters)


def latest_alone(given: Given, parameters: Any) -> pl.DataFrame:
    return then(lambda rows: rows.tail(24))(given, parameters)


def counted(given: Given, parameters: Any) -> pl.DataFrame:
    return of(lambda x: x + next(CALLS))(given, parameters)


def drawn(given: Given, parameters: Any) -> pl.DataFrame:
    return of(lambda x: x + random.random())(given, parameters)


def with_no_thought_of_nothing(given: Given, parameters: Any) -> pl.DataFrame:
    rows = of(lambda x: x)(given, parameters)
    return rows.with_columns(pl.col("value") + rows["value"][0])


def forgetting(given: Given, parameters: Any) -> pl.DataFrame:
    """Of the latest periods alone, of which a mean lacks those before."""
    asked = given.monthly() if given.periods is None else given.monthly().tail(given.periods)
    mean = pl.col(given.series[0]).fill_null(0).cum_sum() / pl.int_range(1, pl.len() + 1)
    return asked.select("observation_date", value=mean).drop_nulls("value")


def without_types(given: Given, parameters: Any) -> pl.DataFrame:
    return pl.DataFrame(GOOD.compute(given, parameters).to_dicts())


def refused(parameters: Any, facts: pl.DataFrame) -> None:
    raise ValueError("inputs.0: expected something else")


CALLS = itertools.count()


def test_a_good_method_keeps_it(catalog: Catalog) -> None:
    assert problems(Case(GOOD, catalog)) == []


@pytest.mark.parametrize(
    ("compute", "said"),
    [
        (of(lambda x: (x - x.mean()) / x.std()), "it looks ahead: with figures from"),
        (of(lambda x: x.rolling_mean(3, center=True)), "it looks ahead"),
        (of(lambda x: x.shift(-1)), "it looks ahead"),
        (of(lambda x: x.fill_null(strategy="backward")), "it looks ahead"),
        (of(lambda x: x.interpolate()), "it looks ahead"),
        (of(lambda x: x.rank() / x.count()), "it looks ahead"),
        (of_the_quarter, "it looks ahead"),
        (latest_alone, "it looks ahead"),
        (drawn, "it is not deterministic"),
        (counted, "it is not deterministic"),
        (in_order_of_rows, "it depends on the order of rows"),
        (summed_by_hash, "it depends on the order of rows"),
        (forgetting, "asked for the latest 13 periods, it makes others"),
        (of_a_column_more, "it fails where does_not_depend_on_the_frame is asked: ColumnNotFoundError"),
        (then(lambda rows: rows.with_columns(extra=1.0)), "of the figures: expected the shape 'value'"),
        (then(lambda rows: rows.select("value", "observation_date")), "of the figures: expected the shape 'value'"),
        (then(lambda rows: rows.cast({"value": pl.Float32})), "of the figures: expected the shape 'value'"),
        (then(lambda rows: pl.concat([rows, rows])), "multiple_fields_uniqueness"),
        (of(lambda x: x / 0), "of the figures: table indicators/example: "),
        (of(lambda x: pl.lit(None, dtype=pl.Float64)), "it makes no row"),
        (then(lambda rows: rows.with_columns(value=pl.lit(None, dtype=pl.Float64))), "value not_nullable"),
        (of(lambda x: 1 / x), "of zeros: table indicators/example: "),
        (of(lambda x: 1 / (x - x.first())), "of constant figures: "),
        (with_no_thought_of_nothing, "it fails where makes_nothing_of_nothing is asked"),
        (without_types, "of no figures: expected the shape 'value'"),
    ],
)
def test_a_bad_method_is_found(compute: Method, said: str, catalog: Catalog) -> None:
    assert any(said in problem for problem in problems(Case(toy(compute=compute), catalog)))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"SHAPE": "valu"}, "SHAPE: expected one of value, signal, contributions, "),
        ({"__doc__": None}, "the module has no docstring"),
        ({"Parameters": Loose}, "Parameters: expected a Declaration"),
        ({"Parameters": Unfrozen}, "Parameters: expected a class that is frozen and forbids what it does not know"),
        ({"EXAMPLE": {"inputs": ["UNRATE"]}}, "EXAMPLE: expected 'inputs' and 'parameters'"),
        ({"EXAMPLE": {"inputs": ["UNRAT"], "parameters": {"months": 3}}}, "EXAMPLE: inputs: UNRAT: no series"),
        ({"EXAMPLE": {"inputs": [], "parameters": {"months": 3}}}, "EXAMPLE: inputs: Tuple should have at least 1"),
        ({"EXAMPLE": {"inputs": ["UNRATE"], "parameters": {"months": "x"}}}, "EXAMPLE: months: Input should be"),
        ({"EXAMPLE": {"inputs": ["UNRATE"], "parameters": {"month": 3}}}, "EXAMPLE: months: Field required"),
        ({"EXAMPLE": {"inputs": ["UNRATE"], "parameters": {"months": 3, "of": {1, 2}}}}, "as YAML has them"),
        ({"check": refused}, "EXAMPLE: its own check refuses it: inputs.0: expected something else"),
    ],
)
def test_a_method_that_does_not_say_what_it_is_is_found(fields: dict[str, Any], said: str, catalog: Catalog) -> None:
    assert any(said in problem for problem in problems(Case(toy(**fields), catalog)))


@pytest.mark.parametrize("name", ["SHAPE", "EXAMPLE", "compute"])
def test_what_a_method_lacks_is_named(name: str, catalog: Catalog) -> None:
    lacking = toy()
    delattr(lacking, name)
    assert problems(Case(lacking, catalog)) == [f"it lacks {name}"]
