"""What every forecasting method promises, as laws over its own example on synthetic figures.

`test_contract.py` holds every method of the room to each law, and shows that broken methods are found. A law yields
what breaks it, in words.
"""

from __future__ import annotations

import io
import math
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
from threadpoolctl import threadpool_info, threadpool_limits

from macro_assets import models
from macro_assets.catalog import Model, default_catalog
from macro_assets.catalog.derive import holdings_frame, polars_schema
from macro_assets.catalog.kinds.declaration import Declaration
from macro_assets.lakehouse.vintages import as_of
from macro_assets.models.protocol import (
    FORECAST_SCHEMA,
    NEWS_SCHEMA,
    STATISTICS,
    Knowledge,
    NotKnownError,
    Outcome,
    Specification,
    StaleInputError,
    ThinInputError,
    released,
    specification,
    target_dates,
)
from macro_assets.transforms.normalize import standard_units

BEFORE, NOW = datetime(2015, 9, 30, 23, tzinfo=UTC), datetime(2015, 10, 31, 23, tzinfo=UTC)
LONG_AFTER = datetime(2025, 10, 31, 23, tzinfo=UTC)
FIRST, LAST = date(2004, 1, 1), date(2016, 3, 31)
EVERY = {"D": "1d", "W": "1w", "M": "1mo", "Q": "1q", "A": "1y"}
EFFECTS = {"news", "revision", "reestimation"}

LAKE = SimpleNamespace(observations=pl.DataFrame())
"""Observations as they are today in the lake that the latest knowledge was taken from: what no method may reach for."""


def method_modules() -> dict[str, Any]:
    """Modules of the room that hold a method, by name."""
    found = [import_module(f"{models.__name__}.{m.name}") for m in pkgutil.iter_modules(models.__path__)]
    return {m.__name__.rpartition(".")[2]: m for m in found if hasattr(m, "Parameters")}


@dataclass(frozen=True)
class Told:
    """All that a method says as of an instant: its fit, the forecasts of it, and the news since the instant before."""

    fitted: pl.DataFrame
    outcome: Outcome
    news: pl.DataFrame | None

    def differs(self, other: Told) -> Iterator[str]:
        """What is not the same, bit for bit."""
        for name in ("fitted", "news"):
            mine, its = getattr(self, name), getattr(other, name)
            if (mine is None) != (its is None) or (mine is not None and not mine.equals(its)):
                yield name
        if not self.outcome.forecasts.equals(other.outcome.forecasts):
            yield "forecasts"
        if self.outcome.diagnostics != other.outcome.diagnostics:
            yield "diagnostics"


@dataclass(frozen=True)
class Method:
    """A method with a model that is its example."""

    name: str
    module: Any

    @cached_property
    def model(self) -> Model:
        plain = {"name": f"synthetic_{self.name}", "title": "", "description": "", "reference": "", "method": self.name}
        return Model.model_validate({**plain, "sample_start": date(2005, 1, 1), **self.module.EXAMPLE})

    @cached_property
    def spec(self) -> Specification:
        return specification(self.model, default_catalog())

    @cached_property
    def parameters(self) -> Any:
        return self.module.Parameters.model_validate(self.model.parameters)

    @cached_property
    def raw(self) -> pl.DataFrame:
        """Synthetic vintages of its inputs: figures that wander together, and revisions of each two months later."""
        return pl.concat([self._vintages(i.series, i.frequency, n) for n, i in enumerate(self.spec.inputs)])

    def _vintages(self, series_id: str, frequency: str, seed: int) -> pl.DataFrame:
        days = pl.date_range(FIRST, LAST, "1d" if frequency in "DW" else "1mo", eager=True)
        months = [(d.year - FIRST.year) * 12 + d.month - 1 for d in days]
        common = np.random.default_rng(99).normal(0, 0.01, 400).cumsum()[months]
        own = np.random.default_rng(seed).normal(0, 0.005, len(days)).cumsum()
        levels = pl.DataFrame(
            {"observation_date": days, "value": 100 * np.exp(0.002 * np.array(months) + common + own)}
        )
        period = pl.col("observation_date").dt.truncate(EVERY[frequency])
        rows = levels.group_by(period, maintain_order=True).agg(pl.col("value").mean())
        lag = pl.col("observation_date").dt.offset_by(EVERY[frequency]).dt.offset_by("20d")
        first = rows.with_columns(release_time=lag.cast(pl.Datetime("us")).dt.replace_time_zone("UTC"))
        later = first.with_columns(pl.col("value") * 1.001, pl.col("release_time").dt.offset_by("2mo"))
        return pl.concat([first, later]).select(
            series_id=pl.lit(series_id),
            provider=pl.lit(default_catalog().series[series_id].source),
            observation_date="observation_date",
            value="value",
            release_time="release_time",
            release_basis=pl.lit("provider"),
        )

    def known(self, at: datetime, raw: pl.DataFrame | None = None) -> Knowledge:
        """What was known at an instant, as the graph takes it from the raw layer."""
        holdings = holdings_frame(default_catalog(), [i.series for i in self.spec.inputs])
        rows = self.raw if raw is None else raw
        LAKE.observations = standard_units(as_of(rows, None, holdings), holdings)
        return Knowledge(at, standard_units(as_of(rows, at, holdings), holdings))

    def fit(self, known: Knowledge) -> pl.DataFrame:
        fitted: pl.DataFrame = self.module.fit(known, self.spec, self.parameters)
        return fitted

    def forecast(self, known: Knowledge, fitted: pl.DataFrame) -> Outcome:
        outcome: Outcome = self.module.forecast(known, fitted, self.spec, self.parameters)
        return outcome

    def told(self, before: Knowledge, now: Knowledge) -> Told:
        """All that it says."""
        fitted, news = self.fit(now), None
        if self.module.NEWS:
            news = self.module.news(before, self.fit(before), now, fitted, self.spec, self.parameters)
        return Told(fitted, self.forecast(now, fitted), news)

    @cached_property
    def usual(self) -> Told:
        """What it says of the synthetic vintages."""
        return self.told(self.known(BEFORE), self.known(NOW))


