"""A FRED in memory, synthetic: step functions over vintage dates, clipped and capped as FRED does it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from macro_assets.catalog import PublicationLag
from macro_assets.sources.errors import AuthError, NotFoundError, RateLimitError, SchemaError, TransientError
from macro_assets.sources.protocol import Request, Response, Window
from macro_assets.sources.providers.fred.vintages import BEGINNING, OPEN
from macro_assets_tests.sources.contract import Contract, Good
from macro_assets_tests.sources.wire import toy_series

ABSENT = "absent"
States = Mapping[date, Sequence[float | str]]
"""By observation date, what each vintage has: a number, '.', or nothing at all (`ABSENT`)."""

NOT_IN_ALFRED = b'{"error_code":400,"error_message":"Bad Request.  The series does not exist in ALFRED."}'


@dataclass
class FredServer:
    """Answers as FRED would on the day `today` (of Chicago); refuses what FRED refuses."""

    vintages: Sequence[date]
    states: States
    today: date
    cap: int = 2_000
    metadata: Mapping[str, str] = field(default_factory=dict)
    units: Sequence[tuple[date, str, float]] = ()
    """From which day on FRED has which unit, and what one of `states` is in it."""
    alfred: bool = True
    asked: list[Request] = field(default_factory=list)

    def get(self, request: Request) -> Response:
        self.asked.append(request)
        status, body = self._answer(request.path, dict(request.params))
        return Response(f"GET https://api.stlouisfed.org{request.target}", body, datetime.now(UTC), status)

    def paths(self) -> list[str]:
        """What was asked for, in order, without repetitions that follow each other."""
        names = [r.path.rpartition("/")[2] for r in self.asked]
        return [n for i, n in enumerate(names) if i == 0 or n != names[i - 1]]

    def _answer(self, path: str, params: dict[str, str]) -> tuple[int, bytes]:
        assert params["file_type"] == "json"
        start, end = (date.fromisoformat(params.get(f"realtime_{edge}", str(self.today))) for edge in ("start", "end"))
        if path == "/fred/series":
            return 200, json.dumps({"seriess": list(self._descriptions(start, end))}).encode()
        if start > self.today or (end > self.today and end != OPEN):
            return _bad("Variable realtime_start can not be after today's date.")
        if not self.alfred and "realtime_start" in params:
            return 400, NOT_IN_ALFRED
        listed = [v for v in self.vintages if start <= v <= min(end, self.today)]
        if path == "/fred/series/vintagedates":
            return _page("vintage_dates", [str(v) for v in listed], params)
        assert path == "/fred/series/observations"
        if len(listed) > self.cap:
            return _bad(f"There are {len(listed)} vintage dates in the specified real-time period.")
        first, last = (params.get(f"observation_{e}", d) for e, d in (("start", "1600-01-01"), ("end", "9999-12-31")))
        rows = [
            {
                "realtime_start": str(max(a, start)),
                "realtime_end": str(min(b, end)),
                "date": str(day),
                "value": str(value),
            }
            for day in sorted(self.states)
            if first <= str(day) <= last
            for a, b, value in self._periods(day)
            if a <= end and b >= start
        ]
        return _page("observations", rows, params)

    def _periods(self, day: date) -> Iterator[tuple[date, date, float | str]]:
        """First and last day of each value of an observation, as seen today."""
        states = [self._printed(v, s) for v, s in zip(self.vintages, self.states[day], strict=True)]
        seen = [(v, s) for v, s in zip(self.vintages, states, strict=True) if v <= self.today]
        changes = [p for i, p in enumerate(seen) if i == 0 or p[1] != seen[i - 1][1]]
        for i, (start, value) in enumerate(changes):
            end = changes[i + 1][0] - timedelta(days=1) if i + 1 < len(changes) else OPEN
            if value != ABSENT:
                yield start, end, value

    def _descriptions(self, start: date, end: date) -> Iterator[dict[str, str]]:
        """One record for each period with a unit of its own, clipped to the days asked for."""
        told = {"units": "Percent", "frequency_short": "M", "seasonal_adjustment_short": "NSA", **self.metadata}
        periods = [u for u in self.units if u[0] <= self.today] or [(BEGINNING, told["units"], 1.0)]
        for i, (begun, unit, _) in enumerate(periods):
            ended = periods[i + 1][0] - timedelta(days=1) if i + 1 < len(periods) else OPEN
            if begun <= end and ended >= start:
                clipped = {"realtime_start": str(max(begun, start)), "realtime_end": str(min(ended, end))}
                yield {**told, **clipped, "units": unit}

    def _printed(self, vintage: date, state: float | str) -> float | str:
        """A number as it is in the unit of its day."""
        factor = next((f for begun, _, f in reversed(self.units) if begun <= vintage), 1.0)
        return state if isinstance(state, str) else float(f"{state * factor:.15g}")


def _bad(message: str) -> tuple[int, bytes]:
    return 400, json.dumps({"error_code": 400, "error_message": f"Bad Request.  {message}"}).encode()


def _page(name: str, rows: list[Any], params: dict[str, str]) -> tuple[int, bytes]:
    offset, limit = int(params["offset"]), int(params["limit"])
    page = {"count": len(rows), "offset": offset, "limit": limit, name: rows[offset : offset + limit]}
    return 200, json.dumps(page).encode()


V = [date(2020, 1, 10), date(2020, 2, 10), date(2020, 3, 10), date(2020, 4, 10)]
"""Vintage dates of :func:`answers`."""

CHART = "/graph/fredgraph.csv"


def row(day: str, value: Any, start: date = V[0], end: date = OPEN) -> dict[str, Any]:
    return {"realtime_start": str(start), "realtime_end": str(end), "date": day, "value": value}


def described(**facts: Any) -> bytes:
    """Synthetic metadata of a series."""
    told = {"realtime_start": "2020-01-10", "units": "Percent"}
    told |= {"frequency_short": "M", "seasonal_adjustment_short": "NSA"}
    return json.dumps({"seriess": [{**told, **facts}]}).encode()


def answers(rows: list[Any], vintages: Any = None, **envelope: Any) -> dict[str, bytes]:
    """Synthetic answers to a whole fetch."""
    listed = {"count": len(V), "offset": 0, "vintage_dates": [str(v) for v in V] if vintages is None else vintages}
    page = {"count": len(rows), "offset": 0, "observations": rows, **envelope}
    return {
        "/fred/series/vintagedates": json.dumps({**listed, "count": len(listed["vintage_dates"])}).encode(),
        "/fred/series": described(),
        "/fred/series/observations": json.dumps(page).encode(),
    }


def said(text: str) -> bytes:
    return json.dumps({"error_code": 400, "error_message": text}).encode()


def fred_contract(source: str, missing: tuple[bytes, ...] = ()) -> Contract:
    """What the connectors of FRED's API promise."""
    lag = PublicationLag(days=1, time=time(8, 30), time_zone="America/New_York")
    series = toy_series(source, "TOYS", frequency="M", publication_lag=lag)
    observations = "/fred/series/observations"
    told = answers([row("2020-01-01", "1.5"), row("2020-02-01", "2", V[2])])
    return Contract(
        good=Good(
            series,
            observations,
            told[observations],
            rows=((date(2020, 1, 1), 1.5), (date(2020, 2, 1), 2.0)),
            figure=b'"1.5"',
            missing=missing,
            days=(b"2020-01-01",),
            window=Window(today=date(2020, 5, 1)),
            others=told,
        ),
        asks=lambda s: (f"/fred/series/vintagedates?series_id={s.code}&",),
        errors=(
            (400, said("The value for variable api_key (s3cret) is not registered."), AuthError),
            (400, b'<error code="400" message="Bad Request.  Variable api_key has not been set."/>', AuthError),
            (403, b"<html>Access Denied api_key=s3cret</html>", AuthError),
            (200, said("Bad Request.  The series does not exist."), NotFoundError),
            (400, b'<?xml version="1.0"?>\n<error code="400" message="The series does not exist." />', NotFoundError),
            (400, NOT_IN_ALFRED, NotFoundError),
            (404, b'{"error_code":404,"error_message":"Not Found"}', NotFoundError),
            (429, b'{"error_code":429,"error_message":"Too Many Requests. s3cret"}', RateLimitError),
            (500, b'<error code="500" message="Internal Server Error"/>', TransientError),
            (503, b"<html>Unavailable: /fred/series?api_key=s3cret</html>", TransientError),
            (504, b"", TransientError),
            (400, said("There are 5073 vintage dates in the period."), SchemaError),
            (200, said("Bad Request.  Bad limit."), SchemaError),
        ),
    )
