"""`macro check`: every check of what is stored, on the terminal."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from macro_assets.cli.place import needs_lake
from macro_assets.cli.terminal import console, expected_errors, print_columns, tell_left_out

if TYPE_CHECKING:
    from macro_assets.graph.checks import Found

_STYLES = {"warn": "yellow", "error": "red"}


@click.command("check")
@click.argument("selection", nargs=-1)
@expected_errors
@needs_lake
def check_command(selection: tuple[str, ...]) -> None:
    """Run every check on what is stored: types, bounds, keys, the tables' rules, and that the past did not move.

    SELECTION names layers (indicators), tables (indicators/sahm_rule), sources (raw/bundled) or series (PAYEMS); of
    these each check is listed. Without it all tables are looked at but the bodies in landing. Nothing is changed. The
    exit code is 1 where a check that is an error fails; a warning is something to look at.
    """
    from macro_assets.graph.checks import checks_of_stored, chosen
    from macro_assets.lakehouse.handle import Lakehouse

    lake, started = Lakehouse.at(), time.perf_counter()
    tell_left_out(lake.catalog)
    found = list(checks_of_stored(lake, chosen(lake, selection)))
    _list(found) if selection else _sum_up(found)
    out = console()
    for one in found:
        if one.message is not None:
            out.print(f"{one.state:5} {one.check}: {one.message}", style=_STYLES[one.state], soft_wrap=True)
    states = Counter(f.state for f in found)
    told = f"{len(found)} checks of {len({f.table for f in found})} tables in {time.perf_counter() - started:.1f} s"
    out.print(f"{told}: {states['ok']} passed, {states['warn']} warned, {states['error']} failed")
    if states["error"]:
        sys.exit(1)


def _list(found: Sequence[Found]) -> None:
    """A line for each check."""
    from macro_assets.cli.tables import Column

    columns = [
        Column("table", [f.table for f in found], folds=True),
        Column("check", [f.check for f in found], folds=True),
        Column("rows", [f"{f.rows:,}" for f in found], right=True),
        Column("result", [f.state for f in found]),
    ]
    print_columns(columns)


def _sum_up(found: Sequence[Found]) -> None:
    """A line for each layer."""
    from macro_assets.cli.tables import Column

    layers = list(dict.fromkeys(f.table.partition("/")[0] for f in found))
    of = {layer: [f for f in found if f.table.partition("/")[0] == layer] for layer in layers}
    states = {layer: Counter(f.state for f in these) for layer, these in of.items()}
    columns = [
        Column("layer", layers),
        Column("tables", [str(len({f.table for f in of[layer]})) for layer in layers], right=True),
        Column("checks", [str(len(of[layer])) for layer in layers], right=True),
        Column("passed", [str(states[layer]["ok"]) for layer in layers], right=True),
        Column("warned", [str(states[layer]["warn"]) for layer in layers], right=True),
        Column("failed", [str(states[layer]["error"]) for layer in layers], right=True),
    ]
    print_columns(columns)
