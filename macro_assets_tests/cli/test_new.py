"""`macro new`: the entry that it writes is taken as it is, for every method of every room; what it refuses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from macro_assets.catalog import Catalog, default_catalog, load_catalog
from macro_assets.cli.skeleton import KINDS, methods, skeleton
from macro_assets.graph.declared import graph
from macro_assets_tests.conftest import Home, make_home
from macro_assets_tests.sources.own_files import SHIPPED

OF_ALL = [(kind, method) for kind in KINDS for method in methods(kind)]


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "own"
    folder.mkdir()
    monkeypatch.setenv("MACRO_CATALOG", str(folder))
    default_catalog.cache_clear()
    yield folder
    default_catalog.cache_clear()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return make_home(tmp_path)


def test_every_method_of_a_room_is_offered() -> None:
    assert {"composite", "rise_over_low"} <= methods("indicator").keys()
    assert {"ar", "dynamic_factor"} <= methods("model").keys()
    assert {"lines", "heatmap", "stacked", "nowcast_news"} <= methods("chart").keys()
    assert not {"protocol", "__init__"} & {name for kind in KINDS for name in methods(kind)}
    assert all(told for kind in KINDS for told in methods(kind).values())


@pytest.mark.parametrize(("kind", "method"), OF_ALL)
def test_what_is_written_is_taken_by_the_catalog_and_its_room(home: Home, own: Path, kind: str, method: str) -> None:
    done = home.macro("new", kind, "my_first", "--method", method)
    assert str(own / "my_first.yaml") in done.stdout.replace("\n", "")
    catalog = load_catalog(SHIPPED, own)
    assert catalog.refused == ()
    made = graph(catalog)
    assert made.catalog.refused == ()
    table = {"indicator": "indicators", "score": "scores", "model": "forecasts", "chart": "charts"}[kind] + "/my_first"
    assert table in {t for d in made.derivations for t in d.tables}


@pytest.mark.parametrize(("kind", "method"), OF_ALL)
def test_every_field_is_there_and_told(kind: str, method: str) -> None:
    """Those that an entry may leave out are commented out, with what they are then."""
    text = skeleton(kind, "my_first", method)
    lines = text.splitlines()
    for name, field in KINDS[kind].model_fields.items():
        assert any(line.lstrip(" #-").startswith(f"{name}:") for line in lines), name
        assert name in ("name", "parameters") or (field.description and f"    # {field.description}" in lines), name
    assert max(map(len, lines)) <= 120


@pytest.mark.parametrize(("kind", "method"), OF_ALL)
def test_what_is_commented_out_may_be_taken_in(kind: str, method: str) -> None:
    """As a user does who edits: it then says what it says anyway."""
    text = skeleton(kind, "my_first", method)
    more = "".join(
        line.replace("    # ", "    ", 1) if _is_field(line, KINDS[kind].model_fields) else line
        for line in text.splitlines(keepends=True)
    )
    assert len(yaml.safe_load(more)[f"{kind}s"][0]) == len(KINDS[kind].model_fields)
    assert KINDS[kind].model_validate(_entry(more, kind)) == KINDS[kind].model_validate(_entry(text, kind))


def _is_field(line: str, fields: Any) -> bool:
    name = line.removeprefix("    # ").partition(":")[0]
    return line.startswith("    # ") and name in fields


def _entry(text: str, kind: str) -> dict[str, Any]:
    (entry,) = yaml.safe_load(text)[f"{kind}s"]
    return dict(entry)


def test_a_model_is_run_by_a_local_run(home: Home, own: Path, catalog: Catalog) -> None:
    home.macro("new", "model", "my_ar", "--method", "ar")
    mine = load_catalog(SHIPPED, own).models["my_ar"]
    assert mine.backtest.demo == catalog.models["gdp_nowcast"].backtest.demo
    assert mine.backtest.demo
    assert len(mine.refit_months) == 12, "a month before the first fit has no forecast"


def test_the_terminal_may_have_it_instead(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MACRO_CATALOG", raising=False)
    done = home.macro("new", "chart", "my_lines", "--method", "lines", "--print")
    assert done.stdout == skeleton("chart", "my_lines", "lines")


# --- what it refuses -----------------------------------------------------------------------------------------------


def refused(home: Home, *arguments: str) -> str:
    done = home.macro("new", *arguments, expect=2)
    assert done.stderr.startswith("macro: ")
    assert done.stdout == ""
    return done.stderr


@pytest.mark.parametrize("name", ["My", "1st", "a-b", "../a", "a b", "ação", "", "_a", "a" * 64])
def test_a_name_that_is_none(home: Home, own: Path, name: str) -> None:
    assert "expected a name of small letters" in refused(home, "indicator", name, "--method", "rise_over_low")
    assert list(own.iterdir()) == []


def test_a_name_that_an_entry_of_the_kind_has(home: Home, own: Path) -> None:
    said = refused(home, "indicator", "sahm_rule", "--method", "rise_over_low")
    assert "indicators/recession.yaml has an indicator 'sahm_rule' already" in said
    home.macro("new", "chart", "gdp_ar", "--method", "lines")  # a model has the name, no chart has


def test_a_name_that_a_broken_entry_of_the_user_s_has(home: Home, own: Path) -> None:
    (own / "other.yaml").write_text("models: [{name: my_model}]\n", encoding="utf-8")
    assert "other.yaml has a model 'my_model' already" in refused(home, "model", "my_model", "--method", "ar")


def test_a_file_that_is_there(home: Home, own: Path) -> None:
    (own / "my_rule.yaml").write_text("charts: []\n", encoding="utf-8")
    said = refused(home, "indicator", "my_rule", "--method", "rise_over_low")
    assert "my_rule.yaml is there already. Choose another name, or add to the file what --print writes" in said
    assert (own / "my_rule.yaml").read_text(encoding="utf-8") == "charts: []\n"


def test_no_folder_of_the_user_s(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MACRO_CATALOG", raising=False)
    said = refused(home, "indicator", "my_rule", "--method", "rise_over_low")
    assert "MACRO_CATALOG is not set" in said
    assert "export MACRO_CATALOG=" in said
    assert "--print" in said


def test_a_method_that_is_none(home: Home, own: Path) -> None:
    said = refused(home, "chart", "my_lines", "--method", "line")
    assert "no method 'line' of charts. Did you mean lines?" in said
    assert "  heatmap " in said


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_method_they_are_listed(home: Home, own: Path, kind: str) -> None:
    said = refused(home, kind, "my_first")
    assert all(f"  {name} " in said and told in said for name, told in methods(kind).items())
    assert f"macro new {kind} NAME" in " ".join(home.macro("new", kind, "--help").stdout.split())
