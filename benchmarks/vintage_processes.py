"""Race R8: the first answer of a new process, and many readers while one writer commits.

Run as a program it is one of the readers: it reads until told to stop and prints what it saw.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

import ours
from measure import ROOT, Ratio, python
from race import Race, Report, run_race, show_race
from vintage_data import SyntheticVintages

FIRST_ANSWER_SECONDS = 1.0
ROUNDS = 7
WRITING_SECONDS = 10.0
LEAST_COMMITS = 2
WAYS = ("reads, fresh look", "reads, each in a new session")

_SESSION = """
import sys; from datetime import datetime; from pathlib import Path; import ours
lake = ours.open_lake(Path(sys.argv[1]), {series}, {tables})
frame = ours.sql_series_as_of(lake, {one!r}, datetime.fromisoformat({moment!r}))
assert abs(frame["value"].sum() - {total!r}) < 1e-6
"""
_PYTHON = _SESSION.replace("sql_series_as_of", "series_as_of")
_FROM_YAML = """
import sys; from datetime import datetime; from pathlib import Path; import ours
from macro_assets.catalog import load_catalog
lake = ours.Lake(Path(sys.argv[1]), load_catalog(Path(sys.argv[2])))
frame = ours.sql_series_as_of(lake, {one!r}, datetime.fromisoformat({moment!r}))
assert abs(frame["value"].sum() - {total!r}) < 1e-6
"""
_DUCKDB = """
import sys, duckdb
con = duckdb.connect(config={{"threads": 2}})
frame = con.execute('''
    SELECT series_id, observation_date, value FROM read_parquet(?) WHERE series_id = ? AND release_time <= ?
    QUALIFY row_number() OVER (PARTITION BY observation_date ORDER BY release_time DESC) = 1
''', [sys.argv[1], {one!r}, {moment!r}]).pl()
assert abs(frame["value"].sum() - {total!r}) < 1e-6
"""
_ARCTIC = """
import sys, arcticdb
value = arcticdb.Arctic(sys.argv[1])["vintages"].read({one!r}, as_of={version}).data["value"]
assert abs(value.sum() - {total!r}) < 1e-6
"""
_PSYCOPG = """
import sys, psycopg
with psycopg.connect(sys.argv[1]) as con:
    rows = con.execute('''
        SELECT DISTINCT ON (observation_date) value FROM vintages WHERE series_id = %s AND release_time <= %s
        ORDER BY observation_date, release_time DESC''', ({one!r}, {moment!r})).fetchall()
assert abs(sum(v for v, in rows) - {total!r}) < 1e-6
"""
_SQLITE = """
import sqlite3, sys
rows = sqlite3.connect(sys.argv[1]).execute('''
    SELECT value, max(release_time) FROM vintages WHERE series_id = ? AND release_time <= ?
    GROUP BY observation_date''', ({one!r}, {microseconds})).fetchall()
assert abs(sum(v for v, _ in rows) - {total!r}) < 1e-6
"""


def first_answer(
    folder: Path,
    lake: ours.Lake,
    data: SyntheticVintages,
    peers: dict[str, Any],
    absent: dict[str, str],
    report: Report,
) -> None:
    """From starting the interpreter to its end, with one as-of answer of one series; the page cache is warm."""
    one, moment = data.ids[7], data.moments(1)[0]
    known = data.known(moment)
    tables = small_tables(lake)
    facts: dict[str, Any] = {
        "series": len(data.ids),
        "tables": tables,
        "one": one,
        "moment": moment.isoformat(),
        "microseconds": int(moment.timestamp()) * 1_000_000,
        "total": known.filter(known["series_id"] == one)["value"].sum(),
    }
    parquet = folder / "vintages.parquet"
    data.frame().write_parquet(parquet)
    catalog = _write_catalog(folder / "catalog", len(data.ids), tables)
    programs: dict[str, tuple[str, list[str]]] = {
        "ours, SQL session": (_SESSION, [str(lake.folder)]),
        "ours, SQL session, series and tables read from YAML": (_FROM_YAML, [str(lake.folder), str(catalog)]),
        "ours, fresh look": (_PYTHON, [str(lake.folder)]),
        "bare duckdb.read_parquet": (_DUCKDB, [str(parquet)]),
        "import duckdb": ("import duckdb", []),
    }
    if arctic := peers.get("ArcticDB"):
        facts["version"] = arctic.version_of(one, moment)
        programs[arctic.name] = (_ARCTIC, [arctic.uri])
    if postgres := peers.get("PostgreSQL"):
        programs["psycopg, server running"] = (_PSYCOPG, [postgres.conninfo])
    if sqlite := peers.get("SQLite, synchronous OFF"):
        programs["SQLite"] = (_SQLITE, [str(sqlite.file)])

    def starter(code: str, arguments: list[str]) -> Callable[[int], None]:
        return lambda _: python(code.format(**facts), environment(), arguments)

    contenders = {name: starter(*program) for name, program in programs.items()}
    for work in contenders.values():
        work(0)
    race = run_race(
        f"R8 first answer of a new process; lake of {tables} small tables and {data.rows:,} vintage rows",
        contenders,
        ROUNDS,
        {n: why for n, why in absent.items() if n in ("ArcticDB", "PostgreSQL", "SQLite")},
    )
    report.races.append(race)
    show_race(race)
    for name in (n for n in contenders if n.startswith("ours")):
        middle = median(race.seconds[name])
        report.ratios.append(Ratio(f"first answer ({name})", middle, "allowed", FIRST_ANSWER_SECONDS, 1.0))


def small_tables(lake: ours.Lake) -> int:
    """Number of the tables beside the vintages."""
    return sum(name.startswith("synthetic/") for name in lake.catalog.tables)


def environment() -> dict[str, str]:
    """Environment in which a process finds this checkout and its benchmarks."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "benchmarks")))}


