"""What becomes of a chart's row once it has passed its check: an HTML page, and a preview in the UI."""

import json
from collections.abc import Mapping
from functools import partial
from typing import Any

import dagster as dg
import polars as pl

from macro_assets.catalog import Catalog, Chart, names
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.orchestration.assets.derived import Publisher
from macro_assets.publishing.pages import write_chart_page


def chart_publishers(catalog: Catalog) -> dict[str, Publisher]:
    """By chart table, what writes its page."""
    return {names.chart(c.name): partial(_published, chart=c) for c in catalog.charts.values()}


def _published(lake: Lakehouse, row: pl.DataFrame, chart: Chart) -> Mapping[str, Any]:
    from macro_assets.charts.preview import markdown_preview, svg_preview

    figure = row["figure_json"].item()
    page = write_chart_page(lake.root, chart, figure)
    return {
        "preview": dg.MetadataValue.md(markdown_preview(svg_preview(json.loads(figure), chart.title))),
        "file": dg.MetadataValue.path(str(page)),
        "data_note": row["data_note"].item(),
    }
