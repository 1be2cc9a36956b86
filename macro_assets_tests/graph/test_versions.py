"""Code versions: what moves them, and what is refused."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from macro_assets.graph.versions import code_version


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A toy package on the path, with a face and one module."""
    folder = tmp_path / "toy_connector"
    folder.mkdir()
    (folder / "__init__.py").write_text("from toy_connector.connector import plan\n")
    (folder / "connector.py").write_text("def plan():\n    return []\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield folder
    for name in [n for n in sys.modules if n.startswith("toy_connector")]:
        del sys.modules[name]


def test_a_package_moves_with_each_of_its_modules(package: Path) -> None:
    before = code_version(("toy_connector",), "")
    assert code_version(("toy_connector",), "") == before
    module = package / "connector.py"
    module.write_text(module.read_text() + "# one line more\n")
    assert code_version(("toy_connector",), "") != before


def test_a_module_is_its_own_text_and_facts_count(package: Path) -> None:
    face, other = package / "__init__.py", package / "connector.py"
    before = code_version(("toy_connector.connector",), "{}")
    assert code_version(("toy_connector.connector",), '{"title": "another"}') != before
    face.write_text("# another face\nfrom toy_connector.connector import plan\n")
    assert code_version(("toy_connector.connector",), "{}") == before
    other.write_text("def plan():\n    return [1]\n")
    assert code_version(("toy_connector.connector",), "{}") != before


def test_a_module_that_is_not_there_is_named() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"macro_assets\.nowhere"):
        code_version(("macro_assets.nowhere",), "")
