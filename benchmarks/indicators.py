"""What computing the indicators costs on synthetic vintages: those in real time as of 120 month ends.

The vintages are those of `macro_assets_tests/indicators/vintages.py`, synthetic: every series behind an indicator,
those of curves from four years before the first month on. Timed is the computing of each month alone, with the
indicators that one is made of, without reading figures. A month is dear where parameters are estimated anew: the
dearest counts as a refit. What is not kept as of months is computed as of four of them and reported.
"""

from __future__ import annotations

import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from statistics import mean

import polars as pl
from measure import ROOT, Ratio, show, timed

sys.path.insert(0, str(ROOT))

from macro_assets.catalog import Catalog, default_catalog
from macro_assets.catalog.periods import month_end
from macro_assets.graph.declared import derivations
from macro_assets.graph.derivation import Frames
from macro_assets.graph.inputs import Inputs
from macro_assets.graph.reading import _Past
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets_tests.indicators.vintages import behind, store, store_forecasts, vintages

FIRST, MONTHS = date(2007, 1, 1), 120
HISTORY_FROM, CURVES_FROM = date(1960, 1, 1), date(2003, 1, 1)
REPORTED = 4
"""Months of which all other indicators are computed."""
SHOWN = 12
"""Dearest tables that are printed."""
A_MONTH = ("allowed", 0.050, 1.0)


def synthetic_lake(folder: Path, catalog: Catalog) -> Lakehouse:
    """A lake of synthetic vintages of all that is behind an indicator."""
    lake, last = Lakehouse(folder, catalog), date(FIRST.year + MONTHS // 12, FIRST.month, 1)
    store(lake, vintages(catalog, behind(catalog), (HISTORY_FROM, last), CURVES_FROM))
    for table in {t for i in catalog.indicators.values() for t in i.tables if t.startswith("forecasts/")}:
        store_forecasts(lake, table, datetime(last.year, last.month, 1, tzinfo=UTC))
    return lake


def seconds(lake: Lakehouse) -> dict[str, list[float]]:
    """Of each table, how long each month took to compute."""
    made = [d for d in derivations(lake.catalog) if d.tables[0].split("/")[0] in ("indicators", "real_time", "changes")]
    on_grid = [d for d in made if d.grid]
    last = date(FIRST.year + MONTHS // 12 - 1, 12, 1)
    months = [f"{m:%Y-%m}" for m in pl.date_range(FIRST, last, "1mo", eager=True)]
    inputs = Inputs(lake, on_grid, months)
    spent: dict[str, list[float]] = defaultdict(list)
    for month in months:
        for derivation in on_grid:
            frames, moment = inputs.frames(derivation, month), inputs.moment(derivation, month)
            spent[derivation.tables[0]].append(timed(partial(derivation.compute, frames, moment)))
    for month in months[MONTHS // REPORTED - 1 :: MONTHS // REPORTED]:
        past = _Timed(lake, month_end(month, datetime.now(UTC)))
        for derivation in (d for d in made if not d.grid):
            past.asked(derivation.tables[0])
        for table, took in past.spent.items():
            spent[table].append(took)
    return spent


class _Timed(_Past):
    """The tables of a lake as of an instant, with the time that computing each took."""

    def __init__(self, lake: Lakehouse, moment: datetime) -> None:
        super().__init__(lake, moment)
        self.spent: dict[str, float] = {}
        self.made = {t: replace(d, compute=partial(self._clocked, t, d.compute)) for t, d in self.made.items()}

    def _clocked(self, table: str, compute: Callable[..., Frames], *given: object) -> Frames:
        found: list[Frames] = []
        self.spent[table] = timed(lambda: found.append(compute(*given)))
        return found[0]


def run() -> list[Ratio]:
    with tempfile.TemporaryDirectory() as folder:
        spent = seconds(synthetic_lake(Path(folder), default_catalog()))
    usual = {table: mean(took) for table, took in spent.items()}
    for table in sorted(usual, key=lambda t: -usual[t])[:SHOWN]:
        most, of = max(spent[table]), len(spent[table])
        print(f"{table}: {usual[table] * 1000:.1f} ms a month, at most {most * 1000:.0f} ms, of {of} months")
    on_grid = {t: took for t, took in spent.items() if not t.startswith("indicators/")}
    dearest, refit = max(on_grid, key=lambda t: usual[t]), max(on_grid, key=lambda t: max(spent[t]))
    return [
        Ratio(f"a month of {len(on_grid)} tables in real time, each", mean(usual[t] for t in on_grid), *A_MONTH),
        Ratio(f"the dearest of them, {dearest}", usual[dearest], *A_MONTH),
        Ratio(f"the dearest month, of {refit}", max(spent[refit]), "allowed", 1.0, 1.0),
    ]


if __name__ == "__main__":
    show(run())
