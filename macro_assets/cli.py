"""`macro`: a thin command line. It parses, calls, prints; what is heavy is imported by the command that needs it."""

from __future__ import annotations

import sys

import click

from macro_assets.lake_cli import LAKE_COMMANDS
from macro_assets.manual_cli import observe_command
from macro_assets.source_cli import SOURCE_COMMANDS
from macro_assets.terminal import console, expected_errors, instance, print_rows, print_summary


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="macro-assets")
def main() -> None:
    """macro_assets: a research lakehouse for macroeconomics.

    The lake is at MACRO_LAKE, by default data/lake of the project.
    """


@main.command("list")
@click.argument("kind", type=click.Choice(["all", "series", "tables", "indicators", "models", "charts"]), default="all")
@expected_errors
def list_command(kind: str) -> None:
    """What the catalog has: KIND is series, tables, indicators, models or charts."""
    from rich.table import Table as RichTable

    from macro_assets.catalog import default_catalog

    catalog = default_catalog()
    shown = {
        "series": [
            (f"raw/{s.source}/{s.id}", s.title, f"{s.frequency}, {s.provider_unit}") for s in catalog.series.values()
        ],
        "tables": [(t.name, t.title, ", ".join(t.key)) for t in catalog.tables.values()],
        "indicators": [(i.name, i.title, f"{len(i.components)} components") for i in catalog.indicators.values()],
        "models": [(m.name, m.title, f"target {m.target}") for m in catalog.models.values()],
        "charts": [(c.name, c.title, ", ".join(c.inputs)) for c in catalog.charts.values()],
    }
    out = console()
    for name, rows in shown.items():
        if kind in ("all", name):
            table = RichTable("name", "title", "", title=f"{name} ({len(rows)})", title_justify="left", box=None)
            for row in rows:
                table.add_row(*row)
            out.print(table)
            out.print()


@main.command("run")
@click.argument("selection", nargs=-1)
@click.option("--partition", help="One partition: a year for raw series, YYYY-MM for forecasts.")
@click.option("--from", "first", help="First partition of a range.")
@click.option("--to", "last", help="Last partition of a range.")
@click.option("--force", is_flag=True, help="Run what is up to date too.")
@expected_errors
def run_command(
    selection: tuple[str, ...], partition: str | None, first: str | None, last: str | None, force: bool
) -> None:
    """Bring assets up to date: only what is stale is run.

    SELECTION names layers (normalized), tables (forecasts/gdp_nowcast), sources (raw/bundled) or series
    (raw/bundled/PAYEMS). Without it everything that needs no network is brought up to date; `macro fetch` asks the
    live sources.
    """
    from macro_assets.catalog import default_catalog
    from macro_assets.lakehouse.paths import lake_root

    if partition and (first or last):
        raise click.UsageError("--partition is one partition, --from and --to are a range: use one of the two")
    with instance() as dagster:
        from macro_assets.orchestration.run import run, select

        catalog = default_catalog()
        lake = lake_root()
        chosen = select(selection, catalog, partition or first, partition or last)
        summary = run(chosen, dagster, lake, catalog, force=force)
        print_summary(summary, lake)
    if summary.failures:
        sys.exit(1)


@main.command("sql")
@click.argument("statement")
@click.option("--as-of", help="Show the world as known at this date (YYYY-MM-DD) or instant.")
@click.option("--csv", "as_csv", is_flag=True, help="All rows as CSV.")
@expected_errors
def sql_command(statement: str, as_of: str | None, as_csv: bool) -> None:
    """Run one SQL statement over the lake, e.g. "SELECT * FROM series_as_of('PAYEMS', '2016-07-29')"."""
    from macro_assets.lakehouse.session import connect, query

    rows = query(connect(as_of=as_of), statement)
    if as_csv:
        click.echo(rows.write_csv(), nl=False)
    else:
        print_rows(rows)


@main.command("doctor")
@click.option("--repair", is_flag=True, help="First take damaged tables back to their last good version.")
@expected_errors
def doctor_command(repair: bool) -> None:
    """Check catalog, lake, tables, DuckDB's extension and the Dagster instance, and say what to do about what is wrong.

    A lake on S3 is also asked for what keeps two writers apart.
    """
    from macro_assets import doctor

    out = console()
    repairs = list(doctor.repair()) if repair else []
    for done in repairs:
        out.print(f"{'mended' if done.ok else 'WRONG '} {done.message}", markup=False, highlight=False)
    if repair and not repairs:
        out.print("nothing to repair", highlight=False)
    findings = doctor.examine()
    for finding in findings:
        state = "WRONG " if not finding.ok else "warn  " if finding.warning else "ok    "
        out.print(f"{state} {finding.subject}: {finding.message}", markup=False, highlight=False)
    if not all(f.ok for f in [*repairs, *findings]):
        sys.exit(1)


@main.command("ui")
@click.option("--port", default=3000, show_default=True, help="Port of the Dagster UI.")
@click.option("--charts-port", default=3001, show_default=True, help="Port of the chart pages.")
@expected_errors
def ui_command(port: int, charts_port: int) -> None:
    """Serve the Dagster UI with its daemon, and the chart pages, on 127.0.0.1, until Ctrl-C."""
    with instance():
        from macro_assets.orchestration.ui import serve

        sys.exit(serve(port, charts_port))


for command in (*SOURCE_COMMANDS, observe_command, *LAKE_COMMANDS):
    main.add_command(command)


if __name__ == "__main__":
    main()
