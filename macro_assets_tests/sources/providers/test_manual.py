"""Observations entered by hand: the file, its errors, and the command that adds a line. All synthetic."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from macro_assets.catalog import Catalog, UnknownNameError, default_catalog
from macro_assets.cli.observe import observe_command
from macro_assets.intake.observe import Entry, observe
from macro_assets.sources.errors import SourceError
from macro_assets.sources.fetching import fetch
from macro_assets.sources.protocol import Fetched, Request, Window
from macro_assets.sources.providers.manual import COLUMNS, FILE, ManualClient, client, fingerprint
from macro_assets_tests.sources.own_files import DEFAULTS, catalog_of

HEADER = ",".join(COLUMNS) + "\n"
NOW = datetime(2026, 11, 20, 15, 4, 5, 678_901, tzinfo=UTC)
WINDOW = Window(today=NOW.date())
SERIES: dict[str, Any] = {
    "title": "T",
    "unit": "percent",
    "scale": 1.0,
    "provider_unit": "Percent",
    "transform": 1,
    "bounds": {"low": -10, "high": 100},
    "staleness_days": 100,
    "aggregation": "mean",
    "first_year": 2000,
}
SOURCE = {"title": "T", "description": "D", "url": "https://example.org", "owner": "team:research"}


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a source of the connector `manual`, and one whose series falls back on it."""
    monkeypatch.setenv("MACRO_CATALOG", str(tmp_path))
    mine = [{"id": "MY_PMI", "code": "MY_PMI", **SERIES}, {"id": "MY_GDP", "code": "GDP", "frequency": "Q", **SERIES}]
    falling = {
        "id": "OTHER_RATE",
        "code": "R",
        **SERIES,
        "holders": [{"source": "by_hand", "code": "RATE_BP", "factor": 0.01}],
    }
    alone = {"id": "OTHER_ALONE", "code": "A", **SERIES}
    for name, source, series in (
        ("by_hand", {**SOURCE, "connector": "manual", "vintages": "whole"}, mine),
        ("other", {**SOURCE, "connector": "cboe"}, [falling, alone]),
    ):
        document = {"source": source, "defaults": DEFAULTS, "series": series}
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(document))
    return tmp_path


@pytest.fixture
def mine(own: Path) -> Catalog:
    return catalog_of(own)


def write(own: Path, *lines: str) -> Path:
    (own / FILE).write_text(HEADER + "".join(f"{line}\n" for line in lines))
    return own


def fetched(mine: Catalog, *ids: str) -> Fetched:
    source = mine.sources["by_hand"]
    return fetch(source, client(source), [mine.series[i] for i in ids or ("MY_PMI",)], WINDOW)


# --- the file ------------------------------------------------------------------------------------------------------


def test_lines_are_observations_and_a_later_release_is_a_revision(own: Path, mine: Catalog) -> None:
    write(
        own,
        "MY_PMI,2026-09-01,48.5,2026-10-01,ana,press release",
        "MY_PMI,2026-09-01,48.7,2026-11-03T10:00:00-03:00,ana,revised",
        "MY_PMI,2026-10-01,,2026-11-03T13:00:00Z,bruno,not published",
        "GDP,2026-07-01,0.4,2026-10-30,ana,flash",
    )
    found = fetched(mine, "MY_PMI", "MY_GDP")
    assert found.failures == {}
    rows = found.observations.select(
        "series_id", "observation_date", "value", "release_time", "release_basis", "provider"
    )
    assert rows.rows() == [
        ("MY_PMI", date(2026, 9, 1), 48.5, datetime(2026, 10, 1, 23, 59, 59, 999_999, UTC), "provider", "by_hand"),
        ("MY_PMI", date(2026, 9, 1), 48.7, datetime(2026, 11, 3, 13, tzinfo=UTC), "provider", "by_hand"),
        ("MY_PMI", date(2026, 10, 1), None, datetime(2026, 11, 3, 13, tzinfo=UTC), "provider", "by_hand"),
        ("MY_GDP", date(2026, 7, 1), 0.4, datetime(2026, 10, 30, 23, 59, 59, 999_999, UTC), "provider", "by_hand"),
    ]
    assert [r.request for r in found.responses] == [FILE]


