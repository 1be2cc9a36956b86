"""What the terminal shows: text that says and does nothing else, instants as people write them, tables that fit."""

from __future__ import annotations

import io
import re
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
from rich.cells import cell_len

from macro_assets import cli
from macro_assets.catalog.wording import listed, shortened, written
from macro_assets.cli.tables import Column, PlainConsole, csv_text, fitted, instants, number, of_frame
from macro_assets.publishing.plain import plain

END = datetime(2016, 7, 29, 23, 59, 59, 999999, tzinfo=UTC)


def lines(columns: list[Column], width: int) -> tuple[list[str], list[str]]:
    """A table as it is printed on a terminal of a width, and what had no room."""
    out = io.StringIO()
    table, left = fitted(columns, width)
    PlainConsole(file=out, width=width).print(table)
    return out.getvalue().splitlines(), left


def cells(printed: list[str]) -> str:
    """What stands in a printed table, without its lines and folds."""
    return "".join("".join(c for c in line if c not in "│┃┏┓┗┛━┳┻┡╇┩─└┘┴ ") for line in printed)


# --- text ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["[SA]", "[/nope]", ":smile:", "Índice [bold]2009[/bold] = 100\tde\nnovo"])
def test_text_stands_as_it_is(text: str) -> None:
    assert plain(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", r"\x1b[31mred"),
        ("\x1b]0;title\x07", r"\x1b]0;title\x07"),
        ("back\b\b\b\bover\r", r"back\x08\x08\x08\x08over\r"),
        ("\x9b31m", r"\x9b31m"),
        ("\u202egnp\u2066", r"\u202egnp\u2066"),
        ("half \ud83d", r"half \ud83d"),
    ],
)
def test_what_acts_on_a_terminal_is_written_out(text: str, shown: str) -> None:
    assert plain(text) == shown
    (printed,) = {line for line in lines([Column(text, [text])], 80)[0] if "│" in line}
    assert shown in printed
    assert plain(printed) == printed


@pytest.mark.parametrize("text", ["[SA]", "[/nope]", "[bold]x", ":smile:", "[link=https://a.b]x[/link]"])
def test_markup_is_text_in_titles_headings_cells_and_lines(text: str) -> None:
    out = io.StringIO()
    console = PlainConsole(file=out, width=100)
    table, _ = fitted([Column(text, [text])], 100, title=f"title {text}")
    console.print(table)
    console.print(text, style="red")
    assert out.getvalue().count(text) == 4


def unguarded(module: str) -> list[str]:
    """How a module of commands writes to the terminal without a look at what it writes."""
    return re.findall(r"click\.echo\(|(?<![\w.])print\(|\bConsole\(|markup=True|from_markup", module)


@pytest.mark.parametrize("path", sorted(Path(cli.__file__).parent.glob("*.py")), ids=lambda p: p.stem)
def test_commands_print_by_what_the_terminal_module_has(path: Path) -> None:
    assert path.stem in ("terminal", "tables") or unguarded(path.read_text()) == []


@pytest.mark.parametrize("line", ["click.echo(title)", "print(title)", "Console()", "Text.from_markup(title)"])
def test_an_unguarded_line_is_seen(line: str) -> None:
    assert unguarded(f"def f(out):\n    {line}\n    out.print(title)")


# --- instants ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (END, "2016-07-29"),
        (datetime(2016, 7, 29, tzinfo=UTC), "2016-07-29"),
        (datetime(2016, 7, 29, 23, 59, 59, tzinfo=UTC), "2016-07-29"),
        (datetime(2016, 7, 29, 12, 30, tzinfo=UTC), "2016-07-29 12:30 UTC"),
        (datetime.fromisoformat("2016-07-29T22:30:00-03:00"), "2016-07-30 01:30 UTC"),
        (datetime(2016, 7, 29, 12, 30), "2016-07-29 12:30"),
        (datetime(1, 1, 1, 12, tzinfo=UTC), "0001-01-01 12:00 UTC"),
    ],
)
def test_an_instant_is_written_as_people_do(moment: datetime, text: str) -> None:
    assert written(moment) == text


def stamps(*clocks: str) -> pl.Series:
    return pl.Series([datetime.fromisoformat(f"2026-01-02T{c}+00:00") for c in clocks], dtype=pl.Datetime("us", "UTC"))


