"""Take a damaged table back to its last good version. Nothing is deleted, and no other table is touched.

Damaged files of the log are moved to `<table>/_quarantine/<UTC time>/`. Where the log is whole and data files are
missing or damaged, the newest version whose files are all good is restored as a new version, so that history stays;
but what a backup has of them may be put back first.
Repair while nothing writes: a version that is taken back must not be what a run is working on.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from deltalake import CommitProperties, DeltaTable
from deltalake.exceptions import DeltaError

from macro_assets.catalog import names
from macro_assets.lakehouse.delta import LakeError, reason
from macro_assets.lakehouse.files import move_file, write_file
from macro_assets.lakehouse.fingerprints import record_path
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.layout import RETIRED
from macro_assets.lakehouse.paths import Root, filesystem
from macro_assets.lakehouse.upkeep.copying import MissingFileError, fetched, open_target, place
from macro_assets.lakehouse.upkeep.damage import (
    CHANGED,
    LOG,
    Fault,
    Judgement,
    Looks,
    data_faults,
    examine,
    judge,
    log_names,
    opened,
    readable,
    sound_versions,
)
from macro_assets.lakehouse.upkeep.manifests import object_path

QUARANTINE = "_quarantine"
"""Folder of a table for what was moved out of its log, and for a record of each repair."""

_TOLD = 5


@dataclass(frozen=True)
class RepairReport:
    """What was found in a table and what was done.

    Parameters
    ----------
    before
        The newest version it had.
    good
        The version whose rows it holds now; None when no good one is left.
    faults
        What was wrong; nothing was done where there is none.
    quarantine
        Where the record of the repair and files of the log are, if anything was done.
    message
        All of it in words, with what to do next.
    """

    table: str
    before: int
    good: int | None
    faults: tuple[Fault, ...]
    quarantine: Root | None
    message: str


def repair(lake: Lakehouse, name: str, deep: bool = False) -> RepairReport:
    """Take a table back to its last good version. A sound table is left untouched.

    Where none is left, the log of a table that can be made anew, by computing or from landing, is moved out of the way;
    any other table is left as it is. So is one that cannot be made anew and whose only fault is that the content of
    files was changed: it can still be read, and an earlier version has fewer rows.

    Parameters
    ----------
    deep
        Compare the content of data files with what was written too.

    Raises
    ------
    LakeError
        When there is no such table, it cannot be read or written for a reason that is not damage, or another process
        writes to it.
    """
    root = lake.root
    with readable(name):
        judged = judge(filesystem(root / name), name)
        quarantine = _quarantine(root, name)
        if judged.good is None:
            return _given_up(lake, name, judged, judged.faults, quarantine)
        _move(root, name, judged.aside, quarantine)
        stored, faults, good = _last_good(root, name, Looks.at(root, name, deep))
        is_read = not judged.faults and all(fault.problem == CHANGED for fault in faults)
        if faults and is_read and _made_anew(lake, name) is None:
            return _left(name, stored.version(), faults)
        faults = (*judged.faults, *faults)
        if not faults:
            return RepairReport(name, judged.newest, good, (), None, f"{name}: version {good} is whole.")
        if good is None:
            return _given_up(lake, name, judged, faults, quarantine)
        if good != stored.version():
            _restore(stored, name, good)
        _record(quarantine, name, judged.newest, good, faults)
        message = _went_back(lake, name, judged.newest, good, faults)
        return RepairReport(name, judged.newest, good, faults, quarantine, f"{message} {_where(quarantine)}")


def put_back(root: Root, backups: Root, faults: Sequence[Fault]) -> list[Fault]:
    """Put what was written to data files back from a place of backups, and return the faults that this mended.

    Raises
    ------
    LakeError
        When a file cannot be read or written.
    """
    objects = filesystem(backups)

    def is_mended(fault: Fault) -> bool:
        if fault.written is None:
            return False
        target = open_target(root, f"{fault.table}/{QUARANTINE}")
        try:
            with fetched(objects, object_path(fault.written), target) as content:
                if content.sha256 == fault.written:
                    place(target, content, f"{fault.table}/{fault.file}")
                return content.sha256 == fault.written
        except MissingFileError:
            return False

    return [fault for fault in faults if is_mended(fault)]


def _quarantine(root: Root, name: str) -> Root:
    return root / name / QUARANTINE / f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}"


def _move(root: Root, name: str, files: Sequence[str], quarantine: Root) -> None:
    for file in files:
        move_file(root / name / file, quarantine / file.rpartition("/")[2])


def _last_good(root: Root, name: str, known: Looks) -> tuple[DeltaTable, tuple[Fault, ...], int | None]:
    """The table, what is wrong with its data files, and the newest version all of whose files are good."""
    files, stored = filesystem(root / name), opened(root, name)
    faults = tuple(data_faults(files, name, stored, known))
    if not faults:
        return stored, (), stored.version()
    for version in sound_versions(files, name):
        if not data_faults(files, name, opened(root, name, version), known):
            return stored, faults, version
    return stored, faults, None


def _restore(stored: DeltaTable, name: str, version: int) -> None:
    try:
        stored.restore(version, commit_properties=CommitProperties(custom_metadata={"restored_by": "macro doctor"}))
    except DeltaError as error:
        raise LakeError(
            f"table {name}, version {stored.version()}, could not be taken back to version {version}: {reason(error)}. "
            "Repair while nothing writes."
        ) from error


def _record(quarantine: Root, name: str, before: int, good: int | None, faults: Sequence[Fault]) -> None:
    told = {"table": name, "newest_version": before, "rows_of_version": good, "faults": [str(f) for f in faults]}
    write_file(quarantine, "repair.json", json.dumps(told, indent=1).encode())


# --- in words ------------------------------------------------------------------------------------------------------


def in_words(faults: Sequence[Fault]) -> str:
    """Faults in one sentence."""
    more = f", and {len(faults) - _TOLD} more" if len(faults) > _TOLD else ""
    return "; ".join(str(f) for f in faults[:_TOLD]) + more


def way_out(faults: Sequence[Fault]) -> str:
    """What to do about what was found, in one sentence."""
    changed = [fault for fault in faults if fault.written]
    if not changed:
        return "`macro doctor --repair` goes back to the last good version."
    return (
        "`macro doctor --deep --repair --from BACKUPS` puts back what a backup has of it; without a backup `--deep "
        "--repair` goes back to the last good version, or says what else helps."
    )


def _left(name: str, version: int, faults: tuple[Fault, ...]) -> RepairReport:
    """A table that can be read, of whose rows there is no other copy in the lake, is left as it is."""
    record = record_path(faults[0].file, str(faults[0].written))
    message = (
        f"{name}, version {version}: {in_words(faults)}. It was left as it is, as nothing else in the lake has its "
        f"rows: `--from BACKUPS` puts back what a backup has. To keep the file as it is, remove {record}."
    )
    return RepairReport(name, version, None, faults, None, message)


def _where(quarantine: Root) -> str:
    return f"Nothing was deleted: what was moved and a record are in {quarantine}."


def _went_back(lake: Lakehouse, name: str, before: int, good: int, faults: Sequence[Fault]) -> str:
    found = f"{name}, version {before}: {in_words(faults)}."
    if good == before:
        return f"{found} No row is missing: version {good} is read from the rest of the log."
    rows = opened(lake.root, name).count()
    return f"{found} It has the {rows:,} rows of version {good} again. {_missing(lake, name)}"


def _missing(lake: Lakehouse, name: str) -> str:
    """What a table that went back lacks, and what brings it back."""
    layer, _, rest = name.partition("/")
    if name in RETIRED:
        return "It was computed by an earlier version: `macro migrate` removes it."
    if name not in lake.catalog.tables:
        return "What was stored after it is missing: have the program that writes it bring it up to date."
    if layer == "raw":
        return f"Rows after that version are missing: {_from_landing(lake.root, rest)}."
    if layer == "silences":
        return f"What later vintages did not say is missing: {_from_landing(lake.root, rest)}."
    if layer == "landing":
        return (
            "Responses after that version are missing: `macro restore` brings them back from a backup. Do not run "
            f"`macro rebuild {rest}` without them, or {names.raw(rest)} loses their rows."
        )
    if layer == "audit":
        return (
            "Decisions after that version are missing: `macro restore` brings them back from a backup, or decide again."
        )
    if layer == "fetch_log":
        return f"`macro run {names.raw(rest)}` brings it up to date."
    return f"`macro run {name} --force` computes it from what is stored now."


def _from_landing(root: Root, source: str) -> str:
    if _is_landing_whole(root, source):
        return f"`macro rebuild {source}` brings all rows back from landing"
    return (
        f"`macro restore` brings all rows back from a backup ({names.landing(source)} is not whole, so `macro rebuild` "
        "would not)"
    )


def _is_landing_whole(root: Root, source: str) -> bool:
    """Whether landing is sound and never lost anything to a repair."""
    landing = names.landing(source)
    try:
        return not examine(root, landing, deep=True) and not _was_repaired(root, landing)
    except LakeError:
        return False


def _was_repaired(root: Root, name: str) -> bool:
    from pyarrow.fs import FileSelector

    return bool(filesystem(root / name).get_file_info(FileSelector(QUARANTINE, allow_not_found=True)))


def _given_up(
    lake: Lakehouse, name: str, judged: Judgement, faults: tuple[Fault, ...], quarantine: Root
) -> RepairReport:
    """No good version is left: make way for a new table where it can be made anew, else leave everything as it is."""
    found = f"{name}, version {judged.newest}: {in_words(faults)}. No good version is left"
    way = _made_anew(lake, name)
    if way is None:
        restore = "`macro restore` brings it back from a backup"
        return RepairReport(name, judged.newest, None, faults, None, f"{found}; it was left as it is: {restore}.")
    log = reversed(log_names(filesystem(lake.root / name), name))
    _move(lake.root, name, [f"{LOG}/{n}" for n in log], quarantine)
    _record(quarantine, name, judged.newest, None, faults)
    message = f"{found}, and the table was set aside: {way}. {_where(quarantine)}"
    return RepairReport(name, judged.newest, None, faults, quarantine, message)


def _made_anew(lake: Lakehouse, name: str) -> str | None:
    """What makes a table from nothing; None where only a backup has it."""
    layer, _, rest = name.partition("/")
    if name not in lake.catalog.tables or layer in ("landing", "audit"):
        return None
    if layer == "raw":
        rebuild = f"`macro rebuild {rest}` makes it anew from landing; do that before anything is run"
        return rebuild if _is_landing_whole(lake.root, rest) else None
    if layer == "silences":
        return f"`macro rebuild {rest}` makes it anew from landing" if _is_landing_whole(lake.root, rest) else None
    return f"`macro run {names.raw(rest) if layer == 'fetch_log' else name}` makes it anew"
