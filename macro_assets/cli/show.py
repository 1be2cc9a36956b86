"""`macro show`: one series at a glance, with a chart for the terminal."""

from __future__ import annotations

import math
from datetime import datetime
from typing import TYPE_CHECKING

import click

from macro_assets.catalog.wording import written
from macro_assets.cli.place import needs_lake
from macro_assets.cli.terminal import console, expected_errors, say

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    import polars as pl

    from macro_assets.graph.glance import Glance
    from macro_assets.lakehouse.handle import Lakehouse

LAST = 8
"""Figures that are listed."""

YEARS = 10
"""Years of the chart."""

_WIDTH, _NARROW, _HEIGHT = 100, 40, 9
"""Columns of the chart with its labels, at most and at least, and its lines."""

_FREQUENCIES = {"D": "daily", "W": "weekly", "M": "monthly", "Q": "quarterly", "A": "annual"}
_ADJUSTED = {
    "SA": "seasonally adjusted",
    "NSA": "not seasonally adjusted",
    "SAAR": "seasonally adjusted at annual rate",
}


@click.command("show")
@click.argument("series_ids", metavar="SERIES...", nargs=-1, required=True)
@click.option("--as-of", help="As known at this date (YYYY-MM-DD) or instant.")
@click.option("--years", type=click.IntRange(1), default=YEARS, show_default=True, help="Years of the chart.")
@expected_errors
@needs_lake
def show_command(series_ids: tuple[str, ...], as_of: str | None, years: int) -> None:
    """One series at a glance: last figures and revisions, who serves it, when the next is due, and a small chart.

    Figures are in the unit that is published; `macro_assets.series` gives them in standard units.
    """
    from macro_assets.graph.glance import glance
    from macro_assets.lakehouse.handle import Lakehouse
    from macro_assets.lakehouse.vintages import instant

    moment = instant(as_of) if as_of is not None else None
    lake = Lakehouse.at()
    for position, series_id in enumerate(series_ids):
        if position:
            say("")
        _show(lake, series_id, glance(lake, series_id, moment), moment, years)


def _show(lake: Lakehouse, series_id: str, found: Glance, moment: datetime | None, years: int) -> None:
    series = found.series
    say(f"{series_id}: {series.title}")
    facts = [
        series.provider_unit,
        _FREQUENCIES[series.frequency],
        _ADJUSTED[series.seasonal_adjustment],
        series.country,
    ]
    say(", ".join(facts) + ("" if moment is None else f"; as known at {written(moment)}"))
    valued = found.figures.drop_nulls("value")
    if valued.is_empty():
        say(f"\n{_nothing(found, moment)}")
    else:
        _print_figures(found)
        _print_chart(valued, years)
    for name, text in _facts(lake, series_id, found, moment):
        say(f"{name:<14}{text}")
    say("")
    _print_holders(found)


def _nothing(found: Glance, moment: datetime | None) -> str:
    """Why there is no figure to show."""
    if found.figures.height:
        return "All its figures are missing: the provider says so."
    if moment is not None and found.first_release > moment:
        return f"Nothing of it was known by then: the first figure is known since {written(found.first_release)}."
    return "All that is stored of it is marked as invalid."


def _print_figures(found: Glance) -> None:
    """The last figures, each with what changed and since when it is known."""
    from macro_assets.graph.glance import period

    digits = _digits(found)
    percent = found.over_year == "percent"
    points = " (pp)" if "percentage_points" in found.over_year and found.series.scale == 1 else ""
    over_year = " (%)" if percent else points
    headings = ("period", "value", f"change{points}", f"year on year{over_year}", "became known", "revised by")
    cells = [
        (
            period(row["observation_date"], found.series.frequency),
            number(row["value"], digits) or "missing",
            number(row["change"], digits, signed=True),
            number(row["over_year"], 1 if percent else digits, signed=True),
            known(row["release_time"], row["release_basis"]),
            number(row["revision"], digits, signed=True),
        )
        for row in found.figures.tail(LAST).iter_rows(named=True)
    ]
    _print_table(headings, cells, right=(1, 2, 3, 5))


