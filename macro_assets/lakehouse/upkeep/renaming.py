"""Where rows of renamed series belong, and under which id: what `migration.py` does by `renames.py`.

Reading trusts that what is stored of a holder is all that it has. A series whose holder was only asked for some years
keeps its old id where a copy of the whole has the new one already: under that it would hide the whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

import polars as pl
from deltalake import DeltaTable

from macro_assets.catalog import Catalog, names
from macro_assets.lakehouse.delta import open_any, reading, scan
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.layout import steps_due, written_version
from macro_assets.lakehouse.renames import OF_SOURCES, Place, Rename, is_concerned, renames

_OF_MODELS = {"forecasts": ("series_id",), "paths": ("series_id",), "news": ("series_id", "target_id")}
"""Columns with ids of series, by layer, of tables that are not computed anew from what is stored."""


def all_rows(name: str, stored: DeltaTable, columns: list[str] | None = None) -> pl.DataFrame:
    """The rows of a table in whatever columns it was written with."""
    with reading(name, stored.version()):
        return pl.DataFrame(pl.from_arrow(stored.to_pyarrow_table(columns=columns)))


def present_rows(name: str, stored: DeltaTable) -> pl.DataFrame:
    """The rows of a table in the columns of the present layout, under the ids that they have."""
    rows = all_rows(name, stored)
    for step in steps_due(name, written_version(stored)):
        rows = step(rows, name)
    return rows


def tables_before(name: str) -> list[str]:
    """Tables that had rows which belong to a table now."""
    layer, _, source = name.partition("/")
    if layer not in OF_SOURCES:
        return []
    others = {b.source for b, r in renames().items() if r.after.source == source != b.source}
    return [f"{layer}/{other}" for other in sorted(others)]


def has_old_ids(name: str, stored: DeltaTable) -> bool:
    """Whether a table of a model names series as they were called before: of the catalog's own series, none does."""
    columns = _OF_MODELS.get(name.partition("/")[0], ())
    due = {place.series_id for place in renames(written_version(stored))}
    if not due or not {*columns} <= {f.name for f in stored.schema().fields}:
        return False
    rows = all_rows(name, stored, [*columns])
    return any(not due.isdisjoint(rows[c].unique()) for c in columns)


def belonging(lake: Lakehouse, name: str, rows: pl.DataFrame, written: int) -> dict[str, pl.DataFrame]:
    """Rows of a table by the table that they belong to now, with the ids that their series have now.

    Parameters
    ----------
    rows
        In the columns of the present layout.
    written
        The version that they were written with.

    Returns
    -------
    dict[str, DataFrame]
        The table itself always, with the rows that stay.
    """
    layer, _, source = name.partition("/")
    due = renames(written)
    if layer in _OF_MODELS:
        return {name: _under(rows, due, _OF_MODELS[layer])}
    if not is_concerned(name, written):
        return {name: rows}
    if layer not in OF_SOURCES:
        return {name: _under(rows, {b: due[b] for b in renamed(lake) if b in due}, ("series_id",))}
    kept = _kept_back(lake, source)
    own = {b.series_id: r for b, r in due.items() if b.source == source and b not in kept}
    parts = _receipts(lake.catalog, rows, own, source) if layer == "landing" else _of_series(rows, own, source)
    return {name: rows.clear(), **{f"{layer}/{home}": part for home, part in parts.items()}}


def _under(rows: pl.DataFrame, due: Mapping[Place, Rename], columns: tuple[str, ...]) -> pl.DataFrame:
    """Rows with the present ids in some columns."""
    ids = {before.series_id: r.after.series_id for before, r in due.items()}
    return rows.with_columns(pl.col(c).replace(ids) for c in columns)


def _of_series(rows: pl.DataFrame, own: Mapping[str, Rename], source: str) -> dict[str, pl.DataFrame]:
    """Rows of one series each."""
    home = pl.col("series_id").replace_strict({i: r.after.source for i, r in own.items()}, default=source)
    named = rows.with_columns(home.cast(pl.String).alias("_home"), pl.col("series_id").replace(_ids(own)))
    return {str(home): part.drop("_home") for (home,), part in named.group_by("_home", maintain_order=True)}


def _receipts(catalog: Catalog, rows: pl.DataFrame, own: Mapping[str, Rename], source: str) -> dict[str, pl.DataFrame]:
    """Receipts, each of one response, that name all series which the fetch was of.

    One goes with a series that moves if its question names it, or if it is of no other series. There it says who was
    asked, by the address: not the home that the series has now.
    """
    parts, left = {}, rows
    for home in sorted({r.after.source for r in own.values()} - {source}):
        moved = {i: r for i, r in own.items() if r.after.source == home}
        codes = "|".join(re.escape(r.code) for r in moved.values() if r.code)
        asked = {t: not (set(t.split()) - moved.keys()) for t in left["series_ids"].drop_nulls().unique()}
        alone = pl.col("series_ids").replace_strict(asked, default=False, return_dtype=pl.Boolean)
        goes = pl.col("request").str.contains(f"=({codes})(&|$)") | alone
        everything = " ".join(r.after.series_id for r in moved.values())
        part = _listed(left.filter(goes), _ids(moved).get)
        parts[home] = part.with_columns(
            pl.col("series_ids").fill_null(everything),
            provider=pl.coalesce("provider", _answerer(catalog, [r.after.series_id for r in moved.values()])),
        )
        left = left.filter(~goes)
    stays = {i: r.after.series_id if r.after.source == source else None for i, r in own.items()}
    return {source: _listed(left, lambda i: stays.get(i, i)), **parts}


