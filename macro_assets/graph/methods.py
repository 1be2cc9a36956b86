"""Methods of the rooms, found by name: the module that an entry of the catalog names, and its parameters.

A method is a module with a frozen class `Parameters`; nothing lists them. What an entry gives is made into these
parameters here, with the field in every message.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any, cast

from pydantic import ValidationError

from macro_assets.catalog.entries import complaints, nearest
from macro_assets.catalog.kinds.declaration import Declaration
from macro_assets.catalog.rooms import ROOM_OF, method_names

ROOMS: Mapping[str, str] = {kind: f"macro_assets.{room}" for kind, room in ROOM_OF.items()}
"""Packages in which the methods of each kind of entry stand."""


class MethodError(ValueError):
    """An entry that its room refuses; the message begins with the field."""


def method_module(kind: str, name: str) -> ModuleType:
    """The module of a method.

    Raises
    ------
    MethodError
        When the room has none of that name.
    """
    if find_spec(f"{ROOMS[kind]}.{name}") is not None:
        module = import_module(f"{ROOMS[kind]}.{name}")
        if hasattr(module, "Parameters"):
            return module
    place = ROOMS[kind].replace(".", "/")
    raise MethodError(f"method: no method {name!r} in {place}.{nearest(name, method_names(ROOM_OF[kind]))}")


def parameters_of(module: ModuleType, given: Mapping[str, Any]) -> Declaration:
    """The parameters of a method out of what an entry gives.

    Raises
    ------
    MethodError
        When one is missing, unknown or of the wrong type; all of them are named.
    """
    try:
        return cast("Declaration", module.Parameters.model_validate(given))
    except ValidationError as error:
        told = [f"parameters.{text}" for text in complaints(error)]
        raise MethodError("; ".join(t + _offer(t, module) for t in told)) from None


def _offer(complaint: str, module: ModuleType) -> str:
    """The nearest parameter, where one is not known."""
    name = complaint.removeprefix("parameters.").partition(":")[0]
    return f".{nearest(name, module.Parameters.model_fields)}" if "Extra inputs" in complaint else ""
