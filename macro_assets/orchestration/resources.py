"""Resources: where the lake is, and what fetches."""

import dagster as dg

from macro_assets.lakehouse.paths import Root, lake_root


class Lake(dg.ConfigurableResource):
    """The lake, for assets that append to it or write files into it.

    `root` empty means `MACRO_LAKE`, else `data/lake`.
    """

    root: str = ""

    @property
    def path(self) -> Root:
        return lake_root(self.root)
