"""Manifests of backups: what a lake held at an instant, as a document that proves itself. Pure; no storage.

A manifest names every file with its size and SHA-256, and the version of every table. Its own SHA-256 stands in it, and
whatever it says is looked at before it is believed: a path that leads out of the lake is refused.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from macro_assets.lakehouse.delta import LakeError

FOLDER = "manifests"
OBJECTS = "objects"

_FORMAT = 1
_NAME = "%Y-%m-%dT%H%M%S.%fZ"
_SHA256 = re.compile(r"^[0-9a-f]{64}$")


@dataclass(frozen=True)
class Entry:
    """A file: its path below the lake's root, its size in bytes, its SHA-256, and its time in the lake."""

    path: str
    size: int
    sha256: str
    mtime_ns: int


@dataclass(frozen=True)
class Manifest:
    """What a lake held at an instant: the versions of its tables, and its files."""

    taken_at: datetime
    lake: str
    tables: Mapping[str, int]
    files: tuple[Entry, ...]

    @property
    def path(self) -> str:
        """Where it is in the destination."""
        return manifest_path(self.taken_at)

    @property
    def size(self) -> int:
        """Bytes of the files."""
        return sum(f.size for f in self.files)


def manifest_path(taken_at: datetime) -> str:
    """Where the manifest of an instant is. The names sort by time."""
    return f"{FOLDER}/{taken_at.astimezone(UTC).strftime(_NAME)}.json"


def taken_at(path: str) -> datetime | None:
    """The instant of a manifest, from its name; None when it is the name of something else."""
    try:
        found = datetime.strptime(path, f"{FOLDER}/{_NAME}.json").replace(tzinfo=UTC)
    except ValueError:
        return None
    return found if manifest_path(found) == path else None


def object_path(sha256: str) -> str:
    """Where the object of that hash is."""
    return f"{OBJECTS}/{sha256[:2]}/{sha256}"


def objects_of(manifests: Iterable[Manifest]) -> set[str]:
    """Places of all objects that manifests name."""
    return {object_path(f.sha256) for m in manifests for f in m.files}


def encode(manifest: Manifest) -> bytes:
    """The manifest as a JSON document."""
    body = {
        "format": _FORMAT,
        "taken_at": manifest.taken_at.isoformat(),
        "lake": manifest.lake,
        "tables": dict(manifest.tables),
        "files": [asdict(f) for f in manifest.files],
    }
    return json.dumps({"sha256": _sha256(body), "manifest": body}, sort_keys=True).encode() + b"\n"


def decode(path: str, content: bytes) -> Manifest:
    """The manifest of a document.

    Raises
    ------
    LakeError
        When it is damaged or was changed, or a newer macro_assets wrote it.
    """
    try:
        document = json.loads(content)
        body = document["manifest"]
        if document["sha256"] != _sha256(body):
            raise ValueError("it does not have the SHA-256 it says")
        if body["format"] != _FORMAT:
            raise LakeError(
                f"manifest {path} has format {body['format']}, this macro_assets reads {_FORMAT}. Upgrade macro_assets."
            )
        manifest = Manifest(
            taken_at=datetime.fromisoformat(body["taken_at"]),
            lake=str(body["lake"]),
            tables={str(name): int(version) for name, version in body["tables"].items()},
            files=tuple(_entry(**f) for f in body["files"]),
        )
        if manifest.path != path:
            raise ValueError(f"it says it is {manifest.path}")
        if len({f.path for f in manifest.files}) != len(manifest.files):
            raise ValueError("it names a file twice")
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise LakeError(
            f"manifest {path} is damaged or was changed: {error}. That backup cannot be used; restore one of another "
            "time, or remove the manifest."
        ) from None
    return manifest


def _entry(path: str, size: int, sha256: str, mtime_ns: int) -> Entry:
    if any(part in ("", ".", "..") for part in path.split("/")) or "\0" in path:
        raise ValueError(f"it names a file outside the lake, {path!r}")
    if not _SHA256.match(sha256):
        raise ValueError(f"file {path} has no SHA-256")
    return Entry(path, int(size), sha256, int(mtime_ns))


def _sha256(body: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
