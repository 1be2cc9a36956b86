"""The step of a connected piece of the as-of graph: months outside, tables inside, each stored and logged by itself.

One failure at the end names the months that could not be computed; all others are in the lake by then, and a retry or
the next run computes the missing ones alone. Measured: as two steps, or with results returned at the end, one failed
month of twelve loses the other eleven, or marks all as made (docs/decisions/012-graph.md).
"""

from collections.abc import Iterator, Mapping, Sequence

import dagster as dg
import polars as pl

from macro_assets.catalog import Catalog, Table
from macro_assets.catalog.derive import polars_schema
from macro_assets.graph.check import parents
from macro_assets.graph.derivation import Derivation, Fitted
from macro_assets.graph.endings import Empty, month_of
from macro_assets.graph.inputs import NO_ROWS, Inputs, Versions
from macro_assets.graph.paths import add_instants
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.write import conform, overwrite
from macro_assets.orchestration.assets.specs import CHECK, check_spec, spec_arguments
from macro_assets.orchestration.automation import AS_OF
from macro_assets.orchestration.describe import key, rows_metadata, step_name
from macro_assets.orchestration.partitions import AS_OF_MONTHS
from macro_assets.orchestration.records import (
    EMPTY,
    FORCE,
    Record,
    inputs_metadata,
    month_records,
    standing,
    tags,
    upstream_tags,
)
from macro_assets.orchestration.resources import Lake
from macro_assets.quality import check_table

_NAMED = 12
"""Months that a failure names with their reasons; it counts the others."""


class MonthError(Exception):
    """A month of a table that cannot be stored; the message says why."""


def as_of_step(
    piece: Sequence[Derivation], catalog: Catalog, series: Mapping[str, Sequence[str]]
) -> dg.AssetsDefinition:
    """The assets of derivations of the as-of grid that are connected, in their order.

    `series` are the input series of each table.
    """
    tables = {t: catalog.one_table(t) for d in piece for t in d.tables}
    specs = [
        dg.AssetSpec(
            key(t),
            deps=[key(p) for p in parents(d, catalog)],
            partitions_def=AS_OF_MONTHS,
            skippable=True,
            automation_condition=AS_OF,
            code_version=d.code_version,
            **spec_arguments(tables[t], catalog, series[t]),
        )
        for d in piece
        for t in d.tables
    ]

    @dg.multi_asset(
        name=step_name(piece[0].tables[0]),
        specs=specs,
        check_specs=[check_spec(t) for t in tables.values()],
        partitions_def=AS_OF_MONTHS,
        backfill_policy=dg.BackfillPolicy.single_run(),
        can_subset=True,
    )
    def as_of(context: dg.AssetExecutionContext, lake: Lake) -> Iterator[dg.AssetCheckResult | dg.AssetMaterialization]:
        selected = [n for n in tables if key(n) in context.selected_asset_keys]
        months = sorted(context.partition_keys)
        context.log.info(f"{', '.join(selected)} as of {months[0]} to {months[-1]}: {len(months)} months")
        asked = [d for d in piece if set(selected) & set(d.tables)]
        run = _Run(lake.with_catalog(catalog), context, piece, selected, months)
        for month in months:
            for derivation in asked:
                yield from run.month(derivation, month, selected)
        yield from run.checks()
        if run.failed:
            raise dg.Failure(_told(run.failed), allow_retries=False)

    return as_of


