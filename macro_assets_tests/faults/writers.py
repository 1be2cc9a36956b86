"""A writer whose every step is known beforehand: what a lake must hold after any number of them.

Steps go round three tables: a vintage is appended, a response is landed, a derived table is replaced.
"""

from __future__ import annotations

import os
import resource
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
from polars.testing import assert_frame_equal

from macro_assets.catalog.derive import polars_schema
from macro_assets.lakehouse import write
from macro_assets.lakehouse.delta import LakeError
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.landing import land, landed
from macro_assets.lakehouse.raw import append_vintages
from macro_assets_tests.lakehouse.synthetic import one_source, scored

CATALOG = one_source()
RAW, LANDING, DERIVED = (CATALOG.one_table(n) for n in ("raw/bundled", "landing/bundled", "normalized/fred"))
TABLES = (RAW, LANDING, DERIVED)
COMMIT = {"run_id": "writer"}
NOBODY = 65534
_BEGIN = datetime(2020, 1, 1, tzinfo=UTC)


@cache
def vintage(n: int) -> pl.DataFrame:
    """The n-th vintage: every value differs from the one before."""
    days = [date(2000 + i // 12, i % 12 + 1, 1) for i in range(24)]
    return pl.DataFrame(
        {
            "series_id": "PAYEMS",
            "observation_date": days,
            "value": [100.0 * n + i for i in range(len(days))],
            "release_time": _BEGIN + timedelta(hours=n),
            "release_basis": "provider",
            "provider": "bundled",
            "ingested_at": datetime(2026, 1, 1, tzinfo=UTC),
            "payload_sha256": f"{n:064x}",
        }
    )


@cache
def receipt(n: int) -> pl.DataFrame:
    """The n-th response: another body for one request."""
    moment = _BEGIN + timedelta(hours=n)
    row = {
        "request": "request",
        "payload_sha256": f"{n:064x}",
        "fetched_at": moment,
        "run_id": "writer",
        "http_status": 200,
        "series_ids": "PAYEMS",
        "asked_on": moment.date(),
        "body": bytes([n % 256]) * 500,
    }
    return pl.DataFrame([row], schema=polars_schema(LANDING.columns))


@cache
def derived(n: int) -> pl.DataFrame:
    """The n-th content of the derived table: another number of rows, every value another."""
    rows = 50 + n % 7
    return scored(
        pl.DataFrame(
            {
                "source": "bundled",
                "series_id": "PAYEMS",
                "observation_date": [date(2000, 1, 1) + timedelta(days=i) for i in range(rows)],
                "zscore": [float(n)] * rows,
            }
        )
    )


def step(lake: Path, k: int) -> None:
    """The k-th write."""
    n = k // len(TABLES)
    if k % len(TABLES) == 0:
        append_vintages("bundled", vintage(n), "writer", root=lake, catalog=CATALOG)
    elif k % len(TABLES) == 1:
        land(Lakehouse(lake, CATALOG), "bundled", receipt(n), COMMIT)
    else:
        write.overwrite(Lakehouse(lake, CATALOG), DERIVED.name, derived(n), COMMIT)


def written(k: int) -> list[int]:
    """How often each table was written after k steps."""
    return [(k + len(TABLES) - 1 - i) // len(TABLES) for i in range(len(TABLES))]


def times_written(lake: Path) -> list[int]:
    """How often each table was written: its content is exactly that after one of the writes."""
    raw = Lakehouse(lake, CATALOG).read(RAW.name)
    vintages = raw.height // vintage(0).height
    expected = [vintage(n).with_columns(run_id=pl.lit("writer")) for n in range(vintages)]
    assert_frame_equal(raw, _like(raw, expected), check_row_order=False)
    receipts = landed(Lakehouse(lake, CATALOG), "bundled")
    assert_frame_equal(receipts, _like(receipts, [receipt(n) for n in range(receipts.height)]))
    replaced = Lakehouse(lake, CATALOG).read(DERIVED.name)
    replacements = 0 if replaced.is_empty() else int(replaced["zscore"][0]) + 1
    assert_frame_equal(replaced, _like(replaced, [derived(n) for n in range(replacements)][-1:]))
    return [vintages, receipts.height, replacements]


def _like(stored: pl.DataFrame, parts: list[pl.DataFrame]) -> pl.DataFrame:
    return pl.concat([stored.clear(), *(p.select(stored.columns).cast(dict(stored.schema)) for p in parts)])


def write_steps(lake: Path, first: int, told: Connection) -> None:
    """Write from a step on until killed, telling of every step when it is done. Compactions and checkpoints abound."""
    write.MAX_FILES = 2
    write.CHECKPOINT_EVERY = 3
    Lakehouse(lake, CATALOG).read(DERIVED.name)  # threads and buffers are made here, not during the first write
    told.send(first)
    for k in range(first, first + 1000):
        step(lake, k)
        told.send(k + 1)


# --- writes that the store refuses ---------------------------------------------------------------------------------


def refusals(lake: Path, k: int, make_room: Callable[[int], object]) -> list[str]:
    """Try the k-th write with ever more room until it is done: what the errors said, each time with nothing changed."""
    before, said = times_written(lake), []
    for room in range(100):
        make_room(room)
        try:
            step(lake, k)
        except LakeError as error:
            said.append(str(error))
            assert times_written(lake) == before
        else:
            assert times_written(lake) == written(k + 1)
            return said
    raise AssertionError(f"step {k} is never done: {said[-1]}")


def refusals_by_file_size(lake: Path, k: int) -> list[str]:
    """The same, where no file may grow larger than a limit of this process."""
    write.MAX_FILES = 2
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    return refusals(lake, k, lambda room: resource.setrlimit(resource.RLIMIT_FSIZE, (room * 512, most)))


def refusal_of_an_ordinary_user(lake: Path, k: int) -> str | None:
    """What the k-th write says when root's rights do not help; None when it is done."""
    with TemporaryDirectory() as scratch:  # whatever is imported late, root may read
        step(Path(scratch), 0)
        times_written(Path(scratch))
    if os.geteuid() == 0:
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    before = times_written(lake)
    try:
        step(lake, k)
    except LakeError as error:
        assert times_written(lake) == before
        return str(error)
    return None
