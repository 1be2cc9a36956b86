"""A key goes to its provider and nowhere else: every byte that `macro fetch` leaves behind is searched for it.

The provider does its worst: it repeats the key in answers, errors and redirects, in every spelling it was sent in.
"""

from __future__ import annotations

import base64
import json
import sqlite3
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from urllib.parse import quote, quote_plus, unquote

import polars as pl
import pytest

from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.landing import landed
from macro_assets_tests.conftest import CANARY, Home, make_home
from macro_assets_tests.faults.upstream import Upstream, small_catalog
from macro_assets_tests.loopback import Asked, Scripted

KEY = f"{CANARY}/+=&%'\"x"
"""It needs escapes in queries and in JSON. Whatever becomes of its end, its beginning is the canary."""

SERIES = ("EIA_CRUDE_STOCKS", "EIA_GAS_STORAGE", "U6RATE", "BLS_CPI_NSA", "COINGECKO_BTC_PRICE")
PLACES = {"eia": "parameter", "fred": "parameter", "bls": "body", "coingecko": "header"}


def spellings(text: str) -> set[bytes]:
    """What a text is found by: itself, and inside longer text in base64, at each of three offsets, and in hex."""
    raw = text.encode()
    encoded = {base64.b64encode(b"-" * n + raw)[4 if n else 0 : -4] for n in range(3)}
    encoded |= {e.translate(bytes.maketrans(b"+/", b"-_")) for e in encoded}
    return {s.lower() for s in {raw, raw[::-1], raw.hex().encode(), text.encode("utf-16-le"), *encoded}}


def contents(file: Path) -> Iterator[bytes]:
    """The bytes of a file; of Parquet and SQLite the values too, which lie there compressed or in pieces."""
    data = file.read_bytes()
    yield data
    if data.startswith(b"PAR1"):
        yield from _values(chain.from_iterable(pl.read_parquet(file).iter_rows()))
    elif data.startswith(b"SQLite format 3"):
        con = sqlite3.connect(file)
        for (table,) in con.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            yield from _values(chain.from_iterable(con.execute(f'SELECT * FROM "{table}"')))
        con.close()


def _values(values: Iterator[object]) -> Iterator[bytes]:
    for value in values:
        if isinstance(value, bytes):
            yield value
            try:
                yield zlib.decompress(value)
            except zlib.error:
                continue
        elif value is not None and not isinstance(value, int | float):
            yield str(value).encode()


def leaks(*folders: Path) -> list[str]:
    """Files in which, or in whose name, the canary is."""
    wanted = spellings(CANARY)

    def shows(text: bytes) -> bool:
        return any(w in text.lower() for w in wanted)

    files = chain.from_iterable(f.rglob("*") for f in folders)
    return sorted(f.name for f in files if shows(str(f).encode()) or (f.is_file() and any(map(shows, contents(f)))))


# --- the search finds what there is ---------------------------------------------------------------------------------

WRITTEN = {
    "raw": KEY,
    "in a query": f"https://provider.example/?api_key={quote(KEY, safe='')}&a=1",
    "in a form": f"api_key={quote_plus(KEY)}",
    "in JSON": json.dumps({"key": KEY}),
    "in capitals": KEY.upper(),
    "in base64": base64.b64encode(f"Basic user:{KEY}".encode()).decode(),
    "in base64 for URLs": base64.urlsafe_b64encode(f"user:{KEY}".encode()).decode(),
    "in base64, further on": base64.b64encode(f"Basic ab:{KEY}".encode()).decode(),
    "in hex": KEY.encode().hex(),
}


def in_text(folder: Path, text: str) -> None:
    (folder / "compute.log").write_text(f"before {text} after")


def in_parquet(folder: Path, text: str) -> None:
    rows = pl.DataFrame({"error": ["none", f"it said {text}"], "n": [1, 2]})
    rows.write_parquet(folder / "rows.parquet", compression="zstd")


def in_landing(folder: Path, text: str) -> None:
    packed = zlib.compress(f"<html>{text}</html>".encode(), level=6)
    pl.DataFrame({"body": [None, packed]}).write_parquet(folder / "bodies.parquet")


def in_events(folder: Path, text: str) -> None:
    """In a database of small pages, over which a long event is spread."""
    con = sqlite3.connect(folder / "runs.db")
    con.execute("PRAGMA page_size = 512")
    con.execute("CREATE TABLE events (event TEXT)")
    con.execute("INSERT INTO events VALUES (?)", ["x" * 480 + text + "y" * 2000])
    con.commit()
    con.close()


def in_wal(folder: Path, text: str) -> None:
    """In what another process has written and not yet moved into the database."""
    con = sqlite3.connect(folder / "live.db")
    con.execute("PRAGMA journal_mode = WAL")
    con.execute("CREATE TABLE events (event TEXT)")
    con.execute("INSERT INTO events VALUES (?)", [text])
    con.commit()
    (folder / "copy.db-wal").write_bytes((folder / "live.db-wal").read_bytes())
    con.close()
    (folder / "live.db").unlink()


def in_a_name(folder: Path, text: str) -> None:
    (folder / f"127.0.0.1_{quote(text, safe='')[:120]}").touch()


