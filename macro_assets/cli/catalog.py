"""`macro list` and `macro catalog`: what there is, and what of it is stored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import click

from macro_assets.cli.place import warn_of_no_lake
from macro_assets.cli.terminal import console, expected_errors, put, say, tell_left_out, without_room

if TYPE_CHECKING:
    from macro_assets.catalog import Catalog, Series, Source
    from macro_assets.cli.tables import Column

Stored = Mapping[str, tuple[str, ...]]
"""Who serves a series, its first and last date, its rows and vintages, by series; as text."""

_KINDS = ("all", "families", "sources", "series", "tables", "views", "indicators", "scores", "models", "charts", "gaps")
_STORED = ("served by", "from", "to", "rows", "vintages")
_FACTS = ("id", "title", "freq")
_MORE = ("unit published", "theme", "passed on", "holders")
_INSTRUMENTS = ("instrument", "title", "class", "quotation", "priced by")
_FOLDED = {"title", "", "unit published", "holders", "quotation"}
"""Headings of the columns whose text may be folded."""


@click.command("list")
@click.argument("kind", type=click.Choice(_KINDS), default="all")
@expected_errors
def list_command(kind: str) -> None:
    """What the catalog has, all of it or of a KIND."""
    from macro_assets.catalog import default_catalog, names

    catalog = default_catalog()
    stored = _stored(catalog) if kind in ("all", "series") else {}
    shown: dict[str, list[tuple[str, ...]]] = {
        "families": [
            (f.name, f.title, ", ".join(s.name for s in catalog.sources_of(f.name))) for f in catalog.families.values()
        ],
        "sources": [(s.name, s.title, _of_source(catalog, s)) for s in catalog.sources.values()],
        "series": [
            (names.raw_series(s), s.title, f"{s.kind}, {s.frequency}, {s.provider_unit}", *_kept(stored, s.id))
            for s in catalog.series.values()
        ],
        "tables": [(t.name, t.title, ", ".join(t.key)) for t in catalog.tables.values()],
        "views": [(v.name, v.title, ", ".join(c.name for c in v.columns)) for v in catalog.views.values()],
        "indicators": [
            (i.name, i.title, f"{i.method} of {', '.join(i.inputs)}{', in real time' if i.real_time else ''}")
            for i in catalog.indicators.values()
        ],
        "scores": [(s.name, s.title, f"{s.method} of {', '.join(s.inputs)}") for s in catalog.scores.values()],
        "models": [
            (m.name, m.title, f"{m.method} of {m.target.series}, inputs: {len(m.inputs)}")
            for m in catalog.models.values()
        ],
        "charts": [
            (c.name, c.title, f"{c.draws} of {', '.join(c.of.series or c.of.tables)}") for c in catalog.charts.values()
        ],
        "gaps": [(g.name, g.title, f"{g.reason} {g.page}") for g in catalog.gaps.values()],
    }
    tell_left_out(catalog)
    for name, rows in shown.items():
        if kind in ("all", name):
            headings = ("name", "title", "", *(_STORED if name == "series" and stored else ()))
            _tell_room(_print_table(f"{name} ({len(rows)})", headings, rows))


def _of_source(catalog: Catalog, source: Source) -> str:
    key = source.api.key if source.api else None
    needed = f", key {key.environment}{'' if key.required else ' (optional)'}" if key else ""
    return f"{source.family}, {len(catalog.series_of(source.name))} series{needed}"


@click.command("catalog")
@click.argument("words", nargs=-1)
@click.option("--markdown", is_flag=True, help="The whole catalog as the text of docs/catalog.md.")
@click.option("--dictionary", is_flag=True, help="All tables and columns as the text of docs/data-dictionary.md.")
@click.option("--transforms", is_flag=True, help="All transforms as the text of docs/transforms.md.")
@click.option("--indicators", is_flag=True, help="All indicators by method as the text of docs/indicators.md.")
@expected_errors
def catalog_command(
    words: tuple[str, ...], markdown: bool, dictionary: bool, transforms: bool, indicators: bool
) -> None:
    """Every series and instrument of the catalog, by source, with what is stored of it.

    With WORDS those of which all of them speak, the best first: by id and title, then by theme, country, source and
    code.
    """
    from macro_assets.catalog import default_catalog, document
    from macro_assets.catalog import dictionary as tables

    if transforms:
        from macro_assets.transforms import document as vocabulary

        put(vocabulary.as_markdown())
        return
    catalog = default_catalog()
    tell_left_out(catalog)
    if indicators:
        from macro_assets.graph import document as of_indicators

        put(of_indicators.as_markdown(catalog))
        return
    if markdown or dictionary:
        put((tables if dictionary else document).as_markdown(catalog))
        return
    _print_catalog(catalog, words)


def _print_catalog(catalog: Catalog, words: Sequence[str]) -> None:
    from macro_assets.catalog.finding import instruments_about, series_about

    stored = _stored(catalog)
    series = series_about(catalog, words)
    left: list[str] = []
    for title, of_table in _tables(catalog, series, is_search=bool(words)):
        rows = [(s.id, s.title, s.frequency, *_kept(stored, s.id), *_more(catalog, s)) for s in of_table]
        left = _print_table(title, (*_FACTS, *(_STORED if stored else ()), *_MORE), rows) or left
    instruments = instruments_about(catalog, words)
    if instruments:
        rows = [(i.name, i.title, i.asset_class, i.quotation, i.price) for i in instruments]
        left += _print_table(None, _INSTRUMENTS, rows)
    _tell_room(left)
    if words and not series and not instruments:
        say(_nothing(catalog, words))
    kept = f", {sum(s.id in stored for s in series)} of them stored" if stored and series else ""
    counted = f"{len(instruments)} of {len(catalog.instruments)} instruments"
    say(f"{len(series)} of {len(catalog.series)} series{kept}, {counted}")


def _tables(catalog: Catalog, series: Sequence[Series], is_search: bool) -> Iterator[tuple[str | None, list[Series]]]:
    """Title and series of each table: one of all that were found, else one a source."""
    if is_search:
        if series:
            yield None, list(series)
        return
    for source in catalog.sources.values():
        if own := [s for s in series if s.source == source.name]:
            yield f"{source.name} ({len(own)}): {source.title}", own


def _more(catalog: Catalog, s: Series) -> tuple[str, ...]:
    from macro_assets.catalog.document import holder_names, says

    return (s.provider_unit, s.theme, says(catalog.redistributable(s)), holder_names(catalog, s.id))


def _nothing(catalog: Catalog, words: Sequence[str]) -> str:
    from macro_assets.catalog.entries import nearest

    near = nearest(" ".join(words), catalog.series, {s.id: s.title for s in catalog.series.values()})
    return f"Nothing speaks of {' and '.join(map(repr, words))}.{near} `macro catalog` shows all."


def _print_table(title: str | None, headings: Sequence[str], rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Print a table, and give the headings for which there was no room."""
    from macro_assets.cli.tables import fitted

    out = console()
    columns = [_column(h, cells) for h, cells in zip(headings, _columns(headings, rows), strict=True)]
    table, left = fitted(columns, out.width, title, box=None)
    out.print(table)
    out.print()
    return left


def _columns(headings: Sequence[str], rows: Sequence[tuple[str, ...]]) -> Iterable[tuple[str, ...]]:
    return zip(*rows, strict=True) if rows else [()] * len(headings)


def _column(heading: str, cells: Sequence[str]) -> Column:
    from macro_assets.catalog.wording import shortened
    from macro_assets.cli.tables import Column

    return Column(
        heading, [shortened(c) for c in cells], folds=heading in _FOLDED, right=heading in ("rows", "vintages")
    )


def _tell_room(left: Sequence[str]) -> None:
    if left:
        say(f"{without_room(left)} Widen it, or redirect the output.\n")


def _kept(stored: Stored, series_id: str) -> tuple[str, ...]:
    """What is stored of a series; blanks where nothing is, but something of others."""
    return stored.get(series_id, ("",) * len(_STORED)) if stored else ()


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
        say(f"warning: what is stored of the series cannot be told: {error}", err=True)
        return {}
    return {series: tuple("" if v is None else str(v) for v in told) for series, *told in found.iter_rows()}
