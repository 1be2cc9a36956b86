"""What a rule of a table is: a function of `quality/rules/` by name, with its arguments and what its breach means."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, JsonValue, model_validator

from macro_assets.catalog.kinds.declaration import Declaration, Slug

Severity = Literal["error", "warn"]
"""What a breach means: with 'error' the rows are not stored, with 'warn' they are, and it is told."""


class RuleCall(Declaration):
    """A rule by name: `contributions_add_up`, or with arguments `{rule: within, column: value, low: -2}`.

    `severity: warn` beside them says that a breach is told and blocks nothing.
    """

    rule: Slug
    severity: Severity = "error"
    arguments: dict[str, JsonValue] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _flat(cls, given: Any) -> Any:
        if isinstance(given, str):
            return {"rule": given}
        if isinstance(given, dict) and "rule" in given and "arguments" not in given:
            of_call = {k: given[k] for k in ("rule", "severity") if k in given}
            return {**of_call, "arguments": {k: v for k, v in given.items() if k not in of_call}}
        return given

    def __str__(self) -> str:
        said = ", ".join(f"{k} {v}" for k, v in self.arguments.items())
        warns = " as a warning" if self.severity == "warn" else ""
        return (f"{self.rule} ({said})" if said else self.rule) + warns
