"""For each generated rule a frame that breaks it: the check fails and says column, rule, value and row."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from macro_assets.catalog import Bounds, Catalog, default_catalog
from macro_assets.quality import CheckReport, check_series, check_table, schemas
from macro_assets.quality.report import SAMPLE
from macro_assets.quality.schemas import series_schema
from macro_assets.sources.clients import open_client
from macro_assets.sources.fetching import fetch
from macro_assets.sources.protocol import Window

INSTANT = pl.Datetime("us", "UTC")
RELEASED = datetime(2016, 6, 29, 23, 59, 59, 999_999, UTC)
NAN, INF = float("nan"), float("inf")


Values = Sequence[Any] | pl.Series


def observations(**columns: Values) -> pl.DataFrame:
    """Three months of unemployment, with columns replaced or added."""
    good: dict[str, Values] = {
        "series_id": ["UNRATE"] * 3,
        "observation_date": [date(2016, m, 1) for m in (1, 2, 3)],
        "value": [4.9, None, 5.0],
        "release_time": pl.Series([RELEASED] * 3, dtype=INSTANT),
    }
    return pl.DataFrame({**good, **columns})


def forecasts(**columns: Values) -> pl.DataFrame:
    """Two rows of a model's forecasts, with columns replaced or added."""
    good: dict[str, Values] = {
        "as_of_month": ["2016-06"] * 2,
        "as_of": pl.Series([RELEASED] * 2, dtype=INSTANT),
        "computed_at": pl.Series([RELEASED, None], dtype=INSTANT),
        "series_id": ["GDPC1"] * 2,
        "target_date": [date(2016, 1, 1), date(2016, 4, 1)],
        "horizon": [-1, 0],
        "statistic": ["mean"] * 2,
        "value": [1.1, 2.0],
        "scenario": pl.Series([None] * 2, dtype=pl.String),
        "model_version": ["0123456789ab", None],
        "is_released": [True, False],
        "latest_release": pl.Series([RELEASED] * 2, dtype=INSTANT),
        "providers": ["bundled", None],
        "slice_hash": ["ab", None],
        "unchanged_since": pl.Series([None] * 2, dtype=INSTANT),
    }
    return pl.DataFrame({**good, **columns})


def failures(report: CheckReport) -> list[tuple[Any, ...]]:
    """Column, rule, value and row of each failure shown."""
    return [(c["column"], c["rule"], c["value"], c["row"]) for c in report.sample]


def test_good_observations_pass(catalog: Catalog) -> None:
    report = check_series(observations(), catalog.one_series("UNRATE"))
    assert report.passed
    assert (report.failures, report.failed_rows, report.sample) == (0, (), ())
    assert str(report) == "series UNRATE of source fred: 3 rows pass"


@pytest.mark.parametrize(
    ("columns", "failure", "rows"),
    [
        ({"value": [4.9, 0.4, 5.0]}, ("value", "greater_than_or_equal_to(0.5)", "0.4", 1), (1,)),
        ({"value": [4.9, 5.0, 30.1]}, ("value", "less_than_or_equal_to(30.0)", "30.1", 2), (2,)),
        ({"value": [NAN, 4.9, 5.0]}, ("value", "is_finite", "NaN", 0), (0,)),
        ({"value": [4.9, INF, -INF]}, ("value", "is_finite", "inf", 1), (1, 2)),
        ({"series_id": ["UNRATE", "PAYEMS", "UNRATE"]}, ("series_id", "isin(['UNRATE'])", "PAYEMS", 1), (1,)),
        ({"series_id": ["UNRATE", "UNRATE", None]}, ("series_id", "not_nullable", None, 2), (2,)),
        (
            {"observation_date": [date(1947, 12, 1), date(1948, 1, 1), date(1948, 2, 1)]},
            ("observation_date", "greater_than_or_equal_to(1948-01-01)", "1947-12-01", 0),
            (0,),
        ),
        (
            {"observation_date": [date(2016, 1, 1), None, date(2016, 3, 1)]},
            ("observation_date", "not_nullable", None, 1),
            (1,),
        ),
        (
            {"release_time": pl.Series([RELEASED, None, RELEASED], dtype=INSTANT)},
            ("release_time", "not_nullable", None, 1),
            (1,),
        ),
        # of another type: no single row's fault
        ({"value": [4, 5, 6]}, ("value", "dtype('Float64')", "Int64", None), ()),
        ({"value": ["4.9", "5.0", "5.1"]}, ("value", "dtype('Float64')", "String", None), ()),
        (
            {"observation_date": [datetime(2016, m, 1) for m in (1, 2, 3)]},
            ("observation_date", "dtype('Date')", "Datetime(time_unit='us', time_zone=None)", None),
            (),
        ),
        (
            {"release_time": [RELEASED.replace(tzinfo=None)] * 3},
            (
                "release_time",
                "dtype('Datetime(time_unit='us', time_zone='UTC')')",
                "Datetime(time_unit='us', time_zone=None)",
                None,
            ),
            (),
        ),
    ],
)
def test_bad_observations_fail(
    catalog: Catalog, columns: dict[str, Values], failure: tuple[Any, ...], rows: tuple[int, ...]
) -> None:
    report = check_series(observations(**columns), catalog.one_series("UNRATE"))
    assert not report.passed
    assert failure in failures(report)
    assert report.failed_rows == rows
    assert str(report).startswith("series UNRATE of source fred: ")


