"""Rules on what figures look like: outliers, unit roots, breaks, drifts. Findings to look at, never proofs of an error.

Each is judged by group (`by`, as series by series), on the last `latest` figures against those before them where that
is given. `share` is the part of what is judged of which a finding is no surprise.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import polars as pl
from pydantic import Field

from macro_assets.catalog.kinds.declaration import Slug
from macro_assets.quality.report import CheckReport
from macro_assets.quality.rules.registry import Arguments, report_of, rule
from macro_assets.transforms.breaks import chow, cusum, drift
from macro_assets.transforms.stationarity import UntestableError, unit_root


class Judged(Arguments):
    """A column, what its figures are told apart by, and how many of the last are judged."""

    column: Slug
    by: Slug | None = None
    share: float = Field(default=0.0, ge=0, lt=1)
    min_obs: int = Field(default=24, ge=8)

    def numbers(self) -> tuple[str, ...]:
        return (self.column,)

    def texts(self) -> tuple[str, ...]:
        return (self.by,) if self.by else ()


def _figures(frame: pl.DataFrame, arguments: Judged) -> pl.DataFrame:
    """Rows with a figure: `row`, `group`, `observation_date`, `value`, in order of time."""
    by = pl.col(arguments.by) if arguments.by else pl.lit(arguments.column)
    return (
        frame.with_row_index("row")
        .select("row", "observation_date", group=by, value=pl.col(arguments.column).cast(pl.Float64))
        .filter(pl.col("value").is_finite())
        .sort("group", "observation_date", "value")
    )


def _walk(length: int, jump: float = 0.0, persistence: float = 0.0) -> pl.DataFrame:
    """Synthetic months of noise, with a jump of the last, as far as the noise goes."""
    draw = random.Random(1)
    values = [0.0]
    for _ in range(length - 1):
        values.append(persistence * values[-1] + draw.gauss(0, 1))
    values[-1] += jump
    days = [date(1990, 1, 1) + timedelta(days=31 * n) for n in range(length)]
    return pl.DataFrame({"series_id": "a", "observation_date": days, "value": values})


# --- outliers ------------------------------------------------------------------------------------------------------


class Fences(Judged):
    """How many interquartile ranges beyond the quartiles a figure may be."""

    ranges: float = Field(default=3.0, gt=0)
    latest: int | None = Field(default=None, ge=1)


@rule(
    arguments=Fences,
    reads=("observation_date",),
    example={"column": "value", "by": "series_id", "latest": 1},
    passes=lambda: _walk(60),
    rejects=lambda: _walk(60, jump=12),
)
def no_outliers(frame: pl.DataFrame, subject: str, arguments: Fences) -> CheckReport:
    """No figure is below Q1 - 3 IQR or above Q3 + 3 IQR of its group; ask of a transformed series, not of levels."""
    from_end = pl.int_range(pl.len(), 0, -1).over("group")
    rows = _figures(frame, arguments).with_columns(judged=from_end <= (arguments.latest or frame.height))
    known = pl.when(~pl.col("judged")).then("value") if arguments.latest else pl.col("value")
    of_each = rows.group_by("group").agg(
        low=known.quantile(0.25, "linear"), high=known.quantile(0.75, "linear"), n=known.count()
    )
    iqr = arguments.ranges * (pl.col("high") - pl.col("low"))
    judged = rows.filter("judged").join(of_each, on="group").filter(pl.col("n") >= arguments.min_obs, iqr > 0)
    value = pl.col("value")
    beyond = (value < pl.col("low") - iqr) | (value > pl.col("high") + iqr)
    off = judged.with_columns(beyond=beyond, part=beyond.mean().over("group"))
    off = off.filter(pl.col("beyond"), pl.col("part") > arguments.share).sort("row")
    figures = (e.round_sig_figs(4) for e in (value, pl.col("low") - iqr, pl.col("high") + iqr))
    told = pl.format("{} {}: {}, expected {} to {}", "group", "observation_date", *figures)
    off = off.with_columns(value=told)
    said = f"within {arguments.ranges:g} interquartile ranges of the quartiles"
    return report_of(frame, subject, off, off["row"].to_list(), arguments.column, said)


class Forest(Arguments):
    """Columns that are looked at together, how many of the last rows are judged, and the score that is too high."""

    columns: list[Slug] = Field(min_length=1)
    latest: int | None = Field(default=None, ge=1)
    score: float = Field(default=0.7, gt=0.5, lt=1)
    min_obs: int = Field(default=60, ge=8)

    def numbers(self) -> tuple[str, ...]:
        return tuple(self.columns)


@rule(
    arguments=Forest,
    reads=("observation_date",),
    example={"columns": ["value", "value"], "latest": 3},
    passes=lambda: _walk(120),
    rejects=lambda: _walk(120, jump=12),
)
def no_isolated_rows(frame: pl.DataFrame, subject: str, arguments: Forest) -> CheckReport:
    """No row stands apart from the others by an isolation forest, grown on the rows before those that are judged.

    Reference: Liu, Ting and Zhou (2008): the score is near 1 of what few cuts set apart, about 0.5 or less of the rest.
    """
    names = list(dict.fromkeys(arguments.columns))
    rows = (
        frame.with_row_index("row")
        .filter(pl.all_horizontal(pl.col(names).is_finite()))
        .sort("observation_date", *names)
    )
    latest = min(arguments.latest or rows.height, rows.height)
    known = rows.head(rows.height - latest) if arguments.latest else rows
    judged = rows.tail(latest).with_columns(score=pl.lit(0.0))
    if known.height >= arguments.min_obs:
        from sklearn.ensemble import IsolationForest

        grown = IsolationForest(n_estimators=100, random_state=0).fit(known.select(names).to_numpy())
        judged = judged.with_columns(score=pl.Series(-grown.score_samples(judged.select(names).to_numpy())))
    off = judged.filter(pl.col("score") > arguments.score).sort("row")
    off = off.with_columns(value=pl.format("{}: score {}", "observation_date", pl.col("score").round(3)))
    said = f"no row apart (score <= {arguments.score:g})"
    return report_of(frame, subject, off, off["row"].to_list(), ", ".join(names), said)


# --- series as a whole ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Group:
    """The figures of a group in order of time; of days and weeks the last of each month, where a rule asks for it."""

    name: str
    frequency: str
    last_row: int
    values: pl.Series


Finding = Callable[[_Group], str | None]


def _each(frame: pl.DataFrame, subject: str, arguments: Judged, finding: Finding, said: str) -> CheckReport:
    """The report of what is found of each group, on the row of its last figure. Findings in few of many are none."""
    found, of = list[tuple[int, str]](), 0
    for group in _groups(frame, arguments):
        try:
            told = finding(group)
        except UntestableError:
            told = None
        of += 1
        found += [(group.last_row, f"{group.name}: {told}")] if told else []
    off = pl.DataFrame(found, schema={"row": pl.Int64, "value": pl.String}, orient="row").sort("row")
    if off.height <= arguments.share * of:
        off = off.clear()
    return report_of(frame, subject, off, off["row"].to_list(), arguments.column, said)


def _groups(frame: pl.DataFrame, arguments: Judged) -> Iterator[_Group]:
    """Groups with figures enough to be judged."""
    by = pl.col(arguments.by) if arguments.by else pl.lit(arguments.column)
    told = frame.select(group=by, frequency="frequency").unique("group") if "frequency" in frame.columns else None
    frequencies = dict(told.drop_nulls().iter_rows()) if told is not None else {}
    month = pl.col("observation_date").dt.truncate("1mo")
    for (name,), rows in _figures(frame, arguments).group_by("group", maintain_order=True):
        frequency = frequencies.get(name, "")
        if frequency in ("D", "W"):
            rows = rows.group_by(month.alias("month"), maintain_order=True).last()
        if rows.height >= arguments.min_obs:
            yield _Group(str(name), frequency, rows["row"][-1], rows["value"])


class UnitRoots(Judged):
    """The level of both tests, and the last figures that are looked at."""

    alpha: float = Field(default=0.05, gt=0, lt=0.5)
    latest: int = Field(default=600, ge=24)


@rule(
    arguments=UnitRoots,
    reads=("observation_date",),
    example={"column": "value", "by": "series_id"},
    passes=lambda: _walk(240),
    rejects=lambda: _walk(240, persistence=1.0),
)
def stationary(frame: pl.DataFrame, subject: str, arguments: UnitRoots) -> CheckReport:
    """No series has a unit root by both tests: Dickey and Fuller do not refuse one, KPSS refuses stationarity.

    Ask of a transformed series. The lags of the first are those of Schwert (1989), 12 (n / 100) ** (1 / 4) at most.
    """

    def finding(group: _Group) -> str | None:
        x = group.values.tail(arguments.latest)
        kpss = unit_root(x, "kpss").p_value
        if kpss >= arguments.alpha:
            return None
        adf = unit_root(x, "adf", lags=min(int(12 * (len(x) / 100) ** 0.25), len(x) // 4)).p_value
        return f"ADF p {adf:.3f}, KPSS p {kpss:.3f}" if adf >= arguments.alpha else None

    return _each(frame, subject, arguments, finding, "stationary by ADF and KPSS")


class Breaks(Judged):
    """The test, its level, the last figures that are looked at, and how many of them `chow` sets against the others."""

    test: Literal["cusum", "chow"] = "cusum"
    alpha: float = Field(default=0.01, gt=0, lt=0.5)
    latest: int = Field(default=120, ge=24)
    after: int = Field(default=12, ge=6)


_A_YEAR = {"D": 12, "W": 12, "M": 12, "Q": 4, "A": 1}
"""Figures of a year; of days and weeks one of each month is taken."""


@rule(
    arguments=Breaks,
    reads=("observation_date",),
    facts=("frequency",),
    example={"column": "value", "by": "series_id"},
    passes=lambda: _walk(140).with_columns(frequency=pl.lit("M")),
    rejects=lambda: _walk(140).with_columns(
        pl.when(pl.int_range(pl.len()) >= 100).then(pl.col("value") + pl.int_range(pl.len()) - 100).otherwise("value"),
        frequency=pl.lit("M"),
    ),
)
def no_break(frame: pl.DataFrame, subject: str, arguments: Breaks) -> CheckReport:
    """No series' change over a year has a break, by the CUSUM of its deviations or Chow's test of its last figures.

    Of days and weeks the last of each month is taken: yearly changes of neighbouring days are nearly the same figure.
    """

    def finding(group: _Group) -> str | None:
        if group.frequency not in _A_YEAR:
            return None
        x = (group.values - group.values.shift(_A_YEAR[group.frequency])).drop_nulls().tail(arguments.latest)
        if len(x) < arguments.min_obs:
            return None
        found = cusum(x) if arguments.test == "cusum" else chow(x, len(x) - arguments.after)
        return f"{arguments.test} p {found.p_value:.4f}" if found.p_value < arguments.alpha else None

    return _each(frame, subject, arguments, finding, "no break of the change over a year")


class Drifts(Judged):
    """How many of the last figures are set against those before, and from which index and level on they are others."""

    latest: int = Field(default=60, ge=10)
    psi: float = Field(default=0.25, gt=0)
    alpha: float = Field(default=0.001, gt=0, lt=0.5)


@rule(
    arguments=Drifts,
    reads=("observation_date",),
    facts=("frequency",),
    example={"column": "value", "by": "series_id"},
    passes=lambda: _walk(240).with_columns(frequency=pl.lit("M")),
    rejects=lambda: _walk(240).with_columns(
        pl.when(pl.int_range(pl.len()) >= 180).then(pl.col("value") + 1.5).otherwise("value"), frequency=pl.lit("M")
    ),
)
def no_drift(frame: pl.DataFrame, subject: str, arguments: Drifts) -> CheckReport:
    """The last figures of a series are distributed as those before: by the index of stability and Kolmogorov's test.

    Of days and weeks the last of each month is taken: some weeks of a persistent series are always near each other.
    """

    def finding(group: _Group) -> str | None:
        earlier = len(group.values) - arguments.latest
        if earlier < arguments.latest:
            return None
        found = drift(group.values.head(earlier), group.values.tail(arguments.latest))
        is_other = found.psi > arguments.psi and found.p_value < arguments.alpha
        return f"PSI {found.psi:.2f}, KS p {found.p_value:.2g}" if is_other else None

    return _each(frame, subject, arguments, finding, "distributed as before")
