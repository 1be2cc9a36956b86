"""What is said of what is not in the lake: the command that gets it, and the key it takes."""

from __future__ import annotations

import dataclasses

import pytest

from macro_assets.catalog import Catalog
from macro_assets.lakehouse.absent import made_by, never_fetched


@pytest.mark.parametrize(
    ("table", "how"),
    [
        ("raw/fred", "`macro fetch raw/fred` makes it."),  # the graph service gives its series without a key
        ("raw/glassnode", "`macro fetch raw/glassnode` makes it, given a key in GLASSNODE_API_KEY."),
        ("raw/bls", "`macro fetch raw/bls` makes it."),  # its key is optional
        ("landing/nyfed", "`macro fetch raw/nyfed` makes it."),
        ("fetch_log/nyfed", "`macro fetch raw/nyfed` makes it."),
        ("raw/bundled", "`macro run` makes it."),
        ("normalized/fred", "`macro run` makes it."),
        ("paths/gdp_nowcast", "Runs of the open month of forecasts/gdp_nowcast add to it."),
    ],
)
def test_a_table_is_made_by_the_command_that_fills_it(catalog: Catalog, table: str, how: str) -> None:
    assert made_by(catalog, table) == how


def test_a_table_is_named_where_it_is_asked_alone(catalog: Catalog) -> None:
    assert made_by(catalog, "normalized/fred", named=True) == "`macro run normalized/fred` makes it."


def test_a_series_is_had_from_its_home(catalog: Catalog) -> None:
    (of_glassnode, *_) = (s.id for s in catalog.series_of("glassnode"))
    for series, how in {
        "PAYEMS": "`macro fetch raw/fred/PAYEMS` gets it.",
        of_glassnode: f"`macro fetch raw/glassnode/{of_glassnode}` gets it, given a key in GLASSNODE_API_KEY.",
        "GDPC1_MACRODATA": "`macro run raw/bundled/GDPC1_MACRODATA` gets it.",
    }.items():
        assert never_fetched(catalog, series) == f"series {series} was never fetched: nothing of it is stored. {how}"


def test_a_figure_entered_by_hand_is_entered(catalog: Catalog) -> None:
    by_hand = catalog.sources["bundled"].model_copy(update={"name": "desk", "connector": "manual"})
    own = catalog.series["GDPC1_MACRODATA"].model_copy(update={"id": "DESK_VIEW", "source": "desk"})
    here = dataclasses.replace(catalog, sources={"desk": by_hand}, series={"DESK_VIEW": own}, copies=())
    assert "`macro observe DESK_VIEW` enters a figure of it by hand." in never_fetched(here, "DESK_VIEW")
