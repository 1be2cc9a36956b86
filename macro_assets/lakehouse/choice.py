"""Whose rows count at an instant, as common table expressions of SQL: the twin of `holders.py`.

One holder serves a series, never a number: of those with a value in force the first, in the entry's order, that is
fresh and has a dated row; else the first that is fresh; else the one whose latest value is of the latest date. One that
is declared to have the very same figures as the home adds what it was seen to have after the home's last date.
"""

from __future__ import annotations

from macro_assets.lakehouse.holders import ESTIMATED, TOLERANCE
from macro_assets.lakehouse.vintages import BASES

_CODES = (ESTIMATED, *(basis for basis in reversed(BASES) if basis != ESTIMATED))
"""Bases by their place in three bits. Of estimated release times, and of none other, the code is 0."""

# the commonest first
_CODE = " ".join(f"WHEN '{basis}' THEN {code}" for code, basis in reversed(list(enumerate(_CODES))))
_BASIS = " ".join(f"WHEN {code} THEN '{basis}'" for code, basis in reversed(list(enumerate(_CODES))))

# the release time and its basis as one number: comparing numbers takes half the time of comparing structs
_KEY = f"epoch_us(release_time) * 8 + CASE release_basis {_CODE} END"

IS_ESTIMATED = "key & 7 = 0"
"""A condition on rows of :func:`latest`."""

FIGURES_EQUAL = f"""
    CREATE MACRO figures_equal(one, other) AS
    coalesce(abs(one - other) <= {TOLERANCE!r} * greatest(abs(one), abs(other)), one IS NULL AND other IS NULL);
"""
"""Whether two figures are the same, but for the last digits of a computer's number; missing is as missing."""

ANSWER = f"""source, series_id, provider, observation_date, value, provider_unit,
    make_timestamptz((key - (key & 7)) // 8) AS release_time, CASE key & 7 {_BASIS} END AS release_basis"""
"""Columns of an answer, of rows of `answer`."""


def latest(rows: str, which: str) -> str:
    """A query: of some rows the latest of each series, provider and observation date, with its release as `key`."""
    return f"""
        SELECT series_id, provider, observation_date, max(key) AS key, arg_max_null(value, key) AS value
        FROM (SELECT series_id, provider, observation_date, value, {_KEY} AS key FROM {rows} WHERE {which})
        GROUP BY series_id, provider, observation_date
    """


def choice(day: str) -> str:
    """The expressions that choose among the rows in force, of the expression `won`.

    Parameters
    ----------
    day
        SQL of the day at which freshness is judged.

    Returns
    -------
    str
        `serving`: the holder that serves each series; `answer`: the rows that count.
    """
    return f"""
    offers AS (
        SELECT *, CASE WHEN latest IS NULL THEN 3 WHEN {day} - latest > staleness_days THEN 2
            WHEN is_dated THEN 0 ELSE 1 END AS preference
        FROM (
            SELECT series_id, provider, max(observation_date) FILTER (value IS NOT NULL) AS latest,
                max(observation_date) AS last_date, NOT bool_and({IS_ESTIMATED}) AS is_dated
            FROM won GROUP BY series_id, provider
        ) JOIN catalog.holders USING (series_id, provider)
    ), compared AS MATERIALIZED (
        SELECT *, first_value(provider) OVER in_order AS served_by, first_value(rank) OVER in_order AS served_by_rank,
            first_value(last_date) OVER in_order AS served_until
        FROM offers WINDOW in_order AS (
            PARTITION BY series_id ORDER BY preference, CASE WHEN preference = 2 THEN latest END DESC, rank
        )
    ), serving AS MATERIALIZED (
        SELECT * FROM compared WHERE provider = served_by
    ), ahead AS MATERIALIZED (
        SELECT * FROM compared WHERE served_by_rank = 0 AND same AND last_date > served_until
    ), theirs AS MATERIALIZED (
        SELECT won.*, source, provider_unit, rank, served_by, served_until
        FROM won JOIN ahead USING (series_id, provider)
    ), of_home AS MATERIALIZED (
        SELECT won.*
        FROM won JOIN (SELECT DISTINCT series_id, served_by AS provider FROM ahead) USING (series_id, provider)
    ), adding AS (
        SELECT series_id, t.provider, source, provider_unit, served_until
        FROM theirs AS t LEFT JOIN of_home AS h USING (series_id, observation_date)
        GROUP BY series_id, t.provider, source, provider_unit, served_until, rank
        HAVING bool_and(figures_equal(t.value, h.value)) FILTER (h.provider IS NOT NULL)
            AND bool_or(observation_date > served_until AND NOT ({IS_ESTIMATED.replace("key", "t.key")}))
        QUALIFY rank = min(rank) OVER (PARTITION BY series_id)
    ), counting AS MATERIALIZED (
        SELECT series_id, provider, source, provider_unit, NULL::DATE AS after FROM serving UNION ALL FROM adding
    ), answer AS (
        SELECT source, series_id, provider, observation_date, value, provider_unit, key
        FROM won JOIN counting USING (series_id, provider)
        WHERE after IS NULL OR (observation_date > after AND NOT ({IS_ESTIMATED}))
    )"""
