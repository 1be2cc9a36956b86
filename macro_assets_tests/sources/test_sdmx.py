"""The forms of SDMX: synthetic bodies, each form saying the same."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime

import polars as pl
import pytest

from macro_assets.sources.errors import SchemaError
from macro_assets.sources.protocol import Response
from macro_assets.sources.sdmx import from_csv, only, period
from macro_assets.sources.sdmx_json import from_json
from macro_assets.sources.sdmx_xml import from_xml
from macro_assets_tests.sources.wire import fixture

JANUARY, FEBRUARY = date(2024, 1, 1), date(2024, 2, 1)


def answer(body: bytes) -> Response:
    return Response("GET https://example.org", body, datetime(2026, 1, 1, tzinfo=UTC), 200)


@pytest.mark.parametrize("name", ["sdmx_flat.json", "sdmx_sections.json"])
def test_both_forms_of_json_say_the_same(name: str) -> None:
    rows = from_json(answer(fixture(name))).sort("key", "observation_date")
    assert rows.rows() == [("M.AA", JANUARY, 1.5), ("M.AA", FEBRUARY, 2.0), ("M.BB", JANUARY, None)]


def test_the_json_of_version_2_has_figures_as_text() -> None:
    rows = only(from_json(answer(fixture("imf_weo.json"))), "XXX.NGDP_RPCH.A")
    assert rows["value"].to_list() == [2.5, -3.0, None, 4.25]
    assert rows["observation_date"].dt.year().to_list() == [2019, 2020, 2021, 2031]


def test_both_forms_of_xml_are_read() -> None:
    series = from_xml(answer(fixture("sdmx_series.xml")))
    assert series.rows() == [("M.AA", JANUARY, 1.5), ("M.AA", FEBRUARY, None)]
    assert from_xml(answer(fixture("sdmx_flat.xml"))).rows() == [("M.AA", JANUARY, 1.5)]


def test_a_cross_section_of_xml_names_its_axis() -> None:
    body = fixture("sdmx_series.xml").replace(b'dimensionAtObservation="TIME_PERIOD"', b'dimensionAtObservation="AREA"')
    body = body.replace(b'id="AREA" value="AA"', b'id="TIME_PERIOD" value="2024-01"')
    body = body.replace(b'ObsDimension value="2024-01"', b'ObsDimension value="AA"')
    body = body.replace(b'ObsDimension value="2024-02"', b'ObsDimension value="BB"')
    assert from_xml(answer(body)).rows() == [("M.AA", JANUARY, 1.5), ("M.BB", JANUARY, None)]


def specific(data: str, axis: str = "TIME_PERIOD") -> Response:
    """A message of data specific to their structure; the values are made up."""
    spaces = 'xmlns:m="urn:m" xmlns:s="urn:s" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    header = f'<m:Header><m:Structure dimensionAtObservation="{axis}"/></m:Header>'
    group = '<Group xsi:type="s:GROUP_AREA" AREA="AA" TITLE="A title"/>'
    data = f'<m:DataSet s:dataScope="DataStructure" PUBLISHER="XXX">{group}{data}</m:DataSet>'
    return answer(f"<m:StructureSpecificData {spaces}>{header}{data}</m:StructureSpecificData>".encode())


def test_xml_that_is_specific_to_its_structure_has_codes_as_attributes() -> None:
    figures = '<Obs TIME_PERIOD="2024-01" OBS_VALUE="1.5" STATUS="A"/><Obs TIME_PERIOD="2024-02" OBS_VALUE="NaN"/>'
    series = from_xml(specific(f'<Series xsi:type="s:S" FREQ="M" AREA="AA">{figures}</Series>'))
    assert series.rows() == [("M.AA", JANUARY, 1.5), ("M.AA", FEBRUARY, None)]
    alone = '<Obs xsi:type="s:O" FREQ="M" AREA="AA" TIME_PERIOD="2024-01" OBS_VALUE="1.5"/>'
    assert from_xml(specific(alone, "AllDimensions")).rows() == [("M.AA", JANUARY, 1.5)]
    section = '<Obs AREA="AA" OBS_VALUE="1.5"/><Obs AREA="BB"/>'
    section = f'<Series FREQ="M" TIME_PERIOD="2024-01">{section}</Series>'
    assert from_xml(specific(section, "AREA")).rows() == [("M.AA", JANUARY, 1.5), ("M.BB", JANUARY, None)]
    with pytest.raises(SchemaError, match="expected the dimension TIME_PERIOD"):
        from_xml(specific('<Series FREQ="M"><Obs PERIOD="2024-01" OBS_VALUE="1"/></Series>'))


def test_csv_with_and_without_labels() -> None:
    plain, labelled = (from_csv(answer(fixture(f"oecd_cli{n}.csv"))).sort("observation_date") for n in ("", "_labels"))
    assert plain.rows() == labelled.rows() == [("XXX.M.LI", JANUARY, 99.5), ("XXX.M.LI", FEBRUARY, 100.5)]


def test_no_series_and_no_periods_are_no_rows() -> None:
    body = b"""{"data": {"dataSets": [{"structure": 0}], "structures": [{"dimensions": {
        "series": [{"id": "A", "values": []}], "observation": [{"id": "TIME_PERIOD", "values": []}]}}]}}"""
    rows = from_json(answer(body))
    assert rows.is_empty()
    assert rows.schema == {"key": pl.String(), "observation_date": pl.Date(), "value": pl.Float64()}


def test_no_data_set_is_no_rows() -> None:
    assert from_json(answer(b'{"dataSets": [], "structure": {}}')).is_empty()


@pytest.mark.parametrize(
    ("was", "becomes", "says"),
    [
        (b'"dataSets"', b'"datasets"', "expected the member 'dataSets'"),
        (b'"structure"', b'"structur"', "expected the member 'structure'"),
        (b'"series": {', b'"serie": {', "expected 'series' or 'observations'"),
        (b'"observations"', b'"obs"', "expected the member 'observations'"),
        (b'"TIME_PERIOD"', b'"PERIOD"', "expected the dimension TIME_PERIOD"),
        (b'"1": {"obs', b'"7": {"obs', "expected an index into the dimensions ['TIME_PERIOD'], got '7'"),
        (b'"1": {"obs', b'"-1": {"obs', "got '-1'"),
        (b'"1": {"obs', b'"0:1": {"obs', "got '0:1'"),
        (b"[1.5]", b"1.5", "expected an observation as a list, got 1.5"),
        (b"[1.5]", b"[]", "expected an observation as a list, got []"),
        (b"[1.5]", b"[true]", "expected a number in 'observations', got True"),
        (b"[1.5]", b'["much"]', "expected a number in 'observations', got 'much'"),
        (b"[1.5]", b"[NaN]", "NaN is no JSON number"),
        (b"2024-02", b"2024-13", "expected a period like 2026-Q1 in 'TIME_PERIOD', got '2024-13'"),
        (b'"dataSet": [', b'"dataSet": [7, ', "expected the dimensions of 'dataSet' as a list of objects"),
        (b'"dataSets": [{', b'"dataSets": [{}, {', "expected one data set, got 2"),
        (b"]}}}}]}", b"", "expected JSON"),
    ],
)
def test_json_in_another_form_is_refused(was: bytes, becomes: bytes, says: str) -> None:
    body = fixture("sdmx_sections.json")
    assert was in body
    with pytest.raises(SchemaError) as error:
        from_json(answer(body.replace(was, becomes)))
    assert says in str(error.value)


@pytest.mark.parametrize(
    ("was", "becomes", "says"),
    [
        (b"GenericData", b"Error", "expected the element GenericData or StructureSpecificData, got Error"),
        (b"dimensionAtObservation=", b"other=", None),
        (b'"TIME_PERIOD"', b'"PERIOD"', "expected the dimension TIME_PERIOD"),
        (b'ObsValue value="1.5"', b'ObsValue value="1,5"', "expected a number in 'ObsValue', got '1,5'"),
        (b'ObsValue value="1.5"', b'ObsValue other="1.5"', "got \"no attribute 'value'\""),
        (b'ObsDimension value="2024-01"', b'ObsDimension value="1/2024"', "got '1/2024'"),
        (b"</m:GenericData>", b"", "expected XML"),
    ],
)
def test_xml_in_another_form_is_refused(was: bytes, becomes: bytes, says: str | None) -> None:
    body = fixture("sdmx_series.xml").replace(was, becomes)
    if says is None:
        assert from_xml(answer(body)).height == 2
        return
    with pytest.raises(SchemaError) as error:
        from_xml(answer(body))
    assert says in str(error.value)


@pytest.mark.parametrize("read", [from_csv, from_json, from_xml])
@pytest.mark.parametrize("body", [b"", b"<!DOCTYPE html><html>Sorry</html>", b"\x00\xff"])
def test_what_is_no_body_at_all_is_refused(read: Callable[[Response], pl.DataFrame], body: bytes) -> None:
    with pytest.raises(SchemaError):
        read(answer(body))


def test_another_series_or_a_period_twice_is_refused() -> None:
    rows = pl.DataFrame({"key": ["A", "A"], "observation_date": [JANUARY, JANUARY], "value": [1.0, 2.0]})
    with pytest.raises(SchemaError, match="one observation for 2024-01-01, got several"):
        only(rows, "A")
    with pytest.raises(SchemaError, match="expected the series 'B' alone, got 'A'"):
        only(rows, "B")


@pytest.mark.parametrize(
    ("day", "frequency", "name"),
    [
        (date(2024, 12, 30), "W", "2025-W01"),
        (date(2024, 12, 30), "Q", "2024-Q4"),
        (date(2024, 2, 29), "M", "2024-02"),
        (date(2024, 2, 29), "A", "2024"),
        (date(2024, 2, 29), "D", "2024-02-29"),
    ],
)
def test_periods_are_named_as_requests_want_them(day: date, frequency: str, name: str) -> None:
    assert period(day, frequency) == name
