"""The bundled connector on the real package files, and on files that break."""

from __future__ import annotations

import re
import shutil
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from macro_assets.catalog import Catalog, Series, default_catalog
from macro_assets.sources import fetching
from macro_assets.sources.errors import SourceError
from macro_assets.sources.protocol import OBSERVATION_SCHEMA, Client, Fetched, Request, Response, Window
from macro_assets.sources.providers import bundled
from macro_assets.sources.providers.bundled import DATASETS, PackageClient
from macro_assets_tests.sources.contract import Contract, Good

EVERYTHING = Window()
HELD = {s.id: s for s in default_catalog().series_of("bundled")}
"""The series as the offline files hold them."""
FIRST, SECOND = DATASETS["frbny_nowcast"].files
VINTAGES = [datetime(2016, m, 29, 23, 59, 59, 999_999, UTC) for m in (6, 7)]


@dataclass
class SyntheticClient:
    """Answers some requests with synthetic bytes or an error, the others with the real files; notes what was asked."""

    answers: Mapping[str, bytes | Exception]
    asked: list[str] = field(default_factory=list)

    def get(self, request: Request) -> Response:
        self.asked.append(request.path)
        answer = self.answers.get(request.path)
        if isinstance(answer, Exception):
            raise answer
        return PackageClient().get(request) if answer is None else Response(request.path, answer, datetime.now(UTC))


def fetch_with(client: Client, series: Sequence[Series], window: Window = EVERYTHING) -> Fetched:
    return fetching.fetch(default_catalog().sources["bundled"], client, series, window)


def fetch(*ids: str, window: Window = EVERYTHING, **answers: bytes | Exception) -> Fetched:
    """Fetch some series; `answers` are by data set and stand for its first file."""
    client = SyntheticClient({next(iter(DATASETS[d].files)): a for d, a in answers.items()})
    return fetch_with(client, [HELD[i] for i in ids], window)


def values(fetched: Fetched, series_id: str, day: date) -> list[float | None]:
    """Values of an observation, by release time."""
    rows = fetched.observations.filter(pl.col("series_id") == series_id, pl.col("observation_date") == day)
    return rows.sort("release_time")["value"].to_list()


@pytest.fixture(scope="module")
def everything() -> Fetched:
    """All series of the package's catalog."""
    return fetch_with(bundled.client(default_catalog().sources["bundled"]), default_catalog().series_of("bundled"))


CONTRACT = Contract(
    good=Good(
        HELD["VIXCLS"],
        next(iter(DATASETS["vix"].files)),
        b"Date,vix\n1/3/2014,13.76\n1/6/2014,13.55\n",
        rows=((date(2014, 1, 3), 13.76), (date(2014, 1, 6), 13.55)),
        figure=b"13.76",
        harmless={"cut off": "a row that ends before its only figure has none"},
        missing=(b".", b" . ", b""),
        days=(b"1/3/2014", b"1/6/2014"),
        refused=(
            (b"\xff\xfe\x00\x01", "expected CSV in utf-8"),
            (b"1/3/2014", b"2014-01-03", "has no dates where they were"),  # a date format that is not the data set's
            (b"13.76", b"n/a", "expected a number in 'vix', got 'n/a'"),
            (b"vix", b"VIX", "has no column 'vix'; it has ['Date', 'VIX']"),
        ),
    ),
    asks=lambda s: (next(iter(DATASETS[str(s.dataset)].files)),),
)


def test_every_declared_series_is_there(everything: Fetched, catalog: Catalog) -> None:
    assert everything.failures == {}
    assert everything.observations.schema == pl.Schema(OBSERVATION_SCHEMA)
    assert set(everything.observations["series_id"]) == {s.id for s in catalog.series_of("bundled")}
    key = ["series_id", "observation_date", "release_time"]
    assert not everything.observations.select(key).is_duplicated().any()


def test_a_series_begins_in_the_year_that_its_entry_says(everything: Fetched) -> None:
    """Not in its home's: a year that the files do not have would seem lost."""
    rows = everything.observations.drop_nulls("value").group_by("series_id").agg(pl.col("observation_date").min())
    assert {i: day.year for i, day in rows.iter_rows()} == {i: s.first_year for i, s in HELD.items()}


def test_every_file_is_asked_for_once(everything: Fetched) -> None:
    files = [f for d in DATASETS.values() for f in d.files]
    assert sorted(r.request for r in everything.responses) == sorted(files)


def test_rows_name_the_payload_they_were_read_from(everything: Fetched) -> None:
    hashes = {r.request: r.sha256 for r in everything.responses}
    rows = everything.observations.filter(pl.col("series_id") == "PAYEMS").group_by("payload_sha256").len()
    assert dict(rows.iter_rows()) == {hashes[FIRST]: 377, hashes[SECOND]: 378}  # 1985-01 to 2016-05 and to 2016-06