def test_limits_themselves_are_plausible(catalog: Catalog) -> None:
    series = catalog.one_series("UNRATE")
    low, high = series.bounds.low, series.bounds.high
    assert check_series(observations(value=[low, high, None]), series).passed
    unlimited = series.model_copy(update={"bounds": Bounds(low=None, high=None)})
    assert check_series(observations(value=[-1e300, 1e300, 0.0]), unlimited).passed
    assert not check_series(observations(value=[-1e300, INF, 0.0]), unlimited).passed


@pytest.mark.parametrize("column", ["series_id", "observation_date", "value", "release_time"])
def test_a_missing_column_is_named(catalog: Catalog, column: str) -> None:
    report = check_series(observations().drop(column), catalog.one_series("UNRATE"))
    assert (column, "column_in_dataframe", column, None) in failures(report)
    assert report.failed_rows == ()
    assert str(report) == (
        f"series UNRATE of source fred: the frame fails; first: {column} column_in_dataframe, got '{column}'"
    )


def test_the_report_says_how_many_rows_and_which_first(catalog: Catalog) -> None:
    report = check_series(observations(value=[4.9, 0.4, 99.0]), catalog.one_series("UNRATE"))
    assert str(report) == (
        "series UNRATE of source fred: 2 of 3 rows fail; first: value greater_than_or_equal_to(0.5), got '0.4' in row 1"
    )


def test_all_failed_rows_are_named_and_a_sample_is_shown(catalog: Catalog) -> None:
    n = SAMPLE + 5
    frame = pl.concat([observations()] * n).with_columns(
        value=pl.when(pl.int_range(pl.len()) % 3 == 1).then(99.0).otherwise("value")
    )
    report = check_series(frame, catalog.one_series("UNRATE"))
    assert report.failures == n
    assert report.failed_rows == tuple(range(1, 3 * n, 3))
    assert len(report.sample) == SAMPLE


def test_where_a_type_is_wrong_no_row_is_called_the_guilty_one(catalog: Catalog) -> None:
    """Rows that are not named are written: a wrong type beside one bad row must not let the others through."""
    columns: dict[str, Values] = {
        "release_time": [RELEASED.replace(tzinfo=None)] * 3,
        "series_id": ["UNRATE", "PAYEMS", "UNRATE"],
    }
    report = check_series(observations(**columns), catalog.one_series("UNRATE"))
    assert report.failures == 2
    assert report.failed_rows == ()


def test_data_are_looked_at_not_only_names_and_types(catalog: Catalog) -> None:
    """The trap: Pandera validates only the schema of a LazyFrame, silently. Ours must fail on the same rows."""
    series, bad = catalog.one_series("UNRATE"), observations(value=[4.9, 99.0, NAN])
    series_schema(series).validate(bad.lazy(), lazy=True)  # passes: this is why frames are collected first
    assert not check_series(bad, series).passed


def test_an_empty_frame_passes_and_says_so(catalog: Catalog) -> None:
    report = check_series(observations().clear(), catalog.one_series("UNRATE"))
    assert report.passed
    assert report.rows == 0