def test_a_file_that_a_spreadsheet_has_saved_is_read_and_added_to(own: Path, mine: Catalog) -> None:
    head = ",".join(f'"{c}"' for c in COLUMNS)
    lines = [head, '"MY_PMI","2026-09-01","48.5","2026-10-01","ana","release, page 2"', ""]
    (own / FILE).write_bytes(b"\xef\xbb\xbf" + "\r\n".join(lines).encode())
    observe(Entry("MY_PMI", "2026-10-01", "48.2", "ana", "release", "2026-11-03"), mine, NOW)
    found = fetched(mine)
    assert found.failures == {}
    assert found.observations["value"].to_list() == [48.5, 48.2]


@pytest.mark.parametrize("value", ["1.234,5", "48,5", "5%"])
def test_a_mark_that_is_not_in_its_place_is_refused(own: Path, mine: Catalog, value: str) -> None:
    write(own, f'MY_PMI,2026-09-01,"{value}",2026-10-01,ana,release')
    assert f"line 2: expected a number in 'value', got {value!r}" in fetched(mine).failures["MY_PMI"]


def test_it_steps_in_for_a_provider_under_its_own_code(own: Path, mine: Catalog) -> None:
    write(own, "RATE_BP,2026-09-01,525,2026-10-01,ana,the provider is down")
    series = mine.series["OTHER_RATE"]
    source = mine.sources["by_hand"]
    found = fetch(source, client(source), [series.at(series.holders[0])], WINDOW)
    assert found.failures == {}
    assert found.observations.select("series_id", "value", "provider").rows() == [("OTHER_RATE", 525.0, "by_hand")]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("MY_PMI,2026-09-01,48.5,2026-10-01,,why", "line 2: expected the author, it is empty"),
        ("MY_PMI,2026-09-01,48.5,2026-10-01,ana,", "line 2: expected the reason, it is empty"),
        ("MY_PMI,2026-09-01,48.5,2026-10-01,ana", "line 2: expected the reason, it is empty"),
        ("MY_PMI,2026-09-01,48.5,2026-10-01, ,why", "line 2: expected the author, it is empty"),
        ("MY_PMI,2026-09-01,n/a,2026-10-01,ana,why", "line 2: expected a number in 'value', got 'n/a'"),
        ("MY_PMI,2026-09-01,NaN,2026-10-01,ana,why", "got 'NaN'"),
        ("MY_PMI,2026-09-01,inf,2026-10-01,ana,why", "got 'inf'"),
        ('MY_PMI,2026-09-01,"48,5",2026-10-01,ana,why', "got '48,5'"),
        (
            "MY_PMI,2026-09-30,48.5,2026-10-01,ana,why",
            "expected the first day of a month (frequency M), 2026-09-01, got 2026-09-30",
        ),
        ("MY_PMI,01/09/2026,48.5,2026-10-01,ana,why", "expected a date like %Y-%m-%d"),
        ("MY_PMI,2026-13-01,48.5,2026-10-01,ana,why", "got '2026-13-01'"),
        (
            "MY_PMI,2026-09-01,48.5,,ana,why",
            "expected a release_time like 2026-11-06 or 2026-11-06T13:30:00Z, got None",
        ),
        ("MY_PMI,2026-09-01,48.5,2026-10-01T10:00:00,ana,why", "got '2026-10-01T10:00:00'"),  # in which zone?
        ("MY_PMI,2026-09-01,48.5,2026-10-01x10:00:00Z,ana,why", "got '2026-10-01x10:00:00Z'"),
        ("MY_PMI,2026-09-01T03:00:00Z,48.5,2026-10-01,ana,why", "got '2026-09-01T03:00:00Z': it is not midnight"),
        ("MY_PMI,2026-Q3,48.5,2026-10-01,ana,why", "expected a date like %Y-%m-%d"),
        ("MY_PMI,2026-09-01,48.5,yesterday,ana,why", "got 'yesterday'"),
        ("MY_PMI,2026-09-01,48.5,2026-11-21,ana,why", "expected a release_time that has passed"),
        ("MY_PMI,2026-09-01,48.5,2026-08-31,ana,why", "expected a release_time after 2026-09-01 has begun"),
    ],
)
def test_a_wrong_line_fails_its_series_alone_and_is_named(own: Path, mine: Catalog, line: str, says: str) -> None:
    write(own, line, "GDP,2026-07-01,0.4,2026-10-30,ana,flash")
    found = fetched(mine, "MY_PMI", "MY_GDP")
    assert list(found.failures) == ["MY_PMI"]
    assert says in found.failures["MY_PMI"]
    assert f"series MY_PMI of source by_hand: {FILE}" in found.failures["MY_PMI"]
    assert found.observations["series_id"].to_list() == ["MY_GDP"]


