"""What a file that is a vintage withdraws, where its folder says that what a later file lacks is withdrawn.

A blank cell and a row that is not there are the same: a date that an earlier file gave a figure of, and this one not.
"""

from __future__ import annotations

from collections.abc import Collection

import polars as pl

from macro_assets.sources.errors import SchemaError

FEW = 12
"""Dates of a series that may all be withdrawn at once: a table cut short is told by more."""

_KEY = ["series_id", "observation_date"]
_KNOWN = pl.Schema({"series_id": pl.String(), "observation_date": pl.Date(), "stands": pl.Boolean()})


class Withdrawals:
    """What the files of a folder withdraw, one after the other in the order of their vintages.

    Parameters
    ----------
    most
        Share of the figures of a series that one file may withdraw, from :data:`FEW` figures on.
    """

    def __init__(self, most: float) -> None:
        self.most = most
        self.known = pl.DataFrame(schema=_KNOWN)

    def of(self, rows: pl.DataFrame, there: Collection[str]) -> tuple[pl.DataFrame, dict[str, SchemaError]]:
        """What the next file withdraws, as missing values, and the series of which it withdraws too much.

        Parameters
        ----------
        rows
            The figures of the file: `series_id`, `observation_date`, `value`.
        there
            Series that the file has, be it without any figure.
        """
        of_file = pl.col("series_id").is_in(list(there))
        gone = self.known.filter(of_file).join(rows, on=_KEY, how="anti")
        stood, lost = (dict(f.filter("stands").group_by("series_id").len().iter_rows()) for f in (self.known, gone))
        self.known = pl.concat(
            [
                self.known.filter(~of_file),
                gone.with_columns(stands=False),
                rows.select(*_KEY, stands=True),
            ]
        )
        failures = {
            i: SchemaError(
                f"expected at most {self.most:.0%} of the {stood[i]:,} figures to be withdrawn at once, the file lacks "
                f"{n:,} of them. Is it cut off? Else raise `most_withdrawn`."
            )
            for i, n in lost.items()
            if stood[i] >= FEW and n > self.most * stood[i]
        }
        return gone.select(*_KEY, value=pl.lit(None, pl.Float64)), failures
