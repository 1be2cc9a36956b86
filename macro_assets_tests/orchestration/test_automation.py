"""Automation, tick by tick: a changed source table runs what is below it, an unchanged one nothing.

The first tests are on the real definitions and the toy world, the others on tables of which only the place in the graph
matters: a test says what a run of each does.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from macro_assets.catalog import default_catalog
from macro_assets.definitions import defs
from macro_assets.graph.check import parents
from macro_assets.graph.declared import derivations
from macro_assets.orchestration.automation import AS_OF, DERIVED
from macro_assets.orchestration.partitions import AS_OF_MONTHS
from macro_assets_tests.orchestration.toy import (
    SERIES,
    execute,
    raw_keys,
    spoiled_source,
    toy_definitions,
    with_values,
)

OPEN_MONTH = AS_OF_MONTHS.get_last_partition_key()


def computed_of(*families: str) -> set[str]:
    """Tables without as-of months that are made of series of some families, not through as-of months alone."""
    catalog, found = default_catalog(), {f"normalized/{family}" for family in families}
    for derivation in derivations(catalog):
        if derivation.grid is None and found & {*parents(derivation, catalog)}:
            found |= {*derivation.tables}
    return {t for t in found if not t.startswith("normalized/")}


CHART_TABLES = {t for t in computed_of("fred", "markets") if t.startswith("charts/")}


def made_of(*families: str) -> set[str]:
    """Tables that are made of series of some families."""
    catalog = default_catalog()
    homes = {t: {catalog.series[s].source for s in catalog.series_behind(t)} for t in catalog.tables}
    return {t for t, sources in homes.items() if {catalog.sources[s].family for s in sources} & set(families)}


UNPARTITIONED = {
    "normalized/fred",
    "normalized/markets",  # the package has a copy of the S&P 500 too
    *computed_of("fred", "markets"),
}
AS_OF_TABLES = {t for d in derivations(default_catalog()) if d.grid for t in d.tables}
OF_FRED = AS_OF_TABLES & made_of("fred")


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


class Daemon:
    """Ticks of the automation daemon."""

    def __init__(self, definitions: dg.Definitions, instance: dg.DagsterInstance) -> None:
        self.definitions = definitions
        self.instance = instance
        self.cursor = None

    def tick(self, now: datetime | None = None) -> dict[str, set[str | None]]:
        """What the tick requests: partitions (None for an unpartitioned asset) by table."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", dg.BetaWarning)
            result = dg.evaluate_automation_conditions(
                self.definitions, self.instance, cursor=self.cursor, evaluation_time=now
            )
        self.cursor = result.cursor
        keys = [r.key for r in result.results if isinstance(r.key, dg.AssetKey) and result.get_num_requested(r.key)]
        return {"/".join(k.path): set(result.get_requested_partitions(k)) for k in keys}


def report(instance: dg.DagsterInstance, table: str, version: str, partition: str | None = None) -> None:
    tags = {"dagster/data_version": version}
    instance.report_runless_asset_event(dg.AssetMaterialization(table.split("/"), partition=partition, tags=tags))


def settled(instance: dg.DagsterInstance) -> Daemon:
    """A daemon that has seen the raw table once and requested what is below."""
    daemon = Daemon(defs, instance)
    assert daemon.tick() == {}
    report(instance, "raw/bundled", "one")
    assert daemon.tick()
    for table in UNPARTITIONED:
        report(instance, table, "one")
    for table in AS_OF_TABLES:
        report(instance, table, "one", OPEN_MONTH)
    while daemon.tick():
        pass
    return daemon


def test_a_changed_source_table_requests_everything_below_it(instance: dg.DagsterInstance) -> None:
    """Models are expensive: they wait until the family's table is out, and is another."""
    daemon = settled(instance)
    report(instance, "raw/bundled", "two")
    assert daemon.tick() == {table: {None} for table in UNPARTITIONED}
    assert daemon.tick() == {}
    report(instance, "normalized/fred", "one")
    assert daemon.tick() == {}
    report(instance, "normalized/fred", "two")
    assert set(daemon.tick()) == computed_of("fred") | OF_FRED
    assert daemon.tick() == {}


def test_an_unchanged_source_table_requests_nothing(instance: dg.DagsterInstance) -> None:
    daemon = settled(instance)
    report(instance, "raw/bundled", "one")
    assert daemon.tick() == {}


def test_automation_touches_the_open_month_only(instance: dg.DagsterInstance) -> None:
    daemon = settled(instance)
    report(instance, "normalized/fred", "two")
    requested = daemon.tick()
    assert all(requested[t] == {OPEN_MONTH} for t in OF_FRED)


