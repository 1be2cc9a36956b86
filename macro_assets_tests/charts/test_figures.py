"""Each chart draws its table: nothing lost, nothing invented, nothing dangerous."""

from __future__ import annotations

import json
import re
import statistics
import subprocess
import sys
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import plotly.graph_objects as go
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from macro_assets.catalog import Chart, Drawn, Step
from macro_assets.charts import style
from macro_assets.charts.drawing import data_note, figure
from macro_assets.charts.modules import module_name, modules
from macro_assets.charts.own import nowcast_news
from macro_assets.graph.compute.chart import chart as computed
from macro_assets.lakehouse.vintages import instant
from macro_assets.transforms.steps import TransformError
from macro_assets_tests.charts import synthetic as s


@pytest.mark.parametrize(("chart", "frames"), s.all_charts(), ids=lambda v: getattr(v, "name", ""))
def test_figure_has_the_house_size_words_note_and_watermark(chart: Chart, frames: dict[str, pl.DataFrame]) -> None:
    fig = figure(chart, frames, s.labels(chart))
    assert (fig.layout.width, fig.layout.height) == (1152, 672)
    assert fig.layout.title.text == f"<b>{chart.title}</b>"
    assert fig.layout.title.subtitle.text == chart.subtitle
    named = {a.name: a.text for a in fig.layout.annotations}
    assert named["watermark"] == "macro_assets"
    assert "Source: A title." in named["data_note"]


def test_importing_the_room_does_not_import_plotly() -> None:
    rooms = "macro_assets.charts, macro_assets.charts.style, macro_assets.charts.preview, macro_assets.publishing.html"
    code = f"import sys, {rooms}; print('plotly' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_what_nobody_draws_is_named_with_the_nearest() -> None:
    stranger = s.INDEX.model_copy(update={"draws": "stackd"})
    with pytest.raises(
        LookupError, match=r"'index': nothing draws 'stackd': expected one of .*lines.*Did you mean stack"
    ):
        figure(stranger, s.index_frames(), s.labels(s.INDEX))
    assert module_name("lines") == "macro_assets.charts.families.lines"
    assert module_name("nowcast_news") == "macro_assets.charts.own.nowcast_news"
    assert not [name for name in modules() if name.startswith("_")]


def test_a_missing_frame_is_named() -> None:
    with pytest.raises(LookupError, match="not given: indicators/stress"):
        figure(s.INDEX, {}, s.labels(s.INDEX))
    for draw in (figure, data_note):
        with pytest.raises(LookupError, match="'spread' draws observations; not given: observations"):
            draw(s.SPREAD, {}, s.labels(s.SPREAD))


def test_a_parameter_of_the_wrong_type_is_refused() -> None:
    wrong = s.SIGNAL.model_copy(update={"parameters": {"levels": {"Threshold": "half"}}})
    with pytest.raises(ValueError, match=r"levels\.Threshold"):
        figure(wrong, s.signal_frames(), s.labels(wrong))


@pytest.mark.parametrize(("chart", "frames"), s.all_charts(), ids=lambda v: getattr(v, "name", ""))
def test_an_empty_table_or_no_observation_is_refused_by_name(chart: Chart, frames: dict[str, pl.DataFrame]) -> None:
    empty = {name: table.clear() for name, table in frames.items()}
    where = chart.of.tables[0] if chart.of.tables else f"observations of {', '.join(chart.of.series)}"
    with pytest.raises(style.NothingToDrawError, match=f"'{chart.name}': nothing to draw in {where}: expected a "):
        figure(chart, empty, s.labels(chart))


def test_data_note_names_source_series_last_month_and_shading() -> None:
    assert data_note(s.SPREAD, s.spread_frames(), s.labels(s.SPREAD)) == (
        "Source: A title. Series: BAA, AAA. Data to December 2009. Shaded: recessions dated by the NBER."
    )
    assert data_note(s.HEATMAP, s.heatmap_frames(), s.labels(s.HEATMAP)) == (
        "Source: A title. Series: UNRATE, AAA, BAA. Data to June 2006."
    )
    nowcast = data_note(s.NOWCAST, s.nowcast_frames(), s.labels(s.NOWCAST))
    assert nowcast == "Source: A title. Series: BAA, AAA, UNRATE, GDPC1. As of 2016-07-31, latest release 2016-07-31."


def test_data_note_says_who_served_what_as_it_is_in_the_data() -> None:
    frames, labels = s.spread_frames(), s.labels(s.SPREAD)
    rows = frames[s.OBSERVATIONS]
    both = replace(labels, sources={"made_up": "At home", "elsewhere": "Elsewhere."})
    moved = rows.with_columns(provider=pl.lit("elsewhere"))
    assert data_note(s.SPREAD, {s.OBSERVATIONS: moved}, both).startswith("Source: Elsewhere. Series: BAA, AAA. Data")
    of_one = pl.when(pl.col("series_id") == "AAA").then(pl.lit("elsewhere")).otherwise("provider")
    mixed = {s.OBSERVATIONS: rows.with_columns(provider=of_one)}
    assert data_note(s.SPREAD, mixed, both).startswith("Sources: At home (BAA); Elsewhere (AAA). Series: BAA, AAA. ")
    later = pl.when(pl.col("observation_date") > date(2009, 10, 1)).then(pl.lit("elsewhere")).otherwise("provider")
    added = {s.OBSERVATIONS: rows.with_columns(provider=later)}
    assert data_note(s.SPREAD, added, both).startswith("Sources: At home (BAA, AAA); Elsewhere (BAA, AAA).")


