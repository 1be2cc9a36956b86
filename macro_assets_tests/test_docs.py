"""What `docs/` shows is run and checked: SQL, Python, commands, the numbers of the worked example, links."""

from __future__ import annotations

import re
import shlex
from datetime import date
from pathlib import Path

import pytest

from macro_assets.lakehouse import connect
from macro_assets_tests.conftest import ROOT, Built, Home

PAGES = sorted((ROOT / "docs").rglob("*.md"))


def blocks(page: str, language: str) -> list[str]:
    text = (ROOT / "docs" / page).read_text()
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def test_the_worked_example_is_what_the_lake_says(built: Built) -> None:
    """Every number of the page's table, from the two bundled vintages."""
    con = connect(root=built.home.lake)
    who, known, revised, first = (con.execute(sql).fetchall() for sql in blocks("vintages.md", "sql"))
    text = (ROOT / "docs/vintages.md").read_text()
    rows = re.findall(r"^\| (2016-\d\d) \| ([\d,]+|not known) \| ([\d,]+) \|", text, re.MULTILINE)
    stated = [
        (
            date.fromisoformat(f"{m}-01"),
            *(None if x == "not known" else float(x.replace(",", "")) for x in (june, july)),
        )
        for m, june, july in rows
    ]
    assert who == [("bundled", "Index, 2012 = 100", date(2016, 6, 1))]
    assert stated == known
    assert [(r[0].month, r[1], r[4]) for r in revised] == [(4, None, 21.0), (5, None, -6.0)]
    assert [r[:2] for r in first] == [(date(2016, 6, 1), 144175.0)]
    stored = "SELECT count(*) FROM raw.bundled WHERE series_id = 'PAYEMS' AND observation_date = ?"
    assert [con.execute(stored, [r[0]]).fetchone() for r in known] == [(1,), (2,), (2,), (1,)]


def test_the_python_of_the_page_runs(built: Built, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MACRO_LAKE", str(built.home.lake))
    (python,) = blocks("vintages.md", "python")
    exec(compile(python, "vintages.md", "exec"), {})


def test_the_commands_of_the_page_run(copied: Home) -> None:
    (commands,) = blocks("vintages.md", "bash")
    for line in commands.splitlines():
        copied.macro(*shlex.split(line)[1:])


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT / "docs")))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        assert target.startswith("https://") or (page.parent / target).exists(), target


# --- names of modules ----------------------------------------------------------------------------------------------

PACKAGE = ROOT / "macro_assets"
TEXTS = sorted(
    [*PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.yaml"), *PAGES, *ROOT.glob("*.md"), *(ROOT / "benchmarks").glob("*.md")]
)
NEW = {
    *("macro_assets/sources/providers/toy_bank.py", "toy_bank.py", "test_toy_bank.py", "research.py"),
    *("at_highs.py", "months_agreed.py", "recent_mean.py", "bars.py"),
}
"""Files that a page tells the reader to make."""


def unknown_names(text: str, file: Path) -> list[str]:
    """Names of files and modules, set in backticks, that lead nowhere; a path may start at a folder of the package."""
    places = [PACKAGE, *(p for p in file.parents if p.is_relative_to(ROOT))]
    files = re.findall(r"`([\w./-]+/[\w./-]+\.\w+|[\w-]+\.py|(?:docs|macro_assets\w*|benchmarks)/[\w./-]*)`", text)
    named = {f.split("::")[0] for f in files if not f.startswith((".", "/"))}
    wrong = [f for f in sorted(named - NEW) if re.search(r"\.(py|md|yaml)$|/$", f) and not found(f, places, file)]
    dotted = re.findall(r"`(macro_assets(?:\.\w+)+)`", text)
    return wrong + [d for d in sorted(set(dotted)) if not resolves(d)]


def found(name: str, places: list[Path], file: Path) -> bool:
    """Whether a file is there; of a page, a bare name may stand anywhere in the project."""
    if any((place / name).exists() for place in places):
        return True
    return file.suffix != ".py" and "/" not in name and any(True for _ in ROOT.glob(f"[!.]*/**/{name}"))


def resolves(dotted: str) -> bool:
    """Whether a dotted name is a module of the package, or a name that stands in one."""
    path, parts = PACKAGE, dotted.split(".")[1:]
    for position, part in enumerate(parts):
        if (path / part).is_dir():
            path = path / part
            continue
        module = path / f"{part}.py"
        rest = parts[position:] if not module.exists() else parts[position + 1 :]
        text = (module if module.exists() else path / "__init__.py").read_text()
        return not rest or re.search(rf"\b{re.escape(rest[0])}\b", text) is not None
    return True


@pytest.mark.parametrize("file", TEXTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_names_of_modules_are_true(file: Path) -> None:
    assert unknown_names(file.read_text(), file) == []


def test_a_name_that_leads_nowhere_is_seen() -> None:
    here = PACKAGE / "lakehouse" / "vintages.py"
    true = "`raw.py`, ``upkeep/backup.py``, `lakehouse/vintages.py`, :func:`macro_assets.lakehouse.connect`"
    assert unknown_names(true, here) == []
    wrong = "`reading.py`, `docs/none.md`, `macro_assets/ingest.py`, `macro_assets.graph.declared.read`"
    assert unknown_names(wrong, here) == [
        "docs/none.md",
        "macro_assets/ingest.py",
        "reading.py",
        "macro_assets.graph.declared.read",
    ]
