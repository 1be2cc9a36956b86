"""The fence: which room may import which, and what importing the package costs."""

from __future__ import annotations

import ast
import inspect
import json
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import macro_assets
from macro_assets import lakehouse
from macro_assets.graph import reading

PACKAGE = Path(__file__).resolve().parents[1] / "macro_assets"

PURE = {"catalog", "transforms", "indicators", "models", "evaluation", "charts", "quality"}
GRAPH = PURE | {"lakehouse"}
BELOW = GRAPH | {"sources", "intake", "graph", "publishing", "serving"}

# Each room, and the rooms it may import; docs/decisions/002-rooms.md says why.
MAY_IMPORT = {
    "catalog": set(),
    "sources": {"catalog"},
    "lakehouse": {"catalog"},
    "transforms": {"catalog"},
    "indicators": {"catalog", "transforms"},
    "models": {"catalog", "transforms"},
    "evaluation": {"catalog", "transforms", "indicators"},
    "charts": {"catalog", "transforms"},
    "quality": {"catalog", "transforms"},
    "intake": {"catalog", "sources", "lakehouse", "quality"},
    "graph": GRAPH,
    "publishing": GRAPH | {"graph"},
    "serving": GRAPH | {"graph"},
    "orchestration": BELOW,
    "cli": BELOW | {"orchestration"},
    "__init__": {"catalog", "graph"},
    "definitions": {"orchestration"},
}
PLANNED = {"serving"}
"""Rooms of the plan in which nothing stands yet."""

MAY_IMPORT_DAGSTER = {"orchestration", "definitions", "cli"}
STORAGE = {"deltalake", "duckdb"}


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> set[str]:
    """Modules a file imports, anywhere in it, `if TYPE_CHECKING` included."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            if node.module == "macro_assets":
                found |= {f"macro_assets.{alias.name}" for alias in node.names}
    return found


def violations(path: Path) -> list[str]:
    room = room_of(path)
    allowed = MAY_IMPORT[room] | {room, "__init__"}
    problems = []
    for name in imports(path):
        top, _, rest = name.partition(".")
        target = rest.split(".")[0]
        if top == "macro_assets" and target and target not in allowed:
            problems.append(f"{room} imports {target}: a computation both need belongs in a room both may use")
        if (top == "dagster" or top.startswith("dagster_")) and room not in MAY_IMPORT_DAGSTER:
            problems.append(f"{room} imports {top}: Dagster lives in orchestration/")
        if top in STORAGE and room != "lakehouse":
            problems.append(f"{room} imports {top}: what touches storage lives in lakehouse/")
    return problems


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_point_one_way(path: Path) -> None:
    assert violations(path) == []


@pytest.mark.parametrize(
    ("room", "line"),
    [
        ("transforms", "import dagster as dg"),
        ("sources", "from macro_assets.lakehouse import connect"),
        ("models", "from macro_assets.indicators.composite import composite"),
        ("charts", "def f():\n    import duckdb"),
        ("lakehouse", "from macro_assets.orchestration.build import build_defs"),
        ("catalog", "from macro_assets import lakehouse"),
    ],
)
def test_the_fence_sees_a_breach(room: str, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[__name__], "PACKAGE", tmp_path)
    (tmp_path / room).mkdir()
    breach = tmp_path / room / "breach.py"
    breach.write_text(line)
    assert violations(breach)


def test_every_room_is_in_the_plan() -> None:
    assert {room_of(p) for p in PACKAGE.rglob("*.py")} == set(MAY_IMPORT) - PLANNED


def test_no_module_is_long() -> None:
    lines = {p.relative_to(PACKAGE): len(p.read_text().splitlines()) for p in PACKAGE.rglob("*.py")}
    assert {p: n for p, n in lines.items() if n > 500} == {}


PUBLIC = {*macro_assets.__all__, *lakehouse.__all__}
"""What a notebook calls: it may name a lake by root and catalog."""
MAX_PARAMETERS = 7


def functions(text: str) -> list[tuple[str, dict[str, str]]]:
    """Functions of a module with the names and annotations of their parameters, `self` and `cls` left out."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            named = {a.arg: ast.unparse(a.annotation) if a.annotation else "" for a in given}
            found.append((node.name, {n: kind for n, kind in named.items() if n not in ("self", "cls")}))
    return found


def awkward(text: str) -> list[str]:
    """Functions whose signatures are not those of the house."""
    problems = []
    for name, parameters in functions(text):
        names = list(parameters)
        if len(names) > MAX_PARAMETERS:
            problems.append(f"{name} has {len(names)} parameters: group what belongs together")
        if "catalog" in names and ("root" in names or "lake" in names) and name not in PUBLIC | HANDLE:
            problems.append(f"{name} takes a lake in two parts: it should take a Lakehouse")
        if "Lakehouse" in parameters.values() and (names[0], parameters[names[0]]) != ("lake", "Lakehouse"):
            problems.append(f"{name}: the first parameter should be the Lakehouse, by the name lake")
    return problems


HANDLE = {"at"}
"""What makes a handle of the two parts."""


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_signatures_are_short_and_name_the_lake_first(path: Path) -> None:
    assert awkward(path.read_text()) == []


@pytest.mark.parametrize(
    "line",
    [
        "def f(a, b, c, d, e, *, g, h, i): ...",
        "class A:\n    def __init__(self, a, b, c, d, e, f, g, h): ...",
        "def f(source, root: Root, catalog: Catalog): ...",
        "def f(source: Source, lake: Lakehouse): ...",
        "def f(place: Lakehouse, name: str): ...",
    ],
)
def test_an_awkward_signature_is_seen(line: str) -> None:
    assert awkward(line)