def test_data_note_names_the_agency_and_not_the_data_base_that_it_was_read_from() -> None:
    labels = replace(
        s.labels(s.SPREAD),
        sources={"fred": "FRED and ALFRED", "fred_graph": "FRED chart download", "shop": "The maker's own"},
        publishers={"BAA": "Moody's", "AAA": "Statistics & Co."},
        via={"fred": "FRED", "fred_graph": "FRED"},
    )

    def note(**served: tuple[str, ...]) -> str:
        return style.data_note(s.SPREAD, [], replace(labels, served=served)).partition(" Series")[0]

    assert note(fred=("BAA",)) == "Source: Moody's, via FRED."
    assert note(fred=("BAA", "AAA")) == "Sources: Moody's (BAA), Statistics & Co (AAA), via FRED."
    assert note(fred=("BAA",), fred_graph=("AAA",)) == "Sources: Moody's (BAA), Statistics & Co (AAA), via FRED."
    assert note(shop=("BAA",)) == "Source: The maker's own."
    assert note(shop=("BAA",), fred=("AAA",)) == "Sources: The maker's own (BAA); Statistics & Co (AAA), via FRED."
    assert note(fred=()) == "Sources: Moody's, Statistics & Co, via FRED.", "a table names who served it, not what"
    assert note(fred=("UNKNOWN",)) == "Source: FRED."


def test_data_note_of_tables_says_who_serves_the_series_behind_them() -> None:
    frames = {**s.index_frames(), s.OBSERVATIONS: s.behind(s.INDEX)[s.OBSERVATIONS].with_columns(provider=pl.lit("x"))}
    assert data_note(s.INDEX, frames, s.labels(s.INDEX)).startswith("Source: x. Series: BAA, UNRATE.")


def test_data_note_counts_many_series_of_each_holder() -> None:
    ids = tuple(f"S{i}" for i in range(12))
    labels = replace(s.labels(s.SPREAD), series=ids, served={"a": ids[:9], "b": ids[9:]})
    note = style.data_note(s.SPREAD, [], labels)
    assert note.startswith("Sources: a (9); b (S9, S10, S11). Series: 12.")


def test_data_note_tells_a_unit_that_is_not_the_homes() -> None:
    level = s.YIELDS
    frames = s.yields_frames()
    other = pl.when(pl.col("series_id") == "AAA").then(pl.lit("index_2012_100")).otherwise("unit")
    frames = {s.OBSERVATIONS: frames[s.OBSERVATIONS].with_columns(unit=other)}
    assert " Units: AAA in index_2012_100. " in data_note(level, frames, s.labels(level))
    scored = s.chart("scored", "lines", Drawn(series=("AAA", "BAA"), steps=s.STATIONARY))
    assert "Units" not in data_note(scored, frames, s.labels(scored)), "of z-scores no unit is left"
    with pytest.raises(
        ValueError, match="'spread': BAA in percent and AAA in index_2012_100 as they are served: .*unit"
    ):
        figure(s.SPREAD, frames, s.labels(s.SPREAD))


# --- stacked -------------------------------------------------------------------------------------------------------


def test_contributions_drawn_add_up_to_the_index_line() -> None:
    fig = figure(s.INDEX, s.index_frames(), s.labels(s.INDEX))
    bars, line = [t for t in fig.data if t.type == "bar"], next(t for t in fig.data if t.type == "scatter")
    assert fig.layout.barmode == "relative"
    for i, value in enumerate(line.y):
        assert sum(b.y[i] or 0 for b in bars) == pytest.approx(value, abs=1e-12)
    assert [b.name for b in bars] == ["first A title", "second A title"]


def test_a_part_without_a_title_comes_after_the_others_under_its_own_name() -> None:
    table = s.index_frames()[s.INDEX.of.tables[0]]
    other = table.filter(component="first").with_columns(component=pl.lit("equity_drawdown"))
    fig = figure(s.INDEX, {s.INDEX.of.tables[0]: pl.concat([other, table])}, s.labels(s.INDEX))
    bars = [t for t in fig.data if t.type == "bar"]
    assert [b.name for b in bars] == ["first A title", "second A title", "Equity drawdown"]
    assert list(bars[2].y) == list(bars[0].y)


def test_parts_are_drawn_from_the_first_date_on() -> None:
    late = s.INDEX.model_copy(update={"first_date": date(2009, 1, 1)})
    fig = figure(late, s.index_frames(), s.labels(late))
    assert (fig.data[0].x[0], len(fig.data[0].x)) == (date(2009, 1, 1), 12)


def test_absent_component_is_blank_and_not_zero() -> None:
    fig = figure(s.INDEX, s.index_frames(), s.labels(s.INDEX))
    second = next(t for t in fig.data if t.name.startswith("second"))
    assert list(second.y[:12]) == [None] * 12


