"""`macro run`: bring the lake up to date in a few Dagster runs, and say what was done.

Raw series come first, then the derived tables by their depth in the graph: what is stale of a level is asked when all
that it reads is there. As-of months and unpartitioned tables have different partitions and so go in runs of their own.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import dagster as dg

from macro_assets.catalog import Catalog, UnknownNameError, names
from macro_assets.catalog.load import unknown_name_message
from macro_assets.graph.check import levels
from macro_assets.graph.declared import derivations
from macro_assets.graph.derivation import Derivation
from macro_assets.lakehouse.delta import check_writable, open_table
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.orchestration.build import build_defs, step_tables
from macro_assets.orchestration.dead_runs import end_dead_runs, signature
from macro_assets.orchestration.describe import key, raw_assets_by_name
from macro_assets.orchestration.partitions import AS_OF_MONTHS, RANGE_END, RANGE_START, YEARS
from macro_assets.orchestration.records import FORCE
from macro_assets.orchestration.refresh import Refresh
from macro_assets.orchestration.staleness import stale_months, stale_series, stale_tables
from macro_assets.orchestration.summary import Summary, was_interrupted
from macro_assets.publishing.pages import write_index

Cell = tuple[str, str | None]
"""A table, or an as-of month of one."""


class PartitionError(ValueError):
    """A partition that no selected asset has."""


@dataclass(frozen=True)
class Selection:
    """What to bring up to date: series by source, derived tables; and which partitions of those that have some."""

    series: dict[str, tuple[str, ...]]
    tables: tuple[str, ...]
    years: tuple[str, ...] = ()
    months: tuple[str, ...] = ()


def select(
    words: Sequence[str],
    catalog: Catalog,
    first: str | None = None,
    last: str | None = None,
    live: bool = False,
    found: Sequence[Derivation] | None = None,
) -> Selection:
    """The assets and partitions that words name.

    Parameters
    ----------
    words
        Layers ('normalized'), tables ('forecasts/gdp_nowcast'), sources ('raw/bundled') or series
        ('raw/bundled/PAYEMS'). None = everything.
    first, last
        Range of partitions: years for raw series, 'YYYY-MM' for as-of tables.
    live
        Whether 'raw' and no words mean the sources behind a network too; otherwise these are named to be asked.
    found
        Default: the derivations of the catalog.

    Raises
    ------
    UnknownNameError, PartitionError
    """
    series = raw_assets_by_name(catalog)
    made = {t: d for d in found or derivations(catalog) for t in d.tables}
    assets = [*series, *made]
    usual = {n for n in assets if live or n not in series or not catalog.sources[series[n].source].is_live}
    chosen = set() if words else usual
    for word in words:
        if not word.strip("/ "):
            raise UnknownNameError(
                "an empty name names no asset: name one, or none for all. `macro list` shows all names."
            )
        matched = [n for n in assets if n == word or n.startswith(word.rstrip("/") + "/")]
        if not matched:
            layers = {n.rsplit("/", 1)[0] for n in assets} | {n.split("/")[0] for n in assets}
            titles = {n: t.title for n, t in catalog.tables.items()} | {n: s.title for n, s in series.items()}
            raise UnknownNameError(unknown_name_message("asset", word, [*assets, *layers], titles))
        chosen.update(usual.intersection(matched) if word.rstrip("/") == "raw" else matched)
    by_source = {
        s: tuple(x.id for n, x in series.items() if n in chosen and x.source == s)
        for s in catalog.sources
        if any(n in chosen and x.source == s for n, x in series.items())
    }
    tables = tuple(t for t in made if t in chosen)
    years, months = _partitions(first, last, bool(by_source), any(made[t].grid for t in tables))
    return Selection(by_source, tables, years, months)


def _partitions(
    first: str | None, last: str | None, has_series: bool, has_months: bool
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if first is None and last is None:
        return (), ()
    for grid, present, kind in ((YEARS, has_series, "years"), (AS_OF_MONTHS, has_months, "as-of months")):
        keys = grid.get_partition_keys()
        start, end = first or keys[0], last or keys[-1]
        if not present or len(start) != len(keys[0]):
            continue
        for k in (start, end):
            if k not in keys:
                earlier = f"; {keys[0]} has all earlier ones too" if grid is YEARS else ""
                raise PartitionError(
                    f"partition {k!r} is out of range: the selected assets have {kind} {keys[0]} to {keys[-1]}{earlier}"
                )
        if start > end:
            raise PartitionError(f"the range of partitions is empty: {start} is after {end}")
        span = tuple(keys[keys.index(start) : keys.index(end) + 1])
        return (span, ()) if grid is YEARS else ((), span)
    raise PartitionError(
        f"partition {first or last!r} fits no selected asset: raw series have years such as '2016', "
        "as-of tables have months such as '2016-07', other tables have no partitions"
    )


def run(
    lake: Lakehouse,
    selection: Selection,
    instance: dg.DagsterInstance,
    force: bool = False,
    found: Sequence[Derivation] | None = None,
) -> Summary:
    """Run what is stale in a selection (all of it with `force`) and return what was done.

    `found` are the derivations of which it is a selection; by default those of the catalog.

    Raises
    ------
    LakeError
        When the lake cannot be read or written; nothing was run then.
    KeyboardInterrupt
        When the user interrupts; what was stored by then stays, and the next call goes on from there.
    """
    check_writable(lake.root)
    for name in lake.catalog.tables:
        open_table(lake.root, name)  # a table of a newer schema stops the command before anything runs
    started = time.perf_counter()
    end_dead_runs(instance)
    found = found or derivations(lake.catalog)
    asked = _months(found, selection)
    total = sum(len(ids) + 1 for ids in selection.series.values()) + sum(map(len, asked.values()))
    runner = _Runner(lake, instance, found, total)
    for source, ids in selection.series.items():
        runner.refresh(source, ids, selection.years, force)
    for level in levels(found, lake.catalog):
        runner.derive(level, asked, force)
    if any(names.chart(c) in asked for c in lake.catalog.charts):
        write_index(lake)
    runner.summary.seconds = time.perf_counter() - started
    return runner.summary


def _months(found: Iterable[Derivation], selection: Selection) -> dict[str, tuple[str | None, ...]]:
    """What is asked of each selected table: as-of months, by default those of a demo and the open one, or the table."""
    open_month = AS_OF_MONTHS.get_last_partition_key()
    return {
        t: (selection.months or tuple(dict.fromkeys((*d.demo, open_month)))) if d.grid else (None,)
        for d in found
        for t in d.tables
        if t in selection.tables
    }


def run_refreshes(lake: Lakehouse, refreshes: Sequence[Refresh], instance: dg.DagsterInstance) -> Summary:
    """Carry out refreshes, one Dagster run each, and return what was done. Raises as :func:`run`."""
    check_writable(lake.root)
    started = time.perf_counter()
    end_dead_runs(instance)
    total = sum(len(r.keys(lake.catalog)) for r in refreshes)
    runner = _Runner(lake, instance, derivations(lake.catalog), total)
    for refresh in refreshes:
        runner.carry_out(refresh)
    runner.summary.seconds = time.perf_counter() - started
    return runner.summary


class _Runner:
    """The Dagster runs of one call, sharing its definitions, progress and summary."""

    def __init__(self, lake: Lakehouse, instance: dg.DagsterInstance, found: Sequence[Derivation], total: int) -> None:
        self.lake = lake
        self.instance = instance
        self.catalog = lake.catalog
        self.total = total
        self.done = 0
        self.found = found
        self.summary = Summary()

    @cached_property
    def job(self) -> dg.JobDefinition:
        """All assets as a job; made when something is to be run, which takes a second."""
        definitions = build_defs(self.catalog, found=self.found)
        self.summary.steps, self.summary.checks = step_tables(definitions)
        return definitions.resolve_implicit_global_asset_job_def()

    def refresh(self, source: str, ids: Sequence[str], years: Sequence[str], force: bool) -> None:
        declared = self.catalog.sources[source]
        if force or years:
            stale = dict.fromkeys(ids, "asked for")
        else:
            reasons = stale_series(self.lake, self.instance, declared)
            stale = {i: reasons[i] for i in ids if i in reasons}
        self._skip("raw", len(ids) - len(stale) + (0 if stale else 1))
        if stale:
            assets = {s.id: names.raw_series(s) for s in self.catalog.series_of(source)}
            self.summary.reasons |= {assets[i]: why for i, why in stale.items()}
            keys = [*(key(assets[i]) for i in stale), key(names.raw(source))]
            span = years or YEARS.get_partition_keys()
            self._execute(keys, {RANGE_START: span[0], RANGE_END: span[-1]}, len(keys))

    def carry_out(self, refresh: Refresh) -> None:
        """One Dagster run that fetches what a refresh names."""
        self.summary.reasons |= refresh.reasons
        keys = refresh.keys(self.catalog)
        self._execute(keys, refresh.tags, len(keys))

    def derive(self, level: Sequence[Derivation], asked: Mapping[str, tuple[str | None, ...]], force: bool) -> None:
        """One Dagster run for the unpartitioned tables of a level, one for each span of as-of months."""
        wanted = {(t, m): "asked for" for d in level for t in d.tables for m in asked.get(t, ())}
        stale = wanted if force else {cell: why for cell, why in self._stale(level, asked).items() if cell in wanted}
        for table, _ in (cell for cell in wanted if cell not in stale):
            self._skip(table.split("/")[0], 1)
        self.summary.reasons |= {" ".join(filter(None, cell)): why for cell, why in stale.items()}
        tags = {FORCE: "true"} if force else {}
        if tables := [t for t, m in stale if m is None]:
            self._execute([key(t) for t in tables], tags, len(tables))
        for span, tables in _spans(stale).items():
            months = {RANGE_START: span[0], RANGE_END: span[-1]}
            self._execute([key(t) for t in tables], {**tags, **months}, len(tables) * len(span))

    def _stale(self, level: Sequence[Derivation], asked: Mapping[str, tuple[str | None, ...]]) -> dict[Cell, str]:
        selected = [d for d in level if any(t in asked for t in d.tables)]
        tables = stale_tables(self.lake, self.instance, [d for d in selected if not d.grid])
        by_month = {d: [m for m in asked[next(t for t in d.tables if t in asked)] if m] for d in selected if d.grid}
        months = stale_months(self.lake, self.instance, by_month)
        found: dict[Cell, str] = {(t, None): why for t, why in tables.items()}
        return found | dict(months.items())

    def _skip(self, layer: str, count: int) -> None:
        self.summary.layer(layer).skipped += count
        self.done += count

    def _execute(self, keys: Sequence[dg.AssetKey], tags: Mapping[str, str], count: int) -> None:
        """One Dagster run of so many results in this process; what its events say goes into the summary."""
        result = self.job.execute_in_process(
            instance=self.instance,
            asset_selection=list(keys),
            tags={**signature(), **tags},
            run_config={"loggers": {"progress": {"config": {"done": self.done, "total": self.total}}}},
            raise_on_error=False,
        )
        self.done += count
        records = self.instance.all_logs(result.run_id)
        self.summary.add_run(records)
        if was_interrupted(records):
            raise KeyboardInterrupt


def _spans(stale: Mapping[Cell, str]) -> dict[tuple[str, ...], list[str]]:
    """Spans of consecutive months, each with the tables that are to be computed in all of them."""
    grid = AS_OF_MONTHS.get_partition_keys()
    months: dict[str, list[int]] = {}
    for table, month in stale:
        if month is not None:
            months.setdefault(table, []).append(grid.index(month))
    spans: dict[tuple[str, ...], list[str]] = {}
    for table, places in months.items():
        places.sort()
        breaks = [i for i, (a, b) in enumerate(pairwise(places), start=1) if b != a + 1]
        for start, end in pairwise([0, *breaks, len(places)]):
            spans.setdefault(tuple(grid[p] for p in places[start:end]), []).append(table)
    return spans
