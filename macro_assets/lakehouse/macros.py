"""The vintage reads as DuckDB macros: the SQL twins of `vintages.as_of` and `releases.numbered`.

- `observations_as_of(ts)`: what was known at an instant, of every series
- `series_as_of(id, ts)`: the same of one series
- `releases(id, n)`: the n-th release of each observation of a series; all of them where n is null or left out
- `revisions(id)`: every revision with the value before

An instant is a timestamp, or a date for its end in UTC. In a session as of an instant no macro sees what was released
or decided later, whatever is asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import duckdb

from macro_assets.catalog import Catalog, names
from macro_assets.lakehouse.raw import INVALIDATIONS
from macro_assets.lakehouse.releases import UNNUMBERED_BASES
from macro_assets.lakehouse.vintages import ESTIMATED, VINTAGE_BASES

VINTAGES = "_vintages"
"""View of all raw rows of all sources, with the source: what the macros read."""

DATED = "_dated_series"
"""View of the series and providers that have dated vintages; their estimated release times are ignored."""

DECISIONS = "_decisions"
"""View of the decisions about stored values."""

_DATED_BASES = str(VINTAGE_BASES)
_STATEMENT = "series_id, provider, observation_date, release_time"


def quoted(text: str) -> str:
    """Text as a SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def timestamp(moment: datetime) -> str:
    """An instant as a SQL literal."""
    return f"TIMESTAMPTZ {quoted(moment.isoformat())}"


def define_macros(
    con: duckdb.DuckDBPyConnection, catalog: Catalog, rows: Mapping[str, str], moment: datetime | None
) -> None:
    """Define the macros over the raw tables among `rows` (SQL by table name), clipped to an instant."""
    raw = {s: rows[names.raw(s)] for s in catalog.sources if names.raw(s) in rows}
    if not raw:
        return
    union = " UNION ALL BY NAME ".join(f"SELECT {quoted(s)} AS source, * FROM ({sql})" for s, sql in raw.items())
    con.execute(f"CREATE VIEW {VINTAGES} AS SELECT * FROM ({union}){_until(moment, 'release_time')}")
    con.execute(
        f"CREATE VIEW {DATED} AS SELECT DISTINCT series_id, provider FROM ({union}) "
        f"WHERE release_basis IN {_DATED_BASES}"
    )
    if INVALIDATIONS in rows:
        con.execute(f"CREATE VIEW {DECISIONS} AS SELECT * FROM ({rows[INVALIDATIONS]}){_until(moment, 'decided_at')}")
    con.execute(_INSTANT)
    con.execute(_KNOWN_SERIES)
    then = now = ""
    if INVALIDATIONS in rows:
        con.execute(_INVALID_AS_OF)
        then, now = _valid("as_of_instant(ts)"), _valid("NULL")
    con.execute(f"CREATE MACRO observations_as_of(ts) AS TABLE {_winners('true', then)}")
    con.execute(f"CREATE MACRO series_as_of(id, ts) AS TABLE {_winners(_ONE_SERIES, then)} ORDER BY observation_date")
    con.execute(_RELEASES.format(valid=now))
    con.execute(_REVISIONS)


def _until(moment: datetime | None, clock: str) -> str:
    return f" WHERE {clock} <= {timestamp(moment)}" if moment else ""


def _valid(at: str) -> str:
    """A condition: the row is not of a release that stands marked as invalid at an instant (SQL; NULL = now)."""
    return f"AND ({_STATEMENT}) NOT IN (SELECT ({_STATEMENT}) FROM _invalid_as_of({at}))"


def _no_estimates(which: str) -> str:
    """A condition: the release time is no estimate where the provider also gave vintages of the series."""
    return (
        f"NOT (release_basis = {quoted(ESTIMATED)} "
        f"AND (series_id, provider) IN (SELECT (series_id, provider) FROM {DATED} WHERE {which}))"
    )


def _winners(which: str, further: str) -> str:
    """The rows in force at `ts` of some series. A window over all rows would take five times as long."""
    return f"""
        SELECT source, series_id, known.provider AS provider, observation_date, known.value AS value,
            known.release_time AS release_time, known.release_basis AS release_basis
        FROM (
            SELECT source, series_id, observation_date, arg_max(
                {{'provider': provider, 'value': value, 'release_time': release_time, 'release_basis': release_basis}},
                (provider = source, release_time, provider)
            ) AS known
            FROM {VINTAGES}
            WHERE release_time <= (SELECT as_of_instant(ts)) AND {which} AND {_no_estimates(which)} {further}
            GROUP BY source, series_id, observation_date
        )
    """