def _print_chart(valued: pl.DataFrame, years: int) -> None:
    """The figures of the last years, drawn with dots; nothing where there is no line to draw."""
    import polars as pl
    from uniplot import plot_to_string

    last = valued["observation_date"][-1]
    shown = valued.filter(pl.col("observation_date") > pl.lit(last).dt.offset_by(f"-{years}y"))
    if shown.height < 2:
        return
    drawn = plot_to_string(
        xs=shown["observation_date"].to_numpy(),
        ys=shown["value"].to_numpy(),
        lines=True,
        character_set="braille",
        y_gridlines=[],
        width=_WIDTH,
        height=_HEIGHT,
        line_length_hard_cap=min(max(console().width, _NARROW), _WIDTH),
    )
    for line in drawn.splitlines():
        say(line.rstrip())


def _facts(lake: Lakehouse, series_id: str, found: Glance, moment: datetime | None) -> Iterable[tuple[str, str]]:
    """What is said below the chart: the last revision, the next figure."""
    from macro_assets.graph.glance import period

    frequency = found.series.frequency
    if found.revisions.height:
        row = found.revisions.row(-1, named=True)
        of = found.revisions.filter(release_time=row["release_time"]).height
        digits = _digits(found)
        told = (
            f"{written(row['release_time'])}: {period(row['observation_date'], frequency)} from "
            f"{number(row['previous_value'], digits) or 'nothing'} to {number(row['value'], digits) or 'missing'}"
        )
        yield "last revision", told + (f", and {of - 1} more" if of > 1 else "")
    yield "next figure", _next(lake, series_id, found, moment)


def _next(lake: Lakehouse, series_id: str, found: Glance, moment: datetime | None) -> str:
    """When the next figure is due; of one that is late also how to ask for it."""
    from macro_assets.catalog import names
    from macro_assets.graph.glance import next_figure
    from macro_assets.intake.calendars import CALENDAR

    catalog = lake.catalog
    home = catalog.one_series(series_id)
    if all(catalog.sources[h.provider].packages for h in catalog.holdings(series_id)):
        return "none: its figures came with a package"
    days = lake.read(CALENDAR).filter(source=home.source, release=home.release or "")["release_date"].sort().to_list()
    latest = found.figures.drop_nulls("value")["observation_date"].max()
    due = next_figure(home, latest, days if moment is None else (), moment)  # type: ignore[arg-type]
    ask = moment is None and due.is_late and catalog.sources[home.source].is_live
    return due.said + (f"; `macro fetch {names.raw_series(home)}` asks for it" if ask else "")


def _print_holders(found: Glance) -> None:
    from macro_assets.graph.glance import period

    headings = ("holder", "", "from", "to", "rows", "vintages")
    cells = []
    for row in found.holders.iter_rows(named=True):
        ends = [period(row[c], found.series.frequency) if row[c] else "" for c in ("first", "last")]
        what = "serves" if row["serves"] else "" if row["rows"] else "nothing stored"
        cells.append((row["provider"], what, *ends, f"{row['rows']:,}", f"{row['vintages']:,}"))
    _print_table(headings, cells, right=(4, 5))


def _print_table(headings: Sequence[str], cells: Iterable[Sequence[str]], right: Collection[int]) -> None:
    """Print columns as wide as their widest cell; on a narrow terminal a line goes on in the next, whole."""
    rows = [headings, *cells]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        aligned = (
            cell.rjust(width) if position in right else cell.ljust(width)
            for position, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        say("  ".join(aligned).rstrip())


# --- words ----------------------------------------------------------------------------------------------------------


def _digits(found: Glance) -> int:
    return decimals(found.figures["value"].drop_nulls().tail(LAST * 4))


def known(release_time: datetime, basis: str) -> str:
    """When a figure became known: by an instant at which it was there already, or about the day of an estimate."""
    if basis == "publication_lag":
        return f"about {release_time:%Y-%m-%d}"
    return f"by {written(release_time)}" if basis == "snapshot" else written(release_time)


def decimals(values: pl.Series) -> int:
    """How many decimals the figures of a series are told with: those that it has, or that six digits leave."""
    greatest = max((abs(v) for v in values if v), default=1.0)
    enough = min(max(5 - math.floor(math.log10(greatest)), 0), 8)
    exact = (n for n in range(enough) if all(math.isclose(round(v, n), v, rel_tol=1e-9, abs_tol=1e-12) for v in values))
    return next(exact, enough)


def number(value: float | None, digits: int, *, signed: bool = False) -> str:
    """A figure with separators of thousands; nothing where it is missing."""
    if value is None:
        return ""
    rounded = round(value, digits) + 0.0  # no minus before a zero
    return f"{rounded:{'+' if signed and rounded else ''},.{digits}f}"
