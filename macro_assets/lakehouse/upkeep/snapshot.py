"""Which files are the lake at an instant: every table at one version, and the files that belong to no table.

Of a table these are the data files active at the version and the log up to it. `_last_checkpoint` is not among them: it
is overwritten in place, and readers do without it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import unquote

from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from macro_assets.lakehouse.absent import no_lake
from macro_assets.lakehouse.delta import LakeError, table_versions
from macro_assets.lakehouse.fingerprints import told_by
from macro_assets.lakehouse.paths import Root, storage_options
from macro_assets.lakehouse.upkeep.copying import MissingFileError, listing

if TYPE_CHECKING:
    from pyarrow.fs import FileInfo

LOG = "/_delta_log/"

_ENTRY = re.compile(
    r"^(?P<version>\d{20})\.(?:json|crc|(?P<last>\d{20})\.compacted\.json|checkpoint(?:\.[\w-]+)*\.(?:parquet|json))$"
)
_SIDECARS = "_sidecars/"


@dataclass(frozen=True)
class Snapshot:
    """The files of the lake at an instant, by path.

    `immutable` are those of tables: never written again. `recorded` has the SHA-256 of data files as they were written.
    """

    taken_at: datetime
    tables: Mapping[str, int]
    files: Mapping[str, FileInfo]
    immutable: frozenset[str]
    recorded: Mapping[str, str]

    def table_of(self, path: str) -> str | None:
        """The table whose data file a path is."""
        return owner(path, self.tables) if path in self.immutable and LOG not in path else None


def take(lake: Root) -> Snapshot:
    """The lake as it is now.

    Raises
    ------
    MissingFileError
        When a table lacks a file at the version it had, or cannot be opened there: somebody tidied it up meanwhile,
        or it is damaged.
    LakeError
        When there is no lake, or a table's data lies outside of it.
    """
    versions = table_versions(lake)
    moment = datetime.now(UTC)
    listed = listing(lake)
    of_table, loose = _by_table(listed, versions)
    if not (versions or loose):
        raise LakeError(f"nothing to back up: {no_lake(lake)}")

    def files_of(name: str) -> list[str]:
        return _table_files(lake, name, versions[name], of_table[name])

    with ThreadPoolExecutor(8) as pool:
        immutable = frozenset(path for files in pool.map(files_of, versions) for path in files)
    files = {p: listed[p] for p in sorted(immutable | set(loose))}
    return Snapshot(moment, versions, files, immutable, told_by(listed))


def _log_version(path: str) -> int | None:
    """The version that a file of a log belongs to; None for any other file, sidecars of checkpoints included."""
    entry = _ENTRY.match(path.partition(LOG)[2])
    return int(entry["last"] or entry["version"]) if entry else None


def _by_table(
    listed: Mapping[str, FileInfo], versions: Mapping[str, int]
) -> tuple[dict[str, dict[str, FileInfo]], list[str]]:
    """The files in each table's folder, and those in none. Tables made since the versions were looked up are left out.

    So are files whose name begins with a dot: they are being written.
    """
    tables = {*versions, *(p.partition(LOG)[0] for p in listed if _log_version(p) is not None)}
    of_table: dict[str, dict[str, FileInfo]] = {name: {} for name in tables}
    loose = []
    for path, info in listed.items():
        name = owner(path, tables)
        if name is not None:
            of_table[name][path] = info
        elif not PurePosixPath(path).name.startswith("."):
            loose.append(path)
    return of_table, loose


def owner(path: str, tables: Collection[str]) -> str | None:
    """The table in whose folder a file is."""
    return next((str(above) for above in PurePosixPath(path).parents if str(above) in tables), None)


def _table_files(lake: Root, name: str, version: int, listed: Mapping[str, FileInfo]) -> list[str]:
    """The files a table needs at a version, out of those in its folder."""
    log = [p for p in listed if _belongs_to_log(p.removeprefix(name), version)]
    if f"{name}{LOG}{version:020d}.json" not in log:
        raise MissingFileError(f"version {version} of table {name}")
    try:
        stored = DeltaTable(str(lake / name), version=version, storage_options=storage_options(lake))
        active = stored.get_add_actions()
        paths = active.column("path").to_pylist()
        sizes = active.column("size_bytes").to_pylist()
        features = stored.protocol().reader_features or []
    except (DeltaError, OSError, ValueError) as error:
        raise MissingFileError(f"version {version} of table {name} ({error})") from None
    vectors = [p for p in listed if p.endswith(".bin")] if "deletionVectors" in features else []
    return [*log, *vectors, *(_data_file(name, p, s, listed) for p, s in zip(paths, sizes, strict=True))]


def _belongs_to_log(path: str, version: int) -> bool:
    of = _log_version(path)
    return of <= version if of is not None else path.startswith(f"{LOG}{_SIDECARS}")


def _data_file(name: str, logged: str, size: int, listed: Mapping[str, FileInfo]) -> str:
    """Where a data file is that the log names, as in an address, relative to the table."""
    if logged.startswith("/") or "://" in logged:
        raise LakeError(
            f"table {name} has data outside the lake ({logged}), which a backup of the lake does not hold. Replace the "
            "table by a full copy of it, or move it out of the lake."
        )
    path = next((p for p in (f"{name}/{unquote(logged)}", f"{name}/{logged}") if p in listed), None)
    if path is None:
        raise MissingFileError(f"data file {logged} of table {name}")
    if listed[path].size != size:
        raise MissingFileError(f"data file {logged} of table {name} (it has {listed[path].size} bytes, not {size})")
    return path
