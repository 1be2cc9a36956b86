"""What makes an entry of a chart wrong, beside what the catalog's own form says: known before anything is drawn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pydantic import ValidationError

from macro_assets.catalog.entries import complaints, nearest
from macro_assets.charts.drawing import groups
from macro_assets.charts.modules import module_of, parameters_of
from macro_assets.transforms.steps import check, resolve

if TYPE_CHECKING:
    from macro_assets.catalog import Catalog, Chart


def problems(chart: Chart, catalog: Catalog) -> Iterator[str]:
    """What is wrong with an entry whose series and tables are there: field, what was expected, what came.

    A module may say more of its charts with `check(chart, columns)`, which yields such texts; `columns` are those of
    each of the chart's tables, by name of the table.
    """
    try:
        module = module_of(chart)
    except LookupError as error:
        yield f"draws: {str(error).removeprefix(f'chart {chart.name!r}: ')}"
        return
    try:
        parameters_of(chart)
    except ValidationError as error:
        for text in complaints(error):
            unknown = "Extra inputs" in text
            near = nearest(text.partition(":")[0], module.Parameters.model_fields) if unknown else ""
            yield f"parameters.{text}.{near}" if near else f"parameters.{text}"
    yield from _of_series(chart, catalog)
    columns = {t: catalog.tables[t].columns for t in chart.of.tables}
    for table, found in columns.items():
        names = [c.name for c in found]
        for column in chart.of.columns:
            if column not in names:
                yield f"of.columns: {column!r} is no column of {table}.{nearest(column, names)}"
    if hasattr(module, "check"):
        yield from module.check(chart, columns)


def _of_series(chart: Chart, catalog: Catalog) -> Iterator[str]:
    of = chart.of
    if len(set(of.series)) < len(of.series):
        yield "of.series: a series is named twice"
    for group in groups(chart):
        own = [catalog.series[s] for s in group]
        frequencies = {of.frequency or s.frequency for s in own}
        if len(frequencies) > 1:
            found = ", ".join(sorted(frequencies))
            yield f"of.frequency: {of.steps[0].name} takes series of one frequency, got {found}"
            return
        try:
            steps, adjustments = resolve(of.steps, own[0].transform), [s.seasonal_adjustment for s in own]
            check(steps, [s.unit for s in own], frequencies.pop(), adjustments)
        except ValueError as error:
            yield f"of.steps: {' and '.join(group)}: {error}"
            return
