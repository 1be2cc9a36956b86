"""`macro run`: bring the lake up to date in a few Dagster runs, and say what was done.

Raw series, as-of months and unpartitioned tables have different partitions and so go in runs of their own, in that
order; what is stale is asked again before each, from what is stored by then.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import dagster as dg

from macro_assets.catalog import Catalog, UnknownNameError, names
from macro_assets.catalog.load import unknown_name_message
from macro_assets.graph.declared import derivations
from macro_assets.lakehouse.delta import check_writable, open_table
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.orchestration.build import build_defs
from macro_assets.orchestration.dead_runs import end_dead_runs, signature
from macro_assets.orchestration.describe import key, series_key
from macro_assets.orchestration.partitions import AS_OF_MONTHS, RANGE_END, RANGE_START, YEARS
from macro_assets.orchestration.refresh import Refresh
from macro_assets.orchestration.staleness import stale_months, stale_series, stale_tables
from macro_assets.orchestration.summary import Summary, was_interrupted
from macro_assets.publishing.pages import write_index


class PartitionError(ValueError):
    """A partition that no selected asset has."""


@dataclass(frozen=True)
class Selection:
    """What to bring up to date: series by source, models, derived tables; and which partitions of the first two."""

    series: dict[str, tuple[str, ...]]
    models: tuple[str, ...]
    tables: tuple[str, ...]
    years: tuple[str, ...] = ()
    months: tuple[str, ...] = ()


def select(
    words: Sequence[str], catalog: Catalog, first: str | None = None, last: str | None = None, live: bool = False
) -> Selection:
    """The assets and partitions that words name.

    Parameters
    ----------
    words
        Layers ('normalized'), tables ('forecasts/gdp_nowcast'), sources ('raw/bundled') or series
        ('raw/bundled/PAYEMS'). None = everything.
    first, last
        Range of partitions: years for raw series, 'YYYY-MM' for forecasts.
    live
        Whether 'raw' and no words mean the sources behind a network too; otherwise these are named to be asked.

    Raises
    ------
    UnknownNameError, PartitionError
    """
    series = {names.raw_series(s): s for s in catalog.series.values()}
    models = {f"forecasts/{m}": m for m in catalog.models}
    news = {f"forecasts/{m}_news": m for m in catalog.models}
    tables = list(derivations(catalog))
    assets = [*series, *models, *news, *tables]
    usual = {n for n in assets if live or n not in series or not catalog.sources[series[n].source].is_live}
    chosen = set() if words else usual
    for word in words:
        matched = [n for n in assets if n == word or n.startswith(word.rstrip("/") + "/")]
        if not matched:
            layers = {n.rsplit("/", 1)[0] for n in assets} | {n.split("/")[0] for n in assets}
            raise UnknownNameError(unknown_name_message("asset", word, [*assets, *layers]))
        chosen.update(usual.intersection(matched) if word.rstrip("/") == "raw" else matched)
    by_source = {
        s: tuple(x.id for n, x in series.items() if n in chosen and x.source == s)
        for s in catalog.sources
        if any(n in chosen and x.source == s for n, x in series.items())
    }
    picked = tuple(dict.fromkeys(m for n, m in (models | news).items() if n in chosen))
    years, months = _partitions(first, last, bool(by_source), bool(picked))
    return Selection(by_source, picked, tuple(t for t in tables if t in chosen), years, months)


def _partitions(
    first: str | None, last: str | None, has_series: bool, has_models: bool
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if first is None and last is None:
        return (), ()
    for grid, present, kind in ((YEARS, has_series, "years"), (AS_OF_MONTHS, has_models, "as-of months")):
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
        "forecasts have as-of months such as '2016-07', other tables have no partitions"
    )


def run(lake: Lakehouse, selection: Selection, instance: dg.DagsterInstance, force: bool = False) -> Summary:
    """Run what is stale in a selection (all of it with `force`) and return what was done.

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
    runner = _Runner(lake, instance, Summary(), _count(selection))
    for source, ids in selection.series.items():
        runner.refresh(source, ids, selection.years, force)
    for model in selection.models:
        runner.backfill(model, selection.months, force)
    if selection.tables:
        runner.derive(selection.tables, force)
    if any(t.startswith("charts/") for t in selection.tables):
        write_index(lake)
    runner.summary.seconds = time.perf_counter() - started
    return runner.summary


