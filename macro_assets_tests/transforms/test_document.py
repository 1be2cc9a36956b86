"""The page of transforms."""

from __future__ import annotations

from click.testing import CliRunner

from macro_assets.cli.main import main
from macro_assets.transforms.document import as_markdown
from macro_assets.transforms.library import TRANSFORMS
from macro_assets_tests.conftest import ROOT


def test_the_page_is_that_of_the_vocabulary() -> None:
    page = (ROOT / "docs" / "transforms.md").read_text(encoding="utf-8")
    is_current = page == CliRunner().invoke(main, ["catalog", "--transforms"], catch_exceptions=False).stdout
    assert is_current, "docs/transforms.md is old: run `macro catalog --transforms > docs/transforms.md`"


def test_every_transform_has_a_row() -> None:
    rows = [line for line in as_markdown().splitlines() if line.startswith("| `")]
    assert sorted(row.split("`")[1] for row in rows) == sorted(TRANSFORMS)
