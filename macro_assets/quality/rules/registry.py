"""What a rule is, and the one list of them: shapes, tables, families and indicators of the catalog name them.

Beside each rule stand its arguments, an example of them, a frame that it passes and one that it rejects: without these
it is no rule. Belongs here: looking rules up, calling them, and what is wrong with a call. The rules stand beside this.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import polars as pl
from pydantic import JsonValue, ValidationError

from macro_assets.catalog import Column, RuleCall
from macro_assets.catalog.entries import complaints, nearest
from macro_assets.catalog.kinds.declaration import Declaration
from macro_assets.quality.report import SAMPLE, CheckReport

TOLERANCE = 1e-9


class Arguments(Declaration, strict=True):
    """What a call tells a rule; nothing, unless it declares it."""

    def numbers(self) -> tuple[str, ...]:
        """Columns that a call names and that must hold numbers."""
        return ()

    def texts(self) -> tuple[str, ...]:
        """Columns that a call names and that must hold texts."""
        return ()


Function = Callable[[pl.DataFrame, str, Any], CheckReport]
"""The rows, what they are in words, and the arguments, to what was found."""

Frame = Callable[[], pl.DataFrame]


@dataclass(frozen=True)
class Rule:
    """A rule: its function, the columns that it reads whatever it is told, its arguments, and frames that show it.

    `facts` are columns that the table has not: what the catalog says of the series of each row (`facts.py`).
    """

    name: str
    description: str
    function: Function
    passes: Frame
    rejects: Frame
    reads: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    arguments: type[Arguments] = Arguments
    example: Mapping[str, JsonValue] = field(default_factory=dict)


_KNOWN: dict[str, Rule] = {}
RULES: Mapping[str, Rule] = MappingProxyType(_KNOWN)
"""Every rule by name."""


def rule(*, passes: Frame, rejects: Frame, **fields: Any) -> Callable[[Function], Function]:
    """Make a function a rule under its own name, with a frame that it passes and one that it rejects.

    Both are judged with the arguments of `example`.
    """

    def enter(function: Function) -> Function:
        name, description = function.__name__, (function.__doc__ or "").partition("\n")[0]
        _KNOWN[name] = Rule(name, description, function, passes, rejects, **fields)
        return function

    return enter


def apply(call: RuleCall, frame: pl.DataFrame, subject: str, facts: pl.DataFrame | None = None) -> CheckReport:
    """What the rule that is called finds.

    Parameters
    ----------
    facts
        What the catalog says of series, as :func:`macro_assets.quality.rules.facts.facts_of` gives it.

    Raises
    ------
    ValueError
        When there is no such rule, not with these arguments, or no facts for one that asks for them.
    """
    if call.rule not in RULES:
        raise ValueError(f"{subject}: {_no_rule(call.rule)}")
    called = RULES[call.rule]
    if called.facts:
        if facts is None:
            raise ValueError(f"{subject}: {call.rule} asks what the catalog says of the series; give it the catalog")
        frame = frame.join(facts.select("series_id", *called.facts), on="series_id", how="left", maintain_order="left")
    return called.function(frame, subject, called.arguments.model_validate(call.arguments))


def check_rules(calls: Sequence[RuleCall], columns: Sequence[Column]) -> list[str]:
    """What is wrong with the calls of a table with these columns, each beginning with its field: `rules.0: ...`."""
    found = ((n, check_rule(call, columns)) for n, call in enumerate(calls))
    return [f"rules.{n}: {problem}" for n, problem in found if problem is not None]


def check_rule(call: RuleCall, columns: Sequence[Column]) -> str | None:
    """What is wrong with a call: the rule, an argument or a column that there is not, or one of another type."""
    if call.rule not in RULES:
        return _no_rule(call.rule)
    called = RULES[call.rule]
    known = called.arguments.model_fields
    for name in call.arguments:
        if name not in known:
            return f"{call.rule}: {name}: is no argument of it, it has {_listed(known)}.{nearest(name, known)}"
    try:
        arguments = called.arguments.model_validate(call.arguments)
    except ValidationError as error:
        return f"{call.rule}: {'; '.join(complaints(error))}"
    types = {c.name: c.dtype for c in columns}
    named = [*called.reads, *(["series_id"] if called.facts else []), *arguments.numbers(), *arguments.texts()]
    for name in named:
        if name not in types:
            return f"{call.rule}: the table has no column {name!r}, it has {_listed(types)}.{nearest(name, types)}"
    for names, admitted, what in (
        (arguments.numbers(), ("int", "float"), "numbers"),
        (arguments.texts(), ("str",), "texts"),
    ):
        for name in names:
            if types[name] not in admitted:
                return f"{call.rule}: expected a column of {what}, {name!r} is of type {types[name]}"
    return None


def _no_rule(name: str) -> str:
    return f"{name!r} is no rule, there is {_listed(RULES)}.{nearest(name, RULES)}"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"


def report_of(
    frame: pl.DataFrame, subject: str, off: pl.DataFrame, rows: Sequence[int], column: str, said: str
) -> CheckReport:
    """The report of failures, one a row of `off`: `row`, where it first shows, and `value`, what it is."""
    sample = [{"column": column, "rule": said, **o} for o in off.head(SAMPLE).select("value", "row").to_dicts()]
    return CheckReport(subject, frame.height, off.height, tuple(rows), sample)
