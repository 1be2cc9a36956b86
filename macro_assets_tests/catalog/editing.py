"""Changing one thing in a catalog file."""

from __future__ import annotations

from pathlib import Path


def edit(folder: Path, file: str, old: str, new: str) -> None:
    """Replace the first occurrence of a text in a file of the folder."""
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text, f"{file} no longer has {old!r}: adapt the test"
    (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")
