"""The user's own source files, and folders whose columns are series."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from macro_assets.catalog import Bounds, CatalogError, Folder, default_catalog, load_catalog
from macro_assets.catalog.folders import FolderError, contents, file_names, in_order, series_id
from macro_assets.catalog.own import own_folder
from macro_assets_tests.sources.own_files import SHIPPED, catalog_of, declare


def refused(own: Path) -> str:
    """What the catalog says of the folder; a problem a line."""
    return "\n".join(map(str, catalog_of(own).refused))


def folder_at(path: Path, **facts: Any) -> Folder:
    return Folder.model_validate({"path": str(path), "date": "Date", **facts})


# --- the folder of the user's own source files ---------------------------------------------------------------------


def test_source_files_of_the_users_own_are_read(tmp_path: Path) -> None:
    place = declare(tmp_path, {"prefix": "MY_"})
    (place / "a.csv").write_text("Date,GDP\n2020-01-01,1\n")
    catalog = catalog_of(tmp_path)
    assert catalog.series["MY_GDP"].source == "mine"
    assert catalog.sources["mine"].folder is not None
    assert catalog.sources["mine"].folder.path == str(place)
    assert {"raw/mine", "landing/mine"} <= set(catalog.tables)
    assert {"PAYEMS", "MY_GDP"} <= set(load_catalog(SHIPPED, tmp_path).series)


def test_the_environment_names_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    declare(tmp_path, {}, [{"id": "MY_GDP", "code": "GDP"}])
    monkeypatch.setenv("MACRO_CATALOG", str(tmp_path))
    default_catalog.cache_clear()
    try:
        assert "MY_GDP" in default_catalog().series
    finally:
        default_catalog.cache_clear()


def test_a_column_that_bears_the_id_needs_no_code(tmp_path: Path) -> None:
    place = declare(tmp_path, {"prefix": "MY_"}, [{"id": "GDP", "title": "Product"}])
    (place / "a.csv").write_text("Date,GDP,CPI\n2020-01-01,1,2\n")
    catalog = catalog_of(tmp_path)
    assert {s.id: (s.code, s.title) for s in catalog.series.values()} == {
        "GDP": ("GDP", "Product"),
        "MY_CPI": ("CPI", "CPI"),
    }


@pytest.mark.parametrize("named", ["", None])
def test_without_the_environment_there_is_no_such_folder(named: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MACRO_CATALOG", raising=False)
    if named is not None:
        monkeypatch.setenv("MACRO_CATALOG", named)
    assert own_folder() is None


def test_a_folder_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MACRO_CATALOG", str(tmp_path / "nowhere"))
    with pytest.raises(CatalogError, match="MACRO_CATALOG is '.*nowhere', which is no whole path of a folder"):
        own_folder()


def test_a_folder_by_half_its_path_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that starts in another folder would not find it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    monkeypatch.setenv("MACRO_CATALOG", "mine")
    with pytest.raises(CatalogError, match="no whole path"):
        own_folder()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("source: [", "not valid YAML"),
        ("- a\n", "expected a mapping at the top"),
        ("series: []\n", "series: this is of a source, but the file has no 'source'"),
        ("source: []\nseries: []\n", "expected a mapping under 'source'"),
        ("source: {title: T}\n", "mine: description: Field required"),
        ("source: {name: other}\nseries: []\n", "name is 'other', expected 'mine', the file's name"),
    ],
)
def test_a_broken_file_of_the_users_own_is_named_by_its_path(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "mine.yaml").write_text(text)
    assert f"{tmp_path / 'mine.yaml'}: " in refused(tmp_path)
    assert says in refused(tmp_path)


def test_a_name_of_a_shipped_source_or_series_is_taken(tmp_path: Path) -> None:
    declare(tmp_path, {}, [{"id": "PAYEMS", "code": "P"}])
    declare(tmp_path, {}, [{"id": "MY_PAYEMS", "code": "P"}], name="bundled")
    catalog = load_catalog(SHIPPED, tmp_path)
    assert sorted(map(str, catalog.refused)) == [
        f"{tmp_path / 'bundled.yaml'}: bundled: source: 'bundled' is declared in sources/bundled.yaml already",
        f"{tmp_path / 'mine.yaml'}: PAYEMS: id: declared twice, first in sources/fred.yaml. A series has one home: "
        "state `of` here with what differs, or give another series an id of its own.",
    ]
    assert catalog.series["PAYEMS"].source == "fred"
    assert catalog.sources["bundled"].folder is None
    assert "MY_PAYEMS" not in catalog.series


def test_a_holder_that_leads_nowhere_is_named_by_the_file(tmp_path: Path) -> None:
    declare(tmp_path, {}, [{"id": "MY_GDP", "code": "GDP", "holders": [{"source": "nobody", "code": "X"}]}])
    assert f"{tmp_path / 'mine.yaml'}: MY_GDP: holders: source 'nobody' is not declared" in refused(tmp_path)


# --- every column is a series --------------------------------------------------------------------------------------


def test_what_a_file_does_not_say_is_not_claimed(tmp_path: Path) -> None:
    place = declare(tmp_path, {"prefix": "MY_"})
    (place / "a.csv").write_text("Date,GDP\n2020-01-01,1\n")
    gdp = catalog_of(tmp_path).series["MY_GDP"]
    assert (gdp.title, gdp.code, gdp.unit, gdp.provider_unit, gdp.scale) == ("GDP", "GDP", "unknown", "Not stated", 1)
    assert gdp.bounds == Bounds(low=None, high=None)
    assert (gdp.transform, gdp.aggregation, gdp.first_year, gdp.staleness_days) == (1, "last", 1700, 120)


@pytest.mark.parametrize(
    "lacking", ["country", "theme", "frequency", "seasonal_adjustment", "publication_lag", "licence"]
)
def test_what_cannot_be_left_open_must_be_stated(tmp_path: Path, lacking: str) -> None:
    place = declare(tmp_path, {"prefix": "MY_"}, **{lacking: None})
    (place / "a.csv").write_text("Date,GDP\n2020-01-01,1\n")
    assert f"MY_GDP: {lacking}: " in refused(tmp_path)


def test_a_column_may_say_more_of_itself(tmp_path: Path) -> None:
    stated = [{"code": "GDP", "frequency": "Q", "unit": "usd", "id": "OUTPUT"}, {"code": "CPI", "transform": 6}]
    place = declare(tmp_path, {"prefix": "MY_", "transforms": "Transform:"}, stated, transform=2)
    (place / "a.csv").write_text("Date,GDP,CPI,X,Y\nTransform:,5,5,4,\n2020-01-01,1,1,1,1\n")
    series = {s.id: s for s in catalog_of(tmp_path).series_of("mine")}
    assert list(series) == ["OUTPUT", "MY_CPI", "MY_X", "MY_Y"]
    assert (series["OUTPUT"].frequency, series["OUTPUT"].unit, series["OUTPUT"].staleness_days) == ("Q", "usd", 250)
    assert [s.transform for s in series.values()] == [5, 6, 4, 2]  # the file's, the column's, the file's, all columns'


def test_columns_of_all_vintages_are_series_and_the_newest_states_the_transform(tmp_path: Path) -> None:
    place = declare(tmp_path, {"prefix": "MY_", "vintage": "%Y-%m", "transforms": "T", "ignore": ["note"]})
    (place / "2020-01.csv").write_text("Date,A,B,note\nT,1,2,\n")
    (place / "2020-02.csv").write_text("Date,A,C,\nT,5,6,\n")
    assert {s.id: s.transform for s in catalog_of(tmp_path).series_of("mine")} == {"MY_A": 5, "MY_B": 2, "MY_C": 6}


def test_columns_of_parquet_are_series(tmp_path: Path) -> None:
    place = declare(tmp_path, {"prefix": "MY_", "files": "*.parquet"})
    pl.DataFrame({"Date": [date(2020, 1, 1)], "A": [1.0]}).write_parquet(place / "a.parquet")
    assert [s.id for s in catalog_of(tmp_path).series_of("mine")] == ["MY_A"]


def test_a_file_that_cannot_be_read_does_not_take_the_catalog_down(tmp_path: Path) -> None:
    place = declare(tmp_path, {"prefix": "MY_", "vintage": "%Y-%m"})
    (place / "2020-01.csv").write_text("Date,A\n2020-01-01,1\n")
    (place / "2020-02.csv").write_bytes("Date,Ação\n".encode("latin-1"))
    (place / "notes.csv").write_text("nothing")
    assert [s.id for s in catalog_of(tmp_path).series_of("mine")] == ["MY_A"]


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ("PAYEMS", "X_PAYEMS"),
        ("S&P 500", "X_S_P_500"),
        ("S&P: indust", "X_S_P_INDUST"),
        ("CMRMTSPLx", "X_CMRMTSPLX"),
        ("Produção (índice)", "X_PRODUCAO_INDICE"),
        ("12m", "X_12M"),
    ],
)
def test_a_columns_name_becomes_an_id(column: str, expected: str) -> None:
    assert series_id("X_", column) == expected


def test_columns_that_become_one_id_are_named(tmp_path: Path) -> None:
    place = declare(tmp_path, {"prefix": "MY_"})
    (place / "a.csv").write_text("Date,S&P 500,S P 500\n2020-01-01,1,1\n")
    assert "the columns ['S&P 500', 'S P 500'] would all be MY_S_P_500" in refused(tmp_path)


def test_a_column_described_twice_is_refused(tmp_path: Path) -> None:
    declare(tmp_path, {}, [{"id": "A", "code": "GDP"}, {"id": "B", "code": "GDP"}])
    assert "the code 'GDP' is declared twice" in refused(tmp_path)


def test_without_a_prefix_no_file_is_read(tmp_path: Path) -> None:
    place = declare(tmp_path, {}, [{"id": "MY_GDP", "code": "GDP"}])
    place.rmdir()
    assert [s.id for s in catalog_of(tmp_path).series_of("mine")] == ["MY_GDP"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "has no file that matches '*.csv'"),
        ("", "expected a column 'Date'"),
        ("Day,GDP\n", "expected a column 'Date'"),
        ("Date\n2020-01-01\n", "have no columns beside 'Date'"),
        ("Date," + ",".join(f"c{i}" for i in range(501)), "at most 500 others"),
    ],
)
def test_a_folder_without_columns_is_refused(tmp_path: Path, text: str | None, says: str) -> None:
    place = declare(tmp_path, {"prefix": "MY_"})
    if text is not None:
        (place / "a.csv").write_text(text)
    assert f"{tmp_path / 'mine.yaml'}: mine: folder: " in refused(tmp_path)
    assert says in refused(tmp_path)


def test_a_folder_that_is_gone_is_named(tmp_path: Path) -> None:
    declare(tmp_path, {"prefix": "MY_"}).rmdir()
    assert "files cannot be read: No such file or directory" in refused(tmp_path)


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        ({"layout": "long"}, "both needed there"),
        ({"series": "id"}, "are for the layout 'long'"),
        ({"layout": "long", "series": "id", "value": "v", "prefix": "X_"}, "are for the layout 'wide'"),
        ({"separator": ",", "decimal": ","}, "'separator' and 'decimal' must differ"),
        ({"thousands": "."}, "'thousands' and 'decimal' must differ"),
        ({"separator": ";", "decimal": ",", "thousands": ","}, "'thousands' and 'decimal' must differ"),
        ({"separator": ";;"}, "separator"),
        ({"vintage": "%Y"}, "expected a form with %Y and %m"),
        ({"vintage": "%y-%m"}, "expected a form with %Y and %m"),
        ({"vintage": "%Y-%m-%d %H"}, "expected a form with %Y and %m"),
        ({"blank": "withdrawn"}, "'blank' is for files that are vintages"),
        ({"vintage": "%Y-%m", "blank": "missing"}, "blank"),
        ({"vintage": "%Y-%m", "blank": "withdrawn", "most_withdrawn": 0}, "most_withdrawn"),
        ({"files": "../*.csv"}, "files"),
        ({"files": "*.xlsx"}, "files"),
        ({"prefix": "fred_"}, "prefix"),
        ({"encoding": "utf-16"}, "encoding"),
        ({"colour": "blue"}, "colour"),
    ],
)
def test_a_folder_declared_wrongly_is_refused(tmp_path: Path, facts: dict[str, Any], says: str) -> None:
    declare(tmp_path, facts)
    assert says in refused(tmp_path)
    assert "mine.yaml: mine: folder" in refused(tmp_path)


def test_vintages_and_connector_must_fit_the_folder(tmp_path: Path) -> None:
    declare(tmp_path, {})
    file = tmp_path / "mine.yaml"
    file.write_text(file.read_text().replace("vintages: none", "vintages: whole"))
    assert "'vintages' must be 'whole' where the files of a folder are vintages" in refused(tmp_path)
    file.write_text(file.read_text().replace("connector: folder", "connector: manual"))
    assert "'folder' is for the connector 'folder'" in refused(tmp_path)


# --- which files, and which may be read ----------------------------------------------------------------------------


def test_a_month_is_known_at_its_end_a_day_on_that_day(tmp_path: Path) -> None:
    months = in_order(folder_at(tmp_path, vintage="FRED-MD_%Ym%m"), ["FRED-MD_2020m02.csv", "FRED-MD_2019m12.csv"])
    assert months == [(date(2019, 12, 31), "FRED-MD_2019m12.csv"), (date(2020, 2, 29), "FRED-MD_2020m02.csv")]
    assert in_order(folder_at(tmp_path, vintage="%Y-%m-%d"), ["2016-06-29.csv"]) == [
        (date(2016, 6, 29), "2016-06-29.csv")
    ]
    assert in_order(folder_at(tmp_path), ["any.csv"]) == [(None, "any.csv")]


@pytest.mark.parametrize(
    ("vintage", "names", "says"),
    [
        (None, ["a.csv", "b.csv"], "expected one file"),
        (None, [], "expected one file"),
        ("%Y-%m", ["2020-01.csv", "README.csv"], "README.csv: expected a name like %Y-%m"),
        ("%Y-%m", ["2020-13.csv"], "expected a name like"),
        ("%Y-%m-%d", ["2020-02-30.csv"], "expected a name like"),
        ("%Y-%m", ["2020-01.csv", "2020-1.csv"], "are of the same vintage, 2020-01-31"),
    ],
)
def test_names_that_say_no_vintage_are_refused(
    tmp_path: Path, vintage: str | None, names: list[str], says: str
) -> None:
    with pytest.raises(FolderError, match=says.replace(".", r"\.")):
        in_order(folder_at(tmp_path, vintage=vintage), names)


def test_only_names_of_the_pattern_are_files(tmp_path: Path) -> None:
    for name in ("2020-01.csv", "2020-02.csv", "notes.txt", "x.csv"):
        (tmp_path / name).touch()
    assert file_names(folder_at(tmp_path, files="2*.csv")) == ["2020-01.csv", "2020-02.csv"]


@pytest.mark.parametrize("name", ["a b.csv", ".hidden.csv", "a;b.csv", "a\nb.csv", "é.csv"])
def test_names_that_would_not_go_through_a_request_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    with pytest.raises(FolderError, match="Rename it"):
        file_names(folder_at(tmp_path))


def test_too_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("macro_assets.catalog.folders.MAX_FILES", 1)
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).touch()
    with pytest.raises(FolderError, match="has 2 files, more than 1"):
        file_names(folder_at(tmp_path))


def test_a_file_of_the_folder_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"Date\n")
    (tmp_path / "link.csv").symlink_to("a.csv")
    assert contents(tmp_path, "a.csv") == b"Date\n"
    assert contents(tmp_path, "link.csv") == b"Date\n"  # it stays in the folder


def test_nothing_outside_the_folder_is_read(tmp_path: Path) -> None:
    place, secret = tmp_path / "files", tmp_path / "secret.csv"
    place.mkdir()
    secret.write_text("Date,secret\n")
    (place / "link.csv").symlink_to(secret)
    (place / "up").symlink_to(tmp_path)
    (place / "sub").mkdir()
    (place / "sub" / "a.csv").touch()
    for name in ("link.csv", "../secret.csv", str(secret), "up/secret.csv", "sub/a.csv"):
        with pytest.raises(FolderError, match="leads out of"):
            contents(place, name)


def test_only_regular_files_are_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "circle.csv").symlink_to("circle.csv")
    for name, says in (
        ("pipe.csv", "no regular file"),
        ("folder.csv", "Is a directory"),
        ("circle.csv", "cannot be read"),
        ("gone.csv", "No such"),
    ):
        with pytest.raises(FolderError, match=says):
            contents(tmp_path, name)


def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "a.csv").open("wb") as file:
        file.truncate(50_000_001)
    with pytest.raises(FolderError, match="has 50,000,001 bytes, more than 50,000,000"):
        contents(tmp_path, "a.csv")
