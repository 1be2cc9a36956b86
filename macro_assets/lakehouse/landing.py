"""Landing: every response body as it came, and the state of the latest fetch of each series."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from macro_assets.catalog import Catalog
from macro_assets.lakehouse.delta import append, overwrite, read_table


def land(root: Path, catalog: Catalog, source: str, responses: pl.DataFrame, commit: Mapping[str, str]) -> int:
    """Store response bodies that are not stored yet under the same request.

    Parameters
    ----------
    responses
        `request` (without any key), `payload_sha256`, `fetched_at`, `body` (the bytes as they came).

    Returns
    -------
    int
        How many bodies were new.
    """
    table = catalog.one_table(f"landing/{source}")
    stored = read_table(root, table, catalog)
    new = responses.unique(table.key, keep="first").join(stored, on=table.key, how="anti")
    compressed = new.with_columns(body=pl.Series([zlib.compress(b, level=6) for b in new["body"]], dtype=pl.Binary))
    append(root, table, catalog, compressed, commit)
    return new.height


def log_fetches(root: Path, catalog: Catalog, source: str, fetches: pl.DataFrame, commit: Mapping[str, str]) -> None:
    """Replace the state of the fetched series in `fetch_log/<source>`; other series keep theirs."""
    table = catalog.one_table(f"fetch_log/{source}")
    kept = read_table(root, table, catalog).join(fetches, on="series_id", how="anti")
    overwrite(root, table, catalog, pl.concat([kept, fetches.select(kept.columns).cast(kept.schema)]), commit)
