"""Every method keeps the laws of the room; a toy that keeps them, and toys that each break one, show that they bite."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import polars as pl
import pytest
from threadpoolctl import threadpool_info

from macro_assets.catalog.kinds.declaration import Declaration
from macro_assets.models.protocol import (
    NEWS_SCHEMA,
    Knowledge,
    Outcome,
    Specification,
    ThinInputError,
    fitted_frame,
    fitted_values,
    history,
    normal,
    target_dates,
)
from macro_assets_tests.models.contract import LAKE, LAWS, LONG_AFTER, Law, Method, method_modules

METHODS = {name: Method(name, module) for name, module in method_modules().items()}


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("name", METHODS)
def test_a_method_keeps_the_law(name: str, law: Law) -> None:
    breaches = list(law(METHODS[name]))
    assert not breaches, "\n".join([f"{name}: {law.__doc__}", *breaches])


def test_the_methods_of_the_room_are_found() -> None:
    assert {"ar", "dynamic_factor"} <= set(METHODS)


# --- that the laws bite --------------------------------------------------------------------------------------------


class Toy:
    """Forecasts the mean of the past, and tells its move as one revision. Subclasses break it."""

    class Parameters(Declaration):
        """None."""

    EXAMPLE: Mapping[str, Any] = {
        "target": {"series": "GDPC1", "transform": "pca", "unit": "percent"},
        "horizons": [-1, 0, 1],
        "inputs": [{"series": "PAYEMS", "transform": "chg"}, {"series": "GDPC1", "transform": "pca"}],
        "parameters": {},
    }
    NEWS = True

    def past(self, known: Knowledge, spec: Specification) -> pl.Series:
        return history(known, spec)["value"].drop_nulls()

    def fit(self, known: Knowledge, spec: Specification, parameters: Any) -> pl.DataFrame:
        past = self.past(known, spec)
        return fitted_frame({"mean": past.mean(), "sd": past.std()})  # type: ignore[dict-item]

    def forecast(self, known: Knowledge, fitted: pl.DataFrame, spec: Specification, parameters: Any) -> Outcome:
        values = fitted_values(fitted)
        expected = dict.fromkeys(target_dates(known, spec).values(), (values["mean"], values["sd"]))
        return Outcome(normal(known, spec, expected), {"sd": values["sd"]})

    def news(
        self,
        before: Knowledge,
        fitted_before: pl.DataFrame,
        now: Knowledge,
        fitted: pl.DataFrame,
        spec: Specification,
        parameters: Any,
    ) -> pl.DataFrame:
        further = replace(spec, horizons=(-2, -1, 0, 1, 2))
        old, new = (
            dict(means(Toy.forecast(self, k, f, further, parameters)))
            for k, f in ((before, fitted_before), (now, fitted))
        )
        rows = [
            {
                "previous_as_of": before.as_of,
                "as_of": now.as_of,
                "target_id": spec.target.series,
                "target_date": target,
                "effect": "revision",
                "impact": new[target] - old[target],
                "impact_unit": spec.impact_unit,
            }
            for target in target_dates(now, spec).values()
        ]
        return pl.DataFrame(rows, schema=NEWS_SCHEMA)


def means(outcome: Outcome) -> list[tuple[Any, ...]]:
    return outcome.forecasts.filter(statistic="mean").select("target_date", "value").rows()


class LooksAhead(Toy):
    def past(self, known: Knowledge, spec: Specification) -> pl.Series:
        return super().past(Knowledge(LONG_AFTER, LAKE.observations), undemanding(spec))


def undemanding(spec: Specification) -> Specification:
    """With inputs of any age."""
    return replace(spec, inputs=tuple(replace(i, staleness_days=100_000) for i in spec.inputs))


class IsRandom(Toy):
    def past(self, known: Knowledge, spec: Specification) -> pl.Series:
        return super().past(known, spec) + random.random()


class DependsOnTheOrder(Toy):
    def past(self, known: Knowledge, spec: Specification) -> pl.Series:
        return super().past(known, spec) + float(known.observations["value"].item(0)) / 1e9


class DependsOnThreads(Toy):
    def past(self, known: Knowledge, spec: Specification) -> pl.Series:
        return super().past(known, spec) + sum(pool["num_threads"] for pool in threadpool_info()) / 1e9


class TakesAnyAge(Toy):
    def fit(self, known: Knowledge, spec: Specification, parameters: Any) -> pl.DataFrame:
        return super().fit(known, undemanding(spec), parameters)


class ForgetsAnInput(Toy):
    """Neither looks at what it does not use, nor refuses it."""

    def fit(self, known: Knowledge, spec: Specification, parameters: Any) -> pl.DataFrame:
        return super().fit(known, replace(spec, inputs=(spec.target,)), parameters)


class SwallowsAThinInput(Toy):
    def fit(self, known: Knowledge, spec: Specification, parameters: Any) -> pl.DataFrame:
        try:
            return super().fit(known, spec, parameters)
        except ThinInputError:
            return fitted_frame({"mean": 0.0, "sd": 1.0})


class CrashesOnAThinInput(Toy):
    def fit(self, known: Knowledge, spec: Specification, parameters: Any) -> pl.DataFrame:
        try:
            return super().fit(known, spec, parameters)
        except ThinInputError:
            raise ValueError("data contains non-finite values") from None


class NamesAnotherInput(Toy):
    def fit(self, known: Knowledge, spec: Specification, parameters: Any) -> pl.DataFrame:
        try:
            return super().fit(known, spec, parameters)
        except ThinInputError:
            raise ThinInputError("too few figures", ("TCU",)) from None


class FitsInWholeNumbers(Toy):
    def fit(self, known: Knowledge, spec: Specification, parameters: Any) -> pl.DataFrame:
        return super().fit(known, spec, parameters).cast({"value": pl.Int64})


class NamesAParameterTwice(Toy):
    def fit(self, known: Knowledge, spec: Specification, parameters: Any) -> pl.DataFrame:
        fitted = super().fit(known, spec, parameters)
        return pl.concat([fitted, fitted])


class Shaped(Toy):
    def shaped(self, forecasts: pl.DataFrame) -> pl.DataFrame:
        raise NotImplementedError

    def forecast(self, known: Knowledge, fitted: pl.DataFrame, spec: Specification, parameters: Any) -> Outcome:
        outcome = super().forecast(known, fitted, spec, parameters)
        return replace(outcome, forecasts=self.shaped(outcome.forecasts))


class ReturnsAnotherShape(Shaped):
    def shaped(self, forecasts: pl.DataFrame) -> pl.DataFrame:
        return forecasts.rename({"value": "forecast_pct"})


class ReturnsAnotherType(Shaped):
    def shaped(self, forecasts: pl.DataFrame) -> pl.DataFrame:
        return forecasts.cast({"horizon": pl.Int32})


class ForgetsAQuantile(Shaped):
    def shaped(self, forecasts: pl.DataFrame) -> pl.DataFrame:
        return forecasts.filter(pl.col("statistic") != "q95")


class ForgetsAHorizon(Shaped):
    def shaped(self, forecasts: pl.DataFrame) -> pl.DataFrame:
        return forecasts.filter(pl.col("horizon") != 1)


class AddsAHorizon(Shaped):
    def shaped(self, forecasts: pl.DataFrame) -> pl.DataFrame:
        return pl.concat([forecasts, forecasts.filter(horizon=1).with_columns(pl.col("horizon") + 1)])


class ShiftsTheTargets(Shaped):
    def shaped(self, forecasts: pl.DataFrame) -> pl.DataFrame:
        return forecasts.with_columns(pl.col("target_date").dt.offset_by("1q"))


class IsNotFinite(Shaped):
    def shaped(self, forecasts: pl.DataFrame) -> pl.DataFrame:
        return forecasts.with_columns(value=pl.when(pl.col("horizon") < 1).then("value").otherwise(float("nan")))


class CrossesQuantiles(Shaped):
    def shaped(self, forecasts: pl.DataFrame) -> pl.DataFrame:
        return forecasts.with_columns(pl.col("statistic").replace({"q25": "q75", "q75": "q25"}))


class ForecastsWhatIsReleased(Shaped):
    def shaped(self, forecasts: pl.DataFrame) -> pl.DataFrame:
        return forecasts.with_columns(value=pl.col("value") + 1e-6)


class SaysNothingIsReleased(Shaped):
    def shaped(self, forecasts: pl.DataFrame) -> pl.DataFrame:
        return forecasts.with_columns(is_released=pl.lit(False))


class HasNoDoubt(Shaped):
    def shaped(self, forecasts: pl.DataFrame) -> pl.DataFrame:
        return forecasts.with_columns(value=pl.col("value").get(0).over("horizon"))


class KeepsItsFitToItself(Toy):
    """As one that pickles, or holds a model in the process, does."""

    latest: Mapping[str, float]

    def fit(self, known: Knowledge, spec: Specification, parameters: Any) -> pl.DataFrame:
        fitted = super().fit(known, spec, parameters)
        self.latest = fitted_values(fitted)
        return fitted

    def forecast(self, known: Knowledge, fitted: pl.DataFrame, spec: Specification, parameters: Any) -> Outcome:
        return super().forecast(known, fitted_frame(self.latest), spec, parameters)


class ReadsTheFitByPosition(Toy):
    def forecast(self, known: Knowledge, fitted: pl.DataFrame, spec: Specification, parameters: Any) -> Outcome:
        named = fitted.with_columns(parameter=pl.Series(["mean", "sd"]))
        return super().forecast(known, named, spec, parameters)


class EstimatesAnew(Toy):
    def forecast(self, known: Knowledge, fitted: pl.DataFrame, spec: Specification, parameters: Any) -> Outcome:
        return super().forecast(known, self.fit(known, spec, parameters), spec, parameters)


class ToldNews(Toy):
    changes: Mapping[str, pl.Expr]

    def news(self, *given: Any) -> pl.DataFrame:
        return super().news(*given).with_columns(**self.changes)


class NewsDoNotAddUp(ToldNews):
    changes: Mapping[str, pl.Expr] = {"impact": pl.col("impact") * 1.01}


class NewsOfAnotherShape(ToldNews):
    changes: Mapping[str, pl.Expr] = {"impact_pp": pl.col("impact")}


class NewsOfAnotherInstant(ToldNews):
    changes: Mapping[str, pl.Expr] = {"previous_as_of": pl.col("as_of")}


class NewsOfNoKind(ToldNews):
    changes: Mapping[str, pl.Expr] = {"effect": pl.lit("surprise")}


class NewsInAnotherUnit(ToldNews):
    changes: Mapping[str, pl.Expr] = {
        "effect": pl.lit("news"),
        "series_id": pl.lit("PAYEMS"),
        "release_unit": pl.lit("persons"),
    }


class TellsNoNews(Toy):
    NEWS = False


class HasAnotherExample(Toy):
    EXAMPLE: Mapping[str, Any] = {k: v for k, v in Toy.EXAMPLE.items() if k != "parameters"}


FIT, FORECASTS = "fits_have_the_declared_shape", "forecasts_have_the_declared_shape"
STORES, THIN, TOLD = "forecasts_follow_from_the_stored_fit", "refuses_thin_inputs", "news_have_the_declared_shape"


@pytest.mark.parametrize(
    ("toy", "law"),
    [
        (LooksAhead(), "uses_nothing_released_later"),
        (IsRandom(), "says_the_same_twice"),
        (DependsOnTheOrder(), "order_of_rows_does_not_matter"),
        (DependsOnThreads(), "threads_do_not_matter"),
        (TakesAnyAge(), "refuses_stale_inputs"),
        (ForgetsAnInput(), "refuses_unknown_inputs"),
        (ForgetsAnInput(), THIN),
        (SwallowsAThinInput(), THIN),
        (CrashesOnAThinInput(), THIN),
        (NamesAnotherInput(), THIN),
        (FitsInWholeNumbers(), FIT),
        (NamesAParameterTwice(), FIT),
        (ReturnsAnotherShape(), FORECASTS),
        (ReturnsAnotherType(), FORECASTS),
        (ForgetsAQuantile(), FORECASTS),
        (ForgetsAHorizon(), FORECASTS),
        (AddsAHorizon(), FORECASTS),
        (ShiftsTheTargets(), FORECASTS),
        (IsNotFinite(), FORECASTS),
        (CrossesQuantiles(), FORECASTS),
        (ForecastsWhatIsReleased(), FORECASTS),
        (SaysNothingIsReleased(), FORECASTS),
        (HasNoDoubt(), FORECASTS),
        (KeepsItsFitToItself(), STORES),
        (ReadsTheFitByPosition(), STORES),
        (EstimatesAnew(), STORES),
        (NewsDoNotAddUp(), "news_add_up"),
        (NewsOfAnotherShape(), TOLD),
        (NewsOfAnotherInstant(), TOLD),
        (NewsOfNoKind(), TOLD),
        (NewsInAnotherUnit(), TOLD),
        (TellsNoNews(), "declares_itself"),
        (HasAnotherExample(), "declares_itself"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Toy) else "",
)
def test_a_broken_method_is_found(toy: Toy, law: str) -> None:
    breaches = list(next(a for a in LAWS if a.__name__ == law)(Method("toy", toy)))
    assert breaches


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_a_good_method_breaks_no_law(law: Law) -> None:
    assert list(law(Method("toy", Toy()))) == []
