"""The Treasury's daily rates: synthetic files in their three forms, and the recorded ones."""

from __future__ import annotations

import csv
import re
from datetime import UTC, date, datetime

import polars as pl
import pytest

from macro_assets.catalog import default_catalog
from macro_assets.sources.errors import SchemaError
from macro_assets.sources.protocol import Response, Window
from macro_assets.sources.providers.treasury_yields import one_rate, rate_name, read_rates
from macro_assets_tests.sources.contract import Contract, Good, Pages
from macro_assets_tests.sources.wire import Recorded, Recording, Replayed, each_recording, fetched, fixture, toy_series

FOLDER = "/resource-center/data-chart-center/interest-rates/daily-treasury-rates.csv"
PAR = "daily_treasury_yield_curve"
TEN = toy_series("treasury_yields", "10 Yr", id="TEN", dataset=PAR, first_year=2024)
THIRTY = toy_series("treasury_yields", "30 Yr", id="THIRTY", dataset=PAR, first_year=2024)
WINDOW = Window(date(2024, 1, 1), date(2024, 12, 31), today=date(2025, 6, 30))


def answer(body: bytes) -> Response:
    return Response("GET /", body, datetime(2024, 2, 1, tzinfo=UTC), 200)


def read_first(response: Response) -> pl.DataFrame:
    """The ten-year rate, or the first of a file that has none, as those of bills and of long bonds."""
    table = read_rates(response)
    if table.is_empty():
        return pl.DataFrame(schema={"observation_date": pl.Date, "value": pl.Float64})
    rates = [c for c in table.columns if re.fullmatch(r"10 yr|\d+ weeks .*|lt .*|treasury .*|rate", c)]
    code = "10 yr" if "10 yr" in rates else rates[0]
    return one_rate(table, toy_series("treasury_yields", code))


def year_of(year: int) -> str:
    """What is asked for the par curve of a year."""
    return f"{FOLDER}/{year}/all?type={PAR}&field_tdr_date_value={year}&_format=csv"


CONTRACT = Contract(
    good=Good(
        TEN,
        f"{FOLDER}/2024/all",
        fixture("treasury_par_2024.csv"),
        rows=((date(2024, 1, 2), 3.36), (date(2024, 1, 3), 3.35), (date(2024, 1, 4), 3.34)),
        figure=b"3.35",
        missing=(b"", b"N/A"),
        days=(b"01/03/2024", b"01/02/2024"),
        window=WINDOW,
        refused=(
            (b'Day,"10 Yr"\n01/02/2024,3.36\n', "expected the column 'date'"),
            (b'Date,"10 Yr"\n2024-01-02,3.36\n', "expected a date like %m/%d/%Y in 'Date', got '2024-01-02'"),
            (
                b'Date,"10 Yr"\n01/02/24,3.36\n01/03/2024,3.35\n',
                "expected a date like %m/%d/%Y in 'Date', got '01/02/24'",
            ),
            (b'Date,"10 Yr"\n01/02/2024,3.36\n01/02/2024,3.37\n', "expected one row a day, got several of 2024-01-02"),
            (b'Date,"10 Yr","30 Yr"\n01/03/2024,3.35,4.46\n01/02/2024,3.3', "expected 3 cells in the last row"),
            (b'Date,"10 Yr"\n01/02/2023,3.36\n', "expected days of 2024, the answer has 2023-01-02"),
        ),
    ),
    asks=lambda s: (f"{FOLDER}/2025/all?type={s.dataset}&",),
    pages=Pages(
        TEN,
        {year_of(2024): b'Date,"10 Yr"\n12/31/2024,4.58\n', year_of(2025): b'Date,"10 Yr"\n01/02/2025,4.57\n'},
        rows=((date(2024, 12, 31), 4.58), (date(2025, 1, 2), 4.57)),
        window=Window(date(2024, 1, 1), today=date(2025, 6, 30)),
    ),
    recorded=Recorded(
        "treasury_yields",
        readers={"": read_first},
        no_series={
            "TextView": "a page, no file",
            "(?i)interest-rates/datasets/|/sites/default/files/": "the files of the week before there was a feed",
            r"(?i)^(?!.*(interest-rates/|/system/files/|/feed\.svc/))": "other data, or pages",
        },
        expected={"csv-2023-ytd.csv": 169, "feed-1990.xml": 250, "feed-2008.xml": 251, "feed-2019-site.xml": 45},
        count=lambda body: (
            len(set(re.findall(rb"<d:(?:NEW|INDEX|QUOTE)_DATE[^>]*>([^<]*)", body)))
            if body.lstrip().startswith(b"<")
            else len(body.strip().splitlines()) - 1
        ),
        plausible=lambda rows: rows["value"].drop_nulls().is_between(-2, 10).all(),  # real ones were negative
    ),
)


