"""Every module that draws charts keeps the contract, law by law; and a law finds a module that breaks it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

import plotly.graph_objects as go
import polars as pl
import pytest

from macro_assets.catalog import Catalog, Chart
from macro_assets.catalog.kinds.declaration import Declaration
from macro_assets.charts import modules as room
from macro_assets.charts import style
from macro_assets.charts.labels import Labels
from macro_assets_tests.charts import contract
from macro_assets_tests.charts.contract import LAWS, Law

TABLE = "indicators/sahm_rule"


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("draws", room.modules())
def test_a_module_keeps_the_law(draws: str, law: Law, catalog: Catalog) -> None:
    breaches = list(law(draws, catalog))
    assert not breaches, "\n".join([f"{draws}: {law.__doc__}", *breaches])


def test_every_chart_of_the_catalog_is_drawn_by_a_module(catalog: Catalog) -> None:
    assert {c.draws for c in catalog.charts.values()} <= set(room.modules())


def test_modules_are_listed_without_importing_one() -> None:
    code = (
        "import sys; from macro_assets.charts.modules import modules; "
        "print(sum(m in sys.modules for m in modules().values()), len(modules()) > 3)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "0 True\n"


# --- planted modules -----------------------------------------------------------------------------------------------

Draw = Callable[[Chart, Mapping[str, pl.DataFrame], Labels, Any], go.Figure]


class Nothing(Declaration):
    """No parameters."""


def _house(chart: Chart, frames: Mapping[str, pl.DataFrame], labels: Labels) -> go.Figure:
    if frames[TABLE].is_empty():
        raise style.nothing_to_draw(chart, "a value")
    return style.house_figure(chart, style.data_note(chart, list(frames.values()), labels))


def _good(chart: Chart, frames: Mapping[str, pl.DataFrame], labels: Labels, parameters: Any) -> go.Figure:
    values = frames[TABLE].sort("observation_date")["value"].to_list()
    return _house(chart, frames, labels).add_scatter(y=values, mode="markers")


def _blank(chart: Chart, frames: Mapping[str, pl.DataFrame], labels: Labels, parameters: Any) -> go.Figure:
    return _house(chart, frames, labels).add_scatter(y=[None, None], mode="lines")


def _as_they_come(chart: Chart, frames: Mapping[str, pl.DataFrame], labels: Labels, parameters: Any) -> go.Figure:
    return _house(chart, frames, labels).add_scatter(y=frames[TABLE]["value"].to_list(), mode="markers")


def _two_at_least(chart: Chart, frames: Mapping[str, pl.DataFrame], labels: Labels, parameters: Any) -> go.Figure:
    change = frames[TABLE].sort("observation_date")["value"].to_list()
    return _good(chart, frames, labels, parameters).add_annotation(text=f"{change[1] - change[0]:.2f}")


def _line_alone(chart: Chart, frames: Mapping[str, pl.DataFrame], labels: Labels, parameters: Any) -> go.Figure:
    values = frames[TABLE].sort("observation_date")["value"].to_list()
    return _house(chart, frames, labels).add_bar(y=values[1:])


def _any_table(chart: Chart, frames: Mapping[str, pl.DataFrame], labels: Labels, parameters: Any) -> go.Figure:
    return style.house_figure(chart, "").add_scatter(y=frames[TABLE].sort("observation_date")["value"].to_list())


def _first_row(chart: Chart, frames: Mapping[str, pl.DataFrame], labels: Labels, parameters: Any) -> go.Figure:
    first = frames[TABLE].row(0)
    return _good(chart, frames, labels, parameters).add_annotation(text=str(len(first)))


def _markup(chart: Chart, frames: Mapping[str, pl.DataFrame], labels: Labels, parameters: Any) -> go.Figure:
    return _good(chart, frames, labels, parameters).update_yaxes(title_text=chart.axis.title)


def _all_labels(chart: Chart, frames: Mapping[str, pl.DataFrame], labels: Labels, parameters: Any) -> go.Figure:
    return _good(chart, frames, labels, parameters).update_yaxes(title_text=", ".join(labels.frequencies.values()))


def planted(monkeypatch: pytest.MonkeyPatch, **parts: Any) -> str:
    """The name of a module in the room that keeps every law, but for the parts that are given."""
    module = ModuleType("planted_chart")
    example = {"of": {"tables": [TABLE]}, "axis": {"title": "A word"}}
    module.__dict__.update({"Parameters": Nothing, "EXAMPLE": example, "READS": (), "figure": _good} | parts)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    known = {**room.modules(), "planted": module.__name__}
    monkeypatch.setattr(room, "modules", lambda: known)
    return "planted"


def _refuses(chart: Chart, columns: object) -> list[str]:
    return ["of: expected something else"]


def test_a_good_module_keeps_every_law(monkeypatch: pytest.MonkeyPatch, catalog: Catalog) -> None:
    draws = planted(monkeypatch)
    assert [b for law in LAWS for b in law(draws, catalog)] == []


class Thawed(Declaration, frozen=False):
    """Parameters that can be changed."""


@pytest.mark.parametrize(
    ("parts", "law", "says"),
    [
        ({"Parameters": None}, contract.it_declares_itself, "Parameters"),
        ({"Parameters": Thawed}, contract.it_declares_itself, "frozen"),
        ({"EXAMPLE": None}, contract.it_declares_itself, "EXAMPLE"),
        ({"READS": ("weights",)}, contract.it_declares_itself, "weights"),
        ({"figure": None}, contract.it_declares_itself, "figure"),
        ({"EXAMPLE": {"of": {}}}, contract.its_example_is_an_entry, "expected one of the two"),
        ({"EXAMPLE": {"of": {"series": ["NO_SUCH"]}}}, contract.its_example_is_an_entry, "NO_SUCH"),
        (
            {"EXAMPLE": {"of": {"tables": [TABLE]}, "parameters": {"colour": 1}}},
            contract.its_example_is_an_entry,
            "parameters.colour",
        ),
        ({"check": _refuses}, contract.its_example_is_an_entry, "something else"),
        ({"figure": _any_table}, contract.nothing_is_refused_by_name, "empty frames are drawn"),
        ({"figure": _first_row}, contract.nothing_is_refused_by_name, "OutOfBounds"),
        ({"figure": _two_at_least}, contract.one_point_is_drawn, "IndexError"),
        ({"figure": _line_alone}, contract.one_point_is_drawn, "blank"),
        ({"figure": _blank}, contract.the_full_one_is_not_blank, "blank"),
        ({"figure": _any_table}, contract.the_full_one_is_not_blank, "of its data"),
        ({"figure": _as_they_come}, contract.rows_may_come_in_any_order, "reverse"),
        ({"figure": _markup}, contract.words_are_words, "script"),
        ({"figure": _markup}, contract.words_are_words, "TeX"),
        ({"figure": _all_labels}, contract.labels_are_declared, "READS"),
    ],
    ids=lambda v: v.__name__ if callable(v) else None,
)
def test_a_law_finds_what_breaks_it(
    parts: dict[str, Any], law: Law, says: str, monkeypatch: pytest.MonkeyPatch, catalog: Catalog
) -> None:
    breaches = list(law(planted(monkeypatch, **parts), catalog))
    assert any(says in b for b in breaches), breaches
