"""What is damaged in a stored table: its log, and the data files of a version. Only looks; `repair.py` mends.

A table's version is read from its newest checkpoint and the log entries after it. delta-rs puts an entry in place
whole, with a rename or one PUT, so that a running writer never looks like damage; power cuts, full disks and copies do.
A file that cannot be read at all (no permission, no network) is an error, not damage. Whether the content of data files
is what was written is only looked at where it is asked for: it takes reading all of them (`deep.py`).
"""

from __future__ import annotations

import io
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING

from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from macro_assets.lakehouse.delta import LakeError, logged_files, no_panic, reason
from macro_assets.lakehouse.fingerprints import recorded, sha256_of
from macro_assets.lakehouse.paths import Root, filesystem, storage_options

if TYPE_CHECKING:
    from pyarrow.fs import FileInfo, FileSystem

LOG = "_delta_log"

_HINT = f"{LOG}/_last_checkpoint"
_ENTRY = re.compile(r"^\d{20}\.json$")
_CHECKPOINT = re.compile(r"^\d{20}\.checkpoint\b.*\.(parquet|json)$")
# How many files an entry adds and removes, by the metrics that delta-rs puts into its first line.
_COUNTED = {
    "add": ("num_added_files", "numFilesAdded", "numRestoredFile"),
    "remove": ("num_removed_files", "numFilesRemoved", "numRemovedFile"),
}
CHANGED = "has other content than was written"
UNREADABLE = "is garbled: it cannot be read as Parquet"
_MAGIC = b"PAR1"
_FOOTER_GUESS = 2**16


@dataclass(frozen=True)
class Fault:
    """A missing or damaged file, named below the table's folder, and the version it belongs to.

    Parameters
    ----------
    written
        SHA-256 of what was written, where that is on record and was looked up.
    """

    table: str
    version: int
    file: str
    problem: str
    written: str | None = None

    def __str__(self) -> str:
        return f"{self.file} of version {self.version} {self.problem}"


@dataclass(frozen=True)
class Looks:
    """What is known of a table's data files, for several of its versions: they share files.

    Parameters
    ----------
    recorded
        SHA-256 of files that are to be compared with it.
    faults
        What is wrong with a file, or None, by name and size in the log.
    """

    recorded: Mapping[str, str]
    faults: dict[tuple[str, int], Fault | None] = field(default_factory=dict)

    @classmethod
    def at(cls, root: Root, name: str, deep: bool) -> Looks:
        """Nothing known yet; `deep` where the content of files is to be compared."""
        return cls(recorded(root, name) if deep else {})


@dataclass(frozen=True)
class Judgement:
    """What is wrong with a table's log, and the way out.

    Parameters
    ----------
    newest
        The newest version the log has any file of.
    aside
        The files to move out of the log, in an order in which it leads to no wrong version on the way.
    good
        The version it leads to without them; None when it leads to none.
    """

    newest: int
    faults: tuple[Fault, ...]
    aside: tuple[str, ...]
    good: int | None


def examine(root: Root, name: str, deep: bool = False) -> list[Fault]:
    """Everything found wrong with the current version of a table.

    Where the log is damaged the data files are not looked at: which of them belong to the version cannot be told.

    Parameters
    ----------
    deep
        Read the data files too and compare them with what was written.

    Raises
    ------
    LakeError
        When there is no such table, or it cannot be read for a reason that is not damage.
    """
    with readable(name):
        files = filesystem(root / name)
        judged = judge(files, name)
        return list(judged.faults) or data_faults(files, name, opened(root, name), Looks.at(root, name, deep))


@contextmanager
def readable(name: str) -> Iterator[None]:
    """Errors of the store become one that names the table."""
    try:
        with no_panic():
            yield
    except (OSError, DeltaError) as error:
        raise LakeError(f"table {name} cannot be looked at: {reason(error)}. Nothing was changed.") from error


def opened(root: Root, name: str, version: int | None = None) -> DeltaTable:
    """A table at a version, the newest by default, whoever wrote it."""
    try:
        with no_panic():
            return DeltaTable(str(root / name), version=version, storage_options=storage_options(root))
    except (DeltaError, ValueError) as error:
        raise LakeError(f"table {name} cannot be opened: {reason(error)}.") from error


# --- the log -------------------------------------------------------------------------------------------------------


