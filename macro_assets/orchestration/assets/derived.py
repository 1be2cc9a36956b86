"""Derived assets: one per entry of `derivations`, with a generated check and a hash of the output as data version."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import dagster as dg
import polars as pl

from macro_assets.catalog import Catalog, Table
from macro_assets.graph.derivation import Derivation
from macro_assets.lakehouse.delta import data_version
from macro_assets.lakehouse.paths import Root
from macro_assets.lakehouse.write import conform
from macro_assets.orchestration.automation import DERIVED
from macro_assets.orchestration.describe import inputs_metadata, key, rows_metadata, step_name, table_metadata
from macro_assets.orchestration.resources import Lake
from macro_assets.quality import CheckReport, check_table

CHECK = "schema"


def spec_arguments(table: Table) -> dict[str, Any]:
    """What every derived asset's spec says, from the catalog."""
    return {
        "description": f"{table.title}. {table.description}",
        "group_name": table.layer,
        "kinds": set(table.kinds),
        "owners": [table.owner],
        "tags": {"layer": table.layer},
        "metadata": table_metadata(table),
    }


def check_spec(table: Table) -> dg.AssetCheckSpec:
    """The generated check of a derived table. It runs before the write: a table that fails is not written."""
    return dg.AssetCheckSpec(
        CHECK, asset=key(table.name), description="Types, nulls, bounds, key" + "".join(f", {r}" for r in table.rules)
    )


def asset_inputs(tables: tuple[str, ...]) -> dict[str, dg.AssetIn]:
    """Inputs by Python name, loaded by the IO manager."""
    return {step_name(t): dg.AssetIn(key=key(t)) for t in tables}


def checked(
    table: Table,
    frame: pl.DataFrame,
    catalog: Catalog,
    inputs: Mapping[str, pl.DataFrame],
    further: Callable[[], Mapping[str, Any]] = dict,
) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult]:
    """The check's result, then the materialization; a frame that fails raises and the stored table stays.

    `further` is called for more metadata once the check has passed.
    """
    report: CheckReport = check_table(frame, table)
    yield dg.AssetCheckResult(
        asset_key=key(table.name),
        check_name=CHECK,
        passed=report.passed,
        severity=dg.AssetCheckSeverity.ERROR,
        description=None if report.passed else str(report),
        metadata={
            "rows": report.rows,
            "failures": report.failures,
            "sample": dg.MetadataValue.json(list(report.sample)),
        },
    )
    if not report.passed:
        raise dg.Failure(f"{report}. The stored table was left as it is.", allow_retries=False)
    versions = {name: data_version(f, catalog.one_table(name)) for name, f in inputs.items()}
    yield dg.MaterializeResult(
        key(table.name),
        value=frame,
        data_version=dg.DataVersion(data_version(frame, table)),
        metadata={**rows_metadata(frame), **inputs_metadata(versions), **further()},
    )


def derived_asset(
    derivation: Derivation,
    catalog: Catalog,
    description: str | None = None,
    further: Callable[[pl.DataFrame, Root], Mapping[str, Any]] | None = None,
) -> dg.AssetsDefinition:
    """The asset of a computed, unpartitioned table.

    Parameters
    ----------
    description
        Instead of the table's.
    further
        Called with the checked frame and the lake's root; what it returns is added to the metadata.
    """
    table = catalog.one_table(derivation.table)
    arguments = spec_arguments(table)

    @dg.multi_asset(
        name=step_name(table.name),
        ins=asset_inputs(derivation.inputs),
        outs={
            step_name(table.name): dg.AssetOut(
                key=key(table.name),
                automation_condition=DERIVED,
                code_version=derivation.code_version,
                **{**arguments, "description": description or arguments["description"]},
            )
        },
        check_specs=[check_spec(table)],
    )
    def derived(lake: Lake, **frames: pl.DataFrame) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult]:
        inputs = {t: frames[step_name(t)] for t in derivation.inputs}
        frame = conform(derivation.compute(inputs), table)
        root = lake.with_catalog(catalog).root
        yield from checked(table, frame, catalog, inputs, lambda: further(frame, root) if further else {})

    return derived
