"""What methods ask of their inputs, and how they say what is not as they expect. Nothing is computed here."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Protocol

import polars as pl

from macro_assets.catalog.kinds.step import Step
from macro_assets.transforms.steps import check


class Part(Protocol):
    """A part of the parameters: a series, and the transforms of its figures."""

    @property
    def series(self) -> str:
        """Its id."""

    @property
    def steps(self) -> tuple[Step, ...]:
        """One after the other."""


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


def expect_one(facts: pl.DataFrame) -> dict[str, str]:
    """The facts of the only input; refuse another number of them."""
    if facts.height != 1:
        raise ValueError(f"inputs: expected one series, got {', '.join(facts['series_id']) or 'none'}")
    return facts.row(0, named=True)


def expect_tables(facts: pl.DataFrame, of: str) -> None:
    """Refuse series where tables (`of`, as 'probabilities') are read."""
    if facts.height:
        raise ValueError(f"inputs: expected tables of {of}, got the series {', '.join(facts['series_id'])}")


def expect_parts(
    facts: pl.DataFrame, parts: Sequence[Part], field: str, frequency: str | None = None
) -> list[tuple[str, dict[str, str], str]]:
    """Refuse parts that are not the inputs, each once, and steps that cannot be taken at their own or one frequency.

    Returns the field of each part, the facts of its series, and the unit that its steps give.
    """
    known = {fact["series_id"]: fact for fact in facts.to_dicts()}
    named = [part.series for part in parts]
    if sorted(named) != sorted(known):
        raise ValueError(f"{field}: expected the inputs {', '.join(known)}, got {', '.join(named)}")
    found = []
    for number, part in enumerate(parts):
        fact, own = known[part.series], f"{field}.{number}"
        try:
            unit = check(part.steps, [fact["unit"]], frequency or fact["frequency"], [fact["seasonal_adjustment"]])
        except ValueError as error:
            raise ValueError(f"{own}.steps: {error}") from None
        found.append((own, fact, unit))
    return found
