"""What the vintage reads must answer, by brute force over rows in plain Python."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from hypothesis import strategies as st

from macro_assets_tests.lakehouse.synthetic import INGESTED, PROVIDER, Row, day, decision, month, row

Answer = dict[tuple[str, date], tuple[float | None, datetime, str]]
KEY = ("series_id", "provider", "observation_date", "release_time")


def key(r: Row) -> tuple[object, ...]:
    return tuple(r[k] for k in KEY)


def is_marked(r: Row, decided: Sequence[Row], moment: datetime | None) -> bool:
    about = [d for d in decided if key(d) == key(r) and (moment is None or d["decided_at"] <= moment)]  # type: ignore[operator]
    return bool(about) and max(about, key=lambda d: d["decided_at"])["action"] == "invalidate"  # type: ignore[arg-type, return-value]


def is_invalid(r: Row, rows: Sequence[Row], decided: Sequence[Row], moment: datetime | None) -> bool:
    """Whether any row of the same release is marked: the rows of equal value around this one."""
    told = sorted(
        (
            x
            for x in rows
            if key(x)[:3] == key(r)[:3]
            and is_dated(x) == is_dated(r)
            and (moment is None or x["release_time"] <= moment)  # type: ignore[operator]
        ),
        key=lambda x: x["release_time"],  # type: ignore[arg-type, return-value]
    )
    here = told.index(r)
    first = last = here
    while first > 0 and told[first - 1]["value"] == r["value"]:
        first -= 1
    while last + 1 < len(told) and told[last + 1]["value"] == r["value"]:
        last += 1
    return any(is_marked(x, decided, moment) for x in told[first : last + 1])


def is_dated(r: Row) -> bool:
    return r["release_basis"] in ("provider", "snapshot")


def counts(r: Row, rows: Sequence[Row], decided: Sequence[Row], moment: datetime | None) -> bool:
    """Whether a row may answer at an instant."""
    if moment is not None and r["release_time"] > moment:  # type: ignore[operator]
        return False
    if is_invalid(r, rows, decided, moment):
        return False
    better = any(is_dated(x) and (x["series_id"], x["provider"]) == (r["series_id"], r["provider"]) for x in rows)
    return not (r["release_basis"] == "publication_lag" and better)


def as_of(rows: Sequence[Row], decided: Sequence[Row], moment: datetime | None) -> Answer:
    answers: Answer = {}
    for about in {(r["series_id"], r["observation_date"]) for r in rows}:
        candidates = [
            r for r in rows if (r["series_id"], r["observation_date"]) == about and counts(r, rows, decided, moment)
        ]
        own = [r for r in candidates if r["provider"] == PROVIDER] or candidates
        if own:
            winner = max(own, key=lambda r: (r["release_time"], r["provider"]))
            answers[about] = (winner["value"], winner["release_time"], winner["provider"])  # type: ignore[index, assignment]
    return answers


def releases(
    rows: Sequence[Row], decided: Sequence[Row], moment: datetime | None
) -> list[tuple[object, object, int | None, object, object]]:
    """(series, date, number, value, time), sorted."""
    found = []
    for about in sorted({(r["series_id"], r["observation_date"]) for r in rows}):  # type: ignore[type-var]
        told = sorted(
            (
                r
                for r in rows
                if (r["series_id"], r["observation_date"]) == about
                and r["provider"] == PROVIDER
                and counts(r, rows, decided, moment)
            ),
            key=lambda r: r["release_time"],  # type: ignore[arg-type, return-value]
        )
        numbered = bool(told) and told[0]["release_basis"] in ("provider", "ingested")
        number, before = 0, None
        for r in told:
            if (number == 0 and r["value"] is not None) or (number > 0 and r["value"] != before):
                number += 1
                found.append((*about, number if numbered else None, r["value"], r["release_time"]))
                before = r["value"]
    return found


# --- synthetic tables ----------------------------------------------------------------------------------------------

_values = st.sampled_from([None, 1.0, 2.0])
_rows = st.builds(
    row,
    st.integers(1, 2).map(month),
    _values,
    st.integers(1, 4).map(day),
    st.sampled_from(["provider", "provider", "snapshot", "publication_lag", "ingested"]),
    series_id=st.sampled_from(["PAYEMS", "UNRATE"]),
    provider=st.sampled_from([PROVIDER, PROVIDER, "another", "yet_another"]),
)
raw_rows = st.lists(_rows, max_size=14, unique_by=key)
"""Rows of a raw table with every basis and provider, no two with the same key."""

moments = st.one_of(st.none(), st.integers(1, 5).map(day), st.just(INGESTED))


@st.composite
def stores(draw: st.DrawFn) -> tuple[list[Row], list[Row]]:
    """Raw rows, and decisions about some of them."""
    rows = draw(raw_rows)
    taken: list[Row] = []
    if rows:
        for r in draw(st.lists(st.sampled_from(rows), max_size=3, unique_by=key)):
            actions = draw(st.sampled_from([["invalidate"], ["invalidate", "reinstate"], ["reinstate"]]))
            first = draw(st.integers(1, 4))
            taken += [decision(r, day(first + i), action) for i, action in enumerate(actions)]
    return rows, taken
