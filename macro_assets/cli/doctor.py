"""`macro doctor`: the findings of an examination, on the terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from macro_assets.cli.terminal import console, expected_errors


@click.command("doctor")
@click.option("--repair", is_flag=True, help="First take damaged tables back to their last good version.")
@click.option("--deep", is_flag=True, help="Read every data file too and compare it with what was written.")
@click.option("--from", "backups", help="With --repair: first put back what these backups have of damaged data files.")
@expected_errors
def doctor_command(repair: bool, deep: bool, backups: str | None) -> None:
    """Check catalog, lake, tables, DuckDB's extension and Dagster's storage, and say what to do about what is wrong.

    A lake on S3 is also asked for what keeps two writers apart.
    """
    from macro_assets.cli.examination import examine, mend
    from macro_assets.lakehouse.paths import location

    if backups and not repair:
        raise click.UsageError("--from says where --repair is to take files from: give both")
    out = console()
    with _bar(deep) as show:
        repairs = list(mend(deep, location(backups) if backups else None, show)) if repair else []
    for done in repairs:
        out.print(f"{'mended' if done.ok else 'WRONG '} {done.message}", soft_wrap=True)
    if repair and not repairs:
        out.print("nothing to repair" + ("" if deep else "; --deep compares data files with what was written, too"))
    with _bar(deep) as show:
        findings = examine(deep, show)
    for finding in findings:
        state = "WRONG " if not finding.ok else "warn  " if finding.warning else "ok    "
        out.print(f"{state} {finding.subject}: {finding.message}", soft_wrap=True)
    if not all(f.ok for f in [*repairs, *findings]):
        sys.exit(1)


@contextmanager
def _bar(shown: bool) -> Iterator[Callable[[str, int, int], None] | None]:
    """A bar on the terminal's error stream, by bytes, if there is something to show."""
    if not shown:
        yield None
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=console(stderr=True), transient=True) as bar:

        def show(stage: str, done: int, whole: int) -> None:
            task = bar.task_ids[0] if bar.task_ids else bar.add_task(stage)
            bar.update(task, completed=done, total=whole)

        yield show
