"""Resources: where the lake is."""

import dagster as dg

from macro_assets.catalog import Catalog
from macro_assets.lakehouse.handle import Lakehouse


class Lake(dg.ConfigurableResource):
    """The lake, for assets that append to it or write files into it.

    `root` empty means `MACRO_LAKE`, else `data/lake`.
    """

    root: str = ""

    def with_catalog(self, catalog: Catalog) -> Lakehouse:
        """The lake, with the catalog that the assets were made from."""
        return Lakehouse.at(self.root, catalog)