@pytest.mark.parametrize("value", ["48.5", "48.6"])
def test_two_lines_with_one_release_time_are_refused(own: Path, mine: Catalog, value: str) -> None:
    first = "MY_PMI,2026-09-01,48.5,2026-11-03T13:00:00Z,ana,why"
    write(own, first, f"MY_PMI,2026-09-01,{value},2026-11-03T10:00:00-03:00,bruno,why")
    said = fetched(mine).failures["MY_PMI"]
    assert "lines [2, 3]: expected one value for 2026-09-01 known at 2026-11-03 13:00:00 UTC, got several" in said


def test_lines_of_some_months_are_no_quarters(own: Path, mine: Catalog) -> None:
    """A line says nothing of other dates."""
    write(own, *(f"MY_PMI,2026-{m:02}-01,48.5,2026-10-01,ana,why" for m in (1, 4, 7)))
    found = fetched(mine, "MY_PMI")
    assert (found.failures, found.observations.height) == ({}, 3)


@pytest.mark.parametrize("day", ["2026-08-01", "2026-09-30"])
def test_a_quarter_is_entered_by_its_first_day(own: Path, mine: Catalog, day: str) -> None:
    write(own, f"GDP,{day},0.4,2026-10-30,ana,flash")
    said = fetched(mine, "MY_GDP").failures["MY_GDP"]
    assert f"expected the first day of a quarter (frequency Q), 2026-07-01, got {day}" in said


def test_a_series_without_a_line_is_no_success(own: Path, mine: Catalog) -> None:
    write(own, "GDP,2026-07-01,0.4,2026-10-30,ana,flash")
    assert "has no line of 'MY_PMI'. Add one: macro observe MY_PMI" in fetched(mine).failures["MY_PMI"]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "empty body"),
        (b"<html>", "page of HTML"),
        (b"series_id,value\n", "expected the column 'observation_date'"),
        ((HEADER[:-1] + ",note\n").encode(), "expected the columns series_id, observation_date"),
        ((HEADER + "MY_PMI,2026-09-01,48.5,2026-10-01,José,x\n").encode("latin-1"), "in utf-8"),
        ((HEADER + "MY_PMI,2026-09-01,48.5,2026-10-01,a,x,too much\n").encode(), "expected CSV"),
    ],
)
def test_a_file_in_another_form_is_refused(own: Path, mine: Catalog, body: bytes, says: str) -> None:
    (own / FILE).write_bytes(body)
    assert says in fetched(mine).failures["MY_PMI"]


