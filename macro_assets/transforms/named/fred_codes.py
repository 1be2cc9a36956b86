"""FRED-MD's transformation codes."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
from pydantic import Field

from macro_assets.catalog.kinds.declaration import Declaration
from macro_assets.transforms.named import changes, levels
from macro_assets.transforms.registry import TRANSFORMS, Calendar, transform


class Code(Declaration, strict=True):
    """A FRED-MD transformation code."""

    code: int = Field(ge=1, le=7)


_LEVEL, _LOG, _CHG, _GROWTH = levels.level.__name__, levels.log.__name__, changes.chg.__name__, changes.growth.__name__
_CODES = {
    1: (_LEVEL,),
    2: (_CHG,),
    3: (_CHG, _CHG),
    4: (_LOG,),
    5: (_LOG, _CHG),
    6: (_LOG, _CHG, _CHG),
    7: (_GROWTH, _CHG),
}


def _unit_of_code(units: Sequence[str], parameters: Code) -> str:
    for name in _CODES[parameters.code]:
        known = TRANSFORMS[name]
        units = [known.unit(units, known.parameters())]
    return units[0]


@transform(_unit_of_code, parameters=Code, example={"code": 5})
def fred_md(series: Sequence[pl.Expr], parameters: Code, calendar: Calendar) -> pl.Expr:
    """Made stationary by a FRED-MD code: 1 level, 2 chg, 3 chg twice, 4 log, 5 log chg, 6 log chg twice, 7 growth chg.

    McCracken and Ng (2016), appendix. Each step's unit is that of the transform of this name.
    """
    for name in _CODES[parameters.code]:
        known = TRANSFORMS[name]
        series = [known.function(series, known.parameters(), calendar)]
    return series[0]
