"""Releases: the distinct values a provider stated for one observation, in order, and how they were revised.

A value repeated by later vintages is one release. Releases are numbered when they are read: loading an older vintage
later renumbers them. An observation whose first row is a `snapshot` (known by then, released who knows when) or an
estimate (`publication_lag`: today's value at a guessed time) has no first release on record, so its releases have no
number. Those before a change of base (`rebased`) are no releases any more: their figures cannot be compared with the
later ones. One holder's releases count, those of the holder that serves the series at the instant: what another one
has is no revision of it.
"""

from __future__ import annotations

import math
from bisect import bisect
from collections.abc import Collection
from datetime import date, datetime

import polars as pl

from macro_assets.catalog import Catalog
from macro_assets.catalog.derive import holdings_frame
from macro_assets.catalog.periods import period_start
from macro_assets.lakehouse.absent import never_fetched
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.holders import ESTIMATED, chosen
from macro_assets.lakehouse.paths import Root
from macro_assets.lakehouse.raw import read_decisions, read_series
from macro_assets.lakehouse.vintages import (
    REBASED,
    STATEMENT,
    VINTAGE_BASES,
    day_of,
    in_force,
    instant,
    without_invalid,
)

UNNUMBERED_BASES = ("snapshot", ESTIMATED, REBASED)
"""Bases of a first row that is no first release."""

_OF_ONE_DATE = ["series_id", "observation_date"]
LATEST = "latest"


def numbered(
    raw: pl.DataFrame,
    provider: str,
    decisions: pl.DataFrame | None = None,
    moment: date | datetime | str | None = None,
) -> pl.DataFrame:
    """The releases in rows of a raw table, numbered from 1 within each series and observation date.

    Parameters
    ----------
    raw
        Rows of a raw table, in any order.
    provider
        The holder whose releases they are.
    decisions
        Rows of the table of invalidations; values that stand marked as invalid at the instant are left out.
    moment
        Releases up to this instant; None for all.

    Returns
    -------
    DataFrame
        `series_id`, `observation_date`, `release` (null where the first is not on record), `value`, `release_time`,
        `release_basis`, `provider`; sorted by series, date and time. Missing values before the first number are no
        releases.
    """
    told = raw.filter(pl.col("provider") == provider)
    dated = told.filter(pl.col("release_basis").is_in(VINTAGE_BASES))["series_id"].unique().to_list()
    if moment is not None:
        told = told.filter(pl.col("release_time") <= instant(moment))
    rows = without_invalid(told.lazy(), decisions, moment).collect()
    rows = rows.filter((pl.col("release_basis") != ESTIMATED) | ~pl.col("series_id").is_in(dated))
    rebased = pl.col("release_time").filter(pl.col("release_basis") == REBASED).max().over("series_id")
    rows = rows.filter((pl.col("release_time") >= rebased) | rebased.is_null())
    changed = pl.col("value").ne_missing(pl.col("value").shift(1)).over(_OF_ONE_DATE)
    begun = pl.col("value").is_not_null().cum_max().over(_OF_ONE_DATE)
    first = pl.int_range(pl.len()).over(_OF_ONE_DATE) == 0
    on_record = ~pl.col("release_basis").first().over(_OF_ONE_DATE).is_in(UNNUMBERED_BASES)
    number = pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over(_OF_ONE_DATE)
    return (
        rows.sort(*_OF_ONE_DATE, "release_time")
        .with_columns(on_record=on_record, begun=begun)
        .filter("begun")
        .filter(first | changed)
        .with_columns(release=pl.when("on_record").then(number))
        .select(*_OF_ONE_DATE, "release", "value", "release_time", "release_basis", "provider")
    )


def with_revisions(releases: pl.DataFrame) -> pl.DataFrame:
    """Releases after an observation's first, with `previous_value` and `revision` (value less previous value)."""
    later = pl.int_range(pl.len()).over(_OF_ONE_DATE) > 0
    return (
        releases.with_columns(previous_value=pl.col("value").shift(1).over(_OF_ONE_DATE))
        .filter(later)
        .with_columns(revision=pl.col("value") - pl.col("previous_value"))
    )


