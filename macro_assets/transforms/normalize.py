"""Observations in standard units, with what is computed of each: the rows of the long table of a family."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from macro_assets.catalog.kinds.step import Step
from macro_assets.transforms.steps import transformed_by


def standard_units(known: pl.DataFrame, holdings: pl.DataFrame) -> pl.DataFrame:
    """Observations in the standard unit of their holder: the provider's number times the catalog's scale.

    Parameters
    ----------
    known
        One row per series and observation date: `series_id`, `provider`, `observation_date`, `value` in the provider's
        unit, `release_time`.
    holdings
        `series_id`, `provider`, `source` (the home of the series), `scale`, `unit`. Rows without one are left out.

    Returns
    -------
    DataFrame
        `source`, `series_id`, `provider`, `observation_date`, `value`, `unit`, `release_time`, by series and date.
    """
    told = holdings.select("series_id", "provider", "scale", "unit", home="source")
    return (
        known.join(told, on=["series_id", "provider"])
        .with_columns(value=pl.col("value") * pl.col("scale"), source="home")
        .select("source", "series_id", "provider", "observation_date", "value", "unit", "release_time")
        .sort("series_id", "observation_date")
    )


def transformed(observations: pl.DataFrame, facts: pl.DataFrame) -> pl.DataFrame:
    """Every series by its FRED-MD code, at its own frequency: the transform `fred_md`.

    Parameters
    ----------
    observations
        `source`, `series_id`, `observation_date`, `value`.
    facts
        `series_id`, `frequency`, `transform` (the code). Series without a row here are left out.

    Returns
    -------
    DataFrame
        `source`, `series_id`, `observation_date`, `value`, without rows that have no value.
    """
    codes = dict(facts.select("series_id", "transform").iter_rows())
    by_code = {code: (Step(name="fred_md", parameters={"code": code}),) for code in set(codes.values())}
    steps = {series_id: by_code[code] for series_id, code in codes.items()}
    return transformed_by(observations.select(*_KEY, "value"), steps, _frequencies(facts))


def zscores(stationary: pl.DataFrame, facts: pl.DataFrame, min_history: Mapping[str, int]) -> pl.DataFrame:
    """Expanding z-scores of stationary series: the transform `zscore`.

    Parameters
    ----------
    stationary
        `source`, `series_id`, `observation_date`, `value`.
    facts
        `series_id`, `frequency`. Series without a row here are left out.
    min_history
        Observations before the first z-score, by frequency ('D', 'W', 'M', 'Q', 'A').

    Returns
    -------
    DataFrame
        `source`, `series_id`, `observation_date`, `zscore` (standard deviations).
    """
    frequencies = _frequencies(facts)
    scored = {f: (Step(name="zscore", parameters={"min_obs": min_history[f]}),) for f in set(frequencies.values())}
    steps = {series_id: scored[frequency] for series_id, frequency in frequencies.items()}
    return transformed_by(stationary.select(*_KEY, "value"), steps, frequencies).rename({"value": "zscore"})


_KEY = ("source", "series_id", "observation_date")


def _frequencies(facts: pl.DataFrame) -> dict[str, str]:
    return dict(facts.select("series_id", "frequency").iter_rows())


def normalized(observations: pl.DataFrame, facts: pl.DataFrame, min_history: Mapping[str, int]) -> pl.DataFrame:
    """Observations, each with its stationary value and its z-score.

    Parameters
    ----------
    observations
        As :func:`standard_units` gives them.
    facts
        `series_id`, `frequency`, `transform`.
    min_history
        Observations before the first z-score, by frequency.

    Returns
    -------
    DataFrame
        The observations with `transformed` and `zscore` (both null where there is none).
    """
    stationary = transformed(observations, facts)
    scores = zscores(stationary, facts, min_history)
    return observations.join(
        stationary.rename({"value": "transformed"}), on=_KEY, how="left", maintain_order="left"
    ).join(scores, on=_KEY, how="left", maintain_order="left")
