"""Code versions: what moves them, what does not, and what is refused."""

from __future__ import annotations

import ast
import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from subprocess import run
from sys import executable
from typing import Any

import polars as pl
import pytest
from pydantic import BaseModel

from macro_assets.catalog import Catalog
from macro_assets.graph.versions import closure, code_version, facts, text_version
from macro_assets_tests.graph.conftest import PACKAGE, Copy

# --- the walk, on a toy package ------------------------------------------------------------------------------------

TOY = {
    "models.far": '"""Far."""\n\nRATE = 1\n',
    "models.near": "from macro_assets.models.far import RATE\n\n\ndef rate():\n    return RATE\n",
    "models.method": '"""A method."""\n\nfrom macro_assets.models.near import rate\n\n\n'
    'def fit():\n    """Fit."""\n    return rate()  # as it is\n',
    "charts.style": "",
    "catalog.periods": "MONTHS = 12\n",
    "lakehouse.delta": "",
    "lakehouse.reader": "from macro_assets.lakehouse import delta, vintages\n",
    "lakehouse.vintages": "from macro_assets.catalog.periods import MONTHS\n",
}
METHOD = "macro_assets.models.method"


@pytest.fixture
def toy(empty_package: Copy) -> Copy:
    for module, text in TOY.items():
        empty_package.write(module, text)
    return empty_package


def reached(toy: Copy, text: str) -> set[str]:
    """What a module of the models reaches beyond itself, by names from the top of the package."""
    toy.write("models.method", text)
    found = {name.removeprefix("macro_assets.") for name in closure([METHOD])}
    assert "models.method" in found
    return found - {"models.method"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("import macro_assets.charts.style\n", {"charts.style"}),
        ("import macro_assets.models.near as n\n", {"models.near", "models.far"}),
        ("from macro_assets.charts import style as s\n", {"charts.style"}),
        ("from macro_assets.models.far import RATE\n", {"models.far"}),
        ("from .near import rate\n", {"models.near", "models.far"}),
        ("from . import far\n", {"models.far"}),
        ("from ..charts import style\n", {"charts.style"}),
        ("def fit():\n    if True:\n        from macro_assets.charts import style\n", {"charts.style"}),
        ("try:\n    import math\nexcept ImportError:\n    from macro_assets.charts import style\n", {"charts.style"}),
        ("class A:\n    import macro_assets.charts.style\n", {"charts.style"}),
        ("if not TYPE_CHECKING:\n    from macro_assets.charts import style\n", {"charts.style"}),
        ("if TYPE_CHECKING:\n    pass\nelse:\n    from macro_assets.charts import style\n", {"charts.style"}),
        ("import macro_assets.lakehouse.vintages\n", {"lakehouse.vintages"}),
        ("from macro_assets.lakehouse import vintages\n", {"lakehouse.vintages"}),
    ],
)
def test_an_import_statement_counts_anywhere_in_a_module(text: str, found: set[str], toy: Copy) -> None:
    assert reached(toy, text) == found


@pytest.mark.parametrize(
    "text",
    [
        "if TYPE_CHECKING:\n    from macro_assets.charts import style\n",
        "import typing\nif typing.TYPE_CHECKING:\n    from macro_assets.charts import style\n",
        "import math\nfrom json import dumps\n",
        "import macro_assets\nfrom macro_assets import charts\nfrom macro_assets.charts import *\n",
        "from macro_assets.catalog import periods\nfrom macro_assets.catalog.periods import MONTHS\n",
        "from macro_assets.lakehouse import reader\nfrom macro_assets.lakehouse.delta import LakeError\n",
    ],
)
def test_type_checking_faces_catalog_and_storage_do_not_count(text: str, toy: Copy) -> None:
    assert reached(toy, text) == set()


def test_the_walk_does_not_pass_through_a_face(toy: Copy) -> None:
    toy.write("charts.__init__", "from macro_assets.charts import style\n")
    assert reached(toy, "from macro_assets.charts import figure\n") == set()


def test_a_circle_of_imports_ends(toy: Copy) -> None:
    toy.write("models.far", "from macro_assets.models import method\n")
    assert reached(toy, TOY["models.method"]) == {"models.near", "models.far"}


def test_a_module_of_storage_counts_when_it_is_named(toy: Copy) -> None:
    reader = "macro_assets.lakehouse.reader"
    assert closure([METHOD, reader]) == (
        reader, "macro_assets.lakehouse.vintages", "macro_assets.models.far", METHOD, "macro_assets.models.near"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("module", "old", "new", "moves"),
    [
        ("models.far", "RATE = 1", "RATE = 2", True),
        ("models.method", "return rate()", "return -rate()", True),
        ("models.far", '"""Far."""', '"""Far, and said better."""', False),
        ("models.method", '    """Fit."""\n', "", False),
        ("models.method", "as it is", "as it was", False),
        ("models.method", "return rate()", "return (rate(\n    ))", False),
        ("charts.style", "", "WIDTH = 1\n", False),
    ],
)
def test_what_runs_moves_a_version_and_what_is_said_does_not(
    module: str, old: str, new: str, moves: bool, toy: Copy
) -> None:
    before = code_version([METHOD])
    assert (toy.version_with(module, lambda text: text.replace(old, new, 1), [METHOD]) != before) is moves
    assert code_version([METHOD]) == before


