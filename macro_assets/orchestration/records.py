"""What Dagster remembers of what was computed: the code, the inputs and the result of the last materialization.

A materialization says it in its tags; its metadata name each input's version. Every answer to "is it up to date" is
made of these and of what is stored now.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from macro_assets.graph.inputs import Versions, slice_of
from macro_assets.orchestration.describe import key
from macro_assets.orchestration.event_rows import Said, materializations, of_events

_CODE, _DATA, _SLICE = "dagster/code_version", "dagster/data_version", "macro_assets/slice"
_INPUTS = "inputs"
UNCHANGED = "unchanged_since"
"""Metadata of a materialization whose inputs and code were as before: when the stored result was computed."""

EMPTY = "empty"
"""Metadata of a month that cannot be, and of a table without rows: why."""

FORCE = "macro_assets/force"
"""Tag of runs whose steps compute although nothing changed."""


@dataclass(frozen=True)
class Record:
    """A materialization: versions of its code, of all inputs (slice) and of its result, and when it was computed.

    `inputs` are the versions of each, as :func:`inputs_metadata` writes them.
    """

    code: str
    slice: str
    data: str
    inputs: str
    computed: str

    def why_stale(self, code: str, versions: Versions, stored: str | None) -> str | None:
        """Why the result is out of date, in words; None when it is not.

        Parameters
        ----------
        code, versions
            The present code version, and those of the inputs.
        stored
            Data version of what is stored now; None where nothing is.
        """
        if stored is None:
            return "not in the lake"
        if self.code != code:
            return "its code or catalog entry changed"
        if self.slice != slice_of(versions):
            before = _versions(self.inputs)
            changed = sorted(k for k in {*versions, *before} if versions.get(k) != before.get(k))
            return f"{_named(changed)} changed"
        if self.data != stored:
            return "what is stored is not what was computed"
        return None


def _named(inputs: list[str]) -> str:
    """Inputs that changed, the first few by name."""
    return ", ".join(inputs[:3]) + (f" and {len(inputs) - 3} more" if len(inputs) > 3 else "")


def tags(code: str, versions: Versions, data: str) -> dict[str, str]:
    """Tags of a materialization that is logged with its data and code version."""
    return {_CODE: code, _DATA: data, **slice_tag(versions)}


def slice_tag(versions: Versions) -> dict[str, str]:
    """The tag that says what was read."""
    return {_SLICE: slice_of(versions)}


def upstream_tags(instance: dg.DagsterInstance, tables: Iterable[str]) -> dict[str, str]:
    """Tags that say of which materialized tables a result was made.

    Dagster adds them to what a step returns, not to what it logs by month: the UI called every month unsynced.
    """
    tags: dict[str, str] = {}
    for table in tables:
        record = last_record(instance, table)
        tags[f"dagster/input_data_version/{table}"] = record.data if record else "INITIAL"
        tags[f"dagster/input_event_pointer/{table}"] = "NULL"
    return tags


def inputs_metadata(versions: Versions) -> dict[str, Any]:
    """The version of each input, a line each, for the reason why something is out of date.

    As Markdown, of which the UI shows a long one when it is asked for: as text, 52 lines ran together on the page. As
    JSON Dagster takes it apart with every record: 4,000 months of 25 series were read in 0.9 s.
    """
    return {_INPUTS: dg.MetadataValue.md("\n".join(f"- {name}: {version}" for name, version in versions.items()))}


def _versions(lines: str) -> dict[str, str]:
    return dict(line.removeprefix("- ").partition(": ")[::2] for line in lines.splitlines())


def standing(
    instance: dg.DagsterInstance, table: str, record: Record, versions: Versions, month: str | None = None
) -> dict[str, Any]:
    """Metadata of a result that stands: since when it is what it is, and what was said of it then.

    The UI shows the latest materialization alone: a chart whose inputs changed nothing of it lost its picture there.
    """
    wanted = dg.AssetRecordsFilter(key(table), asset_partitions=[month] if month else None)
    found = instance.fetch_materializations(wanted, limit=1).records
    said = found[0].asset_materialization if found else None
    return {**(said.metadata if said else {}), UNCHANGED: record.computed, **inputs_metadata(versions)}


def last_record(instance: dg.DagsterInstance, table: str) -> Record | None:
    """The last materialization of an unpartitioned table."""
    found = of_events(instance, key(table), limit=1)
    return _record(found[0]) if found else None


def month_records(instance: dg.DagsterInstance, table: str, months: Collection[str]) -> dict[str, Record]:
    """The last materialization of each as-of month."""
    kind = dg.DagsterEventType.ASSET_MATERIALIZATION
    latest = instance.event_log_storage.get_latest_storage_id_by_partition(key(table), kind, set(months))
    return {str(s.partition): _record(s) for s in materializations(instance, key(table), latest.values())}


def _record(said: Said) -> Record:
    computed = said.texts.get(UNCHANGED) or datetime.fromtimestamp(said.timestamp, UTC).isoformat(timespec="seconds")
    code, read, data = (said.tags.get(tag, "") for tag in (_CODE, _SLICE, _DATA))
    return Record(code, read, data, said.texts.get(_INPUTS, ""), computed)
