"""What every module that draws charts promises, as laws over its own example; a law yields what breaks it, in words.

The frames of a law follow from the example: observations of its series at their frequency, or rows of its tables with
the columns that the catalog declares. So a new module is held to all laws by being there.
"""

from __future__ import annotations

import itertools
import json
import math
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from importlib import import_module
from typing import TYPE_CHECKING, Any

import polars as pl
from pydantic import ValidationError

from macro_assets.catalog import Catalog, Chart, Column, Dtype, Table
from macro_assets.catalog.kinds.declaration import Declaration
from macro_assets.charts.checking import problems
from macro_assets.charts.drawing import OBSERVATIONS, brought, data_note, figure
from macro_assets.charts.labels import Labels, labels_of
from macro_assets.charts.modules import module_name, parameters_of
from macro_assets.charts.preview import svg_preview
from macro_assets.charts.style import NothingToDrawError
from macro_assets_tests.charts.synthetic import HOSTILE

if TYPE_CHECKING:
    import plotly.graph_objects as go

MARKUP = {"<b>", "</b>", "<br>", "<extra>", "</extra>"}
"""Tags that a figure may hold: those of the house."""

Frames = dict[str, pl.DataFrame]
Breaches = Iterator[str]
Law = Callable[[str, Catalog], Breaches]


# --- the laws ------------------------------------------------------------------------------------------------------


def it_declares_itself(draws: str, catalog: Catalog) -> Breaches:
    """A module has frozen parameters, an example, the labels that it reads, and a function that draws."""
    module = import_module(module_name(draws))
    kind = getattr(module, "Parameters", None)
    if not (isinstance(kind, type) and issubclass(kind, Declaration) and kind.model_config.get("frozen")):
        yield f"Parameters: expected a frozen class of the base Declaration, got {kind!r}"
    if not isinstance(getattr(module, "EXAMPLE", None), Mapping):
        yield "EXAMPLE: expected the fields of an entry"
    reads = getattr(module, "READS", None)
    if not isinstance(reads, tuple) or set(reads) - {f.name for f in fields(Labels)}:
        yield f"READS: expected fields of Labels, got {reads!r}"
    if not callable(getattr(module, "figure", None)):
        yield "figure: expected a function"


def its_example_is_an_entry(draws: str, catalog: Catalog) -> Breaches:
    """The example, with a name and words, is an entry that the catalog and the room admit."""
    try:
        chart = example(draws)
    except ValidationError as error:
        yield f"EXAMPLE: {error}"
        return
    strangers = {*chart.of.series, *chart.of.tables} - {*catalog.series, *catalog.tables}
    if strangers:
        yield f"EXAMPLE: {', '.join(sorted(strangers))} are not in the catalog"
        return
    yield from (f"EXAMPLE: {text}" for text in problems(chart, catalog))


def nothing_is_refused_by_name(draws: str, catalog: Catalog) -> Breaches:
    """Of empty frames there is an error that names the chart and says what was expected."""
    chart = example(draws)
    empty = {name: frame.clear() for name, frame in full(chart, catalog).items()}
    try:
        figure(chart, empty, labels_of(chart, catalog))
    except NothingToDrawError as error:
        if repr(chart.name) not in str(error) or "expected" not in str(error):
            yield f"the error of empty frames does not say chart and what was expected: {error}"
    except Exception as error:
        yield f"expected a NothingToDrawError of empty frames, got {error!r}"
    else:
        yield "empty frames are drawn"


def one_point_is_drawn(draws: str, catalog: Catalog) -> Breaches:
    """One row is enough: after the steps of a chart of series, and of each table."""
    chart = example(draws).model_copy(update={"first_date": None})
    labels = labels_of(chart, catalog)
    one = {name: frame.head(1) for name, frame in brought(chart, full(chart, catalog), labels).items()}
    try:
        drawn = import_module(module_name(draws)).figure(chart, one, labels, parameters_of(chart))
    except Exception as error:
        yield f"one row is not drawn: {error!r}"
        return
    if not marks(drawn):
        yield "one row leaves the preview blank"