def _write_catalog(folder: Path, series: int, tables: int) -> Path:
    """A catalog of files as large as the synthetic one: what a process has to parse in real life."""
    import yaml

    origin = ROOT / "macro_assets" / "catalog" / "data"
    source = f"sources/{ours.SOURCE}.yaml"
    (folder / "sources").mkdir(parents=True)
    for file in origin.glob("*.yaml"):
        (folder / file.name).write_text(file.read_text())
    (folder / "instruments.yaml").write_text("instruments: []\n")  # they are priced by series of other sources
    own = yaml.safe_load((origin / source).read_text())
    model = next(s for s in own["series"] if s.get("frequency") == "M")
    own["series"] += [{**model, "id": f"SYN{i:04d}", "code": f"SYN{i:04d}"} for i in range(series)]
    (folder / source).write_text(yaml.safe_dump(own, sort_keys=False))
    all_tables = yaml.safe_load((origin / "tables.yaml").read_text())
    long = next(t for t in all_tables["tables"] if t["name"] == "normalized/{family}")
    model = {**long, "title": "Synthetic", "columns": long["columns"][:5], "nullable": ["value"]}
    all_tables["tables"] += [{**model, "name": f"synthetic/table_{i:03d}"} for i in range(tables)]
    (folder / "tables.yaml").write_text(yaml.safe_dump(all_tables, sort_keys=False))
    return folder


def readers(folder: Path, lake: ours.Lake, data: SyntheticVintages, count: int, report: Report) -> None:
    """`count` processes that loop over as-of reads of one series while this one refreshes.

    Every other reader opens a session for each read. An instant in the past has one answer for ever, so an answer
    that changes is an error too.
    """
    title = f"R8 {count} readers while one writer commits; {data.rows:,} vintage rows"
    needed = count * max((a["peak_bytes"] for a in report.alone if a["operation"].startswith("one series")), default=0)
    if needed > (free := _available_bytes()):
        race = Race(title, {}, {"ours": f"{count} readers need {needed / 1e9:.0f} GB, {free / 1e9:.0f} are free"})
    else:
        race = _readers_race(title, folder / "stop", lake, data, count, report)
    report.races.append(race)
    show_race(race)


def _readers_race(title: str, stop: Path, lake: ours.Lake, data: SyntheticVintages, count: int, report: Report) -> Race:
    processes = []
    for number, moment in enumerate(data.moments(count)):
        task = {
            "lake": str(lake.folder),
            "series": len(data.ids),
            "tables": small_tables(lake),
            "stop": str(stop),
            "way": WAYS[number % 2],
            "one": data.ids[number],
            "moment": moment.isoformat(),
        }
        command = [sys.executable, __file__, json.dumps(task)]
        processes.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment()))
    try:
        for process in processes:
            assert process.stdout is not None
            if process.stdout.readline() != "reading\n":
                raise RuntimeError("a reader ended before its first answer")
        commits, started = 0, time.perf_counter()
        while commits < LEAST_COMMITS or time.perf_counter() - started < WRITING_SECONDS:
            assert ours.refresh(lake, data.refresh()) > 0
            commits += 1
        writing = time.perf_counter() - started
    finally:
        stop.touch()
        printed = [process.communicate()[0] for process in processes]
    said = [json.loads(text) for text, process in zip(printed, processes, strict=True) if process.returncode == 0]
    errors = [e for one in said for e in one["errors"]] + ["a reader crashed"] * (count - len(said))
    race = Race(title, {way: [s for one in said if one["way"] == way for s in one["seconds"]] for way in WAYS})
    race.seconds = {way: seconds for way, seconds in race.seconds.items() if seconds}
    answers = sum(len(s) for s in race.seconds.values())
    report.notes.append(
        f"{count} readers: {answers} answers, {len(errors)} errors, beside {commits} commits in {writing:.1f} s"
    )
    report.notes += [f"first error of a reader: {e}" for e in errors[:1]]
    report.ratios.append(Ratio(f"errors of {count} readers (count)", len(errors), "one error", 1, 0))
    return race


def _available_bytes() -> float:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return float("inf")
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))


def _read_until_stopped(task: dict[str, Any]) -> dict[str, Any]:
    lake = ours.open_lake(Path(task["lake"]), task["series"], task["tables"])
    moment, stop = datetime.fromisoformat(task["moment"]), Path(task["stop"])

    def read() -> list[float]:
        if task["way"] == WAYS[0]:
            answer = ours.series_as_of(lake, task["one"], moment)
        else:
            lake.close_session()
            answer = ours.sql_series_as_of(lake, task["one"], moment)
        return answer.sort("observation_date")["value"].to_list()

    seconds: list[float] = []
    errors: list[str] = []
    first = read()
    print("reading", flush=True)
    while not stop.exists():
        started = time.perf_counter()
        try:
            answer = read()
        except Exception as error:  # whatever it is, a reader met it
            errors.append(f"{type(error).__name__}: {error}")
            continue
        seconds.append(time.perf_counter() - started)
        if answer != first:
            errors.append(f"{task['one']} as of {moment} changed its answer")
    return {"way": task["way"], "seconds": seconds, "errors": errors}


if __name__ == "__main__":
    print(json.dumps(_read_until_stopped(json.loads(sys.argv[1]))))
