"""`macro show`: one series at a glance, on the lake that a first run builds."""

from __future__ import annotations

import re
import shutil
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from macro_assets.cli.show import YEARS, _print_chart, decimals, number
from macro_assets_tests.conftest import Built, Home, make_home


def words(line: str) -> str:
    """A line with single blanks."""
    return " ".join(line.split())


def lines(said: str) -> list[str]:
    return [words(line) for line in said.splitlines()]


def test_payrolls_as_of_a_day(built: Built) -> None:
    shown = built.home.macro("show", "PAYEMS", "--as-of", "2016-07-29").stdout
    said = lines(shown)
    assert said[0] == "PAYEMS: Employees on nonfarm payrolls, total"
    assert said[1] == "Thousands of Persons, monthly, seasonally adjusted, US; as known at 2016-07-29"
    assert said[2] == "period value change year on year (%) became known revised by"
    assert said[9] == "2016-05 143,888 +11 +1.7 2016-07-29 -6"
    assert said[10] == "2016-06 144,175 +287 +1.7 2016-07-29"
    assert "last revision 2016-07-29: 2016-05 from 143,894 to 143,888, and 1 more" in said
    assert any(re.fullmatch(r"next figure 2016-07, expected by 2016-08-\d\d", line) for line in said)
    holders = said[said.index("holder from to rows vintages") + 1 :]
    assert holders[0] == "fred nothing stored 0 0"
    assert "bundled serves 1985-01 2016-06 380 2" in holders
    assert re.search("[\u2801-\u28ff]", shown), "a chart in dots"
    assert "\x1b" not in shown


def test_a_later_figure_is_not_shown_before_it_was_known(built: Built) -> None:
    said = built.home.macro("show", "PAYEMS", "--as-of", "2016-06-30").stdout
    assert "2016-05 143,894" in words(said)
    assert "144,175" not in said
    assert "143,888" not in said
    assert "last revision" not in said


def test_today_it_says_what_is_late_and_how_to_get_it(built: Built) -> None:
    said = lines(built.home.macro("show", "PAYEMS").stdout)
    (due,) = [line for line in said if line.startswith("next figure")]
    assert re.search(r"2016-07 was expected by 2016-08-\d\d; `macro fetch raw/fred/PAYEMS` asks for it", due)
    shipped = built.home.macro("show", "GDPC1_MACRODATA").stdout
    assert "next figure none: its figures came with a package" in words(shipped)


@pytest.mark.parametrize(
    ("series", "headings", "figure"),
    [
        ("UNRATE", "change (pp) year on year (pp)", r"2016-06 4\.9 \+0\.2 -0\.4 "),
        ("GDPC1", "change year on year (%)", r"2016 Q2 16,575\.1 \+50\.1 \+1\.2 "),
        ("GACDISA066MSFRBNY", "change (pp) year on year (pp)", r"2016-07 0\.55 -5\.46 -0\.39 2016-07-29"),
        ("DCOILWTICO", "change year on year became", r"2019-01-01 missing about .* 2019-01-02 46\.31 \+1\.16 -14\.06 "),
        ("BAA", "change (pp) year on year (pp)", r"2018-12 5\.13 .* about 2019-01-\d\d"),
    ],
)
def test_units_and_periods_are_those_of_the_series(built: Built, series: str, headings: str, figure: str) -> None:
    said = words(built.home.macro("show", series).stdout)
    assert headings in said
    assert re.search(figure, said)


def test_the_chart_has_the_years_that_are_asked(built: Built) -> None:
    def labels(*arguments: str) -> set[str]:
        said = built.home.macro("show", "UNRATE", *arguments).stdout.splitlines()
        (under,) = [said[n + 1] for n, line in enumerate(said) if line.startswith("└")]
        return set(under.split())

    assert {"2008", "2016"} <= labels() < {str(year) for year in range(2006, 2017)}
    assert {"1988", "2016"} <= labels("--years", "40")
    assert not {"2008"} & labels("--years", "1")