Breaches = Iterator[str]
Law = Callable[[Method], Breaches]


# --- what it declares ----------------------------------------------------------------------------------------------


def declares_itself(method: Method) -> Breaches:
    """It has Parameters, EXAMPLE, NEWS, fit and forecast, news where it says so, and its example is valid."""
    module = method.module
    if not issubclass(module.Parameters, Declaration):
        yield "Parameters is no Declaration"
    if set(module.EXAMPLE) != {"target", "inputs", "horizons", "parameters"}:
        yield f"EXAMPLE has {sorted(module.EXAMPLE)}"
    if not isinstance(module.NEWS, bool) or hasattr(module, "news") is not module.NEWS:
        yield f"NEWS is {module.NEWS!r}, news() is {'' if hasattr(module, 'news') else 'not '}there"
    yield from (f"{name}() is missing" for name in ("fit", "forecast") if not callable(getattr(module, name, None)))
    if hasattr(module, "check"):
        module.check(method.parameters, method.spec)


# --- what it may use -----------------------------------------------------------------------------------------------


def uses_nothing_released_later(method: Method) -> Breaches:
    """Revisions and new figures that are released after the instant change nothing, bit for bit."""
    later = method.raw.with_columns(
        value=pl.col("value") * 1e6, release_time=pl.lit(NOW + timedelta(seconds=1)).cast(pl.Datetime("us", "UTC"))
    )
    earlier = method.raw.filter(pl.col("release_time") <= NOW)
    planted = [earlier, pl.concat([earlier, later])]
    first, second = (method.told(method.known(BEFORE, raw), method.known(NOW, raw)) for raw in planted)
    yield from (f"{what} moved with what was released later" for what in first.differs(second))


def says_the_same_twice(method: Method) -> Breaches:
    """The same input gives the same output, bit for bit."""
    again = method.told(method.known(BEFORE), method.known(NOW))
    yield from (f"{what} came out otherwise the second time" for what in method.usual.differs(again))


def order_of_rows_does_not_matter(method: Method) -> Breaches:
    """Observations in another order give the same, bit for bit."""
    for how, order in ORDERS.items():
        shuffled = (Knowledge(k.as_of, order(k.observations)) for k in (method.known(BEFORE), method.known(NOW)))
        yield from (f"{what} moved with rows {how}" for what in method.usual.differs(method.told(*shuffled)))


ORDERS: Mapping[str, Callable[[pl.DataFrame], pl.DataFrame]] = {
    "reversed": lambda rows: rows.reverse(),
    "shuffled": lambda rows: rows.sample(fraction=1, shuffle=True, seed=1),
}


