"""A table of series of which nothing is known is empty, and says of which."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import polars as pl
import pytest

from macro_assets.graph.derivation import Derivation, Input, Known, Served, Table
from macro_assets.orchestration.assets.derived import why_empty


def why(told: Sequence[str], **inputs: Input) -> str:
    """Of inputs of which some series are known and no table has a row."""
    frame = pl.DataFrame({"series_id": told}, schema={"series_id": pl.String})
    derivation = Derivation(("indicators/toy",), inputs, partial(dict))
    return why_empty(derivation, {n: frame if isinstance(g, Known) else frame.clear() for n, g in inputs.items()})


@pytest.mark.parametrize(
    ("known", "said"),
    [
        ([], "there is nothing of A, B, C, D and 1 more"),
        (["A", "B"], "there is nothing of C, D, E"),
        (["A", "B", "C", "D", "E"], "what there is of its inputs does not suffice"),
    ],
)
def test_series_without_a_figure_are_named(known: list[str], said: str) -> None:
    assert why(known, known=Known(("A", "B", "C", "D", "E"))) == said


def test_a_table_without_rows_is_named_too() -> None:
    assert why(["A"], known=Known(("A",)), other=Table("indicators/other")) == "there is nothing of indicators/other"


def test_what_is_made_of_a_table_alone_names_it() -> None:
    assert why([], other=Table("indicators/other")) == "there is nothing of indicators/other"


def test_what_is_made_of_neither_has_nothing_to_say() -> None:
    assert why([], served=Served(("A",), ("raw/a",))) == ""
