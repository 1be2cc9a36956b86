"""What every method of indicators promises, as laws over its module.

A method is a module of ``macro_assets/indicators/`` that has `Parameters`; its figures here are synthetic ones of the
series that its `EXAMPLE` names, and the tables that it names are made of such figures by the examples of their own
methods. A law yields what breaks it, in words. `test_contract.py` holds every method to each.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from importlib import import_module
from importlib.resources import files
from pkgutil import iter_modules
from typing import Any

import polars as pl
from pydantic import ValidationError

from macro_assets import indicators
from macro_assets.catalog import Catalog, Frequency, Indicator, Table
from macro_assets.catalog.derive import polars_schema, series_facts
from macro_assets.catalog.entries import complaints
from macro_assets.catalog.kinds.declaration import Declaration
from macro_assets.catalog.read import listed, read_document, read_entries
from macro_assets.graph.entries import FACTS
from macro_assets.indicators.protocol import Given
from macro_assets.quality import check_table

DATA = files("macro_assets.catalog") / "data"
FIRST, END = date(2014, 1, 1), date(2018, 12, 31)
STEP: Mapping[Frequency, str] = {"D": "1d", "W": "1w", "M": "1mo", "Q": "3mo", "A": "1y"}
CUTS = 20
"""From how many dates on figures are changed at most."""

LATEST = 13
"""How many periods are asked for where not all are."""

Breaches = Iterator[str]


def methods() -> dict[str, Any]:
    """Modules of the room that are methods, by name."""
    found = {m.name: import_module(f"{indicators.__name__}.{m.name}") for m in iter_modules(indicators.__path__)}
    return {name: module for name, module in found.items() if hasattr(module, "Parameters")}


def shapes() -> dict[str, dict[str, Any]]:
    """Shapes of tables, as the catalog has them."""
    return {s["name"]: s for s in listed(read_document(DATA, "tables.yaml"), "shapes", "tables.yaml")}


def table_of(shape: str) -> Table:
    """A table of a shape."""
    declared = shapes()[shape]
    known = {c["name"]: c for _, c in read_entries(DATA, "columns.yaml", "columns")}
    columns = [{**known[c], "nullable": c in declared.get("nullable", ())} for c in declared["columns"]]
    told = {"name": "indicators/example", "title": "Example", "description": "Synthetic", "owner": "team:research"}
    return Table(**told, key=declared["key"], columns=columns, rules=declared.get("rules", ()))


# --- synthetic figures ---------------------------------------------------------------------------------------------


def figures(catalog: Catalog, series: tuple[str, ...]) -> pl.DataFrame:
    """A synthetic walk of each series at its frequency, never below zero, as a method is given them.

    Each ends some months before the one before it; in the second year some figures are missing, as a row without value
    or without a row.
    """
    draw = random.Random(7)
    rows = []
    for number, name in enumerate(series):
        dates = pl.date_range(FIRST, END, STEP[catalog.one_series(name).frequency], eager=True).to_list()
        end = END.replace(month=12 - number % 6, day=1)
        second = [d for d in dates if d.year == FIRST.year + 1]
        blank, absent = draw.choice(second), draw.choice(second)
        value = 20.0
        for day in dates:
            value *= draw.lognormvariate(0, 0.03)
            if day <= end and day != absent:
                rows.append((name, day, None if day == blank else round(value, 2)))
    frame = pl.DataFrame(rows, {"series_id": pl.String, "observation_date": pl.Date, "value": pl.Float64}, orient="row")
    released = pl.col("observation_date").cast(pl.Datetime("us", "UTC")).dt.offset_by("45d")
    labels = {"source": "synthetic", "provider": "synthetic", "unit": "synthetic"}
    return frame.with_columns(release_time=released, **{name: pl.lit(text) for name, text in labels.items()})


@dataclass(frozen=True)
class Case:
    """A method with its example: parameters, facts and synthetic figures."""

    module: Any
    catalog: Catalog

    @cached_property
    def parameters(self) -> Declaration:
        parameters: Declaration = self.module.Parameters.model_validate(self.module.EXAMPLE["parameters"])
        return parameters

    @cached_property
    def facts(self) -> pl.DataFrame:
        series = (i for i in self.module.EXAMPLE["inputs"] if "/" not in i)
        return series_facts((self.catalog.one_series(s) for s in series), *FACTS)

    @cached_property
    def below(self) -> dict[str, Case]:
        """The methods of the tables among the inputs, by table."""
        tables = [i for i in self.module.EXAMPLE["inputs"] if "/" in i]
        return {t: Case(methods()[self.catalog.indicators[_indicator(t)].method], self.catalog) for t in tables}

    @cached_property
    def series(self) -> tuple[str, ...]:
        """Series that it is made of, by way of tables too."""
        return tuple(dict.fromkeys([*self.facts["series_id"], *(s for c in self.below.values() for s in c.series)]))

    @cached_property
    def figures(self) -> pl.DataFrame:
        return figures(self.catalog, self.series)

    @cached_property
    def table(self) -> Table:
        return table_of(self.module.SHAPE)

    @cached_property
    def rows(self) -> pl.DataFrame:
        """What it makes of the figures."""
        return self.made_of(self.figures)

    def made_of(self, observations: pl.DataFrame, periods: int | None = None) -> pl.DataFrame:
        own = observations.filter(pl.col("series_id").is_in(self.facts["series_id"].to_list()))
        tables = {t: case.made_of(observations) for t, case in self.below.items()}
        found: pl.DataFrame = self.module.compute(Given(own, self.facts, tables, periods=periods), self.parameters)
        return found

    def with_values(self, value: pl.Expr) -> pl.DataFrame:
        return self.figures.with_columns(value=value.cast(pl.Float64))


def _indicator(table: str) -> str:
    return table.removeprefix("indicators/")


# --- the laws ------------------------------------------------------------------------------------------------------


def says_what_it_is(case: Case) -> Breaches:
    """The module says a shape of the catalog, parameters, and an example that could be an entry's in YAML."""
    module = case.module
    if lacking := [n for n in ("SHAPE", "Parameters", "EXAMPLE", "compute") if not hasattr(module, n)]:
        yield f"it lacks {', '.join(lacking)}"
        return
    if module.SHAPE not in shapes():
        yield f"SHAPE: expected one of {', '.join(shapes())}, got {module.SHAPE!r}"
    if not module.__doc__:
        yield "the module has no docstring: what does the method compute?"
    yield from _bad_parameters(module)
    yield from _bad_example(module, case.catalog)


