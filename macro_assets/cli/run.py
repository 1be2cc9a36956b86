"""`macro run` and `macro ui`: bringing assets up to date, and watching them."""

from __future__ import annotations

import sys

import click

from macro_assets.cli.place import new_lake
from macro_assets.cli.terminal import expected_errors, instance, print_summary, say, tell_left_out


@click.command("run")
@click.argument("selection", nargs=-1)
@click.option("--partition", help="One partition: a year for raw series, YYYY-MM for as-of tables.")
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
    from macro_assets.lakehouse.handle import Lakehouse

    if partition and (first or last):
        raise click.UsageError("--partition is one partition, --from and --to are a range: use one of the two")
    made = new_lake()
    with instance() as dagster:
        from macro_assets.orchestration.run import run, select

        lake = Lakehouse.at()
        tell_left_out(lake.catalog)
        chosen = select(selection, lake.catalog, partition or first, partition or last)
        if made:
            say(made, err=True)
        summary = run(lake, chosen, dagster, force=force)
        print_summary(lake, summary)
    if summary.failures:
        sys.exit(1)


@click.command("ui")
@click.option("--port", default=3000, show_default=True, help="Port of the Dagster UI.")
@click.option("--charts-port", default=3001, show_default=True, help="Port of the chart pages.")
@expected_errors
def ui_command(port: int, charts_port: int) -> None:
    """Serve the Dagster UI with its daemon, and the chart pages, on 127.0.0.1, until Ctrl-C."""
    if made := new_lake():
        say(made, err=True)
    with instance(watched=True):
        from macro_assets.orchestration.ui import serve

        sys.exit(serve(port, charts_port))
