"""As-of months: each stored and logged by itself, a bad one named, and what did not change not computed."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from macro_assets.catalog import Catalog, RuleCall
from macro_assets.catalog.kinds.rule import Severity
from macro_assets.graph.derivation import Derivation
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.raw import append_vintages, invalidate
from macro_assets.orchestration.assets import months as months_module
from macro_assets.orchestration.describe import key
from macro_assets.orchestration.partitions import AS_OF_MONTHS
from macro_assets.orchestration.records import Record, inputs_metadata
from macro_assets.orchestration.run import run, select
from macro_assets.orchestration.summary import Summary
from macro_assets_tests.graph.toy import BAD, DOUBLE, MEAN, as_of_catalog, as_of_graph
from macro_assets_tests.lakehouse.synthetic import day
from macro_assets_tests.lakehouse.synthetic import row as raw_row

SERIES = "UNRATE"
RELEASED = day(10)  # of January 2020
MONTHS = ("2020-01", "2020-02", "2020-03")

AsOf = Callable[..., Summary]


@pytest.fixture
def catalog() -> Catalog:
    return as_of_catalog()


@pytest.fixture
def lake(tmp_path: Path, catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> Lakehouse:
    """A lake with one figure, known from January 2020 on."""
    monkeypatch.setenv("MACRO_LAKE", str(tmp_path))
    lake = Lakehouse(tmp_path, catalog)
    release(lake, 4.0, RELEASED)
    return lake


def release(lake: Lakehouse, value: float, when: object, series: str = SERIES, first: date = date(2019, 12, 1)) -> None:
    told = {**raw_row(first, value, when), "series_id": series}  # type: ignore[arg-type]
    append_vintages("bundled", pl.DataFrame([told]).drop("run_id"), "run", root=lake.root, catalog=lake.catalog)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


@pytest.fixture
def as_of(lake: Lakehouse, instance: dg.DagsterInstance) -> AsOf:
    """`macro run forecasts` of the toy graph over the first months of 2020."""

    def call(
        found: Sequence[Derivation] | None = None,
        first: str = MONTHS[0],
        last: str = MONTHS[-1],
        force: bool = False,
        words: Sequence[str] = ("forecasts/toy_mean", "forecasts/toy_double"),
    ) -> Summary:
        found = found or as_of_graph()
        chosen = select(list(words), lake.catalog, first, last, found=found)
        return run(lake, chosen, instance, force, found)

    return call


def stored(lake: Lakehouse, table: str = MEAN) -> dict[str, float]:
    return dict(lake.read(table).select("as_of_month", "index_value").sort("as_of_month").iter_rows())


def made(instance: dg.DagsterInstance, table: str = MEAN) -> set[str]:
    return instance.get_materialized_partitions(key(table))


def test_months_are_stored_one_by_one_and_a_table_reads_the_month_of_another(lake: Lakehouse, as_of: AsOf) -> None:
    assert not as_of().failures
    assert stored(lake) == dict.fromkeys(MONTHS, 4.0)
    assert stored(lake, DOUBLE) == dict.fromkeys(MONTHS, 8.0)


def test_a_bad_month_is_named_and_the_others_are_stored(
    lake: Lakehouse, as_of: AsOf, instance: dg.DagsterInstance
) -> None:
    """Case 10: a backfill with one month that could not be run stored none."""
    summary = as_of(as_of_graph(bad=["2020-02"]))
    ((name, why),) = summary.failures.items()
    assert name == MEAN
    assert f"1 as-of month could not be computed; what was stored of it was kept:\n  2020-02 {MEAN}: {BAD}" in why
    assert f"2020-02 {DOUBLE}: it needs {MEAN}, which could not be computed" in why
    for table in (MEAN, DOUBLE):
        assert set(stored(lake, table)) == made(instance, table) == {"2020-01", "2020-03"}
    mended = as_of()
    assert mended.reasons[f"{MEAN} 2020-02"] == mended.reasons[f"{DOUBLE} 2020-02"] == "never computed"
    assert set(stored(lake, DOUBLE)) == set(MONTHS)


@pytest.mark.parametrize("severity", ["warn", "error"])
def test_a_rule_that_warns_of_a_month_is_told_and_the_month_is_stored(
    lake: Lakehouse, instance: dg.DagsterInstance, severity: Severity
) -> None:
    rule = RuleCall(rule="within", severity=severity, arguments={"column": "index_value", "high": 3})
    table = lake.table(MEAN).model_copy(update={"rules": (rule,)})
    strict = Lakehouse(lake.root, dataclasses.replace(lake.catalog, tables={**lake.catalog.tables, MEAN: table}))
    found = as_of_graph()
    summary = run(strict, select([MEAN], strict.catalog, *MONTHS[:1] * 2, found=found), instance, False, found)
    assert list(summary.warnings if severity == "warn" else summary.failures) == [MEAN]
    assert not (summary.failures if severity == "warn" else summary.warnings)
    if severity == "warn":
        assert summary.warnings[MEAN].startswith(f"2020-01: table {MEAN}: 1 of 1 rows fail")
        assert stored(lake) == {"2020-01": 4.0}


def test_a_month_before_anything_was_known_is_empty_with_its_reason(
    lake: Lakehouse, as_of: AsOf, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = as_of(first="2019-12", last="2020-01")
    assert not summary.failures
    assert set(stored(lake)) == {"2020-01"}
    assert made(instance) == {"2019-12", "2020-01"}
    before = last(instance, "2019-12")
    assert before.metadata["empty"].value == "nothing was known of any input by the end of 2019-12"
    assert before.metadata["dagster/row_count"].value == 0
    assert as_of(first="2019-12", last="2020-01").runs == 0, "an empty month is up to date"
    monkeypatch.setattr("macro_assets.orchestration.run.stale_months", asked_for_all)
    as_of(first="2019-12", last="2020-01")
    after = last(instance, "2019-12")
    assert "unchanged_since" in after.metadata
    assert after.description == before.description == before.metadata["empty"].value == after.metadata["empty"].value


def test_months_that_offline_figures_do_not_reach_are_empty_and_live_ones_are_refused(
    lake: Lakehouse, as_of: AsOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The three endings: a month on which every input is stale is a failure only if somebody goes on publishing."""
    found = as_of_graph(stale=True)
    assert not as_of(found).failures
    assert stored(lake) == {}
    monkeypatch.setattr(type(lake.catalog.sources["bundled"]), "is_live", property(lambda _: True))
    summary = as_of(found, force=True)
    assert "3 as-of months could not be computed" in summary.failures[MEAN]
    assert "too old" in summary.failures[MEAN]