def _bad_parameters(module: Any) -> Breaches:
    kind = module.Parameters
    if not (isinstance(kind, type) and issubclass(kind, Declaration)):
        yield f"Parameters: expected a Declaration, got {kind!r}"
        return
    if not kind.model_config.get("frozen") or kind.model_config.get("extra") != "forbid":
        yield "Parameters: expected a class that is frozen and forbids what it does not know"
    if not kind.__doc__:
        yield "Parameters: there is no docstring"


def _bad_example(module: Any, catalog: Catalog) -> Breaches:
    example = module.EXAMPLE
    if not isinstance(example, Mapping) or {*example} != {"inputs", "parameters"}:
        yield f"EXAMPLE: expected 'inputs' and 'parameters', got {example!r}"
        return
    if json.loads(json.dumps(example, default=repr)) != example:
        yield "EXAMPLE: expected texts, numbers, lists and mappings, as YAML has them"
    known = {*catalog.series, *(f"indicators/{i}" for i in catalog.indicators)}
    if strangers := [i for i in example["inputs"] if i not in known]:
        yield f"EXAMPLE: inputs: {', '.join(strangers)}: no series and no indicator of the catalog"
        return
    told = {"name": "example", "title": "", "description": "", "reference": "", "method": "example"}
    try:
        Indicator.model_validate({**told, **example})
        parameters = module.Parameters.model_validate(example["parameters"])
    except ValidationError as error:
        yield f"EXAMPLE: {'; '.join(complaints(error))}"
        return
    if hasattr(module, "check"):
        try:
            module.check(parameters, Case(module, catalog).facts)
        except ValueError as error:
            yield f"EXAMPLE: its own check refuses it: {error}"


def does_not_look_ahead(case: Case) -> Breaches:
    """Whatever happens to figures from a date on, the rows before it stay as they are, bit for bit.

    A table that has only the latest of each series has no rows before.
    """
    if "observation_date" not in case.table.key:
        return
    dates = case.rows["observation_date"].unique().sort().to_list()
    day, value = pl.col("observation_date"), pl.col("value")
    for cut in sorted(random.Random(7).sample(dates, min(CUTS, len(dates)))):
        later = day >= cut
        changed = {
            "times a million": case.with_values(pl.when(later).then(value * 1e6).otherwise(value)),
            "below zero": case.with_values(pl.when(later).then(-value).otherwise(value)),
            "missing": case.with_values(pl.when(~later).then(value)),
            "not there": case.figures.filter(~later),
        }
        before = _told(case.rows.filter(day < cut))
        for what, observations in changed.items():
            if _told(case.made_of(observations).filter(day < cut)) != before:
                yield f"it looks ahead: with figures from {cut} on {what}, rows before are not as they were"
                return