def test_one_file_a_year_serves_every_tenor() -> None:
    client = Replayed({f"{FOLDER}/2024/all": fixture("treasury_par_2024.csv")})
    found = fetched("treasury_yields", [TEN, THIRTY], client, WINDOW)
    assert found.failures == {}
    assert [r.target for r in client.asked] == [
        f"{FOLDER}/2024/all?type=daily_treasury_yield_curve&field_tdr_date_value=2024&_format=csv"
    ]
    rows = found.observations.sort("series_id", "observation_date")
    assert rows.filter(pl.col("series_id") == "TEN")["value"].to_list() == [3.36, 3.35, 3.34]
    assert rows.filter(pl.col("series_id") == "THIRTY")["value"].to_list() == [4.47, 4.46, None]
    assert rows["observation_date"].to_list()[:3] == [date(2024, 1, 2), date(2024, 1, 3), date(2024, 1, 4)]


def test_a_zero_is_a_rate_and_a_blank_is_none() -> None:
    table = read_rates(answer(fixture("treasury_par_2024.csv")))
    three = one_rate(table, toy_series("treasury_yields", "3 Mo", dataset=PAR))
    assert three["value"].to_list() == [5.23, 5.24, 0.0]
    assert one_rate(table, toy_series("treasury_yields", "1.5 Month", dataset=PAR))["value"].null_count() == 3


def test_curves_are_asked_apart_and_years_one_by_one() -> None:
    real = toy_series("treasury_yields", "5 YR", id="REAL", dataset="daily_treasury_real_yield_curve", first_year=2023)
    client = Replayed(
        {
            f"{FOLDER}/2023/all?type=daily_treasury_real_yield_curve&field_tdr_date_value=2023&_format=csv": (
                b'Date,"5 YR"\n12/29/2023,1.72'
            ),
            f"{FOLDER}/2024/all?type=daily_treasury_real_yield_curve&field_tdr_date_value=2024&_format=csv": (
                b'Date,"5 YR"\n01/02/2024,-0.05\n'
            ),
            f"{FOLDER}/2024/all": fixture("treasury_par_2024.csv"),
        }
    )
    window = Window(date(2023, 6, 1), date(2024, 12, 31), today=date(2025, 6, 30))
    found = fetched("treasury_yields", [TEN, real], client, window)
    assert found.failures == {}
    assert len(client.asked) == 3  # the par curve's series began in 2024
    assert found.observations.filter(pl.col("series_id") == "REAL")["value"].to_list() == [1.72, -0.05]


