"""The proof that a store keeps two writers apart, against one that does and scripted ones that do not."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from macro_assets.cli import examination
from macro_assets.lakehouse import s3
from macro_assets.lakehouse.delta import LakeError
from macro_assets.lakehouse.paths import S3Root
from macro_assets.lakehouse.upkeep.s3_probe import is_exposed, probe
from macro_assets_tests.conftest import CANARY, s3_environment

ROOT = S3Root("bucket", "some/lake")


@dataclass
class Scripted:
    """An S3 server that keeps objects, and answers a conditional PUT as told.

    Parameters
    ----------
    accepts
        Whether a conditional PUT of a key that is there is answered with 200.
    stores
        Whether it replaces the object.
    status
        Answer to every conditional PUT, if set.
    """

    accepts: bool = False
    stores: bool = False
    status: int | None = None
    every: int | None = None
    objects: dict[str, bytes] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def put(self, key: str, body: bytes, conditional: bool) -> int:
        with self.lock:
            self.seen.add(key)
            if conditional and self.status:
                return self.status
            refused = conditional and key in self.objects
            if not refused or self.stores:
                self.objects[key] = body
            return 412 if refused and not self.accepts else 200


def handler(script: Scripted) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self, status: int, body: bytes = b"") -> None:
            self.send_response(script.every or status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_HEAD(self) -> None:
            self.answer(200)

        def do_GET(self) -> None:
            self.answer(200, script.objects[self.path])

        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.answer(script.put(self.path, body, self.headers["If-None-Match"] == "*"))

        def do_DELETE(self) -> None:
            script.objects.pop(self.path, None)
            self.answer(204)

        def log_message(self, *args: object) -> None:
            pass

    return Handler


@contextmanager
def serving(script: Scripted, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with ThreadingHTTPServer(("127.0.0.1", 0), handler(script)) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        s3_environment(monkeypatch, f"http://127.0.0.1:{server.server_port}")
        yield
        server.shutdown()
        thread.join()


def findings() -> list[examination.Finding]:
    """What doctor says of the store; never the secret key."""
    found = examination.examine()
    assert CANARY not in str(found)
    return [f for f in found if f.subject not in ("catalog", "dagster")]


def test_a_store_that_refuses_passes_and_is_left_as_it_was(s3_bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MACRO_LAKE", f"s3://{s3_bucket}/some/lake")
    store, *rest = findings()
    assert store.ok
    assert "accepted 1 of 16 parallel conditional PUTs in each of 3 rounds" in store.message
    assert [f.subject for f in rest] == ["lake", "tables", "sql"]
    assert all(f.ok for f in rest)
    assert "Contents" not in s3.settings().client().list_objects_v2(Bucket=s3_bucket)


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (Scripted(accepts=True, stores=True), "accepted 16 of 16 parallel conditional PUTs of one key"),
        (Scripted(accepts=True), "accepted 16 of 16 parallel conditional PUTs of one key"),
        (Scripted(stores=True), "said that it refused a conditional PUT and stored it all the same"),
    ],
)
def test_a_store_that_does_not_refuse_is_unsafe(script: Scripted, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MACRO_LAKE", str(ROOT))
    with serving(script, monkeypatch):
        (store,) = findings()  # nothing else of the lake is looked at
    assert not store.ok
    assert words in store.message
    assert "would silently lose each other's commits; do not use this store for writing" in store.message
    assert len(script.seen) == 2  # one that says whether the bucket can be written, one race
    assert script.objects == {}


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (Scripted(status=501), "does not know conditional PUT.*501 to 16 of 16.*do not use this store for writing"),
        (Scripted(status=500), "accepted 0 of 16.*500 to 16 of 16.*do not write before `macro doctor` passes"),
        (Scripted(status=403), "accepted 0 of 16.*403 to 16 of 16"),
        (Scripted(status=412), "accepted 0 of 16.*412 to 16 of 16"),
    ],
)
def test_a_store_that_answers_errors_is_not_proven(
    script: Scripted, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(script, monkeypatch), pytest.raises(LakeError, match=words):
        probe(ROOT)
    assert script.objects == {}


@pytest.mark.parametrize("status", [500, 501, 503])
def test_a_broken_store_is_one_message(status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MACRO_LAKE", str(ROOT))
    with serving(Scripted(every=status), monkeypatch):
        (store,) = findings()
    assert not store.ok
    assert f"answered {status}" in store.message
    assert "bucket bucket" in store.message


def test_a_bucket_that_is_not_there(s3_bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MACRO_LAKE", "s3://no-such-bucket/lake")
    (store,) = findings()
    assert "there is no bucket no-such-bucket at http://127.0.0.1" in store.message
    assert "Create it, or set MACRO_LAKE" in store.message


def test_an_endpoint_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    s3_environment(monkeypatch, "http://127.0.0.1:9")
    monkeypatch.setenv("MACRO_LAKE", str(ROOT))
    (store,) = findings()
    assert "the S3 store http://127.0.0.1:9 cannot be reached (EndpointConnectionError)" in store.message
    assert "Check AWS_ENDPOINT_URL" in store.message


def test_credentials_that_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MACRO_LAKE", str(ROOT))
    with serving(Scripted(every=403), monkeypatch):
        (store,) = findings()
    assert "refuses these credentials for bucket bucket (403)" in store.message
    assert "AWS_SECRET_ACCESS_KEY" in store.message


def test_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    s3_environment(monkeypatch, "http://127.0.0.1:9")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("MACRO_LAKE", str(ROOT))
    (store,) = findings()
    assert "there are no credentials. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY" in store.message


@pytest.mark.parametrize(
    "endpoint",
    [f"https://user:{CANARY}@s3.example.org", f"https://s3.example.org/?key={CANARY}", "s3.example.org", "ftp://x"],
)
def test_an_endpoint_holds_no_key(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    s3_environment(monkeypatch, endpoint)
    monkeypatch.setenv("MACRO_LAKE", str(ROOT))
    (store,) = findings()
    assert "AWS_ENDPOINT_URL is not a plain address" in store.message


@pytest.mark.parametrize(
    ("endpoint", "exposed"),
    [
        ("http://s3.example.org:9000", True),
        ("http://192.0.2.1", True),
        ("http://localhost:9000", False),
        ("http://127.0.0.53:9000", False),
        ("http://[::1]:9000", False),
        ("https://s3.example.org", False),
        ("", False),
    ],
)
def test_plain_http_is_for_this_machine_only(endpoint: str, exposed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    s3_environment(monkeypatch, endpoint)
    assert is_exposed(s3.settings()) is exposed


def test_plain_http_elsewhere_is_a_warning(s3_bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MACRO_LAKE", f"s3://{s3_bucket}")
    monkeypatch.setattr(examination, "is_exposed", lambda given: True)
    (warning,) = [f for f in findings() if f.warning]
    assert warning.ok
    assert "is plain http: keys and figures travel unencrypted" in warning.message


def test_settings_never_show_their_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    s3_environment(monkeypatch, "http://127.0.0.1:9/")
    monkeypatch.setenv("AWS_SESSION_TOKEN", CANARY)
    assert CANARY not in repr(s3.settings())
    assert s3.settings().endpoint == "http://127.0.0.1:9"
