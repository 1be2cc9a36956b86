"""What is stored of each series, in SQL: the view `catalog.series`, the facts of the catalog with what the lake has."""

from __future__ import annotations

from macro_assets.lakehouse.holders import ESTIMATED
from macro_assets.lakehouse.macros import FACTS, VINTAGES, in_force

_NOTHING = f"""
    SELECT *, NULL::VARCHAR AS serves, NULL::DATE AS first_date, NULL::DATE AS last_date, 0 AS rows, 0 AS vintages
    FROM {FACTS}
"""


def series_rows(vintages: str | None, decided: bool) -> str:
    """The SQL of `catalog.series`: an instant's, in a session as of it.

    It reads every stored row; what is about the catalog alone reads `FACTS`.

    Parameters
    ----------
    vintages
        SQL of the rows of all raw tables; None where there is none, and there are no macros.
    decided
        Whether there are decisions about stored values.
    """
    if vintages is None:
        return _NOTHING
    return f"""{in_force("NULL", vintages, decided)}, spans AS (
        SELECT series_id, min(observation_date) AS first_date, max(observation_date) AS last_date
        FROM won SEMI JOIN serving USING (series_id, provider) WHERE value IS NOT NULL GROUP BY series_id
    ), counts AS (
        SELECT series_id, CAST(sum(told) AS BIGINT) AS rows, count(*) FILTER (NOT is_estimated) AS vintages
        FROM (
            SELECT series_id, provider, release_time, release_basis = '{ESTIMATED}' AS is_estimated, count(*) AS told
            FROM {VINTAGES} GROUP BY ALL
        ) GROUP BY series_id
    )
    SELECT s.*, serving.provider AS serves, first_date, spans.last_date, coalesce(rows, 0) AS rows,
        coalesce(vintages, 0) AS vintages
    FROM {FACTS} AS s LEFT JOIN serving USING (series_id) LEFT JOIN spans USING (series_id)
        LEFT JOIN counts USING (series_id)"""
