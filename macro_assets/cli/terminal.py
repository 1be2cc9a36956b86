"""What the commands of `macro` share: errors as messages, the Dagster instance, tables on the terminal."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from macro_assets.publishing.plain import plain

if TYPE_CHECKING:
    import dagster as dg
    import polars as pl
    from rich.console import Console

    from macro_assets.catalog import Catalog
    from macro_assets.cli.tables import Column
    from macro_assets.lakehouse.handle import Lakehouse
    from macro_assets.orchestration.summary import Summary

USAGE_ERROR = 2
MAX_ROWS = 50


def expected_errors(command: Callable[..., Any]) -> Callable[..., Any]:
    """Errors a user can act on become one message and exit code 2; anything else is a defect and shows its stack."""

    @wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        with uncollected():
            from macro_assets.catalog import CatalogError, UnknownNameError
            from macro_assets.lakehouse.delta import LakeError, PanicError, no_panic

        try:
            with no_panic():
                return command(*args, **kwargs)
        except PanicError as error:
            hint = "A date is beyond what can be shown, or a data file is damaged: `macro doctor --deep` says which."
            say(f"macro: {error}. {hint}", err=True)
            sys.exit(USAGE_ERROR)
        except (CatalogError, UnknownNameError, LakeError, ValueError) as error:
            say(f"macro: {error}", err=True)
            sys.exit(USAGE_ERROR)

    return wrapped


def left_out(catalog: Catalog) -> list[str]:
    """What is wrong with entries of the user's own folder, which the catalog or their room left out."""
    if not any(Path(file).is_absolute() for file in catalog.origins.values()):
        return [str(problem) for problem in catalog.refused]
    from macro_assets.graph.declared import graph  # it imports Polars and every room: 0.7 s

    return [str(problem) for problem in graph(catalog).catalog.refused]


def tell_left_out(catalog: Catalog) -> None:
    """A line on stderr for each entry of the user's own folder that was left out."""
    for text in left_out(catalog):
        say(f"warning: left out: {text}", err=True)


@contextmanager
def instance(watched: bool = False) -> Iterator[dg.DagsterInstance]:
    """The Dagster instance of `DAGSTER_HOME`, by default the project's own `dagster.yaml`.

    Its storage paths are relative to that folder, so the command works from any folder. `watched` where a daemon and
    the UI must see which partitions are under way and which failed.
    """
    from macro_assets.lakehouse.paths import lake_root
    from macro_assets.orchestration import home

    os.environ["MACRO_LAKE"] = str(lake_root())  # absolute, before the folder changes
    place = home.find()
    os.environ["DAGSTER_HOME"] = str(place)
    # one planned event for a range of partitions, one write for a batch of events: a full run takes half the time
    if not watched:
        os.environ.setdefault("DAGSTER_EMIT_PARTITION_SUBSET_IN_PLANNED_EVENTS", "1")
    os.environ.setdefault("DAGSTER_EVENT_BATCH_SIZE", "1000")
    os.chdir(place)
    with ExitStack() as held:
        with uncollected():
            found = held.enter_context(home.opened(place))
        yield found


@contextmanager
def uncollected() -> Iterator[None]:
    """No garbage is looked for while libraries and the catalog load, whose objects stay: a tenth of an answer."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def say(text: str, err: bool = False) -> None:
    """Print a line; what in it would act on the terminal is written out."""
    click.echo(plain(text), err=err)


def put(text: str) -> None:
    """Print a document as it is, to whatever takes it; on a terminal as `say` does."""
    sys.stdout.write(plain(text) if sys.stdout.isatty() else text)


def console(stderr: bool = False) -> Console:
    """A console as wide as the terminal, 160 columns where the output is no terminal; it prints text as it stands."""
    from macro_assets.cli.tables import PlainConsole

    stream = sys.stderr if stderr else sys.stdout
    return PlainConsole(width=None if stream.isatty() else 160, stderr=stderr)


def print_rows(rows: pl.DataFrame, advice: str = "") -> None:
    """Print the first rows of a frame as a table; a single row that is too wide as one of two columns.

    Parameters
    ----------
    advice
        What to do where rows or columns are left out.
    """
    from macro_assets.cli.tables import fitted, of_frame, upright

    out = console()
    columns = of_frame(rows.head(MAX_ROWS))
    table, left = fitted(columns, out.width)
    if left and rows.height == 1:
        table, left = fitted(upright(columns), out.width)
    out.print(table)
    if rows.is_empty():
        out.print("No rows.")
    if rows.height > MAX_ROWS:
        out.print(f"{MAX_ROWS} of {rows.height:,} rows. {advice}".rstrip())
    if left:
        out.print(f"{len(columns) - len(left)} of {len(columns)} columns. {without_room(left)} {advice}".rstrip())


def print_columns(columns: Sequence[Column], title: str | None = None) -> None:
    """Print a list of as many columns as have room, and say which have none."""
    from macro_assets.cli.tables import fitted

    out = console()
    table, left = fitted(columns, out.width, title, box=None)
    out.print(table)
    if left:
        out.print(without_room(left))


def without_room(left: Sequence[str]) -> str:
    """Which columns a table has no room for."""
    from macro_assets.catalog.wording import listed

    return f"There is no room for {listed(left)}."


def print_summary(lake: Lakehouse, summary: Summary) -> None:
    """What a call did, layer by layer, and where to look next."""
    from rich.table import Table as RichTable

    from macro_assets.lakehouse.paths import charts_folder

    out = console()
    counts = lake.row_counts()
    table = RichTable("layer", title="\nLake", title_justify="left")
    for heading in ("run", "up to date", "tables", "rows", "checks passed", "failed", "seconds"):
        table.add_column(heading, justify="right")
    for layer, s in summary.layers.items():
        rows = [n for name, n in counts.items() if name.startswith(f"{layer}/")]
        table.add_row(
            layer,
            str(s.ran),
            str(s.skipped),
            str(len(rows)),
            f"{sum(rows):,}",
            str(s.passed),
            str(s.failed),
            f"{s.seconds:.1f}",
        )
    total = [sum(getattr(s, f) for s in summary.layers.values()) for f in ("ran", "skipped", "passed", "failed")]
    of_layers = [n for name, n in counts.items() if name.split("/")[0] in summary.layers]
    table.add_section()
    table.add_row(
        "all", str(total[0]), str(total[1]), str(len(of_layers)), f"{sum(of_layers):,}", str(total[2]), str(total[3]),
        f"{summary.seconds:.1f}",
    )  # fmt: skip
    out.print(table)
    if not summary.runs:
        out.print("Everything is up to date: nothing was run. --force runs it all the same.")
    elif skipped := total[1]:
        out.print(f"{skipped} assets were up to date and skipped.")
    for name, why in summary.warnings.items():
        out.print(f"warning {name}: {why}", style="yellow")
    for name, why in summary.told.items():
        out.print(f"FAILED {name}: {why}", style="red")
    out.print(f"Lake    {lake.root}")
    out.print(f"Charts  {charts_folder(lake.root) / 'index.html'}")
    out.print("UI      make ui")
