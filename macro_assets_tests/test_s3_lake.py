"""The same lake on S3: built by the real command, asked the same questions, written by several, and through faults."""

from __future__ import annotations

import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import duckdb
import polars as pl
import pytest
import yaml
from polars.testing import assert_frame_equal

from macro_assets.catalog import Catalog
from macro_assets.lakehouse import append_vintages, connect, invalidate, kept, observations_as_of, s3, session
from macro_assets.lakehouse.delta import LakeError, data_version, open_table, table_versions
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.landing import land, landed, log_fetches
from macro_assets.lakehouse.paths import S3Root, location
from macro_assets.lakehouse.raw import read_raw
from macro_assets.lakehouse.write import MAX_FILES, overwrite
from macro_assets.orchestration.ui import chart_server
from macro_assets_tests.conftest import CANARY, ROOT, Built, Home, make_home, s3_environment
from macro_assets_tests.lakehouse.synthetic import day, frame, month, row
from macro_assets_tests.lakehouse.upkeep.test_repair import receipts, rows
from macro_assets_tests.once import Said

DATES = ["2010-06-30", "2016-06-29", "2016-06-30", "2016-07-29", None]
# Their columns hold the time of the fetch.
CLOCKED = ("landing", "fetch_log")


@pytest.fixture(scope="module")
def on_s3(s3_endpoint: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    """The lake of a first full run with MACRO_LAKE on S3."""
    with pytest.MonkeyPatch.context() as environment:
        s3_environment(environment, s3_endpoint)
        s3.settings().client().create_bucket(Bucket="built")
        home = Home(location("s3://built/some/lake"), make_home(tmp_path_factory.mktemp("on_s3")).dagster_home)
        done = home.macro("run")
        yield Built(home, Said(done.stdout, done.stderr))


def lake_of(bucket: str) -> S3Root:
    root = location(f"s3://{bucket}/some/lake")
    assert isinstance(root, S3Root)
    return root


def vintages(n: int, value: float | None = None) -> pl.DataFrame:
    return frame(row(month(n), value or 100.0 + n, day(n)))


# --- the built lake -------------------------------------------------------------------------------------------------


def test_the_run_says_where_the_lake_is(on_s3: Built) -> None:
    assert "Lake    s3://built/some/lake\n" in on_s3.first.stdout
    assert "Charts  s3://built/some/lake/files/charts/index.html" in on_s3.first.stdout
    assert CANARY not in on_s3.first.stdout + on_s3.first.stderr


def test_every_table_says_the_same_as_on_disk(on_s3: Built, built: Built, catalog: Catalog) -> None:
    counts = Lakehouse(on_s3.home.lake, catalog).row_counts()
    assert counts == Lakehouse(built.home.lake, catalog).row_counts() != {}
    for name in counts:
        table = catalog.one_table(name)
        if table.layer not in CLOCKED:
            here, there = (Lakehouse(b.home.lake, catalog).read(table.name) for b in (on_s3, built))
            assert data_version(here, table) == data_version(there, table), name


@pytest.mark.parametrize("moment", DATES)
def test_observations_as_of_are_the_same_as_on_disk(on_s3: Built, built: Built, moment: str | None) -> None:
    here, there = (observations_as_of(moment, root=b.home.lake) for b in (on_s3, built))
    assert here.height > 0
    assert_frame_equal(here, there)


@pytest.mark.parametrize("as_of", [None, "2016-06-30"])
def test_sql_answers_the_same_as_on_disk(on_s3: Built, built: Built, as_of: str | None) -> None:
    here, there = (connect(as_of=as_of, root=b.home.lake) for b in (on_s3, built))
    for question in (
        "SELECT * FROM normalized.observations ORDER BY ALL",
        "SELECT observation_date, value, release_time FROM series_as_of('PAYEMS', '2016-07-29') ORDER BY ALL",
        "SELECT * EXCLUDE (ingested_at, run_id) FROM raw.bundled ORDER BY ALL",
        "SELECT as_of_month, target_date, statistic, value FROM forecasts.gdp_nowcast ORDER BY ALL",
    ):
        assert_frame_equal(here.execute(question).pl(), there.execute(question).pl())


def test_a_second_run_runs_nothing(on_s3: Built) -> None:
    before = table_versions(on_s3.home.lake)
    assert "Everything is up to date: nothing was run." in on_s3.home.macro("run").stdout
    assert table_versions(on_s3.home.lake) == before


def test_doctor_finds_a_sound_lake(on_s3: Built) -> None:
    report = on_s3.home.macro("doctor").stdout
    assert report.count("ok ") == 6
    assert "accepted 1 of 16 parallel conditional PUTs" in report
    assert "s3://built/some/lake is writable" in report


def test_sql_in_a_process_of_its_own(on_s3: Built) -> None:
    latest = "SELECT max(observation_date) AS latest FROM series_as_of('PAYEMS', '2016-07-29')"
    assert on_s3.home.process("sql", latest, "--csv").stdout == "latest\n2016-06-01\n"


def test_chart_pages_are_served_from_the_bucket(
    on_s3: Built, built: Built, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MACRO_LAKE", str(on_s3.home.lake))
    server = chart_server(0)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        address = f"http://127.0.0.1:{server.server_port}"
        for page in ("index", *catalog.charts):
            with urllib.request.urlopen(f"{address}/{page}.html", timeout=60) as answer:
                served = answer.read()
            assert served == (built.home.lake / "files" / "charts" / f"{page}.html").read_bytes()
        for hostile in ("nothing.html", "../../raw/bundled/x.html", "index.htm"):
            with pytest.raises(urllib.error.HTTPError, match="404"):
                urllib.request.urlopen(f"{address}/{hostile}", timeout=60)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_nothing_but_the_lake_is_in_the_bucket(on_s3: Built, catalog: Catalog) -> None:
    listed = s3.settings().client().list_objects_v2(Bucket="built")["Contents"]
    keys = [o["Key"] for o in listed]
    assert all(k.startswith("some/lake/") and not k.endswith("/") for k in keys)
    assert {k.split("/")[2] for k in keys} <= {*(t.layer for t in catalog.tables.values()), "files"}


# --- writing --------------------------------------------------------------------------------------------------------


def test_vintages_are_appended_once_and_asked_as_of(s3_bucket: str, catalog: Catalog) -> None:
    lake = lake_of(s3_bucket)
    first = append_vintages("bundled", vintages(1), "run", root=lake, catalog=catalog)
    assert (first.new, first.version) == (1, 1)
    assert append_vintages("bundled", vintages(1), "again", root=lake, catalog=catalog).version == 1
    append_vintages("bundled", frame(row(month(1), 7.0, day(5))), "revised", root=lake, catalog=catalog)
    assert observations_as_of("2020-01-02", root=lake)["value"].to_list() == [101.0]
    assert observations_as_of("2020-01-06", root=lake)["value"].to_list() == [7.0]
    invalidate("PAYEMS", month(1), day(5), "synthetic", "test", lake, catalog)
    assert observations_as_of(None, root=lake)["value"].to_list() == [101.0]
    assert connect(root=lake).execute("SELECT value FROM observations_as_of('2020-01-06')").fetchall() == [(7.0,)]


def test_tables_are_overwritten_and_the_same_content_makes_no_version(s3_bucket: str, catalog: Catalog) -> None:
    lake, table = lake_of(s3_bucket), catalog.one_table("normalized/fred")
    assert overwrite(Lakehouse(lake, catalog), table.name, rows(3), {}) == 1
    assert overwrite(Lakehouse(lake, catalog), table.name, rows(3), {}) == 1
    assert overwrite(Lakehouse(lake, catalog), table.name, rows(2), {}) == 2
    assert connect(root=lake).execute("SELECT count(*) FROM normalized.fred").fetchone() == (2,)


def test_views_that_were_kept_are_of_the_versions_of_now(
    s3_bucket: str, catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = lake_of(s3_bucket)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(kept, "WORTH", 1)
    overwrite(Lakehouse(lake, catalog), "normalized/fred", rows(2), {})
    append_vintages("bundled", vintages(1), "run", root=lake, catalog=catalog)
    connect(root=lake)
    overwrite(Lakehouse(lake, catalog), "normalized/fred", rows(3), {})
    monkeypatch.setattr(session, "_fill", None)
    con = connect(root=lake)
    assert con.execute("SELECT count(*) FROM normalized.fred").fetchone() == (3,)
    assert con.execute("SELECT count(*) FROM observations_as_of(NULL)").fetchone() == (1,)


def test_responses_land_and_come_back(s3_bucket: str, catalog: Catalog) -> None:
    lake = lake_of(s3_bucket)
    assert [land(Lakehouse(lake, catalog), "bundled", receipts(n), {}) for n in (1, 1, 2)] == [1, 0, 1]
    assert landed(Lakehouse(lake, catalog), "bundled")["body"].to_list() == [b"1", b"2"]
    fetches = Lakehouse(lake, catalog).read("fetch_log/bundled")
    log_fetches(Lakehouse(lake, catalog), "bundled", fetches, {})
    assert set(table_versions(lake)) == {"landing/bundled", "fetch_log/bundled"}


def test_many_appends_are_compacted(s3_bucket: str, catalog: Catalog) -> None:
    lake = lake_of(s3_bucket)
    for n in range(MAX_FILES + 3):
        append_vintages("bundled", frame(row(month(1), float(n), day(n + 1))), "run", root=lake, catalog=catalog)
    stored = open_table(lake, "raw/bundled")
    assert stored is not None
    assert len(stored.file_uris()) <= 3
    assert read_raw(Lakehouse(lake, catalog), "bundled")["value"].sort().to_list() == [
        float(n) for n in range(MAX_FILES + 3)
    ]


APPENDER = """
import sys
from macro_assets.lakehouse import append_vintages
from macro_assets_tests.lakehouse.synthetic import day, frame, month, row
series, lake = sys.argv[1:]
print("ready", flush=True)
sys.stdin.readline()
for n in range(8):
    rows = frame(row(month(1), float(n + 1), day(n + 1), series_id=series))
    append_vintages("bundled", rows, series, root=lake)
"""


def test_two_processes_that_append_lose_nothing(s3_bucket: str, catalog: Catalog) -> None:
    lake = lake_of(s3_bucket)
    appenders = [
        subprocess.Popen(
            [sys.executable, "-c", APPENDER, series, str(lake)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT,
        )
        for series in ("PAYEMS", "UNRATE")
    ]  # fmt: skip
    for appender in appenders:
        assert appender.stdout is not None
        assert appender.stdout.readline() == "ready\n"
    done = [a.communicate("go\n", timeout=300) for a in appenders]
    assert [a.returncode for a in appenders] == [0, 0], done
    stored = read_raw(Lakehouse(lake, catalog), "bundled")
    expected = {(series, float(n + 1)) for series in ("PAYEMS", "UNRATE") for n in range(8)}
    assert stored.height == len(expected)
    assert set(stored.select("series_id", "value").iter_rows()) == expected
    assert table_versions(lake)["raw/bundled"] in (16, 17)  # either may be told to have made the table


# --- faults (F7) ----------------------------------------------------------------------------------------------------


@contextmanager
def faulty(endpoint: str, plan: list[str], monkeypatch: pytest.MonkeyPatch, happens: bool = True) -> Iterator[None]:
    """The store behind a proxy that fails as planned."""
    command = [sys.executable, "-m", "macro_assets_tests.faulty_s3", endpoint, *plan]
    with (
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as proxy,
        monkeypatch.context() as environment,
    ):
        assert proxy.stdout is not None
        environment.setenv("AWS_ENDPOINT_URL", proxy.stdout.readline().strip())
        yield
        left, _ = proxy.communicate(timeout=30)
    assert not happens or left.split() == []


PLANS = [["lost"], ["lost", "lost"], ["503", "503", "lost"], ["500", "lost", "503"]]


@pytest.mark.parametrize("plan", PLANS, ids="-".join)
def test_a_commit_through_a_faulty_store_is_applied_once(
    s3_bucket: str, s3_endpoint: str, catalog: Catalog, monkeypatch: pytest.MonkeyPatch, plan: list[str]
) -> None:
    lake = lake_of(s3_bucket)
    append_vintages("bundled", vintages(1), "before", root=lake, catalog=catalog)
    with faulty(s3_endpoint, plan, monkeypatch):
        report = append_vintages("bundled", vintages(2), "through", root=lake, catalog=catalog)
    assert (report.new, report.version) == (1, 2)
    stored = read_raw(Lakehouse(lake, catalog), "bundled")
    assert stored["value"].sort().to_list() == [101.0, 102.0]
    assert table_versions(lake)["raw/bundled"] == 2


@pytest.mark.parametrize("plan", PLANS, ids="-".join)
def test_an_overwrite_through_a_faulty_store_is_applied_once(
    s3_bucket: str, s3_endpoint: str, catalog: Catalog, monkeypatch: pytest.MonkeyPatch, plan: list[str]
) -> None:
    lake, table = lake_of(s3_bucket), catalog.one_table("normalized/fred")
    overwrite(Lakehouse(lake, catalog), table.name, rows(3), {})
    with faulty(s3_endpoint, plan, monkeypatch):
        assert overwrite(Lakehouse(lake, catalog), table.name, rows(5), {}) == 2
    assert Lakehouse(lake, catalog).read(table.name).height == 5
    assert table_versions(lake)["normalized/fred"] == 2


def test_a_decision_through_a_faulty_store_is_told_as_made(
    s3_bucket: str, s3_endpoint: str, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = lake_of(s3_bucket)
    for n in (1, 2):
        append_vintages("bundled", frame(row(month(1), float(n), day(n))), "run", root=lake, catalog=catalog)
    invalidate("PAYEMS", month(1), day(1), "the table's first", "test", lake, catalog)
    with faulty(s3_endpoint, ["lost"], monkeypatch):
        decision = invalidate("PAYEMS", month(1), day(2), "synthetic", "test", lake, catalog)
    assert decision["reason"].to_list() == ["synthetic"]
    assert Lakehouse(lake, catalog).read("audit/invalidations").height == 2


@pytest.mark.parametrize("plan", PLANS, ids="-".join)
def test_a_table_is_made_through_a_faulty_store(
    s3_bucket: str, s3_endpoint: str, catalog: Catalog, monkeypatch: pytest.MonkeyPatch, plan: list[str]
) -> None:
    """delta-rs may then say twice what the table is, in versions 0 and 1, which changes nothing."""
    lake = lake_of(s3_bucket)
    with faulty(s3_endpoint, plan, monkeypatch):
        report = append_vintages("bundled", vintages(1), "through", root=lake, catalog=catalog)
    assert report.new == 1
    assert report.version == table_versions(lake)["raw/bundled"] <= 2
    assert read_raw(Lakehouse(lake, catalog), "bundled").height == 1


def test_a_store_that_stays_broken_is_one_message(
    s3_bucket: str, s3_endpoint: str, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = lake_of(s3_bucket)
    append_vintages("bundled", vintages(1), "before", root=lake, catalog=catalog)
    with (
        faulty(s3_endpoint, ["403"] * 50, monkeypatch, happens=False),
        pytest.raises(LakeError, match="table silences/bundled .*cannot be written.*Nothing was committed") as refusal,
    ):
        append_vintages("bundled", vintages(2), "through", root=lake, catalog=catalog)
    assert CANARY not in str(refusal.value)
    assert read_raw(Lakehouse(lake, catalog), "bundled")["value"].to_list() == [101.0]


@pytest.mark.parametrize(
    "ask",
    [
        lambda lake: Lakehouse.at(lake).read("raw/bundled"),
        table_versions,
        lambda lake: connect(root=lake),
        lambda lake: append_vintages("bundled", vintages(1), "run", root=lake),
    ],
)
def test_an_endpoint_that_does_not_answer_is_one_message(
    ask: Callable[[S3Root], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    s3_environment(monkeypatch, "http://127.0.0.1:9")
    with pytest.raises(LakeError) as refusal:
        ask(S3Root("bucket", "lake"))
    assert "\n" not in str(refusal.value)
    assert CANARY not in str(refusal.value)


def test_a_bucket_that_is_not_there_is_one_message(s3_bucket: str, catalog: Catalog) -> None:
    lake = lake_of("no-such-bucket")
    with pytest.raises(LakeError, match="there is no lake at s3://no-such-bucket/some/lake"):
        connect(root=lake)
    with pytest.raises(LakeError, match="there is no bucket no-such-bucket at http://127.0.0.1") as refusal:
        append_vintages("bundled", vintages(1), "run", root=lake, catalog=catalog)
    assert CANARY not in str(refusal.value)


def test_sql_shows_no_key(
    on_s3: Built, s3_endpoint: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with faulty(s3_endpoint, [], monkeypatch):
        con = connect(root=on_s3.home.lake)
    assert con.execute("SELECT count(*) FROM duckdb_secrets()").fetchone() == (1,)
    assert CANARY not in str(con.execute("SELECT * FROM duckdb_secrets()").fetchall())
    with pytest.raises(duckdb.Error) as refusal:  # the proxy is gone
        con.execute("SELECT count(value) FROM raw.bundled").fetchall()
    shown = capfd.readouterr()
    assert CANARY not in str(refusal.value) + shown.out + shown.err


# --- Dagster's logs -------------------------------------------------------------------------------------------------


def test_the_documented_compute_logs_go_to_the_bucket(
    s3_bucket: str, s3_endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (ROOT / "docs" / "s3.md").read_text()
    (snippet,) = [b.partition("```")[0] for b in page.split("```yaml\n")[1:] if "S3ComputeLogManager" in b]
    settings = yaml.safe_load(snippet)
    assert settings["compute_logs"]["config"]["bucket"] == "macro-lake"
    settings["compute_logs"]["config"]["bucket"] = s3_bucket
    settings["compute_logs"]["config"]["local_dir"] = str(tmp_path / "logs")
    (tmp_path / "dagster.yaml").write_text(yaml.safe_dump({**settings, "telemetry": {"enabled": False}}))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))

    @dg.op
    def speaks() -> None:
        print("heard in the bucket")

    @dg.job
    def speaking() -> None:
        speaks()

    with dg.DagsterInstance.get() as instance:
        assert speaking.execute_in_process(instance=instance).success
    client = s3.settings().client()
    keys = [o["Key"] for o in client.list_objects_v2(Bucket=s3_bucket)["Contents"]]
    assert all(k.startswith("logs/") for k in keys)
    bodies = [client.get_object(Bucket=s3_bucket, Key=k)["Body"].read() for k in keys if k.endswith(".out")]
    assert any(b"heard in the bucket" in b for b in bodies)
