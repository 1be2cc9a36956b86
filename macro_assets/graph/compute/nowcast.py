"""The forecasts of a nowcasting model as of a month, and the news since the month before."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

import polars as pl

from macro_assets.catalog import Model
from macro_assets.graph.derivation import Frames, Moment
from macro_assets.models import dynamic_factor as dfm
from macro_assets.models.protocol import InputFacts, Knowledge

_FITS_KEPT = 2
_fits: OrderedDict[tuple[str, str, str], dfm.Fit] = OrderedDict()
"""The latest fits by model with its facts, instant and slice: a month's is the next one's of the month before."""


def nowcast(
    frames: Frames,
    moment: Moment,
    *,
    forecasts: str,
    news: str,
    news_columns: tuple[str, ...],
    model: Model,
    series: Mapping[str, InputFacts],
) -> Frames:
    """The two tables of a month.

    Parameters
    ----------
    frames
        `known` and `before`: the observations of the model's series at the end of the month and of the one before. News
        are counted from the latter; where some input was not known at all by then, there are none.
    series
        What is read of each input's entry.

    Raises
    ------
    NotKnownError, StaleInputError
        See :func:`macro_assets.models.dynamic_factor.fit`.
    """

    def fitted(key: str) -> dfm.Fit:
        at = moment.instants[key]
        name = (f"{model!r} {series!r}", at.isoformat(), moment.slices[key])
        if name not in _fits:
            _fits[name] = dfm.fit(Knowledge(at, frames[key].drop("source")), model, series)
        _fits.move_to_end(name)
        while len(_fits) > _FITS_KEPT:
            _fits.popitem(last=False)
        return _fits[name]

    now = fitted("known")
    tables = {forecasts: dfm.forecast(now, model)}
    if set(series) <= set(frames["before"]["series_id"]):
        tables[news] = dfm.news(fitted("before"), now, model, series)
    else:
        tables[news] = pl.DataFrame(schema=dict.fromkeys(news_columns, pl.Null))
    stamp = {"as_of_month": pl.lit(moment.month), "computed_at": pl.lit(moment.computed_at)}
    return {name: frame.with_columns(**stamp) for name, frame in tables.items()}
