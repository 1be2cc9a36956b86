"""The vintage reads as DuckDB macros: the SQL twins of `raw.observations_as_of` and `releases.releases`.

- `observations_as_of(ts)`: what was known at an instant, of every series
- `series_as_of(id, ts)`: the same of one series
- `releases(id, n)`: the n-th release of each observation of a series; all of them where n is null or left out
- `revisions(id)`: every revision with the value before

An instant is a timestamp with a time zone, or a date for its end in UTC, each as such or as text; null is everything
known. Anything else is refused, as in Python. Of a series the rows of one holder count, which `choice.py` tells. In a
session as of an instant no macro sees what was released or decided later, whatever is asked.
"""

from __future__ import annotations

from datetime import datetime

from macro_assets.lakehouse.choice import ANSWER, FIGURES_EQUAL, IS_ESTIMATED, choice, latest
from macro_assets.lakehouse.holders import ESTIMATED
from macro_assets.lakehouse.releases import UNNUMBERED_BASES
from macro_assets.lakehouse.vintages import REBASED, VINTAGE_BASES

OWN = "_session"
"""Schema of what a session needs and nobody asks for."""

VINTAGES = f"{OWN}.vintages"
"""View of all raw rows of all tables: what the macros read."""

DECISIONS = f"{OWN}.decisions"
"""View of the decisions about stored values."""

FACTS = f"{OWN}.series"
"""Table of the series of the catalog: what is stated of them, without what is stored."""

NEVER_FETCHED = f"{OWN}.never_fetched"
"""Table of what to say of each series where no row of it is stored."""

_DATED_BASES = str(VINTAGE_BASES)
_STATEMENT = "series_id, provider, observation_date, release_time"


