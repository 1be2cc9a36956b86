"""Synthetic derivations on the as-of grid, given to the list beside the catalog's own: what many models will cost.

Each reads the series of the nowcast and stores their mean for every month asked; the numbers mean nothing.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from macro_assets.catalog import Catalog
    from macro_assets.graph.derivation import Derivation, Frames, Moment

DERIVATIONS, MONTHS = 20, 200


def mean(frames: Frames, moment: Moment, *, table: str) -> Frames:
    """One row for the month."""
    import polars as pl

    value = frames["known"]["value"].mean()
    said = {"as_of_month": moment.month, "as_of": moment.instants["known"], "computed_at": moment.computed_at}
    return {table: pl.DataFrame({**said, "index_value": value})}


def with_many(months: int = MONTHS) -> tuple[Catalog, tuple[Derivation, ...]]:
    """The catalog with a table for each synthetic derivation, and the list of all derivations."""
    from macro_assets.catalog import Table, default_catalog
    from macro_assets.graph.check import checked
    from macro_assets.graph.declared import derivations
    from macro_assets.graph.derivation import Derivation, Known
    from macro_assets.orchestration.partitions import AS_OF_MONTHS

    catalog = default_catalog()
    like, index = catalog.one_table("diagnostics/gdp_nowcast"), catalog.one_table("indicators/economic_stress_index")
    columns = [c for c in like.columns if c.name in ("as_of_month", "as_of", "computed_at")]
    columns += [c for c in index.columns if c.name == "index_value"]
    entry = {**like.model_dump(), "columns": [c.model_dump() for c in columns], "key": ("as_of_month",)}
    names = [f"synthetic/mean_{n:02d}" for n in range(DERIVATIONS)]
    tables = {n: Table.model_validate({**entry, "name": n}) for n in names}
    catalog = replace(catalog, tables={**catalog.tables, **tables})
    read = {"known": Known(catalog.models["gdp_nowcast"].series)}
    asked = tuple(AS_OF_MONTHS.get_partition_keys()[-months:])
    many = [Derivation((n,), read, partial(mean, table=n), grid="as_of", demo=asked) for n in names]
    return catalog, checked([*derivations(catalog), *many], catalog)
