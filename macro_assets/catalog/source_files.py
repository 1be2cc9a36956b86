"""The form of a file that declares a source: the source itself, its releases, its series by groups.

Belongs here: which files there are, and what a series takes from elsewhere where its entry does not state it: from the
`defaults` of its group, else from the release that one of these names, else from the file's `defaults` (their own
release before them). Does not belong here: what a field may be (``kinds/``).
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from macro_assets.catalog.entries import Problem
from macro_assets.catalog.folders import FolderError, series_of_folder
from macro_assets.catalog.kinds.release import Release
from macro_assets.catalog.kinds.source import Source
from macro_assets.catalog.read import CatalogError, Entries, defaults_of, listed

_FOLDER = "sources"
"""Folder of the catalog with one file per source."""
_OF_A_RELEASE = ("publication_lag", "licence")
"""Fields that a series takes from its release."""


def source_files(folder: Path | Traversable) -> list[str]:
    """Files of the package that declare a source each, by name."""
    return sorted(f"{_FOLDER}/{f.name}" for f in (folder / _FOLDER).iterdir() if f.name.endswith(".yaml"))


def source_of(file: str) -> str:
    """Name of the source that a file declares."""
    return Path(file).stem


def source_entries(files: Mapping[str, Mapping[str, Any]]) -> Entries:
    """The source of each file."""
    entries: Entries = []
    for file, document in files.items():
        stated = document.get("source")
        if not isinstance(stated, dict):
            raise CatalogError(f"{file}: expected a mapping under 'source', got {type(stated).__name__}")
        name = source_of(file)
        if stated.get("name", name) != name:
            raise CatalogError(f"{file}: source: name is {stated['name']!r}, expected {name!r}, the file's name")
        entry = {"name": name, **stated}
        if isinstance(read := stated.get("folder"), dict) and isinstance(read.get("path"), str):
            entry["folder"] = {**read, "path": str(Path(file).parent / Path(read["path"]).expanduser())}
        entries.append((file, entry))
    return entries


def release_entries(files: Mapping[str, Mapping[str, Any]]) -> Entries:
    """The releases of all files, each with the id under which it stands and the source of its file."""
    entries: Entries = []
    for file, document in files.items():
        releases = document.get("releases", {})
        if not isinstance(releases, dict) or not all(isinstance(r, dict) for r in releases.values()):
            raise CatalogError(f"{file}: releases: expected a mapping of ids, each to a mapping of fields")
        for name, stated in releases.items():
            if said := sorted({"id", "source"} & stated.keys()):
                raise CatalogError(f"{file}: releases: {name}: {said[0]}: its key and the file's name say it already")
            entries.append((file, {**stated, "id": name, "source": source_of(file)}))
    return entries


def series_entries(
    file: str,
    document: Mapping[str, Any],
    sources: Mapping[str, Source],
    releases: Mapping[str, Release],
    problems: list[Problem],
) -> Entries:
    """Series of a source's file: those under `series`, and those of each of its `groups` over the group's defaults.

    Of a folder of files also its columns, where every column is a series.
    """
    groups = document.get("groups", [])
    if not isinstance(groups, list) or not all(isinstance(g, dict) for g in groups):
        raise CatalogError(f"{file}: groups: expected a list of mappings with 'defaults' and 'series'")
    if unknown := sorted({k for g in groups for k in g} - {"defaults", "series"}):
        raise CatalogError(f"{file}: groups: {unknown[0]!r} is neither 'defaults' nor 'series'")
    source = source_of(file)
    defaults = defaults_of(document, file)
    common = {"source": source, **defaults, **_of_release(defaults, source, releases)}
    parts = [{"defaults": {}, "series": document.get("series", [])}, *groups]
    stated = [{**defaults_of(part, file), **entry} for part in parts for entry in listed(part, "series", file)]
    problems += [
        Problem(file, str(name), f"release: {entry['release']!r} is not declared under 'releases'")
        for name, entry in (("defaults", defaults), *((e.get("id"), e) for e in stated))
        if isinstance(entry.get("release"), str) and f"{source}/{entry['release']}" not in releases
    ]
    stated = [{**_of_release(entry, source, releases), **entry} for entry in stated]
    declared = sources.get(source)
    if declared is not None and declared.folder is not None:
        try:
            return [(file, entry) for entry in series_of_folder(declared.folder, common, stated)]
        except FolderError as error:
            problems.append(Problem(file, source, f"folder: {error}"))
            return []
    return [(file, {**common, **entry}) for entry in stated]


def _of_release(entry: Mapping[str, Any], source: str, releases: Mapping[str, Release]) -> dict[str, Any]:
    """What the release that an entry names says of its series."""
    release = releases.get(f"{source}/{entry.get('release')}")
    if release is None:
        return {}
    return {field: value for field in _OF_A_RELEASE if (value := getattr(release, field)) is not None}
