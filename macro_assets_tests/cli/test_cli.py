"""The command line as a user meets it: its output and its exit code."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from subprocess import CompletedProcess

import deltalake
import pytest
from deltalake.schema import Field, PrimitiveType, Schema

from macro_assets.catalog import Catalog, load
from macro_assets.definitions import defs
from macro_assets.graph.declared import derivations
from macro_assets_tests.catalog.conftest import folder  # noqa: F401
from macro_assets_tests.catalog.editing import edit
from macro_assets_tests.conftest import Built, Home, make_home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return make_home(tmp_path)


def one_message(done: CompletedProcess[str], *words: str) -> None:
    """One clear message on stderr, no stack."""
    assert "Traceback" not in done.stderr
    message = [line for line in done.stderr.splitlines() if line.startswith(("macro:", "Error:"))]
    assert len(message) == 1, done.stderr
    for word in words:
        assert word in done.stderr


def test_a_full_run_shows_progress_and_ends_with_the_table(built: Built, catalog: Catalog) -> None:
    offline = [s.name for s in catalog.sources.values() if not s.is_live and catalog.series_of(s.name)]
    raw = {f"raw/{name}/{s.id}" for name in offline for s in catalog.series_of(name)}
    raw |= {f"raw/{name}" for name in offline}
    found = derivations(catalog)
    below = {t for d in found for t in d.tables}
    again = sum(len(d.demo) * len(d.tables) for d in found if d.grid)  # each month counts, and the open one
    total = len(raw | below) + again
    assert re.search(rf"\[ *{len(raw)}/ *{total}\]  raw/bundled +[\d,]+ rows +[\d.]+ s", built.first.stderr)
    assert re.search(rf"\[ *{total}/ *{total}\]  \w+/\w+", built.first.stderr)
    rows = {m[1]: m[0] for m in re.finditer(r"^│ (\w+) .*$", built.first.stdout, re.MULTILINE)}
    first, *layers, last = rows
    assert (first, last) == ("raw", "all")
    assert set(layers) == {t.partition("/")[0] for t in below}
    layer, ran, skipped, tables, _, passed, failed, _ = [c.strip() for c in rows["all"].strip("│").split("│")]
    checks = [k for k in defs.resolve_asset_graph().asset_check_keys if k.asset_key.to_user_string() in raw | below]
    on_demand = 2  # fits of the months before the first and before the open one, which their news read
    assert (layer, ran, skipped) == ("all", str(total + on_demand), "0")
    assert tables == str(len(offline) + len(below))
    again = sum(len(d.tables) for d in found if d.grid and d.demo)  # the open month is a run of its own
    assert (passed, failed) == (str(len(checks) + again), "0")
    assert f"Charts  {built.home.lake / 'files' / 'charts' / 'index.html'}" in built.first.stdout
    assert "make ui" in built.first.stdout


def test_a_second_run_runs_nothing_and_says_so(built: Built) -> None:
    def state() -> dict[str, int]:
        logs = built.home.lake.glob("*/*/_delta_log")
        return {str(log): deltalake.DeltaTable(log.parent).version() for log in logs}

    before = state()
    again = built.home.process("run")
    assert "Everything is up to date: nothing was run." in again.stdout
    assert again.stderr == ""
    assert state() == before


def test_a_second_backfill_of_the_same_months_runs_nothing_and_says_so(built: Built) -> None:
    again = built.home.macro("run", "forecasts/gdp_nowcast", "--from", "2016-06", "--to", "2016-07")
    assert "Everything is up to date: nothing was run." in again.stdout
    assert again.stderr == ""


def test_list_names_everything(built: Built, catalog: Catalog) -> None:
    listed = built.home.macro("list").stdout
    series = [f"raw/{s.source}/{s.id}" for s in catalog.series.values()]
    for name in [*series, *catalog.families, *catalog.tables, *catalog.views, *catalog.charts]:
        assert name in listed
    assert "tables (" not in built.home.macro("list", "series").stdout


def test_the_listings_say_what_is_stored_of_a_series(built: Built) -> None:
    for listed, name in ((("list", "series"), "raw/fred/PAYEMS"), (("catalog", "payrolls"), "PAYEMS")):
        said = built.home.macro(*listed).stdout.splitlines()
        assert any("served by" in line and "vintages" in line for line in said)
        (row,) = [" ".join(line.split()) for line in said if line.split()[:1] == [name]]
        assert "bundled 1985-01-01 2016-06-01 380 2" in row
    (unfetched,) = [line.split() for line in said if line.split()[:1] == ["USPRIV"]]
    assert unfetched[-1] == "=fred_graph", "its holders, and nothing stored"
    assert not any(cell.startswith(("19", "20")) for cell in unfetched)
    assert re.search(r"^\d+ of \d+ series, [1-9]\d* of them stored, ", said[-1])


def test_the_listings_need_no_lake_and_no_sound_one(home: Home) -> None:
    said = home.macro("catalog", "payrolls")
    assert "fred, =fred_graph, bundled" in said.stdout
    assert "vintages" not in said.stdout
    (home.lake / "raw" / "fred" / "_delta_log").mkdir(parents=True)
    (home.lake / "raw" / "fred" / "_delta_log" / f"{0:020d}.json").write_text("damaged")
    damaged = home.macro("catalog", "payrolls")
    assert damaged.stdout == said.stdout
    assert "warning: what is stored of the series cannot be told" in damaged.stderr
    assert "raw/fred" in damaged.stderr


def test_sql_answers_an_as_of_question(built: Built) -> None:
    question = """
        SELECT value - lag(value) OVER (ORDER BY observation_date) AS change
        FROM raw.bundled WHERE series_id = 'PAYEMS' QUALIFY observation_date = DATE '2016-06-01'
    """
    june = built.home.process("sql", question, "--as-of", "2016-06-30", "--csv").stdout
    assert june == "change\n"
    latest = "SELECT max(observation_date) AS latest FROM series_as_of('PAYEMS', '2016-07-29')"
    assert built.home.macro("sql", latest, "--csv").stdout == "latest\n2016-06-01\n"
    assert "2016-06-01" in built.home.macro("sql", latest).stdout


def test_doctor_finds_a_sound_lake(built: Built) -> None:
    report = built.home.macro("doctor").stdout
    assert report.count("ok ") == 5
    assert "WRONG" not in report


def test_doctor_says_what_is_wrong(home: Home) -> None:
    (home.dagster_home / "dagster.yaml").unlink()
    home.lake.write_text("a file where a folder must be")
    report = home.macro("doctor", expect=1).stdout
    assert report.count("WRONG") >= 2
    assert "Set MACRO_LAKE" in report
    assert "no dagster.yaml" in report


# --- bad input ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "normalised"], ["unknown asset 'normalised'", "normalized", "macro list"]),
        (["run", "raw/bundled/PAYEM"], ["unknown asset 'raw/bundled/PAYEM'", "raw/bundled/PAYEMS"]),
        (["run", "forecasts", "--partition", "2009-12"], ["'2009-12' is out of range", "2010-01"]),
        (["run", "raw", "--from", "1999"], ["'1999' is out of range", "2010"]),
        (["run", "charts", "--partition", "2016"], ["fits no selected asset"]),
        (["run", "raw", "--partition", "2016", "--to", "2017"], ["use one of the two"]),
        (["sql", "SELECT 1", "--as-of", "yesterday"], ["'yesterday' is not a date", "YYYY-MM-DD"]),
        (["sql", "SELECT 1"], ["there is no lake at", "make run"]),
        (["sql", "SELECT 1", "--as-of", "9999-12-31T23:59:59-12:00"], ["no instant of the years 1 to 9999"]),
        (["sql", "SELECT 1", "--as-of", "0001-01-01T00:00:00+12:00"], ["no instant of the years 1 to 9999"]),
    ],
)
def test_bad_input_is_one_message_and_changes_nothing(home: Home, arguments: list[str], words: list[str]) -> None:
    done = home.macro(*arguments, expect=2)
    one_message(done, *words)
    assert not home.lake.exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["invalidate", "PAYEMS", "2016-05-01", "9999-12-31T23:59:59-10:00", "--reason", "none"],
            ["no instant of the years 1 to 9999"],
        ),
        (["history", "payrols", "2016-05-01"], ["unknown series 'payrols'", "PAYEMS (Employees on nonfarm payrolls"]),
    ],
)
def test_a_release_or_series_that_cannot_be_is_one_message(
    built: Built, arguments: list[str], words: list[str]
) -> None:
    one_message(built.home.macro(*arguments, expect=2), *words)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("SELECT * FROM raw.nothing", ["nothing"]),
        ("SELEC 1", ["syntax error"]),
        ("SELECT 1/x", ["x"]),
        ("", ["expected one SQL statement, got none"]),
        (" ;; -- nothing", ["expected one SQL statement, got none"]),
        ("SELECT 1; SELECT 2", ["expected one SQL statement, got 2"]),
        ("SELECT CAST(repeat('x', 100000) AS INTEGER)", ["Conversion Error"]),
    ],
)
def test_a_statement_that_cannot_be_is_one_short_message(built: Built, statement: str, words: list[str]) -> None:
    done = built.home.macro("sql", statement, expect=2)
    one_message(done, *words)
    assert len(done.stderr) < 2_100


_ODD = r'''
    SELECT [1, 2] AS list, {'a': 1, 'b': 'x'} AS struct, INTERVAL 1 MONTH AS month, '\x00a'::BLOB AS bytes,
        1 AS "ä; ""b""", 1::HUGEINT AS huge, 1.50::DECIMAL(9, 2) AS exact, 'infinity'::TIMESTAMPTZ AS last, NULL AS no,
        MAP {'k': 1} AS map, '12:30'::TIME AS clock, DATE '2016-07-29' AS day, 7 AS day, uuid() IS NULL AS is_null