@pytest.mark.parametrize("plant", [in_text, in_parquet, in_landing, in_events, in_wal, in_a_name])
@pytest.mark.parametrize("written", WRITTEN)
def test_the_search_finds_a_planted_key(tmp_path: Path, plant: Callable[[Path, str], None], written: str) -> None:
    assert leaks(tmp_path) == []
    plant(tmp_path, WRITTEN[written])
    assert len(leaks(tmp_path)) == 1


# --- what two real fetches leave ------------------------------------------------------------------------------------


def echo(asked: Asked) -> str:
    """All that was sent, as it was sent and as it was meant."""
    sent = {"target": asked.target, "headers": dict(asked.headers), "body": asked.body.decode()}
    return json.dumps({**sent, "decoded": unquote(asked.target)}) + f"\n{asked.target}\n{dict(asked.headers)}"


def worst(asked: Asked) -> Scripted | None:
    """An error of each source, of the kinds that are not asked again; None for a fallback's answer."""
    name = asked.path.split("/")[1]
    if name == "fred":
        return Scripted(302, headers={"Location": f"https://elsewhere.example{asked.target}"})
    if name == "coingecko":
        return Scripted(401, echo(asked).encode())
    if name == "bls":
        said = {"status": "REQUEST_NOT_PROCESSED", "message": [f"The key:{KEY} is invalid.", echo(asked)]}
        return Scripted(200, json.dumps({**said, "Results": {}}).encode())
    if name == "eia" and "again" not in asked.target and "weekly" in str(asked.params):
        return Scripted(307, headers={"Location": f"{asked.target}&again=1"})
    return Scripted(403, echo(asked).encode()) if name == "eia" else None


@dataclass(frozen=True)
class Fetches:
    """Two fetches, one good and one of errors, and what the command said of them."""

    home: Home
    folder: Path
    upstream: Upstream
    asked: list[Asked]
    said: dict[str, str]


@pytest.fixture(scope="module")
def fetches(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fetches]:
    folder = tmp_path_factory.mktemp("fetches")
    home = make_home(folder)
    temporary = folder / "tmp"
    temporary.mkdir()
    catalog = small_catalog(*SERIES)
    with Upstream(catalog, home.lake) as upstream, pytest.MonkeyPatch.context() as patch:
        for name, value in upstream.environ.items():
            patch.setenv(name, value)
        for name in PLACES:
            api = catalog.sources[name].api
            assert api is not None
            assert api.key is not None
            assert api.key.place == PLACES[name]
            patch.setenv(api.key.environment, KEY)
        patch.setenv("TMPDIR", str(temporary))
        words = [f"raw/{s.source}/{s.id}" for s in catalog.series.values()]
        good = home.macro("fetch", *words, "--from", "2024", expect=None)
        honest = upstream.server.otherwise
        upstream.server.otherwise = lambda asked: worst(asked) or honest(asked)  # type: ignore[operator]
        bad = home.macro("fetch", *words, "--from", "2024", expect=None)
        sources = home.macro("sources")
        said = {
            "good": good.stdout + good.stderr,
            "bad": bad.stdout + bad.stderr,
            "sources": sources.stdout + sources.stderr,
        }
        assert (good.returncode, bad.returncode) == (0, 1), said
        yield Fetches(home, folder, upstream, list(upstream.server.asked), said)


def test_the_providers_got_the_key(fetches: Fetches) -> None:
    for name, place in PLACES.items():
        asked = [a for a in fetches.asked if a.path.startswith(f"/{name}/")]
        assert asked
        for one in asked:
            sent = {
                "parameter": [v for _, v in one.params],
                "header": list(one.headers.values()),
                "body": list(json.loads(one.body or b"{}").values()),
            }
            assert KEY in sent[place], name
            assert not any(KEY in map(str, values) for other, values in sent.items() if other != place)
    assert not [a for a in fetches.asked if a.path.startswith("/fred_graph/") and CANARY in str(a)]


def test_the_answers_are_there_without_it(fetches: Fetches) -> None:
    """The search below is not of an empty lake: errors and echoes are in landing, said, logged, the key starred."""
    catalog, lake = fetches.upstream.catalog, fetches.home.lake
    for name in PLACES:
        bodies = landed(Lakehouse(lake, catalog), name)
        assert bodies.height > 0
        assert name == "fred" or b"***" in b"".join(bodies["body"]), name
    assert "4 series" in fetches.said["bad"] or "failed" in fetches.said["bad"]
    for word in ("refused", "eia", "bls", "coingecko"):
        assert word in fetches.said["sources"]
    events = b"".join(chain.from_iterable(contents(f) for f in fetches.home.dagster_home.rglob("*.db")))
    for word in (b"U6RATE", b"EIA_CRUDE_STOCKS", b"points to another host", b"***"):
        assert word in events


def test_no_byte_that_was_written_is_the_key(fetches: Fetches) -> None:
    assert leaks(fetches.folder) == []
    for said in fetches.said.values():
        assert not [w for w in spellings(CANARY) if w in said.encode().lower()]


def test_the_search_finds_the_key_where_a_fetch_would_leave_it(fetches: Fetches, tmp_path: Path) -> None:
    """The same lake and home with the key put back where it was taken out."""
    body = next(b for b in landed(Lakehouse(fetches.home.lake, fetches.upstream.catalog), "eia")["body"] if b"***" in b)
    in_landing(tmp_path, body.replace(b"***", KEY.encode()).decode())
    assert leaks(tmp_path) == ["bodies.parquet"]
