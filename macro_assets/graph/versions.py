"""Code versions: what changes when a formula or a catalog fact does.

A computation is the modules that hold it and every module of the package that they import, found by reading, never by
importing. Packages' `__init__` do not count, since the faces of the rooms hold nothing. The walk stops at the catalog
and at storage: what is read of them enters as facts. Which vintage counts is a formula, so that module is walked.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import fields, is_dataclass
from datetime import date, time
from functools import cache, partial
from importlib.util import find_spec, resolve_name
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
from pydantic import BaseModel

_PACKAGE = "macro_assets."
_STOPS = ("macro_assets.catalog.", "macro_assets.lakehouse.")
_WALKED = "macro_assets.lakehouse.vintages"
_FACE = "__init__.py"
_json = partial(json.dumps, sort_keys=True)


def code_version(modules: Sequence[str], facts: str = "") -> str:
    """12 hex digits that change when a fact does, or what any module of the closure does."""
    digest = hashlib.sha256(facts.encode())
    for name in closure(modules):
        digest.update(f"\n{name} {_module(name).sha256}".encode())
    return digest.hexdigest()[:12]


def closure(modules: Sequence[str]) -> tuple[str, ...]:
    """Names of the given modules and of all that they import, directly or not, sorted."""
    found, waiting = set[str](), list(modules)
    while waiting:
        if (name := waiting.pop()) not in found:
            found.add(name)
            waiting += _module(name).imports
    return tuple(sorted(found))


def text_version(modules: Sequence[str], facts: str = "") -> str:
    """12 hex digits that change when a fact does, or the bytes of a module or of any module of a package."""
    digest = hashlib.sha256(facts.encode())
    for name in modules:
        own = _file(name)
        for file in sorted(own.parent.rglob("*.py")) if own.name == _FACE else [own]:
            digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def facts(*values: object) -> str:
    """Declarations, frames and plain values as canonical JSON: equal content is equal text."""
    return _json(_plain(values))


def _plain(value: Any) -> object:
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, BaseModel):  # not in JSON mode: that leaves sets in the order of their hashes
        return _plain(value.model_dump())
    if isinstance(value, pl.DataFrame):
        return {"columns": value.columns, "rows": _plain(value.rows())}
    if isinstance(value, Mapping):
        return {k if isinstance(k, str) else _json(_plain(k)): _plain(v) for k, v in value.items()}
    if isinstance(value, Set):
        return sorted(map(_plain, value), key=_json)
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray | memoryview):
        return [_plain(v) for v in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    raise TypeError(f"a {type(value).__qualname__} is no fact: give its content as plain values")


class _Module(NamedTuple):
    sha256: str  # of what runs
    imports: tuple[str, ...]  # where the walk goes on


@cache
def _module(name: str) -> _Module:
    """A module as this process first found it: an edit during a run must not pass for the code that ran."""
    file = _file(name)
    if file.name == _FACE:
        raise ValueError(f"{name} is a package, and its face does not count: name its modules")
    reader = _Reader(package=name.rpartition(".")[0])
    tree = reader.visit(ast.parse(file.read_bytes(), str(file)))
    return _Module(hashlib.sha256(ast.dump(tree).encode()).hexdigest(), tuple(filter(_is_walked, reader.imported)))


class _Reader(ast.NodeTransformer):
    """Leaves of a tree what runs, no docstring and nothing for type checkers, and notes what that imports."""

    def __init__(self, package: str) -> None:
        self.package = package
        self.imported: set[str] = set()  # of `from a import b` both `a` and `a.b`: either may be the module

    def visit(self, node: ast.AST) -> Any:
        return node if isinstance(node, ast.expr) else super().visit(node)

    def visit_Expr(self, node: ast.Expr) -> ast.Expr | None:
        is_text = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        return None if is_text else node

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
        if ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            node.body = []
        return self.generic_visit(node)

    def visit_Import(self, node: ast.Import) -> ast.Import:
        self.imported.update(alias.name for alias in node.names)
        return node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.ImportFrom:
        base = resolve_name("." * node.level + (node.module or ""), self.package)
        self.imported.update((base, *(f"{base}.{alias.name}" for alias in node.names)))
        return node


def _is_walked(name: str) -> bool:
    if name.startswith(_PACKAGE) and (name == _WALKED or not name.startswith(_STOPS)):
        with suppress(ModuleNotFoundError):  # a function or a class
            return _file(name).name != _FACE
    return False


def _file(name: str) -> Path:
    """The file of a module, a package's `__init__` too; nothing is imported, not even its parents."""
    top, *rest = name.split(".")
    spec = find_spec(top)
    for folder in (spec and spec.submodule_search_locations) or ():
        place = Path(folder, *rest)
        for file in (place / _FACE, place.with_suffix(".py")):
            if file.is_file():
                return file
    if spec and spec.origin and not rest:
        return Path(spec.origin)
    raise ModuleNotFoundError(f"module {name} not found", name=name)
