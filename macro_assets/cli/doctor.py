"""`macro doctor`: the findings of an examination, on the terminal."""

from __future__ import annotations

import sys

import click

from macro_assets.cli.terminal import console, expected_errors


@click.command("doctor")
@click.option("--repair", is_flag=True, help="First take damaged tables back to their last good version.")
@expected_errors
def doctor_command(repair: bool) -> None:
    """Check catalog, lake, tables, DuckDB's extension and the Dagster instance, and say what to do about what is wrong.

    A lake on S3 is also asked for what keeps two writers apart.
    """
    from macro_assets.cli.examination import examine, mend

    out = console()
    repairs = list(mend()) if repair else []
    for done in repairs:
        out.print(f"{'mended' if done.ok else 'WRONG '} {done.message}", markup=False, highlight=False)
    if repair and not repairs:
        out.print("nothing to repair", highlight=False)
    findings = examine()
    for finding in findings:
        state = "WRONG " if not finding.ok else "warn  " if finding.warning else "ok    "
        out.print(f"{state} {finding.subject}: {finding.message}", markup=False, highlight=False)
    if not all(f.ok for f in [*repairs, *findings]):
        sys.exit(1)
