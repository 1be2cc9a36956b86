"""One lake from offline to live: without a key, with FRED's, and on days on which FRED is down.

The stand-ins tell the real vintages of 2016 and synthetic figures from there to today (`providers/told.py`).
"""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from macro_assets.catalog import Catalog, default_catalog, names
from macro_assets.graph.check import parents
from macro_assets.graph.declared import derivations
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.raw import observations_as_of
from macro_assets.sources import http
from macro_assets.sources.http import Patience
from macro_assets_tests.conftest import Built, Ended, Home, copy_of
from macro_assets_tests.once import Said, common_folder, once
from macro_assets_tests.providers import World
from macro_assets_tests.providers.server import serving
from macro_assets_tests.providers.told import VINTAGES, told_of

pytestmark = pytest.mark.skipif(
    not VINTAGES.is_dir(), reason="needs ../shared/vintages, which is not part of the project"
)

CATALOG = default_catalog()
TODAY = datetime.now(UTC).date()
THEN = ("2016-06-30", "2016-07-31")
"""Two instants behind the offline vintages."""

KEY = "FRED_API_KEY"
NEWEST = "PAYEMS"
"""The series of which a figure comes out on the day on which FRED is down."""

DIFFERING: dict[tuple[str, str, date], str] = {}
"""By series, instant and date: why FRED's vintages of 2016 say another figure than the offline ones.

None does: the offline files are two of these vintages, letter for letter.
"""

STAGES = ("offline", "keyless", "down at first", "with a key", "down again", "key gone")


def series_of(catalog: Catalog) -> list[str]:
    """The series that models and charts are made of."""
    found = [i.series for model in catalog.models.values() for i in model.inputs]
    found += [i for chart in catalog.charts.values() for i in chart.of.series]
    found += [i for chart in catalog.charts.values() for table in chart.of.tables for i in catalog.series_behind(table)]
    return [i for i in dict.fromkeys(found) if i in catalog.series]


NOWCAST = sorted(i.series for i in CATALOG.models["gdp_nowcast"].inputs)
LIVE = [i for i in series_of(CATALOG) if {h.provider for h in CATALOG.holdings(i)} > {"bundled"}]
"""Those of them that there are offline and live; what is one alone goes through no stages."""


def behind(charts: Collection[str]) -> list[str]:
    """Tables of models and charts, and what they are made of."""
    found = {f"charts/{name}" for name in charts} | {t for t in CATALOG.tables if names.entry_of(t) in MODELS}
    for derivation in reversed(derivations(CATALOG)):
        if found & {*derivation.tables}:
            found |= {*derivation.tables, *parents(derivation, CATALOG)}
    made = {t for d in derivations(CATALOG) for t in d.tables}
    return sorted(found & made)


MODELS = {("models", name) for name in CATALOG.models}
LOOKED_AT = behind([c for c in CATALOG.charts if c != "bias_pnl"])
"""All but the profits of the bias, which are of the as-of months that are stored: those of the demo."""


@dataclass(frozen=True)
class Stage:
    """What the commands of a stage said, and the lake afterwards."""

    fetch: Ended
    run: Ended
    now: pl.DataFrame
    then: dict[str, pl.DataFrame]
    forecasts: dict[str, pl.DataFrame]
    index: pl.DataFrame
    charts: dict[str, str]


def look(folder: Path) -> Stage:
    lake = Lakehouse(folder / "lake", CATALOG)
    charts = [lake.read(f"charts/{chart}").row(0, named=True) for chart in CATALOG.charts]
    said = json.loads((folder / "said.json").read_text())
    fetch, run = (Ended(words, *outcome) for words, *outcome in said)
    return Stage(
        fetch=fetch,
        run=run,
        now=observations_as_of(None, LIVE, folder / "lake"),
        then={day: observations_as_of(day, LIVE, folder / "lake") for day in THEN},
        forecasts={m: lake.read(f"forecasts/{m}") for m in CATALOG.models},
        index=lake.read("indicators/economic_stress_index"),
        charts={row["chart"]: row["data_note"] for row in charts},
    )


@contextmanager
def environment(world: World, key: bool) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch, serving(world) as variables:
        for name, value in variables.items():
            patch.setenv(name, value)
        if not key:
            patch.delenv(KEY)
        patch.setattr(http, "Patience", partial(Patience, attempts=6, first_delay=0.01, longest_delay=0.1))
        patch.setenv("COLUMNS", "200")
        yield