def test_every_bundled_figure_is_within_the_bounds_of_the_catalog(catalog: Catalog) -> None:
    source = catalog.sources["bundled"]
    fetched = fetch(source, open_client(source), catalog.series_of("bundled"), Window())
    own = fetched.observations.partition_by("series_id", as_dict=True)
    reports = [check_series(own[s.id,], s) for s in catalog.series_of("bundled")]
    assert [str(r) for r in reports if not r.passed] == []


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["UNRATE", "PAYEMS", None]),
            st.dates(date(1900, 1, 1), date(2030, 1, 1)) | st.none(),
            st.floats(-50, 50) | st.sampled_from([None, float("nan"), float("inf"), 0.0, 100.0, 100.5]),
            st.sampled_from([datetime(2020, 1, 1, tzinfo=UTC), None]),
        ),
        max_size=4,
    )
)
@settings(max_examples=60)
def test_what_is_passed_at_once_pandera_passes_too_and_nothing_else(rows: list[tuple[object, ...]]) -> None:
    series = default_catalog().series["UNRATE"]
    frame = pl.DataFrame(rows, schema=schemas._SERIES_TYPES, orient="row")
    with_pandera = schemas._report(frame, schemas.series_schema(series), "subject")
    assert schemas._passes(frame, series) == with_pandera.passed


def test_a_retyped_or_missing_column_is_never_passed_at_once() -> None:
    series = default_catalog().series["UNRATE"]
    frame = pl.DataFrame(schema=schemas._SERIES_TYPES)
    assert schemas._passes(frame, series)
    assert not schemas._passes(frame.cast({"value": pl.Int64}), series)
    assert not schemas._passes(frame.drop("release_time"), series)


# --- vintages: limits are of today's base --------------------------------------------------------------------------


def vintages(*rows: tuple[date, float | None, int], basis: str = "provider") -> pl.DataFrame:
    """Unemployment as a provider of vintages tells it: observation date, value, and the year it was released in."""
    columns = {"observation_date": pl.Date, "value": pl.Float64, "year": pl.Int32}
    told = pl.DataFrame(rows, schema=columns, orient="row")
    released = pl.datetime("year", 6, 29, time_zone="UTC", time_unit="us")
    return told.select(
        "observation_date",
        "value",
        series_id=pl.lit("UNRATE"),
        release_time=released,
        release_basis=pl.lit(basis),
    )


MAY, JUNE, OLD = date(2016, 5, 1), date(2016, 6, 1), date(1947, 12, 1)


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([(MAY, 410.0, 2016), (MAY, 4.1, 2017)], id="in another base, and replaced"),
        pytest.param([(MAY, 4.1, 2017), (MAY, 410.0, 2016)], id="in any order"),
        pytest.param([(MAY, 410.0, 2016), (MAY, None, 2017)], id="withdrawn"),
        pytest.param([(OLD, 4.1, 2016), (OLD, None, 2017)], id="begins earlier, and withdrawn"),
        pytest.param([(OLD, 410.0, 2015), (OLD, 0.1, 2016), (OLD, None, 2017), (MAY, 4.1, 2017)], id="both"),
    ],
)
@pytest.mark.parametrize("basis", ["provider", "snapshot"])
def test_a_figure_that_was_replaced_may_lie_beyond_todays_limits(
    catalog: Catalog, rows: list[tuple[date, float | None, int]], basis: str
) -> None:
    assert str(check_series(vintages(*rows, basis=basis), catalog.series["UNRATE"])).endswith(f"{len(rows)} rows pass")


@pytest.mark.parametrize(
    ("rows", "failed"),
    [
        pytest.param([(MAY, 4.1, 2016), (MAY, 410.0, 2017)], (1,), id="in force, beyond the bounds"),
        pytest.param([(MAY, 410.0, 2016), (MAY, 420.0, 2017)], (0, 1), id="the one before would be in force"),
        pytest.param([(MAY, 410.0, 2017), (JUNE, 4.1, 2018)], (0,), id="another date replaces nothing"),
        pytest.param([(OLD, None, 2016), (OLD, 4.1, 2017)], (1,), id="in force before the first year"),
        pytest.param([(MAY, 410.0, 2017), (MAY, 4.1, 2017)], (0,), id="of the same release"),
        pytest.param([(MAY, NAN, 2016), (MAY, 4.1, 2017)], (0,), id="no number, though replaced"),
        pytest.param([(MAY, INF, 2016), (MAY, None, 2017)], (0,), id="infinite, though withdrawn"),
        pytest.param([(MAY, 410.0, 2016), (MAY, NAN, 2017)], (0, 1), id="replaced by no number"),
    ],
)
def test_a_figure_in_force_is_held_to_the_limits(
    catalog: Catalog, rows: list[tuple[date, float | None, int]], failed: tuple[int, ...]
) -> None:
    assert check_series(vintages(*rows), catalog.series["UNRATE"]).failed_rows == failed


