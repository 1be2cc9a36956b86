"""What a rule of a table is: a function of `quality/rules.py` by name, with its arguments."""

from __future__ import annotations

from typing import Any

from pydantic import Field, JsonValue, model_validator

from macro_assets.catalog.kinds.declaration import Declaration, Slug


class RuleCall(Declaration):
    """A rule by name: `contributions_add_up`, or with arguments `{rule: within, column: value, low: -2}`."""

    rule: Slug
    arguments: dict[str, JsonValue] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _flat(cls, given: Any) -> Any:
        if isinstance(given, str):
            return {"rule": given}
        if isinstance(given, dict) and "rule" in given and "arguments" not in given:
            return {"rule": given["rule"], "arguments": {k: v for k, v in given.items() if k != "rule"}}
        return given

    def __str__(self) -> str:
        said = ", ".join(f"{k} {v}" for k, v in self.arguments.items())
        return f"{self.rule} ({said})" if said else self.rule