def log_names(files: FileSystem, name: str) -> list[str]:
    """The file names in a table's log.

    Raises
    ------
    LakeError
        When there are none.
    """
    from pyarrow.fs import FileSelector

    names = sorted(f.base_name for f in files.get_file_info(FileSelector(LOG, allow_not_found=True)) if f.is_file)
    if not any(_ENTRY.match(n) or _CHECKPOINT.match(n) for n in names):
        raise LakeError(f"there is no table {name} in the lake")
    return names


def judge(files: FileSystem, name: str) -> Judgement:
    """What is wrong with the log of a table, and which version it leads to without the damaged files."""
    names = log_names(files, name)
    entries = {_version(n) for n in names if _ENTRY.match(n)}
    checkpoints = _by_version(names)
    newest = max((*entries, *checkpoints))
    bad, base = _bad_checkpoints(files, checkpoints)
    problems = {v: _entry_problem(files, v, v in entries) for v in range(base + 1, newest + 1)}
    broken = {v: p for v, p in problems.items() if p}
    faults = [Fault(name, v, f"{LOG}/{n}", p) for v, found in bad.items() for n, p in found.items()]
    faults += [Fault(name, v, _entry(v), p) for v, p in broken.items()]
    aside = [f"{LOG}/{n}" for v in bad for n in checkpoints[v]]
    hint = _hint_problem(files, set(checkpoints) - set(bad)) if "_last_checkpoint" in names else None
    if hint:
        faults.insert(0, Fault(name, newest, _HINT, hint))
        aside.insert(0, _HINT)
    if not broken:
        return Judgement(newest, tuple(faults), tuple(aside), newest)
    first = min(broken)
    after = [f"{LOG}/{n}" for n in reversed(names) if n[:20].isdigit() and _version(n) >= first]
    aside += [n for n in after if n not in aside]
    return Judgement(newest, tuple(faults), tuple(aside), first - 1 if first > 0 else None)


def sound_versions(files: FileSystem, name: str) -> Iterator[int]:
    """The versions that the log leads to through sound files alone, newest first."""
    names = log_names(files, name)
    entries = {_version(n) for n in names if _ENTRY.match(n)}
    checkpoints = _by_version(names)

    @cache
    def is_start(version: int) -> bool:
        return not any(_checkpoint_problem(_content(files, f"{LOG}/{n}"), n) for n in checkpoints[version])

    @cache
    def is_step(version: int) -> bool:
        return _entry_problem(files, version, version in entries) is None

    for version in range(max((*entries, *checkpoints)), -1, -1):
        at = version
        while at >= 0 and at not in checkpoints and is_step(at):
            at -= 1
        if at < 0 or (at in checkpoints and is_start(at)):
            yield version


def _by_version(names: list[str]) -> dict[int, list[str]]:
    """The names of checkpoints, which may have parts, by version."""
    found = [n for n in names if _CHECKPOINT.match(n)]
    return {_version(n): [m for m in found if _version(m) == _version(n)] for n in found}


def _version(file: str) -> int:
    return int(file[:20])


def _entry(version: int) -> str:
    return f"{LOG}/{version:020d}.json"


def _bad_checkpoints(files: FileSystem, checkpoints: Mapping[int, list[str]]) -> tuple[dict[int, dict[str, str]], int]:
    """Checkpoints that cannot be read, newest first, and the newest that can: -1 where there is none."""
    bad: dict[int, dict[str, str]] = {}
    for version in sorted(checkpoints, reverse=True):
        found = {n: p for n in checkpoints[version] if (p := _checkpoint_problem(_content(files, f"{LOG}/{n}"), n))}
        if not found:
            return bad, version
        bad[version] = found
    return bad, -1


def _content(files: FileSystem, file: str) -> bytes:
    with files.open_input_stream(file) as stream:
        content: bytes = stream.read()
    return content


def _checkpoint_problem(content: bytes, file: str) -> str | None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not content:
        return "is empty"
    if file.endswith(".json"):
        return _lines(content)[1]
    try:
        pq.read_table(io.BytesIO(content))
    except (OSError, pa.ArrowException):  # from memory: not an error of the store
        return "is cut off or garbled: it cannot be read as Parquet"
    return None


