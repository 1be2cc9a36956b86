"""What materializations say, taken from the rows of the event log.

Dagster makes eighteen objects of each event, a quarter of a millisecond; `macro run` asks thousands of them for three
tags. It leans on two internals of Dagster 1.13, the table of events and the JSON in it; where they are not as expected,
the events are read by Dagster itself, to the same answer, which a test compares.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Any

import dagster as dg

if TYPE_CHECKING:
    from collections.abc import Mapping

_AT_ONCE = 500
_TEXTS = (dg.TextMetadataValue, dg.MarkdownMetadataValue)


@dataclass(frozen=True)
class Said:
    """Partition, tags, and metadata (text and Markdown) of a materialization, and its time in seconds since 1970."""

    partition: str | None
    tags: Mapping[str, str]
    texts: Mapping[str, str]
    timestamp: float


def materializations(instance: dg.DagsterInstance, asset: dg.AssetKey, ids: Collection[int]) -> list[Said]:
    """What materializations of an asset say, by their ids in the event log, in any order."""
    try:
        return [_of_row(text, at) for text, at in _rows(instance, sorted(ids))]
    except (ImportError, AttributeError, KeyError, TypeError, ValueError):
        return of_events(instance, dg.AssetRecordsFilter(asset, storage_ids=list(ids)), len(ids))


def of_events(instance: dg.DagsterInstance, wanted: dg.AssetRecordsFilter | dg.AssetKey, limit: int) -> list[Said]:
    """What the latest materializations say, by Dagster's own reading."""
    found = instance.fetch_materializations(wanted, limit=limit).records
    return [_of_event(r) for r in found]


def _rows(instance: dg.DagsterInstance, ids: list[int]) -> list[Any]:
    from dagster._core.storage.event_log.schema import SqlEventLogStorageTable as Events
    from sqlalchemy import select

    storage: Any = instance.event_log_storage
    rows: list[Any] = []
    with storage.index_connection() as connection:
        for start in range(0, len(ids), _AT_ONCE):
            some = select(Events.c.event, Events.c.timestamp).where(Events.c.id.in_(ids[start : start + _AT_ONCE]))
            rows += connection.execute(some).fetchall()
    return rows


def _of_row(text: str, at: Any) -> Said:
    said = json.loads(text)["dagster_event"]["event_specific_data"]["materialization"]
    entries = ((e["label"], e["entry_data"]) for e in said["metadata_entries"])
    texts = {label: text for label, data in entries if (text := data.get("text", data.get("md_str"))) is not None}
    return Said(said["partition"], said["tags"] or {}, texts, at.replace(tzinfo=UTC).timestamp())


def _of_event(record: dg.EventLogRecord) -> Said:
    said = record.asset_materialization
    metadata = said.metadata if said else {}
    texts = {k: str(v.value) for k, v in metadata.items() if isinstance(v, _TEXTS)}
    return Said(record.partition_key, (said.tags if said else None) or {}, texts, record.timestamp)
