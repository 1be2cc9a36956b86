"""`changes/<indicator>`: why a composite moved between two as-of months, from what was known at their ends."""

from __future__ import annotations

from datetime import UTC, date, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from macro_assets.catalog import load_catalog
from macro_assets.graph.declared import derivations
from macro_assets.graph.endings import Empty, month_of
from macro_assets.graph.inputs import Inputs
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.raw import append_vintages
from macro_assets.quality import check_table
from macro_assets_tests.lakehouse.synthetic import row

DATA = files("macro_assets.catalog") / "data"
NOW = datetime(2022, 1, 1, tzinfo=UTC)
LEVELS = {"UNRATE": [3.0, 5.0, 4.0, 6.0, 5.5, 4.5, 7.0, 6.5], "BAA": [4.0, 3.0, 6.0, 5.0, 4.5, 5.5, 7.0, 4.0]}
PORTFOLIO = {"weights": "portfolio", "score": "empirical", "decay": 0.9}


def entry(**parameters: Any) -> dict[str, Any]:
    parts = [
        {"name": s.lower(), "title": s, "of": [s], "steps": ["level"], "sign": 1, "weight": 0.5}
        for s in ("UNRATE", "BAA")
    ]
    return {
        "name": "my_index",
        "title": "My index",
        "description": "Invented.",
        "method": "composite",
        "inputs": ["UNRATE", "BAA"],
        "real_time": True,
        "reference": "none, it is invented",
        "parameters": {"min_history_months": 2, "min_components": 1, "components": parts, **parameters},
    }


def lake_of(tmp_path: Path, **parameters: Any) -> Lakehouse:
    """Figures of January to August 2021, each released on the fifth of the month after; June's rate is revised."""
    own = tmp_path / "own"
    own.mkdir()
    (own / "mine.yaml").write_text(yaml.safe_dump({"indicators": [entry(**parameters)]}))
    lake = Lakehouse(tmp_path / "lake", load_catalog(DATA, own))
    rows = [
        {**row(date(2021, n, 1), value, datetime(2021, n + 1, 5, tzinfo=UTC)), "series_id": series}
        for series, values in LEVELS.items()
        for n, value in enumerate(values, 1)
        if (series, n) != ("BAA", 8)  # which is late
    ]
    rows.append({**row(date(2021, 6, 1), 5.0, datetime(2021, 8, 5, tzinfo=UTC)), "series_id": "UNRATE"})
    append_vintages("bundled", pl.DataFrame(rows).drop("run_id"), "run", root=lake.root, catalog=lake.catalog)
    return lake


def changed(lake: Lakehouse, month: str) -> pl.DataFrame | Empty:
    own = [d for d in derivations(lake.catalog) if d.tables[0] in ("real_time/my_index", "changes/my_index")]
    inputs = Inputs(lake, own, [month], NOW)
    made = {t: rows for d in own for t, rows in _tables(month_of(d, inputs, month)).items()}
    if "changes/my_index" not in made:
        return month_of(own[-1], inputs, month)  # type: ignore[return-value]
    rows, known = made["changes/my_index"], made["real_time/my_index"].sort("observation_date")
    table = lake.table("changes/my_index")
    assert check_table(rows.select(c.name for c in table.columns), table).passed
    assert rows["index_after"].unique().to_list() == [known["index_value"][-1]]
    assert rows["observation_date"].unique().to_list() == [known["observation_date"][-1]]
    return rows


def _tables(made: Any) -> dict[str, pl.DataFrame]:
    return {} if isinstance(made, Empty) else dict(made)


def by_term(rows: pl.DataFrame | Empty) -> dict[str, float]:
    assert isinstance(rows, pl.DataFrame)
    return dict(rows.group_by("term", maintain_order=True).agg(pl.col("value").sum()).iter_rows())


@pytest.mark.parametrize("parameters", [{}, PORTFOLIO], ids=["fixed", "portfolio"])
def test_each_cause_stands_in_its_term(parameters: dict[str, Any], tmp_path: Path) -> None:
    lake = lake_of(tmp_path, **parameters)
    revised = changed(lake, "2021-08")  # of July, with June's rate revised
    assert isinstance(revised, pl.DataFrame)
    told = revised.row(0, named=True)
    assert (told["previous_date"], told["observation_date"]) == (date(2021, 6, 1), date(2021, 7, 1))
    terms = by_term(revised)
    assert sum(terms.values()) == pytest.approx(told["index_after"] - told["index_before"], abs=1e-12)
    assert terms["revision"] != 0
    assert terms["data"] != 0
    assert (terms["exit"], terms["entry"]) == (0, 0)
    assert (terms["weights"] != 0) == bool(parameters), "correlations move, fixed weights do not"
    late = changed(lake, "2021-09")  # of August, which has no yield
    terms = by_term(late)
    assert terms["exit"] != 0
    assert terms["revision"] == terms["entry"] == 0


def test_a_late_component_that_is_carried_is_no_exit(tmp_path: Path) -> None:
    terms = by_term(changed(lake_of(tmp_path, missing="carry", carry_months=2), "2021-09"))
    assert terms["exit"] == terms["entry"] == terms["weights"] == 0
    assert terms["data"] != 0


def test_with_nothing_new_nothing_moved(tmp_path: Path) -> None:
    rows = changed(lake_of(tmp_path), "2021-10")
    assert set(by_term(rows).values()) == {0.0}


def test_before_there_was_an_index_a_month_is_empty_and_says_so(tmp_path: Path) -> None:
    assert changed(lake_of(tmp_path), "2021-03") == Empty("changes/my_index: no index could be made by 2021-02-28")
