"""The page of indicators."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

from click.testing import CliRunner
from pydantic import Field

from macro_assets.catalog import Catalog
from macro_assets.catalog.kinds.declaration import Declaration
from macro_assets.cli.main import main
from macro_assets.graph.document import _method, as_markdown, paragraphs
from macro_assets_tests.conftest import ROOT


def test_the_page_is_up_to_date() -> None:
    page = (ROOT / "docs" / "indicators.md").read_text(encoding="utf-8")
    is_current = page == CliRunner().invoke(main, ["catalog", "--indicators"], catch_exceptions=False).stdout
    assert is_current, "docs/indicators.md is old: run `macro catalog --indicators > docs/indicators.md`"


def test_every_entry_has_its_method_inputs_and_reference(catalog: Catalog) -> None:
    page = as_markdown(catalog)
    for entry in (*catalog.indicators.values(), *catalog.scores.values()):
        told = re.split(r"\n##+ ", page.partition(f"\n### {entry.name}\n")[2])[0]
        assert {i for i in entry.inputs if f"`{i}`" not in told} == set(), entry.name
        assert " ".join(entry.reference.split()) in told
        assert entry.reference, f"{entry.name}: which paper or page is it from?"
        of_method = page.partition(f"\n## {entry.method}\n\n")[2].partition("\n")[0]
        assert len(of_method) > 40, f"{entry.method}: its module says too little"


def test_what_there_is_nothing_of_offline_is_said(catalog: Catalog) -> None:
    page = as_markdown(catalog)
    assert "| `sahm_rule` | Sahm recession indicator | [rise_over_low](#rise_over_low) | yes | whole |" in page
    assert "| `vix_term_structure` | Term structure of the VIX | [vix_term_structure](#vix_term_structure) |" in page
    assert "- Offline it lacks cboe: `CBOE_VIX9D`, `CBOE_VIX3M`, `CBOE_VIX6M`, `CBOE_VIX1Y`." in page


class Part(Declaration):
    """A part of it."""

    share: float = Field(default=0.5, description="Of the whole")


class Parameters(Declaration):
    """What it asks for."""

    parts: tuple[Part, ...]
    months: int | None = Field(default=None, description="Of the mean")


def compute(given: Any, parameters: Any) -> None:
    """A mean, as :func:`macro_assets.transforms.windows.rolling` takes
    it.

    Over the months.

    Returns
    -------
    None
        Nothing.
    """


def test_a_method_says_what_it_does_and_asks_for() -> None:
    method: Any = SimpleNamespace(__doc__="A toy.", compute=compute, Parameters=Parameters, __name__=__name__)
    assert paragraphs(compute) == ["A mean, as `rolling` takes it.", "Over the months."]
    assert list(_method(method))[2:] == [
        "| parameter | what | by default |",
        "| --- | --- | --- |",
        "| `parts` | A part of it. |  |",
        "| `parts.share` | Of the whole | `0.5` |",
        "| `months` | Of the mean | `null` |",
    ]