def test_month_without_an_index_breaks_the_line() -> None:
    frames = {k: t.filter(pl.col("observation_date") != date(2008, 5, 1)) for k, t in s.index_frames().items()}
    line = named(figure(s.INDEX, frames, s.labels(s.INDEX)), "Index")
    assert len(line.x) == 36
    assert line.y[16] is None


def named(fig: go.Figure, name: str) -> Any:
    return next(t for t in fig.data if t.name == name)


def test_a_change_of_the_components_has_a_mark_and_a_word() -> None:
    table, labels = s.index_frames()[s.INDEX.of.tables[0]], s.labels(s.INDEX)
    fig = figure(s.INDEX, {s.INDEX.of.tables[0]: table}, labels)
    mark = named(fig, "Components changed")
    assert list(mark.x) == [date(2008, 1, 1)]
    assert list(mark.customdata) == ["in: second A title"]
    assert mark.y[0] == table.filter(pl.col("observation_date") == date(2008, 1, 1))["index_value"][0]
    left = pl.col("observation_date") == date(2009, 6, 1)
    table = table.filter(~left | (pl.col("component") == "first")).with_columns(is_composition_changed=left)
    fig = figure(s.INDEX, {s.INDEX.of.tables[0]: table}, labels)
    assert list(named(fig, "Components changed").customdata) == ["out: second A title"]
    same = {s.INDEX.of.tables[0]: table.with_columns(is_composition_changed=pl.lit(value=False))}
    assert "Components changed" not in {t.name for t in figure(s.INDEX, same, labels).data}


def test_a_part_that_stands_in_is_hatched_and_says_so() -> None:
    late = (pl.col("observation_date") == date(2009, 12, 1)) & (pl.col("component") == "first")
    state = pl.when(late).then(pl.lit("carried")).otherwise("component_state")
    table = s.index_frames()[s.INDEX.of.tables[0]].with_columns(component_state=state)
    fig = figure(s.INDEX, {s.INDEX.of.tables[0]: table}, s.labels(s.INDEX))
    first = named(fig, "first A title (hatched: carried)")
    assert [i for i, shape in enumerate(first.marker.pattern.shape) if shape] == [35]
    assert first.customdata[35] == " carried"
    assert named(fig, "second A title").marker.pattern.shape is None


# --- recessions ----------------------------------------------------------------------------------------------------

USREC_RUNS = [("1990-08", "1991-03"), ("2001-04", "2001-11"), ("2008-01", "2009-06"), ("2020-03", "2020-04")]
"""First and last months in which FRED's USREC is 1."""


def test_shading_covers_exactly_the_months_of_usrec() -> None:
    spans = style.recession_spans(s.catalog().recessions, date(1980, 1, 1), date(2024, 12, 1))
    wanted = [(date.fromisoformat(f"{a}-01"), style.next_month(date.fromisoformat(f"{b}-01"))) for a, b in USREC_RUNS]
    assert spans == wanted
    assert spans[2] == (date(2008, 1, 1), date(2009, 7, 1))


def test_shading_is_clipped_to_the_months_drawn() -> None:
    spans = style.recession_spans(s.catalog().recessions, date(2008, 3, 1), date(2009, 2, 1))
    assert spans == [(date(2008, 3, 1), date(2009, 3, 1))]
    assert style.recession_spans(s.catalog().recessions, date(2010, 1, 1), date(2015, 1, 1)) == []
    # The peak month itself is not a month of recession.
    assert style.recession_spans(s.catalog().recessions, date(2007, 1, 1), date(2007, 12, 1)) == []


@pytest.mark.parametrize(
    ("day", "shaded"),
    [
        ("2001-06-30", []),
        ("2001-11-25", []),
        ("2001-11-26", [("2001-04", "2002-12")]),
        ("2003-07-16", [("2001-04", "2002-12")]),
        ("2003-07-17", [("2001-04", "2001-11")]),
    ],
)
def test_shading_of_a_past_day_is_what_had_been_announced_by_then(day: str, shaded: list[tuple[str, str]]) -> None:
    """The peak of March 2001 was announced in November, its trough in July 2003: until then there is no end."""
    known = s.labels(s.SPREAD).known_on(date.fromisoformat(day)).recessions
    spans = style.recession_spans(known, date(2000, 1, 1), date(2002, 12, 1))
    assert [(f"{a:%Y-%m}", f"{b - timedelta(days=1):%Y-%m}") for a, b in spans] == shaded


@pytest.mark.parametrize(
    ("of", "frames"), [c for c in s.all_charts() if c[0].shade], ids=lambda v: getattr(v, "name", "")
)
def test_every_family_that_shades_knows_no_more_than_the_day_did(of: Chart, frames: dict[str, pl.DataFrame]) -> None:
    def spans(as_of: str | None) -> list[tuple[str, str]]:
        made = computed(frames, instant(as_of) if as_of else None, table="charts/x", chart=of, labels=s.labels(of))
        layout = json.loads(made["charts/x"]["figure_json"].item())["layout"]
        ends = {layout["xaxis"]["range"][1]: "the end"}
        return [(x["x0"], ends.get(x["x1"], x["x1"])) for x in layout.get("shapes", [])]

    assert spans("2008-03-31") == spans("2008-12-01T23:59:58.999999Z") == []
    assert spans("2008-12-01T23:59:59Z") == spans("2009-01-31") == [("2008-01-01", "the end")]
    assert spans("2010-09-20") == spans(None) == [("2008-01-01", "2009-07-01")]


