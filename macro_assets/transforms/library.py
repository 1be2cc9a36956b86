"""The one vocabulary of transforms: what is done to a series before it is used, each a named Polars expression.

An expression sees one series (or as many as it takes) in order of time on a regular calendar, on which a gap is a row
without value. It uses no later row, never makes a value where there was none, and gives nothing infinite. So it may
stand `.over("series_id")` in a long frame and on a column of a wide panel. Chains of them are in `steps.py`, the list
of all is docs/transforms.md.

References: FRED-MD codes are those of McCracken and Ng (2016, Journal of Business & Economic Statistics 34), `lin`,
`chg`, `pch` and `pca` the units of FRED (fred.stlouisfed.org/docs/api/fred/series_observations.html).
"""

from macro_assets.transforms.named import averages, changes, fred_codes, levels, scores, seasons, technical
from macro_assets.transforms.named.scores import expanding_zscore
from macro_assets.transforms.registry import (
    TRANSFORMS,
    Calendar,
    NoParameters,
    Transform,
    difference,
    positive,
    same,
    transform,
)

MODULES = (levels, changes, averages, scores, seasons, technical, fred_codes)
"""Where the transforms are, in the order of the list."""

__all__ = [
    "MODULES",
    "TRANSFORMS",
    "Calendar",
    "NoParameters",
    "Transform",
    "difference",
    "expanding_zscore",
    "positive",
    "same",
    "transform",
]
