"""docs/own-assets.md is true: its module, beside ours in a workspace, runs when a run of ours changes what it reads.

The ticks and the queue are those of Dagster's daemon, called here one by one; code servers and runs are processes.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import chdir
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from unittest.mock import patch

import dagster as dg
import polars as pl
import pytest
from click import Context
from dagster._cli.dev import dev_command
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load import (
    load_workspace_process_context_from_yaml_paths,
    location_origins_from_yaml_paths,
)
from dagster._daemon import asset_daemon
from dagster._daemon.run_coordinator.queued_run_coordinator_daemon import QueuedRunCoordinatorDaemon

from macro_assets.orchestration.resources import LakeDuckDB
from macro_assets_tests.conftest import ROOT, Built, Home, in_environment
from macro_assets_tests.orchestration.test_automation import OPEN_MONTH, Daemon, report
from macro_assets_tests.test_docs import blocks

PAGE = "own-assets.md"
FOLDER = "/home/ana/research"
OWN = "research/stress_and_jobs"
PATIENCE = 120


@pytest.fixture
def research(tmp_path: Path) -> Path:
    """The folder of the page: its module, a `workspace.yaml`, and a module that does not load."""
    folder = tmp_path / "research"
    folder.mkdir()
    (folder / "research.py").write_text(blocks(PAGE, "python")[0])
    (workspace,) = blocks(PAGE, "yaml")
    broken = f"  - python_module: {{module_name: broken, location_name: broken, working_directory: {FOLDER}}}\n"
    (folder / "workspace.yaml").write_text((workspace + broken).replace(FOLDER, str(folder)))
    (folder / "broken.py").write_text("import no_such_library\n")
    return folder


@dataclass
class Workspace:
    """Both code locations, loaded, and the daemon of the second one's sensor."""

    context: WorkspaceProcessContext
    daemon: asset_daemon.AssetDaemon = field(
        default_factory=lambda: asset_daemon.AssetDaemon(settings={}, pre_sensor_interval_seconds=0)
    )

    def loaded(self) -> dict[str, str | None]:
        """The code locations, each with what its process printed as its error."""
        entries = self.context.create_request_context().get_code_location_entries()
        return {n: str(e.load_error.cause or e.load_error) if e.load_error else None for n, e in entries.items()}

    def stop(self, sensor: str) -> None:
        request = self.context.create_request_context()
        for location in request.code_locations:
            for repository in location.get_repositories().values():
                for found in (s for s in repository.get_sensors() if s.name == sensor):
                    self.context.instance.stop_sensor(found.get_remote_origin_id(), found.selector_id, found)

    def tick(self) -> list[str]:
        """The assets that a tick of the sensors asks for; their runs are launched, and have ended well."""
        with patch.object(asset_daemon, "is_under_min_interval", return_value=False):
            self.daemon._run_iteration_impl(self.context, None, {}, {})
        instance = self.context.instance
        asked = instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.QUEUED]))
        with QueuedRunCoordinatorDaemon(interval_seconds=1) as queue:
            list(queue.run_iteration(self.context))
        for run in asked:
            assert self._end(run.run_id) == dg.DagsterRunStatus.SUCCESS
        return sorted("/".join(k.path) for run in asked for k in run.asset_selection or ())

    def _end(self, run_id: str) -> dg.DagsterRunStatus:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            run = self.context.instance.get_run_by_id(run_id)
            if run is not None and run.is_finished:
                return run.status
            time.sleep(0.1)
        pytest.fail(f"run {run_id} did not end within {PATIENCE} s")


@pytest.fixture
def workspace(copied: Home, research: Path) -> Iterator[Workspace]:
    """The workspace of the page over a copy of the built lake. Our own sensor is off: a test says when ours run."""
    paths = [str(research / "workspace.yaml")]
    with (
        in_environment(copied.environment),
        chdir(copied.dagster_home),
        dg.DagsterInstance.get() as instance,
        load_workspace_process_context_from_yaml_paths(instance, paths) as context,
    ):
        opened = Workspace(context)
        opened.stop("automation")
        yield opened


