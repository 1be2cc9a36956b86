"""`macro observe`: enter an observation by hand."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from macro_assets.cli.terminal import expected_errors, say


@click.command("observe", context_settings={"ignore_unknown_options": True})  # a value may be -1
@click.argument("series")
@click.argument("date")
@click.argument("value")
@click.option("--author", required=True, help="Who enters it.")
@click.option("--reason", required=True, help="Where the value is from, or why it is entered.")
@click.option("--release-time", default="now", show_default=True, help="When it became known: an instant or a date.")
@expected_errors
def observe_command(series: str, date: str, value: str, author: str, reason: str, release_time: str) -> None:
    """Enter an observation by hand: the VALUE of SERIES for the period that begins on DATE (YYYY-MM-DD).

    SERIES is one of a source of the connector `manual`, or has a holder at one. VALUE is in the unit in which the
    provider publishes; '' says that it is missing. A value for the same DATE with a later release time is a revision.
    """
    from macro_assets.catalog import default_catalog
    from macro_assets.intake.observe import Entry, observe

    entry = Entry(series, date, value, author, reason, release_time)
    line = observe(entry, default_catalog(), datetime.now(UTC))
    say(line)
