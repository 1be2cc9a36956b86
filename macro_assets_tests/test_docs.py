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
    known, revised, first = (con.execute(sql).fetchall() for sql in blocks("vintages.md", "sql"))
    text = (ROOT / "docs/vintages.md").read_text()
    rows = re.findall(r"^\| (2016-\d\d) \| ([\d,]+|not known) \| ([\d,]+) \|", text, re.MULTILINE)
    stated = [
        (
            date.fromisoformat(f"{m}-01"),
            *(None if x == "not known" else float(x.replace(",", "")) for x in (june, july)),
        )
        for m, june, july in rows
    ]
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
    for name in re.findall(r"`((?:docs|macro_assets|macro_assets_tests|benchmarks)/[\w./-]+)`", page.read_text()):
        assert (ROOT / name).exists(), name
