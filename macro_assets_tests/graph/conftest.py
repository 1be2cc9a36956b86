"""A package that can be edited: code versions are read from a copy, and nothing that is imported changes."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

import macro_assets
from macro_assets.graph import versions

PACKAGE = Path(macro_assets.__file__).parent


@dataclass(frozen=True)
class Copy:
    """A folder that stands in for the package; modules are named from its top, `charts.style`."""

    folder: Path

    def file(self, module: str) -> Path:
        return self.folder.joinpath(*module.split(".")).with_suffix(".py")

    def write(self, module: str, text: str) -> None:
        """Write a module, with a face beside it where there is none."""
        self.file(module).parent.mkdir(parents=True, exist_ok=True)
        (self.file(module).parent / "__init__.py").touch()
        self.file(module).write_text(text)
        versions._module.cache_clear()

    def version_with(self, module: str, edit: Callable[[str], str], modules: Sequence[str]) -> str:
        """Code version of `modules` with `module` edited; its text is put back."""
        before = self.file(module).read_text()
        assert edit(before) != before
        self.write(module, edit(before))
        version = versions.code_version(modules)
        self.write(module, before)
        return version


@pytest.fixture
def empty_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Copy]:
    """Nothing in place of the package."""
    folder = tmp_path / "macro_assets"
    monkeypatch.setattr(macro_assets.__spec__, "submodule_search_locations", [str(folder)])
    versions._module.cache_clear()
    yield Copy(folder)
    versions._module.cache_clear()


@pytest.fixture
def package_copy(empty_package: Copy) -> Copy:
    """The package's modules as they are."""
    shutil.copytree(PACKAGE, empty_package.folder, ignore=shutil.ignore_patterns("data", "__pycache__"))
    return empty_package
