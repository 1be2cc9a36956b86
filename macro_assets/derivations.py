"""Which table is computed from which, by which pure function: the graph without Dagster.

The asset graph is generated from this list, :func:`read` recomputes any table as of any date with it, and the
benchmark loops over it. Belongs here: inputs and the call. Does not belong here: formulas (the pure rooms), storage
(`lakehouse`), when to run (`orchestration`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path

import polars as pl
from pydantic import BaseModel

from macro_assets.catalog import Catalog, Chart, Indicator, Model, UnknownNameError, default_catalog
from macro_assets.catalog.load import unknown_name_message
from macro_assets.lakehouse.delta import LakeError, open_table, read_table
from macro_assets.lakehouse.layout import CLOCKS
from macro_assets.lakehouse.paths import Root, lake_root
from macro_assets.lakehouse.raw import INVALIDATIONS, read_decisions
from macro_assets.lakehouse.vintages import as_of as known_as_of
from macro_assets.lakehouse.vintages import instant

Frames = Mapping[str, pl.DataFrame]


@dataclass(frozen=True)
class Derivation:
    """One computed table.

    `compute` takes the input tables by name; `modules` hold the formulas, and with `facts` (JSON of catalog entries)
    decide the code version.
    """

    table: str
    inputs: tuple[str, ...]
    compute: Callable[[Frames], pl.DataFrame]
    modules: tuple[str, ...]
    facts: str

    @property
    def code_version(self) -> str:
        return code_version(self.modules, self.facts)


def code_version(modules: Sequence[str], facts: str) -> str:
    """12 hex digits that change when the text of a module or a catalog fact does."""
    digest = hashlib.sha256(facts.encode())
    for name in modules:
        spec = find_spec(name)
        if spec is None or spec.origin is None:
            raise ModuleNotFoundError(f"module {name} not found")
        digest.update(Path(spec.origin).read_bytes())
    return digest.hexdigest()[:12]


def _facts(*declarations: object) -> str:
    plain = [d.model_dump(mode="json") if isinstance(d, BaseModel) else d for d in declarations]
    return json.dumps(plain, sort_keys=True)


def raw_inputs(catalog: Catalog) -> tuple[str, ...]:
    """The tables that together say what was known when."""
    return (*(f"raw/{s}" for s in catalog.sources), INVALIDATIONS)


def everything_known(frames: Frames, catalog: Catalog, moment: datetime | None = None) -> pl.DataFrame:
    """Observations of all sources known at an instant, from the frames of `raw_inputs`."""
    parts = [
        known_as_of(frames[f"raw/{s}"], moment, s, frames[INVALIDATIONS]).with_columns(source=pl.lit(s))
        for s in catalog.sources
    ]
    return pl.concat(parts)


def derivations(catalog: Catalog) -> dict[str, Derivation]:
    """Every computed, unpartitioned table of the catalog, inputs before outputs."""
    from macro_assets.transforms.normalize import standard_units
    from macro_assets.transforms.panel import monthly
    from macro_assets.transforms.stationary import transformed, zscores

    series = _facts(*catalog.series.values())
    observations, panel = "normalized/observations", "normalized/panel_monthly"
    stationary, scores = "normalized/transformed", "normalized/zscores"
    parameters = catalog.tables[scores].parameters
    min_history = {k.removeprefix("min_history_").upper(): v for k, v in parameters.items()}

    def known(frames: Frames) -> pl.DataFrame:
        return standard_units(everything_known(frames, catalog), catalog)

    room = "macro_assets.transforms."
    found = [
        Derivation(
            observations, raw_inputs(catalog), known, ("macro_assets.lakehouse.vintages", room + "normalize"), series
        ),
        Derivation(panel, (observations,), lambda f: monthly(f[observations], catalog), (room + "panel",), series),
        Derivation(
            stationary, (observations,), lambda f: transformed(f[observations], catalog), (room + "stationary",), series
        ),
        Derivation(
            scores,
            (stationary,),
            lambda f: zscores(f[stationary], catalog, min_history),
            (room + "stationary",),
            series + _facts(parameters),
        ),
    ]
    found += [_indicator_derivation(indicator, panel) for indicator in catalog.indicators.values()]
    found += [_chart_derivation(chart, catalog, series) for chart in catalog.charts.values()]
    return {d.table: d for d in found}


def _indicator_derivation(indicator: Indicator, panel: str) -> Derivation:
    from macro_assets.indicators.composite import composite

    modules = ("macro_assets.indicators.composite", "macro_assets.transforms.stationary")
    name = f"indicators/{indicator.name}"
    return Derivation(name, (panel,), lambda f: composite(f[panel], indicator), modules, _facts(indicator))


def _chart_derivation(chart: Chart, catalog: Catalog, series: str) -> Derivation:
    """A chart of tables; `series` are the facts of all series, whose titles stand in the figure, as others' do."""

    def draw(frames: Frames) -> pl.DataFrame:
        from macro_assets.charts import data_note, figure

        return pl.DataFrame(
            {
                "chart": chart.name,
                "title": chart.title,
                "subtitle": chart.subtitle,
                "data_note": data_note(chart, frames, catalog),
                "figure_json": figure(chart, frames, catalog).to_json(),
            }
        )

    drawing = tuple(f"macro_assets.charts{room}" for room in ("", ".style", f".{chart.name}", ".preview"))
    shaded = catalog.recessions if chart.recession_shading else ()
    words = (*catalog.sources.values(), *catalog.indicators.values())
    return Derivation(
        f"charts/{chart.name}",
        chart.inputs,
        draw,
        (*drawing, "macro_assets.publishing.html"),
        _facts(chart, *shaded, *words) + series,
    )