def threads_do_not_matter(method: Method) -> Breaches:
    """Given more threads of BLAS and OpenMP, the same comes out, bit for bit."""
    usual = method.usual
    with threadpool_limits(1 + max(pool["num_threads"] for pool in threadpool_info())):
        again = method.told(method.known(BEFORE), method.known(NOW))
    yield from (f"{what} moved with the number of threads" for what in usual.differs(again))


def refuses_stale_inputs(method: Method) -> Breaches:
    """When every input is too old, neither a fit nor a forecast comes out."""
    known = Knowledge(LONG_AFTER, method.known(NOW).observations)
    yield from _not_refused(method, known, StaleInputError, "ten years later", method.spec.target.series)


def refuses_unknown_inputs(method: Method) -> Breaches:
    """An input that nobody knew is refused by its name."""
    for i in method.spec.inputs:
        rows = method.known(NOW).observations.filter(pl.col("series_id") != i.series)
        yield from _not_refused(method, Knowledge(NOW, rows), NotKnownError, f"without {i.series}", i.series)


def refuses_thin_inputs(method: Method) -> Breaches:
    """An input with one figure, and one whose figures are all equal, is refused by its name."""
    whole = method.known(NOW).observations
    for i in method.spec.inputs:
        own, others = (whole.filter(c) for c in (pl.col("series_id") == i.series, pl.col("series_id") != i.series))
        for what, rows in (
            ("one figure", own.sort("observation_date").tail(1)),
            ("figures that are all equal", own.with_columns(value=pl.lit(100.0))),
        ):
            known = Knowledge(NOW, pl.concat([others, rows]))
            yield from _not_refused(method, known, ThinInputError, f"{what} of {i.series}", i.series)


def _not_refused(
    method: Method, known: Knowledge, kind: type[ThinInputError | StaleInputError | NotKnownError], what: str, name: str
) -> Breaches:
    for call, tried in (
        ("fit", lambda: method.fit(known)),
        ("forecast", lambda: method.forecast(known, method.usual.fitted)),
    ):
        try:
            tried()
        except kind as error:
            if name not in str(error) or name not in error.series:
                yield f"{call}, {what}: the refusal names {error.series}: {error}"
        except Exception as error:
            yield f"{call}, {what}: expected a {kind.__name__}, got {type(error).__name__}: {error}"
        else:
            yield f"{call}, {what}: something came out"


# --- what comes out ------------------------------------------------------------------------------------------------


def fits_have_the_declared_shape(method: Method) -> Breaches:
    """A fit is finite numbers, each under a name of its own."""
    fitted = method.usual.fitted
    if fitted.schema != _declared("fits", "parameter", "value"):
        yield f"the fit has {fitted.schema}"
    elif fitted.is_empty() or fitted["parameter"].is_duplicated().any() or not _finite(fitted["value"]):
        yield "the fit has no rows, a name twice or a value that is no finite number"


def forecasts_have_the_declared_shape(method: Method) -> Breaches:
    """Every horizon is there with every statistic, in order; a released figure is what it is."""
    forecasts = method.usual.outcome.forecasts
    if forecasts.schema != _declared("forecasts", *FORECAST_SCHEMA.names()):
        yield f"the forecasts have {forecasts.schema}"
        return
    known = method.known(NOW)
    figures = released(known, method.spec)
    for horizon, target in target_dates(known, method.spec).items():
        rows = forecasts.filter(horizon=horizon)
        values: dict[str, float] = dict(rows.select("statistic", "value").iter_rows())
        if set(rows["target_date"]) != {target}:
            yield f"horizon {horizon} is of {set(rows['target_date'])}, expected {target}"
        if rows.height != len(values) or set(values) not in (set(STATISTICS), {"probability"}):
            yield f"horizon {horizon} has {rows['statistic'].to_list()}"
        elif not _finite(rows["value"]):
            yield f"horizon {horizon} has {values}"
        else:
            yield from _distribution(horizon, values, set(rows["is_released"]), figures.get(target))
    if set(forecasts["horizon"]) != set(method.spec.horizons):
        yield f"horizons {sorted(set(forecasts['horizon']))}, expected {method.spec.horizons}"
    said = method.usual.outcome.diagnostics
    yield from (f"diagnostic {name} is {value!r}" for name, value in said.items() if not math.isfinite(value))