def test_a_version_is_twelve_digits_of_facts_and_modules_by_name(toy: Copy) -> None:
    toy.write("models.twin", TOY["models.far"])
    far, twin = "macro_assets.models.far", "macro_assets.models.twin"
    versions = [code_version([far]), code_version([twin]), code_version([far, twin]), code_version([far], "{}")]
    assert len(set(versions)) == 4
    assert all(len(v) == 12 and int(v, 16) >= 0 for v in versions)
    assert code_version([twin, far, twin]) == code_version([far, twin])


def test_an_edit_during_a_process_does_not_pass_for_what_ran(toy: Copy) -> None:
    before = code_version([METHOD])
    toy.file("models.far").write_text("RATE = 2\n")
    assert code_version([METHOD]) == before


@pytest.mark.parametrize("name", ["macro_assets.nowhere", "macro_assets.models.dynamic_factor.fit", "no_such_package"])
def test_a_module_that_is_not_there_is_named(name: str) -> None:
    for version in (closure, code_version, text_version):
        with pytest.raises(ModuleNotFoundError, match=name.replace(".", r"\.")):
            version([name])


def test_a_package_is_refused_where_its_modules_are_meant() -> None:
    with pytest.raises(ValueError, match=r"macro_assets\.charts is a package.*name its modules"):
        code_version(["macro_assets.charts"])


# --- the walk, on the package ---------------------------------------------------------------------------------------

ROOMS = ("transforms", "indicators", "models", "evaluation", "charts", "graph", "publishing")
PATH = ("macro_assets.models.dynamic_factor", "macro_assets.charts.own.nowcast_news", "macro_assets.graph.inputs")


