"""What the commands say of entries in the user's own folder that were left out, and that they work all the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from macro_assets.catalog import Catalog, default_catalog
from macro_assets_tests.conftest import Home, make_home

SOUND = {
    "name": "my_rule",
    "title": "My rule",
    "description": "Rise of the unemployment rate.",
    "method": "rise_over_low",
    "shape": "signal",
    "inputs": ["UNRATE"],
    "parameters": {"mean_months": 3, "low_months": 12, "threshold_pp": 0.5},
    "reference": "none: synthetic",
}
BROKEN = ({"name": "my_input", "inputs": ["UNRATT"]}, {"name": "my_method", "method": "rise_over_lows"})
INPUT = "own.yaml: my_input: inputs: series 'UNRATT' is not declared. Did you mean UNRATE"
METHOD = "own.yaml: my_method: method: no method 'rise_over_lows' in macro_assets/indicators. Did you mean rise_"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    own = tmp_path / "own"
    own.mkdir()
    entries = [SOUND, *({**SOUND, **broken} for broken in BROKEN)]
    (own / "own.yaml").write_text(yaml.safe_dump({"indicators": entries}), encoding="utf-8")
    monkeypatch.setenv("MACRO_CATALOG", str(own))
    default_catalog.cache_clear()
    yield make_home(tmp_path)
    default_catalog.cache_clear()


def warned(stderr: str) -> list[str]:
    return [line.partition("/own/")[2] for line in stderr.splitlines() if line.startswith("warning: left out: ")]


@pytest.mark.parametrize("arguments", [("list", "indicators"), ("catalog", "UNRATE"), ("run", "raw/bundled/UNRATE")])
def test_what_was_left_out_is_told_and_the_command_works(home: Home, arguments: tuple[str, ...]) -> None:
    done = home.macro(*arguments)
    found = warned(done.stderr)
    assert [f.startswith(said) for f, said in zip(found, (INPUT, METHOD), strict=True)] == [True, True]
    if arguments[0] == "list":
        assert "rise_over_low of UNRATE" in done.stdout
        assert "my_rule" in done.stdout
        assert "my_input" not in done.stdout


def test_doctor_calls_them_wrong_and_the_catalog_sound(home: Home) -> None:
    lines = home.macro("doctor", expect=1).stdout.replace("\n", " ")
    assert "ok     catalog: " in lines
    assert lines.count("WRONG  catalog: left out, all else works: ") == 2
    assert lines.count("WRONG") == 3, "and there is no lake yet"


def test_list_says_what_indicators_models_and_charts_are_made_of(catalog: Catalog, tmp_path: Path) -> None:
    listed = " ".join(make_home(tmp_path).macro("list").stdout.split())
    assert "rise_over_low of UNRATE, in real time" in listed
    for model in catalog.models.values():
        assert f"{model.method} of {model.target.series}, inputs: {len(model.inputs)}" in listed
    for chart in catalog.charts.values():
        assert f"{chart.draws} of {(chart.of.series or chart.of.tables)[0]}" in listed
