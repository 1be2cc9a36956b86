"""Surprises: what was released minus what was expected of it before, in standard deviations of the surprises before."""

from __future__ import annotations

import polars as pl


def expected_before(releases: pl.DataFrame, consensus: pl.DataFrame) -> pl.DataFrame:
    """Each release with the consensus known last before it.

    Parameters
    ----------
    releases
        `component`, `target_date`, `release_time`, `actual`.
    consensus
        `component`, `target_date` (of the period that is forecast), `known_time` (of the type of `release_time`),
        `consensus`. What became known with the release or after it is not asked.

    Returns
    -------
    DataFrame
        `component`, `target_date`, `release_time`, `actual`, `consensus` (null where none was known), by component and
        release.
    """
    by, last = ["component", "target_date"], pl.col("consensus").sort_by("known_time").last()
    before = (
        consensus.drop_nulls("consensus")
        .join(releases.select(*by, "release_time"), on=by)
        .filter(pl.col("known_time") < pl.col("release_time"))
        .group_by(*by, "release_time")
        .agg(last)
    )
    return (
        releases.select(*by, "release_time", "actual")
        .join(before, on=[*by, "release_time"], how="left")
        .sort("component", "release_time", "target_date")
    )


def standardized(expected: pl.DataFrame, min_obs: int) -> pl.DataFrame:
    """The surprises.

    Parameters
    ----------
    expected
        As :func:`expected_before` gives it.
    min_obs
        Surprises of a component before its first that is standardized.

    Returns
    -------
    DataFrame
        The rows that have both, with `surprise` (in the unit of the two) and `zscore`: the surprise over the standard
        deviation (n - 1) of those released before it. No mean is taken off. It is missing while they are too few, and
        where they are equal.
    """
    known = (
        expected.with_columns(surprise=pl.col("actual") - pl.col("consensus"))
        .filter(pl.col("surprise").is_finite())
        .sort("component", "release_time", "target_date")
    )
    n = pl.int_range(pl.len())
    centred = pl.col("surprise") - pl.col("surprise").first()
    sums, squares = (x.cum_sum().shift(1) for x in (centred, centred**2))
    variance = (squares - sums**2 / n) / (n - 1)
    moves = pl.col("surprise").cum_max().shift(1) > pl.col("surprise").cum_min().shift(1)
    enough = (n >= min_obs) & (n > 1) & moves & (variance > 0)
    score = pl.when(enough).then(pl.col("surprise") / variance.sqrt()).over("component")
    return known.with_columns(zscore=pl.when(score.is_finite()).then(score))


def trailing_mean(surprises: pl.DataFrame, days: int = 30) -> pl.DataFrame:
    """The surprise index: the mean score of all that was released in so many days up to each release.

    Parameters
    ----------
    surprises
        `release_time` and `zscore` (signed so that higher is one direction for all components).

    Returns
    -------
    DataFrame
        The rows by `release_time`, with `trailing_mean`; missing where none of the days' releases has a score.
    """
    rows = surprises.sort("release_time", maintain_order=True)
    means = rows.rolling("release_time", period=f"{days}d", closed="right").agg(trailing_mean=pl.col("zscore").mean())
    return rows.with_columns(means["trailing_mean"])