def triangle(releases: pl.DataFrame) -> pl.DataFrame:
    """One series' numbered releases as a triangle: a row per observation date, a column per release number."""
    counted = releases.filter(pl.col("release").is_not_null())
    numbers = sorted(counted["release"].unique())
    wide = counted.pivot("release", index="observation_date", values="value", on_columns=numbers)
    return wide.sort("observation_date")


def statistics(releases: pl.DataFrame) -> pl.DataFrame:
    """How far later releases are from the first, over the observations that have both.

    The revision at horizon h is release h less release 1; `latest` is the last release less release 1. Bias is a mean
    that is not zero: `bias_t` is the mean over its Newey-West standard error (Newey and West, 1987, with Bartlett
    weights and floor(4 (n/100)^(2/9)) lags), as revisions of neighbouring periods are correlated.

    Parameters
    ----------
    releases
        Numbered releases of one series.

    Returns
    -------
    DataFrame
        `horizon` ('2', '3', ..., 'latest'), `observations`, `mean`, `mean_absolute`, `standard_deviation` in the
        series' unit, `bias_t` (null where there are fewer than three observations or all are equal).
    """
    counted = releases.filter(pl.col("release").is_not_null(), pl.col("value").is_not_null())
    first = counted.filter(pl.col("release") == 1).select("observation_date", first="value")
    last = counted.filter(pl.col("release") == pl.col("release").max().over("observation_date"))
    horizons = sorted(n for n in counted["release"].unique() if n > 1)
    by_horizon = [(str(h), counted.filter(pl.col("release") == h)) for h in horizons] + [(LATEST, last)]
    rows = []
    for name, at_horizon in by_horizon:
        joined = at_horizon.join(first, on="observation_date").sort("observation_date")
        revision = joined["value"] - joined["first"]
        rows.append(
            {
                "horizon": name,
                "observations": revision.len(),
                "mean": revision.mean(),
                "mean_absolute": revision.abs().mean(),
                "standard_deviation": revision.std(),
                "bias_t": _newey_west_t(revision),
            }
        )
    schema = {
        "horizon": pl.String,
        "observations": pl.Int64,
        "mean": pl.Float64,
        "mean_absolute": pl.Float64,
        "standard_deviation": pl.Float64,
        "bias_t": pl.Float64,
    }
    return pl.DataFrame(rows, schema=schema)


def _newey_west_t(x: pl.Series) -> float | None:
    """Mean over its Newey-West standard error."""
    n = x.len()
    if n < 3:
        return None
    e = (x - x.mean()).to_numpy()
    lags = min(math.floor(4 * (n / 100) ** (2 / 9)), n - 1)
    variance = float(e @ e) / n
    variance += sum(2 * (1 - k / (lags + 1)) * float(e[k:] @ e[:-k]) / n for k in range(1, lags + 1))
    mean = float(x.mean())  # type: ignore[arg-type]
    return mean / math.sqrt(variance / n) if variance > 0 else None


# --- on the stored tables ------------------------------------------------------------------------------------------


def releases(
    series_ids: str | Collection[str],
    n: int | None = None,
    as_of: date | datetime | str | None = None,
    root: str | Root | None = None,
    catalog: Catalog | None = None,
) -> pl.DataFrame:
    """Releases of one or more series: all, or the `n`-th of each observation (1 = first). See :func:`numbered`.

    They are those of the holder that counts at the instant.

    Raises
    ------
    UnknownNameError
        When the catalog has no such series.
    ValueError
        When `n` is less than 1.
    LakeError
        When a table cannot be read.
    """
    if n is not None and n < 1:
        raise ValueError(f"releases are numbered from 1, got n={n}")
    lake = Lakehouse.at(root, catalog)
    ids = [series_ids] if isinstance(series_ids, str) else list(series_ids)
    raw, decisions = read_series(lake, ids), read_decisions(lake)
    known = in_force(raw, as_of, decisions)
    won = chosen(known, holdings_frame(lake.catalog, ids), day_of(as_of))
    told = raw.join(won, on=["series_id", "provider"], how="semi")
    found = [numbered(own, str(name), decisions, as_of) for (name,), own in told.group_by("provider")]
    rows = pl.concat([numbered(raw.clear(), ""), *found]).sort(*_OF_ONE_DATE, "release_time")
    return rows if n is None else rows.filter(pl.col("release") == n)