# --- as-of partitioned tables --------------------------------------------------------------------------------------


def month_end(month: str, now: datetime) -> datetime:
    """As-of instant of a monthly partition: the month's last microsecond (UTC); in the open month, now."""
    start = date.fromisoformat(f"{month}-01")
    following = (start + timedelta(days=32)).replace(day=1)
    return min(instant(following - timedelta(days=1)), now)


def previous_month(month: str) -> str:
    """The month before 'YYYY-MM'."""
    return f"{date.fromisoformat(f'{month}-01') - timedelta(days=1):%Y-%m}"


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
    StaleInputError
        See :func:`macro_assets.models.dynamic_factor.fit`.
    """
    from macro_assets.models import dynamic_factor as dfm

    inputs = [i.series for i in model.inputs]
    fits: dict[str, dfm.Fit] = {}

    def known(month: str) -> dfm.Knowledge:
        moment = month_end(month, now)
        observations = everything_known(raw, catalog, moment).drop("source")
        return dfm.Knowledge(moment, observations.filter(pl.col("series_id").is_in(inputs)))

    def fitted(month: str) -> dfm.Fit:
        if month not in fits:
            fits[month] = dfm.fit(known(month), model, catalog)
        return fits[month]

    forecasts, news = [], []
    for month in sorted(months):
        forecasts.append(_computed(dfm.forecast(fitted(month), model), month, now))
        before = previous_month(month)
        if set(inputs) <= set(known(before).observations["series_id"]):
            table = dfm.news(fitted(before), fitted(month), model, catalog)
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
    facts = _facts(model, *(catalog.one_series(i.series) for i in model.inputs))
    return code_version(("macro_assets.models.dynamic_factor", "macro_assets.lakehouse.vintages"), facts)


# --- reading -------------------------------------------------------------------------------------------------------


def read(
    name: str,
    as_of: date | datetime | str | None = None,
    root: str | Root | None = None,
    catalog: Catalog | None = None,
) -> pl.DataFrame:
    """Read a table of the lake, today or as of a past instant.

    Parameters
    ----------
    name
        'layer/table', such as 'normalized/panel_monthly'.
    as_of
        None reads the stored table. Otherwise the table is computed from the vintages known at that instant, by the
        functions that make the stored one; of as-of partitioned tables the partitions up to the instant are returned.
        A bare date means its end in UTC.

    Raises
    ------
    UnknownNameError
        When the catalog has no such table.
    LakeError
        When the lake has no such table yet.
    """
    catalog = catalog or default_catalog()
    lake = lake_root(root)
    if name not in catalog.tables:
        raise UnknownNameError(unknown_name_message("table", name, catalog.tables))
    if as_of is None:
        return _stored(lake, name, catalog)
    moment = instant(as_of)
    known = derivations(catalog)
    frames: dict[str, pl.DataFrame] = {}
    raws = {f"raw/{s}": s for s in catalog.sources}
    decisions = read_decisions(lake, catalog)

    def table(wanted: str) -> pl.DataFrame:
        if wanted not in frames:
            if wanted in known:
                frames[wanted] = known[wanted].compute({i: table(i) for i in known[wanted].inputs})
            elif wanted in raws and wanted != name:  # an input: the rows in force at the instant
                frames[wanted] = known_as_of(_raw(lake, raws[wanted], catalog), moment, raws[wanted], decisions)
            elif wanted == INVALIDATIONS and wanted != name:  # an input: the rows in force heed it already
                frames[wanted] = decisions.clear()
            else:
                column = CLOCKS.get(catalog.tables[wanted].layer, "as_of")
                frames[wanted] = _stored(lake, wanted, catalog).filter(pl.col(column) <= moment)
        return frames[wanted]

    return table(name)


def _raw(lake: Root, source: str, catalog: Catalog) -> pl.DataFrame:
    """Rows of a source; none of a live one that was never fetched."""
    table = catalog.one_table(f"raw/{source}")
    return read_table(lake, table, catalog) if catalog.sources[source].is_live else _stored(lake, table.name, catalog)


def _stored(lake: Root, name: str, catalog: Catalog) -> pl.DataFrame:
    if open_table(lake, name) is None:
        raise LakeError(f"table {name} is not in the lake at {lake} yet. `macro run {name}` makes it.")
    return read_table(lake, catalog.tables[name], catalog)


def utc_now() -> datetime:
    """The present instant (UTC)."""
    return datetime.now(UTC)
