"""Chart pages in the lake: one self-contained HTML file per chart, and an index of them."""

from __future__ import annotations

import json
import os

from macro_assets.catalog import Chart
from macro_assets.lakehouse.delta import open_table
from macro_assets.lakehouse.files import write_file
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.paths import Root, charts_folder


def charts_url() -> str:
    """Where `macro ui` serves the chart pages: `MACRO_CHARTS_URL`, else its default on this machine."""
    return os.environ.get("MACRO_CHARTS_URL", "http://127.0.0.1:3001").rstrip("/")


def write_chart_page(root: Root, chart: Chart, figure_json: str) -> Root:
    """Write a chart's page and return its place."""
    from macro_assets.publishing.html import chart_page

    name = f"{chart.name}.html"
    write_file(charts_folder(root), name, chart_page(figure_json, chart.title).encode())
    return charts_folder(root) / name


def write_index(lake: Lakehouse) -> Root:
    """Write the index of the charts that are in the lake, with a preview of each, and return its place."""
    from macro_assets.charts.preview import svg_preview
    from macro_assets.publishing.html import index_page

    sections: dict[str, list[tuple[str, str, str, str]]] = {}
    for chart in lake.catalog.charts.values():
        name = f"charts/{chart.name}"
        if open_table(lake.root, name) is not None:
            row = lake.read(name).row(0, named=True)
            preview = svg_preview(json.loads(row["figure_json"]), row["title"])
            sections.setdefault(chart.section, []).append((chart.name, row["title"], row["subtitle"], preview))
    folder = charts_folder(lake.root)
    write_file(folder, "index.html", index_page(sections).encode())
    return folder / "index.html"
