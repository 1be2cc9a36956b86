"""Resources: where the lake is, and what fetches."""

from pathlib import Path

import dagster as dg

from macro_assets.lakehouse.paths import lake_root


class Lake(dg.ConfigurableResource):
    """The lake, for assets that append to it or write files into it.

    `root` empty means `MACRO_LAKE`, else `data/lake`.
    """

    root: str = ""

    @property
    def path(self) -> Path:
        return lake_root(self.root)
