"""What the catalog knows of the rooms whose methods its entries name: which modules there are, and their shape.

It imports no room. It looks at the files, and reads the text of a method of indicators or scores, in which the shape of
its table stands beside the function that gives it, as `SHAPE = "signal"`.
"""

from __future__ import annotations

import ast
import re
import sys
from importlib.resources import files

ROOM_OF = {"indicators": "indicators", "scores": "evaluation", "models": "models"}
"""Folder of the methods of each kind of entry; `charts/modules.py` finds those of charts."""

_OF_A_METHOD = re.compile(r"^(class )?Parameters\b", re.MULTILINE)
"""In the text of each method's module: what an entry may say. All else that a room asks of it is for its tests."""


def method_names(room: str) -> list[str]:
    """Names of the modules of a room, such as 'indicators', that are methods: they have `Parameters`."""
    modules = (f for f in (files("macro_assets") / room).iterdir() if f.name.endswith(".py"))
    return sorted(f.name.removesuffix(".py") for f in modules if _OF_A_METHOD.search(f.read_text(encoding="utf-8")))


def shape_of(room: str, method: str) -> str | None:
    """The shape that a method of a room gives; None where no module of the room has that name and says it."""
    if (loaded := sys.modules.get(f"macro_assets.{room}.{method}")) is not None:
        return getattr(loaded, "SHAPE", None)
    module = files("macro_assets") / room / f"{method}.py"
    if not module.is_file():
        return None
    for node in ast.parse(module.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and [t.id for t in node.targets if isinstance(t, ast.Name)] == ["SHAPE"]:
            value = node.value
            return value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else None
    return None