def test_the_note_says_by_when_what_is_shaded_had_been_announced() -> None:
    shaded = "Shaded: recessions dated by the NBER"
    for day, said in (
        ("2008-03-31", f"{shaded} and announced by 2008-03-31."),
        ("2009-01-31", f"{shaded} and announced by 2009-01-31, the end of the last not yet announced."),
    ):
        labels = s.labels(s.SPREAD).known_on(date.fromisoformat(day))
        assert data_note(s.SPREAD, s.spread_frames(), labels).endswith(f" {said}")
    under_way = s.RECESSIONS[-1].model_copy(update={"trough": None, "trough_announced": None})
    today = replace(s.labels(s.SPREAD), recessions=(*s.RECESSIONS[:-1], under_way))
    assert data_note(s.SPREAD, s.spread_frames(), today).endswith(f" {shaded}, the end of the last not yet announced.")
    unshaded = s.labels(s.HEATMAP).known_on(date(2008, 3, 31))
    assert data_note(s.HEATMAP, s.heatmap_frames(), unshaded) == data_note(
        s.HEATMAP, s.heatmap_frames(), s.labels(s.HEATMAP)
    )


def test_shading_is_drawn_only_where_the_catalog_says_so() -> None:
    assert len(figure(s.SPREAD, s.spread_frames(), s.labels(s.SPREAD)).layout.shapes) == 1
    unshaded = s.SPREAD.model_copy(update={"shade": None})
    assert len(figure(unshaded, s.spread_frames(), s.labels(unshaded)).layout.shapes) == 0


# --- lines ---------------------------------------------------------------------------------------------------------


def test_spread_runs_over_the_months_with_both_and_breaks_at_a_hole() -> None:
    line = figure(s.SPREAD, s.spread_frames(), s.labels(s.SPREAD)).data[0]
    assert (line.x[0], line.x[-1]) == (date(2008, 1, 1), date(2009, 12, 1))
    assert line.y[5] is None
    assert set(line.y) - {None} == {1.5}


def test_days_are_averaged_by_the_rule_of_their_series() -> None:
    frames = s.observations(BAA={date(2008, 1, 2): 6.0, date(2008, 1, 3): 8.0}, AAA={date(2008, 1, 1): 4.0})
    labels = s.labels(s.SPREAD)
    assert list(figure(s.SPREAD, frames, labels).data[0].y) == [3.0]
    last = replace(labels, aggregations=dict.fromkeys(labels.series, "last"))
    assert list(figure(s.SPREAD, frames, last).data[0].y) == [4.0]


def test_a_quarterly_side_of_a_spread_stands_in_the_last_month_of_its_quarter() -> None:
    chart = of_spread("GDPC1", "BAA")
    line = figure(chart, s.observations(GDPC1={s.Q2: 7.0}, BAA={date(2016, 6, 1): 4.0}), s.labels(chart)).data[0]
    assert (list(line.x), list(line.y)) == ([date(2016, 6, 1)], [3.0])


def of_spread(*series: str, frequency: str | None = "M") -> Chart:
    """The spread of some series."""
    return s.SPREAD.model_copy(update={"of": s.SPREAD.of.model_copy(update={"series": series, "frequency": frequency})})


def test_a_step_of_two_series_refuses_three_and_two_frequencies() -> None:
    three, mixed = of_spread("BAA", "AAA", "UNRATE"), of_spread("BAA", "GDPC1", frequency=None)
    with pytest.raises(TransformError, match="'spread': expected 2 series, got 3"):
        figure(three, s.spread_frames(), s.labels(three))
    with pytest.raises(ValueError, match="'spread': spread makes one series of BAA, GDPC1, .* frequencies M, Q"):
        figure(mixed, s.spread_frames(), s.labels(mixed))


def test_steps_after_a_spread_are_done_to_it_and_break_at_its_holes() -> None:
    steps = (*s.SPREAD.of.steps, Step(name="chg"))
    chart = s.SPREAD.model_copy(update={"of": s.SPREAD.of.model_copy(update={"steps": steps})})
    line = figure(chart, s.spread_frames(), s.labels(chart)).data[0]
    assert (line.x[0], line.x[-1]) == (date(2008, 2, 1), date(2009, 12, 1))
    blank = [day for day, value in zip(line.x, line.y, strict=True) if value is None]
    assert blank == [date(2008, 6, 1), date(2008, 7, 1)]


