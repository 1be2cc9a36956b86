"""The catalog is the one that stood in 6d2227d, whose files stated each lag, licence and code of a series."""

from __future__ import annotations

import subprocess
from importlib.resources import as_file, files
from pathlib import Path

import pytest
import yaml

from macro_assets.catalog import Catalog, load_catalog
from macro_assets.catalog.document import as_markdown
from macro_assets_tests.conftest import ROOT

COMMIT = "6d2227d"
DATA = "macro_assets/catalog/data"


def of_commit(path: str) -> str:
    done = subprocess.run(["git", "show", f"{COMMIT}:{path}"], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no commit {COMMIT} here: {done.stderr.strip()}")
    return done.stdout


@pytest.fixture
def before(tmp_path: Path) -> Catalog:
    """The files of the commit, read; of each release they name is declared that there is one."""
    (tmp_path / "sources").mkdir()
    with as_file(files("macro_assets.catalog") / "data") as data:
        names = [str(f.relative_to(data)) for f in data.rglob("*.yaml")]
    for name in names:
        document = yaml.safe_load(of_commit(f"{DATA}/{name}"))
        named = {s.get("release") for g in document.get("groups", []) for s in (g["defaults"], *g["series"])} - {None}
        text = yaml.safe_dump({**document, "releases": {r: {"title": r} for r in named}}, sort_keys=False)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return load_catalog(tmp_path)


def test_every_entry_is_what_it_was(catalog: Catalog, before: Catalog) -> None:
    for kind in ("sources", "series", "tables", "indicators", "models", "charts", "instruments"):
        ours, theirs = ({k: v.model_dump() for k, v in getattr(c, kind).items()} for c in (catalog, before))
        assert list(ours) == list(theirs), kind
        assert ours == theirs, kind
    assert catalog.recessions == before.recessions
    assert set(catalog.releases) == set(before.releases)
    assert as_markdown(catalog) == as_markdown(before) == of_commit("docs/catalog.md")