@pytest.mark.filterwarnings("ignore:Error loading repository location broken:UserWarning")
def test_an_own_asset_is_made_again_when_a_run_of_ours_changes_what_it_reads(
    workspace: Workspace, copied: Home, research: Path
) -> None:
    loaded = workspace.loaded()
    assert "no_such_library" in str(loaded.pop("broken"))
    assert loaded == {"macro_assets": None, "research": None}
    graph = workspace.context.create_request_context().asset_graph
    inputs = graph.get(dg.AssetKey(OWN.split("/"))).parent_keys
    assert {k.to_user_string() for k in inputs} == {"indicators/economic_stress_index", "normalized/fred"}
    assert {graph.get_repository_handle(k).location_name for k in inputs} == {"macro_assets"}

    assert workspace.tick() == [OWN]  # it is new
    month = pl.col("observation_date") == date(2008, 10, 1)
    first = pl.read_parquet(research / "stress_and_jobs.parquet")
    assert first.filter(month)["unemployment_percent"].to_list() == [6.5]
    assert first["stress"].null_count() == 0
    assert workspace.tick() == []

    same = copied.macro("run", "normalized/fred", "indicators/economic_stress_index", "--force")
    assert "nothing was run" not in same.stdout
    assert workspace.tick() == []

    copied.macro("invalidate", "UNRATE", "2008-10-01", "2016-06-29", "--reason", "a test")
    assert workspace.tick() == []  # nothing of ours has run yet
    copied.macro("run", "normalized/fred", "indicators/economic_stress_index")
    assert workspace.tick() == [OWN]
    second = pl.read_parquet(research / "stress_and_jobs.parquet")
    assert second.height == first.height - 1
    assert second.filter(month).is_empty()
    assert workspace.tick() == []


def test_the_workspace_may_as_well_be_two_files(research: Path) -> None:
    both = research / "workspace.yaml"
    named = {o.location_name for o in location_origins_from_yaml_paths([str(both)])}
    entries = both.read_text().split("  - python_module:")
    both.write_text("  - python_module:".join([entries[0], *entries[2:]]))
    (command,) = blocks(PAGE, "bash")
    program, _, *arguments = command.replace(FOLDER, str(research)).split()
    assert program == "dagster"
    files = Context(dev_command).command.make_context("dev", arguments).params["workspace"]
    assert {o.location_name for o in location_origins_from_yaml_paths([str(ROOT / f) for f in files])} == named


@pytest.fixture
def months() -> dg.AssetsDefinition:
    """The asset of the page that has the months of our forecasts."""
    module: dict[str, object] = {"__name__": "months"}
    exec(compile(blocks(PAGE, "python")[1], PAGE, "exec", dont_inherit=True), module)
    made = module["latest_job_figure"]
    assert isinstance(made, dg.AssetsDefinition)
    return made


@pytest.mark.parametrize(("month", "latest"), [("2016-06", "2016-05-01"), ("2016-07", "2016-06-01")])
def test_a_month_sees_what_was_known_at_its_end(
    months: dg.AssetsDefinition, month: str, latest: str, built: Built
) -> None:
    resources = {"duckdb": LakeDuckDB(root=str(built.home.lake))}
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize([months], instance=instance, partition_key=month, resources=resources)
        (made,) = result.asset_materializations_for_node("research__latest_job_figure")
    assert made.metadata["latest"].value == latest


def test_of_months_the_open_one_is_asked_for(months: dg.AssetsDefinition) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        assets = [months, dg.AssetSpec(["normalized", "fred"])]
        daemon = Daemon(dg.Definitions(assets, resources={"duckdb": LakeDuckDB()}), instance)
        report(instance, "normalized/fred", "one")
        assert daemon.tick() == {"research/latest_job_figure": {OPEN_MONTH}}
        report(instance, "research/latest_job_figure", "one", OPEN_MONTH)
        report(instance, "normalized/fred", "one")
        assert daemon.tick() == {}
        report(instance, "normalized/fred", "two")
        assert daemon.tick() == {"research/latest_job_figure": {OPEN_MONTH}}
