"""The `bundled` source: real figures inside the statsmodels and arch packages.

Its client reads package files instead of a network; all else is as with any provider. Data sets:

- `frbny_nowcast`: 29 monthly and quarterly US series in two vintages, from the New York Fed's nowcasting example
  (Bok, Caratelli, Giannone, Sbordone and Tambalotti, 2017, Staff Report 830). The file's name is the vintage date.
- `macrodata`: quarterly US macro series 1959-2009 (statsmodels.datasets.macrodata).
- the others: files of `arch.data`.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from importlib.util import find_spec
from pathlib import Path

import polars as pl

from macro_assets.catalog import Series
from macro_assets.sources import OBSERVATION_SCHEMA, Client, Fetched, Request, Response, Window, estimated_release

_NOWCAST = "statsmodels/tsa/statespace/tests/results/frbny_nowcast/Nowcasting/data/US"


@dataclass(frozen=True)
class Dataset:
    """Where a data set lies and how its dates are written.

    `files` maps a package file to the vintage date it is, or None where the file is not a dated vintage.
    `dates` reads the first day of each row's period (or any day of it) from the parsed file.
    """

    files: dict[str, date | None]
    dates: pl.Expr


_MONTH_FIRST = pl.col("Date").str.to_date("%m/%d/%Y")

DATASETS: dict[str, Dataset] = {
    "frbny_nowcast": Dataset(
        {f"{_NOWCAST}/{day}.csv": date.fromisoformat(day) for day in ("2016-06-29", "2016-07-29")},
        pl.col("Date").str.to_date("%m/%d/%y"),
    ),
    "macrodata": Dataset(
        {"statsmodels/datasets/macrodata/macrodata.csv": None},
        pl.date(pl.col("year").cast(pl.Int32), pl.col("quarter").cast(pl.Int32) * 3 - 2, 1),
    ),
    "sp500": Dataset({"arch/data/sp500/sp500.csv.gz": None}, _MONTH_FIRST),
    "nasdaq": Dataset({"arch/data/nasdaq/nasdaq.csv.gz": None}, _MONTH_FIRST),
    "vix": Dataset({"arch/data/vix/vix.csv.gz": None}, _MONTH_FIRST),
    "wti": Dataset({"arch/data/wti/wti.csv.gz": None}, _MONTH_FIRST),
    "crude": Dataset({"arch/data/crude/crude.csv.gz": None}, pl.col("Date").str.to_date("%Y-%m-%d")),
    "default": Dataset({"arch/data/default/default.csv.gz": None}, _MONTH_FIRST),
    "core_cpi": Dataset({"arch/data/core_cpi/core-cpi.csv.gz": None}, _MONTH_FIRST),
    "frenchdata": Dataset(
        {"arch/data/frenchdata/frenchdata.csv.gz": None},
        (pl.col("Date") + "01").str.to_date("%Y%m%d"),
    ),
}

_FIRST_VINTAGE = min(d for d in DATASETS["frbny_nowcast"].files.values() if d)
_MISSING = ("", ".")
_UNREADABLE = (OSError, EOFError, zlib.error, ModuleNotFoundError, pl.exceptions.PolarsError, ValueError)
_PERIOD_START = {"D": "1d", "W": "1d", "M": "1mo", "Q": "1q", "A": "1y"}


class PackageClient:
    """Reads files of installed packages, unpacked where they are gzipped."""

    def get(self, request: Request) -> Response:
        package, _, path = request.text.partition("/")
        body = (_folder(package) / path).read_bytes()
        return Response(request, gzip.decompress(body) if path.endswith(".gz") else body, datetime.now(UTC))


def _folder(package: str) -> Path:
    """Where a package lies. It is not imported: arch loads SciPy, which takes a second."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"package {package} is not installed")
    return Path(spec.submodule_search_locations[0])


def client() -> Client:
    """The client of this source."""
    return PackageClient()


def fetch(client: Client, series: Sequence[Series], window: Window) -> Fetched:
    """Observations of some series in a window of observation dates.

    Parameters
    ----------
    client
        Asked for the files of the data sets of the series.
    series
        Series of this source; `dataset` and `code` say which file and column.
    window
        Observation dates wanted.

    Returns
    -------
    Fetched
        Numbers in the provider's units. Values of dated vintages are known at the end (UTC) of the vintage's day; the
        others at the end of their period plus the publication lag.
    """
    observations: list[pl.DataFrame] = []
    responses: list[Response] = []
    failures: dict[str, str] = {}
    for name in dict.fromkeys(s.dataset for s in series):
        wanted = [s for s in series if s.dataset == name]
        dataset = DATASETS.get(name or "")
        if dataset is None:
            failures |= {
                s.id: f"source bundled has no data set {name!r}, expected one of {list(DATASETS)}" for s in wanted
            }
            continue
        for file, vintage in dataset.files.items():
            try:
                response = client.get(Request(file))
                table = _table(response.body, dataset)
            except _UNREADABLE as error:
                failures |= {s.id: f"source bundled: {file} cannot be read: {error}" for s in wanted}
                continue
            responses.append(response)
            for one in wanted:
                try:
                    observations.append(_observations(table, one, window, response, vintage))
                except pl.exceptions.ColumnNotFoundError:
                    failures[one.id] = f"source bundled: {file} has no column {one.code!r}; it has {table.columns[1:]}"
                except pl.exceptions.PolarsError as error:
                    failures[one.id] = f"source bundled: {file}: column {one.code!r} is not numeric: {error}"
    frame = pl.concat(observations) if observations else pl.DataFrame(schema=OBSERVATION_SCHEMA)
    return Fetched(frame.filter(~pl.col("series_id").is_in(list(failures))), tuple(responses), failures)


def _table(body: bytes, dataset: Dataset) -> pl.DataFrame:
    """A file as text columns, with the parsed date of each row in front."""
    text = pl.read_csv(body, infer_schema=False)
    return text.select(dataset.dates.alias("__date"), pl.all())


def _observations(
    table: pl.DataFrame, series: Series, window: Window, response: Response, vintage: date | None
) -> pl.DataFrame:
    value = pl.col(series.code).str.strip_chars()
    rows = table.select(
        observation_date=pl.col("__date").dt.truncate(_PERIOD_START[series.frequency]),
        value=pl.when(~value.is_in(_MISSING)).then(value).cast(pl.Float64),
    ).filter(window.contains(pl.col("observation_date")))
    released: pl.Expr | pl.Series
    if vintage is not None:
        rows = rows.drop_nulls("value")  # a blank is a figure not released yet; elsewhere it is a missing figure
        known = datetime.combine(vintage, time.max, tzinfo=UTC)
        released = pl.lit(known)
        basis = "snapshot" if vintage == _FIRST_VINTAGE else "provider"
    else:
        released = pl.Series(
            [estimated_release(series, d) for d in rows["observation_date"]], dtype=pl.Datetime("us", "UTC")
        )
        basis = "publication_lag"
    return rows.with_columns(
        series_id=pl.lit(series.id),
        release_time=released,
        release_basis=pl.lit(basis),
        provider=pl.lit("bundled"),
        ingested_at=pl.lit(response.fetched_at),
        payload_sha256=pl.lit(response.sha256),
    ).select(pl.col(n).cast(t) for n, t in OBSERVATION_SCHEMA.items())
