"""What a person sees of an asset in the UI: specs and metadata derived from the catalog."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import dagster as dg
import polars as pl

from macro_assets.catalog import Catalog, Column, Holding, Series, Source, Table, names
from macro_assets.catalog.wording import written
from macro_assets.graph.derivation import Derivation

PREVIEW_ROWS = 8


def key(name: str) -> dg.AssetKey:
    """Asset key = path = SQL name."""
    return dg.AssetKey(name.split("/"))


def series_key(series: Series) -> dg.AssetKey:
    """Key of a raw series."""
    return key(names.raw_series(series))


def raw_assets_by_name(catalog: Catalog) -> dict[str, Series]:
    """Raw series by the names of their assets, as their sources have them; a copy is an asset of its own."""
    return {names.raw_series(s): s for s in (*catalog.series.values(), *catalog.copies)}


def source_keys(source: Source, catalog: Catalog) -> list[dg.AssetKey]:
    """Keys of a source's series and of the table they are in."""
    return [*map(series_key, catalog.series_of(source.name)), key(names.raw(source.name))]


def step_name(table: str) -> str:
    """Name of the step that makes a table."""
    return table.replace("/", "__")


def table_name(asset_key: dg.AssetKey) -> str:
    """Catalog name of a table's asset."""
    return "/".join(asset_key.path)


def column_schema(table: Table) -> dg.TableSchema:
    """Dagster column schema of a table."""
    return dg.TableSchema([_column(c, unique=table.key == (c.name,)) for c in table.columns])


def _column(column: Column, *, unique: bool) -> dg.TableColumn:
    limits = [
        f">= {column.low:g}" if column.low is not None else "",
        f"<= {column.high:g}" if column.high is not None else "",
    ]
    return dg.TableColumn(
        column.name,
        type=column.dtype,
        description=column.description,
        constraints=dg.TableColumnConstraints(nullable=column.nullable, unique=unique, other=[x for x in limits if x]),
        tags={"unit": column.unit.replace(" ", "_")} if column.unit else {},
    )


def table_metadata(table: Table) -> dict[str, Any]:
    """Standing metadata of a table's asset."""
    return {
        "dagster/column_schema": column_schema(table),
        "dagster/table_name": table.name.replace("/", "."),
        "sql": dg.MetadataValue.md(f"```sql\nSELECT * FROM {table.name.replace('/', '.')}\n```"),
    }


def series_metadata(series: Series, columns: dg.TableSchema, catalog: Catalog) -> dict[str, Any]:
    """Standing metadata of a raw series' asset, whose rows are in its source's table with these columns."""
    lag = series.publication_lag
    return {
        "dagster/column_schema": columns,
        "dagster/table_name": f"raw.{series.source}",
        "provider_code": f"{series.dataset}:{series.code}" if series.dataset else series.code,
        "provider_unit": series.provider_unit,
        "unit": f"{series.unit} (provider's number times {series.scale:g})",
        "frequency": series.frequency,
        "seasonal_adjustment": series.seasonal_adjustment,
        "publication_lag": f"{lag.days} days after the period, {lag.time:%H:%M} {lag.time_zone}",
        "transform": f"FRED-MD code {series.transform}",
        "licence": series.licence,
        "holders": holder_list(series.id, catalog),
        "sql": dg.MetadataValue.md(f"```sql\nSELECT * FROM series_as_of('{series.id}', today())\n```"),
    }


def holder_list(series_id: str, catalog: Catalog) -> dg.MarkdownMetadataValue:
    """Who has a series, in the order in which they count, each in its unit; a copy with a link to its page."""
    return dg.MetadataValue.md("\n".join(f"1. {_told(h, catalog)}" for h in catalog.holdings(series_id)))


def _told(holding: Holding, catalog: Catalog) -> str:
    provider = holding.provider
    named = f"[{provider}](/assets/{names.raw_series(holding.series)})" if provider == holding.table else provider
    same = ", the very same figures as the first" if holding.same else ""
    return f"{named}: {catalog.sources[provider].title} ({holding.series.provider_unit}{same})"


def raw_group(source: Source) -> str:
    """Group of a source's assets: that of its family."""
    return f"raw_{source.family}"


def input_series(found: Sequence[Derivation]) -> dict[str, tuple[str, ...]]:
    """Series that each derived table is made of, directly or through others; of a whole family, none by name."""
    series: dict[str, tuple[str, ...]] = {}
    for derivation in found:
        through = (s for t in derivation.upstream for s in series.get(t, ()))
        series |= dict.fromkeys(derivation.tables, tuple(dict.fromkeys([*derivation.series, *through])))
    return series


def series_links(series: Sequence[str], catalog: Catalog) -> dg.MarkdownMetadataValue:
    """A list of series, each with a link to its asset's page."""
    entries = [catalog.series[s] for s in series]
    return dg.MetadataValue.md("\n".join(f"- [{s.id}](/assets/{names.raw_series(s)}) {s.title}" for s in entries))


def rows_metadata(frame: pl.DataFrame, version: int | None = None) -> dict[str, Any]:
    """Metadata of one materialization: row count, dates covered, a look at the last rows."""
    metadata: dict[str, Any] = {
        "dagster/row_count": frame.height,
        "preview": dg.MetadataValue.md(markdown_table(frame)),
    }
    if version is not None:
        metadata["delta_version"] = version
    if "observation_date" in frame.columns and frame["observation_date"].drop_nulls().len():
        metadata["first_date"] = str(frame["observation_date"].min())
        metadata["last_date"] = str(frame["observation_date"].max())
    return metadata


def markdown_table(frame: pl.DataFrame, rows: int = PREVIEW_ROWS, columns: int = 8, width: int = 40) -> str:
    """The last rows of a frame as a Markdown table, columns without any value in them left out."""
    tail = frame.tail(rows)
    shown = [c for c in tail.columns if tail[c].null_count() < tail.height][:columns]
    if tail.is_empty() or not shown:
        return "(no rows)"
    lines = ["| " + " | ".join(shown) + " |", "|" + " --- |" * len(shown)]
    rendered = ([_cell(value, width) for value in row] for row in tail.select(shown).iter_rows())
    lines += ["| " + " | ".join(cells) + " |" for cells in rendered]
    if len(frame.columns) > len(shown):
        lines.append(f"\n{len(shown)} of {len(frame.columns)} columns.")
    return "\n".join(lines)


def _cell(value: object, width: int) -> str:
    match value:
        case None:
            text = ""
        case float():
            text = f"{value:.6g}"
        case datetime():
            text = written(value)
        case _:
            text = str(value)
    text = text.replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")
    return text if len(text) <= width else text[: width - 1] + "…"
