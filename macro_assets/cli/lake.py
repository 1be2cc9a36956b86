"""The commands of `macro` that look after the lake: audit, rebuild, upkeep, migration, backup."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from macro_assets.cli.place import needs_lake, refuse_nothing
from macro_assets.cli.terminal import console, expected_errors, instance, print_rows, say

if TYPE_CHECKING:
    import polars as pl

    from macro_assets.lakehouse.handle import Lakehouse
    from macro_assets.lakehouse.raw import Decision, StoredRelease


def _about_a_release(command: Callable[..., Any]) -> Callable[..., Any]:
    """Arguments that name one stored release, who says something about it, and why."""
    for decorate in (
        click.option("--provider", help="Who served the value; default the first holder that has it."),
        click.option("--author", default=getpass.getuser, help="Who decides; default the user of this session."),
        click.option("--reason", required=True, help="Why; kept with the decision."),
        click.argument("release"),
        click.argument("day", metavar="DATE", type=click.DateTime(["%Y-%m-%d"])),
        click.argument("series_id", metavar="SERIES"),
    ):
        command = decorate(command)
    return command


@click.command("invalidate")
@_about_a_release
@expected_errors
@needs_lake
def invalidate_command(
    series_id: str, day: datetime, release: str, reason: str, author: str, provider: str | None
) -> None:
    """Mark a stored value as wrong from now on: SERIES, observation DATE, and the RELEASE (its day or instant).

    Nothing is erased: reads as of an earlier instant still see it. `macro history SERIES DATE` shows the releases.
    """
    from macro_assets.lakehouse.raw import Decision, StoredRelease

    _decide(StoredRelease(series_id, day.date(), release, provider), Decision("invalidate", reason, author))


@click.command("reinstate")
@_about_a_release
@expected_errors
@needs_lake
def reinstate_command(
    series_id: str, day: datetime, release: str, reason: str, author: str, provider: str | None
) -> None:
    """Undo `macro invalidate` from now on; the earlier decision stays on record."""
    from macro_assets.lakehouse.raw import Decision, StoredRelease

    _decide(StoredRelease(series_id, day.date(), release, provider), Decision("reinstate", reason, author))


def _decide(release: StoredRelease, decision: Decision) -> None:
    from macro_assets.lakehouse.handle import Lakehouse
    from macro_assets.lakehouse.raw import decide

    lake = Lakehouse.at()
    print_rows(decide(lake, release, decision))
    with instance() as dagster:
        from macro_assets.orchestration.assets.audit import report_decision

        report_decision(lake, dagster)
    say("`macro run` computes again what is below it.")


@click.command("history")
@click.argument("series_id", metavar="SERIES")
@click.argument("day", metavar="DATE", type=click.DateTime(["%Y-%m-%d"]))
@expected_errors
@needs_lake
def history_command(series_id: str, day: datetime) -> None:
    """Everything stored about one number: its releases, where they came from, and decisions about them."""
    from macro_assets.lakehouse.handle import Lakehouse
    from macro_assets.lakehouse.releases import history, no_history

    rows = history(series_id, day.date())
    if rows.is_empty():
        say(no_history(Lakehouse.at(), series_id, day.date()))
        return
    shown = ["release", "value", "release_time", "release_basis", "provider", "ingested_at"]
    decisions = ["action", "decided_at", "reason", "author"]
    print_rows(rows.select(*shown, *(decisions if rows["action"].count() else ())))


@click.command("rebuild")
@click.argument("source")
@click.option("--replace", is_flag=True, help="Replace the stored table where it says something else.")
@expected_errors
@needs_lake
def rebuild_command(source: str, replace: bool) -> None:
    """Rebuild the raw table of SOURCE from landing alone, without a network, and compare it with the stored one.

    A missing table is written, missing rows are added; a table that says something else is left alone unless asked.
    """
    from macro_assets.catalog import UnknownNameError, names
    from macro_assets.catalog.load import unknown_name_message
    from macro_assets.intake.rebuild import rebuild
    from macro_assets.lakehouse.handle import Lakehouse

    lake = Lakehouse.at()
    sources = lake.catalog.sources
    if source not in sources:
        titles = {s.name: s.title for s in sources.values()}
        raise UnknownNameError(unknown_name_message("source", source, sources, titles))
    done = rebuild(lake, sources[source], replace)
    say(f"{names.raw(source)}: {done.rows:,} rows rebuilt from landing, {done.stored:,} stored")
    if done.is_equal:
        silent = "what its vintages do not say was put on record" if done.written else "nothing was written"
        say(f"Equal row for row; {silent}.")
        return
    say(f"{done.only_rebuilt.height:,} rows only in the rebuilt table, {done.only_stored.height:,} only stored:")
    columns = ["series_id", "observation_date", "value", "release_time", "release_basis", "run_id"]
    print_rows(done.only_rebuilt.select(columns).head(5))
    print_rows(done.only_stored.select(columns).head(5))
    if not done.written:
        say("The stored table was left as it is. --replace replaces it; its version stays in its history.")
        sys.exit(1)
    say("Written.")


@click.command("maintenance")
@expected_errors
@needs_lake
def maintenance_command() -> None:
    """Merge small files, end retention, remove files that no version of the last 30 days needs."""
    from rich.table import Table

    from macro_assets.lakehouse.handle import Lakehouse
    from macro_assets.lakehouse.upkeep.maintenance import maintain

    table = Table("table", title="Upkeep", title_justify="left")
    for heading in ("rows before", "after", "files before", "after", "kB before", "after", "seconds"):
        table.add_column(heading, justify="right")
    for one in maintain(Lakehouse.at(), datetime.now(UTC)):
        say(one.table_name, err=True)
        table.add_row(
            one.table_name,
            f"{one.rows_before:,}",
            f"{one.rows_after:,}",
            str(one.files_before),
            str(one.files_after),
            f"{one.bytes_before / 1000:,.0f}",
            f"{one.bytes_after / 1000:,.0f}",
            f"{one.seconds:.2f}",
        )
    console().print(table)


@click.command("migrate")
@click.option("--dry-run", is_flag=True, help="Show what would be done.")
@expected_errors
@needs_lake
def migrate_command(dry_run: bool) -> None:
    """Bring tables that an older macro_assets wrote to the present layout; their versions stay in their history.

    Computed tables in whose place there are others are removed.
    """
    from macro_assets.lakehouse.handle import Lakehouse
    from macro_assets.lakehouse.layout import RETIRED, SCHEMA_VERSION
    from macro_assets.lakehouse.upkeep.migration import migrate, migrations_due, remove_retired, retired_tables

    lake = Lakehouse.at()
    due, retired = migrations_due(lake), retired_tables(lake)
    for one in due:
        told = f"{one.table_name}: schema version {one.written} to {SCHEMA_VERSION}, {one.rows:,} rows"
        if not dry_run:
            migrate(lake, one.table_name)
        say(f"{told}: {'would be migrated' if dry_run else 'migrated'}")
    for name in retired:
        if not dry_run:
            remove_retired(lake, name)
        told = f"{name}: computed, in its place there is {RETIRED[name]}"
        say(f"{told}: {'would be removed' if dry_run else 'removed'}")
    if retired:
        say("What was taken in stays as it is. `macro run` computes what took their place.")
    if due:
        _tell_kept_back(lake)
        say("`macro run` computes anew what is made of them.")
    assets = _rename_assets(lake, dry_run)
    if not due and not retired and not assets:
        say(f"Every table has the present layout (schema version {SCHEMA_VERSION}).")


def _tell_kept_back(lake: Lakehouse) -> None:
    """Which series keep the id of the version before, and what to do."""
    from macro_assets.catalog import names
    from macro_assets.lakehouse.upkeep.renaming import kept_back

    for before, after in kept_back(lake).items():
        say(
            f"{names.raw(before.source)}: {before.series_id} keeps its id: it was never fetched whole, and as "
            f"{after.series_id} it would hide the offline figures. `macro fetch {names.raw(after.source)}/"
            f"{after.series_id}` asks for all of it."
        )


def _rename_assets(lake: Lakehouse, dry_run: bool) -> int:
    """Rename the assets of renamed series in Dagster's event log, and return how many have the old key."""
    from macro_assets.lakehouse.upkeep.renaming import renamed

    moved = renamed(lake)
    with instance() as dagster:
        from macro_assets.orchestration.renaming import old_assets, rename_assets

        found = (old_assets if dry_run else rename_assets)(dagster, moved)
    if found:
        say(f"Dagster: the history of {len(found)} assets {'would be renamed' if dry_run else 'renamed'}")
    return len(found)


