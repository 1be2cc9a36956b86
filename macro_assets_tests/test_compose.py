"""The compose file as text: what it starts is pinned, reachable from this machine only, and holds no secret."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from macro_assets.lakehouse import s3
from macro_assets.lakehouse.paths import location
from macro_assets_tests.conftest import ROOT, s3_environment

TEXT = (ROOT / "docker-compose.yml").read_text()
REQUIRED = re.compile(r"\$\{(\w+):\?[^}]+\}")
SECRET = re.compile(r"pass|secret|key|token|user|mc_host", re.IGNORECASE)


@pytest.fixture(scope="module")
def services() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = yaml.safe_load(TEXT)["services"]
    return found


def test_every_image_is_pinned_by_its_release(services: dict[str, dict[str, Any]]) -> None:
    for name, service in services.items():
        assert re.fullmatch(r"quay\.io/[\w/-]+:RELEASE\.[\dTZ-]+", service["image"]), name
        assert "build" not in service


def test_every_published_port_is_on_loopback(services: dict[str, dict[str, Any]]) -> None:
    published = [port for service in services.values() for port in service.get("ports", [])]
    assert published == ["127.0.0.1:9000:9000"]
    assert not any(service.get("network_mode") == "host" for service in services.values())


def test_no_secret_is_in_the_file(services: dict[str, dict[str, Any]]) -> None:
    values = {k: v for service in services.values() for k, v in service.get("environment", {}).items()}
    assert len(values) == 3
    for name, value in values.items():
        assert SECRET.search(name)
        assert re.sub(r"^http://|:(?=\$)|@s3:9000$", "", REQUIRED.sub("", value)).strip(":") == "", name
    named = {name for value in values.values() for name in REQUIRED.findall(value)}
    assert named == {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}  # what the rest of macro_assets reads
    assert not re.search(r"\$(?!\{\w+:\?)", TEXT)  # none has a default


def test_the_bucket_is_made_once_the_store_is_healthy(services: dict[str, dict[str, Any]]) -> None:
    assert services["s3-bucket"]["depends_on"] == {"s3": {"condition": "service_healthy"}}
    assert services["s3"]["healthcheck"]["test"][0] == "CMD"
    assert services["s3-bucket"]["restart"] == "no"
    assert "--ignore-existing" in services["s3-bucket"]["command"]


def test_the_data_is_on_a_named_volume(services: dict[str, dict[str, Any]]) -> None:
    assert services["s3"]["volumes"] == ["s3-data:/data"]
    assert set(yaml.safe_load(TEXT)["volumes"]) == {"s3-data"}


def test_the_page_tells_the_address_and_the_bucket(
    services: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (ROOT / "docs" / "s3.md").read_text()
    exported = dict(re.findall(r"^export (\w+)=(\S+)", page, re.MULTILINE))
    s3_environment(monkeypatch, exported["AWS_ENDPOINT_URL"])
    assert s3.settings().endpoint == f"http://{services['s3']['ports'][0].rpartition(':')[0]}"
    bucket = services["s3-bucket"]["command"][-1].partition("/")[2]
    assert str(location(exported["MACRO_LAKE"])) == f"s3://{bucket}/lake"
