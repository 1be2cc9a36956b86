"""The pages on adding an indicator, a score, a model and a chart are true: what they show is all that is needed."""

from __future__ import annotations

import dataclasses
import importlib
import re
import shlex
import sys
from datetime import date
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import polars as pl
import pytest
import yaml

from macro_assets.catalog import Catalog, load_catalog
from macro_assets.charts import modules as drawing
from macro_assets.cli.main import main
from macro_assets.cli.skeleton import KINDS, methods
from macro_assets.graph.declared import graph
from macro_assets.indicators.protocol import Given
from macro_assets.orchestration.run import select
from macro_assets_tests.catalog.conftest import folder  # noqa: F401
from macro_assets_tests.charts import contract as of_charts
from macro_assets_tests.conftest import ROOT
from macro_assets_tests.indicators import contract as of_indicators
from macro_assets_tests.models import contract as of_models
from macro_assets_tests.sources.own_files import SHIPPED
from macro_assets_tests.test_docs import blocks

PAGES = {
    "indicator": "adding-an-indicator.md",
    "score": "adding-a-score.md",
    "model": "adding-a-model.md",
    "chart": "adding-a-chart.md",
}
PLACES = {
    "indicator": "macro_assets.indicators",
    "score": "macro_assets.evaluation",
    "model": "macro_assets.models",
    "chart": "macro_assets.charts.families",
}
TABLE = {"indicator": "indicators", "score": "scores", "model": "forecasts", "chart": "charts"}
NESTED = {
    "indicator": ("RuleCall",),
    "score": ("RuleCall",),
    "model": ("Target", "ModelInput", "Backtest"),
    "chart": ("Drawn", "Axis"),
}

of_each = pytest.mark.parametrize("kind", PAGES)


