"""Chart assets: the figure as a table row, the same figure as an HTML page, and a preview in the UI."""

import json
from collections.abc import Iterator

import dagster as dg
import polars as pl

from macro_assets.catalog import Catalog, Chart
from macro_assets.chart_pages import charts_url, write_chart_page
from macro_assets.derivations import Derivation
from macro_assets.lakehouse.delta import conform
from macro_assets.orchestration.assets.derived import asset_inputs, check_spec, checked, input_name, spec_arguments
from macro_assets.orchestration.automation import DERIVED
from macro_assets.orchestration.describe import key
from macro_assets.orchestration.resources import Lake


def chart_asset(chart: Chart, derivation: Derivation, catalog: Catalog) -> dg.AssetsDefinition:
    """The asset of a chart."""
    table = catalog.one_table(derivation.table)

    @dg.multi_asset(
        name=input_name(table.name),
        ins=asset_inputs(derivation.inputs),
        outs={
            input_name(table.name): dg.AssetOut(
                key=key(table.name),
                automation_condition=DERIVED,
                code_version=derivation.code_version,
                **{**spec_arguments(table, catalog), "description": f"{chart.title}. {chart.description}"},
            )
        },
        check_specs=[check_spec(table)],
    )
    def draw(lake: Lake, **frames: pl.DataFrame) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult]:
        from macro_assets.charts.preview import markdown_preview, svg_preview

        inputs = {t: frames[input_name(t)] for t in derivation.inputs}
        frame = conform(derivation.compute(inputs), table, catalog)
        figure = frame["figure_json"].item()
        page = write_chart_page(lake.path, chart, figure)
        preview = svg_preview(json.loads(figure), chart.title)
        metadata = {
            "preview": dg.MetadataValue.md(markdown_preview(preview)),
            "page": dg.MetadataValue.url(f"{charts_url()}/{page.name}"),
            "file": dg.MetadataValue.path(str(page)),
            "data_note": frame["data_note"].item(),
        }
        yield from checked(table, frame, catalog, inputs, metadata)

    return draw
