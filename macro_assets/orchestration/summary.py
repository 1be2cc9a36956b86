"""What `macro run` says it did, read from the events of its Dagster runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import dagster as dg

from macro_assets.orchestration.records import UNCHANGED
from macro_assets.sources.fetching import without_names


@dataclass
class LayerSummary:
    """What happened to one layer: assets run and skipped, checks, seconds of its steps."""

    ran: int = 0
    skipped: int = 0
    passed: int = 0
    failed: int = 0
    seconds: float = 0.0


@dataclass
class Summary:
    """What a call did: per layer, the assets run with the reason, and what failed or warned with why.

    `steps` are the tables that steps make, `checks` those that steps check, by the steps' names.
    """

    steps: Mapping[str, str] = field(default_factory=dict, repr=False)
    checks: Mapping[str, str] = field(default_factory=dict, repr=False)
    layers: dict[str, LayerSummary] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    warnings: dict[str, str] = field(default_factory=dict)
    runs: int = 0
    seconds: float = 0.0

    def layer(self, name: str) -> LayerSummary:
        """The summary of a layer, empty at first."""
        return self.layers.setdefault(name, LayerSummary())

    @property
    def told(self) -> dict[str, str]:
        """What failed, as one says it: what failed alike, of whatever source, in one line with the first names."""
        alike: dict[str, list[str]] = {}
        for name, why in self.failures.items():
            alike.setdefault(without_names(why), []).append(name)
        return {_first_of(names): self.failures[names[0]] if len(names) == 1 else why for why, names in alike.items()}

    def add_run(self, records: Iterable[dg.EventLogEntry]) -> None:
        """Add the events of one Dagster run."""
        self.runs += 1
        materialized: dict[tuple[str, ...], bool] = {}
        started: dict[str, float] = {}
        for record in records:
            event = record.dagster_event
            if event is None:
                continue
            match event.event_type_value:
                case "ASSET_MATERIALIZATION" if event.asset_key:
                    found = event.step_materialization_data.materialization
                    is_series = len(found.asset_key.path) == 3  # its years are one thing
                    cell = (*found.asset_key.path, "" if is_series else found.partition or "")
                    materialized[cell] = UNCHANGED not in found.metadata
                case "ASSET_CHECK_EVALUATION":
                    self._add_check(event.asset_check_evaluation_data)
                case "STEP_START":
                    started[str(event.step_key)] = record.timestamp
                case "STEP_SUCCESS" | "STEP_FAILURE":
                    step = str(event.step_key)
                    self.layer(self._layer(step)).seconds += record.timestamp - started.get(step, record.timestamp)
                    if event.is_step_failure:
                        self._add_failure(step, event)
        for (layer, *_), computed in materialized.items():
            self.layer(layer).ran += computed
            self.layer(layer).skipped += not computed

    def _layer(self, step: str) -> str:
        return self.steps.get(step, self.checks.get(step, step)).partition("/")[0]

    def _add_check(self, check: dg.AssetCheckEvaluation) -> None:
        layer, name = self.layer(check.asset_key.path[0]), "/".join(check.asset_key.path)
        if check.passed:
            layer.passed += 1
        elif self._is_told(name):
            return
        elif check.severity == dg.AssetCheckSeverity.WARN:
            self.warnings[name] = check.description or "check warned"
        else:
            layer.failed += 1
            self.failures[name] = check.description or "check failed"

    def _is_told(self, table: str) -> bool:
        """Whether a series of a raw table is named already: what the table's checks say is that once more."""
        return any(name.startswith(f"{table}/") for name in self.failures)

    def _add_failure(self, step: str, event: dg.DagsterEvent) -> None:
        table = self.steps.get(step, self.checks.get(step, step))
        if self._is_told(table):
            return
        if step in self.checks:
            self.layer(self._layer(step)).failed += 1
        self.failures.setdefault(table, _reason(event))


def _first_of(names: Sequence[str], shown: int = 5) -> str:
    """The first of some names, and how many there are more."""
    return ", ".join(names[:shown]) + (f" and {len(names) - shown} more" if len(names) > shown else "")


def was_interrupted(records: Iterable[dg.EventLogEntry]) -> bool:
    """Whether the user stopped a run."""
    failures = (r.dagster_event for r in records if r.dagster_event and r.dagster_event.is_step_failure)
    return any(_reason(e).endswith("DagsterExecutionInterruptedError") for e in failures)


def _reason(event: dg.DagsterEvent) -> str:
    """Why a step failed, without the stack."""
    data = event.step_failure_data
    if data.user_failure_data and data.user_failure_data.description:
        return data.user_failure_data.description
    error = data.error
    while error is not None and error.cause is not None:
        error = error.cause
    return " ".join(error.message.split()) if error is not None else "unknown error"