def test_a_file_that_is_not_there_or_leads_elsewhere_is_named(own: Path, mine: Catalog) -> None:
    assert "manual.csv in" in fetched(mine).failures["MY_PMI"]
    assert "`macro observe` makes manual.csv" in fetched(mine).failures["MY_PMI"]
    (own / FILE).symlink_to("/etc/passwd")
    assert "leads out of" in fetched(mine).failures["MY_PMI"]


def test_without_a_folder_there_is_no_client(mine: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MACRO_CATALOG")
    with pytest.raises(SourceError, match="MACRO_CATALOG is not set"):
        client(mine.sources["by_hand"])
    monkeypatch.setenv("MACRO_CATALOG", "/nowhere/at/all")
    with pytest.raises(SourceError, match="which is no whole path of a folder"):
        client(mine.sources["by_hand"])


def test_the_client_reads_nothing_else(own: Path) -> None:
    (own.parent / "secret").write_text("secret")
    for path in ("../secret", "/etc/passwd"):
        with pytest.raises(SourceError, match="leads out of"):
            ManualClient(own).get(Request(path))


def test_a_fingerprint_tells_that_there_may_be_news(own: Path, mine: Catalog) -> None:
    source = mine.sources["by_hand"]
    absent = fingerprint(source)
    write(own, "MY_PMI,2026-09-01,48.5,2026-10-01,ana,why")
    first = fingerprint(source)
    assert first == fingerprint(source)
    write(own, "MY_PMI,2026-09-01,48.55,2026-10-01,ana,why")
    assert len({absent, first, fingerprint(source)}) == 3


# --- the command ---------------------------------------------------------------------------------------------------

Enter = Callable[..., str]


@pytest.fixture
def enter(mine: Catalog) -> Enter:
    def entered(series: str = "MY_PMI", day: str = "2026-09-01", value: str = "48.5", **more: str) -> str:
        facts = {"author": "ana", "reason": "press release", **more}
        return observe(Entry(series, day, value, **facts), mine, NOW)

    return entered


def test_a_line_is_added_and_read(own: Path, mine: Catalog, enter: Enter) -> None:
    assert enter() == "MY_PMI,2026-09-01,48.5,2026-11-20T15:04:05Z,ana,press release"
    assert enter("MY_GDP", "2026-07-01", "-0.4", release_time="2026-10-30") == (
        "GDP,2026-07-01,-0.4,2026-10-30,ana,press release"
    )
    enter(value="", release_time="2026-11-19", reason='withdrawn, "for now"')
    assert fetched(mine, "MY_PMI", "MY_GDP").failures == {}
    assert (own / FILE).read_text().startswith(HEADER)
    assert fetched(mine).observations["value"].to_list() == [48.5, None]
    assert {p.name for p in own.iterdir()} == {FILE, f".{FILE}.lock", "by_hand.yaml", "other.yaml"}


def test_a_line_goes_behind_what_an_editor_left_without_an_end(own: Path, mine: Catalog, enter: Enter) -> None:
    write(own, "MY_PMI,2026-08-01,48.5,2026-09-01,ana,why")
    (own / FILE).write_text((own / FILE).read_text().rstrip("\n"))
    (own / FILE).chmod(0o640)
    enter()
    assert fetched(mine).observations.height == 2
    assert (own / FILE).stat().st_mode & 0o777 == 0o640


def test_a_series_held_by_hand_is_entered_under_its_code(own: Path, enter: Enter) -> None:
    assert enter("OTHER_RATE", value="525").startswith("RATE_BP,2026-09-01,525,")


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ({"series": "OTHER_ALONE"}, "series OTHER_ALONE of source other takes no observations by hand"),
        ({"value": "many"}, "expected a number in 'value', got 'many'"),
        ({"value": "nan"}, "got 'nan'"),
        ({"value": "101"}, r"expected a value from -10\.0 to 100\.0 \(Percent\), got 101\.0\. Is the unit right\?"),
        ({"series": "OTHER_RATE", "value": "10001"}, r"from -1000\.0 to 10000\.0"),
        ({"day": "2026-09-15"}, "2026-09-01, got 2026-09-15"),
        ({"day": "September"}, "expected a date like"),
        ({"release_time": "2026-11-21"}, "expected a release_time that has passed"),
        ({"release_time": "2026-11-19T10:00"}, "expected a release_time like"),
        ({"release_time": ""}, "expected a release_time like"),
        ({"author": " "}, "expected the author"),
        ({"reason": ""}, "expected the reason"),
        ({"reason": "two\nlines"}, "expected text on one line"),
        ({"author": "a\x00b"}, "expected text on one line"),
    ],
)
def test_a_wrong_entry_adds_nothing(own: Path, enter: Enter, entry: dict[str, str], says: str) -> None:
    write(own, "MY_PMI,2026-08-01,48.5,2026-09-01,ana,why")
    before = (own / FILE).read_bytes()
    with pytest.raises(ValueError, match=says):
        enter(**entry)
    assert (own / FILE).read_bytes() == before


