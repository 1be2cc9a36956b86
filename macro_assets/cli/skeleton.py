"""The text of a new entry: every field of its kind, with what it is for, over the example of a method.

Belongs here: which text. Does not belong here: where it goes, and whether the name is free (``new.py``).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from datetime import date
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml
from pydantic.fields import FieldInfo
from pydantic_core import to_jsonable_python

from macro_assets.catalog import Chart, Indicator, Model, Score
from macro_assets.catalog.kinds.declaration import Declaration
from macro_assets.catalog.rooms import ROOM_OF, method_names
from macro_assets.charts.modules import modules
from macro_assets.graph.methods import ROOMS

KINDS: Mapping[str, type[Declaration]] = {"indicator": Indicator, "score": Score, "model": Model, "chart": Chart}
_METHOD = {"indicator": "method", "score": "method", "model": "method", "chart": "draws"}
"""Field that names the method."""
_LAYER = {"indicator": "indicators", "score": "scores", "model": "forecasts", "chart": "charts"}
_WIDTH = 116
_LONGEST = 30
"""Of a field in a list of them: a line is folded by where a field of it begins."""


def methods(kind: str) -> dict[str, str]:
    """Methods that entries of a kind may name, each with the first line of its module's docstring; none is imported."""
    found = {}
    for name, module in _modules(kind).items():
        spec = find_spec(module)
        tree = ast.parse(Path(spec.origin).read_text(encoding="utf-8")) if spec and spec.origin else ast.Module([], [])
        found[name] = (ast.get_docstring(tree) or "").partition("\n")[0]
    return found


def _modules(kind: str) -> dict[str, str]:
    if kind == "chart":
        return modules()
    return {name: f"{ROOMS[f'{kind}s']}.{name}" for name in method_names(ROOM_OF[f"{kind}s"])}


def skeleton(kind: str, name: str, method: str, **more: Any) -> str:
    """A file with one entry that is valid as it is.

    Parameters
    ----------
    kind
        'indicator', 'score', 'model' or 'chart'.
    method
        One of :func:`methods`.
    more
        Values of further fields.
    """
    module = import_module(_modules(kind)[method])
    values = {
        "name": name,
        "title": name.replace("_", " ").capitalize(),
        "subtitle": "What is measured, in which unit",
        "description": methods(kind)[method],
        _METHOD[kind]: method,
        "reference": "Not stated yet",
        "section": "own",
        "sample_start": date(2000, 1, 1),
        **module.EXAMPLE,
        **more,
    }
    head = (
        f"# A new {kind}, valid as it is: edit what does not fit. What is commented out is as it would be without.",
        f"# `macro doctor` says what is wrong, `macro run {_LAYER[kind]}/{name}` computes it.",
        f"{kind}s:",
    )
    return "\n".join([*head, *_fields(KINDS[kind], values, module.Parameters)]) + "\n"


def _fields(kind: type[Declaration], values: Mapping[str, Any], parameters: type[Declaration]) -> Iterator[str]:
    mark = "  - "
    for name, field in kind.model_fields.items():
        if field.description and mark == "    ":
            yield f"    # {field.description}"
        if name == "parameters":
            yield from _parameters(values.get(name, {}), parameters)
        elif values.get(name) is not None:
            yield from _marked(mark, name, values[name])
        else:
            yield from _marked("    # ", name, _default(field))
        mark = "    "


def _parameters(given: Mapping[str, Any], kind: type[Declaration]) -> Iterator[str]:
    yield f"    parameters:{'' if kind.model_fields else ' {}'}"
    for name, field in kind.model_fields.items():
        if field.description:
            yield f"      # {field.description}"
        yield from _marked("      ", name, given[name] if name in given else _default(field))


def _default(field: FieldInfo) -> Any:
    """What a field is where an entry does not say it, as YAML has it."""
    return to_jsonable_python(field.get_default(call_default_factory=True))


def _marked(mark: str, name: str, value: Any) -> Iterator[str]:
    """YAML of a field, each of its lines after a mark; on one line where it fits."""
    line = _dumped(value, True, 10_000).removesuffix("...\n").strip()
    if len(mark) + len(name) + len(line) <= _WIDTH:
        yield f"{mark}{name}: {line}"
        return
    further = mark if "#" in mark else " " * len(mark)
    block = _dumped(value, None, _WIDTH - _LONGEST).removesuffix("...\n")
    yield f"{mark}{name}:"
    yield from (f"{further}  {part}" for part in block.splitlines())


def _dumped(value: Any, flow: bool | None, width: int) -> str:
    return str(yaml.safe_dump(value, default_flow_style=flow, sort_keys=False, allow_unicode=True, width=width))
