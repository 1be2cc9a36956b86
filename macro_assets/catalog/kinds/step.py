"""Steps: what is done to a series before it is used, by the names of transforms. What a name means is not told here."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field, JsonValue

from macro_assets.catalog.kinds.declaration import Declaration, Slug


class Step(Declaration):
    """One transform, by its name, with its parameters as they are written."""

    name: Slug
    parameters: dict[str, JsonValue] = Field(default_factory=dict)


def _steps(written: object) -> tuple[object, ...]:
    """Steps as YAML writes them: a name, a mapping of a name to its parameters, a list of these, or one alone."""
    return tuple(_step(one) for one in (written if isinstance(written, list | tuple) else [written]))


def _step(written: object) -> object:
    match written:
        case Step():
            return written
        case {"name": str(), "parameters": dict(), **more} if not more:  # as a step is when it is written out
            return written
        case str():
            return {"name": written}
        case dict() if len(written) == 1:
            ((name, parameters),) = written.items()
            if not isinstance(parameters, dict):
                raise ValueError(f"expected parameters of {name!r} as {{name: value}}, got {parameters!r}")
            return {"name": name, "parameters": parameters}
    raise ValueError(f"expected a step as 'name' or {{name: {{parameter: value}}}}, got {written!r}")


Steps = Annotated[tuple[Step, ...], BeforeValidator(_steps)]
"""Transforms in the order in which they are done."""
