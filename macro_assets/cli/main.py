"""`macro`: the group of all commands, which their modules define."""

from __future__ import annotations

import click

from macro_assets.cli.add import add_command
from macro_assets.cli.catalog import catalog_command, list_command
from macro_assets.cli.check import check_command
from macro_assets.cli.doctor import doctor_command
from macro_assets.cli.lake import LAKE_COMMANDS
from macro_assets.cli.new import new_command
from macro_assets.cli.observe import observe_command
from macro_assets.cli.run import run_command, ui_command
from macro_assets.cli.search import search_command
from macro_assets.cli.show import show_command
from macro_assets.cli.sources import accept_command, fetch_command, sources_command
from macro_assets.cli.sql import sql_command

COMMANDS = (
    list_command,
    show_command,
    run_command,
    sql_command,
    doctor_command,
    check_command,
    ui_command,
    fetch_command,
    accept_command,
    sources_command,
    catalog_command,
    search_command,
    add_command,
    observe_command,
    new_command,
    *LAKE_COMMANDS,
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, commands=COMMANDS)
@click.version_option(package_name="macro-assets")
def main() -> None:
    """macro_assets: a research lakehouse for macroeconomics.

    The lake is at MACRO_LAKE, by default data/lake of the project.
    """