def run_refreshes(lake: Lakehouse, refreshes: Sequence[Refresh], instance: dg.DagsterInstance) -> Summary:
    """Carry out refreshes, one Dagster run each, and return what was done. Raises as :func:`run`."""
    check_writable(lake.root)
    started = time.perf_counter()
    end_dead_runs(instance)
    runner = _Runner(lake, instance, Summary(), sum(len(r.keys(lake.catalog)) for r in refreshes))
    for refresh in refreshes:
        runner.carry_out(refresh)
    runner.summary.seconds = time.perf_counter() - started
    return runner.summary


def _count(selection: Selection) -> int:
    """Assets in a selection; a source's table and a model's news count too."""
    return sum(len(ids) + 1 for ids in selection.series.values()) + 2 * len(selection.models) + len(selection.tables)


class _Runner:
    """The Dagster runs of one call, sharing its definitions, progress and summary."""

    def __init__(self, lake: Lakehouse, instance: dg.DagsterInstance, summary: Summary, total: int) -> None:
        self.lake = lake
        self.instance = instance
        self.catalog = lake.catalog
        self.summary = summary
        self.total = total
        self.done = 0
        self.job = build_defs(lake.catalog).resolve_implicit_global_asset_job_def()

    def refresh(self, source: str, ids: Sequence[str], years: Sequence[str], force: bool) -> None:
        declared = self.catalog.sources[source]
        if force or years:
            stale = dict.fromkeys(ids, "asked for")
        else:
            reasons = stale_series(self.lake, self.instance, declared)
            stale = {i: reasons[i] for i in ids if i in reasons}
        self._skip("raw", len(ids) - len(stale) + (0 if stale else 1))
        if stale:
            self.summary.reasons |= {names.raw_series(self.catalog.one_series(i)): why for i, why in stale.items()}
            keys = [series_key(self.catalog.one_series(i)) for i in stale]
            span = years or YEARS.get_partition_keys()
            self._execute([*keys, key(names.raw(source))], {RANGE_START: span[0], RANGE_END: span[-1]})

    def carry_out(self, refresh: Refresh) -> None:
        """One Dagster run that fetches what a refresh names."""
        named = {names.raw_series(self.catalog.one_series(i)): why for i, why in refresh.reasons.items()}
        self.summary.reasons |= named
        self._execute(refresh.keys(self.catalog), refresh.tags)

    def backfill(self, name: str, months: Sequence[str], force: bool) -> None:
        model = self.catalog.models[name]
        asked = list(months or model.demo_partitions)
        stale = dict.fromkeys(asked, "asked for") if force else stale_months(self.lake, self.instance, model, asked)
        self._skip("forecasts", 0 if stale else 2)
        if stale:
            self.summary.reasons |= {f"forecasts/{name} {m}": why for m, why in stale.items()}
            keys = [key(f"forecasts/{name}"), key(f"forecasts/{name}_news")]
            # a range is one run; months in between that were up to date are computed again, to the same result
            self._execute(keys, {RANGE_START: min(stale), RANGE_END: max(stale)})

    def derive(self, tables: Sequence[str], force: bool) -> None:
        if force:
            stale = dict.fromkeys(tables, "asked for")
        else:
            reasons = stale_tables(self.lake, self.instance)
            stale = {t: reasons[t] for t in tables if t in reasons}
        for table in tables:
            self._skip(table.split("/")[0], 0 if table in stale else 1)
        if stale:
            self.summary.reasons |= stale
            self._execute([key(t) for t in stale], {})

    def _skip(self, layer: str, count: int) -> None:
        self.summary.layer(layer).skipped += count
        self.done += count

    def _execute(self, keys: Sequence[dg.AssetKey], tags: Mapping[str, str]) -> None:
        """One Dagster run in this process; what its events say goes into the summary."""
        result = self.job.execute_in_process(
            instance=self.instance,
            asset_selection=list(keys),
            tags={**signature(), **tags},
            run_config={"loggers": {"progress": {"config": {"done": self.done, "total": self.total}}}},
            raise_on_error=False,
        )
        self.done += len(keys)
        records = self.instance.all_logs(result.run_id)
        self.summary.add_run(records)
        if was_interrupted(records):
            raise KeyboardInterrupt
