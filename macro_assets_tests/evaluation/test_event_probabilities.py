"""Scores of probabilities: by hand, in real time what was said first, no more certain than recessions are many."""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
import polars as pl
import pytest

from macro_assets.catalog import Catalog
from macro_assets.catalog.derive import polars_schema
from macro_assets.evaluation.event_probabilities import EXAMPLE, Parameters, area, check, compute
from macro_assets.indicators.protocol import Given
from macro_assets.quality import check_table
from macro_assets.transforms.recessions import announced, recession_months
from macro_assets_tests.indicators.contract import table_of
from macro_assets_tests.indicators.toys import FACTS

PARAMETERS = Parameters.model_validate(EXAMPLE["parameters"])


def told(first: str, last: str, probabilities: object, event: str = "in_month", ahead: str = "12mo") -> pl.DataFrame:
    months = pl.date_range(date.fromisoformat(first), date.fromisoformat(last), "1mo", eager=True)
    frame = pl.DataFrame({"observation_date": months, "event": event, "probability": probabilities})
    return frame.with_columns(target_date=pl.col("observation_date").dt.offset_by(ahead))


def scored(catalog: Catalog, **tables: pl.DataFrame) -> pl.DataFrame:
    given = Given(
        pl.DataFrame(),
        pl.DataFrame(schema=dict.fromkeys(FACTS, pl.String)),
        {name.replace("__", "/"): rows for name, rows in tables.items()},
        announced(catalog.recessions),
    )
    found = compute(given, PARAMETERS)
    table = table_of("event_scores")
    assert dict(found.schema) == dict(polars_schema(table.columns))
    assert check_table(found, table).passed
    return found


def test_by_hand(catalog: Catalog) -> None:
    """Targets December 2007 (the peak: none), January and February 2008 (recession), told 0.2, 0.6 and 0.1."""
    (row,) = scored(catalog, leg=told("2006-12-01", "2007-02-01", [0.2, 0.6, 0.1])).rows(named=True)
    assert (row["scored_periods"], row["episodes"], row["event_share"]) == (3, 1, pytest.approx(2 / 3))
    brier = (0.2**2 + 0.4**2 + 0.9**2) / 3
    assert row["brier_score"] == pytest.approx(brier)
    assert row["brier_skill"] == pytest.approx(1 - brier / (2 / 9))
    assert row["log_score"] == pytest.approx(-(np.log(0.8) + np.log(0.6) + np.log(0.1)) / 3)
    assert row["auroc"] == 0.5, "of two pairs the recession had the higher probability in one"
    assert (row["auroc_low"], row["auroc_high"]) == (None, None), "of three months of one recession"


def test_each_event_by_its_own_outcome(catalog: Catalog) -> None:
    """Within twelve months of January 2007: January 2008. Of quarters: the last of 2007 none, the next one."""
    within = told("2006-12-01", "2007-01-01", [0.5, 0.5], event="within")
    quarters = told("2007-10-01", "2008-01-01", [0.1] * 4, event="in_quarter", ahead="0mo")[::3]
    rows = scored(catalog, within=within, quarters=quarters)
    assert rows.select("component", "scored_periods", "event_share").rows() == [
        ("quarters", 2, 0.5),
        ("within", 2, 0.5),
    ]


def test_months_whose_outcome_nobody_knows_do_not_count(catalog: Catalog) -> None:
    rows = scored(
        catalog, leg=told("2018-01-01", "2024-01-01", [0.1] * 73), late=told("2021-01-01", "2024-01-01", [0.1] * 37)
    )
    (row,) = rows.rows(named=True)
    assert (row["component"], row["last_observation"], row["episodes"]) == ("leg", date(2019, 4, 1), 1)


def test_in_real_time_a_month_counts_with_what_was_said_when_it_was_the_last(catalog: Catalog) -> None:
    """Said again a month later, with what was known then, it is no better."""
    january, february = (datetime(2007, n, 28, tzinfo=UTC) for n in (2, 3))
    first = told("2006-12-01", "2007-01-01", [0.9, 0.3]).with_columns(as_of=january)
    second = told("2006-12-01", "2007-02-01", [0.0, 1.0, 0.4]).with_columns(as_of=february)
    (row,) = scored(catalog, real_time__leg=pl.concat([second, first])).rows(named=True)
    assert (row["scored_periods"], row["brier_score"]) == (2, pytest.approx((0.7**2 + 0.6**2) / 2))


def test_of_an_ensemble_the_mean_is_scored_once_and_what_stands_beside_it_not_at_all(catalog: Catalog) -> None:
    leg = told("2006-12-01", "2007-02-01", [0.2, 0.6, 0.1])
    beside = told("2006-12-01", "2007-02-01", [0.2, 0.6, 0.1], event="in_quarter", ahead="-3mo")
    ensemble = pl.concat([leg.with_columns(weight=0.6), leg.with_columns(weight=0.4), beside.with_columns(weight=0.0)])
    rows = scored(catalog, leg=leg, mean=ensemble)
    assert rows.height == 2
    assert rows.drop("component").row(0) == rows.drop("component").row(1)


def test_the_interval_is_wider_than_months_taken_singly(catalog: Catalog) -> None:
    """Of 1982 to 2020, some 37 months of four recessions: a figure that is noise in blocks seems to tell of them."""
    months = pl.date_range(date(1982, 1, 1), date(2019, 4, 1), "1mo", eager=True)
    came = recession_months(announced(catalog.recessions), months.dt.offset_by("12mo")).to_numpy()
    p = np.clip(
        0.1 + 0.15 * came + np.repeat(np.random.default_rng(4).uniform(0, 0.25, size=50), 12)[: len(came)], 0, 1
    )
    (row,) = scored(catalog, leg=told("1982-01-01", "2019-04-01", p)).rows(named=True)
    assert row["episodes"] == 4
    assert row["auroc_low"] < row["auroc"] < row["auroc_high"] <= 1
    draw = np.random.default_rng(1)
    singly = [area(p[k], came[k]) for k in (draw.integers(len(p), size=len(p)) for _ in range(200))]
    assert row["auroc_high"] - row["auroc_low"] > 1.3 * np.subtract(*np.quantile(singly, [0.95, 0.05]))


def test_perfect_foresight_reversed_and_none(catalog: Catalog) -> None:
    y = np.array([0.0, 0, 1, 1, 0])
    assert (area(y, y), area(1 - y, y), area(np.full(5, 0.3), y), area(y, np.zeros(5))) == (1, 0, 0.5, None)


def test_no_probabilities_have_no_scores(catalog: Catalog) -> None:
    nothing = told("2006-12-01", "2006-12-01", [0.2]).clear()
    assert scored(catalog, leg=nothing, real_time__leg=nothing.with_columns(as_of=pl.lit(None, pl.Datetime))).is_empty()
    without = Given(pl.DataFrame(), pl.DataFrame(), {"leg": told("2006-12-01", "2006-12-01", [0.2])})
    assert compute(without, PARAMETERS).is_empty(), "without a chronology no outcome is known"


def test_series_are_refused() -> None:
    with pytest.raises(ValueError, match="^inputs: expected tables of probabilities, got the series A"):
        check(PARAMETERS, pl.DataFrame({"series_id": ["A"]}))
