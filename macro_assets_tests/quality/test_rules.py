"""Rules on a table's behaviour: each passes a frame and rejects another, and a call that cannot be is told."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest
import yaml

from macro_assets.catalog import Catalog, Column, RuleCall, Table
from macro_assets.catalog.kinds.declaration import Declaration
from macro_assets.quality import CheckReport, check_table, checks_of
from macro_assets.quality.rules import RULES, Rule, apply, check_rule, check_rules, rule
from macro_assets_tests.conftest import ROOT

JAN, FEB = date(2020, 1, 1), date(2020, 2, 1)
AS_OF = datetime(2020, 1, 31, tzinfo=UTC)


# --- the laws of every rule ----------------------------------------------------------------------------------------


def breaches(of: Rule) -> Iterator[str]:
    """What is wrong with a rule, in words."""
    if not of.description:
        yield "its function has no docstring: what do rows that keep it look like?"
    if not issubclass(of.arguments, Declaration):
        yield f"its arguments are no Declaration: {of.arguments}"
    arguments = of.arguments.model_validate(of.example)
    good, bad = of.passes(), of.rejects()
    if unread := {*of.reads, *of.facts, *arguments.numbers(), *arguments.texts()} - {*good.columns}:
        yield f"its frames lack {sorted(unread)}, which it says it reads"
    if good.schema != bad.schema:
        yield "its two frames are of two shapes"
    told = of.function(good, "synthetic", arguments)
    if not told.passed or (told.rows, told.failed_rows) != (good.height, ()):
        yield f"it does not pass its good frame: {told.sample}"
    if not of.function(good.clear(), "synthetic", arguments).passed:
        yield "it does not pass a frame without rows"
    for name, odd in (("one row", good.head(1)), ("rows without a figure", without(good, *arguments.numbers()))):
        if of.function(odd, "synthetic", arguments).rows != odd.height:
            yield f"it does not judge {name}"
    found = of.function(bad, "synthetic", arguments)
    if found.passed:
        yield "it does not reject its bad frame"
    elif not found.failed_rows or not set(found.failed_rows) <= set(range(bad.height)):
        yield f"it does not say which rows fail: {found.failed_rows}"
    elif not found.sample or {*found.sample[0]} != {"column", "rule", "value", "row"}:
        yield f"its sample does not say column, rule, value and row: {found.sample}"
    turned = of.function(bad.reverse(), "synthetic", arguments)
    if (turned.failures, len(turned.failed_rows)) != (found.failures, len(found.failed_rows)):
        yield f"it depends on the order of rows: {found.failed_rows}, turned {turned.failed_rows}"


def without(frame: pl.DataFrame, *numbers: str) -> pl.DataFrame:
    """The same rows with nothing in some columns."""
    return frame.with_columns(pl.lit(None, frame.schema[c]).alias(c) for c in dict.fromkeys(numbers))


@pytest.mark.parametrize("name", sorted(RULES))
def test_every_rule_keeps_the_laws(name: str) -> None:
    assert list(breaches(RULES[name])) == []


def silent(frame: pl.DataFrame, subject: str, arguments: Any) -> CheckReport:
    """Finds nothing."""
    return CheckReport(subject, frame.height)


def loud(frame: pl.DataFrame, subject: str, arguments: Any) -> CheckReport:
    """Finds something in whatever it is given."""
    return CheckReport(subject, frame.height, 1)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"function": silent}, ["does not reject its bad frame"]),
        ({"function": loud}, ["does not pass its good frame", "without rows", "which rows fail"]),
        ({"rejects": RULES["within"].passes}, ["does not reject its bad frame"]),
        ({"passes": RULES["within"].rejects}, ["does not pass its good frame"]),
        ({"reads": ("weight",)}, ["lack ['weight']"]),
        ({"rejects": lambda: pl.DataFrame({"value": [99]})}, ["two shapes"]),
        ({"description": ""}, ["docstring"]),
    ],
)
def test_a_bad_rule_is_found(changed: dict[str, Any], said: list[str]) -> None:
    found = list(breaches(replace(RULES["within"], **changed)))
    assert len(found) == len(said)
    assert all(words in problem for words, problem in zip(said, found, strict=True))


def test_a_rule_that_depends_on_the_order_of_rows_is_found() -> None:
    def first(frame: pl.DataFrame, subject: str, arguments: Any) -> CheckReport:
        found = RULES["within"].function(frame.head(2), subject, arguments)
        return replace(found, rows=frame.height)

    bad = replace(RULES["within"], function=first, rejects=lambda: pl.DataFrame({"value": [99.0, 0.0, None]}))
    assert list(breaches(bad)) == ["it depends on the order of rows: (0,), turned ()"]


@pytest.mark.parametrize("beside", [{}, {"passes": pl.DataFrame}, {"rejects": pl.DataFrame}])
def test_a_rule_without_a_frame_that_it_rejects_cannot_be(beside: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="keyword-only argument"):
        rule(**beside)(silent)
    assert "silent" not in RULES


# --- calls ---------------------------------------------------------------------------------------------------------


def columns(**types: Any) -> list[Column]:
    return [Column(name=n, dtype=t, description="Synthetic") for n, t in types.items()]


VALUES = columns(observation_date="date", value="float", rows="int", statistic="str")


def call(text: str, **arguments: Any) -> RuleCall:
    return RuleCall(rule=text, arguments=arguments)


@pytest.mark.parametrize(
    ("called", "said"),
    [
        (call("witin", column="value", low=1), "'witin' is no rule, there is adds_up, "),
        (call("witin", column="value", low=1), " Did you mean within?"),
        (call("within", column="value", low="x"), "within: low: Input should be a valid number (got 'x')"),
        (call("within", column="value", low="1"), "within: low: Input should be a valid number (got '1')"),
        (call("within", column="value", low=True), "within: low: Input should be a valid number (got True)"),
        (call("within", low=1), "within: column: Field required"),
        (call("within", column=3, low=1), "within: column: Input should be a valid string (got 3)"),
        (call("within", column="value"), "within: entry: Value error, expected 'low', 'high' or both"),
        (call("within", column="value", low=2, high=1), "low (2) must not be above high (1)"),
        (
            call("within", column="value", lo=1),
            "within: lo: is no argument of it, it has column, high, low. Did you mean low?",
        ),
        (
            call("within", column="valu", low=1),
            "no column 'valu', it has observation_date, rows, statistic, value. Did you mean value?",
        ),
        (
            call("within", column="statistic", low=1),
            "within: expected a column of numbers, 'statistic' is of type str",
        ),
        (call("one_of", column="value", values=["a"]), "one_of: expected a column of texts, 'value' is of type float"),
        (call("one_of", column="statistic", values=[]), "one_of: values: List should have at least 1 item"),
        (call("one_of", column="statistic", values=[1]), "one_of: values.0: Input should be a valid string (got 1)"),
        (call("contributions_add_up"), "contributions_add_up: the table has no column 'contribution'"),
        (
            call("contributions_add_up", column="value"),
            "contributions_add_up: column: is no argument of it, it has none",
        ),
    ],
)
def test_a_call_that_cannot_be_is_told_with_what_was_expected(called: RuleCall, said: str) -> None:
    problem = check_rule(called, VALUES)
    assert problem is not None
    assert said in problem
    good = call("within", column="rows", high=9)
    assert check_rules([good, called], VALUES) == [f"rules.1: {problem}"]


def test_a_call_without_such_a_rule_is_no_pass() -> None:
    with pytest.raises(ValueError, match="^table x: 'witin' is no rule, .* Did you mean within"):
        apply(call("witin"), pl.DataFrame(), "table x")


def test_every_call_of_the_catalog_can_be(catalog: Catalog) -> None:
    called = {name: check_rules(t.rules, t.columns) for name, t in catalog.tables.items()}
    assert {name: problems for name, problems in called.items() if problems} == {}
    assert {r.rule for t in catalog.tables.values() for r in t.rules} >= {"contributions_add_up", "within"}


# --- severity and facts --------------------------------------------------------------------------------------------


def warning(low: float) -> dict[str, Any]:
    return {"rule": "within", "column": "value", "low": low, "severity": "warn"}


def test_a_rule_that_warns_does_not_refuse_and_is_told(catalog: Catalog) -> None:
    sahm = catalog.one_table("indicators/sahm_rule")
    frame = pl.DataFrame({"observation_date": [JAN, FEB], "value": [0.5, 20.0], "signal": [False, False]})
    warn, error = (RuleCall.model_validate(r) for r in (warning(1), {"rule": "within", "column": "value", "high": 15}))
    table = sahm.model_copy(update={"rules": (warn, error)})
    report = check_table(frame.head(1), table)
    assert report.passed
    assert [str(w) for w in report.warnings] == [
        "table indicators/sahm_rule: 1 of 1 rows fail; first: value >= 1, got 0.5 in row 0"
    ]
    both = check_table(frame, table)
    assert (both.passed, both.failed_rows, len(both.warnings)) == (False, (1,), 1)
    found = [(c.check, c.severity, c.report.passed) for c in checks_of(frame, table)]
    assert found == [
        ("schema", "error", True),
        ("within (column value, low 1) as a warning", "warn", False),
        ("within (column value, high 15)", "error", False),
    ]
    assert len(checks_of(frame.drop("signal"), table)) == 1, "of another shape no rule is asked"


def test_a_severity_is_error_or_warn() -> None:
    assert RuleCall.model_validate("contributions_add_up").severity == "error"
    told = RuleCall.model_validate(warning(1))
    assert (told.severity, told.arguments) == ("warn", {"column": "value", "low": 1})
    with pytest.raises(ValueError, match="severity"):
        RuleCall.model_validate({**warning(1), "severity": "fatal"})


def test_a_rule_that_asks_for_facts_needs_the_catalog_and_a_column_of_series() -> None:
    with pytest.raises(ValueError, match="no_gaps asks what the catalog says of the series"):
        apply(call("no_gaps"), pl.DataFrame(), "table x")
    unnamed = columns(observation_date="date", value="float")
    assert check_rule(call("no_gaps"), unnamed) == (
        "no_gaps: the table has no column 'series_id', it has observation_date, value."
    )


def test_every_family_is_looked_at_and_no_look_stops_it(catalog: Catalog) -> None:
    tables = [t for t in catalog.tables.values() if t.layer == "normalized"]
    looks = {"complete", "no_gaps", "identities_hold", "no_outliers", "stationary", "no_break", "no_drift"}
    assert len(tables) >= 7
    assert all({r.rule for r in t.rules} >= looks for t in tables)
    assert {r.severity for t in tables for r in t.rules} == {"warn"}


def test_the_page_of_checks_names_every_rule_and_its_calls_can_be() -> None:
    page = (ROOT / "docs/quality.md").read_text()
    assert [name for name in RULES if f"`{name}`" not in page] == []
    calls = re.findall(r"^  - (\{rule: .+\})$", page, re.MULTILINE)
    every = [*VALUES, *columns(series_id="str", transformed="float")]
    assert calls
    assert check_rules([RuleCall.model_validate(yaml.safe_load(c)) for c in calls], every) == []


# --- bounds and texts ----------------------------------------------------------------------------------------------


def test_bounds_are_admitted_and_what_is_beyond_is_named(catalog: Catalog) -> None:
    table = catalog.one_table("indicators/sahm_rule")
    days = [date(2020, m, 1) for m in range(1, 5)]
    frame = pl.DataFrame({"observation_date": days, "value": [-2.0, 15.0, 0.5, 0.0], "signal": [False] * 4})
    assert check_table(frame, table).passed
    beyond = frame.with_columns(value=pl.Series([-2.0, 15.5, 0.5, -2.5]))
    report = check_table(beyond, table)
    assert (report.failures, report.failed_rows) == (2, (1, 3))
    assert str(report) == ("table indicators/sahm_rule: 2 of 4 rows fail; first: value >= -2 <= 15, got 15.5 in row 1")


def test_one_bound_is_enough() -> None:
    frame = pl.DataFrame({"value": [-1e9, 0.0, 1e9]})
    assert apply(call("within", column="value", low=0), frame, "").failed_rows == (0,)
    assert apply(call("within", column="value", high=0), frame, "").failed_rows == (2,)


def test_a_text_that_is_not_among_them_is_named() -> None:
    report = apply(call("one_of", column="x", values=["a", "b"]), pl.DataFrame({"x": ["a", "c", None, "b"]}), "rows")
    assert str(report) == "rows: 1 of 4 rows fail; first: x one of a, b, got 'c' in row 1"


# --- contributions -------------------------------------------------------------------------------------------------


def index() -> pl.DataFrame:
    """Two synthetic months of two components."""
    return pl.DataFrame(
        {
            "observation_date": [JAN, JAN, FEB, FEB],
            "component": ["a", "b", "a", "b"],
            "category": [None, "prices", None, "prices"],
            "component_value": [1.0, 2.0, 3.0, 4.0],
            "zscore": [1.0, -2.0, 0.5, 1.5],
            "sign": [1, -1, 1, -1],
            "weight": [0.25, 0.75, 0.25, 0.75],
            "contribution": [0.25, 1.5, 0.125, -1.125],
            "index_value": [1.75, 1.75, -1.0, -1.0],
            "component_state": ["observed"] * 4,
            "is_composition_changed": [False] * 4,
        }
    )


def off_in_row(row: int, **by: float) -> pl.DataFrame:
    return index().with_columns(
        pl.when(pl.int_range(pl.len()) == row).then(pl.col(c) + d).otherwise(c).alias(c) for c, d in by.items()
    )


def checked(frame: pl.DataFrame, catalog: Catalog) -> CheckReport:
    return check_table(frame, catalog.one_table("indicators/economic_stress_index"))


def test_contributions_that_add_up_pass(catalog: Catalog) -> None:
    assert checked(index(), catalog).passed
    assert checked(index().sample(fraction=1, shuffle=True, seed=3), catalog).passed
    assert checked(off_in_row(2, contribution=1e-12), catalog).passed, "rounding is no failure"
    assert checked(index().clear(), catalog).passed


@pytest.mark.parametrize(
    ("frame", "month", "rows", "value"),
    [
        (off_in_row(2, contribution=1e-6), FEB, (2, 3), "2020-02-01: 1e-06 off"),
        (off_in_row(0, contribution=-1e-6), JAN, (0, 1), "2020-01-01: -1e-06 off"),
        (off_in_row(1, weight=-0.5), JAN, (0, 1), "weights -0.5 off"),
        (off_in_row(1, weight=1e-6), JAN, (0, 1), "weights 1e-06 off"),
        (off_in_row(3, index_value=1e-6), FEB, (2, 3), "index varies by 1e-06"),
    ],
)
def test_contributions_that_do_not_add_up_fail(
    catalog: Catalog, frame: pl.DataFrame, month: date, rows: tuple[int, ...], value: str
) -> None:
    report = checked(frame, catalog)
    assert not report.passed
    assert (report.failures, report.failed_rows) == (1, rows)
    (case,) = report.sample
    assert (case["column"], case["rule"]) == ("contribution", "contributions add up to index_value, weights to 1")
    assert value in case["value"]
    assert frame["observation_date"][case["row"]] == month
    assert "2 of 4 rows fail" in str(report)


def test_a_rule_is_not_asked_about_a_frame_of_another_shape(catalog: Catalog) -> None:
    report = checked(index().drop("contribution"), catalog)
    assert [c["rule"] for c in report.sample] == ["column_in_dataframe"]


def test_months_are_judged_one_by_one() -> None:
    """Errors of two months that cancel out are two errors."""
    frame = off_in_row(0, contribution=0.1, index_value=0.0).with_columns(
        contribution=pl.when(pl.int_range(pl.len()) == 2).then(pl.col("contribution") - 0.1).otherwise("contribution")
    )
    report = apply(call("contributions_add_up"), frame, "synthetic")
    assert report.failures == 2
    assert report.failed_rows == (0, 1, 2, 3)


def test_months_as_of_two_instants_are_two() -> None:
    twice = pl.concat([index().with_columns(as_of_month=pl.lit(month)) for month in ("2020-02", "2020-03")])
    assert apply(call("contributions_add_up"), twice, "real time").passed
    assert not apply(call("contributions_add_up"), twice.drop("as_of_month"), "without").passed


# --- forecasts -----------------------------------------------------------------------------------------------------


def forecasts(**quantiles: float) -> pl.DataFrame:
    """A synthetic forecast with a mean and some quantiles, in the columns that the rule reads."""
    told = {"as_of": AS_OF, "model_version": "1", "series_id": "GDPC1", "target_date": JAN, "scenario": None}
    rows = [{**told, "statistic": name, "value": value} for name, value in {"mean": 0.0, **quantiles}.items()]
    return pl.DataFrame(rows, schema_overrides={"scenario": pl.String, "model_version": pl.String})


def judged(frame: pl.DataFrame) -> CheckReport:
    return apply(call("quantiles_in_order"), frame, "forecasts")


@pytest.mark.parametrize(
    "quantiles", [{}, {"q50": 1.0}, {"q05": 1.0, "q50": 1.0, "q95": 1.0}, {"q95": 5.0, "q05": -1.0, "q25": -0.5}]
)
def test_quantiles_in_order_pass(quantiles: dict[str, float]) -> None:
    assert judged(forecasts(**quantiles)).passed


def test_a_quantile_below_a_lower_one_fails_though_others_stand_between_them_in_the_table() -> None:
    report = judged(forecasts(q75=2.0, q05=-1.0, q50=2.5, q95=3.0))
    assert (report.failures, report.failed_rows) == (1, (1, 3))
    assert report.sample == [
        {
            "column": "value",
            "rule": "quantiles in order",
            "value": "GDPC1 2020-01-01: q75 2 below q50 2.5",
            "row": 1,
        }
    ]


@pytest.mark.parametrize(
    ("column", "other"),
    [
        ("as_of", AS_OF.replace(day=30)),
        ("model_version", "2"),
        ("series_id", "PCE"),
        ("target_date", FEB),
        ("scenario", "crash"),
    ],
)
def test_forecasts_are_judged_one_by_one(column: str, other: Any) -> None:
    low, high = forecasts(q05=-1.0, q95=1.0), forecasts(q05=-9.0, q95=-5.0)
    assert not judged(pl.concat([low, high])).passed
    assert judged(pl.concat([low, high.with_columns(pl.lit(other, dtype=low.schema[column]).alias(column))])).passed


def test_a_version_that_was_not_recorded_is_one(catalog: Catalog) -> None:
    unknown = forecasts(q05=1.0, q95=0.0).with_columns(model_version=pl.lit(None, dtype=pl.String))
    assert judged(unknown).failures == 1


def test_forecasts_of_every_model_are_judged(catalog: Catalog) -> None:
    tables: list[Table] = [t for t in catalog.tables.values() if t.layer in ("forecasts", "paths")]
    assert tables
    for table in tables:
        assert {"quantiles_in_order", "one_of"} <= {r.rule for r in table.rules}


# --- news ----------------------------------------------------------------------------------------------------------


def news(**columns: list[Any]) -> pl.DataFrame:
    """Two synthetic releases, of a weight of 0.5 and -2, and a revision."""
    good: dict[str, list[Any]] = {
        "effect": ["news", "news", "revision"],
        "series_id": ["PAYEMS", "UNRATE", None],
        "observation_date": [JAN, FEB, None],
        "release_forecast": [100.0, 4.0, None],
        "release_actual": [104.0, 3.9, None],
        "release_weight": [0.5, -2.0, None],
        "impact": [2.0, 0.2, 0.7],
    }
    return pl.DataFrame({**good, **columns})


def test_an_impact_is_its_weight_times_its_surprise() -> None:
    assert apply(call("news_is_weighted_surprise"), news(), "news").passed
    report = apply(call("news_is_weighted_surprise"), news(impact=[2.0, -0.2, 0.7]), "news")
    assert report.failed_rows == (1,)
    assert report.sample[0]["value"] == "UNRATE 2020-02-01: -0.2, expected 0.20000000000000018"


def test_news_without_a_weight_is_none_and_is_named() -> None:
    report = apply(call("news_is_weighted_surprise"), news(release_weight=[None, -2.0, None]), "news")
    assert report.failed_rows == (0,)
    assert report.sample[0]["value"] == "PAYEMS 2020-01-01: 2.0, expected None"


# --- revisions -----------------------------------------------------------------------------------------------------


def revised(last: float, months: int = 30) -> pl.DataFrame:
    """Synthetic vintages, each of which revises the month before by 1; the last one revises another by `last`."""
    told = [(date(2017 + n // 12, n % 12 + 1, 1), n + k, 100.0 + k) for n in range(months) for k in (0, 1)]
    told.append((date(2017, 1, 1), months + 1, 101.0 + last))
    rows = [
        {"observation_date": day, "release_time": AS_OF.replace(day=1) + timedelta(days=30 * n), "value": value}
        for day, n, value in told
    ]
    return pl.DataFrame(rows).with_columns(series_id=pl.lit("PAYEMS"), provider=pl.lit("fred"))


def test_a_revision_beyond_the_usual_is_named_and_the_usual_is_known_by_earlier_ones_alone() -> None:
    assert apply(call("revisions_are_usual"), revised(20.0), "raw").passed
    report = apply(call("revisions_are_usual"), revised(20.5), "raw")
    assert report.failed_rows == (60,)
    assert report.sample[0]["value"] == "PAYEMS 2017-01-01: by 20.5, usual 1.0"
    assert apply(call("revisions_are_usual"), revised(900.0, months=20), "raw").passed, "too few to tell"
    other = revised(900.0).with_columns(
        provider=pl.when(pl.col("value") > 900).then(pl.lit("bls")).otherwise("provider")
    )
    assert apply(call("revisions_are_usual"), other, "raw").passed, "another holder revises nothing"
