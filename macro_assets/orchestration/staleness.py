"""What is out of date: assets whose inputs, code or stored data differ from their last materialization.

Every answer is a reason in words, by name; what is up to date is not in the answer.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import dagster as dg

from macro_assets.catalog import Model, Source, names
from macro_assets.graph.declared import derivations, nowcast_code_version
from macro_assets.graph.inputs import raw_inputs
from macro_assets.lakehouse.delta import data_version, open_table
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.orchestration.describe import key, series_key
from macro_assets.orchestration.partitions import YEARS
from macro_assets.orchestration.source_versions import series_code_versions

_CODE, _DATA = "dagster/code_version", "dagster/data_version"


def stale_series(lake: Lakehouse, instance: dg.DagsterInstance, source: Source) -> dict[str, str]:
    """Series of a source that must be fetched, by id, with why."""
    series = lake.catalog.series_of(source.name)
    table = lake.table(names.raw(source.name))
    records = {r.asset_entry.asset_key: r for r in instance.get_asset_records([series_key(s) for s in series])}
    stored = lake.read(table.name)
    log = lake.read(names.fetch_log(source.name))
    status = dict(log.select("series_id", "status").iter_rows())
    recorded = _last(instance, key(table.name))
    intact = recorded is not None and recorded.tags and recorded.tags.get(_DATA) == data_version(stored, table)
    years = set(YEARS.get_partition_keys())
    versions = series_code_versions(source, series)
    reasons: dict[str, str] = {}
    for s in series:
        record = records.get(series_key(s))
        last = record.asset_entry.last_materialization if record else None
        tags = (last.asset_materialization.tags or {}) if last and last.asset_materialization else {}
        if last is None:
            reasons[s.id] = "never fetched"
        elif status.get(s.id) != "ok":
            reasons[s.id] = "the last fetch failed"
        elif tags.get(_CODE) != versions[s.id]:
            reasons[s.id] = "its catalog entry, connector or package changed"
        elif not intact:
            reasons[s.id] = "the stored table is not the one last materialized"
        elif missing := years - instance.get_materialized_partitions(series_key(s)):
            reasons[s.id] = f"years never fetched: {', '.join(sorted(missing))}"
    return reasons


def stale_months(
    lake: Lakehouse, instance: dg.DagsterInstance, model: Model, months: Collection[str]
) -> dict[str, str]:
    """As-of months, among the given ones, whose forecasts must be computed, with why."""
    name = f"forecasts/{model.name}"
    versions = _input_versions(lake, raw_inputs(lake.catalog))
    stored = set(lake.read(name)["as_of_month"])
    reasons = {}
    for month in months:
        last = _last(instance, key(name), month)
        if reason := _why(last, nowcast_code_version(model, lake.catalog), versions, month in stored):
            reasons[month] = reason
    return reasons


def stale_tables(lake: Lakehouse, instance: dg.DagsterInstance) -> dict[str, str]:
    """Derived tables that must be computed, inputs before outputs, with why."""
    known = derivations(lake.catalog)
    versions = _input_versions(lake, {i for d in known.values() for i in d.inputs})
    reasons: dict[str, str] = {}
    for name, derivation in known.items():
        last = _last(instance, key(name))
        inputs = {i: versions[i] for i in derivation.inputs}
        reason = _why(last, derivation.code_version, inputs, open_table(lake.root, name) is not None)
        if above := [i for i in derivation.inputs if i in reasons]:
            reason = reason or f"{above[0]} is to be computed"
        if reason:
            reasons[name] = reason
    return reasons


def _why(
    last: dg.AssetMaterialization | None, code_version: str, inputs: Mapping[str, str], is_stored: bool
) -> str | None:
    if last is None:
        return "never computed"
    if not is_stored:
        return "not in the lake"
    if (last.tags or {}).get(_CODE) != code_version:
        return "its code or catalog entry changed"
    recorded = last.metadata.get("inputs")
    before = recorded.value if recorded is not None else {}
    changed = [name for name, version in inputs.items() if not isinstance(before, dict) or before.get(name) != version]
    return f"{changed[0]} changed" if changed else None


def _input_versions(lake: Lakehouse, tables: Collection[str]) -> dict[str, str]:
    """Data version of each table as it is stored now."""
    return {t: data_version(lake.read(t), lake.table(t)) for t in tables}


def _last(
    instance: dg.DagsterInstance, asset_key: dg.AssetKey, partition: str | None = None
) -> dg.AssetMaterialization | None:
    wanted = dg.AssetRecordsFilter(asset_key, asset_partitions=[partition] if partition else None)
    records = instance.fetch_materializations(wanted, limit=1).records
    return records[0].asset_materialization if records else None
