"""What the commands of `macro` share: errors as messages, the Dagster instance, tables on the terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    import dagster as dg
    import polars as pl

USAGE_ERROR = 2
MAX_ROWS = 50


def expected_errors(command: Callable[..., Any]) -> Callable[..., Any]:
    """Errors a user can act on become one message and exit code 2; anything else is a defect and shows its stack."""

    @wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        from macro_assets.catalog import CatalogError, UnknownNameError
        from macro_assets.lakehouse.delta import LakeError

        try:
            return command(*args, **kwargs)
        except (CatalogError, UnknownNameError, LakeError, ValueError) as error:
            click.echo(f"macro: {error}", err=True)
            sys.exit(USAGE_ERROR)

    return wrapped


@contextmanager
def instance() -> Iterator[dg.DagsterInstance]:
    """The Dagster instance of `DAGSTER_HOME`, by default the project's own `dagster.yaml`.

    Its storage paths are relative to that folder, so the command works from any folder.
    """
    from macro_assets.lakehouse.paths import lake_root, project_root

    os.environ["MACRO_LAKE"] = str(lake_root())  # absolute, before the folder changes
    home = Path(os.environ.setdefault("DAGSTER_HOME", str(project_root()))).resolve()
    os.environ["DAGSTER_HOME"] = str(home)
    # one planned event for a range of partitions, one write for a batch of events: a full run takes half the time
    os.environ.setdefault("DAGSTER_EMIT_PARTITION_SUBSET_IN_PLANNED_EVENTS", "1")
    os.environ.setdefault("DAGSTER_EVENT_BATCH_SIZE", "1000")
    os.chdir(home)
    import dagster as dg

    with dg.DagsterInstance.get() as found:
        yield found


def console() -> Any:
    """A console as wide as the terminal; 160 columns where the output is no terminal."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else 160)


def print_rows(rows: pl.DataFrame) -> None:
    """Print the first rows of a frame as a table."""
    from rich.table import Table as RichTable

    table = RichTable(*rows.columns)
    for row in rows.head(MAX_ROWS).iter_rows():
        table.add_row(*("" if v is None else f"{v:.10g}" if isinstance(v, float) else str(v) for v in row))
    out = console()
    out.print(table, markup=False)
    if rows.height > MAX_ROWS:
        out.print(f"{MAX_ROWS} of {rows.height} rows; --csv prints all.")