@click.command("backup")
@click.argument("destination")
@click.option("--keep-days", type=click.IntRange(min=1), help="Remove backups older than this; never the newest.")
@click.option("--verify", "only_verify", is_flag=True, help="Take none: read the newest one whole and check it.")
@expected_errors
def backup_command(destination: str, keep_days: int | None, only_verify: bool) -> None:
    """Back the lake up to DESTINATION, a folder or s3://bucket/prefix: only what is new is copied."""
    from macro_assets.lakehouse.paths import lake_root, location
    from macro_assets.lakehouse.upkeep.backup import backup
    from macro_assets.lakehouse.upkeep.verify import verify

    place = location(destination)
    if only_verify:
        with _progress() as show:
            found = verify(place, progress=show)
        print_rows(_facts(found))
        for file, problem in found.problems.items():
            say(f"DAMAGED {file}: {problem}", err=True)
        if not found.ok:
            sys.exit(1)
        return
    refuse_nothing(lake_root())
    with _progress() as show:
        done = backup(lake_root(), place, keep_days, show)
    print_rows(_facts(done))


@click.command("restore")
@click.argument("backups")
@click.option("--at", help="The newest backup taken by this date (its end, UTC) or instant; default the newest.")
@click.option("--to", "root", help="Where to; default MACRO_LAKE. It must be empty.")
@expected_errors
def restore_command(backups: str, at: str | None, root: str | None) -> None:
    """Restore a lake from BACKUPS, a folder or s3://bucket/prefix, into an empty place; every file is checked."""
    from macro_assets.lakehouse.paths import lake_root, location
    from macro_assets.lakehouse.upkeep.restore import restore

    with _progress() as show:
        done = restore(location(backups), lake_root(root), at, show)
    print_rows(_facts(done))


_BYTES = ("bytes", "bytes_copied", "bytes_reused", "bytes_pruned")


def _facts(report: Any) -> pl.DataFrame:
    """A report as a table of one row, sizes and seconds as people write them."""
    from dataclasses import fields

    import polars as pl
    from rich.filesize import decimal

    told = {f.name: getattr(report, f.name) for f in fields(report)}
    told |= {name: decimal(told[name]) for name in _BYTES if name in told}
    told["seconds"] = f"{report.seconds:.2f}"
    return pl.DataFrame([{k: v for k, v in told.items() if not isinstance(v, dict)}])


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    """A bar on the terminal's error stream, by bytes."""
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn())
    with Progress(*columns, console=console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)

        def show(stage: str, done: int, whole: int) -> None:
            bar.update(task, description=stage, completed=done, total=whole)

        yield show


LAKE_COMMANDS = (
    history_command,
    invalidate_command,
    reinstate_command,
    rebuild_command,
    maintenance_command,
    migrate_command,
    backup_command,
    restore_command,
)