# Read by eye from the packages' files. Payrolls and GDP are also in reference-results.md R-24 (June payrolls rose by
# 287 thousand, GDP of 2016 Q2 by 1.218 percent at annual rate on the quarter before).
@pytest.mark.parametrize(
    ("series_id", "day", "expected"),
    [
        ("PAYEMS", date(2016, 5, 1), [143894, 143888]),
        ("PAYEMS", date(2016, 6, 1), [144175]),
        ("JTSJOL", date(2016, 5, 1), [5500]),
        ("UNRATE", date(1985, 1, 1), [7.3, 7.3]),
        ("GDPC1", date(2016, 1, 1), [16514.6, 16525]),
        ("GDPC1", date(2016, 4, 1), [16575.1]),
        ("GACDISA066MSFRBNY", date(2016, 2, 1), [-16.64, -16.64]),
        ("GDPC1_MACRODATA", date(1959, 1, 1), [2710.349]),
        ("GDPC1_MACRODATA", date(2009, 7, 1), [12990.341]),
        ("SP500", date(1999, 1, 4), [1228.099976]),
        ("SP500_OPEN", date(1999, 1, 4), [1229.22998]),
        ("SP500_HIGH", date(1999, 1, 4), [1248.810059]),
        ("SP500_LOW", date(1999, 1, 4), [1219.099976]),
        ("SP500_VOLUME", date(2018, 12, 31), [3442870000]),
        ("NASDAQCOM_OPEN", date(1999, 1, 5), [2207.75]),
        ("NASDAQCOM", date(2018, 12, 31), [6635.279785]),
        ("VIXCLS", date(2014, 1, 3), [13.76]),
        ("VIXCLS", date(2014, 1, 20), [None]),  # '.' on Martin Luther King's day
        ("DCOILWTICO", date(1986, 2, 17), [None]),
        ("DCOILWTICO", date(2019, 1, 3), [46.92]),
        ("MCOILBRENTEU", date(1987, 5, 1), [18.58]),  # dated the 15th, in a file that opens with a byte order mark
        ("AAA", date(1919, 1, 1), [5.35]),
        ("BAA", date(2018, 12, 1), [5.13]),
        ("CPILFESL_ARCH", date(1957, 1, 1), [28.5]),
        ("FF_MKT_RF", date(1926, 7, 1), [2.96]),
        ("FF_RF", date(2018, 11, 1), [0.18]),
    ],
)
def test_figures_are_those_of_the_files(
    everything: Fetched, series_id: str, day: date, expected: list[float | None]
) -> None:
    assert values(everything, series_id, day) == expected


def test_vintages_are_known_at_the_end_of_their_day_and_the_first_is_a_snapshot(
    everything: Fetched, catalog: Catalog
) -> None:
    vintaged = [s.id for s in catalog.series_of("bundled") if s.dataset == "frbny_nowcast"]
    rows = everything.observations.filter(pl.col("series_id").is_in(vintaged))
    found = rows.select("release_time", "release_basis").unique().sort("release_time").rows()
    assert found == [(VINTAGES[0], "snapshot"), (VINTAGES[1], "provider")]
    assert rows["value"].null_count() == 0, "an empty cell of a vintage is a figure that was not out yet"


def test_without_vintages_the_publication_lag_says_when(everything: Fetched, catalog: Catalog) -> None:
    lagged = [s.id for s in catalog.series_of("bundled") if s.dataset != "frbny_nowcast"]
    rows = everything.observations.filter(pl.col("series_id").is_in(lagged))
    assert set(rows["release_basis"]) == {"publication_lag"}
    released = {
        (s, d): t
        for s, d, t in rows.select("series_id", "observation_date", "release_time").iter_rows()
        if s == "SP500"
    }
    assert released["SP500", date(2018, 12, 31)] == datetime(2018, 12, 31, 21, 30, tzinfo=UTC)
    assert released["SP500", date(2018, 6, 29)] == datetime(2018, 6, 29, 20, 30, tzinfo=UTC)


@pytest.mark.parametrize(("frequency", "unit"), [("M", "1mo"), ("Q", "1q")])
def test_an_observation_is_dated_by_the_first_day_of_its_period(
    everything: Fetched, catalog: Catalog, frequency: str, unit: str
) -> None:
    ids = [s.id for s in catalog.series_of("bundled") if s.frequency == frequency]
    dates = everything.observations.filter(pl.col("series_id").is_in(ids))["observation_date"]
    assert (dates == dates.dt.truncate(unit)).all()


@pytest.mark.parametrize("window", [Window(date(2016, 2, 1), date(2016, 4, 1)), Window(last=date(1985, 2, 1))])
def test_a_file_is_read_whole_whatever_the_window(window: Window) -> None:
    assert (
        fetch("UNRATE", window=window)
        .observations.drop("ingested_at")
        .equals(fetch("UNRATE").observations.drop("ingested_at"))
    )


