"""`macro sql`: one statement over the lake."""

from __future__ import annotations

import click

from macro_assets.cli.terminal import expected_errors, print_rows, put, say, uncollected


@click.command("sql")
@click.argument("statement")
@click.option("--as-of", help="Show the world as known at this date (YYYY-MM-DD) or instant.")
@click.option("--csv", "as_csv", is_flag=True, help="All rows as CSV.")
@expected_errors
def sql_command(statement: str, as_of: str | None, as_csv: bool) -> None:
    """Run one SQL statement over the lake, e.g. "SELECT * FROM series_as_of('PAYEMS', '2016-07-29')"."""
    with uncollected():
        from macro_assets.cli.tables import csv_text
        from macro_assets.lakehouse.session import connect, told

        con = connect(as_of=as_of)
    rows = told(con, statement)
    if not rows.columns:
        say("Done: the statement gives no rows.", err=as_csv)
    elif as_csv:
        put(csv_text(rows))
    else:
        print_rows(rows, "--csv prints all.")