@pytest.mark.parametrize("module", [macro_assets, lakehouse, reading], ids=lambda m: m.__name__)
def test_public_functions_name_root_and_catalog_last(module: ModuleType) -> None:
    """First what is asked, then root, then catalog, both None."""
    told = [inspect.signature(f) for n in PUBLIC if inspect.isfunction(f := getattr(module, n, None))]
    placed = [s for s in told if "catalog" in s.parameters]
    assert placed
    for signature in placed:
        assert list(signature.parameters)[-2:] == ["root", "catalog"]
        assert [signature.parameters[n].default for n in ("root", "catalog")] == [None, None]


def computations(text: str) -> list[str]:
    """What a module does beyond imports, names and its docstring: definitions and calls."""
    allowed = (ast.Import, ast.ImportFrom, ast.Expr, ast.Assign)
    body = ast.parse(text).body
    odd = [n for n in body if not isinstance(n, allowed) or any(isinstance(part, ast.Call) for part in ast.walk(n))]
    return [ast.unparse(n).splitlines()[0] for n in odd]


FACE = PACKAGE / "__init__.py"


@pytest.mark.parametrize("path", sorted(set(PACKAGE.rglob("__init__.py")) - {FACE}), ids=lambda p: p.parent.name)
def test_the_face_of_a_room_computes_nothing(path: Path) -> None:
    assert computations(path.read_text()) == []


def test_a_face_that_computes_is_seen() -> None:
    assert computations('"""A room."""\nfrom x import y\n__all__ = ["y"]\n') == []
    assert computations("def figure():\n    return 1\n") == ["def figure():"]
    assert computations("from x import y\nz = y()\ny.close()\n") == ["z = y()", "y.close()"]


HEAVY = {"statsmodels", "sklearn", "plotly", "pandera", "arch"}
LIGHT_ROOMS = sorted(set(MAY_IMPORT) - PLANNED - {"__init__", "orchestration", "definitions"})

_IMPORTING = """
import importlib, json, sys, tempfile, threading
touched, seen = [], {}
def hook(event, args):
    if event == 'open' and not str(args[0]).endswith(('.py', '.pyc')) and not str(args[0]).isdigit():
        touched.append((event, str(args[0])))
    elif event.startswith(('socket.', 'subprocess.', 'os.fork')) or event == '_thread.start_new_thread':
        touched.append((event, str(args)))
sys.addaudithook(hook)
import macro_assets
seen['package'] = {'touched': list(touched), 'threads': threading.active_count(), 'loaded': sorted(sys.modules)}
with tempfile.TemporaryFile():
    seen['opened'] = bool(touched)
for name in sys.argv[1:]:
    importlib.import_module(name)
    seen[name] = sorted(m for m in sys.modules if '.' not in m)
print(json.dumps(seen))
"""


@pytest.fixture(scope="module")
def imported() -> dict[str, Any]:
    """What one fresh interpreter loads when it imports the package, then room after room, then the code location."""
    rooms = [p.relative_to(PACKAGE.parent).with_suffix("") for p in PACKAGE.rglob("*.py") if room_of(p) in LIGHT_ROOMS]
    names = sorted(".".join(r.parts).removesuffix(".__init__") for r in rooms if r.name != "__main__")
    command = [sys.executable, "-c", _IMPORTING, *names, "macro_assets.definitions"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_importing_the_package_loads_nothing_heavy(imported: dict[str, Any]) -> None:
    heavy = HEAVY | {"dagster", "pandas", "polars", "duckdb", "pyarrow"}
    assert heavy & set(imported["package"]["loaded"]) == set()


def test_importing_the_package_opens_no_file_socket_or_thread(imported: dict[str, Any]) -> None:
    """Import machinery reads source and bytecode; beyond that, nothing may be touched."""
    assert (imported["package"]["touched"], imported["package"]["threads"]) == ([], 1)
    assert imported["opened"], "the audit would see an open file"


def test_no_room_loads_dagster_or_a_heavy_library_on_import(imported: dict[str, Any]) -> None:
    loading = {
        n: (HEAVY | {"dagster"}) & set(loaded) for n, loaded in imported.items() if n.startswith("macro_assets.")
    }
    del loading["macro_assets.definitions"]
    assert {n: libraries for n, libraries in loading.items() if libraries} == {}


def test_loading_the_code_location_loads_no_model_or_chart_library(imported: dict[str, Any]) -> None:
    assert HEAVY & set(imported["macro_assets.definitions"]) == set()
    assert "dagster" in imported["macro_assets.definitions"]


@pytest.mark.parametrize(("room", "allowed"), [("transforms", False), ("lakehouse", False), ("orchestration", True)])
def test_the_lint_rule_says_where_the_code_belongs(room: str, allowed: bool) -> None:
    command = [sys.executable, "-m", "ruff", "check", "--select", "TID251", "--no-cache"]
    done = subprocess.run(
        [*command, "--stdin-filename", f"macro_assets/{room}/breach.py", "-"],
        input="import dagster\n",
        cwd=PACKAGE.parent,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode == 0) is allowed
    assert allowed or "A computation belongs in a pure room" in done.stdout


def test_the_picture_and_the_page_show_every_room() -> None:
    docs = PACKAGE.parent / "docs"
    for room in set(MAY_IMPORT) - {"__init__", "definitions"}:
        assert re.search(rf">{room}\b", (docs / "images/rooms.svg").read_text()), room
        assert f"`{room}`" in (docs / "architecture.md").read_text(), room
