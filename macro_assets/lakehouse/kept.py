"""The views of a session kept in a file, so that the next process need not bind each of them again.

Three hundred tables take most of a second to bind, whatever is then asked; copied from a file, a view is bound when it
is read. The file is a cache in the user's own folder, never in the lake: it has no figures and no versions, but the
texts of views and macros, the types of their columns, and the catalog's registers. It is found by all that it was made
of, and a record beside it says up to which log entries the columns of each table were seen: later entries are read, and
where one changes columns, or is not sound, all is made again. Where nothing can be kept, sessions open as without.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import duckdb

from macro_assets.lakehouse import s3
from macro_assets.lakehouse.delta import Entry, LakeError
from macro_assets.lakehouse.files import write_file
from macro_assets.lakehouse.layout import SCHEMA_VERSION
from macro_assets.lakehouse.macros import quoted
from macro_assets.lakehouse.paths import Root, S3Root, filesystem

WORTH = 10
"""Tables from which on it is worth it: fewer are bound in the time that a file takes to be made and read."""

_MOST_ENTRIES = 500
"""Later log entries that are read; beyond, binding all is as fast."""

_MOST_KEPT, _ABANDONED = 16, 3600
"""Files that stay, and the age in seconds at which one that no record names goes."""

_ALIAS = "_kept"


def recalled(con: duckdb.DuckDBPyConnection, text: str, root: Root, entries: Mapping[str, Entry]) -> bool:
    """Fill an empty session with the views that were kept, if they hold; whether they do.

    Parameters
    ----------
    text
        All that the session would be made of.
    entries
        Newest log entry of each table of the lake.
    """
    record = _record(text, root)
    if record is None:
        return False
    try:
        said = json.loads(record.read_bytes())
        seen = {str(name): Entry(*entry) for name, entry in said["tables"].items()}
        if not _has_the_columns(root, seen, entries):
            return False
        _copy(con, record.with_name(said["file"]), f"FROM DATABASE {_ALIAS} TO memory", "(READ_ONLY)")
    except (OSError, ValueError, TypeError, LookupError, AttributeError, duckdb.Error):  # not there, or not sound
        return False
    if seen != entries:
        _write(record, said["file"], entries)
    return True


def keep(con: duckdb.DuckDBPyConnection, text: str, root: Root, entries: Mapping[str, Entry]) -> None:
    """Keep all views of a session, if there is a place for them."""
    record = _record(text, root)
    if record is None:
        return
    file = record.with_name(f"{record.stem}-{uuid4().hex[:8]}.duckdb")
    try:
        record.parent.mkdir(parents=True, exist_ok=True)
        _copy(con, file, f"FROM DATABASE memory TO {_ALIAS}")
    except (OSError, duckdb.Error):
        with suppress(OSError):
            file.unlink(missing_ok=True)
        return
    _write(record, file.name, entries)
    _tidy(record.parent)


def _copy(con: duckdb.DuckDBPyConnection, file: Path, what: str, how: str = "") -> None:
    """Copy all of a session to a file, or all of a file to an empty session; nothing of what is not whole."""
    con.execute(f"ATTACH {quoted(str(file))} AS {_ALIAS} {how}")
    try:
        con.execute(f"COPY {what}")
    except duckdb.Error:
        with suppress(duckdb.Error):  # where it had begun one
            con.execute("ROLLBACK")
        raise
    finally:
        con.execute(f"DETACH {_ALIAS}")


def _record(text: str, root: Root) -> Path | None:
    """Where the record is of what was kept of a session; None where there is no place for it."""
    where = f"{root} {s3.settings().endpoint}" if isinstance(root, S3Root) else str(root)
    key = hashlib.sha256("\n".join((duckdb.__version__, str(SCHEMA_VERSION), where, text)).encode()).hexdigest()[:32]
    caches = os.environ.get("XDG_CACHE_HOME", "")
    try:
        folder = Path(caches) if os.path.isabs(caches) else Path.home() / ".cache"
    except RuntimeError:  # no home
        return None
    return folder / "macro_assets" / "sessions" / f"{key}.json"


def _has_the_columns(root: Root, seen: Mapping[str, Entry], entries: Mapping[str, Entry]) -> bool:
    """Whether every table has the columns that it had at the entries that were seen."""
    changed = [name for name, entry in entries.items() if seen[name] != entry]
    if any(entries[name].version <= seen[name].version for name in changed):  # another table, or another's history
        return False
    later = [(n, v) for n in changed for v in range(seen[n].version + 1, entries[n].version + 1)]
    return len(later) <= _MOST_ENTRIES and not any(_changes_columns(root, name, version) for name, version in later)


def _changes_columns(root: Root, name: str, version: int) -> bool:
    """Whether an entry of a table's log changes what the table is, or is empty."""
    with filesystem(root).open_input_stream(f"{name}/_delta_log/{version:020d}.json", compression=None) as file:
        actions = [json.loads(line) for line in file.read().splitlines()]
    return not actions or any({"metaData", "protocol"} & action.keys() for action in actions)


def _write(record: Path, file: str, entries: Mapping[str, Entry]) -> None:
    said = {"file": file, "tables": entries}
    with suppress(LakeError):
        write_file(record.parent, record.name, json.dumps(said).encode())


def _tidy(folder: Path) -> None:
    """Remove the oldest records, and files that no record names, but those that a process may be about to name."""
    with suppress(OSError, ValueError, LookupError):  # another process tidies too
        records = sorted(folder.glob("*.json"), key=lambda record: record.stat().st_mtime)
        for record in records[:-_MOST_KEPT]:
            record.unlink()
        named = {json.loads(record.read_bytes())["file"] for record in records[-_MOST_KEPT:]}
        for file in folder.glob("*.duckdb"):
            if file.name not in named and time.time() - file.stat().st_mtime > _ABANDONED:
                file.unlink()
