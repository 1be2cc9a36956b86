"""What the catalog has not: told with its page, and of series that there are."""

from __future__ import annotations

import re

from click.testing import CliRunner

from macro_assets.catalog import Catalog
from macro_assets.catalog.document import as_markdown
from macro_assets.cli.main import main


def test_what_comes_nearest_to_a_gap_is_there(catalog: Catalog) -> None:
    named = {word for g in catalog.gaps.values() for word in re.findall(r"\b[A-Z]+(?:_[A-Z0-9]+)+\b", g.reason)}
    assert named
    assert named <= catalog.series.keys()
    tables = {t for g in catalog.gaps.values() for t in re.findall(r"indicators/\w+", g.reason)}
    assert tables <= catalog.tables.keys()


def test_gaps_are_told_with_their_page(catalog: Catalog) -> None:
    listed = CliRunner().invoke(main, ["list", "gaps"])
    assert listed.exit_code == 0, listed.output
    page = as_markdown(catalog)
    for gap in catalog.gaps.values():
        assert gap.name in listed.output
        assert f"<{gap.page}>" in page
