"""SDMX-JSON, versions 1.0 (ECB, the OECD's retired service) and 2.0 (IMF): codes by index into lists of dimensions.

The same numbers come as series of observations, as observations alone, or as cross-sections whose series are periods:
dimensions are found by where the body says they are. Format: https://github.com/sdmx-twg/sdmx-json
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from macro_assets.sources.bodies import member, read_json
from macro_assets.sources.cells import finite, numbers
from macro_assets.sources.errors import SchemaError
from macro_assets.sources.sdmx import MISSING, TIME, rows

if TYPE_CHECKING:
    from macro_assets.catalog import Frequency
    from macro_assets.sources.protocol import Response

Code = tuple[int, str]
"""A dimension's place in the key and its code."""


def from_json(response: Response, frequency: Frequency | None = None) -> pl.DataFrame:
    """Rows of an SDMX-JSON body, as :func:`sdmx.from_csv`."""
    document = read_json(response)
    inner = document["data"] if isinstance(document, dict) and "data" in document else document
    sets = member(inner, "dataSets", of=list)
    if len(sets) > 1:
        raise SchemaError(f"expected one data set, got {len(sets)}")
    if not sets:
        return rows(pl.Series([], dtype=pl.String), pl.Series(TIME, [], dtype=pl.String), _figures([]))
    data = member(inner, "dataSets", 0, of=dict)
    structure = member(inner, "structures", 0, of=dict) if "structures" in inner else member(inner, "structure")
    levels = member(structure, "dimensions", of=dict)
    fixed, outer, within = (_dimensions(levels, level) for level in ("dataSet", "series", "observation"))
    groups = _groups(data, [*outer, *within])
    places = {id(d): d.get("keyPosition", i) for i, d in enumerate([*fixed, *outer, *within])}
    whole = _codes(":".join("0" for _ in fixed), fixed, places)
    cells = {k: _split(_codes(k, within, places)) for k in dict.fromkeys(k for _, o in groups for k in o)}
    keys: list[str] = []
    times: list[str | None] = []
    for index, observations in groups:
        codes, of_all = _split([*whole, *_codes(index, outer, places)])
        found = [cells[k] for k in observations]
        names = {own: ".".join(code for _, code in sorted([*codes, *own])) for own in {own for own, _ in found}}
        keys += [names[own] for own, _ in found]
        times += [of_all or time for _, time in found]
    if None in times:
        raise SchemaError(f"expected the dimension {TIME}, the answer has none: it is no time series")
    figures = [_first(cell) for _, observations in groups for cell in observations.values()]
    return rows(pl.Series(keys, dtype=pl.String), pl.Series(TIME, times, dtype=pl.String), _figures(figures), frequency)


def _dimensions(levels: dict[str, Any], level: str) -> list[dict[str, Any]]:
    found = levels.get(level) or []
    if type(found) is not list or not all(type(d) is dict for d in found):
        raise SchemaError(f"expected the dimensions of {level!r} as a list of objects, got {found!r:.80}")
    return found


def _groups(data: dict[str, Any], dimensions: Sequence[Any]) -> list[tuple[str, dict[str, Any]]]:
    """Observations by the key of the series that they are part of."""
    if "series" in data:
        series = member(data, "series", of=dict)
        return [(k, member(one, "observations", of=dict)) for k, one in series.items()]
    if "observations" in data:
        return [("", member(data, "observations", of=dict))]
    if any(d.get("values") == [] for d in dimensions):
        return []
    raise SchemaError(f"expected 'series' or 'observations' in the data set, got {sorted(data)}")


def _codes(key: str, dimensions: Sequence[Mapping[str, Any]], places: Mapping[int, int]) -> list[Code]:
    """What an index like 0:3 stands for; the period has the place -1."""
    indices = key.split(":") if key else []
    found: list[Code] = []
    try:
        if len(indices) != len(dimensions):
            raise IndexError
        for dimension, index in zip(dimensions, indices, strict=True):
            if not index.isdecimal():
                raise IndexError
            value = dimension["values"][int(index)]
            place = -1 if dimension["id"] == TIME else places[id(dimension)]
            found.append((place, value["id"] if "id" in value else value["value"]))
        return found
    except (IndexError, KeyError, TypeError, ValueError):
        named = [d.get("id") for d in dimensions]
        raise SchemaError(f"expected an index into the dimensions {named}, got {key!r}") from None


def _split(codes: Sequence[Code]) -> tuple[tuple[Code, ...], str | None]:
    """Codes without the period, and the period if it is among them."""
    times = [code for place, code in codes if place == -1]
    return tuple([c for c in codes if c[0] != -1]), times[0] if times else None


def _first(cell: Any) -> Any:
    if type(cell) is list and cell:
        return cell[0]
    raise SchemaError(f"expected an observation as a list, got {cell!r}")


def _figures(cells: Sequence[Any]) -> pl.Series:
    """Numbers, which some agencies send as text."""
    if any(type(c) is str for c in cells):
        return numbers(pl.Series("observations", [None if c is None else str(c) for c in cells]), MISSING)
    return finite(cells, "observations")
