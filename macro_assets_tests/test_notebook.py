"""The quickstart notebook runs from top to bottom on a built lake, and shows what it says."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from macro_assets_tests.conftest import ROOT, Built


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning", "default")
def test_the_quickstart_runs(built: Built, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MACRO_LAKE", str(built.home.lake))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    notebook = nbformat.read(ROOT / "notebooks" / "quickstart.ipynb", as_version=4)
    assert not any(c.get("outputs") for c in notebook.cells), "the notebook is kept without outputs"
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = {c.id: str(c.outputs) for c in notebook.cells if c.cell_type == "code"}
    june, july = (shown[c.id] for c in notebook.cells if "con.execute(change" in c.source)
    assert "287.0" not in june
    assert "287.0" in july
    assert all(name in shown["pivot"] for name in ("observation_date", "AAA", "BAA", "UNRATE"))
    assert "application/vnd.plotly" in shown[notebook.cells[-1].id]
