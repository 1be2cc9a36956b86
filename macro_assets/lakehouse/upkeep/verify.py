"""Proving a backup: every object is read and compared with its manifest."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from macro_assets.lakehouse.delta import LakeError
from macro_assets.lakehouse.paths import Root, filesystem
from macro_assets.lakehouse.upkeep.copying import MissingFileError, digest_of, for_each
from macro_assets.lakehouse.upkeep.destination import Progress, choose
from macro_assets.lakehouse.upkeep.manifests import Entry, object_path

if TYPE_CHECKING:
    import pyarrow.fs


@dataclass(frozen=True)
class VerifyReport:
    """What was read of a backup, and what is wrong, by file of the lake."""

    manifest: str
    taken_at: datetime
    tables: int
    files: int
    bytes: int
    problems: Mapping[str, str]
    seconds: float

    @property
    def ok(self) -> bool:
        """Whether the backup can be restored."""
        return not self.problems


def verify(
    destination: Root, at: str | date | datetime | None = None, progress: Progress | None = None
) -> VerifyReport:
    """Read every object of a backup and compare its SHA-256.

    Parameters
    ----------
    at
        The newest backup at or before that instant; default the newest. A bare date means its end in UTC.

    Raises
    ------
    LakeError
        When there is no such backup or its manifest is damaged. What is wrong with objects is in the report.
    """
    began = time.monotonic()
    manifest = choose(destination, at)
    files = filesystem(destination)
    sharing: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in manifest.files:
        sharing[entry.sha256].append(entry)
    total = sum(entries[0].size for entries in sharing.values())
    problems: dict[str, str] = {}
    done_bytes = 0

    def done(result: tuple[str, str | None]) -> None:
        nonlocal done_bytes
        sha256, problem = result
        if problem:
            problems.update({entry.path: problem for entry in sharing[sha256]})
        done_bytes += sharing[sha256][0].size
        if progress is not None:
            progress("verify", done_bytes, total)

    for_each(sharing, lambda sha256: (sha256, _problem(files, sha256)), done)
    return VerifyReport(
        manifest=manifest.path,
        taken_at=manifest.taken_at,
        tables=len(manifest.tables),
        files=len(manifest.files),
        bytes=manifest.size,
        problems=dict(sorted(problems.items())),
        seconds=time.monotonic() - began,
    )


def _problem(files: pyarrow.fs.FileSystem, sha256: str) -> str | None:
    """What is wrong with an object; None when nothing is."""
    path = object_path(sha256)
    try:
        found = digest_of(files, path)
    except MissingFileError:
        return f"object {path} is missing"
    except LakeError as error:
        return str(error)
    return None if found == sha256 else f"object {path} is damaged"
