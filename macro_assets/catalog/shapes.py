"""The shape that an indicator's table has, where its entry does not state it: as the module of its method says.

The catalog imports no room. It reads the module's text, in which the shape stands beside the function that gives it,
as `SHAPE = "signal"`.
"""

from __future__ import annotations

import ast
import sys
from importlib.resources import files

_ROOM = "macro_assets.indicators"


def methods() -> list[str]:
    """Names of the modules of the room."""
    found = (files("macro_assets") / "indicators").iterdir()
    return sorted(f.name.removesuffix(".py") for f in found if f.name.endswith(".py") and f.name != "__init__.py")


def shape_of(method: str) -> str | None:
    """The shape that a method of indicators gives; None where no module of the room has that name and says it."""
    if (loaded := sys.modules.get(f"{_ROOM}.{method}")) is not None:
        return getattr(loaded, "SHAPE", None)
    module = files("macro_assets") / "indicators" / f"{method}.py"
    if not module.is_file():
        return None
    for node in ast.parse(module.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and [t.id for t in node.targets if isinstance(t, ast.Name)] == ["SHAPE"]:
            value = node.value
            return value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else None
    return None
