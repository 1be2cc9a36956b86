"""CFTC's Commitments of Traders: who holds futures, by kind of trader, each Tuesday; known on Friday or later.

A report is a text file a year inside a zip, a line per contract and week; the two newer reports have the years before
2011 in one file of older years. Names are padded, counts right-aligned with blanks, '.' is a count that does not apply.
Headers differ between reports and years in case, blanks, doubled underscores and the date column's name, and are
compared without all that; dates are ISO, or MM/DD/YYYY with or without a midnight behind them.

A series' `dataset` is the report, its `code` is contract:group:side, or contract:open_interest, as in
`13874A:lev_money:net`. The contract is CFTC's contract market code. The group is what its columns begin with:

- `tff` (Traders in Financial Futures): `dealer`, `asset_mgr`, `lev_money`, `other_rept`, `nonrept`;
- `disaggregated`: `prod_merc`, `swap`, `m_money`, `other_rept`, `nonrept`;
- `legacy`: `noncommercial`, `commercial`, `nonreportable`.

The side is `long`, `short`, `spread` (`spreading` in `legacy`), or `net`, which is computed: net = long - short.

Source: https://www.cftc.gov/MarketReports/CommitmentsofTraders/HistoricalCompressed/index.htm
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from io import BytesIO

import polars as pl

from macro_assets.catalog import Series
from macro_assets.sources.bodies import needed, read_csv
from macro_assets.sources.cells import dates, numbers
from macro_assets.sources.errors import NotFoundError, SchemaError
from macro_assets.sources.protocol import Answer, Ask, Request, Response, Steps, Window, read_each
from macro_assets.sources.providers.cftc.releases import released

MAX_TEXT = 300_000_000
"""Bytes a text may have; the longest, the disaggregated report of 2006 to 2016, has 70 thousand lines, 100 million."""

_CODE = re.compile(r"([0-9A-Z+]{6}):(open_interest|([a-z_]+):(long|short|spread|spreading|net))")
_CONTRACT = "cftc_contract_market_code"
_DATES = ("report_date_as_yyyy_mm_dd", "report_date_as_mm_dd_yyyy", "as_of_date_in_form_yyyy_mm_dd")


REPORTS: dict[str | None, tuple[str, int, str | None]] = {
    "tff": ("fut_fin_txt_{}.zip", 2011, "fin_fut_txt_2006_2016.zip"),
    "disaggregated": ("fut_disagg_txt_{}.zip", 2011, "fut_disagg_txt_hist_2006_2016.zip"),
    "legacy": ("deacot{}.zip", 1986, None),
}
"""Files of each report: one a year since a year, and one of all years before it, if there are any."""


def plan(series: Sequence[Series], window: Window) -> Iterator[Ask]:
    """One ask per report; each of its files is asked for once."""
    for name in dict.fromkeys(s.dataset for s in series):
        if name not in REPORTS:
            raise NotFoundError(f"source cftc has no report {name!r}, expected one of {list(REPORTS)}")
        wanted = tuple(s for s in series if s.dataset == name)
        yield Ask(wanted, _steps(*REPORTS[name], wanted, window))


def _steps(file: str, yearly: int, older: str | None, series: Sequence[Series], window: Window) -> Steps:
    begin, newest = min(window.begin(s) for s in series), _newest_year(window.today)
    answers: list[Answer] = []
    if older and begin.year < yearly and begin <= window.end:
        response = yield Request(f"/files/dea/history/{older}")
        answers.append(_answer(response, series, before=date(yearly, 1, 1)))
    for year in range(max(begin.year, yearly), min(window.end.year, newest) + 1):
        response = yield Request(f"/files/dea/history/{file.format(year)}")
        answer = _answer(response, series)
        answers.append(_all_there(answer, series) if year == newest else answer)
    return answers


def _newest_year(today: date) -> int:
    """The latest year with a file: its first report is about its first Tuesday and comes three days later."""
    new_year = date(today.year, 1, 1)
    first_tuesday = new_year + timedelta(days=(1 - new_year.weekday()) % 7)
    return today.year if today > first_tuesday + timedelta(days=3) else today.year - 1


def _all_there(newest: Answer, series: Sequence[Series]) -> Answer:
    """The answer of the newest file, which must have every contract that has not ended."""
    found = set(newest.rows["series_id"])
    lacking = {
        s.id: NotFoundError(f"{newest.response.request} has no contract {s.code[:6]}. Check the code in the catalog.")
        for s in series
        if s.id not in found and s.last_year is None
    }
    return replace(newest, failures={**lacking, **newest.failures})


def _answer(response: Response, series: Sequence[Series], before: date = date.max) -> Answer:
    table = read_report(response, {s.code[:6] for s in series})
    table = table.filter(pl.col("observation_date") < before)
    return read_each(response, series, lambda one: released(positions(table, one), one))


def read_report(response: Response, contracts: Collection[str]) -> pl.DataFrame:
    """The lines of some contracts as text, with `observation_date`; column names in lower case, words joined by '_'."""
    wanted = [c.encode() for c in contracts]
    header, *rest = _text(response).splitlines(keepends=True) or [b""]
    if rest and not rest[-1].endswith(b"\n") and rest[-1].count(b",") < header.count(b","):
        raise SchemaError("expected whole lines, the text is cut off inside the last one")
    lines = [line for line in rest if any(c in line for c in wanted)]
    table = read_csv(replace(response, body=header.rstrip() + b"\n" + b"".join(lines)))
    names = [re.sub(r"[^a-z0-9]+", "_", c.lower()).strip("_") for c in table.columns]
    day = next((n for n in _DATES if n in names), None)
    if day is None or _CONTRACT not in names:
        raise SchemaError(f"expected the columns {_CONTRACT} and one of {_DATES}, the answer has {names[:12]}")
    table = table.select(pl.col(table.columns[names.index(n)]).alias(n) for n in dict.fromkeys(names))
    days = table[day].str.replace(r"\s+12:00:00 AM$", "")
    slashed = days.str.contains("/", literal=True).any()
    return table.with_columns(observation_date=dates(days, "%m/%d/%Y" if slashed else "%Y-%m-%d"))


def _text(response: Response) -> bytes:
    """The text itself, or the one file of a zip."""
    if not response.body.startswith(b"PK"):
        return response.body
    try:
        archive = zipfile.ZipFile(BytesIO(response.body))
        files = [f for f in archive.infolist() if not f.is_dir()]
        if len(files) != 1 or files[0].file_size > MAX_TEXT:
            has = [f"{f.filename} ({f.file_size:,} bytes)" for f in files[:5]]
            raise SchemaError(f"expected a zip with one text of at most {MAX_TEXT:,} bytes, it has {has}")
        return archive.read(files[0])  # never more than its stated size, and its checksum is compared
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
        raise SchemaError(f"expected a zip with one text, it cannot be read: {error}") from None


def positions(table: pl.DataFrame, series: Series) -> pl.DataFrame:
    """The weeks of a series in a report's table: `observation_date`, and `value` in contracts."""
    code = _CODE.fullmatch(series.code)
    if code is None:
        raise SchemaError(f"series {series.id}: expected a code like '13874A:lev_money:net', got {series.code!r}")
    contract, what, group, side = code.groups()
    names = [f"{group}_positions_{s}_all" for s in (("long", "short") if side == "net" else (side,))]
    columns = ["open_interest_all"] if what == "open_interest" else names
    rows = needed(table, columns).filter(pl.col(_CONTRACT).str.strip_chars() == contract)
    if rows["observation_date"].n_unique() < rows.height:
        day = rows.filter(rows["observation_date"].is_duplicated())["observation_date"][0]
        raise SchemaError(f"expected one line of contract {contract} for {day}, got several")
    values = [numbers(rows[c], (".",)) for c in columns]
    value = values[0] - values[1] if side == "net" else values[0]
    return pl.DataFrame({"observation_date": rows["observation_date"], "value": value})