def test_a_tenor_that_did_not_exist_is_no_error_and_one_that_was_renamed_is() -> None:
    thirty = toy_series("treasury_yields", "30 Yr", id="THIRTY", dataset=PAR, first_year=1990)
    ten = toy_series("treasury_yields", "10 Yr", id="TEN", dataset=PAR, first_year=1990)
    bodies = {
        f"{FOLDER}/2002/all": b'Date,"10 Yr","30 Yr"\n02/19/2002,4.88,\n02/15/2002,4.86,5.37\n',
        f"{FOLDER}/2003/all": b'Date,"10 Yr"\n01/02/2003,4.07\n',
        f"{FOLDER}/2006/all": b'Date,"10 Yr","Thirty"\n02/09/2006,4.54,4.51\n',
    }
    early = Window(date(2002, 1, 1), date(2003, 12, 31))
    found = fetched("treasury_yields", [ten, thirty], bodies, early)
    assert found.failures == {}
    assert found.observations.filter(pl.col("series_id") == "THIRTY")["value"].to_list() == [None, 5.37]
    found = fetched("treasury_yields", [ten, thirty], bodies, Window(date(2006, 1, 1), date(2006, 12, 31)))
    assert set(found.failures) == {"THIRTY"}
    assert "expected the column '30 yr'" in found.failures["THIRTY"]
    assert found.observations["series_id"].to_list() == ["TEN"]


def test_a_tenor_may_begin_late_in_its_first_year() -> None:
    bodies = {f"{FOLDER}/2024/all": b'Date,"10 Yr"\n01/02/2024,3.36\n', f"{FOLDER}/2025/all": b'Date,"10 Yr"\n'}
    found = fetched("treasury_yields", [TEN, THIRTY], bodies, WINDOW)
    assert (found.failures, found.observations["series_id"].to_list()) == ({}, ["TEN"])
    found = fetched("treasury_yields", [TEN, THIRTY], bodies, Window(date(2024, 1, 1), today=date(2025, 6, 30)))
    assert set(found.failures) == {"THIRTY"}


def test_a_year_without_a_quotation_yet_has_an_empty_file() -> None:
    bodies = {f"{FOLDER}/2024/all": fixture("treasury_par_2024.csv"), f"{FOLDER}/2025/all": b"\n"}
    found = fetched("treasury_yields", TEN, bodies, Window(date(2024, 1, 1), today=date(2025, 1, 1)))
    assert found.failures == {}
    assert found.observations.height == 3
    found = fetched("treasury_yields", TEN, bodies, Window(date(2024, 1, 1), today=date(2025, 3, 1)))
    assert "empty body" in found.failures["TEN"]


def test_the_archive_has_years_of_two_digits() -> None:
    table = read_rates(answer(b"date,3 mo,10 yr,30 yr\n12/29/23,5.40,3.88,4.03\n1/2/90,7.83,7.94,8.00\n"))
    assert table["date"].to_list() == [date(2023, 12, 29), date(1990, 1, 2)]
    assert one_rate(table, TEN)["value"].to_list() == [3.88, 7.94]


def test_the_xml_feed_is_read_as_the_file() -> None:
    table = read_rates(answer(fixture("treasury_feed.xml")))
    assert table["date"].to_list() == [date(2024, 1, 3), date(2024, 1, 2)]
    assert one_rate(table, TEN)["value"].to_list() == [3.35, 3.36]
    assert one_rate(table, THIRTY)["value"].to_list() == [4.46, 4.47]  # not the zeros of BC_30YEARDISPLAY
    assert one_rate(table, toy_series("treasury_yields", "1.5 Month", dataset=PAR))["value"].to_list() == [None, None]


def test_a_feed_of_long_term_rates_has_an_entry_for_each_kind() -> None:
    table = read_rates(answer(long_term("BC_20year", "Over_10_Years", "Real_Rate")))
    assert table["date"].to_list() == [date(2024, 1, 2), date(2024, 1, 3)]
    for heading, value in {"LT COMPOSITE (>10 Yrs)": 4.11, "LT Real Average (>10Yrs)": 4.12}.items():
        assert one_rate(table, toy_series("treasury_yields", heading))["value"].to_list() == [value, value]
    with pytest.raises(SchemaError, match="expected one RATE of each RATE_TYPE a day"):
        read_rates(answer(long_term("BC_20year", "BC_20year")))