def test_a_changed_forecast_of_any_month_redraws_its_chart(instance: dg.DagsterInstance) -> None:
    daemon = settled(instance)
    report(instance, "forecasts/gdp_nowcast", "backfilled", "2016-06")
    assert set(daemon.tick()) == {"charts/gdp_nowcast", "indicators/gdp_surprise"}


def test_a_ripple_ends_where_nothing_changed(instance: dg.DagsterInstance) -> None:
    """A table materialized by itself with the same output asks nothing of what is below."""
    daemon = settled(instance)
    report(instance, "indicators/economic_stress_index", "one")
    assert daemon.tick() == {}
    report(instance, "indicators/economic_stress_index", "two")
    below = read_by("indicators/economic_stress_index")
    assert {"charts/economic_stress_index", "indicators/economic_stress_by_category"} <= below
    assert set(daemon.tick()) == below


def read_by(table: str) -> set[str]:
    """Tables without as-of months that are made of one, directly or through others."""
    found = {table}
    for derivation in derivations(default_catalog()):  # inputs before outputs
        if derivation.grid is None and found & set(derivation.upstream):
            found |= set(derivation.tables)
    return found - {table}


def test_real_runs_from_a_changed_fetch_until_outputs_stop_changing(
    tmp_path: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    definitions = toy_definitions(tmp_path)
    daemon = Daemon(definitions, instance)
    daemon.tick()

    def drain() -> list[set[str]]:
        """Run what each tick requests until a tick requests nothing."""
        rounds = []
        while requested := daemon.tick():
            rounds.append(set(requested))
            keys = [dg.AssetKey(t.split("/")) for t in requested]
            assert execute(definitions, instance, keys, tags=None).success
            assert len(rounds) < 5, rounds
        return rounds

    normalized = {"normalized/fred"}
    assert execute(definitions, instance, raw_keys(*SERIES)).success
    assert drain() == [normalized]
    assert execute(definitions, instance, raw_keys(*SERIES)).success
    assert drain() == []
    spoiled_source(monkeypatch, with_values("AAA", pl.col("value") + 0.01))
    assert execute(definitions, instance, raw_keys(*SERIES)).success
    assert drain() == [normalized]


def test_a_failed_run_is_tried_once_more(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    definitions = toy_definitions(tmp_path)
    daemon = Daemon(definitions, instance)
    daemon.tick()
    assert execute(definitions, instance, raw_keys(*SERIES)).success
    first = daemon.tick()
    (tmp_path / "normalized").write_text("a file where a folder must be")  # every write below fails
    keys = [dg.AssetKey(t.split("/")) for t in first]
    assert not execute(definitions, instance, keys, tags=None).success
    again = daemon.tick()
    assert "normalized/fred" in again
    assert daemon.tick() == {}
    assert not execute(definitions, instance, [dg.AssetKey(t.split("/")) for t in again], tags=None).success
    assert "normalized/fred" not in daemon.tick()


Body = Callable[[], str]
"""What a run of a table does; it returns the data version."""


def table(
    name: str,
    above: Sequence[str],
    body: Body = lambda: "same",
    *,
    code: str = "1",
    condition: dg.AutomationCondition | None = DERIVED,
) -> dg.AssetsDefinition:
    """A table of which only the place in the graph matters; one of months when its condition is that of months."""

    @dg.asset(
        name=name,
        deps=above,
        code_version=code,
        automation_condition=condition,
        partitions_def=AS_OF_MONTHS if condition is AS_OF else None,
    )
    def made() -> dg.MaterializeResult:
        return dg.MaterializeResult(data_version=dg.DataVersion(body()))

    return made


def world(*below: dg.AssetsDefinition, up: Body = lambda: "same") -> dg.Definitions:
    return dg.Definitions([table("up", [], up, condition=None), *below])


def run(daemon: Daemon, *names: str, month: str | None = None) -> bool:
    """One run of these tables; whether it succeeded."""
    job = daemon.definitions.resolve_implicit_global_asset_job_def()
    return job.execute_in_process(
        instance=daemon.instance,
        asset_selection=[dg.AssetKey(n) for n in names],
        partition_key=month,
        raise_on_error=False,
    ).success


def rounds(daemon: Daemon) -> list[set[str]]:
    """Run what each tick requests until one requests nothing: the tables, round by round."""
    requested = []
    while found := daemon.tick():
        requested.append(set(found))
        for month in sorted({m for months in found.values() for m in months}, key=str):
            run(daemon, *(n for n in found if month in found[n]), month=month)
        assert len(requested) < 6, requested
    return requested


def settled_world(instance: dg.DagsterInstance, *below: dg.AssetsDefinition, up: Body = lambda: "same") -> Daemon:
    """A daemon that has seen everything made and has nothing to ask."""
    daemon = Daemon(world(*below, up=up), instance)
    report(instance, "up", "1")
    rounds(daemon)
    assert daemon.tick() == {}
    return daemon


class Scripted:
    """A body that does in each run what is written for it, and keeps what came of it.

    What fails in a body fails the run and not the test: a test looks at `seen`.
    """

    def __init__(self) -> None:
        self.runs: list[Sequence[Callable[[], object]]] = []
        self.seen: list[object] = []

    def __call__(self) -> str:
        for step in self.runs.pop(0) if self.runs else ():
            self.seen.append(step())
        return "same"


def fail() -> None:
    raise ValueError("on purpose")


def test_an_empty_lake_asks_for_nothing(instance: dg.DagsterInstance) -> None:
    daemon = Daemon(
        world(table("down", ["up"]), table("low", ["down"]), table("month", ["up"], condition=AS_OF)), instance
    )
    assert [daemon.tick() for _ in range(3)] == [{}, {}, {}]
    report(instance, "up", "1")
    assert rounds(daemon) == [{"down", "low", "month"}]


def test_nothing_new_asks_for_nothing(instance: dg.DagsterInstance) -> None:
    daemon = settled_world(instance, table("down", ["up"]), table("month", ["up"], condition=AS_OF))
    report(instance, "up", "1")
    assert [daemon.tick() for _ in range(3)] == [{}, {}, {}]


def test_a_change_during_a_run_below_is_caught_after_it(instance: dg.DagsterInstance) -> None:
    body = Scripted()
    daemon = settled_world(instance, table("down", ["up"], body))
    body.runs = [[daemon.tick, lambda: report(instance, "up", "3"), daemon.tick]]
    report(instance, "up", "2")
    assert rounds(daemon) == [{"down"}, {"down"}]
    assert body.seen == [{}, None, {}]


def test_a_change_between_a_request_and_the_next_tick_is_caught_after_the_run(instance: dg.DagsterInstance) -> None:
    """The run may have read its inputs already, and the next tick sees request and change at once."""
    body = Scripted()
    daemon = settled_world(instance, table("down", ["up"], body))
    body.runs = [[lambda: report(instance, "up", "3"), daemon.tick]]
    report(instance, "up", "2")
    assert rounds(daemon) == [{"down"}, {"down"}]
    assert body.seen == [None, {}]


def test_a_new_table_is_computed(instance: dg.DagsterInstance) -> None:
    down = table("down", ["up"])
    daemon = settled_world(instance, down)
    daemon.definitions = world(down, table("new", ["up"]))
    assert rounds(daemon) == [{"new"}]


def test_a_new_table_below_a_derived_one_is_computed(instance: dg.DagsterInstance) -> None:
    down = table("down", ["up"])
    daemon = settled_world(instance, down)
    new = table("new", ["down"])
    daemon.definitions = world(down, new)
    assert rounds(daemon) == [{"new"}]
    daemon.definitions = world(down, new, table("newer", ["up"]), table("newest", ["newer"]))
    assert rounds(daemon) == [{"newer"}, {"newest"}]


def test_a_new_table_below_months_is_computed_although_most_of_them_were_never_made(
    instance: dg.DagsterInstance,
) -> None:
    month = table("month", ["up"], condition=AS_OF)
    daemon = settled_world(instance, month)
    daemon.definitions = world(month, table("chart", ["month"]))
    assert rounds(daemon) == [{"chart"}]


def test_a_new_table_that_was_made_before_its_turn_is_not_asked_for(instance: dg.DagsterInstance) -> None:
    body, down = Scripted(), table("down", ["up"])
    daemon = settled_world(instance, down, up=body)
    assert run(daemon, "up")
    assert rounds(daemon) == [{"down"}]
    daemon.definitions = world(down, table("new", ["up"]), up=body)
    body.runs = [[daemon.tick, lambda: report(instance, "new", "1")]]
    assert run(daemon, "up")
    assert body.seen == [{}, None]
    assert daemon.tick() == {}


def test_a_new_formula_is_computed(instance: dg.DagsterInstance) -> None:
    low = table("low", ["down"], code="1")
    daemon = settled_world(instance, table("down", ["up"], code="1"), low)
    daemon.definitions = world(table("down", ["up"], code="2"), low)
    assert rounds(daemon) == [{"down", "low"}]
    daemon.definitions = world(table("down", ["up"], code="2"), table("low", ["down"], code="2"))
    assert rounds(daemon) == [{"low"}]


def test_the_same_data_asks_for_nothing_below(instance: dg.DagsterInstance) -> None:
    versions = ["same", "other"]
    daemon = settled_world(
        instance,
        table("down", ["up"], lambda: versions[0]),
        table("low", ["down"]),
        table("month", ["down"], condition=AS_OF),
    )
    assert run(daemon, "down")
    assert daemon.tick() == {}
    versions.pop(0)
    assert run(daemon, "down")
    assert rounds(daemon) == [{"low", "month"}]


def test_a_canceled_run_waits_until_something_changes(instance: dg.DagsterInstance) -> None:
    body = Scripted()
    daemon = settled_world(instance, table("down", ["up"], body))

    def cancel() -> None:
        """What a person does in the UI to the run that is under way."""
        (under_way,) = instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED]))
        instance.report_run_canceling(under_way)
        raise dg.DagsterExecutionInterruptedError

    body.runs = [[daemon.tick, cancel]]
    report(instance, "up", "2")
    assert rounds(daemon) == [{"down"}]
    assert body.seen == [{}]
    assert instance.get_runs()[0].status == dg.DagsterRunStatus.CANCELED
    assert [daemon.tick() for _ in range(3)] == [{}, {}, {}]
    report(instance, "up", "3")
    assert rounds(daemon) == [{"down"}]


