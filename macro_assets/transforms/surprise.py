"""Surprises: what was released minus what was expected of it before, in standard deviations of the surprises before."""

from __future__ import annotations

import polars as pl

from macro_assets.transforms.windows import Span, in_spans


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


def standardized(expected: pl.DataFrame, min_obs: int, spans: tuple[Span, ...] = ()) -> pl.DataFrame:
    """The surprises.

    Parameters
    ----------
    expected
        As :func:`expected_before` gives it.
    min_obs
        Surprises of a component before its first that is standardized.
    spans
        Spans of months whose surprises are in no deviation, though they are standardized themselves.

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
    surprise, x = pl.col("surprise"), pl.col("_x")
    counted = pl.when(~in_spans(pl.col("target_date"), spans)).then(surprise)
    before = {
        "_n": x.is_not_null().cast(pl.Int64).cum_sum().shift(1, fill_value=0),
        "_sum": x.fill_null(0).cum_sum().shift(1),
        "_squares": (x.fill_null(0) ** 2).cum_sum().shift(1),
        "_moves": x.cum_max().forward_fill().shift(1) > x.cum_min().forward_fill().shift(1),
    }
    n, variance = pl.col("_n"), (pl.col("_squares") - pl.col("_sum") ** 2 / pl.col("_n")) / (pl.col("_n") - 1)
    enough = (n >= min_obs) & (n > 1) & pl.col("_moves") & (variance > 0)
    score = pl.when(enough).then(surprise / variance.sqrt())
    return (
        known.with_columns(_x=(counted - counted.drop_nulls().first()).over("component"))
        .with_columns(moment.over("component").alias(name) for name, moment in before.items())
        .with_columns(zscore=pl.when(score.is_finite()).then(score))
        .drop("_x", *before)
    )


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


def deviation_before(surprises: pl.DataFrame, min_obs: int) -> pl.DataFrame:
    """Of each surprise the standard deviation (n - 1) of those of its series that were known before its release.

    Parameters
    ----------
    surprises
        `series_id`, `observation_date`, `release_time`, `surprise` (finite) and `counts` (whether it is in the
        deviations of later ones); in any order of rows. What was released at the same instant is not before.
    min_obs
        Surprises that a deviation needs.

    Returns
    -------
    DataFrame
        The rows with `surprise_sd`, missing while they are too few, and where they are equal.
    """
    by, x = ["series_id", "release_time"], pl.col("surprise")
    counted = pl.when("counts").then(x)
    centre = counted.drop_nulls().first().over("series_id")
    centred = counted - centre
    releases = (
        surprises.sort(*by, "observation_date")
        .with_columns(_centred=centred, _counted=counted)
        .group_by(by, maintain_order=True)
        .agg(
            n=pl.col("_centred").count(),
            sums=pl.col("_centred").sum(),
            squares=(pl.col("_centred") ** 2).sum(),
            low=pl.col("_counted").min(),
            high=pl.col("_counted").max(),
        )
    )
    n, sums, squares = (pl.col(c).cum_sum().shift(1, fill_value=0).over("series_id") for c in ("n", "sums", "squares"))
    low, high = (
        x.forward_fill().shift(1).over("series_id") for x in (pl.col("low").cum_min(), pl.col("high").cum_max())
    )
    variance = (squares - sums**2 / n) / (n - 1)
    enough = (n >= min_obs) & (n > 1) & (high > low) & (variance > 0)
    deviations = releases.select(*by, surprise_sd=pl.when(enough).then(variance.sqrt()))
    return surprises.join(deviations, on=by, how="left")
