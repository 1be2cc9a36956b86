"""The vintage store against other stores: as-of reads, the daily refresh, new processes, and growth.

Every contender holds the same synthetic vintages (`vintage_data.py`) and must give the expected rows before it is
timed, and again after the refreshes. Reads end in a Polars, Arrow or pandas frame in this process, whichever the
contender makes fastest. What is not installed is shown as "not run".
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import ours
import polars as pl
from peers import COLUMNS, NotInstalledError, Peer, in_common_form
from peers import plain_parquet as parquet
from peers.arctic import Arctic
from peers.in_memory import PandasInMemory, PolarsInMemory
from peers.postgres import Postgres
from peers.sqlite import Sqlite
from race import Report, run_race, show_race
from vintage_data import SyntheticVintages
from vintage_growth import growth
from vintage_processes import first_answer, readers

ROWS = 2_000_000
TABLES = 250
SERIES_ROUNDS, PANEL_ROUNDS, REFRESH_ROUNDS = 21, 9, 9

FRESH, HELD, SQL = "ours, fresh look", "ours, held in memory", "ours, SQL session"
FLOOR = "floor: Polars in RAM"
PER_SERIES = "floor: Parquet file per series, no sync"


def open_peers(folder: Path, frame: pl.DataFrame) -> tuple[dict[str, Peer], dict[str, str]]:
    """Every peer that can run here, loaded; and why the others cannot."""
    makers: dict[str, Callable[[], Peer]] = {
        FLOOR: lambda: PolarsInMemory(frame),
        "pandas in RAM": lambda: PandasInMemory(frame),
        "SQLite": lambda: Sqlite(folder / "off.sqlite", frame, "OFF"),
        "ArcticDB": lambda: Arctic(folder / "arctic", frame),
        "PostgreSQL": lambda: Postgres(folder / "pg", frame),
    }
    peers: dict[str, Peer] = {}
    absent: dict[str, str] = {}
    for name, make in makers.items():
        try:
            peer = make()
        except (NotInstalledError, ImportError) as error:
            absent[name] = str(error)
        else:
            peers[peer.name] = peer
    return peers, absent


def check(answers: Mapping[str, pl.DataFrame], expected: pl.DataFrame, what: str) -> None:
    """Raise unless every contender gives the expected rows, to the last bit."""
    for name, rows in answers.items():
        if not rows.equals(expected):
            differing = rows.join(expected, on=expected.columns, how="anti", nulls_equal=True)
            raise AssertionError(
                f"{name}: {what}: {rows.height} rows, expected {expected.height}; {differing.height} differ: "
                f"{differing.head(3).rows()}"
            )


def check_all(lake: ours.Lake, peers: Mapping[str, Peer], data: SyntheticVintages, moment: datetime) -> None:
    """Every contender's panel and one series at an instant."""
    panel, one = data.known(moment), data.ids[len(data.ids) // 2]
    panels = {
        FRESH: in_common_form(ours.panel_as_of(lake, moment)),
        HELD: in_common_form(ours.held_panel_as_of(lake, moment)),
        SQL: in_common_form(ours.sql_panel_as_of(lake, moment)),
        **{name: peer.rows(peer.panel(moment)) for name, peer in peers.items()},
    }
    check(panels, panel, f"panel as of {moment}")
    series = {
        FRESH: in_common_form(ours.series_as_of(lake, one, moment)),
        HELD: in_common_form(ours.held_series_as_of(lake, one, moment)),
        SQL: in_common_form(ours.sql_series_as_of(lake, one, moment)),
        **{name: peer.rows(peer.series(one, moment)) for name, peer in peers.items()},
    }
    check(series, panel.filter(pl.col("series_id") == one), f"{one} as of {moment}")


def reads(
    lake: ours.Lake, peers: Mapping[str, Peer], absent: dict[str, str], data: SyntheticVintages, report: Report
) -> None:
    """Race R1: one series and the panel as of random instants."""
    moments = data.moments(SERIES_ROUNDS)
    for moment in moments[:3]:
        check_all(lake, peers, data, moment)

    def one(number: int) -> str:
        return data.ids[number * 37 % len(data.ids)]

    size = f"{data.rows:,} rows = {len(data.ids)} series x {len(data.dates)} dates x {data.vintages} vintages"
    series = run_race(
        f"R1a one series as of D, {size}",
        {
            FRESH: lambda i: ours.series_as_of(lake, one(i), moments[i]),
            HELD: lambda i: ours.held_series_as_of(lake, one(i), moments[i]),
            SQL: lambda i: ours.sql_series_as_of(lake, one(i), moments[i]),
            **{n: lambda i, p=p: p.series(one(i), moments[i]) for n, p in peers.items()},
        },
        SERIES_ROUNDS,
        absent,
        primed=True,
    )
    panel = run_race(
        f"R1b panel as of D, {size}",
        {
            FRESH: lambda i: ours.panel_as_of(lake, moments[i]),
            HELD: lambda i: ours.held_panel_as_of(lake, moments[i]),
            SQL: lambda i: ours.sql_panel_as_of(lake, moments[i]),
            **{n: lambda i, p=p: p.panel(moments[i]) for n, p in peers.items()},
        },
        PANEL_ROUNDS,
        absent,
    )
    for race in (series, panel):
        report.races.append(race)
        show_race(race)
    for way in (HELD, FRESH, SQL):
        name = way.removeprefix("ours, ")
        report.ratios += series.ratio(f"one series as of D ({name})", way, "ArcticDB", 1.5)
        report.ratios += panel.ratio(f"panel as of D ({name})", way, FLOOR, 2.0)
        for other in ("PostgreSQL", "SQLite, synchronous OFF"):
            report.ratios += panel.ratio(f"panel as of D ({name})", way, other, 0.1)


def refreshes(
    folder: Path,
    lake: ours.Lake,
    peers: Mapping[str, Peer],
    absent: dict[str, str],
    data: SyntheticVintages,
    report: Report,
) -> None:
    """Race R3: one refresh a round, the same batch for all; then everyone is asked for the past and the present."""
    before = data.moments(1)[0]
    batches = [data.refresh() for _ in range(REFRESH_ROUNDS + 1)]
    narrow = [b.select(COLUMNS) for b in batches]
    files = [{key[0]: rows for key, rows in b.partition_by("series_id", as_dict=True).items()} for b in batches]
    floors = folder / "floors"
    floors.mkdir()
    stores = {n: p for n, p in peers.items() if hasattr(p, "refresh")}
    contenders: dict[str, Callable[[int], Any]] = {
        f"ours ({ours.DURABILITY})": lambda i: ours.refresh(lake, batches[i])
    }
    contenders |= {f"{n} ({p.durability})": lambda i, p=p: p.refresh(narrow[i]) for n, p in stores.items()}
    contenders |= {
        PER_SERIES: lambda i: parquet.file_per_series(floors, files[i], sync=False),
        PER_SERIES.replace("no sync", "fsync"): lambda i: parquet.file_per_series(floors, files[i], sync=True),
        "floor: one Parquet file, no sync": lambda i: parquet.one_file(floors, batches[i], sync=False),
        "floor: one Parquet file, fsync": lambda i: parquet.one_file(floors, batches[i], sync=True),
    }
    for work in contenders.values():
        work(0)
    race = run_race(
        f"R3 refresh of {len(data.ids)} series x 60 rows (10 revised, 50 unchanged) on {data.rows:,} rows",
        {n: lambda i, work=work: work(i + 1) for n, work in contenders.items()},
        REFRESH_ROUNDS,
        {n: why for n, why in absent.items() if n not in (FLOOR, "pandas in RAM")},
    )
    lake.close_session()
    for moment in (before, data.now()):
        check_all(lake, stores, data, moment)
    report.races.append(race)
    show_race(race, ("series/s", len(data.ids)))
    report.ratios += race.ratio("refresh", f"ours ({ours.DURABILITY})", PER_SERIES, 3.0)


def race_all(rows: int, series: int, reader_count: int, races: Collection[str]) -> Report:
    """The races asked for, at one size; above 2,000,000 rows the growth is measured from that size on."""
    report = Report()
    report.versions |= {name: version(name) for name in ("polars", "duckdb", "deltalake", "pyarrow")}
    with tempfile.TemporaryDirectory(prefix="vintages") as name:
        folder = Path(name)
        folder.chmod(0o755)  # the PostgreSQL server may run as another user
        data = SyntheticVintages(rows, series)
        lake = ours.build_lake(folder / "lake", data.frame(), TABLES)
        if {"reads", "first", "refresh"} & set(races):
            _against_peers(folder, lake, data, races, report)
        if "growth" in races:
            growth(folder / "growth", [ROWS, data.rows] if data.rows > ROWS else [data.rows], series, report)
        if "readers" in races:
            readers(folder, lake, data, reader_count, report)
    return report


def _against_peers(
    folder: Path, lake: ours.Lake, data: SyntheticVintages, races: Collection[str], report: Report
) -> None:
    peers, absent = open_peers(folder, data.frame())
    report.versions |= {name: peer.version for name, peer in peers.items()} | dict.fromkeys(absent, "not run")
    try:
        if "reads" in races:
            reads(lake, peers, absent, data, report)
        if "first" in races:
            first_answer(folder, lake, data, peers, absent, report)
        if "refresh" in races:
            if isinstance(off := peers.get("SQLite, synchronous OFF"), Sqlite):
                full = off.copy(folder / "full.sqlite", "FULL")
                peers[full.name] = full
            refreshes(folder, lake, peers, absent, data, report)
    finally:
        for peer in peers.values():
            peer.close()
