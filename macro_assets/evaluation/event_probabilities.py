"""How good probabilities of recession were: Brier and log score, and how well they tell recessions from the rest.

Outcomes are those of the chronology as it is known today; a month after the last turning point that was announced has
none yet and is left out. Of a table in real time each as-of month counts with the last that it said, once, so that no
later figure helps. What looks like hundreds of months is a handful of recessions: their number stands in each row, and
the interval of the area is by long blocks of months drawn anew (Künsch 1989, Annals of Statistics 17), in a circle.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl
from pydantic import Field

from macro_assets.catalog.kinds.declaration import Declaration
from macro_assets.indicators.expected import expect_tables
from macro_assets.indicators.protocol import Given
from macro_assets.transforms.recessions import SCHEMA, in_recession

SHAPE = "event_scores"

EXAMPLE = {
    "inputs": ["real_time/recession_labor", "indicators/recession_labor"],
    "parameters": {"block_months": 60, "draws": 1000, "interval": 0.9, "seed": 1},
}

LEAST = 1e-6
"""Probability below which a log score does not count: one certain error must not be all there is to say."""

_SHAPE = {
    "component": pl.String,
    "event": pl.String,
    "first_observation": pl.Date,
    "last_observation": pl.Date,
    "scored_periods": pl.Int64,
    "event_share": pl.Float64,
    "episodes": pl.Int64,
    "brier_score": pl.Float64,
    "brier_skill": pl.Float64,
    "log_score": pl.Float64,
    "auroc": pl.Float64,
    "auroc_low": pl.Float64,
    "auroc_high": pl.Float64,
}

Array = np.ndarray


class Parameters(Declaration, strict=True):
    """Of the interval."""

    block_months: int = Field(gt=0, description="Length of the blocks that are drawn: longer than a recession")
    draws: int = Field(gt=0, le=10_000, description="How many histories are drawn")
    interval: float = Field(gt=0, lt=1, description="Probability of the interval")
    seed: int = Field(ge=0, description="Of the draws")


def check(parameters: Parameters, facts: pl.DataFrame) -> None:
    """Refuse series.

    Raises
    ------
    ValueError
        With the field, what was expected and what came.
    """
    expect_tables(facts, "probabilities")


def compute(given: Given, parameters: Parameters) -> pl.DataFrame:
    """The scores, by table and event; a table without a row whose outcome is known has none.

    A quarter is in recession with two of its months. The skill is over the share of the event in the same periods, that
    nobody knew beforehand: it is hard to beat. An interval needs two recessions and two blocks.

    Returns
    -------
    DataFrame
        `component` (the table), `event`, `first_observation`, `last_observation`, `scored_periods`, `event_share`,
        `episodes` (runs of periods with the event), `brier_score`, `brier_skill`, `log_score`, `auroc`, `auroc_low`,
        `auroc_high`.
    """
    recessions = pl.DataFrame(schema=SCHEMA) if given.recessions is None else given.recessions
    rows = [
        {"component": table, "event": event, **_scores(known, event, parameters)}
        for table, told in given.tables.items()
        for event, known in _known(_said(told), recessions)
    ]
    return pl.DataFrame(rows, _SHAPE).sort("component", "event")


def _said(rows: pl.DataFrame) -> pl.DataFrame:
    """One probability for each observation and event: in real time what was said of it when it was the last.

    Of an ensemble the mean, whose event is that of the legs with a weight.
    """
    if "weight" in rows.columns:
        rows = rows.filter(pl.col("weight") > 0)
    if "as_of" in rows.columns:
        last = pl.col("observation_date") == pl.col("observation_date").max().over("as_of")
        rows = rows.filter(last).sort("as_of")
    columns = ("observation_date", "target_date", "event", "probability")
    return rows.select(columns).unique(["observation_date", "event"], keep="first", maintain_order=True)


def _known(said: pl.DataFrame, recessions: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    """By event, what was said of periods whose outcome is known, with the outcome, in order of time."""
    for (event,), rows in said.sort("event", "observation_date").group_by("event", maintain_order=True):
        target = rows["target_date"]
        if event == "in_quarter":
            outcome = in_recession(recessions, target.dt.offset_by("2mo"), months=3, least=2)
        else:
            outcome = in_recession(recessions, target, months=_months(rows) if event == "within" else 1)
        if (known := rows.with_columns(outcome=outcome).drop_nulls("outcome")).height:
            yield str(event), known


def _months(rows: pl.DataFrame) -> int:
    """How many months ahead the target is."""
    first, last = rows["observation_date"][0], rows["target_date"][0]
    return int((last.year - first.year) * 12 + last.month - first.month)


def _scores(known: pl.DataFrame, event: str, parameters: Parameters) -> dict[str, Any]:
    p, y = known["probability"].to_numpy(), known["outcome"].to_numpy()
    share, brier = float(y.mean()), float(((p - y) ** 2).mean())
    given_to = np.clip(np.where(y == 1, p, 1 - p), LEAST, 1)
    block = parameters.block_months // 3 if event == "in_quarter" else parameters.block_months
    episodes = int(((y == 1) & (np.concatenate([[0], y[:-1]]) == 0)).sum())
    low, high = _interval(p, y, max(block, 1), parameters) if episodes > 1 else (None, None)
    return {
        "first_observation": known["observation_date"][0],
        "last_observation": known["observation_date"][-1],
        "scored_periods": known.height,
        "event_share": share,
        "episodes": episodes,
        "brier_score": brier,
        "brier_skill": 1 - brier / (share * (1 - share)) if 0 < share < 1 else None,
        "log_score": -float(np.log(given_to).mean()),
        "auroc": area(p, y),
        "auroc_low": low,
        "auroc_high": high,
    }


def area(probabilities: Array, outcomes: Array) -> float | None:
    """Of all pairs of one with the event and one without, how often the first had the higher probability; ties half."""
    found = _areas(probabilities, outcomes, np.ones((1, len(outcomes))))
    return float(found[0]) if found.size else None


def _areas(p: Array, y: Array, counts: Array) -> Array:
    """The area of each history that has both, a row of `counts` each: how often each period is in it."""
    came = y == 1
    higher = np.sign(p[came][:, None] - p[~came][None, :]) / 2 + 0.5
    pairs = counts[:, came].sum(axis=1) * counts[:, ~came].sum(axis=1)
    won = ((counts[:, came] @ higher) * counts[:, ~came]).sum(axis=1)
    return np.asarray(won[pairs > 0] / pairs[pairs > 0])


def _interval(p: Array, y: Array, block: int, parameters: Parameters) -> tuple[float | None, float | None]:
    size = len(y)
    if size < 2 * block or y.min() == y.max():  # a single block has but one order
        return None, None
    starts = np.random.default_rng(parameters.seed).integers(size, size=(parameters.draws, -(-size // block)))
    places = ((starts[:, :, None] + np.arange(block)) % size).reshape(parameters.draws, -1)[:, :size]
    counts = np.stack([np.bincount(drawn, minlength=size) for drawn in places]).astype(float)
    tail = (1 - parameters.interval) / 2
    low, high = np.quantile(_areas(p, y, counts), [tail, 1 - tail])
    return float(low), float(high)
