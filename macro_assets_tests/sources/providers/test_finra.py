"""FINRA's files of short sales: synthetic ones in their form, and the recorded ones."""

from __future__ import annotations

from datetime import date
from typing import Any

from macro_assets.sources.errors import AuthError
from macro_assets.sources.protocol import Window
from macro_assets.sources.providers.finra import read_volume, read_volumes
from macro_assets_tests.sources.contract import Contract, Good
from macro_assets_tests.sources.wire import Recorded, Recording, Replayed, each_recording, fetched, fixture, toy_series

FILE = fixture("finra_short_volume.txt")
DAY = date(2024, 1, 2)
ONE_DAY = Window(DAY, DAY)
DENIED = (403, b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>")


def path(day: str) -> str:
    return f"/equity/regsho/daily/CNMSshvol{day}.txt"


def series(name: str, **selector: Any) -> Any:
    facts = {"date": "Date", "value": "ShortVolume", "meaning": "trade date", **selector}
    return toy_series("finra", "CNMS", id=name, selector=facts, first_year=2024)


ALL = series("TOY", combine="sum")
ONE = series("TOY_ONE", where={"Symbol": "TOYB"}, value="TotalVolume")


CONTRACT = Contract(
    good=Good(
        ALL,
        path("20240102"),
        FILE,
        rows=((DAY, 147.5),),
        figure=b"100",
        days=(b"20240102",),
        window=ONE_DAY,
        refused=(
            (FILE.replace(b"\r\n3\r\n", b"\r\n"), "expected the count 2 alone on the last line"),
            (FILE.replace(b"\r\n3\r\n", b"\r\n4\r\n"), "expected the count 3 alone on the last line, got '4'"),
            (FILE[: FILE.index(b"|7.5")], "is the file cut off?"),
            (FILE.replace(b"ShortVolume|S", b"Shorts|S"), "expected the column 'ShortVolume'"),
            (FILE.replace(b"|", b","), "expected the column 'Date'"),
            (FILE.replace(b"|100|", b"||"), "expected a number in 'ShortVolume', got an empty cell"),
            (FILE.replace(b"20240102|TOYB", b"20240103|TOYB"), "expected rows of one date"),
            (FILE.replace(b"20240102", b"20240103"), "expected the file of 20240102, got that of 20240103"),
        ),
        empty=(FILE.splitlines(keepends=True)[0] + b"0\r\n", DENIED, (404, b"")),
    ),
    asks=lambda s: (path("20250101"),),
    errors=((*DENIED, None), (403, b"<html>Request blocked</html>", AuthError)),
    statuses={404: None},
    recorded=Recorded(
        "finra",
        readers={"/equity/regsho/daily/": lambda r: read_volume(read_volumes(r), ALL)},
        no_series={
            "/equity/otcmarket/": "fortnightly short interest, another form",
            "^(?!.*/equity/regsho/daily/)": "tables of the service for queries, of which finra_trace reads its own",
        },
        count=lambda body: int(int(body.split()[-1]) > 0),
        plausible=lambda rows: bool((rows["value"] > 0).all()),
    ),
)


def test_a_file_gives_sums_and_single_shares() -> None:
    client = Replayed({path("20240102"): FILE})
    found = fetched("finra", [ALL, ONE], client, ONE_DAY)
    assert [r.path for r in client.asked] == [path("20240102")]
    assert found.failures == {}
    rows = {i: g.select("observation_date", "value").rows() for (i,), g in found.observations.group_by("series_id")}
    assert rows == {"TOY": [(DAY, 147.5)], "TOY_ONE": [(DAY, 90.0)]}


def test_every_weekday_of_the_window_is_asked_for_and_a_holiday_is_no_failure() -> None:
    client = Replayed({path("20240101"): DENIED, path("20240102"): FILE, path("20231229"): (404, b"")})
    old = ALL.model_copy(update={"first_year": 2023})
    found = fetched("finra", old, client, Window(date(2023, 12, 29), DAY))
    assert [r.path for r in client.asked] == [path(d) for d in ("20231229", "20240101", "20240102")]
    assert found.failures == {}
    assert found.observations["observation_date"].to_list() == [DAY]


def test_a_share_that_is_not_there_and_a_series_without_selector_fail_alone() -> None:
    gone, plain = series("TOY_GONE", where={"Symbol": "TOYZ"}), toy_series("finra", "CNMS", id="TOY_PLAIN")
    found = fetched("finra", [ALL, gone, plain], {path("20240102"): FILE}, ONE_DAY)
    assert found.observations["series_id"].unique().to_list() == ["TOY"]
    assert "no row of the answer has {'Symbol': 'TOYZ'}" in found.failures["TOY_GONE"]
    assert "needs a `selector`" in found.failures["TOY_PLAIN"]


@each_recording("finra")
def test_a_recorded_file_has_the_sums_of_its_lines(recording: Recording) -> None:
    if recording.status != 200 or "/equity/regsho/daily/" not in recording.url:
        return  # not a question that the connector asks
    name = recording.url.rpartition("/")[2]
    code, stamp = name.removesuffix(".txt").split("shvol")
    day = date(int(stamp[:4]), int(stamp[4:6]), int(stamp[6:]))
    total = series("TOY_TOTAL", combine="sum", value="TotalVolume").model_copy(
        update={"code": code, "first_year": 2000}
    )
    found = fetched("finra", total, {f"/equity/regsho/daily/{name}": recording.body}, Window(day, day))
    assert found.failures == {}
    lines = recording.body.decode().splitlines()[1:-1]
    # A day without trading has a header alone.
    sums = [sum(float(line.split("|")[4]) for line in lines)] if lines else []
    assert found.observations["value"].to_list() == sums