def _answerer(catalog: Catalog, series_ids: Iterable[str]) -> pl.Expr:
    """Who answered a question, of the holders of some series, by the address in its text."""
    holders = {h.provider: catalog.sources[h.provider] for i in series_ids for h in catalog.holdings(i)}
    addresses = {name: api.base_url for name, source in holders.items() if (api := source.api) is not None}
    asked = pl.col("request").str
    return pl.coalesce(
        *(pl.when(asked.contains(f" {url}", literal=True)).then(pl.lit(name)) for name, url in addresses.items()),
        pl.lit(None, pl.String),
    )


def _ids(own: Mapping[str, Rename]) -> dict[str, str]:
    return {i: r.after.series_id for i, r in own.items()}


def _listed(receipts: pl.DataFrame, new_id: Callable[[str], str | None]) -> pl.DataFrame:
    """Receipts whose lists of series have the ids that they get; what gets none is left out."""

    def listed(text: str) -> str | None:
        parts = (part.partition(":") for part in text.split())
        return " ".join(f"{new}{colon}{day}" for i, colon, day in parts if (new := new_id(i))) or None

    return receipts.with_columns(
        pl.col(c).replace_strict(
            {t: listed(t) for t in receipts[c].drop_nulls().unique()}, default=None, return_dtype=pl.String
        )
        for c in ("series_ids", "known_through")
    )


# --- what keeps its id ---------------------------------------------------------------------------------------------


def kept_back(lake: Lakehouse) -> dict[Place, Place]:
    """Series that keep the old id, with what they would be: a copy of the whole has that id.

    It is told from raw tables, which are migrated before all else: what was renamed there is renamed everywhere.
    """
    kept: dict[Place, Place] = {}
    for source in dict.fromkeys(before.source for before in renames()):
        kept |= _kept_back(lake, source)
    return kept


def renamed(lake: Lakehouse) -> dict[Place, Place]:
    """Every renamed series but those that keep the old id, with where it is now."""
    kept = kept_back(lake)
    return {before: rename.after for before, rename in renames().items() if before not in kept}


def _kept_back(lake: Lakehouse, source: str) -> dict[Place, Place]:
    every = {b: r.after for b, r in renames().items() if b.source == source}
    stored = open_any(lake.root, names.raw(source))
    if stored is None:
        return {}
    rows = _stored_as(lake, source, stored, [b.series_id for b in every])
    there, whole = set(rows["series_id"]), _whole(lake, source, rows)
    due, copied = renames(written_version(stored)), {copy.id for copy in lake.catalog.copies}
    return {
        before: after
        for before, after in every.items()
        if before.series_id in there
        and (before not in due or (after.series_id in copied and before.series_id not in whole))
    }


def _stored_as(lake: Lakehouse, source: str, stored: DeltaTable, ids: list[str]) -> pl.DataFrame:
    """Under which of some ids there are rows, of which provider and run."""
    schema = pl.Schema(dict.fromkeys(("series_id", "provider", "run_id"), pl.String))
    with reading(names.raw(source), stored.version()):
        return scan(lake.root, stored, schema).filter(pl.col("series_id").is_in(ids)).unique().collect()


def _whole(lake: Lakehouse, source: str, rows: pl.DataFrame) -> set[str]:
    """Series of which all was had once of the holder that counts first: the source, where it has rows.

    Of the source the log says so; of each, receipts of a run that asked for all dates and stored rows.
    """
    is_own = pl.col("provider") == source
    first = rows.filter(is_own | ~is_own.any().over("series_id"))
    asked = _asked_whole(lake, source)
    answered = first.join(asked, on="run_id").filter(
        pl.col("series_ids").is_null() | pl.col("series_ids").str.split(" ").list.contains(pl.col("series_id")),
        ~(is_own & pl.format(" {}", "known_through").str.contains(pl.format(" {}:", "series_id"), literal=True)),
    )
    log = open_any(lake.root, names.fetch_log(source))
    said = present_rows(names.fetch_log(source), log).filter(is_own, "is_whole")["series_id"] if log is not None else ()
    return {*answered["series_id"], *said}


def _asked_whole(lake: Lakehouse, source: str) -> pl.DataFrame:
    """Runs that asked for all dates: `run_id`, `series_ids`, `known_through`, each once."""
    stored = open_any(lake.root, names.landing(source))
    texts, days = ("run_id", "series_ids", "known_through"), ("window_first", "window_last")
    schema = pl.Schema({**dict.fromkeys(texts, pl.String), **dict.fromkeys(days, pl.Date)})
    with reading(names.landing(source), stored.version() if stored is not None else 0):
        asked = scan(lake.root, stored, schema).filter(pl.col(d).is_null() for d in days)
        return asked.select(texts).with_columns(pl.col("known_through").fill_null("")).unique().collect()
