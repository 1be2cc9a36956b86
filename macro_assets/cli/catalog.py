"""`macro list` and `macro catalog`: what there is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from macro_assets.cli.terminal import console, expected_errors, tell_left_out

if TYPE_CHECKING:
    from macro_assets.catalog import Catalog


_KINDS = ("all", "families", "series", "tables", "views", "indicators", "models", "charts")


@click.command("list")
@click.argument("kind", type=click.Choice(_KINDS), default="all")
@expected_errors
def list_command(kind: str) -> None:
    """What the catalog has: KIND is families, series, tables, views, indicators, models or charts."""
    from rich.table import Table as RichTable

    from macro_assets.catalog import default_catalog, names

    catalog = default_catalog()
    shown = {
        "families": [
            (f.name, f.title, ", ".join(s.name for s in catalog.sources_of(f.name))) for f in catalog.families.values()
        ],
        "series": [
            (names.raw_series(s), s.title, f"{s.kind}, {s.frequency}, {s.provider_unit}")
            for s in catalog.series.values()
        ],
        "tables": [(t.name, t.title, ", ".join(t.key)) for t in catalog.tables.values()],
        "views": [(v.name, v.title, ", ".join(c.name for c in v.columns)) for v in catalog.views.values()],
        "indicators": [
            (i.name, i.title, f"{i.method} of {', '.join(i.inputs)}{', in real time' if i.real_time else ''}")
            for i in catalog.indicators.values()
        ],
        "models": [
            (m.name, m.title, f"{m.method} of {m.target.series}, inputs: {len(m.inputs)}")
            for m in catalog.models.values()
        ],
        "charts": [
            (c.name, c.title, f"{c.draws} of {', '.join(c.of.series or c.of.tables)}") for c in catalog.charts.values()
        ],
    }
    tell_left_out(catalog)
    out = console()
    for name, rows in shown.items():
        if kind in ("all", name):
            table = RichTable("name", "title", "", title=f"{name} ({len(rows)})", title_justify="left", box=None)
            for row in rows:
                table.add_row(*row)
            out.print(table)
            out.print()


@click.command("catalog")
@click.argument("words", nargs=-1)
@click.option("--markdown", is_flag=True, help="The whole catalog as the text of docs/catalog.md.")
@expected_errors
def catalog_command(words: tuple[str, ...], markdown: bool) -> None:
    """Every series and instrument of the catalog, by source; WORDS, of id, title, theme or country, narrow it down."""
    from macro_assets.catalog import default_catalog
    from macro_assets.catalog.document import as_markdown

    catalog = default_catalog()
    tell_left_out(catalog)
    if markdown:
        click.echo(as_markdown(catalog), nl=False)
        return
    _print_catalog(catalog, [w.lower() for w in words])


def _print_catalog(catalog: Catalog, words: list[str]) -> None:
    from rich.table import Table as RichTable

    out = console()
    shown = 0
    for source in catalog.sources.values():
        rows = [s for s in catalog.series_of(source.name) if _matches(s.model_dump_json(), words)]
        if not rows:
            continue
        shown += len(rows)
        table = RichTable(title=f"{source.name} ({len(rows)}): {source.title}", title_justify="left", box=None)
        for heading in ("id", "title", "kind", "unit published", "freq", "theme", "lag"):
            table.add_column(heading)
        for s in rows:
            lag = f"{s.publication_lag.days} d"
            table.add_row(s.id, s.title, s.kind, s.provider_unit, s.frequency, s.theme, lag)
        out.print(table)
        out.print()
    instruments = [i for i in catalog.instruments.values() if _matches(i.model_dump_json(), words)]
    if instruments:
        table = RichTable("instrument", "title", "class", "quotation", "priced by", box=None, title_justify="left")
        for i in instruments:
            table.add_row(i.name, i.title, i.asset_class, i.quotation, i.price)
        out.print(table)
    out.print(f"{shown} of {len(catalog.series)} series, {len(instruments)} of {len(catalog.instruments)} instruments")


def _matches(text: str, words: list[str]) -> bool:
    return all(w in text.lower() for w in words)
