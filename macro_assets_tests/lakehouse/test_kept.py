"""Views kept in a file: the same session, from the versions of now, whatever became of the file or the lake."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import polars as pl
import pytest
from deltalake import write_deltalake

from macro_assets.lakehouse import connect, kept, session
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.raw import append_vintages
from macro_assets_tests.lakehouse.synthetic import INGESTED, frame, month, one_source, row

FULL = one_source()
CATALOG = dataclasses.replace(
    FULL, tables={n: t for n, t in FULL.tables.items() if t.layer in ("raw", "silences", "audit", "indicators")}
)
"""Few tables: sessions open in a part of the time."""


@pytest.fixture
def caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where views are kept, of small lakes too."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    monkeypatch.setattr(kept, "WORTH", 1)
    return tmp_path / "caches" / "macro_assets" / "sessions"


@pytest.fixture
def lake(tmp_path: Path, caches: Path) -> Lakehouse:
    """A raw table and two of another program, of which a session was opened."""
    made = Lakehouse(tmp_path / "it's a lake", CATALOG)
    payrolls(made, 1, 1.0)
    write_deltalake(f"{made.root}/odd names/it's", pl.DataFrame({"Mixed Case": [1]}))
    mine(made.root, pl.DataFrame({"Day": [1], "value": [1.0]}))
    opened(made)
    assert len([*caches.glob("*.json")]) == len([*caches.glob("*.duckdb")]) == 1
    return made


def payrolls(lake: Lakehouse, n: int, value: float) -> None:
    rows = frame(row(month(n), value, INGESTED)).drop("run_id")
    append_vintages("bundled", rows, "synthetic", root=lake.root, catalog=lake.catalog)


def mine(root: object, rows: pl.DataFrame, **how: str) -> None:
    write_deltalake(f"{root}/research/mine", rows, **how)  # type: ignore[call-overload]


def opened(lake: Lakehouse) -> duckdb.DuckDBPyConnection:
    return connect(root=lake.root, catalog=lake.catalog)


@pytest.fixture
def recalled(monkeypatch: pytest.MonkeyPatch) -> Callable[[Lakehouse], duckdb.DuckDBPyConnection]:
    """Opens a session that must come from the file."""

    def recall(lake: Lakehouse) -> duckdb.DuckDBPyConnection:
        with monkeypatch.context() as patched:
            patched.setattr(session, "_fill", None)
            return opened(lake)

    return recall


Recall = Callable[[Lakehouse], duckdb.DuckDBPyConnection]

SHOWN = (
    *(
        f"SELECT {what} WHERE NOT internal ORDER BY ALL"
        for what in (
            "schema_name, view_name, comment, column_count FROM duckdb_views()",
            "schema_name, table_name, column_name, data_type, comment FROM duckdb_columns()",
            "schema_name, function_name, parameters FROM duckdb_functions()",
        )
    ),
    "SELECT * FROM catalog.series ORDER BY ALL",
    "SELECT * FROM observations_as_of(NULL)",
    "SELECT * FROM raw.bundled",
    "SELECT * FROM research.mine",
    'SELECT "Mixed Case" FROM "odd names"."it\'s"',
    "SHOW TABLES",
)


def test_a_session_from_the_file_is_the_same(
    lake: Lakehouse, recalled: Recall, monkeypatch: pytest.MonkeyPatch
) -> None:
    con = recalled(lake)
    monkeypatch.setattr(kept, "WORTH", 100)
    plain = opened(lake)
    for question in SHOWN:
        answer = con.execute(question).fetchall()
        assert answer == plain.execute(question).fetchall()
        assert answer, question


def test_it_reads_the_versions_of_now_and_stays_with_them(lake: Lakehouse, recalled: Recall) -> None:
    before = recalled(lake)
    payrolls(lake, 2, 2.0)
    mine(lake.root, pl.DataFrame({"Day": [2], "value": [2.0]}), mode="append")
    questions = [f"SELECT count(*) FROM {t}" for t in ("raw.bundled", "observations_as_of(NULL)", "research.mine")]
    after = recalled(lake)
    for con, count in ((before, 1), (before.cursor(), 1), (after, 2), (after.cursor(), 2)):
        assert [con.execute(question).fetchone() for question in questions] == [(count,)] * 3


@pytest.mark.parametrize("change", ["columns", "comes", "goes", "is another"])
def test_other_tables_or_columns_are_seen(lake: Lakehouse, recalled: Recall, change: str) -> None:
    if change == "columns":
        mine(lake.root, pl.DataFrame({"Day": [2], "other": [2.0]}), mode="overwrite", schema_mode="overwrite")
    elif change == "comes":
        write_deltalake(f"{lake.root}/research/new", pl.DataFrame({"other": [1.0]}))
    else:
        shutil.rmtree(lake.root / "research" / "mine")  # type: ignore[arg-type]
    if change == "is another":
        mine(lake.root, pl.DataFrame({"day": [1], "other": [1.0]}))
    with pytest.raises(TypeError):
        recalled(lake)
    told = "SELECT table_name, column_name FROM duckdb_columns() WHERE schema_name = 'research' ORDER BY ALL"
    expected = {
        "columns": [("mine", "Day"), ("mine", "other")],
        "comes": [("mine", "Day"), ("mine", "value"), ("new", "other")],
        "goes": [],
        "is another": [("mine", "day"), ("mine", "other")],
    }
    assert opened(lake).execute(told).fetchall() == expected[change]
    assert recalled(lake).execute(told).fetchall() == expected[change]


def test_another_catalog_has_a_file_of_its_own(lake: Lakehouse, recalled: Recall) -> None:
    series = {**CATALOG.series, "PAYEMS": CATALOG.series["PAYEMS"].model_copy(update={"title": "Another title"})}
    other = dataclasses.replace(lake, catalog=dataclasses.replace(CATALOG, series=series))
    opened(other)
    title = "SELECT title FROM catalog.series WHERE series_id = 'PAYEMS'"
    assert recalled(other).execute(title).fetchone() == ("Another title",)
    assert recalled(lake).execute(title).fetchone() == (CATALOG.series["PAYEMS"].title,)


@pytest.mark.parametrize(
    ("suffix", "content"),
    [(".json", None), (".json", b"[1]"), (".json", "cut"), (".duckdb", None), (".duckdb", "cut"), (".duckdb", "other")],
)
def test_a_damaged_file_is_made_again(
    lake: Lakehouse, recalled: Recall, caches: Path, suffix: str, content: bytes | str | None
) -> None:
    (file,) = caches.glob(f"*{suffix}")
    whole = file.read_bytes()
    middle = len(whole) // 2
    if content is None:
        file.unlink()
    elif isinstance(content, bytes):
        file.write_bytes(content)
    else:
        file.write_bytes(whole[:middle] if content == "cut" else bytes(255 - b for b in whole))
    with pytest.raises(TypeError):
        recalled(lake)
    for con in (opened(lake), recalled(lake)):
        assert con.execute("SELECT value FROM series_as_of('PAYEMS', NULL)").fetchall() == [(1.0,)]


def test_where_nothing_can_be_kept_a_session_opens(
    lake: Lakehouse, caches: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(caches.parent)
    caches.parent.write_text("a file, no folder")
    assert opened(lake).execute("SELECT count(*) FROM raw.bundled").fetchone() == (1,)
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", lambda: (_ for _ in ()).throw(RuntimeError("no home")))
    assert opened(lake).execute("SELECT count(*) FROM raw.bundled").fetchone() == (1,)


@pytest.mark.parametrize("entry", ["", '{"commitInfo": {'])
def test_a_table_that_was_damaged_since_is_told_in_the_same_words(lake: Lakehouse, entry: str) -> None:
    payrolls(lake, 2, 2.0)
    newest = max((lake.root / "raw/bundled/_delta_log").glob("*.json"))  # type: ignore[operator]
    newest.write_text(entry)
    with pytest.raises(duckdb.Error, match="raw/bundled.* cannot be opened.*macro doctor"):
        opened(lake).execute("SELECT count(*) FROM raw.bundled").fetchall()


def test_what_is_damaged_is_not_kept(lake: Lakehouse, caches: Path) -> None:
    mine(lake.root, pl.DataFrame({"Day": [2], "value": [2.0]}), mode="append")
    newest = max((lake.root / "research/mine/_delta_log").glob("*.json"))  # type: ignore[operator]
    whole = newest.read_bytes()
    newest.write_bytes(whole[:50])
    for file in caches.iterdir():
        file.unlink()
    with pytest.raises(duckdb.Error, match="research/mine"):
        opened(lake).execute("SELECT * FROM research.mine").fetchall()
    assert [*caches.iterdir()] == []
    newest.write_bytes(whole)
    assert opened(lake).execute("SELECT count(*) FROM research.mine").fetchone() == (2,)


def test_sessions_that_open_at_once_keep_one_set(
    lake: Lakehouse, caches: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for file in caches.iterdir():
        file.unlink()
    with ThreadPoolExecutor(4) as pool:
        for con in pool.map(opened, [lake] * 4):
            assert con.execute("SELECT count(*) FROM raw.bundled").fetchone() == (1,)
    assert len([*caches.glob("*.json")]) == 1
    monkeypatch.setattr(session, "_fill", None)
    with ThreadPoolExecutor(4) as pool:
        for con in pool.map(opened, [lake] * 4):
            assert con.execute("SELECT count(*) FROM raw.bundled").fetchone() == (1,)


def test_an_as_of_session_is_never_from_a_file(lake: Lakehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "recalled", None)
    con = connect(as_of="2016-06-30", root=lake.root, catalog=lake.catalog)
    assert con.execute("SELECT count(*) FROM raw.bundled").fetchone() == (0,)


def test_old_files_go(lake: Lakehouse, caches: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "_MOST_KEPT", 1)
    monkeypatch.setattr(kept, "_ABANDONED", -1)
    other = Lakehouse(lake.root.parent / "other", CATALOG)  # type: ignore[union-attr]
    payrolls(other, 1, 1.0)
    opened(other)
    assert len([*caches.glob("*.json")]) == len([*caches.glob("*.duckdb")]) == 1
