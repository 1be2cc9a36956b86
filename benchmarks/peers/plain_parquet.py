"""Floors of a refresh: the batch as plain Parquet, written beside its place and renamed into it.

No history is kept, nothing is compared and nothing can be asked.
"""

from __future__ import annotations

import os
from pathlib import Path

import polars as pl


def write_file(file: Path, rows: pl.DataFrame, sync: bool) -> None:
    """Write and rename one file; with `sync`, its bytes and its folder's entry are on disk on return."""
    beside = file.with_suffix(".new")
    with beside.open("wb") as out:
        rows.write_parquet(out)
        if sync:
            out.flush()
            os.fsync(out.fileno())
    beside.rename(file)
    if sync:
        folder = os.open(file.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def one_file(folder: Path, batch: pl.DataFrame, sync: bool) -> None:
    """The whole batch in one file."""
    write_file(folder / "batch.parquet", batch, sync)


def file_per_series(folder: Path, batches: dict[str, pl.DataFrame], sync: bool) -> None:
    """One file per series: each series is replaced whole or not at all."""
    for series_id, rows in batches.items():
        write_file(folder / f"{series_id}.parquet", rows, sync)
