"""Core inflation from components and their weights: the weighted trimmed mean and the weighted median of a month."""

from __future__ import annotations

import polars as pl
from pydantic import Field

from macro_assets.catalog.kinds.declaration import Declaration, SeriesId
from macro_assets.indicators.protocol import Given
from macro_assets.transforms.inflation_cores import Trim, cores

SHAPE = "inflation_cores"

EXAMPLE = {
    "inputs": ["BR_IPCA_FOOD_MOM", "BR_IPCA_FOOD_WEIGHT", "BR_IPCA_HOUSING_MOM", "BR_IPCA_HOUSING_WEIGHT"],
    "parameters": {
        "lower_pct": 20,
        "upper_pct": 20,
        "components": [
            {"change": "BR_IPCA_FOOD_MOM", "weight": "BR_IPCA_FOOD_WEIGHT"},
            {"change": "BR_IPCA_HOUSING_MOM", "weight": "BR_IPCA_HOUSING_WEIGHT"},
        ],
    },
}


class Component(Declaration):
    """A component: the series of its change, in percent, and of its weight."""

    change: SeriesId
    weight: SeriesId


class Parameters(Declaration):
    """The components, and what of their weight is left out of the trimmed mean."""

    lower_pct: float = Field(ge=0, lt=100, description="Percent of the weight left out among the lowest changes")
    upper_pct: float = Field(ge=0, lt=100, description="Percent of the weight left out among the highest changes")
    components: tuple[Component, ...] = Field(min_length=2)


def check(parameters: Parameters, facts: pl.DataFrame) -> None:
    """Refuse a trim that leaves nothing, components that are not the inputs, and what is not monthly and in percent.

    Raises
    ------
    ValueError
        With the field, what was expected and what came.
    """
    if parameters.lower_pct + parameters.upper_pct >= 100:
        raise ValueError("parameters.upper_pct: with lower_pct it leaves nothing")
    used = [s for c in parameters.components for s in (c.change, c.weight)]
    inputs = facts["series_id"].to_list()
    if wrong := [s for s in used if s not in inputs]:
        raise ValueError(f"parameters.components: {', '.join(wrong)}: expected some of the inputs {', '.join(inputs)}")
    if idle := [s for s in inputs if s not in used]:
        raise ValueError(f"inputs: no component is made of {', '.join(idle)}")
    if twice := sorted({s for s in used if used.count(s) > 1}):
        raise ValueError(f"parameters.components: {', '.join(twice)}: expected each once")
    changes = {c.change for c in parameters.components}
    for number, fact in enumerate(facts.to_dicts()):
        if fact["frequency"] != "M" or (fact["series_id"] in changes and fact["unit"] != "percent"):
            told = f"{fact['series_id']} is {fact['frequency']!r} and in {fact['unit']!r}"
            raise ValueError(f"inputs.{number}: expected monthly figures, changes in percent, {told}")


def compute(given: Given, parameters: Parameters) -> pl.DataFrame:
    """The cores of each month in which every component has its change and its weight.

    Returns
    -------
    DataFrame
        `observation_date` (first of month), `trimmed_mean`, `weighted_median` (percent), by month.
    """
    wide = given.monthly()
    components = [
        wide.select("observation_date", component=pl.lit(c.change), change=c.change, weight=c.weight)
        for c in parameters.components
    ]
    return cores(pl.concat(components), Trim(parameters.lower_pct, parameters.upper_pct))