def _distribution(horizon: int, values: Mapping[str, float], flags: set[bool], figure: float | None) -> Breaches:
    quantiles = [values[q] for q in sorted(values) if q.startswith("q")]
    if quantiles != sorted(quantiles):
        yield f"horizon {horizon}: the quantiles {quantiles} cross"
    if flags != {figure is not None}:
        yield f"horizon {horizon}: is_released is {flags}"
    if figure is not None and set(values.values()) != {figure}:
        yield f"horizon {horizon}: expected the released {figure}, got {values}"
    if figure is None and len(set(quantiles)) != len(quantiles):
        yield f"horizon {horizon}: nothing is released, and the quantiles {quantiles} leave no doubt"


def forecasts_follow_from_the_stored_fit(method: Method) -> Breaches:
    """The fit, stored and read in another order of rows, gives the forecasts again, whatever was fitted since."""
    now, stored = method.known(NOW), io.BytesIO()
    method.usual.fitted.write_ipc(stored)
    stored.seek(0)
    older = method.fit(method.known(BEFORE))
    expected, again, other = (
        method.forecast(now, fitted).forecasts["value"].to_numpy()
        for fitted in (method.usual.fitted, pl.read_ipc(stored).reverse(), older)
    )
    usual = method.usual.outcome.forecasts["value"].to_numpy()
    if not (_close(expected, usual) and _close(again, usual)):
        yield f"forecasts of the stored fit are {max(abs(again - usual).max(), abs(expected - usual).max())} away"
    if np.array_equal(other, usual):
        yield "an older fit gives the same forecasts: they do not follow from the fit"


def news_have_the_declared_shape(method: Method) -> Breaches:
    """The news name the two instants, the target and an effect; what is of a release is of an input."""
    if (news := method.usual.news) is None:
        return
    if news.schema != _declared("news", *NEWS_SCHEMA.names()):
        yield f"the news have {news.schema}"
        return
    named = news.select("previous_as_of", "as_of", "target_id", "impact_unit").unique().rows()
    if named != [(BEFORE, NOW, method.spec.target.series, method.spec.impact_unit)]:
        yield f"the news are of {named}"
    if not set(news["effect"]) <= EFFECTS or not _finite(news["impact"]):
        yield f"the news have effects {set(news['effect'])}, impacts {news['impact'].to_list()}"
    units = {i.series: i.unit for i in method.spec.inputs}
    told = set(news.filter(effect="news").select("series_id", "release_unit").iter_rows())
    yield from (f"a release of {s} in {unit}" for s, unit in told if units.get(s) != unit)


def news_add_up(method: Method) -> Breaches:
    """Impacts on a target are together the change of its forecast, and there are some on every target."""
    if (news := method.usual.news) is None:
        return
    now, before = method.known(NOW), method.known(BEFORE)
    means = [
        dict(told.filter(statistic="mean").select("target_date", "value").iter_rows())
        for told in (method.forecast(before, method.fit(before)).forecasts, method.usual.outcome.forecasts)
    ]
    impacts = dict(news.group_by("target_date").agg(pl.col("impact").sum()).iter_rows())
    if set(impacts) != set(target_dates(now, method.spec).values()):
        yield f"news of {sorted(impacts)}"
    for target in sorted(set(means[0]) & set(impacts)):
        move = means[1][target] - means[0][target]
        if abs(impacts[target] - move) > 1e-8:
            yield f"impacts on {target} are together {impacts[target]}, the forecast moved by {move}"


def _declared(layer: str, *names: str) -> pl.Schema:
    """Types of columns as the catalog declares them."""
    table = next(t for t in default_catalog().tables.values() if t.layer == layer)
    by_name = {c.name: c for c in table.columns}
    return polars_schema(by_name[n] for n in names)


def _finite(values: pl.Series) -> bool:
    return values.null_count() == 0 and bool(values.is_finite().all())


def _close(found: np.ndarray, expected: np.ndarray) -> bool:
    return found.shape == expected.shape and bool(np.allclose(found, expected, rtol=1e-12, atol=1e-12))


LAWS: tuple[Law, ...] = (
    declares_itself,
    uses_nothing_released_later,
    says_the_same_twice,
    order_of_rows_does_not_matter,
    threads_do_not_matter,
    refuses_stale_inputs,
    refuses_unknown_inputs,
    refuses_thin_inputs,
    fits_have_the_declared_shape,
    forecasts_have_the_declared_shape,
    forecasts_follow_from_the_stored_fit,
    news_have_the_declared_shape,
    news_add_up,
)