def described(text: str) -> str:
    """A module with other comments and docstrings."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body[0] = ast.Expr(ast.Constant("Said in other words."))
    return "# another\n" + ast.unparse(tree) + "\n"


def computing(text: str) -> str:
    return text + "\nlimit = 1\n"


def test_an_edit_of_any_module_on_the_path_moves_the_version_and_of_no_other(package_copy: Copy) -> None:
    before = code_version(PATH)
    on_it = {name.removeprefix("macro_assets.") for name in closure(PATH)}
    assert {"models.protocol", "charts.style", "graph.derivation"} < on_it
    for module in on_it:
        assert package_copy.version_with(module, computing, PATH) != before, module
        assert package_copy.version_with(module, described, PATH) == before, module
    for module in (
        "catalog.load",
        "catalog.periods",
        "lakehouse.raw",
        "lakehouse.delta",
        "models.__init__",
        "sources.rows",
    ):
        assert package_copy.version_with(module, computing, PATH) == before, module


def test_modules_are_found_without_importing_anything() -> None:
    told = (
        "import sys; from macro_assets.graph.versions import closure; before = set(sys.modules);"
        f"closure({PATH!r}); print(*set(sys.modules) - before)"
    )
    done = run([executable, "-c", told], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == []


def hidden(text: str) -> list[str]:
    """Names that a module takes from the face of a package, where the walk does not see what they are.

    The catalog's may be taken: the walk would stop there.
    """
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and node.module != "macro_assets.catalog":
            place = PACKAGE.parent.joinpath(*(node.module or "").split("."))
            if (place / "__init__.py").is_file():
                modules = {p.stem for p in place.glob("*.py")}
                found += [f"{node.module}.{alias.name}" for alias in node.names if alias.name not in modules]
    return [name for name in found if name.startswith("macro_assets.")]


@pytest.mark.parametrize("room", ROOMS)
def test_no_code_of_a_room_hides_behind_a_face(room: str) -> None:
    (face,) = ast.parse((PACKAGE / room / "__init__.py").read_text()).body
    assert isinstance(face, ast.Expr), "the face of a room holds its docstring alone: a code version does not see more"
    for file in (PACKAGE / room).rglob("*.py"):
        assert hidden(file.read_text()) == [], file


def test_a_name_taken_from_a_face_is_seen() -> None:
    assert hidden("from macro_assets.lakehouse import as_of, vintages") == ["macro_assets.lakehouse.as_of"]
    assert hidden("def f():\n    from macro_assets import read") == ["macro_assets.read"]
    assert hidden("from macro_assets.catalog import Catalog\nfrom macro_assets.charts import style\nimport json") == []


# --- facts ----------------------------------------------------------------------------------------------------------


class Weight(BaseModel, frozen=True):
    series: str
    weight: float = 1.0
    names: frozenset[str] = frozenset()
    since: date | None = None


@dataclass(frozen=True)
class Parameters:
    lags: int
    weights: tuple[Weight, ...] = ()


def frame(value: float = 1.5) -> pl.DataFrame:
    return pl.DataFrame({"day": [date(2020, 1, 1)], "value": [value], "known": [datetime(2020, 2, 1, tzinfo=UTC)]})


NAMES = [f"N{i}" for i in range(20)]


@pytest.mark.parametrize(
    ("one", "same"),
    [
        ({"a": 1, "b": {"c": [1, None], "d": True}}, {"b": {"d": True, "c": (1, None)}, "a": 1}),
        ({date(2020, 1, 1): 1, date(2019, 1, 1): 2}, {date(2019, 1, 1): 2, date(2020, 1, 1): 1}),
        ({2: "b", 1: "a"}, {1: "a", 2: "b"}),
        (set(NAMES), frozenset(reversed(NAMES))),
        ({(2, "b"), (1, "a")}, {(1, "a"), (2, "b")}),
        (Weight(series="A", names=frozenset(NAMES)), Weight(series="A", names=frozenset(reversed(NAMES)), weight=1)),
        (Parameters(2, (Weight(series="A"),)), Parameters(lags=2, weights=(Weight(series="A"),))),
        (frame(), frame().clone()),
    ],
)
def test_equal_content_is_equal_text(one: object, same: object) -> None:
    assert facts(one) == facts(same)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (None, ""),
        (1, True),
        (["a", "b"], ["b", "a"]),
        (["ab"], ["a", "b"]),
        ({"a": 1}, {"a": 2}),
        ({1, 2}, {1, 3}),
        (date(2020, 1, 1), date(2020, 1, 2)),
        (Weight(series="A"), Weight(series="B")),
        (Weight(series="A"), Weight(series="A", since=date(2020, 1, 1))),
        (Parameters(1), Parameters(2)),
        (Parameters(1), Parameters(1, (Weight(series="A"),))),
        (frame(), frame(1.25)),
        (frame(), frame().rename({"value": "values"})),
        (frame(), frame().clear()),
        (frame(), pl.concat([frame(), frame()])),
    ],
)
def test_other_content_is_another_version(one: object, other: object) -> None:
    assert code_version((), facts(one)) != code_version((), facts(other))


def test_facts_are_separate_values() -> None:
    assert facts("a", "b") != facts("b", "a")
    assert facts("a", "b") != facts("ab")
    assert (
        facts(frame())
        == '[{"columns": ["day", "value", "known"], "rows": [["2020-01-01", 1.5, "2020-02-01T00:00:00+00:00"]]}]'
    )


def test_sets_are_told_alike_in_every_process() -> None:
    """The order of a set of texts differs from process to process."""
    assert facts(set(NAMES)) == facts(sorted(NAMES))
    assert json.loads(facts(Weight(series="A", names=frozenset(NAMES))))[0]["names"] == sorted(NAMES)


def test_every_declaration_of_the_catalog_is_a_fact(catalog: Catalog) -> None:
    kinds = (catalog.sources, catalog.series, catalog.tables, catalog.indicators, catalog.models, catalog.charts)
    told = [facts(declared) for kind in kinds for declared in kind.values()]
    assert len(set(told)) == len(told)
    assert facts(*catalog.recessions)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (len, "builtin_function_or_method"),
        (b"bytes", "bytes"),
        (Parameters, "type"),
        ({"a": [object()]}, "object"),
        (frame()["value"], "Series"),
        (frame().lazy(), "LazyFrame"),
        (Path("file"), "PosixPath"),
    ],
)
def test_what_cannot_be_told_is_refused_by_its_type(value: Any, kind: str) -> None:
    with pytest.raises(TypeError, match=f"a {kind} is no fact"):
        facts("first", value)


# --- the text of connectors -----------------------------------------------------------------------------------------


@pytest.fixture
def connector(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A toy package on the path, with a face and one module."""
    folder = tmp_path / "toy_connector"
    folder.mkdir()
    (folder / "__init__.py").write_text("from toy_connector.connector import plan\n")
    (folder / "connector.py").write_text("def plan():\n    return []\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    return folder


def test_a_package_moves_with_each_of_its_modules(connector: Path) -> None:
    before = text_version(("toy_connector",), "")
    assert text_version(("toy_connector",), "") == before
    for module in (connector / "__init__.py", connector / "connector.py"):
        text = module.read_text()
        module.write_text(text + "# one line more\n")
        assert text_version(("toy_connector",), "") != before
        module.write_text(text)


def test_a_module_is_its_own_text_and_facts_count(connector: Path) -> None:
    face, other = connector / "__init__.py", connector / "connector.py"
    before = text_version(("toy_connector.connector",), "{}")
    assert text_version(("toy_connector.connector",), '{"title": "another"}') != before
    face.write_text("# another face\nfrom toy_connector.connector import plan\n")
    assert text_version(("toy_connector.connector",), "{}") == before
    other.write_text("def plan():\n    return [1]\n")
    assert text_version(("toy_connector.connector",), "{}") != before