def quoted(text: str) -> str:
    """Text as a SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def timestamp(moment: datetime) -> str:
    """An instant as a SQL literal."""
    return f"TIMESTAMPTZ {quoted(moment.isoformat())}"


def macros(vintages: str, decisions: str | None, moment: datetime | None) -> str:
    """The statements that define the macros, clipped to an instant.

    Parameters
    ----------
    vintages
        SQL of the rows of all raw tables.
    decisions
        SQL of the decisions about them; None where there are none.
    """
    until = f" WHERE release_time <= {timestamp(moment)}" if moment else ""
    taken = f" WHERE decided_at <= {timestamp(moment)}" if moment else ""
    decided = decisions is not None
    one = _in_force_of_one(vintages, decided)
    known = f"SELECT {ANSWER} FROM answer"
    return ";".join(
        (
            f"CREATE VIEW {VINTAGES} AS SELECT * FROM ({vintages}){until}",
            *(_INSTANT, _clock(moment), FIGURES_EQUAL, _KNOWN_SERIES),
            *([f"CREATE VIEW {DECISIONS} AS SELECT * FROM ({decisions}){taken}", _INVALID_AS_OF] if decided else ()),
            f"CREATE MACRO observations_as_of(ts) AS TABLE {in_force('ts', vintages, decided)} {known}",
            f"CREATE MACRO series_as_of(id, ts) AS TABLE {one} {known} ORDER BY observation_date",
            f"CREATE MACRO _told(id, ts) AS TABLE {one} SELECT told.* FROM told JOIN serving USING (provider)",
            _RELEASES,
            _REVISIONS,
        )
    )


def in_force(ts: str, vintages: str, decided: bool) -> str:
    """The expressions up to `choice`, of all series at an instant (SQL; NULL = everything known).

    First as if no row were to be left out, in one pass over the numbers; then again for the few holders of which some
    are: a condition on every row takes longer than the rest.

    Parameters
    ----------
    vintages
        SQL of the rows of all raw tables.
    decided
        Whether there are decisions about stored values.
    """
    holder = "series_id, provider"
    until = f"release_time <= _until({ts}) AND (SELECT _is_told({ts}))"
    marked = f"UNION SELECT {holder} FROM _invalid_as_of(_moment({ts}))" if decided else ""
    counting = f"{until} AND {_no_estimates('dated') if decided else _NO_ESTIMATE} {_valid(ts, decided)}"
    return f"""
    WITH plain AS MATERIALIZED ({latest(VINTAGES, until)}
    ), suspect AS MATERIALIZED (
        SELECT DISTINCT {holder} FROM plain WHERE {IS_ESTIMATED} {marked}
    ), dated AS MATERIALIZED (
        SELECT DISTINCT {holder} FROM ({vintages})
            SEMI JOIN (SELECT DISTINCT provider FROM suspect) USING (provider) SEMI JOIN suspect USING ({holder})
        WHERE release_basis IN {_DATED_BASES}
    ), doubtful AS MATERIALIZED (FROM dated {marked}
    ), again AS MATERIALIZED ({latest(f"{VINTAGES} SEMI JOIN doubtful USING ({holder})", counting)}
    ), won AS NOT MATERIALIZED (
        SELECT * FROM plain ANTI JOIN doubtful USING ({holder}) UNION ALL FROM again
    ), {choice(f"_day({ts})")}"""


def _in_force_of_one(vintages: str, decided: bool) -> str:
    """The same of the series `id` at `ts`, whose rows are read once: `stored`, of which those in `told` count.

    The condition on the series is a plain one, and stands where the tables are read: else all their rows are.
    """
    return f"""
    WITH stored AS MATERIALIZED (
        SELECT {_STATEMENT}, value, release_basis FROM ({vintages})
        WHERE series_id = id AND (SELECT known_series(id)) IS NOT NULL AND (SELECT _is_told(ts))
    ), told AS MATERIALIZED (
        SELECT * FROM stored
        WHERE (SELECT fetched_series(id, count(*)) FROM stored) AND release_time <= _until(ts)
            AND {_no_estimates(f"stored WHERE release_basis IN {_DATED_BASES}")} {_valid("ts", decided)}
    ), won AS MATERIALIZED ({latest("told", "true")}
    ), {choice("_day(ts)")}"""


def _valid(ts: str, decided: bool) -> str:
    """A condition: the row is not of a release that stands marked as invalid at an instant."""
    marked = f"SELECT ({_STATEMENT}) FROM _invalid_as_of(_moment({ts}))"
    return f"AND ({_STATEMENT}) NOT IN ({marked})" if decided else ""


def _no_estimates(dated: str) -> str:
    """A condition: the release time is no estimate where the provider also gave vintages of the series."""
    return (
        f"NOT (release_basis = '{ESTIMATED}' AND (series_id, provider) IN (SELECT (series_id, provider) FROM {dated}))"
    )


_NO_ESTIMATE = f"release_basis <> '{ESTIMATED}'"


def _clock(moment: datetime | None) -> str:
    """Up to when an instant sees, and the day at which it judges freshness; never after that of the session."""
    until, now = "coalesce(_moment(ts), 'infinity'::TIMESTAMPTZ)", "coalesce(_moment(ts), now())"
    if moment is not None:
        until = now = f"least(coalesce(_moment(ts), {timestamp(moment)}), {timestamp(moment)})"
    return (
        f"CREATE MACRO _until(ts) AS {until};"
        f"CREATE MACRO _day(ts) AS CAST({now} AT TIME ZONE 'UTC' AS DATE);"
    )  # fmt: skip


# What is refused is so once a query (`_is_told`): in a condition on rows an error would be looked for in each.
_INSTANT = r"""
    CREATE MACRO _dated(text) AS
    CASE WHEN regexp_full_match(text, '\d{4}-\d{2}-\d{2}')
         THEN TRY_CAST(text || ' 23:59:59.999999+00' AS TIMESTAMPTZ)
         WHEN regexp_full_match(text,
            '\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z| UTC|[+-]\d{2}(:\d{2}){0,2})')
         THEN TRY_CAST(replace(regexp_replace(text, '^(.{16})([^:])', '\1:00\2'), ' UTC', 'Z') AS TIMESTAMPTZ) END;
    CREATE MACRO _in_years(moment) AS
    CASE WHEN moment BETWEEN TIMESTAMPTZ '0001-01-01 00:00:00+00' AND TIMESTAMPTZ '9999-12-31 23:59:59.999999+00'
         THEN moment END;
    CREATE MACRO _moment(ts) AS _in_years(_dated(CAST(ts AS VARCHAR)));
    CREATE MACRO as_of_instant(ts) AS
    CASE WHEN ts IS NULL OR _moment(ts) IS NOT NULL THEN _moment(ts)
         ELSE error(format('"{}" is neither a date nor an instant with its time zone; expected a DATE or "YYYY-MM-DD" '
              || 'for the end of a day in UTC, or an instant like "2016-07-29T12:30:00Z".', CAST(ts AS VARCHAR))) END;
    CREATE MACRO _is_told(ts) AS ts IS NULL OR as_of_instant(ts) IS NOT NULL;
"""

_KNOWN_SERIES = f"""
    CREATE MACRO known_series(id) AS
    CASE WHEN id IN (SELECT s.series_id FROM {FACTS} AS s) THEN id
         ELSE error(format('unknown series "{{}}". SELECT * FROM catalog.series shows all.', id)) END;
    CREATE MACRO fetched_series(id, stored) AS
    CASE WHEN stored > 0 THEN true
         ELSE error((SELECT n.message FROM {NEVER_FETCHED} AS n WHERE n.series_id = id)) END;
"""

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
    WITH of_holder AS MATERIALIZED (
        SELECT *, max(release_time) FILTER (release_basis = '{REBASED}') OVER () AS rebased FROM _told(id, NULL)
    ), stated AS (
        SELECT *,
            bool_or(value IS NOT NULL) OVER so_far AS begun,
            first_value(release_basis) OVER so_far NOT IN {_UNNUMBERED} AS on_record
        FROM of_holder WHERE rebased IS NULL OR release_time >= rebased
        WINDOW so_far AS (PARTITION BY observation_date ORDER BY release_time)
    ), distinct_values AS (
        SELECT * FROM stated WHERE begun
        WINDOW in_time AS (PARTITION BY observation_date ORDER BY release_time)
        QUALIFY row_number() OVER in_time = 1 OR value IS DISTINCT FROM lag(value) OVER in_time
    )
    SELECT series_id, observation_date,
        CASE WHEN on_record THEN row_number() OVER (PARTITION BY observation_date ORDER BY release_time) END AS release,
        value, release_time, release_basis, provider
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
