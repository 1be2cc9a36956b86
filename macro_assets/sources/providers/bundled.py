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
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from importlib.util import find_spec
from pathlib import Path

import polars as pl

from macro_assets.catalog import Series, Source
from macro_assets.sources.bodies import read_csv
from macro_assets.sources.cells import numbers
from macro_assets.sources.errors import NotFoundError, SchemaError, SourceError
from macro_assets.sources.protocol import Answer, Ask, Client, Request, Response, Steps, Window, read_each

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
_UNREADABLE = (OSError, EOFError, zlib.error, ModuleNotFoundError)


class PackageClient:
    """Reads files of installed packages, unpacked where they are gzipped."""

    def get(self, request: Request) -> Response:
        package, _, path = request.path.partition("/")
        try:
            body = (_folder(package) / path).read_bytes()
            unpacked = gzip.decompress(body) if path.endswith(".gz") else body
        except _UNREADABLE as error:
            raise SourceError(f"{request.path} cannot be read: {error}. Install the package again.") from error
        return Response(request.path, unpacked, datetime.now(UTC))


def _folder(package: str) -> Path:
    """Where a package lies. It is not imported: arch loads SciPy, which takes a second."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"package {package} is not installed")
    return Path(spec.submodule_search_locations[0])


def client(source: Source) -> Client:
    return PackageClient()


def plan(series: Sequence[Series], window: Window) -> Iterator[Ask]:
    """One ask per data set; `dataset` and `code` of a series say which file and column.

    Values of dated vintages are known at the end (UTC) of the vintage's day; the others at the end of their period
    plus the publication lag.
    """
    for name in dict.fromkeys(s.dataset for s in series):
        wanted = tuple(s for s in series if s.dataset == name)
        if name not in DATASETS:
            raise NotFoundError(f"source bundled has no data set {name!r}, expected one of {list(DATASETS)}")
        yield Ask(wanted, _read(DATASETS[name], wanted))


def _read(dataset: Dataset, series: Sequence[Series]) -> Steps:
    answers: list[Answer] = []
    for file, vintage in dataset.files.items():
        response = yield Request(file)
        table = _table(response, dataset)

        def column(
            one: Series, table: pl.DataFrame = table, file: str = file, vintage: date | None = vintage
        ) -> pl.DataFrame:
            return _observations(table, one, file, vintage)

        answers.append(read_each(response, series, column))
    return answers


def _table(response: Response, dataset: Dataset) -> pl.DataFrame:
    """A file as text columns, with the parsed date of each row in front."""
    try:
        return read_csv(response).select(dataset.dates.alias("__date"), pl.all())
    except pl.exceptions.PolarsError as error:
        raise SchemaError(f"{response.request} has no dates where they were: {error}") from None


def _observations(table: pl.DataFrame, series: Series, file: str, vintage: date | None) -> pl.DataFrame:
    if series.code not in table.columns:
        raise NotFoundError(f"{file} has no column {series.code!r}; it has {table.columns[1:]}")
    rows = pl.DataFrame(
        {
            "observation_date": table["__date"],
            "value": numbers(table[series.code], _MISSING),
        }
    )
    if vintage is None:
        return rows
    known = datetime.combine(vintage, time.max, tzinfo=UTC)
    return rows.drop_nulls("value").with_columns(  # a blank is a figure not released yet; elsewhere a missing figure
        release_time=pl.lit(known),
        release_basis=pl.lit("snapshot" if vintage == _FIRST_VINTAGE else "provider"),
    )