def revisions(
    series_ids: str | Collection[str],
    as_of: date | datetime | str | None = None,
    root: str | Root | None = None,
    catalog: Catalog | None = None,
) -> pl.DataFrame:
    """Every revision of one or more series, with the value before and the change. See :func:`with_revisions`."""
    return with_revisions(releases(series_ids, None, as_of, root, catalog))


def revision_triangle(
    series_id: str,
    as_of: date | datetime | str | None = None,
    root: str | Root | None = None,
    catalog: Catalog | None = None,
) -> pl.DataFrame:
    """The revision triangle of a series: `observation_date`, then columns '1', '2', ... by release number."""
    return triangle(releases(series_id, None, as_of, root, catalog))


def revision_statistics(
    series_id: str,
    as_of: date | datetime | str | None = None,
    root: str | Root | None = None,
    catalog: Catalog | None = None,
) -> pl.DataFrame:
    """Mean, mean absolute and bias of a series' revisions by horizon. See :func:`statistics`."""
    return statistics(releases(series_id, None, as_of, root, catalog))


def history(
    series_id: str,
    observation_date: date | str,
    root: str | Root | None = None,
    catalog: Catalog | None = None,
) -> pl.DataFrame:
    """The audit of one number: every stored row about an observation, and every decision about it.

    Returns
    -------
    DataFrame
        The raw row (`value`, `release_time`, `release_basis`, `provider`, `ingested_at`, `run_id`, `payload_sha256`),
        its `release` number where it is one, and `decided_at`, `action`, `reason`, `author` of each decision about it
        (nulls where there is none); sorted by release time.
    """
    lake = Lakehouse.at(root, catalog)
    day = date.fromisoformat(observation_date) if isinstance(observation_date, str) else observation_date
    raw = read_series(lake, [series_id])
    decisions = read_decisions(lake)
    about = raw.filter(pl.col("observation_date") == day)
    by_holder = [numbered(raw, p, decisions).select(*STATEMENT, "release") for p in raw["provider"].unique()]
    numbers = pl.concat([numbered(raw.clear(), "").select(*STATEMENT, "release"), *by_holder])
    return (
        about.join(numbers, on=STATEMENT, how="left")
        .join(decisions, on=STATEMENT, how="left")
        .sort("release_time", "provider", "decided_at")
    )


def no_history(lake: Lakehouse, series_id: str, day: date) -> str:
    """What to say of a date for which nothing is stored of a series: where its figures are.

    Raises
    ------
    UnknownNameError
        When the catalog has no such series.
    """
    series = lake.catalog.one_series(series_id)
    dates = read_series(lake, [series_id])["observation_date"].unique().sort().to_list()
    if not dates:
        return never_fetched(lake.catalog, series_id)
    nothing = f"Nothing is stored of {series_id} for {day}"
    start = period_start(day, series.frequency)
    if day != start:
        nothing += f": periods are dated by their first day, {start}"
        if start in dates:
            return f"{nothing}."
    if start < dates[0]:
        return f"{nothing}: what is stored of it begins {dates[0]}."
    if start > dates[-1]:
        return f"{nothing}: what is stored of it ends {dates[-1]}."
    after = bisect(dates, start)
    return f"{nothing}: the dates beside it are {dates[after - 1]} and {dates[after]}."
