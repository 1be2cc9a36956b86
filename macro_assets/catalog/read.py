"""Reading a YAML document of the catalog: what stands in a file, as mappings and lists.

Belongs here: syntax, the shape of a document, merging a file's `defaults`, and errors that name the file. Does not
belong here: what an entry means.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import yaml

Entries = list[tuple[str, dict[str, Any]]]
"""Raw entries with the name of the file each came from."""


class CatalogError(Exception):
    """A catalog file is broken. The message names file, entry and field, one problem a line."""


_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""YAML's safe loader, by its C parser where there is one: 297 series took 0.29 s instead of 0.75."""


class _UniqueKeyLoader(_Loader):  # type: ignore[misc]
    """The safe loader, refusing a key that is given twice: the second would silently win."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(k, deep=True) for k, _ in node.value]  # type: ignore[no-untyped-call]
        if twice := {str(k) for k in keys if keys.count(k) > 1}:
            raise yaml.constructor.ConstructorError(
                None, None, f"the key {sorted(twice)[0]!r} is given twice", node.start_mark
            )
        return dict(super().construct_mapping(node, deep))


def read_document(folder: Path | Traversable, file: str) -> dict[str, Any]:
    """The mapping in a file of a folder, or in one named by its whole path."""
    path = Path(file) if Path(file).is_absolute() else folder / file
    if path.is_dir():
        raise CatalogError(f"{file}: expected a file, this is a folder")
    if not path.is_file():
        raise CatalogError(f"{file}: the file is missing from {folder}")
    try:
        document = yaml.load(path.read_text(encoding="utf-8"), Loader=_UniqueKeyLoader)
    except (yaml.YAMLError, ValueError, OSError, RecursionError) as error:  # ValueError: a date such as 2020-13-01
        raise CatalogError(f"{file}: not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(document, dict):
        raise CatalogError(f"{file}: expected a mapping at the top, got {type(document).__name__}")
    return document


def read_entries(folder: Path | Traversable, file: str, key: str) -> Entries:
    """Entries under `key`, each merged over the file's `defaults`."""
    document = read_document(folder, file)
    defaults = defaults_of(document, file)
    return [(file, {**defaults, **entry}) for entry in listed(document, key, file)]


def read_folder(folder: Path | Traversable, kind: str) -> Entries:
    """Entries of all files of the folder that a kind has, by file."""
    return [entry for file in yaml_files(folder, kind) for entry in read_entries(folder, file, kind)]


def yaml_files(folder: Path | Traversable, name: str) -> list[str]:
    """Files of a folder of the folder, by name."""
    if not (folder / name).is_dir():
        raise CatalogError(f"{name}: the folder is missing from {folder}")
    return sorted(f"{name}/{f.name}" for f in (folder / name).iterdir() if f.name.endswith(".yaml"))


def defaults_of(document: Mapping[str, Any], file: str) -> dict[str, Any]:
    """The fields under `defaults`."""
    defaults = document.get("defaults", {})
    if not isinstance(defaults, dict):
        raise CatalogError(f"{file}: defaults: expected a mapping, got {type(defaults).__name__}")
    return defaults


def listed(document: Mapping[str, Any], key: str, file: str) -> list[dict[str, Any]]:
    """The entries under a key."""
    entries = document.get(key)
    if not isinstance(entries, list) or not all(isinstance(e, dict) for e in entries):
        raise CatalogError(f"{file}: expected a list of entries under {key!r}")
    return entries
