"""`macro list` and `macro catalog`: what there is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from macro_assets.cli.place import warn_of_no_lake
from macro_assets.cli.terminal import console, expected_errors, tell_left_out

if TYPE_CHECKING:
    from macro_assets.catalog import Catalog

Stored = dict[str, tuple[str, ...]]
"""Who serves a series, its first and last date, its rows and vintages, by series; as text."""

_KINDS = ("all", "families", "series", "tables", "views", "indicators", "models", "charts")
_STORED = ("served by", "from", "to", "rows", "vintages")


@click.command("list")
@click.argument("kind", type=click.Choice(_KINDS), default="all")
@expected_errors
def list_command(kind: str) -> None:
    """What the catalog has: KIND is families, series, tables, views, indicators, models or charts."""
    from rich.table import Table as RichTable

    from macro_assets.catalog import default_catalog, names

    catalog = default_catalog()
    stored = _stored(catalog) if kind in ("all", "series") else {}
    shown: dict[str, list[tuple[str, ...]]] = {
        "families": [
            (f.name, f.title, ", ".join(s.name for s in catalog.sources_of(f.name))) for f in catalog.families.values()
        ],
        "series": [
            (names.raw_series(s), s.title, f"{s.kind}, {s.frequency}, {s.provider_unit}", *stored.get(s.id, ()))
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
            table = RichTable(title=f"{name} ({len(rows)})", title_justify="left", box=None)
            table.add_column("name", no_wrap=True)
            for heading in ("title", "", *(_STORED if name == "series" and stored else ())):
                table.add_column(heading, no_wrap=heading in _STORED)
            for row in rows:
                table.add_row(*row)
            out.print(table)
            out.print()


@click.command("catalog")
@click.argument("words", nargs=-1)
@click.option("--markdown", is_flag=True, help="The whole catalog as the text of docs/catalog.md.")
@click.option("--dictionary", is_flag=True, help="All tables and columns as the text of docs/data-dictionary.md.")
@expected_errors
def catalog_command(words: tuple[str, ...], markdown: bool, dictionary: bool) -> None:
    """Every series and instrument of the catalog, by source; WORDS, of id, title, theme or country, narrow it down."""
    from macro_assets.catalog import default_catalog, document
    from macro_assets.catalog import dictionary as tables

    catalog = default_catalog()
    tell_left_out(catalog)
    if markdown or dictionary:
        click.echo((tables if dictionary else document).as_markdown(catalog), nl=False)
        return
    _print_catalog(catalog, [w.lower() for w in words])


def _print_catalog(catalog: Catalog, words: list[str]) -> None:
    from rich.table import Table as RichTable

    from macro_assets.catalog.document import holder_names

    out = console()
    stored = _stored(catalog)
    shown = 0
    for source in catalog.sources.values():
        own = (s for s in catalog.series.values() if s.source == source.name)
        rows = [s for s in own if _matches(s.model_dump_json(), words)]
        if not rows:
            continue
        shown += len(rows)
        table = RichTable(title=f"{source.name} ({len(rows)}): {source.title}", title_justify="left", box=None)
        for heading in ("id", "title", "unit published", "freq", "theme", "holders", *(_STORED if stored else ())):
            table.add_column(heading, no_wrap=heading in ("id", *_STORED))
        for s in rows:
            facts = (s.id, s.title, s.provider_unit, s.frequency, s.theme, holder_names(catalog, s.id))
            table.add_row(*facts, *stored.get(s.id, ()))
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


def _stored(catalog: Catalog) -> Stored:
    """What the lake has of each series; nothing where there is no lake, or where it cannot be told, with the reason."""
    from macro_assets.lakehouse.delta import LakeError, table_versions
    from macro_assets.lakehouse.handle import Lakehouse
    from macro_assets.lakehouse.session import connect, query

    root = Lakehouse.at(catalog=catalog).root
    if not table_versions(root):
        warn_of_no_lake()
        return {}
    columns = "series_id, serves, first_date, last_date, rows, vintages"
    try:
        found = query(connect(root=root, catalog=catalog), f"SELECT {columns} FROM catalog.series WHERE rows > 0")
    except LakeError as error:
        click.echo(f"warning: what is stored of the series cannot be told: {error}", err=True)
        return {}
    return {series: tuple("" if v is None else str(v) for v in told) for series, *told in found.iter_rows()}
