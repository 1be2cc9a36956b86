"""Real sources against a scripted server: the whole way from the wire to the lake, with nothing in between replaced.

An :class:`Upstream` serves good synthetic answers for some series of the catalog. A test spoils those of one series and
looks at what becomes of it, of the others, of the tables and of landing.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from urllib.parse import unquote

import polars as pl

from macro_assets.catalog import Catalog, Series, Source, default_catalog
from macro_assets.catalog.periods import next_period
from macro_assets.intake.fetch import earlier_responses
from macro_assets.intake.rebuild import rebuilt
from macro_assets.lakehouse.delta import open_table
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.landing import landed
from macro_assets.lakehouse.raw import read_raw
from macro_assets.sources.http import HttpClient, Patience
from macro_assets.sources.protocol import Window, connector
from macro_assets_tests.intake.taking import Taken, taken
from macro_assets_tests.lakehouse.synthetic import tables_of
from macro_assets_tests.loopback import Asked, Loopback, Scripted
from macro_assets_tests.providers import World, answer

QUICK = Patience(attempts=2, first_delay=0.01, longest_delay=0.01, longest_retry_after=120.0)
TODAY = datetime.now(UTC).date()
SINCE = date(TODAY.year - 2, 1, 1)
WINDOW = Window(first=SINCE, today=TODAY)

Change = Callable[[bytes], bytes]
Spoil = Scripted | Change


def small_catalog(*series: str, **facts: Mapping[str, object]) -> Catalog:
    """The catalog with these series alone, and every source that serves them.

    Parameters
    ----------
    facts
        By source, what its `api` says differently.
    """
    full = default_catalog()
    kept = {s: full.one_series(s) for s in series}
    sources = dict.fromkeys(n for s in kept.values() for n in (s.source, *(h.source for h in s.holders)))
    return dataclasses.replace(
        full,
        copies=(),
        sources={n: _with_api(full.sources[n], facts.get(n, {})) for n in sources},
        series=kept,
        tables=tables_of(full, sources),
        indicators={},
        scores={},
        models={},
        charts={},
        instruments={},
    )


def _with_api(source: Source, facts: Mapping[str, object]) -> Source:
    assert source.api is not None
    return source.model_copy(update={"api": source.api.model_copy(update=dict(facts))})


def changed(catalog: Catalog, series_id: str, **facts: object) -> Catalog:
    """The catalog with a series that says something else."""
    one = catalog.series[series_id].model_copy(update=facts)
    return dataclasses.replace(catalog, series={**catalog.series, series_id: one})


class Upstream:
    """The sources of a catalog on one server, a lake, and the way between.

    `spoiled` says by series, or by series and source, what its answers become. `news` is added to every figure of a
    series. Use it in a `with`.
    """

    def __init__(self, catalog: Catalog, lake: Path, patience: Patience = QUICK) -> None:
        self.catalog, self.lake, self.patience = catalog, lake, patience
        self.server = Loopback({}, otherwise=self._answer)
        self.spoiled: dict[str, Spoil] = {}
        self.news: dict[str, float] = {}
        self.runs = 0
        self.environ: dict[str, str] = {}

    def __enter__(self) -> Upstream:
        self.server.__enter__()
        for name, source in self.catalog.sources.items():
            self.environ[f"MACRO_URL_{name.upper()}"] = f"{self.server.url}/{name}"
            self.environ[f"MACRO_RATE_{name.upper()}"] = "1e6"
            if source.api and source.api.key:
                self.environ[source.api.key.environment] = "synthetic-key-0123456789"
        return self

    def __exit__(self, *_: object) -> None:
        self.server.__exit__()

    @cached_property
    def world(self) -> World:
        return World(self.catalog, TODAY)

    # --- the wire ----------------------------------------------------------------------------------------------------

    def _answer(self, asked: Asked) -> Scripted:
        _, name, rest = asked.target.split("/", 2)
        series_id = next((s.id for s in self.world.by_source[name] if _is_about(s, asked)), None)
        spoil = self.spoiled.get(f"{name} {series_id}") or self.spoiled.get(name) or self.spoiled.get(str(series_id))
        if isinstance(spoil, Scripted):
            return spoil
        api = self.catalog.sources[name].api
        if name == "bcb_sgs":
            status, body = _sgs(self, asked)
        else:
            status, body = answer(name, f"/{rest}", asked.body, self.world)
            body = self._with_news(name, series_id, body)
        body = spoil(body) if spoil else body
        if api is None or not api.conditional:
            return Scripted(status, body)
        tag = f'"{sha256(body).hexdigest()[:16]}"'
        return Scripted(304) if asked.headers.get("If-None-Match") == tag else Scripted(status, body, {"ETag": tag})

    def _with_news(self, name: str, series_id: str | None, body: bytes) -> bytes:
        shift = self.news.get(str(series_id), 0.0)
        if not shift or body.startswith(b"{"):
            return body
        lines = body.decode().splitlines()
        moved = [lines[0], *(",".join(_moved(c, shift) for c in line.split(",")) for line in lines[1:])]
        return ("\n".join(moved) + "\n").encode()

    def value(self, series: Series, day: date) -> float:
        """A synthetic figure: small, within all bounds, no two alike."""
        wave = 0.4 + 0.2 * math.sin(day.toordinal() / 50) + 0.01 * (day.month % 5)
        return round(wave + self.news.get(series.id, 0.0), 4)

    def asked(self, series_id: str) -> int:
        """How often a series was asked for, of whatever source."""
        return sum(_is_about(s, a) for s in self._all(series_id) for a in self.server.asked)

    def _all(self, series_id: str) -> list[Series]:
        return [s for found in self.world.by_source.values() for s in found if s.id == series_id]

    # --- the way -----------------------------------------------------------------------------------------------------

    def client(self, source: Source, environ: Mapping[str, str] | None = None) -> HttpClient:
        return HttpClient(
            source,
            connector(source).explain,
            environ={**self.environ, **(environ or {})},
            patience=self.patience,
            remembered=earlier_responses(Lakehouse(self.lake, self.catalog), source),
            sleep=lambda seconds: None,
        )

    def take(
        self,
        *ids: str,
        window: Window = WINDOW,
        environ: Mapping[str, str] | None = None,
    ) -> Taken:
        """Fetch some series of one source, all by default, and store them."""
        self.runs += 1
        here = Lakehouse(self.lake, self.catalog)
        return taken(here, self.source.name, ids, window, f"run{self.runs}", lambda s: self.client(s, environ))

    # --- what is stored ----------------------------------------------------------------------------------------------

    @property
    def source(self) -> Source:
        return self.catalog.sources[next(iter(self.catalog.series.values())).source]

    def raw(self, series_id: str | None = None) -> pl.DataFrame:
        key = self.catalog.one_table(f"raw/{self.source.name}").key
        return read_raw(Lakehouse(self.lake, self.catalog), self.source.name, [series_id] if series_id else None).sort(
            key
        )

    def version(self) -> int | None:
        table = open_table(self.lake, f"raw/{self.source.name}")
        return None if table is None else table.version()

    def landed(self) -> pl.DataFrame:
        return landed(Lakehouse(self.lake, self.catalog), self.source.name)

    def rebuilt(self) -> pl.DataFrame:
        return rebuilt(Lakehouse(self.lake, self.catalog), self.source)


def failures(done: Taken) -> dict[str, str]:
    return {o.series.id: o.failure for o in done.outcomes if o.failure}


def warnings(done: Taken) -> dict[str, str]:
    return {o.series.id: o.warning for o in done.outcomes if o.warning}


def _moved(cell: str, shift: float) -> str:
    try:
        return str(round(float(cell) + shift, 6)) if "." in cell else cell
    except ValueError:
        return cell


def _is_about(series: Series, asked: Asked) -> bool:
    target = unquote(asked.target)
    if (
        f".{series.code}/" in target
        or f"/{series.code}/" in target
        or f"/{series.code}?" in target
        or target.endswith(f"/{series.code}")
    ):
        return True
    return f"/{series.code}_History" in target or f"id={series.code}&" in target


# --- a provider whose figures a test moves ----------------------------------------------------------------------------


def _sgs(upstream: Upstream, asked: Asked) -> tuple[int, bytes]:
    """Monthly figures of Brazil's central bank, up to the month before last."""
    code = asked.path.split("sgs.")[1].split("/")[0]
    (series,) = [s for s in upstream.world.by_source["bcb_sgs"] if s.code == code]
    first, last = (datetime.strptime(dict(asked.params)[k], "%d/%m/%Y").date() for k in ("dataInicial", "dataFinal"))
    last = min(last, TODAY - timedelta(days=62))
    rows = []
    day = first.replace(day=1)
    while day <= last:
        rows.append({"data": f"{day:%d/%m/%Y}", "valor": str(upstream.value(series, day))})
        day = next_period(day, "M")
    return (200, json.dumps(rows).encode()) if rows else (404, b'{"error": "Value(s) not found"}')


def rows_of(change: Callable[[list[dict[str, str]]], object]) -> Change:
    """Change the rows of a JSON list, in place or by what is returned."""

    def spoil(body: bytes) -> bytes:
        rows = json.loads(body)
        made = change(rows)
        return json.dumps(rows if made is None else made).encode()

    return spoil


def lines_of(change: Callable[[Sequence[str]], Sequence[str]]) -> Change:
    """Change the lines of a CSV."""
    return lambda body: ("\n".join(change(body.decode().splitlines())) + "\n").encode()