_INSTANT = """
    CREATE MACRO as_of_instant(ts) AS
    CASE WHEN length(CAST(ts AS VARCHAR)) = 10
         THEN CAST(CAST(ts AS VARCHAR) || ' 23:59:59.999999+00' AS TIMESTAMPTZ)
         ELSE CAST(CAST(ts AS VARCHAR) AS TIMESTAMPTZ) END
"""

_KNOWN_SERIES = """
    CREATE MACRO known_series(id) AS
    CASE WHEN id IN (SELECT s.series_id FROM catalog.series AS s) THEN id
         ELSE error(format('unknown series "{}". SELECT * FROM catalog.series shows all.', id)) END
"""

# a plain condition, so that only the rows of the series are read; the name is checked whether or not it has rows
_ONE_SERIES = "series_id = id AND (SELECT known_series(id)) IS NOT NULL"

# a release is a value with its repetitions: `vintages.without_invalid`
_INVALID_AS_OF = f"""
    CREATE MACRO _invalid_as_of(moment) AS TABLE
    WITH marked AS (
        SELECT {_STATEMENT} FROM {DECISIONS} WHERE moment IS NULL OR decided_at <= moment
        GROUP BY ALL HAVING arg_max(action, decided_at) = 'invalidate'
    ), statements AS (
        SELECT {_STATEMENT}, value, release_basis IN {_DATED_BASES} AS dated FROM {VINTAGES}
        WHERE (series_id, provider, observation_date) IN (SELECT (series_id, provider, observation_date) FROM marked)
          AND (moment IS NULL OR release_time <= moment)
    ), changes AS (
        SELECT *, row_number() OVER told = 1 OR value IS DISTINCT FROM lag(value) OVER told AS changed FROM statements
        WINDOW told AS (PARTITION BY series_id, provider, observation_date, dated ORDER BY release_time)
    ), runs AS (
        SELECT *, count(*) FILTER (changed) OVER told AS run FROM changes
        WINDOW told AS (PARTITION BY series_id, provider, observation_date, dated ORDER BY release_time)
    )
    SELECT {_STATEMENT} FROM runs
    WHERE (series_id, provider, observation_date, dated, run) IN (
        SELECT (series_id, provider, observation_date, dated, run) FROM runs
        WHERE ({_STATEMENT}) IN (SELECT ({_STATEMENT}) FROM marked))
"""

_UNNUMBERED = "({})".format(", ".join(quoted(b) for b in UNNUMBERED_BASES))

_RELEASES = f"""
    CREATE MACRO releases(id, n := NULL) AS TABLE
    WITH stated AS (
        SELECT *,
            bool_or(value IS NOT NULL) OVER so_far AS begun,
            first_value(release_basis) OVER so_far NOT IN {_UNNUMBERED} AS on_record
        FROM {VINTAGES}
        WHERE provider = source AND {_ONE_SERIES} AND {_no_estimates(_ONE_SERIES)} {{valid}}
        WINDOW so_far AS (PARTITION BY observation_date ORDER BY release_time)
    ), distinct_values AS (
        SELECT * FROM stated WHERE begun
        WINDOW in_time AS (PARTITION BY observation_date ORDER BY release_time)
        QUALIFY row_number() OVER in_time = 1 OR value IS DISTINCT FROM lag(value) OVER in_time
    )
    SELECT series_id, observation_date,
        CASE WHEN on_record THEN row_number() OVER (PARTITION BY observation_date ORDER BY release_time) END AS release,
        value, release_time, release_basis
    FROM distinct_values
    QUALIFY n IS NULL OR release = n
    ORDER BY observation_date, release_time
"""

_REVISIONS = """
    CREATE MACRO revisions(id) AS TABLE
    SELECT * EXCLUDE (position), value - previous_value AS revision
    FROM (
        SELECT *, lag(value) OVER in_time AS previous_value, row_number() OVER in_time AS position
        FROM releases(id)
        WINDOW in_time AS (PARTITION BY observation_date ORDER BY release_time)
    )
    WHERE position > 1
    ORDER BY observation_date, release_time
"""