def long_term(*kinds: str) -> bytes:
    entries = "".join(
        "<entry><content><m:properties>"
        f"<d:QUOTE_DATE>{day}T00:00:00</d:QUOTE_DATE><d:EXTRAPOLATION_FACTOR>N/A</d:EXTRAPOLATION_FACTOR>"
        f"<d:RATE_TYPE>{kind}</d:RATE_TYPE><d:RATE>4.1{n}</d:RATE></m:properties></content></entry>"
        for day in ("2024-01-02", "2024-01-03")
        for n, kind in enumerate(kinds)
    )
    spaces = 'xmlns:m="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata"'
    spaces += ' xmlns:d="http://schemas.microsoft.com/ado/2007/08/dataservices" xmlns="http://www.w3.org/2005/Atom"'
    return f"<feed {spaces}><title>Synthetic</title>{entries}</feed>".encode()


def test_a_feed_without_entries_has_no_rates() -> None:
    table = read_rates(answer(long_term()))
    assert table.is_empty()
    with pytest.raises(SchemaError, match="expected the column '10 yr'"):
        one_rate(table, TEN)


def test_names_of_both_forms_agree() -> None:
    assert [rate_name(n) for n in ("1.5 Month", "BC_1_5MONTH", "1.5 Mo")] == ["1.5 mo"] * 3
    assert [rate_name(n) for n in ("10 Yr", "10 YR", "TC_10YEAR", "BC_10YEAR")] == ["10 yr"] * 4
    assert rate_name("ROUND_B1_YIELD_13WK_2") == rate_name("13 WEEKS COUPON EQUIVALENT")
    assert rate_name("ROUND_B1_CLOSE_13WK_2") == rate_name("13 WEEKS BANK DISCOUNT")
    assert rate_name("BC_30YEARDISPLAY") != rate_name("30 Yr")
    assert rate_name("LT Real Average (10> Yrs)") == rate_name("LT Real Average (>10Yrs)")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("NEW_DATE", "DAY", "expected entries with NEW_DATE"),
        ("2024-01-03T00:00:00", "03/01/2024", "expected a date like"),
        ('<d:BC_30YEAR m:type="Edm.Double">4.46<', '<d:BC_30YEAR m:type="Edm.Double"><', "got an empty element"),
        ("</feed>", "", "expected XML"),
    ],
)
def test_a_bad_feed_is_refused(old: str, new: str, says: str) -> None:
    body = fixture("treasury_feed.xml").decode()
    assert old in body
    with pytest.raises(SchemaError, match=says):
        read_rates(answer(body.replace(old, new).encode()))


def test_each_rate_of_the_five_curves_is_one_series() -> None:
    series = default_catalog().series_of("treasury_yields")
    assert len(series) == len({(s.dataset, rate_name(s.code)) for s in series})
    assert len({s.dataset for s in series}) == 5


@each_recording("treasury_yields")
def test_a_recorded_file_serves_the_catalog(recording: Recording) -> None:
    if not recording.url.endswith("/all") or recording.status != 200:
        pytest.skip("not in the form that is asked")
    year = int(recording.query["field_tdr_date_value"])
    header, *lines = csv.reader(recording.body.decode().strip().splitlines())
    names = [rate_name(h) for h in header]
    series = [
        s
        for s in default_catalog().series_of("treasury_yields")
        if s.dataset == recording.query["type"]
        and (rate_name(s.code) in names or s.first_year < year)
        and not (s.code == "30 Yr" and year in range(2003, 2006))
    ]
    window = Window(date(year, 1, 1), date(year, 12, 31), today=date(2026, 11, 20))
    found = fetched("treasury_yields", series, {f"{FOLDER}/{year}/all": recording.body}, window)
    assert found.failures == {}
    assert found.observations.height == len(lines) * len(series)
    blanks = sum(line[names.index(rate_name(s.code))] in ("", "N/A") for line in lines for s in series)
    assert found.observations["value"].null_count() == blanks