@pytest.mark.parametrize("columns", [20, 80, 300])
def test_it_fits_the_terminal(built: Built, columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    from rich.console import Console

    monkeypatch.setattr("macro_assets.cli.show.console", lambda: Console(width=columns))
    drawn = [line for line in built.home.macro("show", "PAYEMS").stdout.splitlines() if re.search("[│─]", line)]
    assert drawn
    assert max(map(len, drawn)) <= max(min(columns, 100), 40)


@pytest.mark.parametrize("values", [[1.8e13 + n for n in range(60)], [3.0] * 40, [-1e-9, 1e-9], [-1e15, 1e15]])
def test_a_chart_of_any_figures(values: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    days = [date(2000, 1, 1) + timedelta(days=30 * n) for n in range(len(values))]
    _print_chart(pl.DataFrame({"observation_date": days, "value": values}), YEARS)
    drawn = capsys.readouterr().out.splitlines()
    assert drawn[0].startswith("┌─")
    assert max(map(len, drawn[:-1])) <= 100


def test_one_figure_makes_no_chart(capsys: pytest.CaptureFixture[str]) -> None:
    _print_chart(pl.DataFrame({"observation_date": [date(2000, 1, 1)], "value": [1.0]}), YEARS)
    assert capsys.readouterr().out == ""


def test_several_series_one_after_the_other(built: Built) -> None:
    said = built.home.macro("show", "UNRATE", "PAYEMS").stdout
    assert said.index("UNRATE: ") < said.index("\n\nPAYEMS: ")


def test_it_writes_nothing_and_needs_no_instance(built: Built, tmp_path: Path) -> None:
    shutil.copytree(built.home.lake / "raw" / "bundled", tmp_path / "lake" / "raw" / "bundled")
    before = sorted(tmp_path.rglob("*"))
    assert "144,175" in Home(tmp_path / "lake", tmp_path).macro("show", "PAYEMS").stdout
    assert sorted(tmp_path.rglob("*")) == before


# --- bad input ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["PAYROLS"], "unknown series 'PAYROLS'"),
        (["USPRIV"], "series USPRIV was never fetched: nothing of it is stored. `macro fetch raw/fred/USPRIV` gets it"),
        (["PAYEMS", "--as-of", "yesterday"], "'yesterday' is not a date"),
        (["PAYEMS", "--years", "0"], "Invalid value for '--years'"),
        ([], "Missing argument 'SERIES...'"),
    ],
)
def test_bad_input_is_one_message(built: Built, arguments: list[str], message: str) -> None:
    done = built.home.macro("show", *arguments, expect=2)
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_day_before_the_first_figure(built: Built) -> None:
    said = words(built.home.macro("show", "PAYEMS", "--as-of", "2010-01-01").stdout)
    assert "Nothing of it was known by then: the first figure is known since 2016-06-29." in said
    assert "bundled nothing stored" in said


def test_without_a_lake(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    assert "macro: there is no lake at" in home.macro("show", "PAYEMS", expect=2).stderr
    assert not home.lake.exists()


# --- words ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "digits"),
    [
        ([144175.0, 143888.0], 0),
        ([4.9, 5.0], 1),
        ([0.1 + 0.2], 1),
        ([1.08451], 5),
        ([1 / 3, 2 / 3], 6),
        ([16575.123456], 1),
        ([1e13 + 0.5], 0),
        ([0.0], 0),
        ([], 0),
        ([1e-9], 8),
    ],
)
def test_figures_have_the_decimals_that_they_came_with(values: list[float], digits: int) -> None:
    assert decimals(pl.Series(values, dtype=pl.Float64)) == digits


def test_figures_in_words() -> None:
    assert number(None, 2) == ""
    assert number(1234567.891, 1) == "1,234,567.9"
    assert [number(v, 1, signed=True) for v in (0.04, -0.04, -0.06, 2.0)] == ["0.0", "0.0", "-0.1", "+2.0"]
