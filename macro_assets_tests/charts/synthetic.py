"""A small synthetic catalog and frames. No number here is a real figure."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import polars as pl

from macro_assets.catalog import (
    Bounds,
    Catalog,
    Chart,
    Component,
    Frequency,
    Indicator,
    Model,
    ModelInput,
    PublicationLag,
    Recession,
    Series,
    Source,
    Table,
)
from macro_assets.charts.drawing import OBSERVATIONS
from macro_assets.charts.labels import Labels, labels_of
from macro_assets.charts.style import months

HOSTILE = "</title><script>alert(1)</script> $\\href{javascript:alert(2)}{x}$ & <b onclick=alert(3)>S&P</b>"

INDEX = Chart(
    name="economic_stress_index", title="Synthetic stress", subtitle="Standard deviations", description="",
    inputs=("indicators/economic_stress_index",), indicator="economic_stress_index", recession_shading=True,
)  # fmt: skip
SPREAD = Chart(
    name="credit_spread", title="Synthetic spread", subtitle="Percentage points", description="",
    series=("BAA", "AAA"), recession_shading=True,
)  # fmt: skip
HEATMAP = Chart(
    name="zscore_heatmap", title="Synthetic heatmap", subtitle="z-scores", description="",
    series=("UNRATE", "AAA", "BAA"), first_date=date(2006, 1, 1),
)  # fmt: skip
NOWCAST = Chart(
    name="gdp_nowcast", title="Synthetic nowcast", subtitle="Percent", description="",
    inputs=("forecasts/gdp_nowcast", "forecasts/gdp_nowcast_news"), model="gdp_nowcast",
)  # fmt: skip

JUNE, JULY = datetime(2016, 6, 30, 23, 59, 59, tzinfo=UTC), datetime(2016, 7, 31, 23, 59, 59, tzinfo=UTC)
Q2, Q3 = date(2016, 4, 1), date(2016, 7, 1)


def series(series_id: str, title: str, frequency: Frequency = "M") -> Series:
    """A series of which only id, title and frequency matter."""
    return Series(
        id=series_id, source="made_up", code=series_id, title=title, unit="percent", scale=1, provider_unit="percent",
        frequency=frequency, seasonal_adjustment="NSA", country="US", theme="rates", first_year=1919,
        publication_lag=PublicationLag(days=1, time=time(9), time_zone="America/New_York"), transform=1,
        bounds=Bounds(low=None, high=None), staleness_days=60, aggregation="mean", licence="none",
    )  # fmt: skip


def catalog(title: str = "A title") -> Catalog:
    """Four series, an indicator of two components, a model; `title` goes wherever a title is drawn."""
    ids: dict[str, Frequency] = {"BAA": "M", "AAA": "M", "UNRATE": "M", "GDPC1": "Q"}
    parts = [
        Component(name=n, title=f"{n} {title}", formula="level", series=(s,), unit="percent", sign=1, weight=0.5)
        for n, s in (("first", "BAA"), ("second", "UNRATE"))
    ]
    indicator = Indicator(
        name="economic_stress_index", title=title, components=tuple(parts), min_history_months=2, min_components=1
    )
    model = Model(
        name="gdp_nowcast", title=title, target="GDPC1", sample_start=date(2000, 1, 1), factor_order=1, tolerance=1e-6,
        max_iterations=1, horizon_quarters=1, demo_partitions=(),
        inputs=tuple(ModelInput(series=s, transform="lin", factors=("g",)) for s in ids),
    )  # fmt: skip
    scores = Table(
        name="normalized/own", title="", description="", owner="team:none", key=(), columns=(),
        parameters={"min_history": {"M": 2, "Q": 2}},
    )  # fmt: skip
    source = Source(name="made_up", title=title, description="", url="", owner="team:none")
    dated = [("1990-07", "1991-03"), ("2001-03", "2001-11"), ("2007-12", "2009-06"), ("2020-02", "2020-04")]
    return Catalog(
        sources={"made_up": source},
        series={i: series(i, f"{i} {title}", f) for i, f in ids.items()},
        tables={scores.name: scores},
        indicators={indicator.name: indicator},
        models={model.name: model},
        charts={c.name: c for c in (INDEX, SPREAD, HEATMAP, NOWCAST)},
        recessions=tuple(
            Recession(peak=date.fromisoformat(f"{a}-01"), trough=date.fromisoformat(f"{b}-01")) for a, b in dated
        ),
    )


def labels(chart: Chart, title: str = "A title") -> Labels:
    """The labels of a chart out of the synthetic catalog."""
    return labels_of(chart, catalog(title))


def index_frames() -> dict[str, pl.DataFrame]:
    """Synthetic contributions for 2007 to 2009; the second component is absent in 2007."""
    rows = []
    for i, month in enumerate(months(date(2007, 1, 1), date(2009, 12, 1))):
        parts = {"first": 0.1 * (i % 7) - 0.3} | ({"second": 0.05 * (i % 5) - 0.1} if month.year > 2007 else {})
        for name, contribution in parts.items():
            rows.append((month, name, contribution, sum(parts.values())))
    columns = ["observation_date", "component", "contribution", "index_value"]
    return {INDEX.inputs[0]: pl.DataFrame(rows, schema=columns, orient="row")}


def observations(**series: dict[date, float]) -> dict[str, pl.DataFrame]:
    """Observations of some series, as a chart of series finds them."""
    rows = [("made_up", s, d, v, JULY) for s, values in series.items() for d, v in values.items()]
    columns = ["source", "series_id", "observation_date", "value", "release_time"]
    return {OBSERVATIONS: pl.DataFrame(rows, schema=columns, orient="row")}


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


def nowcast_frames(releases: int = 20) -> dict[str, pl.DataFrame]:
    """Two synthetic as-of months; the news of 2016 Q3 lead from 2.0 to the July nowcast."""
    ids = ["BAA", "AAA", "UNRATE", "GDPC1"]
    news = [("news", ids[i % 4], date(2015, 1 + i // 4, 1), (-1) ** i * 0.01 * (i + 1)) for i in range(releases)] + [
        ("revision", None, None, -0.03),
        ("reestimation", None, None, 0.02),
    ]
    table = pl.DataFrame(
        news,
        schema={"effect": pl.String, "series_id": pl.String, "observation_date": pl.Date, "impact_pp": pl.Float64},
        orient="row",
    ).with_columns(as_of_month=pl.lit("2016-07"), as_of=JULY, previous_as_of=JUNE, target_quarter=Q3)
    forecasts = pl.DataFrame(
        [
            ("2016-06", JUNE, Q2, 1.5, 0.9, False),
            ("2016-06", JUNE, Q3, 2.0, 1.2, False),
            ("2016-07", JULY, Q2, 1.2, 0.0, True),
            ("2016-07", JULY, Q3, 2.0 + sum(impact for *_, impact in news), 1.1, False),
        ],
        schema=["as_of_month", "as_of", "target_quarter", "forecast_pct", "standard_error_pct", "is_released"],
        orient="row",
    ).with_columns(latest_release=JULY, log_likelihood=-1.0)
    return {NOWCAST.inputs[0]: forecasts, NOWCAST.inputs[1]: table}


def all_charts() -> list[tuple[Chart, dict[str, pl.DataFrame]]]:
    """Every chart with its synthetic frames."""
    return [
        (INDEX, index_frames()), (SPREAD, spread_frames()), (HEATMAP, heatmap_frames()), (NOWCAST, nowcast_frames())
    ]  # fmt: skip
