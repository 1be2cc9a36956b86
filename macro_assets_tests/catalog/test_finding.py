"""Searching the catalog by words: who is found, and who comes first."""

from __future__ import annotations

import pytest

from macro_assets.catalog import Catalog
from macro_assets.catalog.finding import instruments_about, series_about


def test_ids_and_titles_come_before_what_else_is_known(catalog: Catalog) -> None:
    found = series_about(catalog, ["real", "gdp"])
    named = [f"{s.id} {s.title}".lower() for s in found]
    both = [all(w in text for w in ("real", "gdp")) for text in named]
    assert both == sorted(both, reverse=True)
    assert both[0]


@pytest.mark.parametrize(
    ("words", "first"),
    [
        (["UNRATE"], "UNRATE"),
        (["unemployment rate"], "UNRATE"),
        (["cboe", "vvix"], "CBOE_VVIX"),
        (["payems"], "PAYEMS"),
        (["real", "gdp"], "GDPC1"),
    ],
)
def test_the_best_comes_first(catalog: Catalog, words: list[str], first: str) -> None:
    assert series_about(catalog, words)[0].id == first


def test_a_whole_word_is_better_than_a_begun_one_and_that_than_a_part(catalog: Catalog) -> None:
    ranks = [
        0 if "rate" in title.split() else 1
        for s in series_about(catalog, ["rate"])
        if "rate" in (title := s.title.lower().replace(",", " ").replace(":", " ").replace("-", " "))
    ]
    assert ranks == sorted(ranks)


def test_all_words_must_be_there_and_none_finds_all(catalog: Catalog) -> None:
    assert series_about(catalog, ["payrolls", "zloty"]) == []
    assert series_about(catalog, []) == list(catalog.series.values())
    assert instruments_about(catalog, []) == list(catalog.instruments.values())


def test_a_source_a_country_and_a_theme_find_their_series(catalog: Catalog) -> None:
    treasury = series_about(catalog, ["treasury"])
    assert {s.id for s in catalog.series_of("treasury_yields")} <= {s.id for s in treasury}
    assert {s.country for s in series_about(catalog, ["labor", "BR"])} >= {"BR"}


def test_instruments_are_found_by_what_prices_them(catalog: Catalog) -> None:
    one = next(iter(catalog.instruments.values()))
    assert one in instruments_about(catalog, [one.price])
