"""Results of auctions: what is of one day and tenor, what is not known, and what a table cannot be made of."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest
from pydantic import ValidationError

from macro_assets.catalog import default_catalog
from macro_assets.indicators.auctions import EXAMPLE, Parameters, check, compute
from macro_assets.indicators.protocol import Given
from macro_assets_tests.indicators.toys import FACTS, FIGURES

NEW = {"security": "note", "tenor": "10Y", "is_reopening": False, "stop_out": "Y", "bid_to_cover": "C"}
MORE = {**NEW, "is_reopening": True, "stop_out": "YR", "bid_to_cover": "CR"}
BOTH = Parameters.model_validate({"auctions": [NEW, MORE]})
UNITS = {"Y": "percent", "C": "ratio", "YR": "percent", "CR": "ratio"}


def facts(**units: str) -> pl.DataFrame:
    return pl.DataFrame([(s, "D", "last", unit) for s, unit in units.items()], FACTS, orient="row")


def test_results_of_a_day_and_tenor_are_one_row() -> None:
    may, june = date(2024, 5, 8), date(2024, 6, 11)
    figures = [
        ("CR", june, 2.67),
        ("C", may, 2.49),
        ("Y", may, 4.48),
        ("YR", june, None),
        ("YR", may, 4.5),
        ("Z", may, 1.0),
    ]
    given = Given(pl.DataFrame(figures, FIGURES, orient="row"), facts(**UNITS))
    assert compute(given, BOTH).rows() == [
        (may, "note", "10Y", False, 4.48, 2.49, None),
        (may, "note", "10Y", True, 4.5, None, None),
        (june, "note", "10Y", True, None, 2.67, None),
    ]


@pytest.mark.parametrize(
    ("auctions", "units", "said"),
    [
        ([NEW, MORE], {**UNITS, "X": "percent"}, "inputs: no auction is made of X"),
        ([NEW], {"Y": "percent"}, r"parameters.auctions.0.bid_to_cover: expected an input in ratio, C is no input"),
        (
            [NEW],
            {"Y": "ratio", "C": "ratio"},
            r"parameters.auctions.0.stop_out: expected an input in percent, Y is in 'ratio'",
        ),
        ([NEW, {**NEW, "stop_out": "YR"}], UNITS, "parameters.auctions.1: note 10Y is there twice"),
        ([NEW, {**MORE, "stop_out": "Y"}], UNITS, "parameters.auctions.1.stop_out: Y is there twice"),
    ],
)
def test_what_a_table_cannot_be_made_of(auctions: list[Any], units: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError, match=f"^{said}"):
        check(Parameters.model_validate({"auctions": auctions}), facts(**units))


@pytest.mark.parametrize("wrong", [{"security": "gilt"}, {"tenor": "10"}, {"is_reopening": "no"}, {"tail": "X"}])
def test_other_parameters_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Parameters.model_validate({"auctions": [{**EXAMPLE["parameters"]["auctions"][0], **wrong}]})  # type: ignore[index]


def test_the_table_of_the_catalog_has_every_auction_there_is() -> None:
    """A series of the catalog says in its id what the entry says of it."""
    catalog = default_catalog()
    entry = catalog.indicators["us_treasury_auctions"]
    parameters = Parameters.model_validate(entry.parameters)
    assert {s for a in parameters.auctions for s in (a.stop_out, a.bid_to_cover)} == {
        s for s in catalog.series if s.startswith("US_AUCTION_")
    }
    for one in parameters.auctions:
        sort = f"{one.security.upper()}_{one.tenor}" if one.security in ("tips", "frn") else one.tenor
        name = f"US_AUCTION_{sort}{'_REOPENED' if one.is_reopening else ''}"
        assert one.bid_to_cover == f"{name}_BID_COVER"
        assert one.stop_out.rpartition("_HIGH_")[0] == name
        kind = one.security.title() if one.security in ("bill", "note", "bond") else "Note or Bond"
        assert catalog.series[one.stop_out].selector.where["security_type"] in kind  # type: ignore[union-attr]