def go_through(built: Built, folder: Path) -> None:
    """Carry a copy of the lake that was built offline through all stages, and keep it as it is after each."""
    home = copy_of(built, folder / "home")
    told = told_of(CATALOG, TODAY)
    before = World(CATALOG, TODAY, {**told, NEWEST: told[NEWEST].without_last(TODAY)})
    after = World(CATALOG, TODAY, told, down=("fred",))
    worlds = {
        "keyless": (before, False),
        "down at first": (dataclasses.replace(before, down=("fred",), made={}), True),
        "with a key": (before, True),
        "down again": (after, True),
        "key gone": (after, False),
    }
    words = [f"raw/{CATALOG.series[i].source}/{i}" for i in LIVE]
    kept(home, [], folder / "offline")
    for stage, (world, key) in worlds.items():
        with environment(world, key):
            fetch = home.macro("fetch", *words, *(["--all"] if world.down else []), expect=None)
            kept(home, [fetch, home.macro("run", *LOOKED_AT)], folder / stage)


def kept(home: Home, said: Sequence[Ended], folder: Path) -> None:
    shutil.copytree(home.lake, folder / "lake")
    nothing = Ended([], 0, "", "")
    outcomes = [(e.args, e.returncode, e.stdout, e.stderr) for e in said or (nothing, nothing)]
    (folder / "said.json").write_text(json.dumps(outcomes))


@pytest.fixture(scope="module")
def stages(built: Built, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Stage]:
    """Gone through once, for all workers of a test run."""

    def make(folder: Path) -> Said:
        go_through(built, folder)
        return Said("", "")

    folder = common_folder(tmp_path_factory) / "stages"
    once(folder, make)
    return {stage: look(folder / stage) for stage in STAGES}


# --- today ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stage", STAGES[1:])
def test_everything_ends_in_the_present(stages: dict[str, Stage], stage: str) -> None:
    """The index, the nowcast and all charts: the month before last is the least that a month's figures must reach."""
    found = stages[stage]
    due = (TODAY.replace(day=1) - timedelta(days=32)).replace(day=1)
    assert found.index["observation_date"].max() >= due  # type: ignore[operator]
    for name, forecasts in found.forecasts.items():
        latest = forecasts.filter(pl.col("as_of_month") == f"{TODAY:%Y-%m}", pl.col("value").is_not_null())
        assert not latest.is_empty(), name
        assert latest["target_date"].max() >= due - timedelta(days=90), name  # type: ignore[operator]
    for chart, note in found.charts.items():
        assert f"charts/{chart}" not in LOOKED_AT or _ends(note) >= due, f"{chart}: {note}"


def test_offline_ends_in_the_past(stages: dict[str, Stage]) -> None:
    """Else the test above would see nothing."""
    long_ago = date(TODAY.year - 5, 1, 1)
    assert stages["offline"].index["observation_date"].max() < long_ago  # type: ignore[operator]
    assert {_ends(note) < long_ago for note in stages["offline"].charts.values()} == {True}


def _ends(note: str) -> date:
    """The day to which a chart's data are, as its note says."""
    if month := re.search(r"Data to (\w+ \d{4})", note):
        return datetime.strptime(month[1], "%B %Y").date()
    day = re.search(r"As of (\d{4}-\d\d-\d\d)", note)
    assert day is not None, note
    return date.fromisoformat(day[1])


def test_nothing_live_starts_later_than_offline(stages: dict[str, Stage]) -> None:
    offline = _first(stages["offline"].index.select("observation_date", series_id="component"))
    for stage in STAGES[1:]:
        index = stages[stage].index
        assert index["observation_date"].min() <= stages["offline"].index["observation_date"].min()  # type: ignore[operator]
        began = _first(index.select("observation_date", series_id="component"))
        assert {c: began[c] <= first for c, first in offline.items()} == dict.fromkeys(offline, True)


def _first(rows: pl.DataFrame) -> dict[str, date]:
    return dict(rows.group_by("series_id").agg(pl.col("observation_date").min()).iter_rows())


