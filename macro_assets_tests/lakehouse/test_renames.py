"""What was renamed since a version: by the declared mapping, and what that must be."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from macro_assets.catalog import Catalog
from macro_assets.lakehouse import renames as module
from macro_assets.lakehouse.layout import SCHEMA_VERSION
from macro_assets.lakehouse.renames import RENAMES, Place, Rename, is_concerned, renames


def problems(declared: dict[int, tuple[Rename, ...]], catalog: Catalog) -> Iterator[str]:
    """What is wrong with renames: a series ends where the catalog has it, and one that moves says its code."""
    for version, of in declared.items():
        if version > SCHEMA_VERSION:
            yield f"{version}: later than the present layout"
        for before, after, code in of:
            if before.source != after.source and not code:
                yield f"{before.series_id}: its receipts cannot be told from others' without a code"
        if len({r.before for r in of}) < len(of):
            yield f"{version}: a series is renamed twice"
    for before, rename in renames().items():
        home = catalog.series.get(rename.after.series_id)
        if home is None or home.source != rename.after.source:
            yield f"{rename.after.series_id}: is no series of {rename.after.source}"
        if (own := catalog.series.get(before.series_id)) is not None and own.source == before.source:
            yield f"{before.series_id}: is still a series of {before.source}"


def test_every_rename_ends_at_a_series_of_the_catalog(catalog: Catalog) -> None:
    assert list(problems(dict(RENAMES), catalog)) == []
    assert len(renames(4)) == 37
    assert renames(SCHEMA_VERSION) == {}


@pytest.mark.parametrize(
    ("rename", "expected"),
    [
        (Rename(Place("fred", "A"), Place("fred", "NONSENSE")), "NONSENSE: is no series of fred"),
        (Rename(Place("fred", "A"), Place("fred", "SP500")), "SP500: is no series of fred"),
        (Rename(Place("fred", "A"), Place("yahoo_chart", "SP500")), "A: its receipts cannot be told"),
        (Rename(Place("fred", "GDP"), Place("fred", "GDPC1")), "GDP: is still a series of fred"),
    ],
)
def test_a_wrong_rename_is_found(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch, rename: Rename, expected: str
) -> None:
    wrong = {5: (rename,)}
    monkeypatch.setattr(module, "RENAMES", wrong)
    assert expected in "; ".join(problems(wrong, catalog))


def test_what_was_renamed_twice_ends_where_it_is_now(monkeypatch: pytest.MonkeyPatch) -> None:
    """From each version on: a table is migrated at once from whatever version it was written with."""
    first = Rename(Place("a", "X_OLD"), Place("a", "X"))
    moved = Rename(Place("a", "X"), Place("b", "Y"), code="X")
    monkeypatch.setattr(module, "RENAMES", {5: (first,), 6: (moved,)})
    assert renames(4) == {
        Place("a", "X_OLD"): Rename(Place("a", "X_OLD"), Place("b", "Y"), "X"),
        Place("a", "X"): moved,
    }
    assert renames(5) == {Place("a", "X"): moved}
    assert renames(6) == {}
    assert is_concerned("raw/b", 5)
    assert not is_concerned("raw/b", 6)


@pytest.mark.parametrize(
    ("name", "concerned"),
    [
        ("raw/fred", True),
        ("landing/fred_recent", True),
        ("fetch_log/yahoo_chart", True),
        ("audit/invalidations", True),
        ("raw/bundled", False),
        ("raw/fred_graph", False),
        ("normalized/fred", False),
    ],
)
def test_tables_without_renamed_series_need_no_migration(name: str, concerned: bool) -> None:
    assert is_concerned(name, 4) == concerned
    assert not is_concerned(name, SCHEMA_VERSION)
