"""Where the lake is: its root, a folder or an S3 prefix, and the place of a table or file below it."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import macro_assets
from macro_assets.lakehouse import s3

if TYPE_CHECKING:
    import pyarrow.fs

_SCHEME = "s3://"
_BUCKET = re.compile(r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")
_PART = re.compile(r"^[A-Za-z0-9_=-][A-Za-z0-9._=-]*$")


@dataclass(frozen=True)
class S3Root:
    """A prefix of an S3 bucket; `/` goes below it as with a path."""

    bucket: str
    prefix: str = ""

    def __truediv__(self, below: str) -> S3Root:
        return S3Root(self.bucket, f"{self.prefix}/{below}".strip("/"))

    def __str__(self) -> str:
        return f"{_SCHEME}{self.bucket}/{self.prefix}".rstrip("/")


Root = Path | S3Root
"""The root of a lake, or a place below it."""


def project_root() -> Path:
    """The checkout this package runs from, or the current folder when it is installed elsewhere."""
    above = Path(macro_assets.__file__).resolve().parents[1]
    return above if (above / "dagster.yaml").is_file() else Path.cwd()


def location(given: str | Root) -> Root:
    """A folder (made absolute) or an S3 prefix, from text or as it is.

    Raises
    ------
    ValueError
        When an address is not of the form `s3://bucket/prefix`.
    """
    if isinstance(given, S3Root):
        return given
    text = str(given)
    if "://" not in text:
        return Path(given).expanduser().resolve()
    bucket, _, prefix = text.removeprefix(_SCHEME).partition("/")
    parts = [p for p in prefix.split("/") if p]
    if not (text.startswith(_SCHEME) and _BUCKET.match(bucket) and all(_PART.match(p) for p in parts)):
        raise ValueError(f"{text} is an address macro_assets cannot use; expected a folder or s3://bucket/prefix")
    return S3Root(bucket, "/".join(parts))


def default_root() -> Path:
    """Where the lake is unless something else is said: `data/lake` of the project."""
    return project_root() / "data" / "lake"


def lake_root(root: str | Root | None = None) -> Root:
    """Root of the lake: the argument, else `MACRO_LAKE`, else `data/lake` of the project.

    Returns
    -------
    Path or S3Root
        A path is absolute. It need not exist yet.

    Raises
    ------
    ValueError
        See :func:`location`.
    """
    given = root or os.environ.get("MACRO_LAKE")
    return location(given) if given else default_root()


def storage_options(root: Root) -> dict[str, str] | None:
    """What Delta and Polars need to reach the root: None for a folder."""
    return s3.settings().object_store() if isinstance(root, S3Root) else None


def filesystem(root: Root) -> pyarrow.fs.FileSystem:
    """The files below a root, named relative to it."""
    import pyarrow.fs

    if isinstance(root, S3Root):
        return pyarrow.fs.SubTreeFileSystem(f"{root.bucket}/{root.prefix}".rstrip("/"), s3.settings().filesystem())
    return pyarrow.fs.SubTreeFileSystem(str(root), pyarrow.fs.LocalFileSystem())


def charts_folder(root: Root) -> Root:
    """Folder of the chart pages. `files/` holds what is not a table."""
    return root / "files" / "charts"
