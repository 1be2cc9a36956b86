"""What models share: specifications of the catalog, samples and their refusals, and forecasts as rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest

from macro_assets.catalog import Model, default_catalog
from macro_assets.catalog.derive import polars_schema
from macro_assets.graph.versions import facts
from macro_assets.models.protocol import (
    FORECAST_SCHEMA,
    NEWS_SCHEMA,
    Knowledge,
    NotKnownError,
    OtherHolderError,
    Specification,
    ThinInputError,
    history,
    normal,
    panel,
    refuse_other_holders,
    specification,
    target_dates,
)

AT = datetime(2016, 6, 30, tzinfo=UTC)


def model(**changes: Any) -> Model:
    """A model of GDP growth by payrolls."""
    entry = {
        "name": "gdp_try",
        "title": "",
        "description": "",
        "reference": "",
        "method": "ar",
        "target": {"series": "GDPC1", "transform": "pca", "unit": "percent"},
        "horizons": [-1, 0, 1],
        "inputs": [{"series": "PAYEMS", "transform": "chg"}, {"series": "GDPC1", "transform": "pca"}],
        "sample_start": date(2015, 1, 1),
    }
    return Model.model_validate({**entry, **changes})


def spec_of(**changes: Any) -> Specification:
    return specification(model(**changes), default_catalog())


def aimed_at(series: str, transform: Any, unit: str) -> dict[str, Any]:
    """The model with one input, its target."""
    one = {"series": series, "transform": transform}
    return {"target": {**one, "unit": unit}, "inputs": [one]}


def rows(series_id: str, first: date, every: str, *values: float | None) -> pl.DataFrame:
    days = pl.date_range(first, first.replace(year=first.year + 9), every, eager=True).head(len(values))
    frame = pl.DataFrame({"observation_date": days, "value": values}, schema_overrides={"value": pl.Float64})
    release = pl.lit(datetime(2016, 6, 1, tzinfo=UTC)).cast(pl.Datetime("us", "UTC"))
    ids = pl.lit(series_id).alias("series_id"), pl.lit("fred").alias("provider")
    return frame.select(*ids, "observation_date", "value", release_time=release)


PAYROLLS = rows("PAYEMS", date(2015, 11, 1), "1mo", 140e6, 140.2e6, 140.3e6, 140.7e6, 140.6e6)
GDP = rows("GDPC1", date(2015, 4, 1), "1q", 16e12, 16.1e12, 16.3e12, 16.4e12)


def known(*frames: pl.DataFrame) -> Knowledge:
    return Knowledge(AT, pl.concat(frames or (PAYROLLS, GDP)))


# --- what a specification is ---------------------------------------------------------------------------------------


def test_a_specification_says_in_which_unit_its_figures_are() -> None:
    """In the provider's, as far as the steps leave one."""
    payrolls, gdp = spec_of().inputs
    assert (payrolls.unit, payrolls.scale, payrolls.frequency) == ("Thousands of Persons", 1000.0, "M")
    assert (gdp.unit, gdp.scale, gdp.frequency) == ("percent", 1e9, "Q")
    assert spec_of().target == gdp
    assert (spec_of().target_unit, spec_of().impact_unit) == ("percent", "percentage_points")
    assert spec_of(**aimed_at("UNRATE", "chg", "percentage_points")).target_unit == "percentage_points"


def test_a_unit_is_that_of_the_holder_whose_base_may_be_another() -> None:
    index, gdp = spec_of(
        inputs=[{"series": "INDPRO", "transform": "level"}, {"series": "GDPC1", "transform": "pca"}]
    ).inputs
    assert (index.unit, index.units["fred"]) == ("index_2017_100", "index_2017_100")
    assert index.units["bundled"] == "index_2012_100"
    assert set(gdp.units.values()) == {"percent"}, "a ratio is in no base"
    (level,) = spec_of(**aimed_at("GDPC1", "level", "Billions of Chained 2017 Dollars")).inputs
    assert level.units["bundled"] == "Billions of chained 2009 dollars at annual rate"


def test_stationary_is_by_the_code_of_the_series() -> None:
    code = default_catalog().one_series("INDPRO").transform
    spec = spec_of(**aimed_at("INDPRO", "stationary", "log_points"))
    assert [(s.name, s.parameters) for s in spec.target.steps] == [("fred_md", {"code": code})]


