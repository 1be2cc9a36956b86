"""What the README shows is run or counted: its SQL, its Python, its commands, its tables, its YAML entry."""

from __future__ import annotations

import ast
import re
import shlex

import duckdb
import polars as pl
import pytest
import yaml

from macro_assets.catalog import Catalog, Indicator, Series, default_catalog
from macro_assets.lakehouse import connect
from macro_assets_tests.conftest import ROOT, Built, Home, copy_of

README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def command_lines(program: str) -> list[list[str]]:
    lines = [line for block in blocks("bash") for line in block.splitlines()]
    return [shlex.split(line, comments=True)[1:] for line in lines if line.startswith(f"{program} ")]


SQL, PYTHON, MAKE = blocks("sql"), blocks("python"), command_lines("make")
LIVE, MACRO = command_lines("macro")[:2], command_lines("macro")[2:]
"""The first ask every provider; the stages of a lake from offline to live have tests of their own."""


def test_there_is_something_to_run() -> None:
    assert len(SQL) == README.count("```sql")
    assert len(PYTHON) == README.count("```python") > 0
    assert len(LIVE + MACRO) == README.count("\nmacro ") > 2
    assert LIVE == [["fetch"], ["run"]]
    assert MAKE == [["run"], ["test"]]


def without_data(answer: pl.DataFrame) -> list[str]:
    """What a first look would show nothing of: columns without any value, or all of them where there is no row."""
    return [c.name for c in answer if c.null_count() == len(c)]


def test_every_answer_shows_data(built: Built, monkeypatch: pytest.MonkeyPatch) -> None:
    """The offline lake's, which is a newcomer's first: of SQL, of the command line and of Python."""
    monkeypatch.setenv("MACRO_LAKE", str(built.home.lake))
    con = connect()
    asked = [a[1:] for a in MACRO if a[0] == "sql"]
    answers = {sql: con.sql(sql).pl() for sql in SQL}
    answers |= {sql: connect(as_of=then[-1] if then else None).sql(sql).pl() for sql, *then in asked}
    names: dict[str, object] = {}
    for line in ast.parse(PYTHON[0]).body:
        code = ast.unparse(line)
        if isinstance(line, ast.Expr):
            found = eval(code, names)
            answers[code] = found if isinstance(found, pl.DataFrame) else found.pl()
        else:
            exec(code, names)
    assert len(answers) == len(SQL) + len(asked) + 4
    assert {code: empty for code, frame in answers.items() if (empty := without_data(frame))} == {}


def test_an_answer_without_data_is_seen() -> None:
    assert without_data(pl.DataFrame({"a": [None, None], "b": [1, None]})) == ["a"]
    assert without_data(pl.DataFrame({"a": [], "b": []})) == ["a", "b"]


def test_the_sql_answers(built: Built) -> None:
    con = connect(root=built.home.lake)
    payrolls, side_by_side, news, models, stress, worth = (con.execute(statement).fetchall() for statement in SQL)
    assert [row[1] for row in payrolls] == [287.0]
    assert sum(row[2] for row in stress) == pytest.approx(stress[0][3], abs=0.02), "contributions add up to the index"
    assert {row[0] for row in worth} == {"us_equities", "oil"}
    assert [len(row) for row in side_by_side] == [4] * 12
    assert all(row[1] < row[2] for row in side_by_side), "Aaa yields less than Baa"
    assert None not in {cell for row in side_by_side for cell in row}
    assert len(news) > 10
    assert {row[0] for row in news} == {"news", "revision", "reestimation"}
    assert all((row[2] is None) == (row[4] is None) for row in news), "a figure has its unit"
    assert ("Employees on nonfarm payrolls, total", 287.0, "Thousands of Persons") in [
        row[1:2] + row[3:5] for row in news
    ]
    assert {(row[0], row[1]) for row in models} == {
        (model, month) for model in ("nowcast", "autoregression") for month in ("2016-06", "2016-07")
    }
    assert all(low <= mean <= high for *_, low, mean, high in models), "columns in the order of the statistics"


def test_the_python_runs(built: Built, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MACRO_LAKE", str(built.home.lake))
    names: dict[str, object] = {}
    for block in PYTHON:
        exec(compile(block, "README.md", "exec"), names)
    assert isinstance(names["con"], duckdb.DuckDBPyConnection)


@pytest.fixture(scope="module")
def copy(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A copy of the built lake that commands may change."""
    return copy_of(built, tmp_path_factory.mktemp("readme"))


@pytest.mark.parametrize("arguments", MACRO, ids=lambda a: " ".join(a)[:50])
def test_every_command_succeeds(copy: Home, arguments: list[str]) -> None:
    done = copy.macro(*arguments)
    if arguments[0] == "sql" and "--as-of" in arguments:
        assert "2016-01-01" in done.stdout  # the second quarter of 2016 was not known at the end of June


def test_the_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in [*(words[0] for words in MAKE), "ui", "help", "lint", "bench"]:
        assert re.search(rf"^{target}:.*##", makefile, re.MULTILINE), target


def test_the_yaml_entry_is_the_catalog_s_own() -> None:
    (entry,) = yaml.safe_load(blocks("yaml")[0])
    series = default_catalog().series["PAYEMS"]
    assert Series.model_validate({**series.model_dump(), **entry}) == series
    assert "{of: PAYEMS}" in README
    assert "PAYEMS" in [c.id for c in default_catalog().copies]


def test_what_one_gets_without_a_key_with_freds_and_with_others(catalog: Catalog) -> None:
    """The table's counts; a holder that is asked over a network makes a series live."""
    keys = {s.name for s in catalog.sources.values() if s.api and s.api.key and s.api.key.required}
    freds = {s for s in keys if s.startswith("fred")}
    online = {s.name for s in catalog.sources.values() if s.is_live}
    asked = {i: {h.provider for h in catalog.holdings(i)} & online for i in catalog.series}

    def live(without: set[str]) -> int:
        return sum(bool(who - without) for who in asked.values())

    fred = [s.id for s in catalog.series_of("fred")]
    rows = re.findall(r"^\| (?:nothing|a network|and FRED's key|and all other keys).*\|$", README, re.MULTILINE)
    stated = [[int(n) for n in re.findall(r"\b\d{2,3}\b", row)] for row in rows]
    vintaged = [s for s in catalog.series_of("bundled") if s.dataset == "frbny_nowcast"]
    assert stated == [
        [len(catalog.series_of("bundled")), len(vintaged)],
        [live(keys), sum(bool(asked[i] - keys) for i in fred)],
        [live(keys - freds), len(fred)],
        [live(set())],
    ]
    assert f"The other {len(asked) - live(set())} of the {len(asked)} are offline data sets" in README


def test_the_entry_of_an_indicator_is_the_catalog_s_own() -> None:
    (entry,) = yaml.safe_load(blocks("yaml")[1])
    assert Indicator(**entry, shape="signal") == default_catalog().indicators["sahm_rule"]


def test_links_and_folders_exist() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists(), target
    for row in re.findall(r"^\| (`.*?`) \|", README, re.MULTILINE):
        for name in re.findall(r"`([^`]+)`", row):
            assert (ROOT / name).exists() or (ROOT / "macro_assets" / name).exists(), name


def test_the_number_of_series_is_true() -> None:
    catalog = default_catalog()
    assert f"{len(catalog.series_of('bundled'))} real US series" in README
    assert f"The catalog has {len(catalog.series)} series, of some forty sources" in README
    assert 35 <= len(catalog.sources) <= 45
