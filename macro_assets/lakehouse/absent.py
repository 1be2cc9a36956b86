"""What to say of a lake that is not there, or of a table or a series that is not in it: what makes it, in commands."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path

from macro_assets.catalog import Catalog, Series, Source, names
from macro_assets.lakehouse.paths import Root


def no_lake(root: Root) -> str:
    """That there is no lake at a place; folders whose names are like it, what makes one, and what says where it is."""
    near = _near(root) if isinstance(root, Path) and not root.exists() else ""
    return f"there is no lake at {root}.{near} `make run` makes one there; MACRO_LAKE says where yours is."


def _near(root: Path) -> str:
    """Folders that are there and whose path differs in one name alone, which is like it."""
    missing = next((p for p in (root, *root.parents) if p.parent.exists()), root)
    below, there = root.relative_to(missing), {}
    with suppress(OSError):
        there = {f.name: f / below for f in missing.parent.iterdir() if (f / below).is_dir()}
    like = [str(there[name]) for name in get_close_matches(missing.name, there, n=2)]
    return f" Did you mean {' or '.join(like)}?" if like else ""


def made_by(catalog: Catalog, name: str, named: bool = False) -> str:
    """What makes a table that is not in the lake yet; `named` says it of this table alone."""
    layer, _, of = name.partition("/")
    if layer == "paths":
        return f"Runs of the open month of forecasts/{of} add to it."
    if layer in names.LAYERS["sources"] and of in catalog.sources and catalog.sources[of].is_live:
        return f"`macro fetch {names.raw(of)}` makes it{_given_a_key(catalog, of, catalog.series.values())}."
    return f"`macro run{f' {name}' if named else ''}` makes it."


def undated(name: str) -> str:
    """What to say of a table that is not computed from vintages and of which no column says when a row was known."""
    return (
        f"{name} says what is known today, and nothing in it says since when: it is absent from a session as of a "
        "date, and is read only without one."
    )


def never_fetched(catalog: Catalog, series_id: str) -> str:
    """What to say of a series of which no row is stored: how to get it."""
    series = catalog.series[series_id]
    home, asset = catalog.sources[series.source], names.raw_series(series)
    if home.is_live:
        how = f"`macro fetch {asset}` gets it{_given_a_key(catalog, home.name, [series])}"
    elif home.module == "manual":
        how = f"`macro observe {series_id}` enters a figure of it by hand"
    else:
        how = f"`macro run {asset}` gets it"
    return f"series {series_id} was never fetched: nothing of it is stored. {how}."


def _given_a_key(catalog: Catalog, home: str, series: Iterable[Series]) -> str:
    """That a key is needed to fetch series of a home, where nobody gives any of them without."""
    key = _key(catalog.sources[home])
    asked = (h.source for s in series if s.source == home for h in s.holders)
    if key is None or any(s.is_live and _key(s) is None for s in map(catalog.sources.__getitem__, asked)):
        return ""
    return f", given a key in {key}"


def _key(source: Source) -> str | None:
    """Environment variable of the key without which a source does not answer."""
    return source.api.key.environment if source.api and source.api.key and source.api.key.required else None
