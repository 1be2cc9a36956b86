"""The views of the catalog in SQL: rows of the normalized tables of all families, or what was known at an instant.

Their Polars twin is `transforms/views.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from macro_assets.catalog import Catalog, View, names
from macro_assets.lakehouse.macros import FACTS, OWN, quoted, timestamp

NORMALIZED = f"{OWN}.normalized"
"""View of the rows of all families, or of the observations known at an instant: what the views read."""

_MONTH = """CAST(
    date_trunc('month', n.observation_date)
    + to_months(CASE s.frequency WHEN 'Q' THEN 2 WHEN 'A' THEN 11 ELSE 0 END) AS DATE)"""
_OF_THE_MONTH = """CASE any_value(s.aggregation)
    WHEN 'mean' THEN avg(n.value) WHEN 'last' THEN arg_max(n.value, n.observation_date)
    WHEN 'compound' THEN if(count(*) = 1, sum(n.value), 100 * (product(1 + n.value / 100) - 1))
    ELSE sum(n.value) END"""


def normalized_rows(catalog: Catalog, rows: Mapping[str, str], moment: datetime | None) -> str | None:
    """The SQL of what the views read, of the tables among `rows` (SQL by table name); None where it is not there yet.

    As of an instant these are the observations known then, which `macros.py` tells.
    """
    if moment is not None:
        if not any(names.raw(s) in rows for s in catalog.sources):
            return None
        return (
            "SELECT k.source, series_id, provider, observation_date, value * scale AS value, unit, release_time "
            f"FROM observations_as_of({timestamp(moment)}) AS k JOIN catalog.holders USING (series_id, provider)"
        )
    stored = [rows[n] for f in catalog.families if (n := names.normalized(f)) in rows]
    return " UNION ALL BY NAME ".join(f"SELECT * FROM ({sql})" for sql in stored) or None


def view_rows(view: View) -> str:
    """The SQL of a view over `NORMALIZED`."""
    told = {column: f"n.{taken}" for column, taken in view.taken.items()}
    if view.monthly:
        told |= {"observation_date": _MONTH, "value": _OF_THE_MONTH}
    columns = ", ".join(f"{expression} AS {column}" for column, expression in told.items())
    there = [f"n.{view.taken[column]} IS NOT NULL" for column in view.required]
    of_kind = [f"s.kind = {quoted(view.kind)}"] if view.kind else []
    return " ".join(
        (
            f"SELECT {columns} FROM {NORMALIZED} AS n JOIN {FACTS} AS s USING (source, series_id)",
            f"WHERE {' AND '.join(there + of_kind)}",
            "GROUP BY 1, 2, 3" if view.monthly else "",
        )
    )
