"""PostgreSQL: a private server on a Unix socket, started for the race and stopped with it.

The table has a unique index on (series_id, observation_date, release_time DESC) that includes the value, is frozen
and analyzed, and fits the server's memory; autovacuum and checkpoints are kept out of the timings. Of DISTINCT ON and
a window function the faster is used. The panel comes by COPY as text that Polars parses, one series as tuples; both
end in a Polars frame. A refresh is one transaction that inserts what changed, synced at its commit (the default).
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from peers import ANSWER, COLUMNS, SCHEMA, NotInstalledError, fastest, in_common_form

_SETTINGS = {
    "listen_addresses": "",
    "shared_buffers": "2GB",
    "work_mem": "512MB",
    "maintenance_work_mem": "512MB",
    "max_parallel_workers_per_gather": "1",  # and the leader: two
    "max_parallel_maintenance_workers": "1",
    "random_page_cost": "1.1",
    "effective_cache_size": "4GB",
    "autovacuum": "off",
    "checkpoint_timeout": "1h",
    "max_wal_size": "16GB",
    "jit": "off",
    "TimeZone": "UTC",
}

_TABLE = """
CREATE TABLE vintages (
    series_id text NOT NULL, observation_date date NOT NULL, release_time timestamptz NOT NULL, value float8
)
"""

_INDEX = "CREATE UNIQUE INDEX ON vintages (series_id, observation_date, release_time DESC) INCLUDE (value)"

_DISTINCT_ON = """
SELECT DISTINCT ON (series_id, observation_date) series_id, observation_date, value FROM vintages
WHERE release_time <= {moment} {and_series} ORDER BY series_id, observation_date, release_time DESC
"""

_WINDOW = """
SELECT series_id, observation_date, value FROM (
    SELECT *, row_number() OVER (PARTITION BY series_id, observation_date ORDER BY release_time DESC) AS newest
    FROM vintages WHERE release_time <= {moment} {and_series}
) AS numbered WHERE newest = 1
"""

_INSERT_IF_CHANGED = """
INSERT INTO vintages SELECT b.* FROM batch AS b LEFT JOIN LATERAL (
    SELECT value FROM vintages AS v WHERE v.series_id = b.series_id AND v.observation_date = b.observation_date
    AND v.release_time < b.release_time ORDER BY v.release_time DESC LIMIT 1
) AS stored ON true
WHERE stored.value IS DISTINCT FROM b.value
ON CONFLICT DO NOTHING
"""


class Postgres:
    """The server and one connection."""

    name = "PostgreSQL"
    durability = "fsync per commit, atomic"

    def __init__(self, folder: Path, frame: pl.DataFrame) -> None:
        try:
            import psycopg
        except ImportError:
            raise NotInstalledError("pip install 'psycopg[binary]'") from None
        self._server = _start(folder)
        try:
            self.conninfo = f"host={folder} user=bench dbname=postgres"
            self._con = _connected(self.conninfo, self._server)
            server = self._con.execute("SHOW server_version").fetchone()[0].split()[0]
            self.version = f"postgresql {server}, psycopg {psycopg.__version__}"
            self._load(frame)
        except BaseException:
            _stop(self._server)
            raise

    def _load(self, frame: pl.DataFrame) -> None:
        self._con.execute(_TABLE)
        with self._con.cursor().copy("COPY vintages FROM STDIN (FORMAT csv)") as copy:
            for part in frame.select(COLUMNS).iter_slices(100_000):
                copy.write(_csv(part))
        self._con.execute(_INDEX)
        self._con.execute("VACUUM (FREEZE, ANALYZE) vintages")
        self._con.execute("CREATE TEMP TABLE batch (LIKE vintages) ON COMMIT DELETE ROWS")
        moment = frame["release_time"].median()
        self._panel = fastest((_DISTINCT_ON, _WINDOW), lambda query: self._copied(query, moment))
        one = frame["series_id"][0]
        self._series = fastest((_DISTINCT_ON, _WINDOW), lambda query: self._fetched(query, one, moment))

    def _copied(self, query: str, moment: Any) -> pl.DataFrame:
        inner = query.format(moment=f"'{moment.isoformat()}'", and_series="")
        with self._con.cursor().copy(f"COPY ({inner}) TO STDOUT (FORMAT csv)") as copy:
            text = b"".join(copy)
        return pl.read_csv(text, has_header=False, schema=pl.Schema(ANSWER))

    def _fetched(self, query: str, series_id: str, moment: Any) -> pl.DataFrame:
        asked = query.format(moment="%s", and_series="AND series_id = %s")
        rows = self._con.execute(asked, (moment, series_id), prepare=True, binary=True).fetchall()
        return pl.DataFrame(rows, schema=ANSWER, orient="row")

    def series(self, series_id: str, moment: datetime) -> pl.DataFrame:
        return self._fetched(self._series, series_id, moment)

    def panel(self, moment: datetime) -> pl.DataFrame:
        return self._copied(self._panel, moment)

    def rows(self, answer: pl.DataFrame) -> pl.DataFrame:
        return in_common_form(answer)

    def refresh(self, batch: pl.DataFrame) -> None:
        with self._con.transaction():
            with self._con.cursor().copy("COPY batch FROM STDIN (FORMAT csv)") as copy:
                copy.write(_csv(batch))
            self._con.execute(_INSERT_IF_CHANGED)

    def close(self) -> None:
        self._con.close()
        _stop(self._server)


def _csv(rows: pl.DataFrame) -> bytes:
    return rows.select(pl.col(n).cast(t) for n, t in SCHEMA.items()).write_csv(include_header=False).encode()


def _program(name: str) -> str:
    """A program of the server: on PATH, or where Debian keeps the newest version."""
    debian = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda p: float(p.parts[-3]))
    found = shutil.which(name) or (str(debian[-1]) if debian else None)
    if found is None:
        raise NotInstalledError("no PostgreSQL server: apt-get install postgresql")
    return found


def _owner() -> dict[str, Any]:
    """Who the server runs as: it refuses root, so root hands it to another user."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    raise NotInstalledError("the server refuses to run as root, and there is no user to run it as")


def _start(folder: Path) -> subprocess.Popen[bytes]:
    initdb, postgres = _program("initdb"), _program("postgres")
    owner = _owner()
    folder.mkdir(mode=0o700)
    if owner:
        os.chown(folder, owner["user"], owner["group"])
    data = folder / "data"
    settings = [f"--{name}={value}" for name, value in _SETTINGS.items()]
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder, **owner}
    init = [initdb, "-D", str(data), "-U", "bench", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
    subprocess.run(init, check=True, **quiet)
    return subprocess.Popen([postgres, "-D", str(data), "-k", str(folder), *settings], **quiet)


def _connected(conninfo: str, server: subprocess.Popen[bytes]) -> Any:
    import psycopg

    for _ in range(100):
        try:
            return psycopg.connect(conninfo, autocommit=True)
        except psycopg.OperationalError:
            if server.poll() is not None:
                raise RuntimeError("the PostgreSQL server ended at once") from None
            time.sleep(0.1)
    raise RuntimeError("the PostgreSQL server does not answer")


def _stop(server: subprocess.Popen[bytes]) -> None:
    """Immediate shutdown: what it held is deleted anyway."""
    import signal

    server.send_signal(signal.SIGQUIT)
    server.wait(30)
