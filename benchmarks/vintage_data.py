"""Synthetic vintages: seeded random walks in the raw layer's columns. No figure here is real.

A shape is `series` x `dates` x `vintages` rows. Every vintage of a series restates all its dates and changes every
value by at least one tick (0.01), so that no row repeats the one before and none may be dropped as unchanged.
The answers to expect are computed here from the arrays, apart from every store that is raced.
"""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import polars as pl

SERIES = 250
DATES = 400
SOURCE = "bundled"
SEED = 20_030_602
TAIL, REVISED = 60, 10

ANSWER = ["series_id", "observation_date", "value"]
"""Columns of an as-of answer, which is sorted by the first two."""

_FIRST_DATE = np.datetime64("1970-01", "M")
_FIRST_RELEASE = np.datetime64("2003-06-02T13:30", "us")
_DAY = np.timedelta64(1, "D")


class SyntheticVintages:
    """The vintages of a shape, and the refreshes that follow them.

    Parameters
    ----------
    rows
        `series` x 400 dates x vintages; what is not a multiple of a vintage is left out.
    series
        Number of series. More rows mean more vintages of as many series: the answers stay as large.
    """

    def __init__(self, rows: int, series: int = SERIES) -> None:
        vintages = rows // (series * DATES)
        if vintages < 2:
            raise ValueError(f"{rows} rows are {vintages} vintages of {series} series; expected at least 2")
        self._rng = np.random.default_rng(SEED)
        self.ids = [f"SYN{i:04d}" for i in range(series)]
        self.dates = (_FIRST_DATE + np.arange(DATES)).astype("datetime64[D]")
        stagger = (np.arange(series) % 20)[:, None]
        self.releases = _FIRST_RELEASE + (np.arange(vintages) * 30 + stagger) * _DAY
        level = 10_000 + self._rng.integers(-50, 51, (series, DATES, 1)).cumsum(axis=1)
        self._ticks = level + self._revisions((series, DATES, vintages)).cumsum(axis=2)
        self.latest = self._ticks[:, :, -1].copy()
        self._refreshed: list[tuple[np.datetime64, np.ndarray]] = []

    def _revisions(self, shape: tuple[int, ...]) -> np.ndarray:
        """1 to 5 ticks up or down, never none."""
        return self._rng.integers(1, 6, shape) * self._rng.choice([-1, 1], shape)

    @property
    def rows(self) -> int:
        return self._ticks.size

    @property
    def vintages(self) -> int:
        return self._ticks.shape[2]

    def frame(self) -> pl.DataFrame:
        """All rows of the shape in the raw layer's columns, sorted by series, date and release time."""
        series, dates, vintages = self._ticks.shape
        releases = np.broadcast_to(self.releases[:, None, :], self._ticks.shape).ravel()
        vintage = pl.Series(np.tile(np.arange(vintages), series * dates))
        return self._raw(
            pl.Series(self.ids)[np.repeat(np.arange(series), dates * vintages)],
            np.tile(np.repeat(self.dates, vintages), series),
            self._ticks.ravel(),
            releases,
            vintage,
        )

    def _raw(
        self, ids: pl.Series, dates: np.ndarray, ticks: np.ndarray, releases: np.ndarray, vintage: pl.Series
    ) -> pl.DataFrame:
        """The raw layer's columns; each vintage comes from a payload of its own."""
        hashes = pl.Series([f"{v:064x}" for v in range(int(vintage.max()) + 1)])  # type: ignore[arg-type]
        return pl.DataFrame(
            {
                "series_id": ids,
                "observation_date": dates,
                "value": ticks / 100,
                "release_time": pl.Series(releases).cast(pl.Datetime("us")).dt.replace_time_zone("UTC"),
            }
        ).with_columns(
            release_basis=pl.when(vintage == 0).then(pl.lit("snapshot")).otherwise(pl.lit("provider")),
            provider=pl.lit(SOURCE),
            ingested_at="release_time",
            run_id=pl.lit("synthetic"),
            payload_sha256=hashes[vintage],
        )

    def refresh(self) -> pl.DataFrame:
        """The next daily refresh: the 60 last dates of each series, 10 of them revised, under a new release instant."""
        series = len(self.ids)
        number = len(self._refreshed) + 1
        release = self.releases.max() + number * _DAY
        columns = DATES - TAIL + self._rng.permuted(np.tile(np.arange(TAIL), (series, 1)), axis=1)[:, :REVISED]
        self.latest[np.arange(series)[:, None], columns] += self._revisions((series, REVISED))
        self._refreshed.append((release, self.latest.copy()))
        return self._raw(
            pl.Series(self.ids)[np.repeat(np.arange(series), TAIL)],
            np.tile(self.dates[-TAIL:], series),
            self.latest[:, -TAIL:].ravel(),
            np.full(series * TAIL, release),
            pl.Series(np.full(series * TAIL, self.vintages + number)),
        )

    def known(self, moment: datetime) -> pl.DataFrame:
        """The right answer as of an instant: (series_id, observation_date, value)."""
        instant = np.datetime64(moment.replace(tzinfo=None), "us")
        ticks = next((t for release, t in reversed(self._refreshed) if release <= instant), None)
        if ticks is None:
            newest = (self.releases <= instant).sum(axis=1) - 1
            if newest.min() < 0:
                raise ValueError(f"{moment} is before the first vintage of some series")
            ticks = np.take_along_axis(self._ticks, newest[:, None, None], axis=2)[:, :, 0]
        return pl.DataFrame(
            {
                "series_id": pl.Series(self.ids)[np.repeat(np.arange(len(self.ids)), DATES)],
                "observation_date": np.tile(self.dates, len(self.ids)),
                "value": ticks.ravel() / 100,
            }
        )

    def moments(self, count: int) -> list[datetime]:
        """Random instants in the middle half of the vintages, the same for every contender of a round."""
        first = self.releases[:, self.vintages // 4].max()
        last = self.releases[:, max(self.vintages // 4 + 1, self.vintages * 3 // 4)].max()
        drawn = np.random.default_rng(SEED + 1).integers(first.astype(int), last.astype(int), count)
        return [datetime.fromtimestamp(int(us) // 1_000_000, UTC) for us in drawn]

    def now(self) -> datetime:
        """An instant after everything released."""
        newest = self._refreshed[-1][0] if self._refreshed else self.releases.max()
        return newest.astype(datetime).replace(tzinfo=UTC)
