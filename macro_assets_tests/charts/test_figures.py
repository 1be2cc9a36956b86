"""Each chart draws its table: nothing lost, nothing invented, nothing dangerous."""

from __future__ import annotations

import json
import re
import statistics
import subprocess
import sys
from dataclasses import replace
from datetime import date

import polars as pl
import pytest

from macro_assets.catalog import Chart
from macro_assets.charts import gdp_nowcast, style
from macro_assets.charts.drawing import data_note, figure
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


@pytest.mark.parametrize(("chart", "frames"), s.all_charts(), ids=lambda v: getattr(v, "name", ""))
def test_same_frames_give_the_same_json(chart: Chart, frames: dict[str, pl.DataFrame]) -> None:
    assert figure(chart, frames, s.labels(chart)).to_json() == figure(chart, frames, s.labels(chart)).to_json()


def test_importing_the_room_does_not_import_plotly() -> None:
    rooms = "macro_assets.charts, macro_assets.charts.style, macro_assets.charts.preview, macro_assets.publishing.html"
    code = f"import sys, {rooms}; print('plotly' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_chart_without_a_module_and_missing_table_are_named() -> None:
    with pytest.raises(LookupError, match=r"macro_assets/charts/<chart name>\.py"):
        figure(s.INDEX.model_copy(update={"name": "no_such_chart"}), s.index_frames(), s.labels(s.INDEX))
    with pytest.raises(LookupError, match="not given: indicators/economic_stress_index"):
        figure(s.INDEX, {}, s.labels(s.INDEX))
    for draw in (figure, data_note):
        with pytest.raises(LookupError, match="'credit_spread' draws observations; not given: observations"):
            draw(s.SPREAD, {}, s.labels(s.SPREAD))


@pytest.mark.parametrize(("chart", "frames"), s.all_charts(), ids=lambda v: getattr(v, "name", ""))
def test_an_empty_table_or_no_observation_is_refused_by_name(chart: Chart, frames: dict[str, pl.DataFrame]) -> None:
    empty = {name: table.clear() for name, table in frames.items()}
    where = chart.inputs[0] if chart.inputs else f"observations of {', '.join(chart.series)}"
    with pytest.raises(ValueError, match=f"nothing to draw in {where}"):
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


# --- economic stress index -----------------------------------------------------------------------------------------


def test_contributions_drawn_add_up_to_the_index_line() -> None:
    fig = figure(s.INDEX, s.index_frames(), s.labels(s.INDEX))
    bars, line = [t for t in fig.data if t.type == "bar"], next(t for t in fig.data if t.type == "scatter")
    assert fig.layout.barmode == "relative"
    for i, value in enumerate(line.y):
        assert sum(b.y[i] or 0 for b in bars) == pytest.approx(value, abs=1e-12)
    assert [b.name for b in bars] == ["first A title", "second A title"]


def test_absent_component_is_blank_and_not_zero() -> None:
    fig = figure(s.INDEX, s.index_frames(), s.labels(s.INDEX))
    second = next(t for t in fig.data if t.name.startswith("second"))
    assert list(second.y[:12]) == [None] * 12


def test_month_without_an_index_breaks_the_line() -> None:
    frames = {k: t.filter(pl.col("observation_date") != date(2008, 5, 1)) for k, t in s.index_frames().items()}
    line = figure(s.INDEX, frames, s.labels(s.INDEX)).data[-1]
    assert len(line.x) == 36
    assert line.y[16] is None


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


def test_shading_is_drawn_only_where_the_catalog_says_so() -> None:
    assert len(figure(s.SPREAD, s.spread_frames(), s.labels(s.SPREAD)).layout.shapes) == 1
    unshaded = s.SPREAD.model_copy(update={"recession_shading": False})
    assert len(figure(unshaded, s.spread_frames(), s.labels(unshaded)).layout.shapes) == 0


