"""F13 and F14: odd answers of a provider, from the fetch to the stored rows, and revisions of every kind."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from macro_assets.lakehouse import connect, open_vintages, vintages
from macro_assets.lakehouse.delta import data_version, open_table
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.raw import read_raw
from macro_assets.sources.protocol import Fetched, Window
from macro_assets_tests.intake.taking import Taken, asked, taken
from macro_assets_tests.orchestration.toy import SERIES, Spoil, spoiled_source, toy_catalog

CATALOG = toy_catalog()
RAW = CATALOG.one_table("raw/bundled")
SOURCE = CATALOG.sources["bundled"]
RECENT = Window(first=date(2014, 1, 1))


class Provider:
    """The bundled source behind a connector that can be made to misbehave, and the lake its answers go to."""

    def __init__(self, lake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.lake = lake
        self.spoil: Spoil = lambda fetched: fetched
        self.runs = 0
        spoiled_source(monkeypatch, lambda fetched: self.spoil(fetched))

    def asked(self, series: Sequence[str] = SERIES) -> Taken:
        """What becomes of an answer about some series."""
        self.runs += 1
        return taken(Lakehouse(self.lake, CATALOG), "bundled", series, RECENT, f"run{self.runs}")

    def stored(self) -> pl.DataFrame:
        return read_raw(Lakehouse(self.lake, CATALOG), "bundled")

    def version(self) -> int | None:
        table = open_table(self.lake, RAW.name)
        return None if table is None else table.version()


@pytest.fixture
def provider(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Provider:
    return Provider(tmp_path, monkeypatch)


def failures(done: Taken) -> dict[str, str]:
    return {o.series.id: o.failure for o in done.outcomes if o.failure}


def observations(change: Callable[[pl.DataFrame], pl.DataFrame]) -> Spoil:
    """Change the observations of an answer."""
    return lambda fetched: dataclasses.replace(fetched, observations=change(fetched.observations))


def of(series: str) -> pl.Expr:
    return pl.col("series_id") == series


# --- F13 ------------------------------------------------------------------------------------------------------------


def test_equal_duplicates_are_dropped_and_counted(provider: Provider) -> None:
    """F13: an answer with every row twice says no more than one with every row once."""
    provider.spoil = observations(lambda rows: pl.concat([rows, rows]))
    done = provider.asked()
    assert failures(done) == {}
    assert done.report.duplicate == done.report.seen // 2 > 0
    assert not provider.stored().select(RAW.key).is_duplicated().any()
    provider.spoil = lambda fetched: fetched
    assert provider.asked().report.appended == 0


@pytest.mark.parametrize("series", ["UNRATE", "AAA"])
def test_conflicting_duplicates_refuse_their_series(provider: Provider, series: str) -> None:
    """F13: two values for one release, dated (UNRATE) or not (AAA), are both named; the other series go in."""
    (answer,) = asked(CATALOG, "bundled", [series], RECENT)
    last = answer.fetched.observations.tail(1)
    another = last.with_columns(value=pl.lit(3.125))
    provider.spoil = observations(lambda rows: pl.concat([rows, another]))
    message = failures(provider.asked())[series]
    low, high = sorted([last["value"].item(), 3.125])
    assert f"series {series} of provider bundled: {last['observation_date'].item()} has two values" in message
    assert f"{low} and {high}" in message
    assert set(provider.stored()["series_id"]) == set(SERIES) - {series}


def shrunk(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.filter(~(of("UNRATE") & (pl.col("observation_date") < date(2015, 1, 1))))


def emptied(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.filter(~of("UNRATE"))


@pytest.mark.parametrize(("spoil", "lacking"), [(shrunk, 12), (emptied, 30)])
def test_a_history_that_shrinks_changes_nothing(
    provider: Provider, spoil: Callable[[pl.DataFrame], pl.DataFrame], lacking: int
) -> None:
    """F13: an answer that lacks stored dates is refused, up to an empty one; the other series go on."""
    provider.asked()
    before = provider.stored()
    news = pl.when(of("AAA")).then(pl.col("value") + 0.01).otherwise("value")
    provider.spoil = observations(lambda rows: spoil(rows).with_columns(value=news))
    done = provider.asked()
    assert list(failures(done)) == ["UNRATE"]
    assert f"the answer lacks {lacking} of 30 dates" in failures(done)["UNRATE"]
    unrate = provider.stored().filter(of("UNRATE"))
    assert unrate.equals(before.filter(of("UNRATE")))
    assert done.report.revised == before.filter(of("AAA")).height


def test_an_unsorted_answer_is_fine(provider: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """F13: rows in any order are the same rows."""
    provider.spoil = observations(lambda rows: rows.sample(fraction=1, shuffle=True, seed=1))
    assert failures(provider.asked()) == {}
    sorted_ = Provider(tmp_path / "sorted", monkeypatch)
    sorted_.asked()
    assert data_version(provider.stored(), RAW) == data_version(sorted_.stored(), RAW)


# --- F14 ------------------------------------------------------------------------------------------------------------

JAN, FEB, MAR, APR = (date(2016, m, 1) for m in (1, 2, 3, 4))
Vintages = dict[datetime, dict[date, float | None]]


def noon(month: int, day: int, hour: int = 12) -> datetime:
    return datetime(2016, month, day, hour, tzinfo=UTC)


FIRST = {JAN: 5.0, FEB: 5.1, MAR: 5.2}
HISTORY: Vintages = {
    noon(4, 1): FIRST,
    noon(5, 1): {**FIRST, FEB: 5.15, APR: 5.3},  # a value changed
    noon(5, 10): {**FIRST, APR: 5.3},  # and changed back: this one arrives late
    noon(6, 1): {**FIRST, FEB: 5.15, APR: None},  # a value withdrawn
    noon(7, 1): {**FIRST, FEB: 5.15, APR: 5.3},  # and restored
    noon(8, 1): {**FIRST, FEB: 5.16, APR: 5.3},  # two revisions on one day
    noon(8, 1, 20): {**FIRST, FEB: 5.17, APR: 5.3},
    noon(9, 1): {**FIRST, FEB: 5.17, APR: 5.3},  # nothing new
}
TIMES = list(HISTORY)


def answer(times: Sequence[datetime]) -> Spoil:
    """An answer that is some of the vintages."""

    def spoil(fetched: Fetched) -> Fetched:
        like = fetched.observations.head(1).drop("observation_date", "value", "release_time", "release_basis")
        rows = [(d, v, t, "provider") for t in times for d, v in HISTORY[t].items()]
        schema = {n: fetched.observations.schema[n] for n in ("observation_date", "value", "release_time")}
        stated = pl.DataFrame(rows, schema={**schema, "release_basis": pl.String}, orient="row")
        return dataclasses.replace(
            fetched, observations=stated.join(like, how="cross").select(fetched.observations.columns)
        )

    return spoil


def in_force(times: Sequence[datetime], moment: datetime) -> dict[date, float | None]:
    """What the vintages released by an instant say, by brute force."""
    known: dict[date, float | None] = {}
    for t in sorted(times):
        if t <= moment:
            known |= HISTORY[t]
    return known


def intervals(raw: pl.DataFrame) -> Iterator[tuple[date, float | None, datetime, datetime | None]]:
    """Per stored row: the date it is about, its value, and from when to when that was what was known."""
    rows = raw.sort("observation_date", "release_time").with_columns(
        known_to=pl.col("release_time").shift(-1).over("observation_date")
    )
    yield from rows.select("observation_date", "value", "release_time", "known_to").iter_rows()


ORDERS = {
    "in order": [TIMES[: n + 1] for n in range(len(TIMES))],
    "one late": [[t for t in TIMES[:n] if t != noon(5, 10)] for n in (2, 4, 5, 7)] + [TIMES],
    "all at once": [TIMES],
    "from the latest": [TIMES[n:] for n in reversed(range(len(TIMES)))],
}


@pytest.mark.parametrize("order", [*ORDERS, "at random"])
def test_every_kind_of_revision_is_known_from_then_to_the_next(provider: Provider, order: str) -> None:
    """F14: changed, withdrawn, restored, twice on a day, late. The intervals that the stored rows stand for neither
    overlap nor leave a gap: on both sides of every border, every way of reading answers what the vintages say.
    """
    answers = ORDERS.get(order)
    if answers is None:  # a provider that serves any of its vintages, but always the latest
        some = random.Random(7)
        answers = [[*some.sample(TIMES[:-1], 3), TIMES[-1]] for _ in range(6)] + [TIMES]
    for times in answers:
        provider.spoil = answer(times)
        assert failures(provider.asked(["UNRATE"])) == {}
    stored = provider.stored()
    found = list(intervals(stored))
    con, held = connect(root=provider.lake, catalog=CATALOG), open_vintages(None, provider.lake, CATALOG)

    def known(moment: datetime) -> dict[date, float | None]:
        polars = dict(vintages.in_force(stored, moment).select("observation_date", "value").iter_rows())
        assert dict(held.as_of(moment, ["UNRATE"]).select("observation_date", "value").iter_rows()) == polars
        if order == "one late":  # the twin in SQL costs thirty times as much
            sql = con.execute("SELECT observation_date, value FROM series_as_of('UNRATE', ?)", [moment]).fetchall()
            assert dict(sql) == polars
        return polars

    borders = sorted({*TIMES, *(i[2] for i in found)})
    answered = {m: known(m) for t in borders for m in (t - timedelta(microseconds=1), t)}
    assert all(a == in_force(TIMES, m) for m, a in answered.items())
    for day, value, known_from, known_to in found:
        assert known_to is None or known_from < known_to
        last = known_to - timedelta(microseconds=1) if known_to else max(borders)
        assert answered[known_from][day] == answered[last][day] == value
    assert {day for day, *_ in found} == {JAN, FEB, MAR, APR}
    version = provider.version()
    provider.asked(["UNRATE"])
    assert provider.version() == version