def test_a_quarter_is_dated_by_its_first_day() -> None:
    """The file has the quarter's last month; 2016 Q1 is the observation of 2016-01-01."""
    months = fetch("GDPC1").observations["observation_date"].dt.month()
    assert set(months) == {1, 4, 7, 10}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"code": "NO_SUCH"}, r"2016-07-29\.csv has no column 'NO_SUCH'; it has \['Date', 'PAYEMS'"),
        ({"dataset": "no_such"}, r"has no data set 'no_such', expected one of \['frbny_nowcast'"),
        ({"dataset": None}, r"has no data set None"),
    ],
)
def test_a_series_that_is_not_there_fails_alone(wrong: dict[str, str | None], message: str) -> None:
    bad = HELD["PAYEMS"].model_copy(update=wrong)
    fetched = fetch_with(
        bundled.client(default_catalog().sources["bundled"]),
        [bad, HELD["UNRATE"], HELD["VIXCLS"]],
    )
    assert list(fetched.failures) == ["PAYEMS"]
    assert re.search(message, fetched.failures["PAYEMS"])
    assert set(fetched.observations["series_id"]) == {"UNRATE", "VIXCLS"}


def spoilt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spoil: Callable[[Path], object] | None) -> None:
    """Put a copy of two of arch's data sets in the place of the package, and spoil one file; None = no package."""
    real = bundled._folder("arch")
    for name in ("sp500", "default"):
        shutil.copytree(real / "data" / name, tmp_path / "arch" / "data" / name)
    if spoil is not None:
        spoil(tmp_path / "arch" / "data" / "sp500" / "sp500.csv.gz")
        monkeypatch.setattr(bundled, "_folder", lambda package: tmp_path / package)
    else:
        monkeypatch.setattr(bundled, "find_spec", lambda package: None)


SPOILT: dict[str, Callable[[Path], object]] = {
    "absent": Path.unlink,
    "a folder": lambda file: (file.unlink(), file.mkdir()),
    "empty": lambda file: file.write_bytes(b""),
    "not gzipped": lambda file: file.write_bytes(b"Date,Close"),
    "cut off": lambda file: file.write_bytes(file.read_bytes()[:-100]),
    "damaged": lambda file: file.write_bytes(file.read_bytes()[:50] + b"\xff" * 50 + file.read_bytes()[100:]),
}


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT.keys())
def test_a_file_that_cannot_be_read_fails_its_series_only(
    spoil: Callable[[Path], object],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    spoilt(tmp_path, monkeypatch, spoil)
    fetched = fetch("SP500", "SP500_VOLUME", "AAA")
    assert set(fetched.failures) == {"SP500", "SP500_VOLUME"}
    assert "series SP500, SP500_VOLUME of source bundled: " in fetched.failures["SP500"]
    assert re.search("arch/data/sp500/sp500.csv.gz cannot be read|got an empty body", fetched.failures["SP500"])
    assert set(fetched.observations["series_id"]) == {"AAA"}
    assert not caplog.records, "no fault of the connector"


def test_a_package_that_is_not_there_fails_its_series(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spoilt(tmp_path, monkeypatch, None)
    fetched = fetch("SP500", "AAA")
    assert set(fetched.failures) == {"SP500", "AAA"}
    assert "package arch is not installed. Install the package again." in fetched.failures["AAA"]


def test_a_series_with_one_vintage_unreadable_is_not_returned_in_part() -> None:
    fetched = fetch("PAYEMS", "VIXCLS", frbny_nowcast=SourceError("disk"))
    assert set(fetched.failures) == {"PAYEMS"}
    assert set(fetched.observations["series_id"]) == {"VIXCLS"}


def test_one_column_that_is_not_numeric_leaves_the_others_of_its_file() -> None:
    body = b"Date,Close,Volume\n1/4/1999,1228.1,many\n"
    fetched = fetch("SP500", "SP500_VOLUME", sp500=body)
    assert set(fetched.failures) == {"SP500_VOLUME"}
    assert values(fetched, "SP500", date(1999, 1, 4)) == [1228.1]


def test_when_every_file_fails_there_are_no_rows_and_all_reasons() -> None:
    fetched = fetch("VIXCLS", "AAA", vix=SourceError("a"), default=SourceError("b"))
    assert set(fetched.failures) == {"VIXCLS", "AAA"}
    assert fetched.responses == ()
    assert fetched.observations.schema == pl.Schema(OBSERVATION_SCHEMA)


def test_no_socket_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the bundled source opened a socket")

    monkeypatch.setattr(socket, "socket", refuse)
    assert fetch("PAYEMS", "VIXCLS", "GDPC1_MACRODATA").failures == {}


def test_only_files_of_the_asked_series_are_read() -> None:
    client = SyntheticClient({})
    fetch_with(client, [HELD["VIXCLS"], HELD["PAYEMS"]])
    assert client.asked == ["arch/data/vix/vix.csv.gz", FIRST, SECOND]
