"""Chart assets: the figure as a table row, the same figure as an HTML page, and a preview in the UI."""

import json
from typing import Any

import dagster as dg
import polars as pl

from macro_assets.catalog import Catalog, Chart
from macro_assets.graph.derivation import Derivation
from macro_assets.lakehouse.paths import Root
from macro_assets.orchestration.assets.derived import derived_asset
from macro_assets.publishing.pages import charts_url, write_chart_page


def chart_asset(chart: Chart, derivation: Derivation, catalog: Catalog) -> dg.AssetsDefinition:
    """The asset of a chart; its page is written once its row has passed its check."""

    def published(row: pl.DataFrame, root: Root) -> dict[str, Any]:
        from macro_assets.charts.preview import markdown_preview, svg_preview

        figure = row["figure_json"].item()
        page = write_chart_page(root, chart, figure)
        return {
            "preview": dg.MetadataValue.md(markdown_preview(svg_preview(json.loads(figure), chart.title))),
            "page": dg.MetadataValue.url(f"{charts_url()}/{chart.name}.html"),
            "file": dg.MetadataValue.path(str(page)),
            "data_note": row["data_note"].item(),
        }

    return derived_asset(derivation, catalog, f"{chart.title}. {chart.description}", published)
