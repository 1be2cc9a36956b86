"""The form of a file that declares a source: the source itself, its releases, its series by groups.

Belongs here: which files there are, and what a series takes from elsewhere where its entry does not state it: from the
`defaults` of its group, else from the release that one of these names, else from the file's `defaults` (their own
release before them). An entry with `of` is no series of the source but its copy of another's: of all these it takes
what may differ from the home's. A file whose `source` is a name adds series to that source: they take what its file
states for all. Does not belong here: what a field may be (``kinds/``).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from os.path import expanduser
from pathlib import Path
from typing import Any, NamedTuple

from macro_assets.catalog.entries import Problem, nearest, validated
from macro_assets.catalog.folders import FolderError, series_of_folder
from macro_assets.catalog.kinds.release import Release
from macro_assets.catalog.kinds.series import Copy
from macro_assets.catalog.kinds.source import Source
from macro_assets.catalog.read import CatalogError, Entries, defaults_of, listed

_OF_A_RELEASE = ("publication_lag", "licence", "publisher")
"""Fields that a series takes from its release."""


def source_of(file: str) -> str:
    """Name of the source that a file declares."""
    return Path(file).stem


class SourceFile(NamedTuple):
    """What a file declares. Without a source there was something wrong, and its series are told alone, not judged."""

    file: str
    name: str
    source: Source | None
    releases: dict[str, Release]
    series: Entries
    copies: Entries
    """Of series whose home is another source."""
    defaults: Mapping[str, Any] = {}
    """What it states for all of its series."""


def read_source(file: str, document: Mapping[str, Any], problems: list[Problem]) -> SourceFile:
    """The source of a file, its releases, and entries of its series.

    Raises
    ------
    CatalogError
        When a part of the file has another form than it ought to.
    """
    name = source_of(file)
    stated = _source_entry(file, document)
    source = validated(Source, stated, file, name, problems)
    entries = _release_entries(file, document, name)
    found = [validated(Release, entry, file, f"releases: {entry['id']}", problems) for entry in entries]
    releases = {release.id: release for release in found if release is not None}
    sound = len(releases) == len(entries)  # else its series would all seem broken too
    told = {entry["id"] for entry in entries}
    common, stated_series = _series_entries(file, document, releases, told, problems if sound else [], name)
    series = [entry for entry in stated_series if "of" not in entry]
    copies = [{**_differing(common), **entry} for entry in stated_series if "of" in entry]
    source = source if sound else None
    full = [{**common, **entry} for entry in series]
    if source is not None and source.folder is not None:
        copies = [{"code": copy["of"], **copy, "folder": source.folder} for copy in copies]
        try:
            full = series_of_folder(source.folder, common, series, [str(copy["code"]) for copy in copies])
        except FolderError as error:
            problems.append(Problem(file, name, f"folder: {error}"))
            source = None
    stated_there, copied = [(file, entry) for entry in full], [(file, copy) for copy in copies]
    return SourceFile(file, name, source, releases, stated_there, copied, defaults_of(document, file))


def read_added(
    file: str, document: Mapping[str, Any], declared: Mapping[str, SourceFile], problems: list[Problem]
) -> SourceFile:
    """Series that a file adds to a source which another file declares, as if they stood at the end of that one.

    Parameters
    ----------
    document
        Its `source` is the source's name.
    declared
        The files of all sources that there are, by the source's name.

    Raises
    ------
    CatalogError
        When a part of the file has another form than it ought to.
    """
    name = document["source"]
    home = declared.get(name)
    if home is None or home.source is None or home.source.folder is not None:
        if home is None:
            text = (
                f"expected a mapping under 'source', got str: no source {name!r} is declared.{nearest(name, declared)}"
            )
            problems.append(Problem(file, None, text))
        elif home.source is not None:
            text = f"source: {name} is a folder of files; its series are stated in {home.file}"
            problems.append(Problem(file, None, text))
        left_out = [(file, entry) for entry in listed({"series": [], **document}, "series", file)]
        return SourceFile(file, name, None, {}, left_out, [])
    entries = _release_entries(file, document, name)
    stated = {e["id"]: validated(Release, e, file, f"releases: {e['id']}", problems) for e in entries}
    new = {i: release for i, release in stated.items() if release is not None and i not in home.releases}
    for i, release in stated.items():
        if release not in (None, home.releases.get(i, release)):
            problems.append(Problem(file, f"releases: {i}", "declared already, and otherwise"))
    document = {**document, "defaults": {**home.defaults, **defaults_of(document, file)}}
    releases = {**home.releases, **new}
    common, series = _series_entries(file, document, releases, {*stated, *home.releases}, problems, name)
    full = [(file, {**common, **entry}) for entry in series if "of" not in entry]
    copies = [(file, {**_differing(common), **entry}) for entry in series if "of" in entry]
    return SourceFile(file, name, None if None in stated.values() else home.source, new, full, copies)


def _differing(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Of fields that a file, a group or a release states for all, those that a copy may have."""
    return {field: value for field, value in fields.items() if field in Copy.model_fields}


