"""The SVG preview: small whatever the figure, well-formed, harmless, and of the right shape."""

from __future__ import annotations

import base64
import json
import math
import re
import xml.etree.ElementTree as ET
from datetime import date
from typing import Any

import plotly.graph_objects as go
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from macro_assets.catalog import Chart
from macro_assets.charts.drawing import figure
from macro_assets.charts.preview import LIMIT, markdown_preview, svg_preview, values_of
from macro_assets.charts.style import months
from macro_assets_tests.charts import synthetic as s

SVG = "{http://www.w3.org/2000/svg}"
MONTHS = months(date(1919, 1, 1), date(2018, 12, 1))


def checked(fig: dict[str, Any], title: str = "t") -> ET.Element:
    """Both laws of every preview: well-formed and small."""
    svg = svg_preview(fig, title)
    assert len(svg.encode()) < LIMIT
    return ET.fromstring(svg)


@pytest.mark.parametrize(("chart", "frames"), s.all_charts(), ids=lambda v: getattr(v, "name", ""))
def test_every_chart_has_a_preview_from_dict_and_from_json_alike(chart: Chart, frames: dict[str, pl.DataFrame]) -> None:
    fig = figure(chart, frames, s.labels(chart))
    assert svg_preview(fig.to_dict(), "t") == svg_preview(json.loads(fig.to_json()), "t")
    assert len(list(checked(fig.to_dict()).iter(f"{SVG}path"))) > 0


def test_1200_months_of_six_stacked_bars_fit() -> None:
    fig = go.Figure([go.Bar(x=MONTHS, y=[math.sin(i * (k + 1)) * 1.2345 for i in range(1200)]) for k in range(6)])
    drawn = checked(fig.update_layout(barmode="relative").to_dict())
    assert len({p.get("fill") for p in drawn.iter(f"{SVG}path")} - {"none"}) == 6


def test_1200_months_of_six_lines_fit() -> None:
    checked(go.Figure([go.Scatter(x=MONTHS, y=[math.sin(i * k) for i in range(1200)]) for k in range(6)]).to_dict())


def test_detail_gives_way_to_size() -> None:
    waves = [go.Scatter(x=MONTHS, y=[math.sin(i * k) for i in range(1200)], mode="lines+markers") for k in range(24)]
    assert len(list(checked(go.Figure(waves).to_dict()).iter(f"{SVG}path"))) > 1
    label = {"tickvals": list(range(24)), "ticktext": ["&" * 200] * 24}
    checked(go.Figure(go.Heatmap(z=[[k * i for i in range(24)] for k in range(24)]), {"yaxis": label}).to_dict())


def test_heatmap_of_20_by_600_fits() -> None:
    z = [[math.sin(i * j) * 3 for j in range(600)] for i in range(20)]
    fig = go.Figure(go.Heatmap(x=MONTHS[:600], z=z, zmin=-3, zmax=3, xperiod="M1"))
    fig.update_yaxes(tickvals=list(range(20)), ticktext=["A rather long title of a series, monthly " * 2] * 20)
    assert sum(p.get("d", "").count("M") for p in checked(fig.to_dict()).iter(f"{SVG}path")) > 200


def test_absurd_figures_fit() -> None:
    checked(go.Figure([go.Scatter(y=[1, 2], name="&" * 5000, mode="lines+markers") for _ in range(3000)]).to_dict())
    checked(go.Figure(go.Heatmap(z=[[1.0] for _ in range(5000)])).to_dict(), "&" * 100_000)
    checked(go.Figure(go.Bar(x=["é" * 500 + str(i) for i in range(500)], y=list(range(500)))).to_dict(), "é" * 9999)
    checked({}, "")
    checked({"data": [{"type": "pie", "values": [1]}, {"type": "bar"}, {"type": "heatmap", "z": []}], "layout": {}})


def test_peak_survives_thinning() -> None:
    values = [0.0] * 1200
    values[777] = 9.0
    line = next(checked(go.Figure(go.Scatter(x=MONTHS, y=values)).to_dict()).iter(f"{SVG}path"))
    heights = [float(y) for y in re.findall(r"[ML][\d.]+ ([\d.]+)", line.get("d", ""))]
    assert min(heights) < 60 < 200 < max(heights)