def test_a_line_alone_has_the_title_of_the_chart_and_tells_its_last_point() -> None:
    fig = figure(s.SPREAD, s.spread_frames(), s.labels(s.SPREAD))
    assert [t.name for t in fig.data] == ["Synthetic spread"]
    assert fig.layout.showlegend is False
    assert "<b>1.50</b><br>Dec 2009" in [a.text for a in fig.layout.annotations]
    assert fig.layout.yaxis.title.text == "Percentage points"
    assert fig.layout.yaxis.rangemode == "tozero"


def test_several_series_are_lines_in_the_order_of_the_entry_each_on_its_calendar() -> None:
    fig = figure(s.YIELDS, s.yields_frames(), s.labels(s.YIELDS))
    lines = [t for t in fig.data if t.showlegend is None]
    assert [t.name for t in lines] == ["AAA A title", "BAA A title", "GDPC1 A title"]
    assert [len(t.x) for t in lines] == [23, 24, 4]
    assert [t.xperiod for t in lines] == ["M1", "M1", "M3"]
    assert len({t.line.color for t in lines}) == 3
    assert fig.layout.showlegend is True
    assert fig.layout.xaxis.range[1] == date(2009, 1, 1)  # the last quarter ends with December


def test_labels_beside_the_plot_do_not_cover_each_other() -> None:
    fig = figure(s.YIELDS, s.yields_frames(), s.labels(s.YIELDS))
    ends = [a for a in fig.layout.annotations if a.x == 1 and a.yref != "paper" and a.xanchor == "left"]
    assert [a.text for a in ends] == ["<b>4.00</b>", "<b>5.50</b>", "<b>5.45</b>", "Goal 5"]
    per_unit = 0.9 * (672 - fig.layout.margin.t - fig.layout.margin.b) / 1.5
    places = sorted(a.y * per_unit + a.yshift for a in ends)
    assert min(b - a for a, b in pairwise(places)) >= 12


@given(st.lists(st.tuples(st.floats(-500, 500), st.floats(5, 40)), max_size=12))
def test_things_apart_never_meet_and_keep_their_order(wanted: list[tuple[float, float]]) -> None:
    at, room = [w for w, _ in wanted], [r for _, r in wanted]
    places = style.apart(at, room)
    order = sorted(range(len(at)), key=lambda i: at[i])
    for low, high in pairwise(order):
        assert places[high] - places[low] >= (room[low] + room[high]) / 2 - 1e-6
    if all(at[high] - at[low] >= (room[low] + room[high]) / 2 for low, high in pairwise(order)):
        assert places == pytest.approx(at)


def test_a_column_of_a_table_is_a_line_and_a_hole_breaks_it() -> None:
    fig = figure(s.SIGNAL, s.signal_frames(), s.labels(s.SIGNAL))
    level, line = fig.data
    assert (line.name, len(line.x), line.y[14]) == ("Synthetic signal", 48, None)
    assert fig.layout.yaxis.zeroline is True  # there are values on both sides
    assert figure(s.SPREAD, s.spread_frames(), s.labels(s.SPREAD)).layout.yaxis.zeroline is None
    assert (level.name, list(level.y), level.line.dash) == ("Threshold", [0.5, 0.5], "dash")
    assert list(level.x) == [date(2007, 1, 1), date(2011, 1, 1)]
    assert "Threshold 0.5" in [a.text for a in fig.layout.annotations]


def test_columns_that_are_not_named_are_all_that_hold_numbers() -> None:
    chart = s.SIGNAL.model_copy(update={"of": s.SIGNAL.of.model_copy(update={"columns": ()}), "parameters": {}})
    frames = {t: f.with_columns(low_of_year=pl.col("value") - 1) for t, f in s.signal_frames().items()}
    assert [t.name for t in figure(chart, frames, s.labels(chart)).data] == ["Value", "Low of year"]


def test_two_rows_of_one_date_and_a_seventh_line_are_refused() -> None:
    frames = {t: pl.concat([f, f]) for t, f in s.signal_frames().items()}
    with pytest.raises(ValueError, match="'signal': a line of indicators/sahm has two values on one date"):
        figure(s.SIGNAL, frames, s.labels(s.SIGNAL))
    many = s.SIGNAL.model_copy(update={"of": s.SIGNAL.of.model_copy(update={"columns": ()})})
    wide = {t: f.with_columns(pl.col("value").alias(f"v{i}") for i in range(6)) for t, f in s.signal_frames().items()}
    with pytest.raises(ValueError, match="'signal': expected at most 6 lines, got 7"):
        figure(many, wide, s.labels(many))


def test_daily_dates_stand_as_they_are_and_a_year_is_a_year() -> None:
    days = [date(2020, 1, 1), date(2020, 1, 2), date(2020, 1, 6)]
    assert style.calendar(days) == (days, {"xhoverformat": "%d %b %Y"})
    assert style.period_name(days[0], days) == "01 Jan 2020"
    years = [date(2018, 1, 1), date(2020, 1, 1), date(2021, 1, 1)]
    assert style.calendar(years)[0] == [date(y, 1, 1) for y in (2018, 2019, 2020, 2021)]
    assert (style.period_name(years[0], years), style.last_month(years)) == ("2018", date(2021, 12, 1))
    quarters = [date(2018, 10, 1), date(2019, 1, 1)]
    assert (style.period_name(quarters[0], quarters), style.last_month(quarters)) == ("2018 Q4", date(2019, 3, 1))


