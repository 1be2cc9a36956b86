"""Where the lake is or is to be: what the commands look at before they read or make one."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

from macro_assets.cli.terminal import say

if TYPE_CHECKING:
    from macro_assets.lakehouse.paths import Root


def needs_lake(command: Callable[..., Any]) -> Callable[..., Any]:
    """A command that reads a lake: where there is none, it says so and makes nothing."""

    @wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        from macro_assets.lakehouse.absent import no_lake
        from macro_assets.lakehouse.delta import LakeError
        from macro_assets.lakehouse.paths import lake_root

        root = lake_root()
        if not has_tables(root):
            raise LakeError(no_lake(root))
        return command(*args, **kwargs)

    return wrapped


def has_tables(root: Root) -> bool:
    """Whether there is a lake: a Delta table at least."""
    from macro_assets.lakehouse.delta import table_versions

    if isinstance(root, Path):
        return next(root.glob("*/*/_delta_log"), None) is not None
    return bool(table_versions(root))


def refuse_nothing(root: Root) -> None:
    """Raise a :class:`LakeError` where a folder that is to be copied is not there, or empty."""
    from macro_assets.lakehouse.absent import no_lake
    from macro_assets.lakehouse.delta import LakeError

    if isinstance(root, Path) and not (root.is_dir() and any(root.iterdir())):
        raise LakeError(no_lake(root))


def warn_of_no_lake() -> None:
    """A line on stderr where `MACRO_LAKE` names no folder, for commands that have something to say all the same."""
    from macro_assets.lakehouse.absent import no_lake
    from macro_assets.lakehouse.paths import default_root, lake_root

    root = lake_root()
    if isinstance(root, Path) and root != default_root() and not root.exists():
        say(f"warning: {no_lake(root)}", err=True)


def new_lake() -> str | None:
    """What a command that makes a lake is to say of it: that it is a new one; None where there is one.

    Raises
    ------
    LakeError
        When the folder that it is to be in does not exist: a name was mistyped. The default place is always made.
    """
    from macro_assets.lakehouse.absent import no_lake
    from macro_assets.lakehouse.delta import LakeError
    from macro_assets.lakehouse.paths import default_root, lake_root

    root = lake_root()
    if not isinstance(root, Path) or root.exists():
        return None
    if root != default_root() and not root.parent.exists():
        raise LakeError(f"{no_lake(root)} The folder {root.parent} does not exist: make it first, if it is meant.")
    return f"a new lake: {root}"