# --- credit spread -------------------------------------------------------------------------------------------------


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
    chart = s.SPREAD.model_copy(update={"series": ("GDPC1", "BAA")})
    line = figure(chart, s.observations(GDPC1={s.Q2: 7.0}, BAA={date(2016, 6, 1): 4.0}), s.labels(chart)).data[0]
    assert (list(line.x), list(line.y)) == ([date(2016, 6, 1)], [3.0])


def test_a_spread_of_another_number_of_series_is_refused() -> None:
    three = s.SPREAD.model_copy(update={"series": ("BAA", "AAA", "UNRATE")})
    with pytest.raises(ValueError, match="spread of two series, the catalog names 3"):
        figure(three, s.spread_frames(), s.labels(three))


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


def test_the_code_and_the_history_of_a_series_are_those_of_its_labels() -> None:
    labels = s.labels(s.HEATMAP)
    frames = s.heatmap_frames()
    differences = replace(labels, transforms=dict.fromkeys(labels.series, 2))
    unrate, _, baa = figure(s.HEATMAP, frames, differences).data[0].z
    assert unrate[3] is None  # no difference across 2006-03
    assert baa[0] != figure(s.HEATMAP, frames, labels).data[0].z[2][0]
    later = figure(s.HEATMAP, frames, replace(labels, min_history={"M": 16})).data[0].z[2]
    assert [z is None for z in later] == [True, True, True, False, False, False]


def test_rows_stand_in_the_order_of_the_catalog_from_the_top() -> None:
    axis = figure(s.HEATMAP, s.heatmap_frames(), s.labels(s.HEATMAP)).layout.yaxis
    assert [t.split()[0] for t in axis.ticktext] == list(s.HEATMAP.series)
    assert axis.range[0] > axis.range[1]


# --- nowcast -------------------------------------------------------------------------------------------------------


def moved_in(frames: dict[str, pl.DataFrame]) -> gdp_nowcast.Move | None:
    forecasts, news = (frames[name] for name in s.NOWCAST.inputs)
    return gdp_nowcast.move(forecasts, news, s.labels(s.NOWCAST))


def test_parts_of_the_news_lead_exactly_from_one_nowcast_to_the_next() -> None:
    moved = moved_in(s.nowcast_frames())
    assert moved is not None
    assert moved.target_quarter == s.Q3
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
        ((pl.col("impact_pp") + 0.001).alias("impact_pp"), "different runs"),
        (pl.lit(None, dtype=pl.Float64).alias("impact_pp"), "missing impacts"),
        (pl.lit(float("nan")).alias("impact_pp"), "add up to"),
    ],
    ids=["unknown effect", "impacts do not reach the forecast", "missing impacts", "not a number"],
)
def test_news_that_do_not_add_up_are_refused(spoil: pl.Expr, message: str) -> None:
    frames = s.nowcast_frames()
    frames[s.NOWCAST.inputs[1]] = frames[s.NOWCAST.inputs[1]].with_columns(spoil)
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
    forecasts = frames[s.NOWCAST.inputs[0]].with_columns(
        target_quarter=pl.when(pl.col("target_quarter") == s.Q3).then(pl.lit(s.Q2)).otherwise(pl.lit(date(2016, 1, 1)))
    )
    moved = gdp_nowcast.move(
        forecasts, frames[s.NOWCAST.inputs[1]].with_columns(target_quarter=pl.lit(s.Q2)), s.labels(s.NOWCAST)
    )
    assert moved is not None
    assert moved.target_quarter == s.Q2


@pytest.mark.parametrize("null_typed", [True, False])
def test_single_as_of_without_news_says_there_is_nothing_to_compare(null_typed: bool) -> None:
    forecasts, news = s.nowcast_frames().values()
    empty = pl.DataFrame(schema=dict.fromkeys(news.columns, pl.Null)) if null_typed else news.clear()
    one = forecasts.filter(pl.col("as_of_month") == "2016-07")
    fig = figure(s.NOWCAST, dict(zip(s.NOWCAST.inputs, (one, empty), strict=True)), s.labels(s.NOWCAST))
    assert [a.text for a in fig.layout.annotations if a.name == "no_comparison"] == ["No earlier as-of to compare with"]


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
