"""Progress of a run on the terminal: which asset, how far, how long."""

import logging
import sys
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from macro_assets.orchestration.records import EMPTY
from macro_assets.publishing.plain import plain

EVERY_SERIES = 10
"""Series share a step and come in bursts: one line for so many."""


class ProgressHandler(logging.Handler):
    """Prints a line per materialized table, and one per ten series."""

    def __init__(self, done: int, total: int) -> None:
        super().__init__()
        self.total = total
        self.done = done
        self.seen: set[str] = set()
        self.step_started = datetime.now(UTC)

    def emit(self, record: logging.LogRecord) -> None:
        meta: dict[str, Any] = getattr(record, "dagster_meta", {})
        event = meta.get("dagster_event")
        if event is None:
            if record.levelno >= logging.INFO:
                self._print(f"{' ' * 10} {meta.get('orig_message', record.getMessage())}")
            return
        if event.event_type_value == "STEP_START":
            self.step_started = datetime.now(UTC)
        elif event.event_type_value == "STEP_FAILURE":
            self._print(f"{' ' * 10} FAILED: {event.step_key}")
        elif event.event_type_value == "ASSET_MATERIALIZATION":
            self._materialized(event)

    def _materialized(self, event: dg.DagsterEvent) -> None:
        found = event.step_materialization_data.materialization
        path = found.asset_key.path
        is_series = len(path) == 3  # its years come one by one, and are one thing
        name = "/".join(path) if is_series or not found.partition else f"{'/'.join(path)} {found.partition}"
        if name in self.seen:
            return
        self.seen.add(name)
        self.done += 1
        if is_series and self.done % EVERY_SERIES:
            return
        count = found.metadata.get("dagster/row_count")
        rows = f"{count.value:>9,} rows" if count is not None else ""
        seconds = (datetime.now(UTC) - self.step_started).total_seconds()
        self._print(f"[{self.done:>3}/{self.total:>3}]  {name:<38}{rows:>15} {seconds:6.1f} s")
        if EMPTY in found.metadata and not found.partition:
            self._print(f"{' ' * 10} {found.metadata[EMPTY].value}")

    @staticmethod
    def _print(line: str) -> None:
        print(plain(line), file=sys.stderr, flush=True)


@dg.logger(
    config_schema={"done": dg.Field(int, default_value=0), "total": dg.Field(int, default_value=0)},
    description="Progress lines of `macro run`",
)
def progress_logger(context: dg.InitLoggerContext) -> logging.Logger:
    """The logger that `macro run` asks for; `done` assets of `total` were finished by earlier runs of the command."""
    logger = logging.Logger("macro_assets.progress")
    logger.addHandler(ProgressHandler(context.logger_config["done"], context.logger_config["total"]))
    return logger
