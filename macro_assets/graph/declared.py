"""Catalog to derivations: which table is computed from which, by which pure function.

The asset graph is generated from this list, ``reading.py`` recomputes any table as of any date with it, and the
benchmark loops over it. Belongs here: inputs and the call. Does not belong here: formulas (the pure rooms), storage
(`lakehouse`), when to run (`orchestration`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import polars as pl

from macro_assets.catalog import Catalog, Chart, Indicator, Model
from macro_assets.catalog.derive import panel_column, series_facts
from macro_assets.catalog.periods import month_end, previous_month
from macro_assets.graph.derivation import Derivation, Frames
from macro_assets.graph.inputs import everything_known, raw_inputs
from macro_assets.graph.versions import code_version, facts


def derivations(catalog: Catalog) -> dict[str, Derivation]:
    """Every computed, unpartitioned table of the catalog, inputs before outputs."""
    from macro_assets.transforms.library import transformed, zscores
    from macro_assets.transforms.normalize import standard_units
    from macro_assets.transforms.panel import monthly
    from macro_assets.transforms.panel import panel as side_by_side

    series = facts(*catalog.series.values())
    every = series_facts(catalog.series.values(), "source", "scale", "frequency", "transform", "aggregation")
    columns = {s.id: panel_column(s) for s in catalog.series.values()}
    observations, panel = "normalized/observations", "normalized/panel_monthly"
    stationary, scores = "normalized/transformed", "normalized/zscores"
    parameters = catalog.tables[scores].parameters
    min_history = {k.removeprefix("min_history_").upper(): v for k, v in parameters.items()}

    def known(frames: Frames) -> pl.DataFrame:
        return standard_units(everything_known(frames, catalog), every.select("source", "series_id", "scale"))

    def wide(frames: Frames) -> pl.DataFrame:
        return side_by_side(monthly(frames[observations], every), list(columns)).rename(columns)

    room = "macro_assets.transforms."
    found = [
        Derivation(
            observations, raw_inputs(catalog), known, ("macro_assets.lakehouse.vintages", room + "normalize"), series
        ),
        Derivation(panel, (observations,), wide, (room + "panel",), series),
        Derivation(
            stationary, (observations,), lambda f: transformed(f[observations], every), (room + "library",), series
        ),
        Derivation(
            scores,
            (stationary,),
            lambda f: zscores(f[stationary], every, min_history),
            (room + "library",),
            series + facts(parameters),
        ),
    ]
    found += [_indicator_derivation(indicator, panel) for indicator in catalog.indicators.values()]
    found += [_chart_derivation(chart, catalog, observations) for chart in catalog.charts.values()]
    return {d.table: d for d in found}


def _indicator_derivation(indicator: Indicator, panel: str) -> Derivation:
    from macro_assets.indicators.composite import composite

    modules = ("macro_assets.indicators.composite", "macro_assets.transforms.library")
    name = f"indicators/{indicator.name}"
    ids = {s.lower(): s for c in indicator.components for s in c.series}
    return Derivation(name, (panel,), lambda f: composite(f[panel].rename(ids), indicator), modules, facts(indicator))


def _chart_derivation(chart: Chart, catalog: Catalog, observations: str) -> Derivation:
    from macro_assets.charts.drawing import OBSERVATIONS
    from macro_assets.charts.labels import labels_of

    labels = labels_of(chart, catalog)

    def draw(frames: Frames) -> pl.DataFrame:
        from macro_assets.charts.drawing import data_note, figure

        given = frames if chart.inputs else {OBSERVATIONS: frames[observations]}
        return pl.DataFrame(
            {
                "chart": chart.name,
                "title": chart.title,
                "subtitle": chart.subtitle,
                "data_note": data_note(chart, given, labels),
                "figure_json": figure(chart, given, labels).to_json(),
            }
        )

    drawing = tuple(
        f"macro_assets.charts{room}"
        for room in (".drawing", ".labels", ".style", f".{chart.name}", ".preview", ".axes")
    )
    modules = (*drawing, "macro_assets.transforms", "macro_assets.publishing.html")
    return Derivation(
        f"charts/{chart.name}", chart.inputs or (observations,), draw, modules, facts(chart, labels.plain())
    )


# --- as-of partitioned tables --------------------------------------------------------------------------------------


def nowcast_tables(
    raw: Frames, model: Model, catalog: Catalog, months: Sequence[str], now: datetime
) -> dict[str, pl.DataFrame]:
    """Forecasts and news of a nowcasting model for as-of months, each from what was known at its instant.

    Parameters
    ----------
    raw
        The tables of `raw_inputs`, by name.
    months
        As-of months, 'YYYY-MM'. The news of a month are counted from the end of the month before; a month at whose
        beginning some input was not known at all has none.
    now
        The instant of the run.

    Returns
    -------
    dict
        `forecasts/<model>` and `forecasts/<model>_news`.

    Raises
    ------
    NotKnownError, StaleInputError
        See :func:`macro_assets.models.dynamic_factor.fit`.
    """
    from macro_assets.models import dynamic_factor as dfm
    from macro_assets.models.protocol import Knowledge, input_facts
    from macro_assets.transforms.normalize import standard_units

    series = input_facts(model, catalog)
    scales = series_facts([catalog.one_series(i) for i in series], "source", "scale")
    fits: dict[str, dfm.Fit] = {}

    def known(month: str) -> Knowledge:
        moment = month_end(month, now)
        return Knowledge(moment, standard_units(everything_known(raw, catalog, moment), scales))

    def fitted(month: str) -> dfm.Fit:
        if month not in fits:
            fits[month] = dfm.fit(known(month), model, series)
        return fits[month]

    forecasts, news = [], []
    for month in sorted(months):
        forecasts.append(_computed(dfm.forecast(fitted(month), model), month, now))
        before = previous_month(month)
        if set(series) <= set(known(before).observations["series_id"]):
            table = dfm.news(fitted(before), fitted(month), model, series)
            news.append(_computed(table, month, now))
    empty = pl.DataFrame(schema={c.name: pl.Null for c in catalog.tables[f"forecasts/{model.name}_news"].columns})
    return {
        f"forecasts/{model.name}": pl.concat(forecasts),
        f"forecasts/{model.name}_news": pl.concat(news) if news else empty,
    }


def _computed(frame: pl.DataFrame, month: str, now: datetime) -> pl.DataFrame:
    return frame.with_columns(as_of_month=pl.lit(month), computed_at=pl.lit(now))


def nowcast_code_version(model: Model, catalog: Catalog) -> str:
    """Code version of a nowcasting model's tables."""
    used = facts(model, *(catalog.one_series(i.series) for i in model.inputs))
    return code_version(
        ("macro_assets.models.dynamic_factor", "macro_assets.models.protocol", "macro_assets.lakehouse.vintages"), used
    )