def test_gap_breaks_the_line_and_a_blank_cell_is_not_drawn() -> None:
    line = next(checked(go.Figure(go.Scatter(y=[1, 2, None, 4, 5])).to_dict()).iter(f"{SVG}path"))
    assert line.get("d", "").count("M") == 2
    cells = checked(go.Figure(go.Heatmap(z=[[0.0, None, 1.0]])).to_dict())
    assert sum(p.get("d", "").count("M") for p in cells.iter(f"{SVG}path")) == 2


def test_labels_are_first_and_last_month_and_the_extremes() -> None:
    drawn = checked(figure(s.SPREAD, s.spread_frames(), s.labels(s.SPREAD)).to_dict())
    texts = [t.text for t in drawn.iter(f"{SVG}text")]
    assert {"2008-01", "2009-12"} <= set(texts)


def test_recessions_and_both_panels_are_drawn() -> None:
    shaded = svg_preview(figure(s.INDEX, s.index_frames(), s.labels(s.INDEX)).to_dict(), "t")
    assert 'fill-opacity=".6"' in shaded
    frames = checked(figure(s.NOWCAST, s.nowcast_frames(), s.labels(s.NOWCAST)).to_dict())
    assert sum(r.get("stroke") is not None for r in frames.iter(f"{SVG}rect")) == 2


def test_error_bars_reach_as_far_down_and_up_as_they_say() -> None:
    errors = {"array": [1.0, 2.0], "arrayminus": [3.0, 0.0], "symmetric": False}
    apart = {"data": [{"y": [0.0, 1.0], "mode": "markers", "error_y": errors}]}
    bars = [p for p in checked(apart).iter(f"{SVG}path") if "V" in p.get("d", "")]
    (low, high), (start, end) = (map(float, re.findall(r"[ V]([\d.]+)", b.get("d", ""))) for b in bars)
    assert low > high == start > end  # from -3 to 1, from 1 to 3


@pytest.mark.parametrize(("chart", "frames"), s.all_charts(), ids=lambda v: getattr(v, "name", ""))
def test_hostile_words_are_harmless(chart: Chart, frames: dict[str, pl.DataFrame]) -> None:
    fig = figure(chart, frames, s.labels(chart, s.HOSTILE)).to_dict()
    fig["layout"]["plot_bgcolor"] = '"/><script>alert(4)</script>'
    fig["data"][0]["name"] = fig["data"][0]["line"] = None
    fig["data"][0]["marker"] = {"color": 'red" onload="alert(5)'}
    drawn = checked(fig, s.HOSTILE + "\x00\x1b\ud800")
    allowed = {f"{SVG}{tag}" for tag in ("svg", "title", "rect", "text", "path", "g", "circle")}
    assert {e.tag for e in drawn.iter()} <= allowed
    assert not [a for e in drawn.iter() for a in e.attrib if a.startswith("on") or "href" in a]


@given(st.text(max_size=300))
@settings(max_examples=200)
def test_any_title_gives_well_formed_xml(title: str) -> None:
    checked(go.Figure(go.Scatter(y=[1, 2])).to_dict(), title)


@given(st.lists(st.one_of(st.none(), st.floats(), st.integers(-(10**18), 10**18)), max_size=40))
@example([1.7976931348623157e308, -9.9792015476736e291])
@settings(max_examples=100)
def test_any_numbers_give_well_formed_xml(values: list[float | None]) -> None:
    checked({"data": [{"y": values}, {"type": "bar", "y": values}, {"type": "heatmap", "z": [values]}], "layout": {}})


def test_arrays_in_plotlys_base64_form_are_read() -> None:
    raw = base64.b64encode(bytes([1, 2, 3, 4, 5, 6])).decode()
    assert values_of({"dtype": "u1", "bdata": raw}) == [1, 2, 3, 4, 5, 6]
    assert values_of({"dtype": "i1", "bdata": raw, "shape": "2, 3"}) == [[1, 2, 3], [4, 5, 6]]
    assert values_of(pl.Series([date(2020, 1, 1)]).to_numpy())[0].year == 2020


def test_markdown_is_one_image_whose_title_cannot_close_it() -> None:
    text = markdown_preview(svg_preview({}, "a](http://evil) ![x] `c` & d"))
    found = re.fullmatch(r"!\[([^\[\]()`<>]*)\]\(data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)\)", text)
    assert found is not None
    assert base64.b64decode(found[2]).startswith(b"<svg")