@pytest.mark.parametrize(
    ("clocks", "texts"),
    [
        (("12:30:15.25", "12:31:00.5"), ["12:30 UTC", "12:31 UTC"]),
        (("12:30:15.25", "12:30:16.5"), ["12:30:15 UTC", "12:30:16 UTC"]),
        (("12:30:15.25", "12:30:15.5"), ["12:30 UTC", "12:30 UTC"]),
        (("12:30:15", "13:00:00"), ["12:30:15 UTC", "13:00:00 UTC"]),
        (("12:30:15.25", "12:30:15.25"), ["12:30 UTC", "12:30 UTC"]),
    ],
)
def test_seconds_are_shown_where_they_matter(clocks: tuple[str, ...], texts: list[str]) -> None:
    assert instants(stamps(*clocks)) == [f"2026-01-02 {t}" for t in texts]


def test_times_beyond_the_calendar_and_missing_ones() -> None:
    beyond = pl.Series([2**63 - 1, -(2**63) + 1, None, 0], dtype=pl.Int64)
    told = ["after year 9999", "before year 1", None, "1970-01-01"]
    assert instants(beyond.cast(pl.Datetime("us", "UTC"))) == told
    days = pl.DataFrame({"day": pl.Series([2**31 - 1, -(2**31) + 1, None, 0], dtype=pl.Int32).cast(pl.Date)})
    assert of_frame(days)[0].cells == ["after year 9999", "before year 1", "", "1970-01-01"]
    assert csv_text(days) == "day\nafter year 9999\nbefore year 1\n\n1970-01-01\n"
    assert csv_text(days[2:]) == "day\n\n1970-01-01\n"
    both = pl.DataFrame({"at": beyond.cast(pl.Datetime("us", "UTC"))[:2], "n": [1, None]})
    assert csv_text(both) == "at,n\nafter year 9999,1\nbefore year 1,\n"


# --- numbers and long texts -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (143_894_000.0, "143894000"),
        (1.8e13, "18000000000000"),
        (0.1 + 0.2, "0.3"),
        (2e18, "2e+18"),
    ],
)
def test_numbers_are_told_with_ten_digits_and_whole_ones_whole(value: float, text: str) -> None:
    assert number(value) == text


def test_long_texts_are_cut_in_the_middle() -> None:
    assert shortened("short") == "short"
    cut = shortened("a" * 500_000 + "z")
    assert len(cut) == 300
    assert cut.startswith("aaa")
    assert cut.endswith("az")
    assert listed(["a", "b"]) == "a, b"
    assert listed(map(str, range(14))).endswith("11, and 2 more")
    assert len(listed(["x" * 9_000] * 9_000)) < 340


# --- tables ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [20, 40, 80, 160])
@pytest.mark.parametrize("count", [1, 2, 8, 600])
def test_a_table_fits_and_cuts_nothing(width: int, count: int) -> None:
    words = "Employees on nonfarm payrolls, total"
    frame = pl.DataFrame(
        {f"c{n}": [words] if n % 3 == 0 else [END] if n % 3 == 1 else [12345.678] for n in range(count)}
    )
    columns = of_frame(frame)
    printed, left = lines(columns, width)
    shown = columns[: len(columns) - len(left)]
    assert max(map(cell_len, printed)) <= width
    assert shown
    assert "…" not in "".join(printed)
    for column in shown:
        assert column.heading in cells(printed)
        for word in str(column.cells[0]).split():
            assert word in cells(printed)
    assert left == [c.heading for c in columns[len(shown) :]]


def test_columns_are_left_out_only_for_want_of_room() -> None:
    columns = [Column("a", ["x" * 30]), Column("b", ["y" * 30]), Column("long text", ["z" * 200], folds=True)]
    assert lines(columns, 86)[1] == []
    assert lines(columns, 85)[1] == ["long text"]


def test_a_single_cell_that_is_wider_than_the_terminal_is_folded() -> None:
    printed, left = lines([Column("id", ["RAW_" * 20])], 30)
    assert left == []
    assert "RAW_" * 20 in cells(printed)
    assert max(map(cell_len, printed)) <= 30


def test_figures_stand_on_the_right_and_missing_ones_are_blank() -> None:
    columns = of_frame(pl.DataFrame({"n": [1.5, None], "day": [date(2020, 1, 1), None], "text": ["a", None]}))
    assert [(c.right, c.folds) for c in columns] == [(True, False), (False, False), (False, True)]
    assert [c.cells[1] for c in columns] == ["", "", ""]