def test_a_table_is_drawn_as_a_line_for_each_text_that_is_named() -> None:
    of = Drawn(tables=("scores/paths",), columns=("profit",))
    chart = s.chart("paths", "lines", of, parameters={"by": "market", "lines": {"all": "Mean", "oil": "Crude oil"}})
    days = [date(2020, 1, 1), date(2020, 2, 1)] * 2 + [date(2020, 2, 1)]
    rows = {
        "observation_date": days,
        "market": ["oil", "oil", "all", "all", "gold"],
        "profit": [1.0, 2.0, 0.5, 1.5, 9.0],
    }
    drawn = figure(chart, {"scores/paths": pl.DataFrame(rows)}, s.labels(s.SIGNAL)).data
    assert [(line.name, list(line.y)) for line in drawn if line.name] == [
        ("Mean", [0.5, 1.5]),
        ("Crude oil", [1.0, 2.0]),
    ]


# --- heatmap -------------------------------------------------------------------------------------------------------


def test_blank_months_stay_blank_and_a_zero_stays_a_zero() -> None:
    heat = figure(s.HEATMAP, s.heatmap_frames(), s.labels(s.HEATMAP)).data[0]
    unrate, aaa, baa = heat.z
    assert list(heat.x) == style.months(date(2006, 1, 1), date(2006, 6, 1))
    assert unrate[2] is None
    assert baa[2] == 0.0
    assert set(aaa) == {None}
    assert (heat.zmin, heat.zmid, heat.zmax) == (-3, 0, 3)
    past = [(-1.0) ** i for i in range(12)] + [100.0]
    assert unrate[0] == pytest.approx((100 - statistics.mean(past)) / statistics.stdev(past))
    assert unrate[0] > 3  # the colour is clipped, the value is not


def test_blank_is_not_the_colour_of_zero_and_the_note_says_what_it_is() -> None:
    fig = figure(s.HEATMAP, s.heatmap_frames(), s.labels(s.HEATMAP))
    middle = next(color for at, color in fig.data[0].colorscale if at == 0.5)
    assert fig.layout.plot_bgcolor != middle
    assert any("Grey: no value." in a.text for a in fig.layout.annotations)


def test_the_code_is_the_series_own_and_the_history_is_that_of_the_step() -> None:
    labels = s.labels(s.HEATMAP)
    frames = s.heatmap_frames()
    differences = replace(labels, transforms=dict.fromkeys(labels.series, 2))
    unrate, _, baa = figure(s.HEATMAP, frames, differences).data[0].z
    assert unrate[3] is None  # no difference across 2006-03
    assert baa[0] != figure(s.HEATMAP, frames, labels).data[0].z[2][0]
    steps = (s.STATIONARY[0], Step(name="zscore", parameters={"min_obs": 16}))
    later = s.HEATMAP.model_copy(update={"of": s.HEATMAP.of.model_copy(update={"steps": steps})})
    assert [z is None for z in figure(later, frames, labels).data[0].z[2]] == [True, True, True, False, False, False]


def test_colours_end_where_the_entry_says() -> None:
    chart = s.HEATMAP.model_copy(update={"parameters": {"limit": 2}})
    heat = figure(chart, s.heatmap_frames(), s.labels(chart)).data[0]
    assert (heat.zmin, heat.zmax) == (-2, 2)
    assert list(heat.colorbar.ticktext) == ["≤ \u22122", "\u22121", "0", "1", "≥ 2"]
    assert heat.colorbar.title.text == "z-score"


def test_rows_stand_in_the_order_of_the_catalog_from_the_top() -> None:
    axis = figure(s.HEATMAP, s.heatmap_frames(), s.labels(s.HEATMAP)).layout.yaxis
    assert [t.split()[0] for t in axis.ticktext] == list(s.HEATMAP.of.series)
    assert axis.range[0] > axis.range[1]


def test_a_table_is_drawn_by_the_names_of_its_rows() -> None:
    of = Drawn(tables=("indicators/biases",), columns=("bias",))
    chart = s.chart("biases", "heatmap", of, parameters={"row": "market", "rows": {"oil": "Crude oil", "brl": "Real"}})
    days = [date(2020, 1, 1), date(2020, 2, 1), date(2020, 2, 1)]
    rows = {"observation_date": days, "market": ["brl", "brl", "gold"], "bias": [0.0, -1.5, 2.0]}
    frames = {"indicators/biases": pl.DataFrame(rows)}
    fig = figure(chart, frames, s.labels(s.SIGNAL))
    assert [list(row) for row in fig.data[0].z] == [[None, None], [0.0, -1.5]]
    assert list(fig.layout.yaxis.ticktext) == ["Crude oil", "Real"]
    every = chart.model_copy(update={"parameters": {"row": "market"}})
    assert [list(row) for row in figure(every, frames, s.labels(s.SIGNAL)).data[0].z] == [[0.0, -1.5], [None, 2.0]]
    twice = {"indicators/biases": pl.concat([frames["indicators/biases"]] * 2)}
    with pytest.raises(ValueError, match="two rows of one market and date"):
        figure(chart, twice, s.labels(s.SIGNAL))


