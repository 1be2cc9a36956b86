"""`macro`: a thin command line. It parses, calls, prints; what is heavy is imported by the command that needs it."""

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

    from macro_assets.lakehouse.paths import Root
    from macro_assets.orchestration.summary import Summary

USAGE_ERROR = 2
MAX_ROWS = 50


def _expected_errors(command: Callable[..., Any]) -> Callable[..., Any]:
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
def _instance() -> Iterator[dg.DagsterInstance]:
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

    with dg.DagsterInstance.get() as instance:
        yield instance


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="macro-assets")
def main() -> None:
    """macro_assets: a research lakehouse for macroeconomics.

    The lake is at MACRO_LAKE, by default data/lake of the project.
    """


@main.command("list")
@click.argument("kind", type=click.Choice(["all", "series", "tables", "indicators", "models", "charts"]), default="all")
@_expected_errors
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
    console = _console()
    for name, rows in shown.items():
        if kind in ("all", name):
            table = RichTable("name", "title", "", title=f"{name} ({len(rows)})", title_justify="left", box=None)
            for row in rows:
                table.add_row(*row)
            console.print(table)
            console.print()


@main.command("run")
@click.argument("selection", nargs=-1)
@click.option("--partition", help="One partition: a year for raw series, YYYY-MM for forecasts.")
@click.option("--from", "first", help="First partition of a range.")
@click.option("--to", "last", help="Last partition of a range.")
@click.option("--force", is_flag=True, help="Run what is up to date too.")
@_expected_errors
def run_command(
    selection: tuple[str, ...], partition: str | None, first: str | None, last: str | None, force: bool
) -> None:
    """Bring assets up to date: only what is stale is run.

    SELECTION names layers (normalized), tables (forecasts/gdp_nowcast), sources (raw/bundled) or series
    (raw/bundled/PAYEMS). Without it everything is brought up to date.
    """
    from macro_assets.catalog import default_catalog
    from macro_assets.lakehouse.paths import lake_root

    if partition and (first or last):
        raise click.UsageError("--partition is one partition, --from and --to are a range: use one of the two")
    with _instance() as instance:
        from macro_assets.orchestration.run import run, select

        catalog = default_catalog()
        lake = lake_root()
        chosen = select(selection, catalog, partition or first, partition or last)
        summary = run(chosen, instance, lake, catalog, force=force)
        _print_summary(summary, lake)
    if summary.failures:
        sys.exit(1)


def _print_summary(summary: Summary, lake: Root) -> None:
    from rich.table import Table as RichTable

    from macro_assets.catalog import default_catalog
    from macro_assets.lakehouse.delta import row_counts
    from macro_assets.lakehouse.paths import charts_folder

    console = _console()
    counts = row_counts(lake, default_catalog())
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
    console.print(table)
    if not summary.runs:
        console.print("Everything is up to date: nothing was run. --force runs it all the same.")
    elif skipped := total[1]:
        console.print(f"{skipped} assets were up to date and skipped.")
    for name, why in summary.failures.items():
        console.print(f"FAILED {name}: {why}", style="red", markup=False, highlight=False)
    console.print(f"Lake    {lake}", highlight=False)
    console.print(f"Charts  {charts_folder(lake) / 'index.html'}", highlight=False)
    console.print("UI      make ui", highlight=False)


@main.command("sql")
@click.argument("statement")
@click.option("--as-of", help="Show the world as known at this date (YYYY-MM-DD) or instant.")
@click.option("--csv", "as_csv", is_flag=True, help="All rows as CSV.")
@_expected_errors
def sql_command(statement: str, as_of: str | None, as_csv: bool) -> None:
    """Run one SQL statement over the lake, e.g. "SELECT * FROM series_as_of('PAYEMS', '2016-07-29')"."""
    from macro_assets.lakehouse.session import connect, query

    rows = query(connect(as_of=as_of), statement)
    if as_csv:
        click.echo(rows.write_csv(), nl=False)
    else:
        _print_rows(rows)


def _print_rows(rows: pl.DataFrame) -> None:
    from rich.table import Table as RichTable

    table = RichTable(*rows.columns)
    for row in rows.head(MAX_ROWS).iter_rows():
        table.add_row(*("" if v is None else f"{v:.10g}" if isinstance(v, float) else str(v) for v in row))
    console = _console()
    console.print(table, markup=False)
    if rows.height > MAX_ROWS:
        console.print(f"{MAX_ROWS} of {rows.height} rows; --csv prints all.")


@main.command("doctor")
@click.option("--repair", is_flag=True, help="First take damaged tables back to their last good version.")
@_expected_errors
def doctor_command(repair: bool) -> None:
    """Check catalog, lake, tables, DuckDB's extension and the Dagster instance, and say what to do about what is wrong.

    A lake on S3 is also asked for what keeps two writers apart.
    """
    from macro_assets import doctor

    console = _console()
    if repair:
        repairs = list(doctor.repair())
        for done in repairs:
            console.print(f"{'mended' if done.ok else 'WRONG '} {done.message}", markup=False, highlight=False)
        if not repairs:
            console.print("nothing to repair", highlight=False)
    findings = doctor.examine()
    for finding in findings:
        state = "WRONG " if not finding.ok else "warn  " if finding.warning else "ok    "
        console.print(f"{state} {finding.subject}: {finding.message}", markup=False, highlight=False)
    if not all(f.ok for f in findings):
        sys.exit(1)


@main.command("ui")
@click.option("--port", default=3000, show_default=True, help="Port of the Dagster UI.")
@click.option("--charts-port", default=3001, show_default=True, help="Port of the chart pages.")
@_expected_errors
def ui_command(port: int, charts_port: int) -> None:
    """Serve the Dagster UI with its daemon, and the chart pages, on 127.0.0.1, until Ctrl-C."""
    with _instance():
        from macro_assets.orchestration.ui import serve

        sys.exit(serve(port, charts_port))


def _console() -> Any:
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else 160)


if __name__ == "__main__":
    main()
