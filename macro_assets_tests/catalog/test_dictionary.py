"""The data dictionary: every table, view and column, with what identifies a row and how long it is kept."""

from __future__ import annotations

import dataclasses
import re

from click.testing import CliRunner

from macro_assets.catalog import Catalog
from macro_assets.catalog.dictionary import as_markdown
from macro_assets.catalog.registers import registers
from macro_assets.cli.main import main
from macro_assets_tests.conftest import ROOT


def test_the_page_is_up_to_date() -> None:
    page = (ROOT / "docs" / "data-dictionary.md").read_text(encoding="utf-8")
    is_current = page == CliRunner().invoke(main, ["catalog", "--dictionary"], catch_exceptions=False).stdout
    assert is_current, "docs/data-dictionary.md is old: run `macro catalog --dictionary > docs/data-dictionary.md`"


def section(text: str, table: str) -> str:
    """What is said from the first mention of a table up to the next heading or table."""
    _, _, after = text.partition(f"`{table}`")
    return re.split(r"\n#|\n`\w+/", after)[0]


def test_every_table_and_view_is_there_with_its_columns(catalog: Catalog) -> None:
    text = as_markdown(catalog)
    for table in catalog.tables.values():
        for column in table.columns:
            assert f"| `{column.name}` |" in section(text, table.name), (table.name, column.name)
    for name, view in catalog.views.items():
        of_view = text.partition(f"### {name}\n")[2].partition("\n### ")[0]
        assert re.findall(r"^\| `(\w+)` \|", of_view, re.MULTILINE) == [c.name for c in view.columns]
    for register in registers(catalog):
        of_register = text.partition(f"### catalog.{register.name}\n")[2].partition("\n### ")[0]
        assert [f"| `{c.name}` |" in of_register for c in register.columns] == [True] * len(register.columns)


def test_what_is_said_of_a_table(catalog: Catalog) -> None:
    text = as_markdown(catalog)
    raw = section(text, "raw/fred")
    assert "Key: `series_id`, `observation_date`, `release_time`, `provider`; kept for ever." in raw
    assert "| `value` | float64 |  | may be | The number; null where the provider says it is missing |" in raw
    assert "| `series_id` | text |  |  | Series of the catalog |" in raw
    assert "| `release_time` | timestamp (UTC, microseconds) |  |  | Instant (UTC) the value became known |" in raw
    forecasts = section(text, "forecasts/gdp_nowcast")
    assert "; as-of months; kept until 7 years after `computed_at`." in forecasts
    weights = section(text, "indicators/economic_stress_index")
    assert "; 0 to 1 |" in weights


def test_another_fact_is_another_page(catalog: Catalog) -> None:
    raw = catalog.tables["raw/fred"]
    text = as_markdown(catalog)
    for changed in (
        raw.model_copy(update={"key": ("series_id",)}),
        raw.model_copy(update={"description": "Other words"}),
        raw.model_copy(update={"columns": raw.columns[:-1]}),
        raw.model_copy(update={"columns": (raw.columns[0].model_copy(update={"unit": "%"}), *raw.columns[1:])}),
    ):
        assert as_markdown(dataclasses.replace(catalog, tables={**catalog.tables, "raw/fred": changed})) != text
