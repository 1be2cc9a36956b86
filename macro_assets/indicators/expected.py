"""What methods ask of their inputs, and how they say what is not as they expect. Nothing is computed here."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import polars as pl


def expect_unit(facts: pl.DataFrame, unit: str) -> None:
    """Refuse inputs that are in another unit.

    Raises
    ------
    ValueError
        With the field, what was expected and what came. All functions of this page raise so.
    """
    for number, (series, own) in enumerate(facts.select("series_id", "unit").iter_rows()):
        if own != unit:
            raise ValueError(f"inputs.{number}: expected {unit}, {series} is in {own!r}")


def expect_input(facts: pl.DataFrame, series: str, unit: str, field: str) -> None:
    """Refuse a series of the parameters that is no input, or in another unit."""
    units = dict(facts.select("series_id", "unit").iter_rows())
    if units.get(series) != unit:
        came = f"is in {units[series]!r}" if series in units else "is no input"
        raise ValueError(f"{field}: expected an input in {unit}, {series} {came}")


def expect_same(facts: pl.DataFrame, named: Iterable[str], field: str) -> None:
    """Refuse parameters that name other series than the inputs."""
    if odd := sorted(set(named) ^ set(facts["series_id"])):
        raise ValueError(f"{field}: expected the inputs and no other series, {', '.join(odd)} is on one side alone")


def expect_used(facts: pl.DataFrame, used: Collection[str], of: str) -> None:
    """Refuse inputs that no part of the parameters (`of`, as 'pair') is made of."""
    if idle := [s for s in facts["series_id"] if s not in used]:
        raise ValueError(f"inputs: no {of} is made of {', '.join(idle)}")
