"""What the vintage reads must answer, by brute force over rows in plain Python: law 8, sentence by sentence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

Row = dict[str, Any]
KEY = ("series_id", "provider", "observation_date", "release_time")


@dataclass(frozen=True)
class Holder:
    """Who has a series: the provider, the source whose raw table has its rows, whether it has the very same figures."""

    provider: str
    table: str
    same: bool = False


@dataclass(frozen=True)
class Concept:
    """A series: its staleness limit, and its holders in order, the home first."""

    staleness_days: int
    holders: tuple[Holder, ...]

    @property
    def home(self) -> Holder:
        return self.holders[0]


class Told(NamedTuple):
    """What is answered about one observation."""

    value: float | None
    release_time: datetime
    provider: str
    release_basis: str


Answer = dict[tuple[str, date], Told]


def key(r: Row) -> tuple[Any, ...]:
    return tuple(r[k] for k in KEY)


def is_dated(r: Row) -> bool:
    return r["release_basis"] in ("provider", "snapshot")


# --- rows in force -------------------------------------------------------------------------------------------------


def is_marked(r: Row, decided: Sequence[Row], moment: datetime | None) -> bool:
    about = [d for d in decided if key(d) == key(r) and (moment is None or d["decided_at"] <= moment)]
    return bool(about) and max(about, key=lambda d: d["decided_at"])["action"] == "invalidate"


def is_invalid(r: Row, rows: Sequence[Row], decided: Sequence[Row], moment: datetime | None) -> bool:
    """Whether any row of the same release is marked: the rows of equal value around this one."""
    told = sorted(
        (
            x
            for x in rows
            if key(x)[:3] == key(r)[:3]
            and is_dated(x) == is_dated(r)
            and (moment is None or x["release_time"] <= moment)
        ),
        key=lambda x: x["release_time"],
    )
    here = told.index(r)
    first = last = here
    while first > 0 and told[first - 1]["value"] == r["value"]:
        first -= 1
    while last + 1 < len(told) and told[last + 1]["value"] == r["value"]:
        last += 1
    return any(is_marked(x, decided, moment) for x in told[first : last + 1])


def counts(r: Row, rows: Sequence[Row], decided: Sequence[Row], moment: datetime | None) -> bool:
    """Whether a row may answer at an instant."""
    if moment is not None and r["release_time"] > moment:
        return False
    if is_invalid(r, rows, decided, moment):
        return False
    better = any(is_dated(x) and (x["series_id"], x["provider"]) == (r["series_id"], r["provider"]) for x in rows)
    return not (r["release_basis"] == "publication_lag" and better)


def in_force(rows: Sequence[Row], decided: Sequence[Row], moment: datetime | None) -> dict[tuple[str, str], list[Row]]:
    """By series and provider the rows in force, one per date: of each the last that counts."""
    last: dict[tuple[Any, ...], Row] = {}
    for r in rows:
        about = key(r)[:3]
        if counts(r, rows, decided, moment) and (about not in last or last[about]["release_time"] < r["release_time"]):
            last[about] = r
    found: dict[tuple[str, str], list[Row]] = {}
    for (series_id, provider, _), r in sorted(last.items()):
        found.setdefault((series_id, provider), []).append(r)
    return found


# --- the choice of holder ------------------------------------------------------------------------------------------


def last_value(told: Sequence[Row]) -> date:
    return max(r["observation_date"] for r in told if r["value"] is not None)


def chosen(known: Mapping[str, Sequence[Row]], concept: Concept, day: date) -> Holder | None:
    """The holder that serves, of those with rows in force; by provider, `known` has them."""
    having = [h for h in concept.holders if known.get(h.provider)]
    competing = [h for h in having if any(r["value"] is not None for r in known[h.provider])]
    if not competing:
        return having[0] if having else None
    fresh = [h for h in competing if (day - last_value(known[h.provider])).days <= concept.staleness_days]
    for h in fresh:
        if any(r["release_basis"] != "publication_lag" for r in known[h.provider]):
            return h
    if fresh:
        return fresh[0]
    latest = max(last_value(known[h.provider]) for h in competing)
    return next(h for h in competing if last_value(known[h.provider]) == latest)


def is_equal(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) <= 1e-9 * max(abs(one), abs(other))


def additions(known: Mapping[str, Sequence[Row]], concept: Concept) -> Iterator[Row]:
    """Rows of a holder of the very same figures after the home's last date."""
    home = {r["observation_date"]: r["value"] for r in known[concept.home.provider]}
    for h in concept.holders[1:]:
        told = known.get(h.provider, ())
        both = [r for r in told if r["observation_date"] in home]
        equal = both and all(is_equal(r["value"], home[r["observation_date"]]) for r in both)
        seen = [r for r in told if r["observation_date"] > max(home) and r["release_basis"] != "publication_lag"]
        if h.same and equal and seen:
            yield from seen
            return


def serving(
    rows: Sequence[Row],
    decided: Sequence[Row],
    moment: datetime | None,
    concepts: Mapping[str, Concept],
    now: datetime | None = None,
) -> dict[str, Holder]:
    """By series, who serves at an instant."""
    day = (moment or now or datetime.now(UTC)).date()
    by_holder = in_force(rows, decided, moment)
    found = {}
    for series_id, concept in concepts.items():
        known = {provider: told for (about, provider), told in by_holder.items() if about == series_id}
        if (holder := chosen(known, concept, day)) is not None:
            found[series_id] = holder
    return found


def as_of(
    rows: Sequence[Row],
    decided: Sequence[Row],
    moment: datetime | None,
    concepts: Mapping[str, Concept],
    now: datetime | None = None,
) -> Answer:
    """What was known at an instant; None is everything known, with freshness judged `now`."""
    by_holder = in_force(rows, decided, moment)
    answers: Answer = {}
    for series_id, holder in serving(rows, decided, moment, concepts, now).items():
        known = {provider: told for (about, provider), told in by_holder.items() if about == series_id}
        answer = [*known[holder.provider]]
        if holder == concepts[series_id].home:
            answer += additions(known, concepts[series_id])
        for r in answer:
            answers[series_id, r["observation_date"]] = Told(
                r["value"], r["release_time"], r["provider"], r["release_basis"]
            )
    return answers


def releases(
    rows: Sequence[Row], decided: Sequence[Row], moment: datetime | None, concepts: Mapping[str, Concept]
) -> list[tuple[str, date, int | None, float | None, datetime, str]]:
    """(series, date, number, value, time, provider), sorted: of who serves at the instant."""
    found = []
    for series_id, holder in sorted(serving(rows, decided, moment, concepts).items()):
        own = [r for r in rows if r["series_id"] == series_id and r["provider"] == holder.provider]
        counting = [r for r in own if counts(r, rows, decided, moment)]
        rebased = [r["release_time"] for r in counting if r["release_basis"] == "rebased"]
        counting = [r for r in counting if not rebased or r["release_time"] >= max(rebased)]
        for about in sorted({r["observation_date"] for r in own}):
            told = sorted(
                (r for r in counting if r["observation_date"] == about),
                key=lambda r: r["release_time"],
            )
            numbered = bool(told) and told[0]["release_basis"] in ("provider", "ingested")
            number, before = 0, None
            for r in told:
                if (number == 0 and r["value"] is not None) or (number > 0 and r["value"] != before):
                    number += 1
                    shown = number if numbered else None
                    found.append((series_id, about, shown, r["value"], r["release_time"], holder.provider))
                    before = r["value"]
    return found
