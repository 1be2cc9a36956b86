"""The folder of the user's own catalog files: where it is, and what stands in them.

Each `*.yaml` of it declares a source with its series, adds series to a source that there is, or has indicators,
scores, models or charts, or several of these. What cannot be read is told and left out; nothing here stops the rest.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from macro_assets.catalog.entries import Problem, nearest, of_the_file
from macro_assets.catalog.read import CatalogError, listed, read_document

OWN = "MACRO_CATALOG"
"""Environment variable that names the folder."""

FOLDERS = ("indicators", "scores", "models", "charts")
"""Kinds whose files stand in a folder of their name; a file of the user's own may have any of them beside a source."""

_OF_A_SOURCE = ("defaults", "releases", "series", "groups")


def own_folder() -> Path | None:
    """The folder of the user's own catalog files, if there is one.

    Raises
    ------
    CatalogError
        When the environment names one that is not there, or not by its whole path: runs start in other folders.
    """
    named = os.environ.get(OWN)
    if not named:
        return None
    folder = Path(named).expanduser()
    if not folder.is_absolute() or not folder.is_dir():
        raise CatalogError(f"{OWN} is {named!r}, which is no whole path of a folder. Make it, or unset {OWN}.")
    return folder.resolve()


def free_file(name: str, option: str) -> Path:
    """Where a new file of the folder goes.

    Parameters
    ----------
    option
        Of the command: what shows the file's text in place of writing it.

    Raises
    ------
    CatalogError
        When there is no folder, or the file is there already.
    """
    folder = own_folder()
    if folder is None:
        raise CatalogError(
            f"{OWN} is not set: it names the folder of your own catalog files, by its whole path. Make one and\n"
            f"export {OWN}=/that/folder; or {option} writes the entry to the terminal."
        )
    file = folder / f"{name}.yaml"
    if file.exists():
        raise CatalogError(f"{file} is there already. Choose another name, or add to the file what {option} writes.")
    return file


def write_at_once(file: Path, text: str) -> None:
    """Write a file of the folder, of which nobody who reads the folder meanwhile sees a part."""
    part = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        part.write_text(text, encoding="utf-8")
        os.replace(part, file)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise CatalogError(f"{file} cannot be written: {error.strerror}") from None


def own_documents(own: Path, problems: list[Problem]) -> dict[str, dict[str, Any]]:
    """What stands in each file of the folder, by its whole path; hidden files are not read."""
    found: dict[str, dict[str, Any]] = {}
    try:
        present = sorted(os.listdir(own))
    except OSError as error:
        problems.append(Problem(str(own.absolute()), None, f"cannot be read: {error.strerror}"))
        present = []
    for name in present:
        if name.startswith(".") or not name.endswith(".yaml"):
            continue
        file = str(own.absolute() / name)
        try:
            document = read_document(own, file)
        except CatalogError as error:
            problems.append(of_the_file(file, error))
            continue
        told, found[file] = _told(file, document)
        problems += told
    return found


def _told(file: str, document: dict[str, Any]) -> tuple[list[Problem], dict[str, Any]]:
    """What of a document is none of a catalog's file, and the rest."""
    known = ("source", *_OF_A_SOURCE, *FOLDERS)
    problems = [
        Problem(file, None, f"{key}: expected one of {', '.join(known)}.{nearest(str(key), known)}")
        for key in document
        if key not in known
    ]
    problems += [
        Problem(file, None, f"{key}: this is of a source, but the file has no 'source'")
        for key in _OF_A_SOURCE
        if key in document and "source" not in document
    ]
    if not document:
        problems.append(Problem(file, None, f"the file is empty; expected {', '.join(known)}"))
    rest = {key: document[key] for key in ("source", *_OF_A_SOURCE) if "source" in document and key in document}
    for kind in FOLDERS:
        try:
            rest[kind] = listed({kind: [], **document}, kind, file)
        except CatalogError as error:
            problems.append(of_the_file(file, error))
    return problems, rest
