"""SDMX-ML 2.1: the XML that agencies answer with unless another form is asked for.

Series of observations, observations alone and cross-sections differ in where an observation's codes stand; all are
read. Data are generic, or specific to their structure, where codes are attributes; these are not told from remarks
such as SCALE without the structure, so that a key has both. Format: https://sdmx.org/?page_id=5008
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from macro_assets.sources.bodies import read_xml
from macro_assets.sources.cells import numbers
from macro_assets.sources.errors import SchemaError
from macro_assets.sources.sdmx import MISSING, TIME, rows

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from macro_assets.sources.protocol import Response


_GENERIC = ("GenericData", "GenericTimeSeriesData")
_SPECIFIC = ("StructureSpecificData", "StructureSpecificTimeSeriesData", "CompactData")  # the last is of version 2.0


def from_xml(response: Response) -> pl.DataFrame:
    """Rows of an SDMX-ML body of data: `key`, `observation_date`, `value`."""
    root = read_xml(response)
    form = root.tag.rpartition("}")[2]
    if form not in _GENERIC + _SPECIFIC:
        raise SchemaError(f"expected the element {_GENERIC[0]} or {_SPECIFIC[0]}, got {form}")
    structures = root.iterfind("{*}Header/{*}Structure")
    axis = next((s.get("dimensionAtObservation", TIME) for s in structures), TIME)
    read = _generic if form in _GENERIC else _specific
    found = [
        read(series, observation, axis)
        for group in root.iterfind("{*}DataSet")
        for series, part in [(None, group), *((s, s) for s in group.iterfind("{*}Series"))]
        for observation in part.iterfind("{*}Obs")
    ]
    if lacking := next((codes for codes, _ in found if TIME not in codes), None):
        raise SchemaError(f"expected the dimension {TIME}, an observation has {sorted(lacking)}")
    times = [codes.pop(TIME) for codes, _ in found]
    keys = [".".join(codes.values()) for codes, _ in found]
    values = [value for _, value in found]
    return rows(
        pl.Series(keys, dtype=pl.String),
        pl.Series(TIME, times, dtype=pl.String),
        numbers(pl.Series("ObsValue", values, dtype=pl.String), MISSING),
    )


def _generic(series: Element | None, observation: Element, axis: str) -> tuple[dict[str, str], str]:
    """The codes of an observation, and the text of its figure."""
    key = _pairs(None if series is None else series.find("{*}SeriesKey"))
    value = observation.find("{*}ObsValue")
    return key | _codes(observation, axis), "" if value is None else value.get("value", "no attribute 'value'")


def _specific(series: Element | None, observation: Element, axis: str) -> tuple[dict[str, str], str]:
    own = dict(observation.items())
    value = own.pop("OBS_VALUE", "")
    if series is not None:  # what else an observation says is remarks
        own = dict(series.items()) | {name: code for name, code in own.items() if name == axis}
    return {name: code for name, code in own.items() if not name.startswith("{")}, value


def _codes(observation: Element, axis: str) -> dict[str, str]:
    """What an observation says of its own place: the dimension along which its series runs, or all of them."""
    dimension = observation.find("{*}ObsDimension")
    if dimension is None:
        return _pairs(observation.find("{*}ObsKey"))
    return {dimension.get("id", axis): dimension.get("value", "")}


def _pairs(key: Element | None) -> dict[str, str]:
    return {} if key is None else {e.get("id", ""): e.get("value", "") for e in key.iterfind("{*}Value")}