def test_nothing_is_computed_twice(lake: Lakehouse, as_of: AsOf, monkeypatch: pytest.MonkeyPatch) -> None:
    """A figure that is released later changes the months from then on, one of another series none."""
    as_of()
    computed: list[str] = []
    compute = months_module.month_of

    def counted(derivation: Derivation, inputs: object, month: str) -> object:
        computed.append(f"{derivation.tables[0]} {month}")
        return compute(derivation, inputs, month)  # type: ignore[arg-type]

    monkeypatch.setattr(months_module, "month_of", counted)
    release(lake, 9.0, RELEASED, series="PAYEMS")
    assert as_of().runs == 0
    release(lake, 6.0, RELEASED + timedelta(days=31))
    summary = as_of()
    assert set(summary.reasons) == {f"{MEAN} 2020-02", f"{MEAN} 2020-03"} | {f"{DOUBLE} 2020-02", f"{DOUBLE} 2020-03"}
    assert summary.reasons[f"{MEAN} 2020-02"] == f"{SERIES} changed"
    assert stored(lake) == {"2020-01": 4.0, "2020-02": 6.0, "2020-03": 6.0}
    assert sorted(computed) == sorted(summary.reasons)


def test_a_step_that_finds_nothing_changed_says_since_when(
    lake: Lakehouse, as_of: AsOf, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As under the daemon and in a backfill: asked all the same, it has the same data version and computes nothing."""
    as_of()
    before = last(instance, "2020-02")
    monkeypatch.setattr("macro_assets.orchestration.run.stale_months", asked_for_all)
    monkeypatch.setattr(months_module, "month_of", None)  # nothing may be computed
    summary = as_of()
    assert not summary.failures
    assert summary.layers["forecasts"].ran == 0
    after = last(instance, "2020-02")
    assert after.tags == before.tags
    assert after.metadata.keys() - before.metadata.keys() == {"unchanged_since"}
    assert before.metadata.items() <= after.metadata.items(), "the UI shows the latest materialization alone"


def test_the_input_that_made_a_month_stale_is_named() -> None:
    """Also where a version has a colon in it: of the open month it is the series that are fresh."""
    inputs = inputs_metadata({"AAA": "1", "the instant": "open, fresh: AAA BAA"})["inputs"].value
    record = Record("code", "slice", "data", inputs, "now")
    assert record.why_stale("code", {"AAA": "1", "the instant": "open, fresh: AAA"}, "data") == "the instant changed"
    assert record.why_stale("code", {"AAA": "2", "the instant": "open, fresh: AAA BAA"}, "data") == "AAA changed"


def asked_for_all(
    lake: object, instance: object, months: dict[Derivation, Sequence[str]]
) -> dict[tuple[str, str], str]:
    return {(t, m): "asked for" for d, asked in months.items() for t in d.tables for m in asked}


def last(instance: dg.DagsterInstance, month: str) -> dg.AssetMaterialization:
    wanted = dg.AssetRecordsFilter(key(MEAN), asset_partitions=[month])
    (record,) = instance.fetch_materializations(wanted, limit=1).records
    assert record.asset_materialization is not None
    return record.asset_materialization


def test_a_decision_changes_the_months_after_it(lake: Lakehouse, as_of: AsOf) -> None:
    """One taken today changes the open month and none of the past: what was known then is what was known."""
    now = AS_OF_MONTHS.get_last_partition_key()
    assert now is not None
    as_of()
    as_of(first=now, last=now)
    assert stored(lake)[now] == 4.0
    invalidate(SERIES, date(2019, 12, 1), RELEASED, "synthetic", "test", lake.root, lake.catalog)
    assert as_of().runs == 0
    assert as_of(first=now, last=now).reasons[f"{MEAN} {now}"].startswith(SERIES)
    assert now not in stored(lake)


def test_another_scale_of_a_series_computes_its_months_again(lake: Lakehouse, instance: dg.DagsterInstance) -> None:
    """What a month is given are values in standard units: the scale is part of what was read."""
    found = as_of_graph()
    chosen = select([MEAN], lake.catalog, MONTHS[0], MONTHS[-1], found=found)
    run(lake, chosen, instance, found=found)
    entry = lake.catalog.series[SERIES].model_copy(update={"scale": 10.0})
    scaled = dataclasses.replace(lake.catalog, series={**lake.catalog.series, SERIES: entry})
    summary = run(Lakehouse(lake.root, scaled), chosen, instance, found=found)
    assert summary.reasons[f"{MEAN} {MONTHS[0]}"] == f"{SERIES} changed"
    assert stored(lake) == dict.fromkeys(MONTHS, 40.0)


def test_months_that_were_damaged_are_computed_again(lake: Lakehouse, as_of: AsOf) -> None:
    as_of()
    from macro_assets.lakehouse.write import overwrite

    wrong = lake.read(MEAN).filter(pl.col("as_of_month") == "2020-02").with_columns(index_value=pl.lit(99.0))
    overwrite(lake, MEAN, wrong, {}, ["2020-02"])
    overwrite(lake, MEAN, wrong.clear(), {}, ["2020-03"])
    summary = as_of()
    assert summary.reasons[f"{MEAN} 2020-02"] == "what is stored is not what was computed"
    assert summary.reasons[f"{MEAN} 2020-03"] == "what is stored is not what was computed"
    assert f"{MEAN} 2020-01" not in summary.reasons
    assert stored(lake) == dict.fromkeys(MONTHS, 4.0)


def test_a_run_that_was_killed_between_two_months_is_gone_on_with(
    lake: Lakehouse, as_of: AsOf, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    compute = months_module.month_of

    def killed(derivation: Derivation, inputs: object, month: str) -> object:
        if month == "2020-03":
            raise KeyboardInterrupt
        return compute(derivation, inputs, month)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(months_module, "month_of", killed)
        as_of()
    assert set(stored(lake)) == made(instance) == {"2020-01", "2020-02"}
    assert set(as_of().reasons) == {f"{MEAN} 2020-03", f"{DOUBLE} 2020-03"}
    assert set(stored(lake)) == set(MONTHS)


def test_a_selected_table_of_several_is_computed_alone(lake: Lakehouse, as_of: AsOf) -> None:
    as_of(words=[MEAN])
    assert stored(lake) == dict.fromkeys(MONTHS, 4.0)
    assert stored(lake, DOUBLE) == {}
    as_of(words=[DOUBLE])
    assert stored(lake, DOUBLE) == dict.fromkeys(MONTHS, 8.0)