def the_full_one_is_not_blank(draws: str, catalog: Catalog) -> Breaches:
    """Full frames give a preview with something in it, beside axes and shading, and the house's words."""
    chart = example(draws)
    frames, labels = full(chart, catalog), labels_of(chart, catalog)
    drawn = figure(chart, frames, labels)
    if not marks(drawn):
        yield "the preview is blank"
    told = {a.name: a.text for a in drawn.layout.annotations}
    if "watermark" not in told or chart.title not in str(drawn.layout.title.text):
        yield "the title or the watermark of the house is missing"
    said, note = (
        re.sub(r"<br>|\s", "", text) for text in (told.get("data_note", ""), data_note(chart, frames, labels))
    )
    if not said.startswith(note):
        yield f"the figure says {said!r} of its data, its row says {note!r}"


def rows_may_come_in_any_order(draws: str, catalog: Catalog) -> Breaches:
    """The same rows give the same JSON, each time and in any order."""
    chart = example(draws)
    frames, labels = full(chart, catalog), labels_of(chart, catalog)
    first = figure(chart, frames, labels).to_json()
    orders: Mapping[str, Callable[[pl.DataFrame], pl.DataFrame]] = {
        "drawn again": lambda frame: frame,
        "rows in reverse": pl.DataFrame.reverse,
        "rows shuffled": lambda frame: frame.sample(fraction=1, shuffle=True, seed=7),
    }
    for how, ordered in orders.items():
        if figure(chart, {name: ordered(f) for name, f in frames.items()}, labels).to_json() != first:
            yield f"{how}: another figure"


def words_are_words(draws: str, catalog: Catalog) -> Breaches:
    """Hostile titles and names are text in the figure: no tag but the house's own, no TeX."""
    chart = example(draws)
    hostile = chart.model_copy(
        update={"title": HOSTILE, "subtitle": HOSTILE, "axis": chart.axis.model_copy(update={"title": HOSTILE})}
    )
    labels = labels_of(chart, catalog)
    words: dict[str, Any] = {
        "titles": {s: f"{HOSTILE} {s}" for s in labels.titles},
        "sources": {s: f"{HOSTILE} {s}" for s in labels.sources},
        "publishers": {s: f"{HOSTILE} {s}" for s in labels.publishers},
        "via": {s: f"{HOSTILE} {s}" for s in labels.sources},
        "components": tuple((name, f"{HOSTILE} {name}") for name, _ in labels.components),
    }
    for said in (replace(labels, **words), replace(labels, components=())):
        text = figure(hostile, full(chart, catalog, HOSTILE), said).to_json()
        tags = set(re.findall(r"<[^>]*>", text.encode().decode("unicode_escape"))) - MARKUP
        if tags:
            yield f"tags in the figure: {', '.join(sorted(tags))}"
        if "$" in text:
            yield "TeX in the figure"
        if json.loads(text)["layout"]["title"]["text"] != "<b>/titlescriptalert(1)/script " + (
            "\\href{javascript:alert(2)}{x} & b onclick=alert(3)S&P/b</b>"
        ):
            yield "the title lost words"


def labels_are_declared(draws: str, catalog: Catalog) -> Breaches:
    """With every label there is, the figure is the same: `READS` names all that it reads."""
    chart = example(draws)
    frames, labels = full(chart, catalog), labels_of(chart, catalog)
    own = [catalog.series[s] for s in labels.series]
    every: dict[str, Any] = {
        "titles": {s.id: s.title for s in own},
        "frequencies": {s.id: s.frequency for s in own},
        "aggregations": {s.id: s.aggregation for s in own},
        "transforms": {s.id: s.transform for s in own},
    }
    if figure(chart, frames, replace(labels, **every)).to_json() != figure(chart, frames, labels).to_json():
        yield "it reads a label that READS does not name"


LAWS: tuple[Law, ...] = (
    it_declares_itself,
    its_example_is_an_entry,
    nothing_is_refused_by_name,
    one_point_is_drawn,
    the_full_one_is_not_blank,
    rows_may_come_in_any_order,
    words_are_words,
    labels_are_declared,
)


# --- what the laws draw --------------------------------------------------------------------------------------------


def example(draws: str) -> Chart:
    """The example of a module as an entry of the catalog."""
    words = {"title": "An example", "subtitle": "Made up", "description": "Synthetic", "section": "examples"}
    given = import_module(module_name(draws)).EXAMPLE
    return Chart.model_validate({"name": f"example_of_{draws}", **words, "draws": draws, **given})