@pytest.mark.parametrize("lasts", [True, False], ids=["over a tick", "within a tick"])
def test_a_failure_is_tried_once_more_and_not_again(instance: dg.DagsterInstance, lasts: bool) -> None:
    """A change is a new reason; a failure is one again once the table has come out."""
    body = Scripted()
    daemon = settled_world(instance, table("down", ["up"], body))
    failing = [daemon.tick, fail] if lasts else [fail]
    body.runs = [failing] * 9
    report(instance, "up", "2")
    assert rounds(daemon) == [{"down"}, {"down"}]
    report(instance, "up", "3")
    assert rounds(daemon) == [{"down"}]
    body.runs = []
    report(instance, "up", "4")
    assert rounds(daemon) == [{"down"}]
    body.runs = [failing]
    report(instance, "up", "5")
    assert rounds(daemon) == [{"down"}, {"down"}]
    assert not any(body.seen)


NEXT_MONTH = AS_OF_MONTHS.time_window_for_partition_key(OPEN_MONTH).end
LAST_MONTH = AS_OF_MONTHS.get_partition_keys()[-2]


def test_of_months_only_the_open_one_is_asked_for(instance: dg.DagsterInstance) -> None:
    """Also by a new formula, which concerns all, and where a closed month changes or is missing."""
    daemon = settled_world(instance, table("month", ["up"], condition=AS_OF), table("news", ["month"], condition=AS_OF))
    report(instance, "month", "backfilled", LAST_MONTH)
    assert daemon.tick() == {}
    report(instance, "up", "2")
    assert daemon.tick() == {"month": {OPEN_MONTH}}
    daemon.definitions = world(
        table("month", ["up"], code="2", condition=AS_OF), table("news", ["month"], condition=AS_OF)
    )
    assert daemon.tick() == {"month": {OPEN_MONTH}}


def test_a_month_that_opens_is_asked_for_once(instance: dg.DagsterInstance) -> None:
    daemon = settled_world(instance, table("month", ["up"], condition=AS_OF))
    opened = daemon.tick(NEXT_MONTH)
    assert opened == {"month": {f"{NEXT_MONTH:%Y-%m}"}}
    assert daemon.tick(NEXT_MONTH) == {}


def test_months_wait_for_the_months_they_depend_on(instance: dg.DagsterInstance) -> None:
    """A model is not fitted because an input will be made, but because it was made and is different."""
    versions = ["same"]
    daemon = settled_world(
        instance,
        table("month", ["up"], lambda: versions[-1], condition=AS_OF),
        table("news", ["month"], condition=AS_OF),
        table("scores", ["news"]),
    )
    report(instance, "up", "2")
    assert rounds(daemon) == [{"month"}]
    versions.append("other")
    report(instance, "up", "3")
    assert rounds(daemon) == [{"month"}, {"news"}]
