"""What is out of date: assets whose inputs, code or stored data differ from their last materialization.

Every answer is a reason in words, by name; what is up to date is not in the answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import dagster as dg
import polars as pl

from macro_assets.catalog import Source, names
from macro_assets.graph.derivation import Derivation, Fitted
from macro_assets.graph.inputs import Inputs
from macro_assets.intake.fetches import latest, served
from macro_assets.lakehouse.delta import data_version, open_table
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.orchestration.describe import series_key
from macro_assets.orchestration.partitions import AS_OF_MONTHS, YEARS
from macro_assets.orchestration.records import last_record, month_records
from macro_assets.orchestration.source_versions import series_code_versions
from macro_assets.sources.secrets import missing_key

NEVER = "never computed"


def stale_series(lake: Lakehouse, instance: dg.DagsterInstance, source: Source) -> dict[str, str]:
    """Series of a source that must be fetched, by id, with why."""
    series = lake.catalog.series_of(source.name)
    table = lake.table(names.raw(source.name))
    records = {r.asset_entry.asset_key: r for r in instance.get_asset_records([series_key(s) for s in series])}
    stored = lake.read(table.name)
    log = latest(lake.read(names.fetch_log(source.name)))
    had, own = served(log), log.filter(pl.col("provider") == source.name)
    status: dict[str, str] = dict(own.select("series_id", "status").iter_rows())
    off = missing_key(source)
    recorded = last_record(instance, table.name)
    intact = recorded is not None and recorded.data == data_version(stored, table)
    years = set(YEARS.get_partition_keys())
    versions = series_code_versions(source, series)
    reasons: dict[str, str] = {}
    for s in series:
        record = records.get(series_key(s))
        last = record.asset_entry.last_materialization if record else None
        tags = (last.asset_materialization.tags or {}) if last and last.asset_materialization else {}
        if last is None:
            reasons[s.id] = "never fetched"
        elif s.id not in had:
            reasons[s.id] = "the last fetch failed"
        elif status.get(s.id) == "off" and not off:
            reasons[s.id] = "the key of its source was missing"
        elif tags.get("dagster/code_version") != versions[s.id]:
            reasons[s.id] = "its catalog entry, connector or package changed"
        elif not intact:
            reasons[s.id] = "the stored table is not the one last materialized"
        elif missing := years - instance.get_materialized_partitions(series_key(s)):
            reasons[s.id] = f"years never fetched: {', '.join(sorted(missing))}"
    return reasons


def stale_tables(lake: Lakehouse, instance: dg.DagsterInstance, found: Sequence[Derivation]) -> dict[str, str]:
    """Tables of unpartitioned derivations that must be computed, with why; what they read is as it will be."""
    inputs = Inputs(lake, found)
    reasons: dict[str, str] = {}
    for derivation in found:
        versions = inputs.versions(derivation)
        for table in derivation.tables:
            record = last_record(instance, table)
            stored = inputs.table_version(table) if open_table(lake.root, table) is not None else None
            reason = record.why_stale(derivation.code_version, versions, stored) if record else NEVER
            if reason:
                reasons[table] = reason
    return reasons


def stale_months(
    lake: Lakehouse, instance: dg.DagsterInstance, months: Mapping[Derivation, Sequence[str]]
) -> dict[tuple[str, str], str]:
    """Months of as-of derivations, among those asked of each, that must be computed, by table, with why."""
    fits = _fits_read(months)
    wanted = {d: sorted({*asked, *(m for t in d.tables for m in fits.get(t, ()))}) for d, asked in months.items()}
    inputs = Inputs(lake, list(months), {m for asked in wanted.values() for m in asked})
    reasons: dict[tuple[str, str], str] = {}
    for derivation, asked in wanted.items():
        records = {t: month_records(instance, t, asked) for t in derivation.tables}
        for month in asked:
            versions = inputs.versions(derivation, month)
            for table in derivation.tables:
                record = records[table].get(month)
                stored = inputs.stored_month(table, month)
                reason = record.why_stale(derivation.code_version, versions, stored) if record else NEVER
                above = [t for t, at in derivation.cells(month) if (t, at) in reasons]
                if reason or above:
                    reasons[table, month] = reason or f"{above[0]} is to be computed"
    return {(t, m): why for (t, m), why in reasons.items() if any(t in d.tables and m in months[d] for d in months)}


def _fits_read(months: Mapping[Derivation, Sequence[str]]) -> dict[str, set[str]]:
    """By table of fits, the months of it that are read for the months asked: they may be others."""
    grid = set(AS_OF_MONTHS.get_partition_keys())
    read: dict[str, set[str]] = {}
    for derivation, asked in months.items():
        for given in derivation.inputs.values():
            if isinstance(given, Fitted):
                read.setdefault(given.table, set()).update(grid.intersection(map(given.month, asked)))
    return read
