"""docs/adding-a-series.md is true: its YAML and Python, taken out of the page, are all that is needed."""

from __future__ import annotations

import importlib
import re
import sys
from datetime import date
from pathlib import Path
from types import ModuleType

import polars as pl
import pytest
import yaml

from macro_assets.catalog import Catalog, load_catalog
from macro_assets.catalog.document import as_markdown
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.raw import observations_as_of
from macro_assets.sources.fetching import fetch
from macro_assets.sources.protocol import Window
from macro_assets_tests.catalog.conftest import folder  # noqa: F401
from macro_assets_tests.conftest import ROOT
from macro_assets_tests.intake.taking import taken
from macro_assets_tests.providers import InMemory, World
from macro_assets_tests.sources.contract import LAWS, Law, served
from macro_assets_tests.test_docs import blocks

PAGE = "adding-a-series.md"
TODAY = date(2026, 11, 20)


def had(series_id: str, catalog: Catalog, lake: Path) -> pl.DataFrame:
    """A series of the catalog, fetched from its stand-in, stored in a lake, and read back from there."""
    series = catalog.one_series(series_id)
    source = catalog.sources[series.source]
    world, window = World(catalog=catalog, today=TODAY), Window(today=TODAY)
    here = Lakehouse(lake, catalog)
    done = taken(here, source.name, [series_id], window, clients=lambda s: InMemory(s.name, world))
    assert [(o.failure, o.warning) for o in done.outcomes] == [(None, None)]
    figures = world.figures(series)
    known = observations_as_of(None, [series_id], lake, catalog)
    assert known["provider"].unique().to_list() == [source.name]
    assert set(known["observation_date"]) <= set(figures)
    assert known["value"].is_between(series.bounds.low, series.bounds.high).all()
    return known


def test_a_series_of_fred_needs_its_entry_alone(folder: Path, tmp_path: Path) -> None:  # noqa: F811
    file = folder / "sources/fred.yaml"
    file.write_text(file.read_text() + blocks(PAGE, "yaml")[0])
    catalog = load_catalog(folder)
    known = had("UNRATENSA", catalog, tmp_path / "lake")
    assert known["observation_date"].min() == date(2005, 1, 1)  # the stand-in's first year
    assert known["release_basis"].unique().sort().to_list() == ["provider", "snapshot"]
    assert "| `UNRATENSA` |" in as_markdown(catalog)


def test_what_the_entry_takes_from_its_file_stands_there(folder: Path) -> None:  # noqa: F811
    shown = yaml.safe_load(blocks(PAGE, "yaml")[1])
    file = yaml.safe_load((folder / "sources/fred.yaml").read_text())
    assert shown["defaults"] == file["defaults"]
    assert shown["releases"].items() <= file["releases"].items()


def test_the_commands_of_the_page_name_its_series(folder: Path) -> None:  # noqa: F811
    from macro_assets.orchestration.run import select

    file = folder / "sources/fred.yaml"
    file.write_text(file.read_text() + blocks(PAGE, "yaml")[0])
    chosen = select(["raw/fred/UNRATENSA"], load_catalog(folder), live=True)
    assert chosen.series == {"fred": ("UNRATENSA",)}
    (commands,) = blocks(PAGE, "bash")
    assert "macro fetch raw/fred/UNRATENSA " in commands


def test_a_holder_is_a_line_of_the_entry(folder: Path) -> None:  # noqa: F811
    file = folder / "sources/fred.yaml"
    entry, _, holders = blocks(PAGE, "yaml")[:3]
    file.write_text(file.read_text() + entry.replace('release: "50"}', f'release: "50",\n{holders.rstrip()}}}'))
    catalog = load_catalog(folder)
    held = catalog.holdings("UNRATENSA")
    assert [(h.provider, h.table, h.same) for h in held] == [
        ("fred", "fred", False),
        ("fred_graph", "fred", True),
        ("dbnomics", "fred", False),
    ]
    world = World(catalog=catalog, today=TODAY)
    for one in held[1:]:
        source = catalog.sources[one.provider]
        came = fetch(source, InMemory(source.name, world), [one.series], Window(today=TODAY))
        assert came.failures == {}
        assert came.observations["provider"].unique().to_list() == [one.provider]
        assert came.observations["observation_date"].min() == date(2005, 1, 1)


def test_a_copy_is_an_entry_of_the_source_that_has_it(catalog: Catalog) -> None:
    (stated,) = yaml.safe_load(blocks(PAGE, "yaml")[3])
    (copy,) = (c for c in catalog.copies if (c.source, c.id) == ("bundled", stated["of"]))
    assert (copy.unit, copy.provider_unit) == (stated["unit"], stated["provider_unit"])
    assert copy.bounds.model_dump() == stated["bounds"]
    assert copy.title == catalog.series["INDPRO"].title


Toy = tuple[Catalog, ModuleType]


@pytest.fixture
def toy(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Toy:  # noqa: F811
    """The page's source: a catalog that has it, its connector and stand-in as modules; gives its contract."""
    (folder / "sources/toy_bank.yaml").write_text(blocks(PAGE, "yaml")[4])
    catalog = load_catalog(folder)
    names = ("macro_assets.sources.providers.toy_bank", "test_toy_bank", "macro_assets_tests.providers.toy_bank")
    modules = [ModuleType(name) for name in names]
    for module, text in zip(modules, blocks(PAGE, "python"), strict=True):
        monkeypatch.setitem(sys.modules, module.__name__, module)
        exec(compile(text, module.__name__, "exec"), module.__dict__)
    return catalog, modules[1]


def test_a_source_needs_its_entry_and_its_connector(toy: Toy, tmp_path: Path) -> None:
    catalog, _ = toy
    known = had("TOY_BANK_OVERNIGHT", catalog, tmp_path)
    assert known.height == sum(
        1 for _ in World(catalog=catalog, today=TODAY).days(catalog.series["TOY_BANK_OVERNIGHT"])
    )
    assert known.filter(pl.col("release_basis") != "publication_lag")["observation_date"].to_list() == [TODAY]


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_the_contract_of_the_page_is_kept(toy: Toy, law: Law) -> None:
    catalog, tests = toy
    assert list(law(tests.CONTRACT, served(catalog, "toy_bank"))) == []


def test_a_connector_of_the_page_is_short_enough() -> None:
    assert len(blocks(PAGE, "python")[0].splitlines()) < 150


def test_every_field_of_an_entry_is_explained() -> None:
    catalog = importlib.import_module("macro_assets.catalog")
    text = (ROOT / "docs" / PAGE).read_text()
    kinds = (catalog.Series, catalog.Holder, catalog.Copy, catalog.Api, catalog.Key)
    fields = {*(f for kind in kinds for f in kind.model_fields), "vintages", "connector"}
    assert {f for f in fields if not re.search(rf"[`{{ ]{f}[`:]", text)} == set()
