"""The raw step: one bad series stops nothing, turns the run red, and loses nothing that was stored."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import pytest

from macro_assets.lakehouse import raw as raw_tables
from macro_assets.lakehouse.appending import AppendReport, rows_to_append
from macro_assets.lakehouse.delta import open_table
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.orchestration.partitions import YEARS
from macro_assets.sources.protocol import Fetched
from macro_assets_tests.orchestration.toy import (
    SERIES,
    THIS_YEAR,
    execute,
    raw_keys,
    spoiled_source,
    toy_catalog,
    toy_definitions,
    with_values,
)

CATALOG = toy_catalog()
RAW = CATALOG.one_table("raw/bundled")
FAILED = dict.fromkeys(SERIES, "the provider is down")


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


def stored(root: Path) -> pl.DataFrame:
    return Lakehouse(root, CATALOG).read(RAW.name)


def checks(result: dg.ExecuteInProcessResult) -> dict[str, bool]:
    return {"/".join(e.asset_key.path[2:]) or "complete": e.passed for e in result.get_asset_check_evaluations()}


def materialized(result: dg.ExecuteInProcessResult) -> set[str]:
    return {"/".join(e.asset_key.path) for e in result.get_asset_materialization_events() if e.asset_key}


def failure(result: dg.ExecuteInProcessResult, step: str) -> str:
    (event,) = [e for e in result.all_events if e.is_step_failure and e.step_key == step]
    return str(event.step_failure_data.user_failure_data.description)


def test_a_good_run_stores_lands_and_checks_everything(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    result = execute(toy_definitions(tmp_path), instance, raw_keys(*SERIES))
    assert result.success
    assert checks(result) == {**dict.fromkeys(SERIES, True), "complete": True}
    assert materialized(result) == {"raw/bundled", *(f"raw/bundled/{s}" for s in SERIES)}
    assert set(stored(tmp_path)["series_id"]) == set(SERIES)
    landed = Lakehouse(tmp_path, CATALOG).read("landing/bundled")
    assert landed.height == 3  # two vintages and one arch file
    assert set(stored(tmp_path)["payload_sha256"]) == set(landed["payload_sha256"])
    for s in SERIES:
        assert instance.get_materialized_partitions(raw_keys(s)[0]) == set(YEARS.get_partition_keys())


def test_the_same_again_adds_no_row_and_no_version(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    definitions = toy_definitions(tmp_path)
    execute(definitions, instance, raw_keys(*SERIES))
    before = {n: open_table(tmp_path, f"{n}/bundled").version() for n in ("raw", "landing")}  # type: ignore[union-attr]
    again = execute(definitions, instance, raw_keys(*SERIES))
    assert again.success
    assert {n: open_table(tmp_path, f"{n}/bundled").version() for n in ("raw", "landing")} == before  # type: ignore[union-attr]


def out_of_bounds(fetched: Fetched) -> Fetched:
    return with_values("UNRATE", pl.when(pl.col("observation_date") == date(2016, 1, 1)).then(1e9).otherwise("value"))(
        fetched
    )


def conflicting(fetched: Fetched) -> Fetched:
    twice = fetched.observations.filter(pl.col("series_id") == "UNRATE").tail(1).with_columns(value=pl.lit(3.3))
    return dataclasses.replace(fetched, observations=pl.concat([fetched.observations, twice]))


def not_served(fetched: Fetched) -> Fetched:
    kept = fetched.observations.filter(pl.col("series_id") != "UNRATE")
    return dataclasses.replace(fetched, observations=kept, failures={"UNRATE": "the provider is down"})


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (out_of_bounds, "value less_than_or_equal_to"),
        (conflicting, "has two values at the release time"),
        (not_served, "the provider is down"),
    ],
)
def test_one_bad_series_reddens_the_run_and_stops_nothing(
    tmp_path: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch, spoil: object, words: str
) -> None:
    spoiled_source(monkeypatch, spoil)  # type: ignore[arg-type]
    definitions = toy_definitions(tmp_path)
    below = dg.AssetKey(["normalized", "fred"])
    result = execute(definitions, instance, [*raw_keys(*SERIES), below])
    assert not result.success
    assert {k: v for k, v in checks(result).items() if k in SERIES} == {"PAYEMS": True, "UNRATE": False, "AAA": True}
    assert "raw/bundled/UNRATE" not in materialized(result)
    assert {"raw/bundled", "raw/bundled/PAYEMS", "normalized/fred"} <= materialized(result)
    message = failure(result, "raw__bundled_complete")
    assert "UNRATE" in message
    assert words in message
    assert "PAYEMS" not in message


def test_rows_that_fail_are_not_written_and_the_others_are(
    tmp_path: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoiled_source(monkeypatch, out_of_bounds)
    execute(toy_definitions(tmp_path), instance, raw_keys(*SERIES))
    unrate = stored(tmp_path).filter(pl.col("series_id") == "UNRATE")
    assert date(2016, 1, 1) not in set(unrate["observation_date"])
    assert date(2015, 12, 1) in set(unrate["observation_date"])


def test_a_bad_fetch_keeps_the_last_good_data(
    tmp_path: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    definitions = toy_definitions(tmp_path)
    execute(definitions, instance, raw_keys(*SERIES))
    good = stored(tmp_path)
    spoiled_source(monkeypatch, with_values("UNRATE", pl.col("value") * 1000))
    assert not execute(definitions, instance, raw_keys(*SERIES)).success
    assert stored(tmp_path).equals(good)


def test_a_series_that_fails_is_marked_stale_since_it_was_had_last(
    tmp_path: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stale_since() -> dict[str, object]:
        result = execute(toy_definitions(tmp_path), instance, raw_keys(*SERIES))
        found = [e for e in result.get_asset_check_evaluations() if "stale_since" in e.metadata]
        return {e.asset_key.path[-1]: e.metadata["stale_since"].value for e in found}

    spoiled_source(monkeypatch, with_values("AAA", pl.lit(99999.0)))
    assert stale_since() == {"AAA": "never had"}
    monkeypatch.undo()
    assert stale_since() == {}
    log = Lakehouse(tmp_path, CATALOG).read("fetch_log/bundled")
    had = log.row(by_predicate=pl.col("series_id") == "AAA", named=True)["last_success"]
    spoiled_source(monkeypatch, with_values("AAA", pl.lit(99999.0)))
    assert stale_since() == {"AAA": had.isoformat(timespec="seconds")}


def test_a_connector_that_breaks_fails_its_series_and_not_what_is_below(
    tmp_path: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    definitions = toy_definitions(tmp_path)
    execute(definitions, instance, raw_keys(*SERIES))
    good = stored(tmp_path)

    def broken(fetched: Fetched) -> Fetched:
        raise RuntimeError("synthetic defect")

    spoiled_source(monkeypatch, broken)
    result = execute(definitions, instance, [*raw_keys(*SERIES), dg.AssetKey(["normalized", "fred"])])
    assert not result.success
    assert {"raw/bundled", "normalized/fred"} <= materialized(result)
    assert "synthetic defect" in failure(result, "raw__bundled_complete")
    assert stored(tmp_path).equals(good)


def test_without_the_table_the_step_logs_it_and_raises_itself(
    tmp_path: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Retries and backfills select series alone; the `complete` check does not run then."""
    spoiled_source(monkeypatch, not_served)
    result = execute(toy_definitions(tmp_path), instance, raw_keys("UNRATE", "PAYEMS", table=False))
    assert not result.success
    assert "UNRATE: the provider is down" in failure(result, "raw__bundled")
    assert {"raw/bundled", "raw/bundled/PAYEMS"} <= materialized(result)
    assert set(stored(tmp_path)["series_id"]) == {"PAYEMS"}


