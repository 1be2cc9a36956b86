"""Pandera schemas generated from the catalog, and the checks that use them.

Pandera looks only at names and types of a LazyFrame, silently: everything here validates DataFrames, and a test plants
a bad row for each rule.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl

from macro_assets.catalog import Series, Table
from macro_assets.catalog.derive import POLARS_TYPES
from macro_assets.catalog.kinds.rule import Severity
from macro_assets.quality import rules
from macro_assets.quality.report import SAMPLE, CheckReport
from macro_assets.quality.rules.facts import facts_of

if TYPE_CHECKING:
    import pandera.polars as pa


def table_schema(table: Table) -> pa.DataFrameSchema:
    """The Pandera schema of a table: types, nullability, bounds, no other columns, unique key."""
    import pandera.polars as pa

    columns = {
        c.name: pa.Column(POLARS_TYPES[c.dtype], nullable=c.nullable, checks=_bounds(c.low, c.high, c.dtype == "float"))
        for c in table.columns
    }
    return pa.DataFrameSchema(columns, strict=True, unique=list(table.key))


def series_schema(series: Series) -> pa.DataFrameSchema:
    """The Pandera schema of a series' observations, in the provider's unit."""
    import pandera.polars as pa

    first = date(series.first_year, 1, 1)
    return pa.DataFrameSchema(
        {
            "series_id": pa.Column(pl.String, pa.Check.isin([series.id])),
            "observation_date": pa.Column(pl.Date, pa.Check.ge(first)),
            "value": pa.Column(
                pl.Float64, nullable=True, checks=_bounds(series.bounds.low, series.bounds.high, is_float=True)
            ),
            "release_time": pa.Column(pl.Datetime("us", "UTC")),
        }
    )


_ABOUT_A_COLUMN = ("column_in_dataframe", "column_in_schema")
"""Pandera checks of the whole frame whose failure case is the name of a column."""


def _bounds(low: float | None, high: float | None, is_float: bool) -> list[Any]:
    import pandera.polars as pa

    checks = [pa.Check(lambda d: d.lazyframe.select(pl.col(d.key).is_finite()), name="is_finite")] if is_float else []
    if low is not None:
        checks.append(pa.Check.ge(low))
    if high is not None:
        checks.append(pa.Check.le(high))
    return checks


def check_series(observations: pl.DataFrame, series: Series, held: pl.DataFrame | None = None) -> CheckReport:
    """Check a series' observations against its catalog entry: id, first year, bounds, finite values, types.

    Bounds and first year are those of today's base, and hold for figures in force: one that a provider has replaced
    since, in a later vintage, was told in the dollars of its day. A withdrawal is a null, and may be of any date.
    Pandera, which takes 7 ms a series, is asked only about rows that one expression of the same rules does not pass.

    Parameters
    ----------
    held
        Rows in force of the same provider: `observation_date`, `release_time`.
    """
    subject = f"series {series.id} of source {series.source}"
    if _passes(observations, series):
        return CheckReport(subject, observations.height)
    judged = _as_judged(observations, series, held)
    if _passes(judged, series):
        return CheckReport(subject, observations.height)
    return _report(judged, series_schema(series), subject)


_SERIES_TYPES = {
    "series_id": pl.String(),
    "observation_date": pl.Date(),
    "value": pl.Float64(),
    "release_time": pl.Datetime("us", "UTC"),
}


def _passes(rows: pl.DataFrame, series: Series) -> bool:
    """Whether every row keeps the rules of `series_schema`."""
    return _has_types(rows) and bool(rows.select(_keeps_rules(series).all()).item())


def _has_types(rows: pl.DataFrame) -> bool:
    return all(rows.schema.get(name) == dtype for name, dtype in _SERIES_TYPES.items())


def _keeps_rules(series: Series) -> pl.Expr:
    """Whether a row keeps the rules of `series_schema`, never null."""
    value, low, high = pl.col("value"), series.bounds.low, series.bounds.high
    rules = [
        pl.col("series_id") == series.id,
        pl.col("observation_date") >= date(series.first_year, 1, 1),
        pl.col("release_time").is_not_null(),
        value.is_null() | value.is_finite(),
        *([value.is_null() | (value >= low)] if low is not None else []),
        *([value.is_null() | (value <= high)] if high is not None else []),
    ]
    return pl.all_horizontal(r.fill_null(False) for r in rules)


_STATED = ("provider", "snapshot")
"""Bases of a release time that the provider states: of such an answer, rows of one observation are its vintages."""


def _as_judged(rows: pl.DataFrame, series: Series, held: pl.DataFrame | None) -> pl.DataFrame:
    """The same rows, without the values and dates that no limit is set to.

    A figure is replaced by a later row of its observation that keeps the rules. By one that does not it is not: that
    one is left out, and the figure would be in force.
    """
    if not _has_types(rows) or "release_basis" not in rows.columns:
        return rows
    day, value, first = pl.col("observation_date"), pl.col("value"), pl.lit(date(series.first_year, 1, 1))
    judged = rows.with_columns(
        _day=day, observation_date=pl.when(value.is_null() & (day < first)).then(first).otherwise(day)
    )
    sound = judged.filter(_keeps_rules(series)).select("_day", "release_time")
    if held is not None:
        sound = pl.concat([sound, held.select(_day="observation_date", release_time="release_time")])
    latest = sound.group_by("_day").agg(_latest=pl.col("release_time").max())
    judged = judged.join(latest, "_day", "left", maintain_order="left")
    is_replaced = (
        pl.col("release_basis").is_in(_STATED) & (pl.col("release_time") < pl.col("_latest")) & value.is_finite()
    )
    return judged.select(
        pl.exclude("_day", "_latest", "observation_date", "value"),
        observation_date=pl.when(is_replaced & (day < first)).then(first).otherwise(day),
        value=pl.when(~is_replaced.fill_null(False)).then(value),
    )


@dataclass(frozen=True)
class Checked:
    """What one check of a table found: its schema, or a rule; and whether a breach of it only warns."""

    check: str
    severity: Severity
    report: CheckReport


def checks_of(frame: pl.DataFrame, table: Table, series: Iterable[Series] = ()) -> list[Checked]:
    """What each check of a table finds: types, nulls, bounds and key, and, where these are right, its rules in turn.

    Parameters
    ----------
    series
        Those that the rows may be of: some rules ask what the catalog says of them.
    """
    report = _report(frame, table_schema(table), f"table {table.name}")
    return [Checked("schema", "error", report), *(rules_of(frame, table, series) if report.passed else ())]


def rules_of(frame: pl.DataFrame, table: Table, series: Iterable[Series] = ()) -> list[Checked]:
    """What the rules of a table find in rows of its columns. Parameters as of :func:`checks_of`."""
    asks = any(rules.RULES[c.rule].facts for c in table.rules if c.rule in rules.RULES)
    facts = facts_of(series) if asks else None
    return [Checked(str(c), c.severity, rules.apply(c, frame, f"table {table.name}", facts)) for c in table.rules]


def check_table(frame: pl.DataFrame, table: Table, series: Iterable[Series] = ()) -> CheckReport:
    """Check a table's rows against its catalog entry: types, nulls, bounds, key, and the rules it names.

    What is reported is the first check that fails; of rules that only warn, all that do are its `warnings`.
    Parameters as of :func:`checks_of`.
    """
    found = checks_of(frame, table, series)
    failed = [c.report for c in found if c.severity == "error" and not c.report.passed]
    warnings = tuple(c.report for c in found if c.severity == "warn" and not c.report.passed)
    return replace(failed[0] if failed else found[0].report, warnings=warnings)


def _report(frame: pl.DataFrame, schema: pa.DataFrameSchema, subject: str) -> CheckReport:
    import pandera.errors

    try:
        schema.validate(frame, lazy=True)
    except pandera.errors.SchemaErrors as error:
        cases = pl.DataFrame(error.failure_cases)
        of_all = cases["index"].null_count() > 0
        rows = [] if of_all else cases["index"].unique().sort().to_list()
        sample = [
            {
                "column": c["failure_case"] if c["check"] in _ABOUT_A_COLUMN else c["column"],
                "rule": c["check"],
                "value": c["failure_case"],
                "row": c["index"],
            }
            for c in cases.head(SAMPLE).to_dicts()
        ]
        return CheckReport(subject, frame.height, cases.height, tuple(rows), sample)
    return CheckReport(subject, frame.height)