def test_who_serves_is_said(stages: dict[str, Stage]) -> None:
    prices = {i: "yahoo_chart" for i in LIVE if CATALOG.series[i].source == "yahoo_chart"}
    graph = {i: prices.get(i, "fred_graph") for i in LIVE}
    fred = {i: prices.get(i, "fred") for i in LIVE}
    for stage, expected in zip(STAGES[1:], (graph, graph, fred, fred, fred), strict=True):
        now = stages[stage].now
        served = now.group_by("series_id").agg(pl.col("provider").first())
        assert dict(served.iter_rows()) == expected, stage
    added = stages["down again"].now.filter(pl.col("provider") == "fred_graph")
    newest = stages["with a key"].now.filter(pl.col("series_id") == NEWEST)["observation_date"].max()
    assert added["series_id"].to_list() == [NEWEST], "one figure, which FRED's charts had and FRED could not tell"
    assert added["observation_date"].item() > newest
    assert added["release_basis"].to_list() == ["ingested"]


def test_a_day_on_which_fred_is_down_is_red_only_there(stages: dict[str, Stage]) -> None:
    for stage in STAGES[1:]:
        fetch = stages[stage].fetch
        failed = re.findall(r"^FAILED (\S+):", fetch.stdout, re.MULTILINE)
        assert failed == (["raw/fred"] if "down" in stage else []), stage
        assert fetch.returncode == (1 if failed else 0), stage
        assert stages[stage].run.returncode == 0, stage


def test_a_key_that_goes_takes_nothing_along(stages: dict[str, Stage]) -> None:
    """Said once, by the command, and not for each series."""
    assert_frame_equal(stages["key gone"].now, stages["down again"].now)
    fetch = stages["key gone"].fetch
    assert [said.count(KEY) for said in (fetch.stdout, fetch.stderr)] == [1, 0]


# --- 2016 ----------------------------------------------------------------------------------------------------------

OBSERVATION = ["series_id", "observation_date"]


@pytest.mark.parametrize("day", THEN)
@pytest.mark.parametrize("stage", ["keyless", "down at first"])
def test_the_past_is_as_it_was_offline(stages: dict[str, Stage], stage: str, day: str) -> None:
    """The inputs of the nowcast, and so its forecasts, row for row."""
    before, after = (_inputs(stages[s], day) for s in ("offline", stage))
    assert_frame_equal(after, before)
    assert before["provider"].unique().to_list() == ["bundled"]
    for model in CATALOG.models:
        assert_frame_equal(_forecast(stages[stage], model, day), _forecast(stages["offline"], model, day))


@pytest.mark.parametrize("day", THEN)
def test_with_a_key_the_past_is_freds(stages: dict[str, Stage], day: str) -> None:
    """Its vintages say what the offline ones do, but for the dates that are named."""
    offline, fred = (_inputs(stages[s], day) for s in ("offline", "with a key"))
    assert fred["provider"].unique().to_list() == ["fred"]
    both = offline.join(fred, on=OBSERVATION, how="full", coalesce=True, suffix="_fred")
    far = (pl.col("value") - pl.col("value_fred")).abs() > 1e-9 * pl.col("value").abs()
    different = both.filter(far | pl.col("value").is_null() | pl.col("value_fred").is_null())
    assert set(different.select(OBSERVATION).iter_rows()) == {(i, d) for i, at, d in DIFFERING if at == day}
    for model in CATALOG.models:
        was, now = (_forecast(stages[s], model, day) for s in ("offline", "with a key"))
        assert_frame_equal(now, was, rel_tol=1e-9, abs_tol=0)


@pytest.mark.parametrize("day", THEN)
@pytest.mark.parametrize("stage", ["down again", "key gone"])
def test_nothing_is_lost_without_fred(stages: dict[str, Stage], stage: str, day: str) -> None:
    before, after = (_inputs(stages[s], day) for s in ("with a key", stage))
    assert_frame_equal(after, before)
    for model in CATALOG.models:
        assert_frame_equal(_forecast(stages[stage], model, day), _forecast(stages["with a key"], model, day))


def _inputs(stage: Stage, day: str) -> pl.DataFrame:
    return stage.then[day].filter(pl.col("series_id").is_in(NOWCAST)).sort(OBSERVATION)


def _forecast(stage: Stage, model: str, day: str) -> pl.DataFrame:
    """The forecasts of the month that ends on a day, without when and from which rows they were computed."""
    rows = stage.forecasts[model].filter(pl.col("as_of_month") == day[:7])
    assert not rows.is_empty()
    told = ["series_id", "target_date", "horizon", "statistic", "value"]
    return rows.select(told).sort(told)
