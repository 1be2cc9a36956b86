"""The UI as a person meets it: `macro ui`, a real browser, and a materialization launched over GraphQL."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from macro_assets.catalog import Catalog
from macro_assets_tests.conftest import Built, Home, copy_of

if TYPE_CHECKING:
    from playwright.sync_api import Page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
PATIENCE = 120

pytestmark = pytest.mark.skipif(
    CHROMIUM is None and not os.environ.get("MACRO_REQUIRE_BROWSER"), reason="no Chromium on this machine"
)


@dataclass(frozen=True)
class Ui:
    url: str
    charts_url: str
    home: Home

    def graphql(self, query: str, **variables: object) -> Any:
        request = urllib.request.Request(
            f"{self.url}/graphql",
            json.dumps({"query": query, "variables": variables}).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as response:
            answer = json.load(response)
        assert "errors" not in answer, answer
        return answer["data"]


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        assert process.poll() is None, "macro ui stopped"
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.5)
    pytest.fail(f"{url} did not answer within {PATIENCE} s")


@pytest.fixture(scope="module")
def ui(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ui]:
    """`macro ui` on a copy of the built lake."""
    folder = tmp_path_factory.mktemp("ui")
    home = copy_of(built, folder)
    port, charts_port = free_port(), free_port()
    log = (folder / "ui.log").open("wb")
    process = subprocess.Popen(
        [sys.executable, "-m", "macro_assets.cli", "ui", "--port", str(port), "--charts-port", str(charts_port)],
        env=home.environment,
        stdout=log,
        stderr=log,
    )
    try:
        wait_for(f"http://127.0.0.1:{port}/server_info", process)
        yield Ui(f"http://127.0.0.1:{port}", f"http://127.0.0.1:{charts_port}", home)
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0, (folder / "ui.log").read_text()
        log.close()


@pytest.fixture(scope="module")
def page(ui: Ui) -> Iterator[Page]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        opened = browser.new_page(viewport={"width": 1600, "height": 1000})
        opened.set_default_timeout(PATIENCE * 1000)
        yield opened
        browser.close()


def test_the_asset_graph_shows_the_groups(ui: Ui, page: Page, catalog: Catalog) -> None:
    """A group of raw tables for each family that has sources, and one for each layer: in sight as the page opens."""
    page.set_viewport_size({"width": 1500, "height": 1000})
    page.goto(f"{ui.url}/asset-groups/")
    families = {f"raw_{f}" for f in catalog.families if catalog.sources_of(f)}
    layers = {"normalized", "indicators", "forecasts", "charts"}
    for group in sorted(families | layers):
        drawn = page.locator("svg").get_by_text(group, exact=True)
        box = drawn.bounding_box()  # waits for it
        assert box is not None
        assert min(box["x"], box["y"]) >= 0
        assert box["x"] + box["width"] <= 1500
        assert box["y"] + box["height"] <= 1000
        assert box["height"] > 10, "a label that nobody can read"
    nodes = ui.graphql("{ assetNodes { groupName } }")["assetNodes"]
    groups = {n["groupName"] for n in nodes}
    assert {g for g in groups if g.startswith("raw_")} == families
    assert len(families) <= 8
    assert groups - families == layers | {"audit", "calendar", "maintenance"}


def test_a_chart_page_shows_checks_columns_and_the_preview(ui: Ui, page: Page) -> None:
    page.goto(f"{ui.url}/assets/charts/economic_stress_index?view=overview")
    page.get_by_text("Latest check results").wait_for()
    page.get_by_text("figure_json", exact=True).first.wait_for()
    page.get_by_text("[Show Markdown]").first.click()
    image = page.locator("img[src^='data:image/svg+xml;base64,']")
    image.wait_for()
    assert image.evaluate("i => i.naturalWidth") > 100


def test_a_page_links_the_series_that_a_table_is_made_of(ui: Ui, page: Page) -> None:
    page.goto(f"{ui.url}/assets/indicators/economic_stress_index?view=overview")
    page.locator("a", has_text="UNRATE").click()
    page.get_by_text("Unemployment rate").first.wait_for()
    assert page.url.startswith(f"{ui.url}/assets/raw/fred/UNRATE")


def test_a_series_page_shows_its_facts(ui: Ui, page: Page) -> None:
    page.goto(f"{ui.url}/assets/raw/bundled/PAYEMS?view=overview")
    page.get_by_text("Employees on nonfarm payrolls, total").first.wait_for()
    page.get_by_text("publication_lag", exact=True).first.wait_for()
    page.get_by_text("143888").first.wait_for()  # May 2016 in the vintage of 2016-07-29


def test_the_chart_pages_are_served_and_linked(ui: Ui, page: Page) -> None:
    page.goto(ui.charts_url)
    assert page.locator("a", has_text="Corporate credit spread").count() == 1
    page.goto(f"{ui.url}/assets/charts/credit_spread?view=overview")
    links = page.locator("a[href$='/credit_spread.html']")
    links.first.wait_for()
    served = {link.get_attribute("href") for link in links.all()}
    assert served == {f"{ui.charts_url}/credit_spread.html"}, "the chart was made before anybody chose this port"


LAUNCH = """
mutation ($parameters: ExecutionParams!) {
  launchRun(executionParams: $parameters) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
    ... on InvalidSubsetError { message }
  }
}
"""
STATUS = "query ($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"


def launch(ui: Ui, asset: str, tags: dict[str, str] | None = None) -> tuple[str, str]:
    """Launch a materialization as the UI does, and return the run and how it ended."""
    parameters = {
        "mode": "default",
        "selector": {
            "repositoryLocationName": "macro_assets",
            "repositoryName": "__repository__",
            "pipelineName": "__ASSET_JOB",
            "assetSelection": [{"path": asset.split("/")}],
            "assetCheckSelection": None,
        },
        "executionMetadata": {"tags": [{"key": k, "value": v} for k, v in (tags or {}).items()]},
    }
    launched = ui.graphql(LAUNCH, parameters=parameters)["launchRun"]
    assert launched["__typename"] == "LaunchRunSuccess", launched
    run_id = launched["run"]["runId"]
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        status = ui.graphql(STATUS, id=run_id)["runOrError"]["status"]
        if status in ("SUCCESS", "FAILURE", "CANCELED"):
            return run_id, str(status)
        time.sleep(1)
    pytest.fail(f"run {run_id} did not end within {PATIENCE} s")


@pytest.mark.parametrize(
    ("asset", "tags"),
    [("charts/credit_spread", None), ("raw/bundled/PAYEMS", {"dagster/partition": "2016"})],
)
def test_a_materialization_launched_over_graphql_succeeds(ui: Ui, asset: str, tags: dict[str, str] | None) -> None:
    assert launch(ui, asset, tags)[1] == "SUCCESS"


MONTHS = """
query ($month: String!) {
  assetNodes(assetKeys: [{ path: ["forecasts", "gdp_nowcast"] }]) {
    staleCauses(partition: $month) { reason }
    assetMaterializations(partitions: [$month], limit: 1) {
      description
      metadataEntries { label ... on TextMetadataEntry { text } ... on IntMetadataEntry { intValue } }
    }
  }
}
"""


def test_a_backfill_says_of_each_month_what_became_of_it(ui: Ui) -> None:
    """One has no vintages, two are computed already. Each is planned by itself, or the UI could show none as failed."""
    span = {"dagster/asset_partition_range_start": "2016-05", "dagster/asset_partition_range_end": "2016-07"}
    run_id, status = launch(ui, "forecasts/gdp_nowcast", span)
    assert status == "SUCCESS"
    said = {}
    for month in ("2016-05", "2016-06", "2016-07"):
        (node,) = ui.graphql(MONTHS, month=month)["assetNodes"]
        assert node["staleCauses"] == []
        (said[month],) = node["assetMaterializations"]
    metadata = {m: {e["label"]: e for e in s["metadataEntries"]} for m, s in said.items()}
    reason = "nothing was known of any input by the end of 2016-05"
    assert said["2016-05"]["description"] == metadata["2016-05"]["empty"]["text"] == reason
    for month in ("2016-06", "2016-07"):
        assert {"unchanged_since", "preview", "inputs"} <= metadata[month].keys()
        assert metadata[month]["dagster/row_count"]["intValue"] == 18, "three quarters in six statistics"
    with sqlite3.connect(ui.home.dagster_home / "data/dagster/history/runs/index.db") as log:
        events = log.execute("SELECT partition, dagster_event_type FROM event_logs WHERE run_id = ?", (run_id,))
        assert {month for month, kind in events if kind == "ASSET_MATERIALIZATION_PLANNED"} == said.keys()


def test_every_address_is_loopback(ui: Ui) -> None:
    ports = {int(u.rsplit(":", 1)[1]) for u in (ui.url, ui.charts_url)}
    listening = {}
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        address, state = line.split()[1], line.split()[3]
        host, port = address.split(":")
        if state == "0A" and int(port, 16) in ports:
            listening[int(port, 16)] = host
    assert listening == dict.fromkeys(ports, "0100007F")  # 127.0.0.1