@pytest.fixture
def method(kind: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The page's module, in the place that the page names."""
    (name,) = re.findall(r"here `(\w+)\.py`", (ROOT / "docs" / PAGES[kind]).read_text())
    (text,) = blocks(PAGES[kind], "python")
    module = ModuleType(f"{PLACES[kind]}.{name}")
    module.__spec__ = ModuleSpec(module.__name__, None)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(compile(text, f"{name}.py", "exec"), module.__dict__)
    known = {**drawing.modules(), name: module.__name__}
    monkeypatch.setattr(drawing, "modules", lambda: known)
    return module


def names(text: str, kind: str) -> list[str]:
    return [entry["name"] for entry in yaml.safe_load(text)[f"{kind}s"]]


def computes(catalog: Catalog, kind: str, entries: list[str]) -> None:
    """Nothing is wrong with the entries, and their tables are computed."""
    made = graph(catalog)
    assert (catalog.refused, made.catalog.refused) == ((), ())
    assert {f"{TABLE[kind]}/{name}" for name in entries} <= {t for d in made.derivations for t in d.tables}


@of_each
def test_an_entry_of_a_known_method_is_all_that_is_needed(kind: str, folder: Path, tmp_path: Path) -> None:  # noqa: F811
    """In a folder of the user's own, and in the project."""
    text = blocks(PAGES[kind], "yaml")[0]
    entries = names(text, kind)
    own = tmp_path / "own"
    for place in (own, folder / f"{kind}s"):
        place.mkdir(exist_ok=True)
        (place / "page.yaml").write_text(text, encoding="utf-8")
    computes(load_catalog(SHIPPED, own), kind, entries)
    catalog = load_catalog(folder)
    computes(catalog, kind, entries)
    assert catalog.origin(f"{kind}s", entries[0]) == f"{kind}s/page.yaml"


@of_each
def test_an_entry_may_name_the_method_of_the_page(kind: str, method: ModuleType, tmp_path: Path) -> None:
    text = blocks(PAGES[kind], "yaml")[1]
    (tmp_path / "page.yaml").write_text(text, encoding="utf-8")
    computes(load_catalog(SHIPPED, tmp_path), kind, names(text, kind))


@pytest.mark.parametrize("kind", ["indicator"])
def test_the_indicator_of_the_page_keeps_the_contract(kind: str, method: ModuleType, catalog: Catalog) -> None:
    assert of_indicators.problems(of_indicators.Case(method, catalog)) == []


@pytest.mark.parametrize("kind", ["score"])
def test_the_score_of_the_page_is_right(kind: str, method: ModuleType) -> None:
    """Of 2008 the first six months are labelled: one is expansion, and the signal comes three months late."""
    months = pl.date_range(date(2008, 1, 1), date(2008, 12, 1), "1mo", eager=True).alias("observation_date")
    signals = months.to_frame().with_columns(signal=pl.col("observation_date") >= date(2008, 4, 1))
    told = {"peak": date(2008, 1, 1), "trough": date(2008, 6, 1)}
    recessions = pl.DataFrame([told | {"peak_announced": date(2008, 12, 1), "trough_announced": date(2010, 9, 20)}])
    parameters = method.Parameters(min_months=6)
    given = Given(pl.DataFrame(), pl.DataFrame(), {"indicators/sahm_rule": signals}, recessions)
    assert method.compute(given, parameters).rows() == [(date(2008, 1, 1), pytest.approx(100 * 4 / 6))]
    nothing = method.compute(dataclasses.replace(given, tables={"indicators/sahm_rule": signals.clear()}), parameters)
    assert nothing.schema == {"observation_date": pl.Date, "value": pl.Float64}
    assert nothing.is_empty()


@pytest.mark.parametrize("law", of_models.LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("kind", ["model"])
def test_the_model_of_the_page_keeps_the_contract(kind: str, method: ModuleType, law: of_models.Law) -> None:
    assert list(law(of_models.Method("page", method))) == []


@pytest.mark.parametrize("law", of_charts.LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("kind", ["chart"])
def test_the_chart_of_the_page_keeps_the_contract(
    kind: str, method: ModuleType, law: of_charts.Law, catalog: Catalog
) -> None:
    assert list(law(method.__name__.rpartition(".")[2], catalog)) == []


@of_each
def test_the_commands_of_the_page_name_its_entry(kind: str, tmp_path: Path) -> None:
    text = blocks(PAGES[kind], "yaml")[0]
    (tmp_path / "page.yaml").write_text(text, encoding="utf-8")
    catalog, (first, *_) = load_catalog(SHIPPED, tmp_path), names(text, kind)
    (commands,) = blocks(PAGES[kind], "bash")
    told = [shlex.split(line, comments=True) for line in commands.splitlines()]
    assert all(words[0] == "macro" and words[1] in main.commands for words in told)
    run = [asset for words in told if words[1] == "run" for asset in words[2:]]
    assert run[0] == f"{TABLE[kind]}/{first}"
    assert set(run) <= set(select(run, catalog).tables)


@of_each
def test_the_page_names_the_command_that_writes_an_entry(kind: str) -> None:
    ((word, name, method),) = re.findall(
        r"`macro new (\w+) (\w+) --method (\w+)`", (ROOT / "docs" / PAGES[kind]).read_text()
    )
    (entry, *_) = yaml.safe_load(blocks(PAGES[kind], "yaml")[0])[f"{kind}s"]
    assert (word, name, method) == (kind, entry["name"], entry["draws" if kind == "chart" else "method"])
    assert method in methods(kind)


@of_each
def test_every_field_of_an_entry_is_explained(kind: str) -> None:
    catalog = importlib.import_module("macro_assets.catalog")
    text = (ROOT / "docs" / PAGES[kind]).read_text()
    fields = {f for name in NESTED[kind] for f in getattr(catalog, name).model_fields} - {"rule", "arguments"}
    assert {f for f in KINDS[kind].model_fields if not re.search(rf"^\| .*`{f}`.* \|", text, re.MULTILINE)} == set()
    assert {f for f in fields if not re.search(rf"[`{{ ]{f}[`:]", text)} == set()


@of_each
def test_the_pages_of_the_kinds_are_linked(kind: str) -> None:
    for page in ("README.md", "docs/architecture.md", "docs/own-data.md", "CHANGELOG.md"):
        assert PAGES[kind] in (ROOT / page).read_text(), page