def is_deterministic(case: Case) -> Breaches:
    """The same figures give the same rows."""
    if any(_told(case.made_of(case.figures)) != _told(case.rows) for _ in range(2)):
        yield "it is not deterministic: computed again of the same figures, the rows differ"


def does_not_depend_on_the_frame(case: Case) -> Breaches:
    """Neither the order of rows nor further columns matter."""
    orders = [case.figures.reverse(), *(case.figures.sample(fraction=1, shuffle=True, seed=s) for s in (1, 2))]
    if any(_told(case.made_of(o)) != _told(case.rows) for o in orders):
        yield "it depends on the order of rows"
    read = ("series_id", "observation_date", "value", *getattr(case.module, "COLUMNS", ()))
    if _told(case.made_of(case.figures.select(read))) != _told(case.rows):
        yield f"it depends on columns beside {', '.join(read[:-1])} and {read[-1]}"


def keeps_the_latest_rows(case: Case) -> Breaches:
    """Where only the latest periods are asked for, they are what they are among all."""
    last = pl.col("observation_date").is_in(case.rows["observation_date"].unique().sort().tail(LATEST).implode())
    if _told(case.made_of(case.figures, LATEST).filter(last)) != _told(case.rows.filter(last)):
        yield f"asked for the latest {LATEST} periods, it makes others of them"


def returns_its_shape(case: Case) -> Breaches:
    """Of any figures it makes rows of its shape: columns, types, key, no null where there may be none, its rules."""
    if case.rows.is_empty():
        yield "it makes no row of five years of figures: give the example less to wait for"
    yield from _not_of_shape(case, "the figures", case.rows)


def makes_nothing_of_nothing(case: Case) -> Breaches:
    """No figures give no rows, of its shape; one, missing and constant figures are no crash and nothing infinite."""
    nothing = case.made_of(case.figures.clear())
    if not nothing.is_empty():
        yield f"it makes {nothing.height} rows of no figures"
    yield from _not_of_shape(case, "no figures", nothing)
    some: dict[str, pl.DataFrame] = {
        "one figure": case.figures.drop_nulls("value").head(1),
        "one figure a series": case.figures.drop_nulls("value").unique("series_id", keep="first", maintain_order=True),
        "missing figures": case.with_values(pl.lit(None)),
        "constant figures": case.with_values(pl.lit(5.0)),
        "zeros": case.with_values(pl.lit(0.0)),
    }
    for what, observations in some.items():
        yield from _not_of_shape(case, what, case.made_of(observations))


def _not_of_shape(case: Case, what: str, rows: pl.DataFrame) -> Breaches:
    expected = polars_schema(case.table.columns)
    if list(rows.schema.items()) != list(expected.items()):
        yield f"of {what}: expected the shape {case.module.SHAPE!r}, {dict(expected)}, got {dict(rows.schema)}"
    elif not (report := check_table(rows, case.table)).passed:
        yield f"of {what}: {report}"


def _told(rows: pl.DataFrame) -> tuple[object, object]:
    """Schema and rows, in which 0.0 is not -0.0 and one missing value is another."""
    return rows.schema, [tuple(map(repr, row)) for row in rows.iter_rows()]


Law = Callable[[Case], Breaches]
LAWS: tuple[Law, ...] = (
    does_not_look_ahead,
    is_deterministic,
    does_not_depend_on_the_frame,
    keeps_the_latest_rows,
    returns_its_shape,
    makes_nothing_of_nothing,
)
"""Of methods that say what they are."""


def problems(case: Case) -> list[str]:
    """All that breaks a law; what a method that does not say what it is does, is not asked."""
    return list(says_what_it_is(case)) or [problem for law in LAWS for problem in _held(law, case)]


def _held(law: Law, case: Case) -> Breaches:
    try:
        yield from law(case)
    except Exception as error:
        yield f"it fails where {law.__name__} is asked: {error!r:.300}"