@pytest.mark.parametrize("table", [True, False])
def test_a_first_fetch_that_fails_makes_no_table_and_is_red(
    tmp_path: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch, table: bool
) -> None:
    """An empty table that comes out would be news to all that is below."""
    spoiled_source(monkeypatch, lambda f: dataclasses.replace(f, observations=f.observations.clear(), failures=FAILED))
    result = execute(toy_definitions(tmp_path), instance, raw_keys(*SERIES, table=table))
    assert not result.success
    assert "UNRATE: the provider is down" in failure(result, "raw__bundled")
    assert materialized(result) == set()
    assert open_table(tmp_path, RAW.name) is None
    assert checks(result) == (
        {**dict.fromkeys(SERIES, False), "complete": False} if table else dict.fromkeys(SERIES, False)
    )


def test_a_run_that_goes_on_is_not_stopped_by_a_table_that_has_nothing(
    tmp_path: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoiled_source(monkeypatch, lambda f: dataclasses.replace(f, observations=f.observations.clear(), failures=FAILED))
    below = dg.AssetKey(["normalized", "fred"])
    result = execute(toy_definitions(tmp_path), instance, [*raw_keys(*SERIES), below])
    assert not result.success
    assert materialized(result) == {"raw/bundled", "normalized/fred"}
    assert "UNRATE: the provider is down" in failure(result, "raw__bundled_complete")


def test_the_table_alone_fetches_nothing(
    tmp_path: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    definitions = toy_definitions(tmp_path)
    execute(definitions, instance, raw_keys("PAYEMS"))

    def unexpected(fetched: Fetched) -> Fetched:
        raise AssertionError("the table alone must not fetch")

    spoiled_source(monkeypatch, unexpected)
    result = execute(definitions, instance, raw_keys(), tags=None)
    assert result.success
    assert materialized(result) == {"raw/bundled"}


def test_without_a_fetch_the_check_is_about_the_latest_one(
    tmp_path: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    definitions = toy_definitions(tmp_path)
    spoiled_source(monkeypatch, not_served)
    execute(definitions, instance, raw_keys(*SERIES))
    result = execute(definitions, instance, raw_keys(), tags=None)
    assert "UNRATE: the provider is down" in failure(result, "raw__bundled_complete")


def test_a_partition_is_what_is_asked(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    """What was never had whole is asked for whole: years that nobody asked for are logged where they have figures."""
    definitions = toy_definitions(tmp_path)
    one = {"dagster/asset_partition_range_start": "2015", "dagster/asset_partition_range_end": "2015"}
    assert execute(definitions, instance, raw_keys("PAYEMS"), one).success
    assert stored(tmp_path)["observation_date"].min() == date(1985, 1, 1)
    assert instance.get_materialized_partitions(raw_keys("PAYEMS")[0]) == {str(y) for y in range(2010, 2017)}
    assert execute(definitions, instance, raw_keys("PAYEMS"), one).success
    asked = Lakehouse(tmp_path, CATALOG).read("landing/bundled").select("window_first", "window_last")
    assert set(asked.iter_rows()) == {(None, None), (date(2015, 1, 1), date(2015, 12, 31))}
    log = Lakehouse(tmp_path, CATALOG).read("fetch_log/bundled").row(0, named=True)
    assert log["is_whole"]
    assert log["rows_seen"] >= stored(tmp_path).height, "the body has all of it, in both vintages"


def test_years_loaded_in_any_order_give_the_same_table(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    def years(a: str, b: str) -> dict[str, str]:
        return {"dagster/asset_partition_range_start": a, "dagster/asset_partition_range_end": b}

    at_once, piecewise = tmp_path / "a", tmp_path / "b"
    execute(toy_definitions(at_once), instance, raw_keys(*SERIES))
    for a, b in [("2015", THIS_YEAR), ("2010", "2011"), ("2011", "2016")]:
        assert execute(toy_definitions(piecewise), instance, raw_keys(*SERIES), years(a, b)).success
    said = ["series_id", "observation_date", "value", "release_time", "release_basis"]
    assert stored(piecewise).select(said).sort(said).equals(stored(at_once).select(said).sort(said))


def test_a_revision_for_a_year_nobody_asked_for_lands_and_is_logged(
    tmp_path: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    def with_another_year(fetched: Fetched) -> Fetched:
        stray = fetched.observations.tail(1).with_columns(observation_date=pl.lit(date(2012, 3, 1)))
        others = fetched.observations.filter(pl.col("observation_date") != date(2012, 3, 1))
        return dataclasses.replace(fetched, observations=pl.concat([others, stray]))

    one = {"dagster/asset_partition_range_start": "2015", "dagster/asset_partition_range_end": "2015"}
    assert execute(toy_definitions(tmp_path), instance, raw_keys("PAYEMS")).success
    spoiled_source(monkeypatch, with_another_year)
    result = execute(toy_definitions(tmp_path), instance, raw_keys("PAYEMS"), one)
    assert result.success
    events = result.get_asset_materialization_events()
    assert {e.partition for e in events if e.asset_key == raw_keys("PAYEMS")[0]} == {"2015", "2012"}


LATE = datetime(2016, 7, 10, tzinfo=UTC)


def with_a_late_vintage(fetched: Fetched) -> Fetched:
    """Payrolls of a month that no vintage revises, as nobody told them, between the two."""
    month = (pl.col("series_id") == "PAYEMS") & (pl.col("observation_date") == date(2010, 5, 1))
    late = fetched.observations.filter(month).head(1).with_columns(value=pl.lit(150_000.0), release_time=LATE)
    return dataclasses.replace(fetched, observations=pl.concat([fetched.observations, late]))


def with_a_large_revision(fetched: Fetched) -> Fetched:
    """A further vintage of payrolls, in which a month is revised by a fifth."""
    month = (pl.col("series_id") == "PAYEMS") & (pl.col("observation_date") == date(2010, 5, 1))
    new = (
        fetched.observations.filter(month)
        .tail(1)
        .with_columns(value=pl.col("value") * 1.15, release_time=datetime(2016, 8, 5, tzinfo=UTC))
    )
    return dataclasses.replace(fetched, observations=pl.concat([fetched.observations, new]))


def test_a_revision_beyond_the_usual_is_told_and_stored(
    tmp_path: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = CATALOG.one_table("raw/bundled")
    eager = table.model_copy(update={"rules": (table.rules[0].model_copy(update={"arguments": {"min_revisions": 2}}),)})
    catalog = dataclasses.replace(CATALOG, tables={**CATALOG.tables, table.name: eager})
    definitions = toy_definitions(tmp_path, catalog)
    first = execute(definitions, instance, raw_keys(*SERIES))
    spoiled_source(monkeypatch, with_a_large_revision)
    second = execute(definitions, instance, raw_keys(*SERIES))
    before, after = ([e for e in r.get_asset_check_evaluations() if e.check_name == "rules"] for r in (first, second))
    assert [e.passed for e in before] == [True]
    assert [(e.passed, e.severity) for e in after] == [(False, dg.AssetCheckSeverity.WARN)]
    assert "PAYEMS 2010-05-01: by 195" in str(after[0].description)
    assert second.success
    assert 130661.0 * 1.15 in stored(tmp_path).filter(pl.col("series_id") == "PAYEMS")["value"]


def without_what_defends_the_later_vintage(*given: Any) -> tuple[pl.DataFrame, AppendReport]:
    added, report = rows_to_append(*given)
    return added.filter(pl.col("release_time") <= LATE), report


def past(result: dg.ExecuteInProcessResult) -> dg.AssetCheckEvaluation:
    (found,) = [e for e in result.get_asset_check_evaluations() if e.check_name == "past"]
    return found


def test_a_vintage_that_comes_late_warns_and_one_that_overrules_a_later_is_an_error(
    tmp_path: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder, is_broken in ((tmp_path / "sound", False), (tmp_path / "broken", True)):
        definitions = toy_definitions(folder)
        with monkeypatch.context() as patched:
            assert past(execute(definitions, instance, raw_keys(*SERIES))).passed, "a first load"
            assert past(execute(definitions, instance, raw_keys(*SERIES))).passed, "the same again"
            spoiled_source(patched, with_a_late_vintage)
            if is_broken:
                patched.setattr(raw_tables, "rows_to_append", without_what_defends_the_later_vintage)
            found = past(execute(definitions, instance, raw_keys(*SERIES)))
        assert not found.passed
        assert found.severity == (dg.AssetCheckSeverity.ERROR if is_broken else dg.AssetCheckSeverity.WARN)
        assert "series PAYEMS of bundled: vintages came late" in str(found.description)
        assert ("a late vintage overrules a later one" in str(found.description)) is is_broken


def test_the_data_version_follows_the_stored_state(
    tmp_path: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    definitions = toy_definitions(tmp_path)

    def version() -> str:
        result = execute(definitions, instance, raw_keys(*SERIES))
        (event,) = [e for e in result.get_asset_materialization_events() if e.asset_key == raw_keys()[0]]
        return str(event.materialization.tags["dagster/data_version"])  # type: ignore[index]

    first = version()
    assert version() == first
    spoiled_source(monkeypatch, with_values("AAA", pl.col("value") + 0.01))
    assert version() != first
