"""The fence: which room may import which, and what importing the package costs."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "macro_assets"

# Each room, and the rooms it may import. Everybody may use the catalog; see docs/decisions/002-rooms.md.
MAY_IMPORT = {
    "catalog": set(),
    "sources": {"catalog"},
    "lakehouse": {"catalog"},
    "transforms": {"catalog"},
    "indicators": {"catalog", "transforms"},
    "models": {"catalog", "transforms"},
    "charts": {"catalog", "transforms"},
    "quality": {"catalog"},
    "publishing": {"catalog"},
    # composition, above the rooms and still without Dagster
    "derivations": {"catalog", "lakehouse", "transforms", "indicators", "models", "charts"},
    "ingest": {"catalog", "sources", "lakehouse", "quality"},
    "rebuild": {"catalog", "sources", "lakehouse", "ingest"},
    "health": {"catalog", "sources", "lakehouse"},
    "calendars": {"catalog", "sources", "ingest"},
    "chart_pages": {"catalog", "lakehouse", "charts", "publishing"},
    "doctor": {"catalog", "lakehouse"},
    "manual_cli": {"catalog", "sources", "terminal"},
    "__init__": {"derivations"},
    "orchestration": {
        "catalog", "sources", "lakehouse", "charts", "quality", "derivations", "ingest", "chart_pages", "health",
        "calendars",
    },
    "definitions": {"orchestration"},
    "terminal": {"catalog", "lakehouse", "orchestration"},
    "cli": {"catalog", "lakehouse", "orchestration", "doctor", "lake_cli", "source_cli", "manual_cli", "terminal"},
    "lake_cli": {"catalog", "lakehouse", "orchestration", "rebuild", "terminal"},
    "source_cli": {"catalog", "sources", "lakehouse", "orchestration", "health", "terminal"},
}  # fmt: skip
MAY_IMPORT_DAGSTER = {"orchestration", "definitions", "cli", "terminal"}
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
    assert {room_of(p) for p in PACKAGE.rglob("*.py")} == set(MAY_IMPORT)


def in_fresh_process(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_the_package_loads_nothing_heavy() -> None:
    heavy = "{'dagster', 'statsmodels', 'sklearn', 'plotly', 'pandas', 'polars', 'duckdb', 'pandera', 'pyarrow'}"
    assert in_fresh_process(f"import sys, macro_assets; print({heavy} & set(sys.modules))") == "set()\n"


def test_loading_the_code_location_loads_no_model_or_chart_library() -> None:
    heavy = "{'statsmodels', 'sklearn', 'plotly', 'pandera', 'arch'}"
    assert in_fresh_process(f"import sys, macro_assets.definitions; print({heavy} & set(sys.modules))") == "set()\n"


@pytest.mark.parametrize("room", sorted(set(MAY_IMPORT) - {"__init__", "orchestration", "definitions"}))
def test_no_room_loads_dagster_or_a_heavy_library_on_import(room: str) -> None:
    heavy = "{'dagster', 'statsmodels', 'sklearn', 'plotly', 'pandera', 'arch'}"
    assert in_fresh_process(f"import sys, macro_assets.{room}; print({heavy} & set(sys.modules))") == "set()\n"


def test_importing_the_package_opens_no_file_socket_or_thread() -> None:
    """Import machinery reads source and bytecode; beyond that, nothing may be touched."""
    code = """
import sys, threading
touched = []
def hook(event, args):
    if event == 'open' and not str(args[0]).endswith(('.py', '.pyc')) and not str(args[0]).isdigit():
        touched.append((event, str(args[0])))
    elif event.startswith(('socket.', 'subprocess.', 'os.fork')) or event == '_thread.start_new_thread':
        touched.append((event, str(args)))
sys.addaudithook(hook)
import macro_assets
print(touched, threading.active_count())
"""
    assert in_fresh_process(code) == "[] 1\n"


def test_the_audit_would_see_an_open_file(tmp_path: Path) -> None:
    code = f"""
import sys
touched = []
sys.addaudithook(lambda event, args: touched.append(event) if event == 'open' else None)
open({str(tmp_path / "x")!r}, 'w').close()
print(touched)
"""
    assert in_fresh_process(code) == "['open']\n"


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
