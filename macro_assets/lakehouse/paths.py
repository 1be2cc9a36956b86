"""Where the lake is: its root, and the place of a table or file below it."""

from __future__ import annotations

import os
from pathlib import Path

import macro_assets


def project_root() -> Path:
    """The checkout this package runs from, or the current folder when it is installed elsewhere."""
    above = Path(macro_assets.__file__).resolve().parents[1]
    return above if (above / "dagster.yaml").is_file() else Path.cwd()


def lake_root(root: str | Path | None = None) -> Path:
    """Root of the lake: the argument, else `MACRO_LAKE`, else `data/lake` of the project.

    Returns
    -------
    Path
        Absolute. It need not exist yet.

    Raises
    ------
    ValueError
        When the root is an address such as `s3://...`: the lake is a folder.
    """
    given = root or os.environ.get("MACRO_LAKE")
    if "://" in str(given):
        raise ValueError(
            f"the lake root {given} is an address; expected a folder. Set MACRO_LAKE to a path on this machine."
        )
    return Path(given).expanduser().resolve() if given else project_root() / "data" / "lake"


def table_path(root: Path, name: str) -> Path:
    """Folder of the Delta table `layer/table`."""
    return root / name


def charts_folder(root: Path) -> Path:
    """Folder of the chart pages. `files/` holds what is not a table."""
    return root / "files" / "charts"