# --- nowcast -------------------------------------------------------------------------------------------------------


def moved_in(frames: dict[str, pl.DataFrame]) -> nowcast_news.Move | None:
    forecasts, news = (frames[name] for name in s.NOWCAST.of.tables)
    return nowcast_news.move(nowcast_news.by_target(forecasts), news, s.labels(s.NOWCAST))


def test_parts_of_the_news_lead_exactly_from_one_nowcast_to_the_next() -> None:
    moved = moved_in(s.nowcast_frames())
    assert moved is not None
    assert moved.target_date == s.Q3
    assert moved.previous + sum(p.impact for p in moved.steps) == pytest.approx(moved.current, abs=1e-12)
    assert [p.label for p in moved.steps[12:]] == [
        "Other releases (8)", "Revisions of earlier figures", "Re-estimation"
    ]  # fmt: skip
    sizes = [abs(p.impact) for p in moved.steps[:12]]
    assert sizes == sorted(sizes, reverse=True)


def test_bars_are_a_chain_from_the_previous_value_to_the_current_one() -> None:
    fig = figure(s.NOWCAST, s.nowcast_frames(), s.labels(s.NOWCAST))
    bar, ends = next(t for t in fig.data if t.type == "bar"), fig.data[-1]
    running = [*bar.base, ends.x[1]]
    assert running[0] == ends.x[0] == 2.0
    for base, step, following in zip(bar.base, bar.x, running[1:], strict=True):
        assert base + step == pytest.approx(following, abs=1e-12)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (pl.col("effect").replace("revision", "odd"), "odd"),
        ((pl.col("impact") + 0.001).alias("impact"), "different runs"),
        (pl.lit(None, dtype=pl.Float64).alias("impact"), "missing impacts"),
        (pl.lit(float("nan")).alias("impact"), "add up to"),
    ],
    ids=["unknown effect", "impacts do not reach the forecast", "missing impacts", "not a number"],
)
def test_news_that_do_not_add_up_are_refused(spoil: pl.Expr, message: str) -> None:
    frames = s.nowcast_frames()
    frames[s.NOWCAST.of.tables[1]] = frames[s.NOWCAST.of.tables[1]].with_columns(spoil)
    with pytest.raises(ValueError, match=message):
        figure(s.NOWCAST, frames, s.labels(s.NOWCAST))


def test_few_releases_are_all_named() -> None:
    moved = moved_in(s.nowcast_frames(releases=3))
    assert moved is not None
    assert len(moved.steps) == 5
    assert not any("Other" in p.label for p in moved.steps)


def test_quarterly_release_is_labelled_by_its_quarter() -> None:
    ticks = figure(s.NOWCAST, s.nowcast_frames(releases=4), s.labels(s.NOWCAST)).layout.yaxis2.ticktext
    assert any(t.replace("\u00a0", " ") == "GDPC1 A title, 2015 Q1" for t in ticks)


def test_without_news_of_the_current_quarter_the_last_quarter_with_news_is_drawn() -> None:
    frames = s.nowcast_frames()
    forecasts = frames[s.NOWCAST.of.tables[0]].with_columns(
        target_date=pl.when(pl.col("target_date") == s.Q3).then(pl.lit(s.Q2)).otherwise(pl.lit(date(2016, 1, 1)))
    )
    moved = nowcast_news.move(
        nowcast_news.by_target(forecasts),
        frames[s.NOWCAST.of.tables[1]].with_columns(target_date=pl.lit(s.Q2)),
        s.labels(s.NOWCAST),
    )
    assert moved is not None
    assert moved.target_date == s.Q2


@pytest.mark.parametrize("null_typed", [True, False])
def test_single_as_of_without_news_says_there_is_nothing_to_compare(null_typed: bool) -> None:
    forecasts, news = s.nowcast_frames().values()
    empty = pl.DataFrame(schema=dict.fromkeys(news.columns, pl.Null)) if null_typed else news.clear()
    one = forecasts.filter(pl.col("as_of_month") == "2016-07")
    fig = figure(s.NOWCAST, dict(zip(s.NOWCAST.of.tables, (one, empty), strict=True)), s.labels(s.NOWCAST))
    assert no_comparison(fig) == ["No earlier as-of with figures of the same holders<br>to compare with"]


def no_comparison(fig: go.Figure) -> list[str]:
    """The words in place of the news."""
    return [a.text for a in fig.layout.annotations if a.name == "no_comparison"]


def test_without_news_as_other_holders_served_the_month_before_both_are_named() -> None:
    frames = s.nowcast_frames()
    forecasts, news = s.NOWCAST.of.tables
    june = pl.when(pl.col("as_of_month") == "2016-06").then(pl.lit("elsewhere")).otherwise("providers")
    frames |= {news: frames[news].clear(), forecasts: frames[forecasts].with_columns(providers=june)}
    fig = figure(s.NOWCAST, frames, s.labels(s.NOWCAST))
    assert no_comparison(fig) == [
        "No news, as other holders served the figures.<br>2016-06-30: elsewhere<br>2016-07-31: A title"
    ]
    assert "Source: A title." in data_note(s.NOWCAST, frames, s.labels(s.NOWCAST)), "the latest month's"
    unknown = frames[forecasts].with_columns(providers=pl.lit(None, pl.String))
    assert "No earlier" in no_comparison(figure(s.NOWCAST, {**frames, forecasts: unknown}, s.labels(s.NOWCAST)))[0]