def _source_entry(file: str, document: Mapping[str, Any]) -> dict[str, Any]:
    stated = document.get("source")
    if not isinstance(stated, dict):
        raise CatalogError(f"{file}: expected a mapping under 'source', got {type(stated).__name__}")
    name = source_of(file)
    if stated.get("name", name) != name:
        raise CatalogError(f"{file}: source: name is {stated['name']!r}, expected {name!r}, the file's name")
    entry = {"name": name, **stated}
    if isinstance(read := stated.get("folder"), dict) and isinstance(read.get("path"), str):
        entry["folder"] = {**read, "path": str(Path(file).parent / expanduser(read["path"]))}
    return entry


def _release_entries(file: str, document: Mapping[str, Any], source: str) -> list[dict[str, Any]]:
    """The releases of a file, each with the id under which it stands and the file's source."""
    releases = document.get("releases", {})
    if not isinstance(releases, dict) or not all(isinstance(r, dict) for r in releases.values()):
        raise CatalogError(f"{file}: releases: expected a mapping of ids, each to a mapping of fields")
    for name, stated in releases.items():
        if said := sorted({"id", "source"} & stated.keys()):
            raise CatalogError(f"{file}: releases: {name}: {said[0]}: its key and the file's name say it already")
    return [{**stated, "id": name, "source": source} for name, stated in releases.items()]


def _series_entries(
    file: str,
    document: Mapping[str, Any],
    releases: Mapping[str, Release],
    told: Collection[object],
    problems: list[Problem],
    source: str,
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """What the series of a file share, and what each states: those under `series`, and those of each of its `groups`.

    Parameters
    ----------
    told
        Ids of the releases that the file states, sound or not.
    """
    groups = document.get("groups", [])
    if not isinstance(groups, list) or not all(isinstance(g, dict) for g in groups):
        raise CatalogError(f"{file}: groups: expected a list of mappings with 'defaults' and 'series'")
    if unknown := sorted({str(k) for g in groups for k in g} - {"defaults", "series"}):
        raise CatalogError(f"{file}: groups: {unknown[0]!r} is neither 'defaults' nor 'series'")
    defaults = defaults_of(document, file)
    parts = [{"defaults": {}, "series": document.get("series", [])}, *groups]
    stated = [(defaults_of(part, file), entry) for part in parts for entry in listed(part, "series", file)]
    if (release := _unknown_release(defaults, told)) is not None:
        raise CatalogError(f"{file}: defaults: {release}")
    full = []
    for group, entry in stated:
        shared = {**_of_release({**group, **entry}, releases), **group}
        name = str(entry.get("id"))
        if "of" in entry:
            shared, name = _differing(shared), f"of: {entry['of']}"
        if (release := _unknown_release({**shared, **entry}, told)) is not None:
            problems.append(Problem(file, name, release, "series"))
        if "source" in {**group, **entry}:
            problems.append(Problem(file, name, "source: the file's name says it already", "series"))
        full.append({**shared, **entry, "source": source})
    common = {**defaults, **_of_release(defaults, releases), "source": source}
    return common, full


def _unknown_release(entry: Mapping[str, Any], told: Collection[object]) -> str | None:
    release = entry.get("release")
    if not isinstance(release, str) or release in told:
        return None
    return f"release: {release!r} is not declared under 'releases'"


def _of_release(entry: Mapping[str, Any], releases: Mapping[str, Release]) -> dict[str, Any]:
    """What the release that an entry names says of its series."""
    release = releases.get(str(entry.get("release")))
    if release is None:
        return {}
    return {field: value for field in _OF_A_RELEASE if (value := getattr(release, field)) is not None}
