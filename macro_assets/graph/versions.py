"""Code versions: what changes when a formula or a catalog fact does."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from pydantic import BaseModel


def code_version(modules: Sequence[str], facts: str) -> str:
    """12 hex digits that change when a catalog fact does, or the text of a module or of any module of a package."""
    digest = hashlib.sha256(facts.encode())
    for name in modules:
        spec = find_spec(name)
        if spec is None or spec.origin is None:
            raise ModuleNotFoundError(f"module {name} not found")
        own = Path(spec.origin)
        for file in sorted(own.parent.rglob("*.py")) if spec.submodule_search_locations else [own]:
            digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def facts(*declarations: object) -> str:
    """Catalog entries, or plain values, as JSON."""
    plain = [d.model_dump(mode="json") if isinstance(d, BaseModel) else d for d in declarations]
    return json.dumps(plain, sort_keys=True)
