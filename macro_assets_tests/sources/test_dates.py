"""What providers' dates are held to, through whole connectors: days and labels of another frequency are refused."""

from __future__ import annotations

import json
from datetime import date

import pytest

from macro_assets.catalog import default_catalog
from macro_assets_tests.sources.wire import Bodies, fetched, toy_series

LABELS = {
    "month ends": ["2020-01-31", "2020-02-29", "2020-03-31"],
    "quarters": ["2020-Q1", "2020-Q2", "2020-Q3"],
    "quarters by days": ["2020-01-01", "2020-04-01", "2020-07-01"],
    "half-years": ["2020-S1", "2020-S2", "2021-S1"],
    "half-years by days": ["2020-01-01", "2020-07-01", "2021-01-01"],
    "weeks": ["2020-W01", "2020-W02", "2020-W03"],
    "weeks by days": ["2020-01-01", "2020-01-08", "2020-01-15"],
    "years": ["2018", "2019", "2020"],
    "years by days": ["2018-01-01", "2019-01-01", "2020-01-01"],
}


def sdmx_csv(labels: list[str]) -> Bodies:
    lines = [f"SET.KEY,{label},{n}" for n, label in enumerate(labels)]
    return {"/data/SET/KEY": "\n".join(["KEY,TIME_PERIOD,OBS_VALUE", *lines]).encode()}


def sdmx_json(labels: list[str]) -> Bodies:
    times = {"id": "TIME_PERIOD", "values": [{"value": label} for label in labels]}
    key = {"id": "KEY", "keyPosition": 0, "values": [{"id": "KEY"}]}
    body = {
        "dataSets": [{"series": {"0": {"observations": {str(n): [n] for n in range(len(labels))}}}}],
        "structures": [{"dimensions": {"series": [key], "observation": [times]}}],
    }
    return {"/data/dataflow/SET/+/KEY": json.dumps({"data": body}).encode()}


def worldbank(labels: list[str]) -> Bodies:
    rows = [{"date": label, "value": n} for n, label in enumerate(labels)]
    body = json.dumps([{"page": 1, "pages": 1}, rows]).encode()
    return {"/country/WLD/indicator/KEY": body}


def eia(labels: list[str]) -> Bodies:
    rows = [{"period": label, "value": str(n), "series": "KEY"} for n, label in enumerate(labels)]
    inner = {"total": len(rows), "frequency": "monthly", "data": rows}
    return {"/SET/data/": json.dumps({"response": inner}).encode()}


FORMS = {"ecb": sdmx_csv, "imf": sdmx_json, "worldbank": worldbank, "eia": eia}


@pytest.mark.parametrize("source", FORMS)
@pytest.mark.parametrize("kind", LABELS)
def test_a_monthly_series_takes_months_alone(source: str, kind: str) -> None:
    code = "WLD/KEY" if source == "worldbank" else "KEY"
    series = toy_series(
        source, code, dataset=None if source == "worldbank" else "SET", frequency="M", id="MONTHLY", first_year=2018
    )
    good = fetched(source, series, FORMS[source](["2020-01", "2020-02", "2020-03"]))
    assert good.failures == {}
    assert good.observations["observation_date"].to_list() == [date(2020, m, 1) for m in (1, 2, 3)]
    found = fetched(source, series, FORMS[source](LABELS[kind]))
    assert found.observations.is_empty()
    assert "MONTHLY" in found.failures
    assert "the connector failed" not in found.failures["MONTHLY"]


def test_sources_that_date_by_other_days_of_the_period_declare_it() -> None:
    dated = {s.name: s.dated for s in default_catalog().sources.values() if s.dated != "start"}
    assert dated == {"bundled": "any", "fiscaldata": "end", "ofr": "any"}