def test_an_as_of_of_other_quarters_is_not_drawn_beside_the_latest() -> None:
    """After the months of a demo comes the open one, ten years later."""
    frames = s.nowcast_frames()
    forecasts, news = s.NOWCAST.of.tables
    july = pl.col("as_of_month") == "2016-07"
    years_later = pl.col("target_date").dt.offset_by("10y")
    late = frames[forecasts].with_columns(target_date=pl.when(july).then(years_later).otherwise("target_date"))
    fig = figure(s.NOWCAST, {news: frames[news].clear(), forecasts: late}, s.labels(s.NOWCAST))
    assert list(fig.layout.xaxis.ticktext) == ["2026 Q2", "2026 Q3"]


def test_bars_run_from_the_low_quantile_to_the_high_one_and_the_heading_says_so() -> None:
    fig = figure(s.NOWCAST, s.nowcast_frames(), s.labels(s.NOWCAST))
    before = next(t for t in fig.data if t.name == "As of 2016-06-30")
    assert list(before.error_y.array) == pytest.approx([1.8, 2.4])
    assert list(before.error_y.arrayminus) == pytest.approx([0.9, 1.2])
    assert list(before.y) == [1.5, 2.0]
    assert "<b>Nowcast by quarter, with its 90 % interval</b>" in [a.text for a in fig.layout.annotations]


def test_without_quantiles_there_are_no_bars_and_no_interval_is_told() -> None:
    frames = s.nowcast_frames()
    forecasts = s.NOWCAST.of.tables[0]
    frames[forecasts] = frames[forecasts].filter(statistic="mean")
    fig = figure(s.NOWCAST, frames, s.labels(s.NOWCAST))
    assert "<b>Nowcast by quarter</b>" in [a.text for a in fig.layout.annotations]


def test_forecasts_under_a_scenario_are_not_drawn() -> None:
    frames = s.nowcast_frames()
    forecasts = s.NOWCAST.of.tables[0]
    other = frames[forecasts].with_columns(scenario=pl.lit("oil"), value=pl.col("value") + 9)
    mixed = {**frames, forecasts: pl.concat([other, frames[forecasts]])}
    alone, both = (figure(s.NOWCAST, f, s.labels(s.NOWCAST)).to_json() for f in (frames, mixed))
    assert alone == both


def test_the_unit_of_the_news_is_that_of_its_rows() -> None:
    frames = s.nowcast_frames()
    news = s.NOWCAST.of.tables[1]
    frames[news] = frames[news].with_columns(impact_unit=pl.lit("usd_bn"))
    texts = [a.text for a in figure(s.NOWCAST, frames, s.labels(s.NOWCAST)).layout.annotations]
    assert "<b>What moved the nowcast of 2016 Q3, usd bn</b>" in texts


def test_released_figure_is_marked_apart_and_has_no_error_bar() -> None:
    fig = figure(s.NOWCAST, s.nowcast_frames(), s.labels(s.NOWCAST))
    released = next(t for t in fig.data if t.name == "Released")
    assert list(released.y) == [1.2]
    assert released.error_y.array is None
    assert released.marker.symbol == "diamond"
    assert [len(t.error_y.array) for t in fig.data if (t.name or "").startswith("As of")] == [2, 1]


# --- hostile words -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("chart", "frames"), s.all_charts(), ids=lambda v: getattr(v, "name", ""))
def test_hostile_titles_are_text_in_the_figure(chart: Chart, frames: dict[str, pl.DataFrame]) -> None:
    hostile = chart.model_copy(update={"title": s.HOSTILE, "subtitle": s.HOSTILE})
    text = figure(hostile, frames, s.labels(hostile, s.HOSTILE)).to_json()
    # Own markup and the %{...} of hover texts aside, no tag and no TeX is left.
    tags = set(re.findall(r"<[^>]*>", text.encode().decode("unicode_escape")))
    assert tags <= {"<b>", "</b>", "<br>", "<extra>", "</extra>"}
    assert "$" not in text
    assert json.loads(text)["layout"]["title"]["text"].startswith("<b>/titlescriptalert(1)")


def test_plain_drops_markup_tex_and_control_characters_but_keeps_words() -> None:
    assert style.plain("S&P\n500 <b>x</b>\x00 $y$") == "S&P 500 bx/b y"


def test_wrapped_keeps_the_ending_and_never_exceeds_its_lines() -> None:
    label = style.wrapped("Consumer price index for all urban consumers, all items less food", 20, 2, ", Jun\u00a02016")
    assert label.endswith("…, Jun\u00a02016")
    assert all(len(line) <= 20 for line in label.split("<br>"))
    assert style.wrapped("x" * 500, 20, 2).count("<br>") == 1
    assert style.wrapped("", 20, 2) == ""
