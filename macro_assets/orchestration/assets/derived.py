"""Derived assets: a step for each piece of the graph, with a generated check and a hash of each result as data version.

A step whose inputs and code are as they were does not compute: the stored result stands, and its materialization has
the same data version, so that nothing below is asked for.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import dagster as dg
import polars as pl

from macro_assets.catalog import Catalog, Series, Table
from macro_assets.graph.check import parents, pieces
from macro_assets.graph.derivation import Derivation, Known
from macro_assets.graph.derivation import Table as Stored
from macro_assets.graph.inputs import Inputs, Versions
from macro_assets.lakehouse.delta import data_version, open_table
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.write import conform
from macro_assets.orchestration.assets.months import as_of_step
from macro_assets.orchestration.assets.specs import check_result, check_spec, spec_arguments
from macro_assets.orchestration.automation import DERIVED
from macro_assets.orchestration.describe import input_series, key, rows_metadata, step_name
from macro_assets.orchestration.records import (
    EMPTY,
    FORCE,
    UNCHANGED,
    Record,
    inputs_metadata,
    last_record,
    slice_tag,
    standing,
)
from macro_assets.orchestration.resources import Lake
from macro_assets.quality import check_table

Publisher = Callable[[Lakehouse, pl.DataFrame], Mapping[str, Any]]
"""What is done with a table once its rows have passed their check; returns metadata."""


NAMED = 4
"""Inputs that are named where a table is empty."""


def derived_assets(
    found: Sequence[Derivation], catalog: Catalog, publishers: Mapping[str, Publisher]
) -> list[dg.AssetsDefinition]:
    """The assets of all derivations; `publishers` by table."""
    series = input_series(found)
    return [
        as_of_step(piece, catalog, series)
        if piece[0].grid
        else _step(piece[0], catalog, series, publishers.get(piece[0].tables[0]))
        for piece in pieces(found)
    ]


def path_specs(found: Sequence[Derivation], catalog: Catalog) -> list[dg.AssetSpec]:
    """Assets that no step makes: tables that the rows of the open month go on to."""
    paths = {path: table for d in found for table, path in d.paths.items()}
    return [
        dg.AssetSpec(key(path), deps=[key(table)], **spec_arguments(catalog.one_table(path), catalog))
        for path, table in paths.items()
    ]


def _step(
    derivation: Derivation, catalog: Catalog, series: Mapping[str, Sequence[str]], publish: Publisher | None
) -> dg.AssetsDefinition:
    """The step of an unpartitioned table."""
    (name,) = derivation.tables
    table = catalog.one_table(name)

    @dg.multi_asset(
        name=step_name(name),
        deps=[key(p) for p in parents(derivation, catalog)],
        outs={
            step_name(name): dg.AssetOut(
                key=key(name),
                automation_condition=DERIVED,
                code_version=derivation.code_version,
                **spec_arguments(table, catalog, series[name]),
            )
        },
        check_specs=[check_spec(table)],
    )
    def derived(context: dg.AssetExecutionContext, lake: Lake) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult]:
        here = lake.with_catalog(catalog)
        inputs = Inputs(here, [derivation])
        versions = inputs.versions(derivation)
        record = last_record(context.instance, name)
        stored = inputs.table_version(name) if open_table(here.root, name) is not None else None
        if record and not (FORCE in context.run.tags or record.why_stale(derivation.code_version, versions, stored)):
            yield from _as_it_was(table, record, standing(context.instance, name, record, versions), versions)
            return
        frames = inputs.frames(derivation)
        frame = conform(derivation.compute(frames)[name], table)
        why = why_empty(derivation, frames) if frame.is_empty() else ""

        def further() -> Mapping[str, Any]:
            told = {EMPTY: dg.MetadataValue.text(why)} if why else {}
            later = _beginnings(inputs.begins_later(derivation))
            return {**(publish(here, frame) if publish else {}), **later, **told}

        yield from checked(table, frame, versions, further, catalog.series.values())

    return derived


def why_empty(derivation: Derivation, frames: Mapping[str, pl.DataFrame]) -> str:
    """Why nothing came: series without a figure and tables without a row, or too few of them; '' of neither."""
    if not any(isinstance(given, Known | Stored) for given in derivation.inputs.values()):
        return ""
    lacking = list[str]()
    for name, given in derivation.inputs.items():
        if isinstance(given, Stored) and frames[name].is_empty():
            lacking.append(given.name)
        elif isinstance(given, Known):
            known = set(frames[name]["series_id"])
            lacking += (s for s in given.series if s not in known)
    if not lacking:
        return "what there is of its inputs does not suffice"
    more = f" and {len(lacking) - NAMED} more" if len(lacking) > NAMED else ""
    return f"there is nothing of {', '.join(lacking[:NAMED])}{more}"


def _beginnings(later: Sequence[str]) -> Mapping[str, Any]:
    """Metadata of series that begin later than another holder has them."""
    return {"begins_later": dg.MetadataValue.md("\n".join(f"- {text}" for text in later))} if later else {}


def _as_it_was(
    table: Table, record: Record, metadata: Mapping[str, Any], versions: Versions
) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult]:
    """The results of a step that did not compute."""
    since = {UNCHANGED: record.computed}
    yield dg.AssetCheckResult(asset_key=key(table.name), check_name=check_spec(table).name, passed=True, metadata=since)
    yield dg.MaterializeResult(
        key(table.name), data_version=dg.DataVersion(record.data), metadata=metadata, tags=slice_tag(versions)
    )


def checked(
    table: Table,
    frame: pl.DataFrame,
    versions: Versions,
    further: Callable[[], Mapping[str, Any]] = dict,
    series: Iterable[Series] = (),
) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult]:
    """The check's result, then the materialization; a frame that fails raises and the stored table stays.

    `further` is called for more metadata once the check has passed; `series` are those that the rows may be of.
    """
    report = check_table(frame, table, series)
    yield check_result(table, report)
    if not report.passed:
        raise dg.Failure(f"{report}. The stored table was left as it is.", allow_retries=False)
    yield dg.MaterializeResult(
        key(table.name),
        value=frame,
        data_version=dg.DataVersion(data_version(frame, table)),
        metadata={**rows_metadata(frame), **inputs_metadata(versions), **further()},
        tags=slice_tag(versions),
    )
