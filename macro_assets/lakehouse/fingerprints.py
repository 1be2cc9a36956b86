"""What data files held when they were written: the SHA-256 of each, on record beside its table.

A file is read back right after the commit that adds it. Its record is an empty file in the table's folder
`_fingerprints`, which Delta leaves alone, named as the data file with the hash behind it: one listing tells all of a
table's, and whatever becomes of the table (compaction, repair, an older version again), its files keep theirs. A file
is never written twice under one name, so that another content is damage.

A writer that is killed between its commit and the record leaves a file that is not on record. No later writer takes it
on; `macro doctor --deep` does, and says so.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from macro_assets.lakehouse.delta import LakeError
from macro_assets.lakehouse.files import write_file
from macro_assets.lakehouse.paths import Root, filesystem

if TYPE_CHECKING:
    import pyarrow.fs

FOLDER = "_fingerprints"

_RECORD = re.compile(rf"^(?P<table>(?:.+/)?){FOLDER}/(?P<file>.+)\.(?P<sha256>[0-9a-f]{{64}})$")
_CHUNK = 2**20


def record_path(file: str, sha256: str) -> str:
    """Where the record of a data file is, both below the table."""
    return f"{FOLDER}/{file}.{sha256}"


def told_by(paths: Iterable[str]) -> dict[str, str]:
    """SHA-256 by data file, of those records among some paths; both below the same folder, a table or the lake."""
    found = (_RECORD.match(path) for path in paths)
    return {f"{m['table']}{m['file']}": m["sha256"] for m in found if m}


def recorded(root: Root, name: str) -> dict[str, str]:
    """SHA-256 of a table's data files, by their path below it, as far as they are on record."""
    from pyarrow.fs import FileSelector

    records = filesystem(root / name).get_file_info(FileSelector(FOLDER, allow_not_found=True, recursive=True))
    return told_by(info.path for info in records)


def record(root: Root, name: str, hashes: Mapping[str, str]) -> None:
    """Put data files of a table on record."""
    for file, sha256 in hashes.items():
        folder, _, record_name = record_path(file, sha256).rpartition("/")
        write_file(root / name / folder, record_name, b"")


def sha256_of(files: pyarrow.fs.FileSystem, path: str) -> str:
    """SHA-256 of a file as it is now.

    Raises
    ------
    OSError
        When it cannot be read.
    """
    digest = hashlib.sha256()
    with files.open_input_stream(path, compression=None) as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def take(root: Root, name: str, new: Iterable[str]) -> None:
    """Read data files of a table back and put them on record."""
    files = filesystem(root / name)
    record(root, name, {file: sha256_of(files, file) for file in new})


def refuse_changed(root: Root, name: str, old: Iterable[str]) -> None:
    """Refuse to make new data files of old ones that are not as they were written: the damage would be sound then.

    Only on a disk: a store of objects looks after their content by itself, and each would be read twice.

    Raises
    ------
    LakeError
        When one has another content than what is on record, or cannot be read.
    """
    checked = [*old] if isinstance(root, Path) else []
    if not checked:
        return
    known, files = recorded(root, name), filesystem(root / name)
    try:
        changed = [file for file in checked if file in known and sha256_of(files, file) != known[file]]
    except OSError as error:
        raise LakeError(f"table {name}: a data file cannot be read: {error}. `macro doctor` says more.") from error
    if changed:
        raise LakeError(
            f"table {name}: {changed[0]} is damaged: it has other content than when it was written. Nothing is made of "
            "it. `macro doctor --deep` says more, `--deep --repair` goes back to the last good version."
        )
