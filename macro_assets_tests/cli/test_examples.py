"""What the commands' own help and the README's sentences name is there: assets, series, commands, SQL."""

from __future__ import annotations

import re
from collections.abc import Iterator

import click
import pytest

from macro_assets.catalog import Catalog, UnknownNameError
from macro_assets.cli.main import main
from macro_assets.orchestration.run import select
from macro_assets_tests.conftest import ROOT, Built

LAYERS = "raw|normalized|indicators|real_time|forecasts|news|diagnostics|fits|paths|charts"


def helps(command: click.Command = main, path: str = "macro") -> Iterator[tuple[str, str]]:
    """The help of a command and of those below it, by how one calls it."""
    yield path, " ".join(command.get_help(click.Context(command, info_name=path)).split())
    for name, below in getattr(command, "commands", {}).items():
        yield from helps(below, f"{path} {name}")


HELPS = dict(helps())
SENTENCES = {**HELPS, "README": " ".join((ROOT / "README.md").read_text().split())}


def unknown_assets(text: str, catalog: Catalog) -> list[str]:
    """Assets and layers that a text names and that cannot be run or fetched."""
    named = {*re.findall(rf"\b(?:{LAYERS})/\w+(?:/\w+)?", text), *re.findall(rf"layers \(({LAYERS})\)", text)}
    wrong = []
    for name in sorted(named):
        try:
            select([name], catalog, live=True)
        except UnknownNameError:
            wrong.append(name)
    return wrong


@pytest.mark.parametrize("path", SENTENCES)
def test_the_assets_that_are_named_are_there(path: str, catalog: Catalog) -> None:
    assert unknown_assets(SENTENCES[path], catalog) == []


def test_an_asset_that_is_not_there_is_seen(catalog: Catalog) -> None:
    text = "sources (raw/fred), series (raw/fred/GDPC1_OLD), layers (charts), forecasts/gdp_nowcats"
    assert unknown_assets(text, catalog) == ["forecasts/gdp_nowcats", "raw/fred/GDPC1_OLD"]
    assert "raw/fred/GDPC1)" in HELPS["macro fetch"], "the texts are found"
    assert "forecasts/gdp_nowcast" in HELPS["macro run"]


@pytest.mark.parametrize("path", SENTENCES)
def test_the_commands_that_are_named_are_there(path: str) -> None:
    for words in re.findall(r"`macro ([a-z]+)", SENTENCES[path]):
        assert words in main.commands, words


def test_the_sql_of_the_help_answers(built: Built) -> None:
    (statement,) = re.findall(r'e\.g\. "(SELECT .*?)"', HELPS["macro sql"])
    assert len(built.home.macro("sql", statement, "--csv").stdout.splitlines()) > 100
