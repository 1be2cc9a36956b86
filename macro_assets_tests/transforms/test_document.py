"""The page of transforms."""

from __future__ import annotations

from click.testing import CliRunner

from macro_assets.cli.main import main
from macro_assets.transforms.document import as_markdown
from macro_assets.transforms.library import TRANSFORMS
from macro_assets_tests.conftest import ROOT

VOCABULARY, _, FUNCTIONS = as_markdown().partition("\n# Functions\n")


def test_the_page_is_that_of_the_vocabulary() -> None:
    page = (ROOT / "docs" / "transforms.md").read_text(encoding="utf-8")
    is_current = page == CliRunner().invoke(main, ["catalog", "--transforms"], catch_exceptions=False).stdout
    assert is_current, "docs/transforms.md is old: run `macro catalog --transforms > docs/transforms.md`"


def test_every_transform_has_a_row() -> None:
    assert sorted(_rows(VOCABULARY)) == sorted(TRANSFORMS)


def test_every_function_has_a_row_with_what_it_is() -> None:
    named = {row.partition("(")[0] for row in _rows(FUNCTIONS)}
    assert {"unit_root", "one_sided_adjusted", "par_to_zero", "range_volatility", "smile", "rolling"} <= named
    assert not {name for name in named if name.startswith("_")} | (named & {"transform", "check", "as_markdown"})
    assert [line for line in FUNCTIONS.splitlines() if line.startswith("| `") and line.endswith("|  |")] == []


def _rows(page: str) -> list[str]:
    """What stands first in each row of a table."""
    return [line.split("`")[1] for line in page.splitlines() if line.startswith("| `")]
