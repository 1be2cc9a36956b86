"""SDMX-ML 2.1, generic data: the XML that agencies answer with unless another form is asked for.

Series of observations, observations alone and cross-sections differ in where an observation's codes stand; all are
read. Format: https://sdmx.org/?page_id=5008
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from macro_assets.sources.errors import SchemaError
from macro_assets.sources.reading import numbers, read_xml
from macro_assets.sources.sdmx import MISSING, TIME, rows

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from macro_assets.sources import Response


def from_xml(response: Response) -> pl.DataFrame:
    """Rows of an SDMX-ML body of generic data: `key`, `observation_date`, `value`."""
    root = read_xml(response)
    if not root.tag.endswith("}GenericData"):
        raise SchemaError(f"expected the element GenericData, got {root.tag.rpartition('}')[2]}")
    structures = root.iterfind("{*}Header/{*}Structure")
    axis = next((s.get("dimensionAtObservation", TIME) for s in structures), TIME)
    found = [
        (key | _codes(o, axis), o.find("{*}ObsValue"))
        for group in root.iterfind("{*}DataSet")
        for part, key in [(group, {}), *((s, _pairs(s.find("{*}SeriesKey"))) for s in group.iterfind("{*}Series"))]
        for o in part.iterfind("{*}Obs")
    ]
    if lacking := next((codes for codes, _ in found if TIME not in codes), None):
        raise SchemaError(f"expected the dimension {TIME}, an observation has {sorted(lacking)}")
    times = [codes.pop(TIME) for codes, _ in found]
    keys = [".".join(codes.values()) for codes, _ in found]
    values = ["" if e is None else e.get("value", "no attribute 'value'") for _, e in found]
    return rows(
        pl.Series(keys, dtype=pl.String),
        pl.Series(TIME, times, dtype=pl.String),
        numbers(pl.Series("ObsValue", values, dtype=pl.String), MISSING),
    )


def _codes(observation: Element, axis: str) -> dict[str, str]:
    """What an observation says of its own place: the dimension along which its series runs, or all of them."""
    dimension = observation.find("{*}ObsDimension")
    if dimension is None:
        return _pairs(observation.find("{*}ObsKey"))
    return {dimension.get("id", axis): dimension.get("value", "")}


def _pairs(key: Element | None) -> dict[str, str]:
    return {} if key is None else {e.get("id", ""): e.get("value", "") for e in key.iterfind("{*}Value")}