class _Run:
    """One execution of a step: what it reads and asks for, and what became of it so far."""

    def __init__(
        self,
        lake: Lakehouse,
        context: dg.AssetExecutionContext,
        piece: Sequence[Derivation],
        selected: Sequence[str],
        months: Sequence[str],
    ) -> None:
        self.context = context
        self.selected = selected
        self.months = months
        self.grid = frozenset(AS_OF_MONTHS.get_partition_keys())
        self.made = {t: d for d in piece for t in d.tables}
        self.tables = {t: lake.table(t) for t in self.made}
        asked = {self.made[t] for t in selected}
        read = {cell for d in asked for m in months for cell in d.cells(m)}
        known = [d for d in piece if d in asked or any(t in d.tables for t, _ in read)]
        cells = {*read, *((t, m) for d in known for t in d.tables for m in months)}
        by_table = {t: {m for name, m in cells if name == t} for t, _ in cells}
        self.inputs = Inputs(lake, known, {m for _, m in cells})
        self.records = {t: month_records(context.instance, t, found) for t, found in by_table.items()}
        self.upstream = {d.tables: upstream_tags(context.instance, parents(d, lake.catalog)) for d in known}
        self.failed: dict[tuple[str, str], str] = {}
        self.refused: dict[str, str] = {}
        self.warned: dict[str, str] = {}
        self.done: set[tuple[str, str]] = set()

    def month(
        self, derivation: Derivation, month: str, wanted: Sequence[str], asked: bool = True
    ) -> Iterator[dg.AssetMaterialization]:
        """Compute and store a month of the wanted tables of a derivation, where anything changed.

        A failure is kept by name. A fit that the month reads is made first where it is not there or out of date,
        although it may be of another month, and of a table that was not asked for; of one that stands nothing is said.
        """
        wanted = [t for t in derivation.tables if t in wanted and (t, month) not in self.done | self.failed.keys()]
        if not wanted:
            return
        for given in derivation.inputs.values():
            if isinstance(given, Fitted) and (fit := given.month(month)) in self.grid:
                yield from self.month(self.made[given.table], fit, [given.table], asked=False)
        try:
            self._refuse_what_is_missing(derivation, month)
            versions = self.inputs.versions(derivation, month)
            kept = {t: r for t in wanted if (r := self._standing(t, derivation, month, versions, asked))}
            made = month_of(derivation, self.inputs, month) if len(kept) < len(wanted) else {}
        except Exception as error:
            self.failed |= {(t, month): _reason(error) for t in wanted}
            return
        self._tell_of_empty(made, month, [t for t in wanted if t not in kept])
        for name in wanted:
            if record := kept.get(name):
                if asked:
                    self.done.add((name, month))
                    metadata = standing(self.context.instance, name, record, versions, month)
                    yield self._said(name, derivation, month, versions, record.data, metadata)
                continue
            try:
                yield self._store(self.tables[name], derivation, month, versions, made)
            except Exception as error:
                self.failed[name, month] = _reason(error)
            if path := derivation.paths.get(name):
                yield from self._go_on(path, name, month)

    def _tell_of_empty(self, made: Mapping[str, pl.DataFrame] | Empty, month: str, tables: Sequence[str]) -> None:
        if isinstance(made, Empty):
            self.context.log.info(f"{', '.join(tables)} {month} is an empty month: {made.reason}")

    def _refuse_what_is_missing(self, derivation: Derivation, month: str) -> None:
        fits = {i.table for i in derivation.inputs.values() if isinstance(i, Fitted)}
        for table, at in derivation.cells(month):
            if (table, at) in self.failed:
                other = "" if at == month else f": {at}: {self.failed[table, at]}"
                raise MonthError(f"it needs {table}, which could not be computed{other}")
            if table not in fits and at not in self.records[table] and (table, at) not in self.done:
                raise MonthError(f"it needs {table}, which was never computed")

    def _standing(
        self, name: str, derivation: Derivation, month: str, versions: Versions, asked: bool
    ) -> Record | None:
        """The record of a month that need not be computed."""
        record = self.records[name].get(month)
        if record is None or (asked and FORCE in self.context.run.tags):
            return None
        stored = self.inputs.stored_month(name, month)
        return None if record.why_stale(derivation.code_version, versions, stored) else record

    def _store(
        self,
        table: Table,
        derivation: Derivation,
        month: str,
        versions: Versions,
        made: Mapping[str, pl.DataFrame] | Empty,
    ) -> dg.AssetMaterialization:
        """Check and store a table's month; one that cannot be has no rows and the reason."""
        found = pl.DataFrame(schema=polars_schema(table.columns)) if isinstance(made, Empty) else made[table.name]
        frame = conform(found, table)
        report = check_table(frame, table, self.inputs.lake.catalog.series.values())
        if not report.passed:
            self.refused[table.name] = str(report)
            raise MonthError(str(report))
        if report.warnings:
            self.warned[table.name] = f"{month}: {'; '.join(map(str, report.warnings))}"
        version = overwrite(self.inputs.lake, table.name, frame, {"run_id": self.context.run.run_id}, [month])
        self.inputs.put(table.name, frame, month)
        self.done.add((table.name, month))
        data = self.inputs.stored_months(table.name).get(month, NO_ROWS)
        metadata = {**rows_metadata(frame, version), **inputs_metadata(versions)}
        if isinstance(made, Empty):
            metadata = {EMPTY: dg.MetadataValue.text(made.reason), **metadata}
        return self._said(table.name, derivation, month, versions, data, metadata)

    def _said(
        self,
        name: str,
        derivation: Derivation,
        month: str,
        versions: Versions,
        data: str,
        metadata: Mapping[str, dg.MetadataValue],
    ) -> dg.AssetMaterialization:
        """The materialization of a month; an empty one is described by its reason."""
        told = {**tags(derivation.code_version, versions, data), **self.upstream[derivation.tables]}
        why = metadata.get(EMPTY)
        return dg.AssetMaterialization(key(name), str(why.value) if why else None, metadata, month, tags=told)

    def _go_on(self, path: str, name: str, month: str) -> Iterator[dg.AssetMaterialization]:
        """Append the rows of the open month to the path that they are an instant of."""
        if month != AS_OF_MONTHS.get_last_partition_key() or (name, month) in self.failed:
            return
        rows = self.inputs.table(name).filter(pl.col("as_of_month") == month)
        added = add_instants(self.inputs.lake, path, rows, self.context.run.run_id)
        if added:
            yield dg.AssetMaterialization(key(path), metadata={"dagster/row_count": added})

    def checks(self) -> Iterator[dg.AssetCheckResult]:
        """The generated check of each table, with the rows that its months have now."""
        for name in self.selected:
            rows = self.inputs.table(name).filter(pl.col("as_of_month").is_in(self.months)).height
            yield dg.AssetCheckResult(
                asset_key=key(name),
                check_name=CHECK,
                passed=name not in self.refused | self.warned,
                severity=dg.AssetCheckSeverity.ERROR if name in self.refused else dg.AssetCheckSeverity.WARN,
                description=self.refused.get(name, self.warned.get(name)),
                metadata={"rows": rows, "months": len(self.months)},
            )


def _reason(error: Exception) -> str:
    text = str(error) if isinstance(error, MonthError | ValueError) else f"{type(error).__name__}: {error}"
    return " ".join(text.split())


def _told(failed: Mapping[tuple[str, str], str]) -> str:
    """One message that names each month, the tables of it that failed, and why; what failed alike is said once."""
    alike: dict[tuple[str, str], list[str]] = {}
    for (table, month), why in failed.items():
        alike.setdefault((month, why), []).append(table)
    lines = [f"{month} {', '.join(tables)}: {why}" for (month, why), tables in sorted(alike.items())]
    more = [f"and {len(lines) - _NAMED} more"] if len(lines) > _NAMED else []
    months = len({month for _, month in failed})
    head = f"{months} as-of month{'s' if months > 1 else ''} could not be computed; what was stored of it was kept:"
    return "\n  ".join([head, *lines[:_NAMED], *more])
