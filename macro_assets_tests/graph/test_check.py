"""The list of derivations: what cannot be is refused by name, and what can be has an order."""

from __future__ import annotations

import dataclasses
from functools import partial

import pytest

from macro_assets.catalog import Catalog
from macro_assets.graph.check import GraphError, checked, levels, parents, pieces
from macro_assets.graph.declared import derivations
from macro_assets.graph.derivation import Derivation, Known
from macro_assets.graph.derivation import Table as TableInput
from macro_assets_tests.graph.toy import DOUBLE, MEAN, as_of_catalog, as_of_double, as_of_graph


def double(inputs: dict[str, object], table: str = DOUBLE) -> Derivation:
    return Derivation((table,), inputs, partial(as_of_double, table=table), grid="as_of")  # type: ignore[arg-type]


REFUSED = {
    "circle": (
        (double({"mean": TableInput(MEAN)}), double({"mean": TableInput(DOUBLE)}, MEAN)),
        r"circle: forecasts/toy_(mean|double) <- forecasts/toy_(mean|double)",
    ),
    "unknown series": (
        (double({"known": Known(("PAYEM",))}),),
        "forecasts/toy_double reads the series 'PAYEM', which the catalog does not declare",
    ),
    "unknown table": (
        (double({"mean": TableInput("forecasts/nothing")}),),
        "forecasts/toy_double reads 'forecasts/nothing', which is no table of the catalog",
    ),
    "a table twice": ((*as_of_graph(), as_of_graph()[0]), "table forecasts/toy_mean is computed by two derivations"),
    "another shape": (
        (dataclasses.replace(as_of_graph()[0], grid=None),),
        "table forecasts/toy_mean is declared as-of partitioned, but computed without a grid",
    ),
    "not declared": (
        (double({"known": Known(("UNRATE",))}, "forecasts/nothing"),),
        "forecasts/nothing is computed, but",
    ),
    "later knowledge": (
        (double({"mean": TableInput("normalized/fred")}),),
        "forecasts/toy_double is computed as of a month, but reads normalized/fred, which holds what is known today",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_is_refused_by_name(case: str) -> None:
    found, message = REFUSED[case]
    with pytest.raises(GraphError, match=message):
        checked(found, as_of_catalog())


def test_an_earlier_month_needs_months() -> None:
    (mean, _) = as_of_graph()
    early = Derivation(("normalized/fred",), {"known": Known(("UNRATE",), months_before=1)}, mean.compute)
    with pytest.raises(GraphError, match="reads known of 1 months before, but has no as-of months"):
        checked([early], as_of_catalog())


def test_what_is_read_comes_first_and_depth_follows_it() -> None:
    mean, twice = as_of_graph()
    catalog = as_of_catalog()
    assert checked([twice, mean], catalog) == (mean, twice)
    assert levels([mean, twice], catalog) == [[mean, twice]], "one step computes both, month by month"
    assert parents(mean, catalog) == ("normalized/fred",), "a derivation of series depends on their families"
    assert parents(twice, catalog) == (MEAN,)


def test_connected_as_of_tables_are_one_step_and_all_others_their_own(catalog: Catalog) -> None:
    mean, twice = as_of_graph()
    other = dataclasses.replace(mean, tables=("forecasts/other",))
    assert pieces([mean, other, twice]) == [(other,), (mean, twice)]
    joined = double({"mean": TableInput(MEAN), "other": TableInput("forecasts/other")})
    assert pieces([mean, other, joined]) == [(mean, other, joined)]
    together = [[d.tables[0].split("/") for d in p] for p in pieces(derivations(catalog)) if len(p) > 1]
    assert [{name for _, name in p} for p in together] == [{m} for m in catalog.models], "a model by itself"


def test_nobody_depends_on_more_than_a_reader_can_follow(catalog: Catalog) -> None:
    """House rule: at most eight raw groups, and at most twelve inputs of any table."""
    found = derivations(catalog)
    assert len({s.family for s in catalog.sources.values()}) <= 8
    assert {d.tables[0]: len(parents(d, catalog)) for d in found if len(parents(d, catalog)) > 12} == {}