def full(chart: Chart, catalog: Catalog, word: str = "word") -> Frames:
    """Synthetic frames of what a chart is of; `word` stands wherever a table may say anything."""
    if chart.of.series:
        return {OBSERVATIONS: pl.concat(_observations(s, catalog) for s in chart.of.series)}
    made = {t: rows(catalog.tables[t], catalog.series_behind(t), word) for t in chart.of.tables}
    behind = [s for t in chart.of.tables for s in catalog.series_behind(t)]
    return {**made, OBSERVATIONS: pl.concat(_observations(s, catalog) for s in behind)}


def marks(drawn: go.Figure) -> int:
    """Lines, bars, cells and points of the preview, without shading and the line at zero."""
    bare = drawn.to_dict()
    bare["layout"] = {k: v for k, v in bare["layout"].items() if k != "shapes"}
    found = [e for e in ET.fromstring(svg_preview(bare, "")).iter() if e.tag.rpartition("}")[2] in ("path", "circle")]
    return sum(e.get("stroke-width") != "0.5" for e in found)


_EVERY = {"D": "1d", "W": "1w", "M": "1mo", "Q": "1q", "A": "1y"}
_AS_OF = {"2016-06": datetime(2016, 6, 30, 23, 59, 59, tzinfo=UTC), "2016-07": datetime(2016, 7, 31, 23, tzinfo=UTC)}


def _observations(series_id: str, catalog: Catalog) -> pl.DataFrame:
    """Thirty years of positive figures that go up and down, other ones for each series."""
    series = catalog.series[series_id]
    dates = pl.date_range(date(1990, 1, 1), date(2019, 12, 1), _EVERY[series.frequency], eager=True)
    phase = sum(map(ord, series_id))
    return pl.DataFrame(
        {
            "source": series.source,
            "series_id": series_id,
            "provider": series.source,
            "unit": series.unit,
            "observation_date": dates,
            "value": [100 + 0.1 * i + 5 * math.sin(0.37 * i + phase) for i in range(len(dates))],
            "release_time": _AS_OF["2016-07"],
        }
    )


def rows(table: Table, series: tuple[str, ...], word: str) -> pl.DataFrame:
    """Rows of a table, one per combination of the values that the columns of its key may have."""
    by_name = {c.name: c for c in table.columns}
    few = len(table.key) > 2
    values = [_values(by_name[name], series, word, few) for name in table.key]
    keys = [dict(zip(table.key, one, strict=True)) for one in itertools.product(*values)]
    cells = [{c.name: _cell(c, i, key, word) for c in table.columns} | key for i, key in enumerate(keys)]
    return pl.DataFrame(cells, schema={c.name: _DTYPES[c.dtype] for c in table.columns}, orient="row")


_DTYPES: Mapping[Dtype, Any] = {
    "str": pl.String,
    "int": pl.Int64,
    "float": pl.Float64,
    "bool": pl.Boolean,
    "date": pl.Date,
    "timestamp": pl.Datetime("us", "UTC"),
    "binary": pl.Binary,
}


def _values(column: Column, series: tuple[str, ...], word: str, few: bool) -> list[Any]:
    """What a column of a key may be; the words that its description quotes are all that there are."""
    if column.dtype == "date":
        months = pl.date_range(date(2014, 1, 1), date(2016, 12, 1), "1mo", eager=True).to_list()
        return months[24:33:3] if few else months
    if column.name == "as_of_month":
        return list(_AS_OF)
    if column.dtype == "timestamp":
        return list(_AS_OF.values())
    if column.name in ("series_id", "target_id"):
        return list(series[:3])
    if quoted := _quoted(column):
        return quoted
    return [None] if column.nullable else [f"{word}_{i}" for i in (1, 2)]


def _cell(column: Column, i: int, key: Mapping[str, Any], word: str) -> Any:
    match column.dtype:
        case "float":
            low, high = (column.low if column.low is not None else -2), (column.high if column.high is not None else 3)
            return low + (high - low) * (0.5 + 0.5 * math.sin(0.7 * i))
        case "bool":
            return i % 3 == 2
        case "date":
            return date(2016, 1, 1)
        case "timestamp":
            as_of = _AS_OF.get(str(key.get("as_of_month")), _AS_OF["2016-07"])
            return as_of if column.name == "as_of" else as_of - timedelta(days=1)
        case "str":
            return next(iter(_quoted(column)), word)
        case "binary":
            return b""
    return int(column.low or 1)


def _quoted(column: Column) -> list[str]:
    return re.findall(r"'([a-z0-9_]+)'", column.description)