@pytest.mark.parametrize("basis", ["publication_lag", "ingested"])
def test_only_a_provider_of_vintages_replaces_its_figures(catalog: Catalog, basis: str) -> None:
    rows = vintages((MAY, 410.0, 2016), (MAY, 4.1, 2017), basis=basis)
    assert check_series(rows, catalog.series["UNRATE"]).failed_rows == (0,)


def test_what_is_stored_replaces_too(catalog: Catalog) -> None:
    series, told = catalog.series["UNRATE"], vintages((MAY, 410.0, 2016))
    later, earlier, other = vintages((MAY, 4.1, 2017)), vintages((MAY, 4.1, 2015)), vintages((JUNE, 4.1, 2017))
    assert check_series(told, series, later).passed
    assert [check_series(told, series, held).failed_rows for held in (earlier, other, None)] == [(0,)] * 3


def test_a_row_of_another_series_is_no_vintage_of_this_one(catalog: Catalog) -> None:
    rows = vintages((MAY, 410.0, 2016), (MAY, 4.1, 2017)).with_columns(series_id=pl.Series(["UNRATE", "PAYEMS"]))
    assert check_series(rows, catalog.series["UNRATE"]).failed_rows == (0, 1)


# --- tables --------------------------------------------------------------------------------------------------------


def test_a_good_table_passes(catalog: Catalog) -> None:
    report = check_table(forecasts(), catalog.one_table("forecasts/gdp_nowcast"))
    assert str(report) == "table forecasts/gdp_nowcast: 2 rows pass"


@pytest.mark.parametrize(
    ("columns", "failure", "rows"),
    [
        ({"value": [1.1, None]}, ("value", "not_nullable", None, 1), (1,)),
        ({"value": [NAN, 1.1]}, ("value", "is_finite", "NaN", 0), (0,)),
        ({"value": [1.1, -INF]}, ("value", "is_finite", "-inf", 1), (1,)),
        (
            {"statistic": ["mean", "p05"]},
            ("statistic", "one of mean, q05, q25, q50, q75, q95, probability", "p05", 1),
            (1,),
        ),
        ({"is_released": [None, True]}, ("is_released", "not_nullable", None, 0), (0,)),
        ({"is_released": [0, 1]}, ("is_released", "dtype('Boolean')", "Int64", None), ()),
        ({"extra": [1, 2]}, ("extra", "column_in_schema", "extra", None), ()),
    ],
)
def test_bad_tables_fail(
    catalog: Catalog, columns: dict[str, Values], failure: tuple[Any, ...], rows: tuple[int, ...]
) -> None:
    report = check_table(forecasts(**columns), catalog.one_table("forecasts/gdp_nowcast"))
    assert not report.passed
    assert failure in failures(report)
    assert report.failed_rows == rows


def test_a_table_without_one_of_its_columns_fails(catalog: Catalog) -> None:
    frame = forecasts().drop("is_released")
    report = check_table(frame, catalog.one_table("forecasts/gdp_nowcast"))
    assert failures(report) == [("is_released", "column_in_dataframe", "is_released", None)]


def test_a_key_that_repeats_fails_and_names_both_rows(catalog: Catalog) -> None:
    frame = forecasts(target_date=[date(2016, 1, 1)] * 2)
    report = check_table(frame, catalog.one_table("forecasts/gdp_nowcast"))
    assert [(c["rule"], c["row"]) for c in report.sample] == [
        ("multiple_fields_uniqueness", 0),
        ("multiple_fields_uniqueness", 1),
    ]
    assert report.failed_rows == (0, 1)


def test_high_bounds_of_the_column_dictionary_hold(catalog: Catalog) -> None:
    frame = pl.DataFrame(
        {
            "observation_date": [date(2020, 1, 1)],
            "component": ["a"],
            "category": ["prices"],
            "component_value": [1.0],
            "zscore": [1.0],
            "sign": [2],
            "weight": [1.5],
            "contribution": [3.0],
            "index_value": [3.0],
            "component_state": ["observed"],
            "is_composition_changed": [False],
        }
    )
    report = check_table(frame, catalog.one_table("indicators/economic_stress_index"))
    assert failures(report) == [
        ("sign", "less_than_or_equal_to(1.0)", "2", 0),
        ("weight", "less_than_or_equal_to(1.0)", "1.5", 0),
    ]