'''
"""Values of every sort that DuckDB has; a semicolon in a name is no end of a statement."""


@pytest.mark.parametrize("form", [[], ["--csv"]])
def test_values_of_every_type_are_shown(built: Built, form: list[str]) -> None:
    said = built.home.macro("sql", _ODD, *form).stdout
    for text in ("[1, 2]", "{'a': 1, 'b': x}", "1 month", "\\x00a", "1.50", "{k=1}", "12:30:00", "2016-07-29", "false"):
        assert text in said, said


def test_a_statement_without_rows_says_so(built: Built) -> None:
    assert "No rows." in built.home.macro("sql", "SELECT 1 AS one WHERE false").stdout
    assert built.home.macro("sql", "SELECT 1 AS one WHERE false", "--csv").stdout == "one\n"
    assert built.home.macro("sql", "SET threads = 1").stdout == "Done: the statement gives no rows.\n"


def test_a_lake_root_that_cannot_be_written(home: Home) -> None:
    home.lake.write_text("a file where a folder must be")
    one_message(home.macro("run", expect=2), str(home.lake), "cannot be written", "Set MACRO_LAKE")


def test_a_lake_root_that_is_no_folder_and_no_s3(home: Home) -> None:
    elsewhere = Home("gs://bucket/lake", home.dagster_home)  # type: ignore[arg-type]
    for arguments in (["run"], ["sql", "SELECT 1"]):
        one_message(
            elsewhere.macro(*arguments, expect=2), "gs://bucket/lake", "expected a folder or s3://bucket/prefix"
        )
    assert not list(home.dagster_home.glob("gs*"))


def test_a_table_written_by_a_newer_schema(home: Home) -> None:
    newer = Field("series_id", PrimitiveType("string"), metadata={"macro_assets.schema_version": "99"})
    table = deltalake.DeltaTable.create(home.lake / "raw" / "bundled", Schema([newer]))
    for arguments in (["run"], ["sql", "SELECT * FROM raw.bundled"]):
        one_message(home.macro(*arguments, expect=2), "raw/bundled", "schema version 99", "Upgrade macro_assets")
    assert deltalake.DeltaTable(home.lake / "raw" / "bundled").version() == table.version()
    assert sorted(p.name for p in home.lake.iterdir()) == ["raw"]


def test_bad_input_ends_a_process_with_an_exit_code(home: Home) -> None:
    one_message(home.process("run", "normalised", expect=2), "unknown asset 'normalised'", "normalized", "macro list")


@pytest.fixture
def entry(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:  # noqa: F811
    """`bundled.yaml` of a copy of the catalog, from which commands read."""
    monkeypatch.setattr(load, "files", lambda package: folder.parent)
    load.default_catalog.cache_clear()
    yield folder / "sources" / "bundled.yaml"
    load.default_catalog.cache_clear()


@pytest.mark.parametrize("arguments", [["run"], ["list"], ["sql", "SELECT 1"]])
def test_a_broken_catalog_entry(home: Home, entry: Path, arguments: list[str]) -> None:
    edit(entry.parent, entry.name, "frequency: M", "frequency: fortnightly")
    done = home.macro(*arguments, expect=2)
    one_message(done, "sources/bundled.yaml: MCOILBRENTEU: frequency:", "fortnightly")
    assert not home.lake.exists()


def test_a_bad_series_is_named_and_the_exit_code_is_1(home: Home, entry: Path) -> None:
    """Payrolls against bounds that all of them break: the rest and what is downstream go on."""
    words = ["raw/bundled/PAYEMS", "raw/bundled/UNRATE", "normalized/fred"]
    edit(entry.parent, entry.name, "{of: PAYEMS}", "{of: PAYEMS, bounds: {low: 0, high: 1}}")
    done = home.macro("run", *words, expect=1)
    (failed,) = [line for line in done.stdout.splitlines() if line.startswith("FAILED")]
    assert "raw/bundled/PAYEMS" in failed
    assert "less_than_or_equal_to(1" in failed
    stored = deltalake.DeltaTable(home.lake / "normalized" / "fred").to_pyarrow_table()
    assert set(stored["series_id"].to_pylist()) == {"UNRATE"}


# --- what the run left ----------------------------------------------------------------------------------------------


def test_every_chart_is_a_table_row_and_a_page(built: Built, catalog: Catalog) -> None:
    for name, chart in catalog.charts.items():
        page = (built.home.lake / "files" / "charts" / f"{name}.html").read_text()
        assert chart.title in page
        table = deltalake.DeltaTable(built.home.lake / "charts" / name).to_pyarrow_table()
        assert json.loads(table["figure_json"][0].as_py())["data"]
    index = (built.home.lake / "files" / "charts" / "index.html").read_text()
    assert all(f"{name}.html" in index for name in catalog.charts)


def test_the_nowcast_and_its_news_add_up(built: Built) -> None:
    """Real GDP 2016Q2, advance estimate of 2016-07-29: 1.2 percent (BEA; 1.218 in research note R-24)."""
    rows = built.home.macro(
        "sql",
        """
        WITH moved AS (
            SELECT target_date, sum(impact) AS total FROM news.gdp_nowcast GROUP BY ALL
        ), mean AS (
            SELECT as_of_month, target_date, value FROM forecasts.gdp_nowcast WHERE statistic = 'mean'
        )
        SELECT now.target_date, round(now.value - before.value - total, 9) = 0 AS adds_up
        FROM mean AS now
        JOIN mean AS before USING (target_date)
        JOIN moved USING (target_date)
        WHERE now.as_of_month = '2016-07' AND before.as_of_month = '2016-06' ORDER BY 1
        """,
        "--csv",
    ).stdout
    assert rows == "target_date,adds_up\n2016-04-01,true\n2016-07-01,true\n"
    released = """
        SELECT round(value, 3) AS q2 FROM forecasts.gdp_nowcast
        WHERE is_released AND as_of_month = '2016-07' AND statistic = 'mean'
    """
    assert built.home.macro("sql", released, "--csv").stdout == "q2\n1.218\n"