def test_an_unknown_series_is_answered_with_the_nearest(own: Path, enter: Enter) -> None:
    with pytest.raises(UnknownNameError, match=r"unknown series 'MY_PNI'\. Did you mean MY_PMI"):
        enter("MY_PNI")
    assert not (own / FILE).exists()


def test_the_same_entry_twice_is_refused(own: Path, enter: Enter) -> None:
    enter()
    with pytest.raises(ValueError, match="got several"):
        enter()
    assert len((own / FILE).read_text().splitlines()) == 2


def test_a_file_with_a_wrong_line_of_the_series_is_not_added_to(own: Path, enter: Enter) -> None:
    write(own, "MY_PMI,2026-08-01,x,2026-09-01,ana,why")
    with pytest.raises(ValueError, match="line 2: expected a number"):
        enter()


def test_a_link_is_not_replaced(own: Path, enter: Enter) -> None:
    (own / "elsewhere.csv").write_text(HEADER)
    (own / FILE).symlink_to(own / "elsewhere.csv")
    with pytest.raises(ValueError, match="is a link"):
        enter()


def test_what_breaks_while_writing_leaves_the_file_whole(
    own: Path, enter: Enter, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter()
    before = (own / FILE).read_bytes()

    def full(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space left"):
        enter("MY_GDP", "2026-07-01")
    assert (own / FILE).read_bytes() == before
    assert not [p for p in own.iterdir() if p.name.startswith(f".{FILE}.") and p.suffix != ".lock"]


def test_those_who_enter_at_once_lose_nothing(own: Path, mine: Catalog, enter: Enter) -> None:
    days = [f"{year}-{month:02}-01" for year in (2024, 2025) for month in range(1, 13)]
    threads = [threading.Thread(target=enter, args=("MY_PMI", day)) for day in days]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(str(d) for d in fetched(mine).observations["observation_date"]) == days


def test_the_command_adds_a_line_or_says_why_not(own: Path) -> None:
    default_catalog.cache_clear()
    try:
        run = CliRunner()
        entered = ["MY_PMI", "2024-09-01", "-1.5", "--author", "ana", "--reason", "test"]
        done = run.invoke(observe_command, entered)
        assert (done.exit_code, done.output[:24]) == (0, "MY_PMI,2024-09-01,-1.5,2")
        assert (own / FILE).read_text() == HEADER + done.output
        wrong = run.invoke(observe_command, ["NO_SUCH", *entered[1:]])
        assert (wrong.exit_code, "unknown series 'NO_SUCH'" in wrong.output) == (2, True)
        lacking = run.invoke(observe_command, entered[:5])
        assert (lacking.exit_code, "Missing option '--reason'" in lacking.output) == (2, True)
    finally:
        default_catalog.cache_clear()


def test_without_a_folder_the_command_says_so(mine: Catalog, enter: Enter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MACRO_CATALOG")
    with pytest.raises(ValueError, match="MACRO_CATALOG is not set"):
        enter()