def _hint_problem(files: FileSystem, readable: set[int]) -> str | None:
    try:
        version = json.loads(_content(files, _HINT))["version"]
    except (ValueError, KeyError, TypeError):
        return "is cut off or garbled"
    return None if version in readable else f"points to checkpoint {version}, which is missing or damaged"


def _entry_problem(files: FileSystem, version: int, is_there: bool) -> str | None:
    if not is_there:
        return "is missing"
    content = _content(files, _entry(version))
    if not content:
        return "is empty"
    actions, problem = _lines(content)
    if problem:
        return problem
    kinds = [kind for action in actions for kind in action]
    if version == 0 and not {"protocol", "metaData"} <= set(kinds):
        return "is cut off: it does not say what the table is"
    return _missing_lines(actions, Counter(kinds))


def _missing_lines(actions: list[dict[str, object]], kinds: Counter[str]) -> str | None:
    """What an entry lacks that was cut off at a line end, as far as its own metrics tell."""
    kinds["add"] += kinds["cdc"]  # counted together
    metrics = next((m for a in actions if (m := _metrics(a))), {})
    for action, names in _COUNTED.items():
        expected = next((n for k in names if isinstance(n := metrics.get(k), int)), 0)
        if kinds[action] < expected:
            return f"is cut off: it has {kinds[action]} of {expected} '{action}' lines"
    return None


def _metrics(action: dict[str, object]) -> dict[str, object]:
    info = action.get("commitInfo")
    metrics = info.get("operationMetrics") if isinstance(info, dict) else None
    return metrics if isinstance(metrics, dict) else {}


def _lines(content: bytes) -> tuple[list[dict[str, object]], str | None]:
    """The actions of a log entry, one JSON object a line, or what is wrong with it."""
    actions = []
    for number, line in enumerate(content.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            action = json.loads(line)
        except ValueError:
            action = None
        if not isinstance(action, dict):
            return [], f"is cut off or garbled in line {number}"
        actions.append(action)
    return actions, None


# --- the data files ------------------------------------------------------------------------------------------------


def data_faults(files: FileSystem, name: str, stored: DeltaTable, known: Looks) -> list[Fault]:
    """The data files of a table's version that are missing, have another size than logged, or no Parquet footer.

    And those whose content is not the one on record, where that is known. What is found out is added.
    """
    logged, version = logged_files(stored).items(), stored.version()
    new = [file for file in logged if file not in known.faults]
    for (file, size), info in zip(new, files.get_file_info([f for f, _ in new]), strict=True):
        fault, written = None, known.recorded.get(file)
        if problem := _file_problem(files, file, size, info):
            fault = Fault(name, version, file, problem, written)
        elif written is not None and sha256_of(files, file) != written:
            fault = Fault(name, version, file, CHANGED if is_parquet(files, file) else UNREADABLE, written)
        known.faults[file, size] = fault
    return [replace(fault, version=version) for file in logged if (fault := known.faults[file])]


def is_parquet(files: FileSystem, path: str) -> bool:
    """Whether all of a file can be read as Parquet. What it says may be wrong all the same."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with files.open_input_file(path) as content, pq.ParquetFile(content) as parquet:
            for number in range(parquet.num_row_groups):
                parquet.read_row_group(number)
    except (OSError, pa.ArrowException):
        return False
    return True


def _file_problem(files: FileSystem, file: str, size: int, info: FileInfo) -> str | None:
    from pyarrow.fs import FileType

    if info.type != FileType.File:
        return "is missing"
    if info.size != size:
        return f"has {info.size} bytes, the log says {size}"
    with files.open_input_file(file) as opened_file:
        return _footer_problem(opened_file, size)


def _footer_problem(file: object, size: int) -> str | None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    end = file.read_at(min(size, _FOOTER_GUESS), max(0, size - _FOOTER_GUESS))  # type: ignore[attr-defined]
    length = int.from_bytes(end[-8:-4], "little")
    if end[-4:] != _MAGIC or length + 12 > size:
        return "is cut off or garbled: it has no Parquet footer"
    if length + 8 > len(end):
        end = file.read_at(length + 8, size - length - 8)  # type: ignore[attr-defined]
    try:
        pq.read_metadata(io.BytesIO(_MAGIC + end[-(length + 8) :]))
    except (OSError, pa.ArrowException):  # from memory: not an error of the store
        return "is garbled: its Parquet footer cannot be read"
    return None
