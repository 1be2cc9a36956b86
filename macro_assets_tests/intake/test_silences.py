"""What files and lines do not say, from a folder of the user's own to the answers. All synthetic."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from macro_assets.catalog import default_catalog
from macro_assets.intake.rebuild import rebuild
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.raw import observations_as_of, read_raw, read_silences
from macro_assets.lakehouse.session import connect
from macro_assets.sources.providers.manual import COLUMNS, FILE
from macro_assets_tests.conftest import make_home
from macro_assets_tests.intake.taking import taken
from macro_assets_tests.sources.own_files import DEFAULTS, catalog_of, declare

VINTAGE = {"prefix": "MY_", "vintage": "%Y-%m"}

Cell = float | None
File = Mapping[int, Cell]
"""By month of 2019 the figure, None where the cell is blank; of months that it lacks there is no row."""


def day(vintage: int) -> datetime:
    """When the file of a month of 2020 was known."""
    return datetime.combine(date(2020, vintage + 1, 1), datetime.min.time(), UTC)


def csv(file: File) -> str:
    rows = ((m, "" if v is None else v) for m, v in sorted(file.items()))
    return "Date,A,B\n2018-12-01,,7\n" + "".join(
        f"2019-{m:02},{v},7\n".replace(f"{m:02},", f"{m:02}-01,") for m, v in rows
    )


def add(own: Path, vintages: Mapping[int, File]) -> None:
    for n, file in vintages.items():
        (own / "files" / f"2020-{n:02}.csv").write_text(csv(file))


def answers(lake: Lakehouse, moment: datetime) -> dict[date, float]:
    known = observations_as_of(moment, ["MY_A"], lake.root, lake.catalog).drop_nulls("value")
    return dict(known.select("observation_date", "value").iter_rows())


def expected(files: Mapping[int, File], upto: int, blank: str) -> dict[date, float]:
    """By brute force: the figures of the files in turn; what a later one lacks says nothing or withdraws."""
    known: dict[int, float] = {}
    for n in sorted(files):
        if n <= upto:
            figures = {m: v for m, v in files[n].items() if v is not None}
            known = figures if blank == "withdrawn" else {**known, **figures}
    return {date(2019, m, 1): v for m, v in known.items()}


def assert_right(lake: Lakehouse, files: Mapping[int, File], blank: str) -> None:
    told = {n: expected(files, n, blank) for n in range(1, 7)}
    assert {n: answers(lake, day(n)) for n in told} == told
    if "MY_A" not in read_raw(lake, "mine")["series_id"]:
        return
    with connect(root=lake.root, catalog=lake.catalog) as con:
        known = "SELECT observation_date, value FROM series_as_of('MY_A', ?) WHERE value IS NOT NULL"
        assert {n: dict(con.execute(known, [day(n)]).fetchall()) for n in told} == told


ATTACK: dict[int, File] = {1: {1: 1.0}, 2: {1: 9.0}, 3: {1: None, 2: 5.0}}
"""The figure of January is stated, revised, and left blank."""


@pytest.mark.parametrize("blank", ["silent", "withdrawn"])
@pytest.mark.parametrize("order", list(itertools.permutations(ATTACK)))
def test_a_blank_in_a_later_file_means_what_is_declared_in_any_order(
    tmp_path: Path, blank: str, order: tuple[int, ...]
) -> None:
    declare(tmp_path / "own", {**VINTAGE, "blank": blank})
    there: dict[int, File] = {}
    for n in order:
        there[n] = ATTACK[n]
        add(tmp_path / "own", there)
        lake = Lakehouse(tmp_path / "lake", catalog_of(tmp_path / "own"))
        taken(lake, "mine", run_id=f"run {n}")
        assert {k: answers(lake, day(k)) for k in ATTACK} == {k: expected(there, k, blank) for k in ATTACK}
    again = rebuild(lake, lake.catalog.sources["mine"])
    assert again.is_equal
    assert not again.written


cells = st.sampled_from([1.0, 1.0, 2.0, None])
files = st.dictionaries(st.integers(1, 5), st.dictionaries(st.integers(1, 4), cells), min_size=2)


@settings(max_examples=4)
@given(files, st.randoms(use_true_random=False), st.sampled_from(["silent", "withdrawn"]))
def test_files_in_any_order_give_the_answers_of_brute_force(drawn: dict[int, File], random: object, blank: str) -> None:
    order = list(drawn)
    random.shuffle(order)  # type: ignore[attr-defined]
    there: dict[int, File] = {}
    with TemporaryDirectory() as folder:
        own = Path(folder) / "own"
        declare(own, {**VINTAGE, "blank": blank})
        for n in order:
            there[n] = drawn[n]
            add(own, {n: drawn[n]})
            if random.choice([True, True, False]) or len(there) == len(order):  # type: ignore[attr-defined]
                lake = Lakehouse(Path(folder) / "lake", catalog_of(own))
                taken(lake, "mine", run_id=f"run {n}")
                assert_right(lake, there, blank)
        before = read_raw(lake, "mine"), read_silences(lake, "mine")
        taken(lake, "mine", run_id="again")
        after = read_raw(lake, "mine"), read_silences(lake, "mine")
        assert all(a.equals(b) for a, b in zip(after, before, strict=True))  # type: ignore[union-attr, arg-type]


# --- lines entered by hand -----------------------------------------------------------------------------------------

LINES = {
    "MY_PMI,2026-08-01,50,2026-09-01,ana,first": (8, 50.0, date(2026, 9, 1)),
    "MY_PMI,2026-09-01,48.5,2026-10-01,ana,first": (9, 48.5, date(2026, 10, 1)),
    "MY_PMI,2026-08-01,51,2026-09-15,ana,entered late": (8, 51.0, date(2026, 9, 15)),
    "MY_PMI,2026-08-01,51,2026-10-20,ana,said again": (8, 51.0, date(2026, 10, 20)),
    "MY_PMI,2026-08-01,52,2026-10-10,ana,between them": (8, 52.0, date(2026, 10, 10)),
}
SERIES = {
    "id": "MY_PMI",
    "title": "T",
    "unit": "index",
    "scale": 1.0,
    "provider_unit": "Index",
    "transform": 1,
    "bounds": {"low": 0, "high": 100},
    "staleness_days": 75,
    "aggregation": "mean",
    "first_year": 2006,
}
SOURCE = {"title": "T", "description": "D", "url": "https://example.org", "owner": "team:research"}


def by_hand(own: Path, vintages: str | None) -> Path:
    """A source of lines entered by hand, which may say what its vintages are."""
    own.mkdir()
    stated = {} if vintages is None else {"vintages": vintages}
    source = {**SOURCE, "connector": "manual", **stated}
    document = {"source": source, "defaults": DEFAULTS, "series": [SERIES]}
    (own / "by_hand.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    return own


@pytest.mark.parametrize("vintages", [None, "whole"])
def test_a_line_speaks_of_its_own_date_alone_in_any_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, vintages: str | None
) -> None:
    """A file that grows by a line at a time: a line that is entered late is overruled by none of another date."""
    own = by_hand(tmp_path / "own", vintages)
    monkeypatch.setenv("MACRO_CATALOG", str(own))
    catalog = catalog_of(own)
    for k, order in enumerate(itertools.permutations(LINES)):
        if k % 48:
            continue
        lake = Lakehouse(tmp_path / f"lake{k}", catalog)
        for n in range(len(order)):
            there = order[: n + 1]
            (own / FILE).write_text("\n".join([",".join(COLUMNS), *there, ""]))
            taken(lake, "by_hand", run_id=f"run {n}")
            for moment in sorted(known for _, _, known in LINES.values()):
                said = sorted((LINES[x] for x in there), key=lambda told: told[2])
                latest = {date(2026, m, 1): v for m, v, known in said if known <= moment}
                found = observations_as_of(moment, ["MY_PMI"], lake.root, catalog)
                assert dict(found.select("observation_date", "value").iter_rows()) == latest, (there, moment)
        assert rebuild(lake, catalog.sources["by_hand"]).is_equal


def test_a_figure_entered_late_by_the_commands_holds_today(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MACRO_CATALOG", str(by_hand(tmp_path / "own", "whole")))
    default_catalog.cache_clear()
    home = make_home(tmp_path)
    who = ("--author", "ana", "--reason", "press release", "--release-time")
    for month, value, known in ((8, "50", "2026-09-01"), (9, "48.5", "2026-10-01"), (8, "51", "2026-09-15")):
        home.macro("observe", "MY_PMI", f"2026-{month:02}-01", value, *who, known)
        home.macro("run", "raw/by_hand")
    told = "SELECT value, release_time::DATE AS known FROM series_as_of('MY_PMI', {}) WHERE month(observation_date) = 8"
    for moment, value, known in (("2026-09-10", 50, "09-01"), ("2026-10-05", 51, "09-15"), ("2026-11-20", 51, "09-15")):
        answer = home.macro("sql", "--csv", told.format(f"'{moment}'")).stdout.split()
        assert answer[-1] == f"{value}.0,2026-{known}", moment
    default_catalog.cache_clear()


# --- what is gone from the files -----------------------------------------------------------------------------------


@pytest.mark.parametrize("blank", ["silent", "withdrawn"])
def test_a_file_that_is_gone_takes_nothing_away(tmp_path: Path, blank: str) -> None:
    declare(tmp_path / "own", {**VINTAGE, "blank": blank})
    add(tmp_path / "own", {1: {1: 1.0}, 2: {2: 2.0}})
    lake = Lakehouse(tmp_path / "lake", catalog_of(tmp_path / "own"))
    taken(lake, "mine", run_id="first")
    (tmp_path / "own" / "files" / "2020-01.csv").unlink()
    add(tmp_path / "own", {3: {2: 3.0}})
    done = taken(lake, "mine", run_id="second")
    assert [o.failure for o in done.outcomes if o.series.id == "MY_A"] == [None]
    before = {} if blank == "withdrawn" else {date(2019, 1, 1): 1.0}
    assert answers(lake, day(2)) == {**before, date(2019, 2, 1): 2.0}
    assert answers(lake, day(3)) == {**before, date(2019, 2, 1): 3.0}


def test_a_line_that_is_taken_out_of_the_file_stays_in_the_lake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = by_hand(tmp_path / "own", None)
    monkeypatch.setenv("MACRO_CATALOG", str(own))
    lake = Lakehouse(tmp_path / "lake", catalog_of(own))
    lines = list(LINES)[:2]
    for there in (lines, lines[:1], lines[1:]):
        (own / FILE).write_text("\n".join([",".join(COLUMNS), *there, ""]))
        assert [o.failure for o in taken(lake, "by_hand", run_id=str(there)).outcomes] == [None]
    known = observations_as_of(None, ["MY_PMI"], lake.root, lake.catalog)
    assert known["value"].to_list() == [50.0, 48.5]


def test_a_rebuild_puts_silences_on_record_that_were_not(tmp_path: Path) -> None:
    declare(tmp_path / "own", VINTAGE)
    add(tmp_path / "own", {1: ATTACK[1], 3: ATTACK[3]})
    lake = Lakehouse(tmp_path / "lake", catalog_of(tmp_path / "own"))
    taken(lake, "mine")
    kept = read_silences(lake, "mine")
    assert kept is not None
    assert kept.height == 1
    shutil.rmtree(tmp_path / "lake" / "silences")
    done = rebuild(lake, lake.catalog.sources["mine"])
    assert (done.is_equal, done.written) == (True, True)
    assert kept.equals(read_silences(lake, "mine"))  # type: ignore[arg-type]
