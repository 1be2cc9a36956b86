"""A small synthetic catalog and frames. No number here is a real figure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Any

import polars as pl

from macro_assets.catalog import (
    Axis,
    Bounds,
    Catalog,
    Chart,
    Column,
    Drawn,
    Frequency,
    Indicator,
    Model,
    ModelInput,
    PublicationLag,
    Recession,
    Series,
    Source,
    Step,
    Table,
    Target,
)
from macro_assets.charts.drawing import OBSERVATIONS
from macro_assets.charts.labels import Labels, labels_of
from macro_assets.charts.style import months

HOSTILE = "</title><script>alert(1)</script> $\\href{javascript:alert(2)}{x}$ & <b onclick=alert(3)>S&P</b>"


def chart(name: str, draws: str, of: Drawn, **fields: Any) -> Chart:
    """A chart of which only what it draws matters."""
    words = {"title": f"Synthetic {name}", "subtitle": "A unit", "description": "", "section": "synthetic"}
    return Chart(name=name, draws=draws, of=of, **{**words, "axis": Axis(title="A unit"), **fields})


STATIONARY = (Step(name="stationary"), Step(name="zscore", parameters={"min_obs": 2}))

INDEX = chart("index", "stacked", Drawn(tables=("indicators/stress",)), shade="recessions")
SPREAD = chart(
    "spread", "lines", Drawn(series=("BAA", "AAA"), frequency="M", steps=(Step(name="spread"),)), shade="recessions",
    axis=Axis(title="Percentage points", from_zero=True),
)  # fmt: skip
YIELDS = chart("yields", "lines", Drawn(series=("AAA", "BAA", "GDPC1")), parameters={"levels": {"Goal": 5.0}})
SIGNAL = chart(
    "signal", "lines", Drawn(tables=("indicators/sahm",), columns=("value",)), shade="recessions",
    parameters={"levels": {"Threshold": 0.5}},
)  # fmt: skip
HEATMAP = chart(
    "heatmap", "heatmap", Drawn(series=("UNRATE", "AAA", "BAA"), steps=STATIONARY), first_date=date(2006, 1, 1),
    axis=Axis(title="z-score"),
)  # fmt: skip
NOWCAST = chart("nowcast", "nowcast_news", Drawn(tables=("forecasts/gdp", "news/gdp")))

JUNE, JULY = datetime(2016, 6, 30, 23, 59, 59, tzinfo=UTC), datetime(2016, 7, 31, 23, 59, 59, tzinfo=UTC)
Q2, Q3 = date(2016, 4, 1), date(2016, 7, 1)


RECESSIONS = tuple(
    Recession.model_validate(
        {"peak": f"{a}-01", "peak_announced": told, "trough": f"{b}-01", "trough_announced": told_of_the_end}
    )
    for a, told, b, told_of_the_end in (
        ("1990-07", "1991-04-25", "1991-03", "1992-12-22"),
        ("2001-03", "2001-11-26", "2001-11", "2003-07-17"),
        ("2007-12", "2008-12-01", "2009-06", "2010-09-20"),
        ("2020-02", "2020-06-08", "2020-04", "2021-07-19"),
    )
)


def series(series_id: str, title: str, frequency: Frequency = "M") -> Series:
    """A series of which only id, title and frequency matter."""
    return Series(
        id=series_id, source="made_up", code=series_id, title=title, unit="percent", scale=1, provider_unit="percent",
        frequency=frequency, seasonal_adjustment="NSA", country="US", theme="rates", first_year=1919,
        publication_lag=PublicationLag(days=1, time=time(9), time_zone="America/New_York"), transform=1,
        bounds=Bounds(low=None, high=None), staleness_days=60, aggregation="mean", licence="none",
    )  # fmt: skip


def catalog(title: str = "A title") -> Catalog:
    """Four series, an indicator of two components and one of none, a model; `title` goes wherever one is drawn."""
    ids: dict[str, Frequency] = {"BAA": "M", "AAA": "M", "UNRATE": "M", "GDPC1": "Q"}
    parts = [{"name": n, "title": f"{n} {title}", "of": [s]} for n, s in (("first", "BAA"), ("second", "UNRATE"))]
    said: Any = {"title": title, "description": "", "method": "any", "reference": ""}
    indicators = [
        Indicator(name="stress", inputs=("BAA", "UNRATE"), parameters={"components": parts}, **said),
        Indicator(name="sahm", inputs=("UNRATE",), **said),
    ]
    level = (Step(name="level"),)
    target = Target(series="GDPC1", transform=level, unit="percent")
    inputs = tuple(ModelInput(series=s, transform=level) for s in ids)
    model = Model(name="gdp", horizons=(0,), sample_start=date(2000, 1, 1), target=target, inputs=inputs, **said)
    source = Source(name="made_up", title=title, description="", url="", owner="team:none")
    contributions = {"component": "str", "contribution": "float", "index_value": "float"}
    contributions |= {"component_state": "str", "is_composition_changed": "bool"}
    tables = {"indicators/stress": contributions, "indicators/sahm": {"value": "float", "signal": "bool"}}
    return Catalog(
        sources={"made_up": source},
        series={i: series(i, f"{i} {title}", f) for i, f in ids.items()},
        tables={name: table(name, columns) for name, columns in tables.items()},
        indicators={i.name: i for i in indicators},
        scores={},
        models={model.name: model},
        charts={c.name: c for c in (INDEX, SPREAD, YIELDS, SIGNAL, HEATMAP, NOWCAST)},
        recessions=RECESSIONS,
    )


def table(name: str, columns: Mapping[str, Any]) -> Table:
    """A table of which only name and columns matter, with a date."""
    made = tuple(Column(name=c, dtype=d, description="") for c, d in {"observation_date": "date", **columns}.items())
    return Table(name=name, title="", description="", owner="team:none", key=(), columns=made)


def labels(chart: Chart, title: str = "A title") -> Labels:
    """The labels of a chart out of the synthetic catalog."""
    return labels_of(chart, catalog(title))


def index_frames() -> dict[str, pl.DataFrame]:
    """Synthetic contributions for 2007 to 2009; the second component is absent in 2007."""
    rows = []
    for i, month in enumerate(months(date(2007, 1, 1), date(2009, 12, 1))):
        parts = {"first": 0.1 * (i % 7) - 0.3} | ({"second": 0.05 * (i % 5) - 0.1} if month.year > 2007 else {})
        for name, contribution in parts.items():
            rows.append((month, name, contribution, sum(parts.values()), "observed", month == date(2008, 1, 1)))
    columns = ["observation_date", "component", "contribution", "index_value"]
    columns += ["component_state", "is_composition_changed"]
    return {INDEX.of.tables[0]: pl.DataFrame(rows, schema=columns, orient="row"), **behind(INDEX)}


def observations(**series: dict[date, float]) -> dict[str, pl.DataFrame]:
    """Observations of some series, as a chart of series finds them: all served by their home."""
    rows = [("made_up", s, "made_up", d, v, "percent", JULY) for s, values in series.items() for d, v in values.items()]
    columns = ["source", "series_id", "provider", "observation_date", "value", "unit", "release_time"]
    return {OBSERVATIONS: pl.DataFrame(rows, schema=columns, orient="row")}


def behind(chart: Chart) -> dict[str, pl.DataFrame]:
    """A figure of each series behind the tables of a chart, which say who served it."""
    return observations(**{s: {Q2: 1.0} for s in labels(chart).series})


def spread_frames() -> dict[str, pl.DataFrame]:
    """Synthetic yields: BAA from 2007, AAA from 2008 to 2009 with a hole in 2008-06; a third series goes on."""
    axis = months(date(2007, 1, 1), date(2010, 12, 1))
    aaa = [d for d in axis if d.year in (2008, 2009) and d != date(2008, 6, 1)]
    return observations(BAA=dict.fromkeys(axis, 5.5), AAA=dict.fromkeys(aaa, 4.0), UNRATE={date(2016, 1, 1): 1.0})


def heatmap_frames() -> dict[str, pl.DataFrame]:
    """Synthetic levels from 2005, 1 and -1 by turns, AAA absent.

    UNRATE jumps to 100 in 2006-01 and lacks 2006-03; BAA stands at its mean so far, 0, in 2006-03.
    """
    axis = months(date(2005, 1, 1), date(2006, 6, 1))
    turns = {d: (-1.0) ** i for i, d in enumerate(axis)}
    unrate = {d: v for d, v in turns.items() if d != date(2006, 3, 1)} | {date(2006, 1, 1): 100.0}
    return observations(UNRATE=unrate, BAA=turns | {date(2006, 3, 1): 0.0}, GDPC1={date(2016, 1, 1): 1.0})


def signal_frames() -> dict[str, pl.DataFrame]:
    """A synthetic signal of 2007 to 2010, below and above zero, without 2008-03."""
    axis = [m for m in months(date(2007, 1, 1), date(2010, 12, 1)) if m != date(2008, 3, 1)]
    values = [0.03 * (i % 30) - 0.1 for i in range(len(axis))]
    frame = pl.DataFrame({"observation_date": axis, "value": values, "signal": [v >= 0.5 for v in values]})
    return {SIGNAL.of.tables[0]: frame, **behind(SIGNAL)}


def yields_frames() -> dict[str, pl.DataFrame]:
    """Synthetic yields and a quarterly series; AAA ends a month before BAA."""
    axis, quarters = months(date(2007, 1, 1), date(2008, 12, 1)), [date(2008, m, 1) for m in (1, 4, 7, 10)]
    return observations(
        BAA=dict.fromkeys(axis, 5.5), AAA=dict.fromkeys(axis[:-1], 4.0), GDPC1=dict.fromkeys(quarters, 5.45)
    )


def nowcast_frames(releases: int = 20) -> dict[str, pl.DataFrame]:
    """Two synthetic as-of months; the news of 2016 Q3 lead from 2.0 to the July nowcast."""
    ids = ["BAA", "AAA", "UNRATE", "GDPC1"]
    news = [("news", ids[i % 4], date(2015, 1 + i // 4, 1), (-1) ** i * 0.01 * (i + 1)) for i in range(releases)] + [
        ("revision", None, None, -0.03),
        ("reestimation", None, None, 0.02),
    ]
    table = pl.DataFrame(
        news,
        schema={"effect": pl.String, "series_id": pl.String, "observation_date": pl.Date, "impact": pl.Float64},
        orient="row",
    ).with_columns(
        as_of_month=pl.lit("2016-07"), as_of=JULY, previous_as_of=JUNE, target_date=Q3, target_id=pl.lit("GDPC1"),
        impact_unit=pl.lit("percentage_points"),
    )  # fmt: skip
    cases = [
        ("2016-06", JUNE, Q2, 1.5, 0.9, False),
        ("2016-06", JUNE, Q3, 2.0, 1.2, False),
        ("2016-07", JULY, Q2, 1.2, 0.0, True),
        ("2016-07", JULY, Q3, 2.0 + sum(impact for *_, impact in news), 1.1, False),
    ]
    forecasts = pl.DataFrame(
        [
            (month, as_of, target, statistic, mean + distance, out)
            for month, as_of, target, mean, error, out in cases
            for statistic, distance in (("mean", 0.0), ("q05", -error), ("q50", 0.01), ("q95", 2 * error))
        ],
        schema=["as_of_month", "as_of", "target_date", "statistic", "value", "is_released"],
        orient="row",
    ).with_columns(
        latest_release=JULY, series_id=pl.lit("GDPC1"), scenario=pl.lit(None, dtype=pl.String),
        providers=pl.lit("made_up"),
    )  # fmt: skip
    return dict(zip(NOWCAST.of.tables, (forecasts, table), strict=True))


def all_charts() -> list[tuple[Chart, dict[str, pl.DataFrame]]]:
    """Every chart with its synthetic frames."""
    return [
        (INDEX, index_frames()), (SPREAD, spread_frames()), (YIELDS, yields_frames()), (SIGNAL, signal_frames()),
        (HEATMAP, heatmap_frames()), (NOWCAST, nowcast_frames()),
    ]  # fmt: skip
