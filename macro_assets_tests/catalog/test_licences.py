"""The register of licences: each is known, is of use, and says whether figures may be passed on."""

from __future__ import annotations

from pathlib import Path

import pytest

from macro_assets.catalog import Catalog, CatalogError, default_catalog, load_catalog
from macro_assets.catalog.derive import holdings_frame, series_frame
from macro_assets_tests.catalog.editing import edit
from macro_assets_tests.sources.own_files import SHIPPED

PUBLIC = "Public domain (US government work)"


def test_every_licence_of_the_register_is_of_a_series() -> None:
    catalog = default_catalog()
    stated = {h.series.licence for s in catalog.series for h in catalog.holdings(s)}
    assert set(catalog.licences) - stated == set()
    assert not any(s.redistributable is not None for s in (*catalog.series.values(), *catalog.copies))


def test_whether_figures_may_be_passed_on_is_of_the_holder() -> None:
    catalog = default_catalog()
    rows = holdings_frame(catalog, ["SP500", "UNRATE", "USEPUINDXD"])
    passed_on = dict(rows.group_by("series_id").agg("redistributable").iter_rows())
    assert passed_on == {"SP500": [False] * 4, "UNRATE": [True] * 3, "USEPUINDXD": [False] * 2}
    assert series_frame(catalog)["redistributable"].null_count() == 0


@pytest.mark.parametrize("licence", ["no redistribution", "personal use", "by plan"])
def test_what_says_no_is_no(licence: str) -> None:
    found = [one for text, one in default_catalog().licences.items() if licence in text]
    assert found
    assert not any(one.redistributable for one in found)


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        (
            "sources/fred.yaml",
            'licence: "Public domain (US government work), via FRED"',
            'licence: "Public domain (US goverment work), via FRED"',
            "licence: 'Public domain (US goverment work), via FRED' is not in licences.yaml. "
            f"Did you mean {PUBLIC}, via FRED",
        ),
        (
            "sources/bundled.yaml",
            "licence: Copyright Cboe; redistributed by arch",
            "licence: Copyright Cboe; distributed by arch",
            "sources/bundled.yaml: of: VIXCLS: licence: 'Copyright Cboe; distributed by arch' is not in",
        ),
        (
            "sources/fred.yaml",
            "licence: OECD, via FRED; free to use with citation",
            "licence: OECD, via FRED; free to use with citation\n      redistributable: true",
            "IRLTLT01DEM156N: redistributable: licences.yaml says it of this licence; leave it out",
        ),
        ("licences.yaml", "redistributable: true\n", "redistributable: perhaps\n", f"{PUBLIC}: redistributable: Input"),
        ("licences.yaml", "page: https:", "page: http:", f"{PUBLIC}: page: String should match"),
        ("licences.yaml", f'text: "{PUBLIC}, via FRED"', f"text: {PUBLIC}", f"{PUBLIC}: text: declared twice"),
    ],
)
def test_a_wrong_licence_is_named(small: Path, file: str, old: str, new: str, says: str) -> None:
    edit(small, file, old, new)
    with pytest.raises(CatalogError) as caught:
        load_catalog(small)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ("licence: mine", None),
        ("licence: mine, redistributable: true", True),
        ("licence: mine, redistributable: false", False),
        (f"licence: {PUBLIC}", True),
    ],
)
def test_of_a_source_of_ones_own_it_is_as_stated_and_else_unknown(
    own: Path, stated: str, expected: bool | None
) -> None:
    catalog = _with(own, stated)
    assert catalog.refused == ()
    assert catalog.redistributable(catalog.series["MINE"]) is expected


def test_what_the_register_says_is_not_stated_again_by_ones_own(own: Path) -> None:
    catalog = _with(own, f"licence: {PUBLIC}, redistributable: false")
    assert "MINE" not in catalog.series
    assert "redistributable: licences.yaml says it of this licence" in str(catalog.refused[0])


def _with(own: Path, stated: str) -> Catalog:
    (own / "more.yaml").write_text(
        f"""
source: fred
series:
  - {{id: MINE, title: Mine, unit: percent, scale: 1, provider_unit: Percent, frequency: M, theme: own, country: US,
     seasonal_adjustment: NSA, first_year: 2000, transform: 1, bounds: {{low: 0, high: 1}}, staleness_days: 90,
     aggregation: mean, publication_lag: {{days: 9, time: "08:30", time_zone: UTC}}, {stated}}}
"""
    )
    return load_catalog(SHIPPED, own)