def test_a_specification_is_plain_values() -> None:
    """It is part of a code version, which changes with each of its facts."""
    spec = spec_of()
    changed = replace(spec, inputs=(replace(spec.inputs[0], scale=1.0), spec.inputs[1]))
    assert facts(spec) == facts(spec_of())
    assert facts(spec) != facts(changed)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"target": {"series": "GDPC1", "transform": "pca", "unit": "usd_2009"}},
            r"^target\.unit: expected 'percent', .* GDPC1 gives, got 'usd_2009'$",
        ),
        (
            {"inputs": [{"series": "GDPC1", "transform": "pca"}, {"series": "PAYEMS", "transform": "chng"}]},
            r"^inputs\.1\.transform: step 1 'chng' .*did you mean 'chg'",
        ),
        (
            {"inputs": [{"series": "UNRATE", "transform": "pch"}, {"series": "GDPC1", "transform": "pca"}]},
            r"^inputs\.0\.transform: step 1 'pch': expected a unit .*, got 'percent'",
        ),
        (
            aimed_at("SP500", "pch", "percent"),
            r"^target\.series: expected a monthly, quarterly or annual .* SP500 is 'D'",
        ),
    ],
)
def test_what_does_not_fit_is_refused_by_its_field(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        spec_of(**changes)


# --- the sample ----------------------------------------------------------------------------------------------------


def test_a_panel_is_the_steps_in_the_providers_unit_by_month() -> None:
    found = panel(known(), spec_of())
    assert found.columns == ["observation_date", "PAYEMS", "GDPC1"]
    assert found["observation_date"].to_list() == [date(2015, m, 1) for m in (9, 10, 11, 12)] + [
        date(2016, m, 1) for m in (1, 2, 3)
    ]
    assert found["PAYEMS"].to_list() == [None, None, None, 200.0, 100.0, 400.0, -100.0]
    growth = [100 * ((b / a) ** 4 - 1) for a, b in ((16000, 16100), (16100, 16300), (16300, 16400))]
    assert found["GDPC1"].to_list() == pytest.approx([growth[0], None, None, growth[1], None, None, growth[2]])


def test_a_change_into_the_first_period_of_the_sample_is_from_before_it() -> None:
    found = panel(known(), spec_of(sample_start=date(2015, 12, 1)))
    assert found["observation_date"].to_list() == [date(2015, 12, 1), *(date(2016, m, 1) for m in (1, 2, 3))]
    assert found["PAYEMS"].to_list() == [200.0, 100.0, 400.0, -100.0]
    assert found["GDPC1"].null_count() == 2, "the quarter that ends in the first month of the sample is in it"


def test_a_history_has_a_null_for_each_missing_period() -> None:
    longer = rows("GDPC1", date(2015, 1, 1), "1q", 16e12, 16.1e12, None, 16.3e12, 16.5e12, 16.6e12)
    found = history(known(PAYROLLS, longer), spec_of())
    assert found["observation_date"].to_list() == [date(2015, m, 1) for m in (4, 7, 10)] + [
        date(2016, m, 1) for m in (1, 4)
    ]
    assert [v is None for v in found["value"]] == [False, True, True, False, False]


@pytest.mark.parametrize("given", [panel, history])
@pytest.mark.parametrize(
    ("payrolls", "came"),
    [
        (PAYROLLS.tail(1), r"PAYEMS \(1 known, 0 after 'chg' from 2015-01-01 on\)"),
        (PAYROLLS.tail(2), r"PAYEMS \(2 known, 1 after 'chg' from 2015-01-01 on\)"),
        (PAYROLLS.gather([0, 2, 4]), r"PAYEMS \(3 known, 0 after .* on\)"),
        (PAYROLLS.with_columns(value=pl.lit(7e6)), r"PAYEMS \(5 known, 4 after .* on, all of them 0\)"),
        (rows("PAYEMS", date(2016, 1, 1), "1mo", 1.1e6, 1.2e6, 1.3e6), r"PAYEMS \(3 known, 2 .* all of them 100\)"),
    ],
    ids=["one figure", "one change", "only gaps", "constant", "constant but for rounding"],
)
def test_a_thin_input_is_refused_by_name(
    given: Callable[[Knowledge, Specification], pl.DataFrame], payrolls: pl.DataFrame, came: str
) -> None:
    with pytest.raises(
        ThinInputError, match=f"^gdp_try as of 2016-06-30: too few figures of {came}. Expected"
    ) as caught:
        given(known(payrolls, GDP), spec_of())
    assert caught.value.series == ("PAYEMS",)


def test_every_thin_input_is_named() -> None:
    with pytest.raises(ThinInputError, match=r"PAYEMS \(1 known.*, GDPC1 \(1 known") as caught:
        panel(known(PAYROLLS.tail(1), GDP.tail(1)), spec_of())
    assert caught.value.series == ("PAYEMS", "GDPC1")


def test_a_sample_that_begins_too_late_is_told() -> None:
    with pytest.raises(ThinInputError, match=r"GDPC1 \(4 known, 1 after 'pca' from 2016-02-01 on\)"):
        panel(known(), spec_of(sample_start=date(2016, 2, 1)))


# --- who served it -------------------------------------------------------------------------------------------------


def served_by(provider: str, frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(provider=pl.lit(provider))


def test_the_holder_is_who_served_the_first_figure() -> None:
    """One of the very same figures may add the last ones; it is among those who served, and not the holder."""
    later = pl.when(pl.col("observation_date") > date(2016, 1, 1)).then(pl.lit("fred_graph")).otherwise("provider")
    mixed = known(PAYROLLS.with_columns(provider=later).reverse(), served_by("bundled", GDP))
    assert mixed.holders == {"PAYEMS": "fred", "GDPC1": "bundled"}
    assert mixed.providers == "bundled, fred, fred_graph"
    refuse_other_holders("gdp_try", known(PAYROLLS, served_by("bundled", GDP)), mixed)


def test_inputs_of_other_holders_are_not_compared() -> None:
    before = known(served_by("bundled", PAYROLLS), GDP)
    with pytest.raises(OtherHolderError, match=r"^gdp_try: .* \(bundled, then fred: PAYEMS\)") as caught:
        refuse_other_holders("gdp_try", before, known())
    assert caught.value.series == ("PAYEMS",)
    refuse_other_holders("gdp_try", before, before)
    refuse_other_holders("gdp_try", known(GDP), known())  # of which nothing was known before is no change


@pytest.mark.parametrize("given", [panel, history])
def test_a_target_in_another_unit_than_the_forecasts_is_refused(
    given: Callable[[Knowledge, Specification], pl.DataFrame],
) -> None:
    level = spec_of(**aimed_at("GDPC1", "level", "Billions of Chained 2017 Dollars"))
    assert not given(known(GDP), level).is_empty()
    with pytest.raises(NotKnownError, match="GDPC1 is known only from bundled, in Billions of chained 2009 dollars"):
        given(known(served_by("bundled", GDP)), level)
    growth = spec_of(**aimed_at("GDPC1", "pca", "percent"))
    assert given(known(served_by("bundled", GDP)), growth).equals(given(known(GDP), growth))


# --- forecasts -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "at", "expected"),
    [
        (("GDPC1", "pca", "percent"), date(2016, 2, 29), [date(2015, 10, 1), date(2016, 1, 1), date(2016, 4, 1)]),
        (("GDPC1", "pca", "percent"), date(2015, 12, 31), [date(2015, 7, 1), date(2015, 10, 1), date(2016, 1, 1)]),
        (("UNRATE", "level", "percent"), date(2015, 12, 31), [date(2015, 11, 1), date(2015, 12, 1), date(2016, 1, 1)]),
    ],
)
def test_horizons_count_periods_from_the_one_of_the_instant(
    target: tuple[str, str, str], at: date, expected: list[date]
) -> None:
    moment = datetime(at.year, at.month, at.day, 23, 59, tzinfo=UTC)
    knowledge = Knowledge(moment, GDP.clear())
    assert list(target_dates(knowledge, spec_of(**aimed_at(*target))).values()) == expected


def test_forecasts_are_the_quantiles_of_a_normal_distribution() -> None:
    """The figure of 2016 Q1 is released: certain, whatever was expected. 2016 Q3 is 2 +- 1.6449 x 3 with 90 percent."""
    expected = {date(2016, 1, 1): (99.0, 9.0), date(2016, 4, 1): (1.0, 0.5), date(2016, 7, 1): (2.0, 3.0)}
    found = normal(known(), spec_of(), expected)
    assert found.schema == FORECAST_SCHEMA
    growth = 100 * ((16400 / 16300) ** 4 - 1)
    last, _, next_quarter = (found.filter(horizon=h) for h in (-1, 0, 1))
    assert last["value"].to_list() == pytest.approx([growth] * 6, abs=1e-10)
    assert last["value"].n_unique() == 1
    assert last["is_released"].all()
    assert dict(next_quarter.select("statistic", "value").iter_rows()) == pytest.approx(
        {"mean": 2.0, "q05": -2.93456, "q25": -0.02347, "q50": 2.0, "q75": 4.02347, "q95": 6.93456}, abs=1e-5
    )
    assert not next_quarter["is_released"].any()
    assert found["statistic"].to_list() == ["mean", "q05", "q25", "q50", "q75", "q95"] * 3


@pytest.mark.parametrize(("layer", "schema"), [("forecasts", FORECAST_SCHEMA), ("news", NEWS_SCHEMA)])
def test_rows_have_the_columns_of_the_catalog(layer: str, schema: pl.Schema) -> None:
    columns = default_catalog().tables[f"{layer}/gdp_nowcast"].columns
    assert polars_schema(c for c in columns if c.name in schema) == schema
    others = {c.name for c in columns} - set(schema)
    assert layer == "forecasts" or others == {"as_of_month", "computed_at"}
