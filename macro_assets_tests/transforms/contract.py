"""What every transform promises, as laws; a law yields what breaks it, in words.

`test_contract.py` holds every entry of the vocabulary to each law, and shows bad transforms that each law finds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, get_args

import numpy as np
import polars as pl

from macro_assets.catalog.kinds.step import Step
from macro_assets.transforms.library import Calendar, Transform
from macro_assets.transforms.steps import TransformError, check, transformed_by

Breaches = Iterator[str]
Law = Callable[[Transform], Breaches]

ROWS = 60
CUTS = (1, 2, 7, 20, 33, ROWS - 1)
EVERY = {"D": "9d", "W": "1w", "M": "1mo", "Q": "1q", "A": "1y"}
"""Days stand apart, so that there is a year of them."""
MONEY, RATE, SHARE = "usd", "percent", "percentage_points"


def _history(seed: int, *missing: int) -> list[float | None]:
    """Positive figures that wander, some of them missing."""
    walk = 100 * np.exp(np.random.default_rng(seed).normal(0, 0.05, ROWS).cumsum())
    return [None if i in missing else round(float(v), 2) for i, v in enumerate(walk)]


HISTORIES = (_history(1), _history(2, 0, 5, 6, 21, 40), _history(3, 11))
AWKWARD = (
    [0.0, 0.0, 1.0, -1.0, 0.0, 2.0, 0.0, -3.0, -2.0, 1e-300, 5.0, 0.0],
    [0.0] * 12,
    [-5.0, -4.0, 0.0, 4.0, 0.1, 0.1, 0.1, 0.1, 0.1, -0.1, 0.0, 3.0],
    [1e308, -1e308, 1e308, 1e-308, 1e308, -1e308, 2.0, 1e308, 0.0, 1.0, -1.0, 1e300],
)
LATER: Mapping[str, Callable[[list[float | None]], list[float | None]]] = {
    "other numbers": lambda rows: [1e6 - 7.0 * i for i, _ in enumerate(rows)],
    "nulls": lambda rows: [None for _ in rows],
    "zeros": lambda rows: [0.0 for _ in rows],
    "no rows": lambda rows: [],
}


WRONG: Mapping[Any, Sequence[object]] = {bool: ("x", [1], 1.5, -1, 0), float: ("x", [1], True, -1, 0)}
"""What is no value of a parameter, by its type; else the following."""
NO_VALUE: Sequence[object] = ("x", [1], 1.5, True, -1, 0)


def uses_no_later_value(transform: Transform) -> Breaches:
    """What comes later, or whether anything does, changes nothing before, bit for bit."""
    for frequency in transform.frequencies:
        for first, *others in _inputs(transform, HISTORIES):
            whole = result(transform, [first, *others], frequency)
            for cut in CUTS:
                for what, change in LATER.items():
                    later = [[*h[:cut], *change(h[cut:])] for h in (first, *others)]
                    found = result(transform, later, frequency)[:cut]
                    changed = [i for i, (a, b) in enumerate(zip(whole, found, strict=False)) if a != b]
                    if changed:
                        yield f"{frequency}: {what} from row {cut} on change rows {changed}"


def nulls_stay_nulls(transform: Transform) -> Breaches:
    """Where an input has no value nothing comes out, and of figures something does."""
    for frequency in transform.frequencies:
        for inputs in _inputs(transform, (*HISTORIES, [None] * ROWS)):
            found = result(transform, inputs, frequency)
            made = [
                i for i, (v, *rows) in enumerate(zip(found, *inputs, strict=True)) if None in rows and v is not None
            ]
            if made:
                yield f"{frequency}: rows {made} have no value, and {[found[i] for i in made]} came out"
        if not any(v is not None for v in result(transform, next(_inputs(transform, HISTORIES)), frequency)):
            yield f"{frequency}: nothing comes out"
        if result(transform, [[]] * transform.takes, frequency):
            yield f"{frequency}: of no rows something comes out"


def nothing_infinite_comes_out(transform: Transform) -> Breaches:
    """Of zeros, negative, tiny and huge numbers, and of what is infinite itself."""
    broken = [*AWKWARD, [1.0, float("inf"), 2.0, float("nan"), 3.0, float("-inf"), *[4.0, 5.0] * 3]]
    for frequency in transform.frequencies:
        for inputs in _inputs(transform, broken):
            found = result(transform, inputs, frequency)
            bad = {i: v for i, v in enumerate(found) if v is not None and not np.isfinite(v)}
            if bad:
                yield f"{frequency}: of {inputs} came {bad}"


def series_do_not_mix(transform: Transform) -> Breaches:
    """Below each other, `.over("series_id")`, series give what each gives alone."""
    for frequency in transform.frequencies:
        groups = list(_inputs(transform, HISTORIES))
        names = [f"x{i}" for i in range(transform.takes)]
        frames = [_panel(group, frequency).with_columns(series_id=pl.lit(f"S{n}")) for n, group in enumerate(groups)]
        value = _expression(transform, names, frequency).over("series_id")
        together = pl.concat(frames).select("series_id", value=value)
        for n, group in enumerate(groups):
            found = together.filter(series_id=f"S{n}")["value"].to_list()
            if found != result(transform, group, frequency):
                yield f"{frequency}: series {n} beside others differs from itself alone"


def order_of_rows_does_not_matter(transform: Transform) -> Breaches:
    """A long frame gives the same in any order of its rows, and twice."""
    if transform.takes != 1:
        return
    steps = (Step(name=transform.name, parameters=dict(transform.example)),)
    for frequency in transform.frequencies:
        frame = long_frame(frequency)
        ids = frame["series_id"].unique().to_list()
        found = [
            transformed_by(rows, dict.fromkeys(ids, steps), dict.fromkeys(ids, frequency))
            for rows in (frame, frame.sample(fraction=1, shuffle=True, seed=1), frame.reverse())
        ]
        if not found[0].equals(found[1]) or not found[0].equals(found[2]):
            yield f"{frequency}: rows in another order give other values"


def what_is_not_admitted_is_refused(transform: Transform) -> Breaches:
    """A frequency, unit, number of series or parameter that is not admitted is refused, and the step is named."""
    example, money = dict(transform.example), [_admitted_unit(transform)] * transform.takes
    good = transform.frequencies[0]
    for frequency in sorted({*"DWMQA", "X", "", "MQ"} - set(transform.frequencies)):
        yield from _admitted(transform, example, money, frequency, f"frequency {frequency!r}", repr(frequency))
    for units in ([RATE] * transform.takes, [SHARE] * transform.takes, [MONEY, RATE][: transform.takes]):
        try:
            transform.unit(units, transform.parameters(**example))
        except ValueError:
            yield from _admitted(transform, example, units, good, f"units {units}", repr(units[-1]))
    if transform.takes > 1:
        for number in {2, 3, 4} - {transform.takes}:
            yield from _admitted(transform, example, money[:1] * number, good, f"{number} series", f"got {number}")
    for name, field in transform.parameters.model_fields.items():
        types = [t for t in (field.annotation, *get_args(field.annotation)) if t in WRONG]
        for wrong in WRONG[types[0]] if types else NO_VALUE:
            yield from _admitted(transform, {**example, name: wrong}, money, good, f"{name} {wrong!r}", name)
    yield from _admitted(transform, {**example, "prds": 1}, money, good, "parameter 'prds'", "'prds' is no parameter")


def says_what_it_is(transform: Transform) -> Breaches:
    """A description, an example that fits, frequencies that there are, and a unit of what comes out."""
    if not transform.description.endswith("."):
        yield f"the description is no sentence: {transform.description!r}"
    if not transform.frequencies or set(transform.frequencies) - set("DWMQA"):
        yield f"frequencies are {transform.frequencies!r}"
    admitted = _admitted_unit(transform)
    unit = transform.unit([admitted] * transform.takes, transform.parameters(**transform.example))
    if not unit or not isinstance(unit, str):
        yield f"the unit of what it makes of {admitted} is {unit!r}"


LAWS: tuple[Law, ...] = (
    uses_no_later_value,
    nulls_stay_nulls,
    nothing_infinite_comes_out,
    series_do_not_mix,
    order_of_rows_does_not_matter,
    what_is_not_admitted_is_refused,
    says_what_it_is,
)


def result(transform: Transform, inputs: Sequence[Sequence[float | None]], frequency: str) -> list[float | None]:
    """What a transform, with the parameters of its example, makes of columns of a panel."""
    frame = _panel(inputs, frequency)
    return frame.select(value=_expression(transform, frame.columns[1:], frequency))["value"].to_list()


def dates(frequency: str) -> pl.Series:
    """Of the rows of a history."""
    start = date(1999, 1, 1)
    return pl.select(pl.date_ranges(start, date(2099, 1, 1), EVERY[frequency])).to_series().explode()[:ROWS]


def _panel(inputs: Sequence[Sequence[float | None]], frequency: str) -> pl.DataFrame:
    """Histories side by side, with their dates."""
    columns = {f"x{i}": pl.Series(values, dtype=pl.Float64) for i, values in enumerate(inputs)}
    return pl.DataFrame({"observation_date": dates(frequency)[: len(inputs[0])], **columns})


def long_frame(frequency: str) -> pl.DataFrame:
    """The histories as a long frame at a frequency, without rows where they have no value."""
    days = dates(frequency)
    frames = [
        pl.DataFrame({"series_id": f"S{n}", "observation_date": days, "value": pl.Series(h, dtype=pl.Float64)})
        for n, h in enumerate(HISTORIES)
    ]
    return pl.concat(frames).drop_nulls("value")


def _expression(transform: Transform, names: Sequence[str], frequency: str) -> pl.Expr:
    parameters = transform.parameters(**transform.example)
    return transform.function([pl.col(n) for n in names], parameters, Calendar(frequency))


def _inputs(transform: Transform, histories: Sequence[Sequence[float | None]]) -> Iterator[list[list[float | None]]]:
    """As many of the histories as a transform takes, each once the first."""
    for n in range(len(histories)):
        yield [list(histories[(n + i) % len(histories)]) for i in range(transform.takes)]


def _admitted_unit(transform: Transform) -> str:
    """Money, unless the transform is one of rates alone."""
    try:
        transform.unit([MONEY] * transform.takes, transform.parameters(**transform.example))
    except ValueError:
        return RATE
    return MONEY


def _admitted(
    transform: Transform, parameters: Mapping[str, Any], units: Sequence[str], frequency: str, what: str, says: str
) -> Breaches:
    """A breach, if something is admitted, or refused in other words."""
    step = Step(name=transform.name, parameters=dict(parameters))
    try:
        check((step,), units, frequency)
    except TransformError as error:
        if f"step 1 {transform.name!r}" not in str(error) or says not in str(error):
            yield f"{what}: expected the step and {says!r} in {str(error)!r}"
    except Exception as error:
        yield f"{what}: expected a TransformError, got {error!r}"
    else:
        yield f"{what} is admitted"
