"""What a step is: a named transform with its parameters, as chains of them are written in YAML."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, JsonValue, model_validator

from macro_assets.catalog.kinds.declaration import Declaration, Slug


class Step(Declaration):
    """A transform by name: `spread`, or with parameters `{zscore: {min_obs: 24}}`."""

    name: Slug
    parameters: dict[str, JsonValue] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _short(cls, given: Any) -> Any:
        if isinstance(given, str):
            return {"name": given}
        if isinstance(given, dict) and len(given) == 1 and "name" not in given:
            ((name, parameters),) = given.items()
            return {"name": name, "parameters": parameters}
        return given


def _chain(given: Any) -> Any:
    """One step alone is a chain of one."""
    return (given,) if isinstance(given, str | dict | Step) else given


Steps = Annotated[tuple[Step, ...], BeforeValidator(_chain)]
"""Steps in the order they are taken: a list of them, or one alone."""
