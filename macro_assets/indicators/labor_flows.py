"""Flows of the labor market: quits, hires, layoffs, and job openings per unemployed."""

from __future__ import annotations

import polars as pl

from macro_assets.catalog.kinds.declaration import Declaration, SeriesId
from macro_assets.indicators.protocol import Given

SHAPE = "labor_flows"

EXAMPLE = {
    "inputs": ["JTSQUR", "JTSHIR", "JTSLDR", "JTSJOL", "UNEMPLOY"],
    "parameters": {
        "quits": "JTSQUR",
        "hires": "JTSHIR",
        "layoffs": "JTSLDR",
        "openings": "JTSJOL",
        "unemployed": "UNEMPLOY",
    },
}

_UNITS = {
    "quits": "percent",
    "hires": "percent",
    "layoffs": "percent",
    "openings": "openings",
    "unemployed": "persons",
}


class Parameters(Declaration):
    """Which series is what."""

    quits: SeriesId
    hires: SeriesId
    layoffs: SeriesId
    openings: SeriesId
    unemployed: SeriesId


def check(parameters: Parameters, facts: pl.DataFrame) -> None:
    """Refuse series that are no inputs, not monthly or in another unit, and inputs that are none of the five.

    Raises
    ------
    ValueError
        With the field, what was expected and what came.
    """
    known = {fact["series_id"]: fact for fact in facts.to_dicts()}
    for name, unit in _UNITS.items():
        series = getattr(parameters, name)
        if series not in known:
            raise ValueError(f"parameters.{name}: {series}: expected one of the inputs {', '.join(known)}")
        fact = known[series]
        if fact["frequency"] != "M" or fact["unit"] != unit:
            raise ValueError(
                f"parameters.{name}: expected monthly figures in {unit}, {series} is {fact['frequency']!r}, in "
                f"{fact['unit']}"
            )
    if idle := [s for s in known if s not in {getattr(parameters, name) for name in _UNITS}]:
        raise ValueError(f"inputs: nothing is read of {', '.join(idle)}")


def compute(given: Given, parameters: Parameters) -> pl.DataFrame:
    """The flows by month.

    Returns
    -------
    DataFrame
        `observation_date` (first of month), `quits_rate`, `hires_rate`, `layoffs_rate` (percent of employment),
        `net_hires_rate` (hires less quits and layoffs, percentage points: other separations are in it),
        `quits_per_layoff`, `openings_per_unemployed`; null where a figure is missing. A month without any has no row.
    """
    quits, hires, layoffs, openings, unemployed = (pl.col(getattr(parameters, name)) for name in _UNITS)
    rows = given.monthly().select(
        "observation_date",
        quits_rate=quits,
        hires_rate=hires,
        layoffs_rate=layoffs,
        net_hires_rate=hires - quits - layoffs,
        quits_per_layoff=pl.when(layoffs > 0).then(quits / layoffs),
        openings_per_unemployed=pl.when(unemployed > 0).then(openings / unemployed),
    )
    return rows.filter(pl.any_horizontal(pl.exclude("observation_date").is_not_null()))
