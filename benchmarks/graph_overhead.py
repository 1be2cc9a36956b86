"""The whole asset graph against a plain loop that calls the same functions and writes the same tables.

Both sides start from an empty lake and are checked to have written the same rows before their times count.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from measure import Ratio, fresh_home, show, timed


def plain_loop(folder: Path) -> None:
    """Fetch, check, land, append, derive, nowcast, draw: no Dagster."""
    import polars as pl

    from macro_assets.catalog import default_catalog
    from macro_assets.catalog.periods import utc_now
    from macro_assets.graph.declared import derivations, nowcast_tables
    from macro_assets.intake.fetch import fetch_with_fallbacks
    from macro_assets.intake.ingest import StoredSource, ingest
    from macro_assets.lakehouse.handle import Lakehouse
    from macro_assets.lakehouse.raw import INVALIDATIONS
    from macro_assets.lakehouse.write import overwrite
    from macro_assets.publishing.pages import write_chart_page, write_index
    from macro_assets.quality import check_table
    from macro_assets.sources.protocol import Window

    catalog, commit = default_catalog(), {"run_id": "loop"}
    lake = Lakehouse(folder, catalog)
    frames: dict[str, pl.DataFrame] = {}
    for source in catalog.sources.values():
        if not source.is_live:
            series, window = catalog.series_of(source.name), Window()
            fetched = fetch_with_fallbacks(source, series, window, catalog)
            done = ingest(lake, StoredSource.of(lake, source), series, window, fetched, "loop", "loop")
            assert not any(o.failure for o in done.outcomes)
        frames[f"raw/{source.name}"] = lake.read(f"raw/{source.name}")
    frames[INVALIDATIONS] = lake.read(INVALIDATIONS)
    for model in catalog.models.values():
        months = model.demo_partitions
        for name, frame in nowcast_tables(frames, model, catalog, months, utc_now()).items():
            table = catalog.one_table(name)
            assert check_table(frame.select(c.name for c in table.columns), table).passed
            overwrite(lake, name, frame, commit, months)
            frames[name] = lake.read(name)
    for name, derivation in derivations(catalog).items():
        table = catalog.one_table(name)
        frames[name] = derivation.compute(frames)
        assert check_table(frames[name], table).passed
        overwrite(lake, name, frames[name], commit)
        if name.startswith("charts/"):
            write_chart_page(folder, catalog.charts[name.split("/")[1]], frames[name]["figure_json"].item())
    write_index(lake)


def whole_graph(folder: Path) -> None:
    """The same through Dagster, with its event log on disk."""
    import dagster as dg

    from macro_assets.lakehouse.handle import Lakehouse
    from macro_assets.orchestration.run import run, select

    lake = Lakehouse.at(folder)
    with dg.DagsterInstance.get() as instance:
        assert not run(lake, select([], lake.catalog), instance).failures


def same_tables(one: Path, other: Path) -> bool:
    """Whether two lakes say the same, whatever run they came from."""
    from macro_assets.catalog import default_catalog
    from macro_assets.graph.declared import derivations
    from macro_assets.lakehouse.delta import data_version
    from macro_assets.lakehouse.handle import Lakehouse

    catalog = default_catalog()
    names = [*(f"raw/{s}" for s in catalog.sources), *derivations(catalog), *(f"forecasts/{m}" for m in catalog.models)]

    def says(folder: Path, name: str) -> str:
        lake = Lakehouse(folder, catalog)
        return data_version(lake.read(name), lake.table(name))

    return all(says(one, name) == says(other, name) for name in names)


def run() -> list[Ratio]:
    os.environ.update({"DAGSTER_EMIT_PARTITION_SUBSET_IN_PLANNED_EVENTS": "1", "DAGSTER_EVENT_BATCH_SIZE": "1000"})
    with tempfile.TemporaryDirectory() as folder:
        warm, loop, graph = (Path(folder) / n for n in ("warm", "loop", "graph"))
        plain_loop(warm)  # imports and caches are warm for both sides
        environment = fresh_home(graph)
        os.environ.update(environment)
        os.chdir(environment["DAGSTER_HOME"])
        theirs = timed(lambda: plain_loop(loop))
        ours = timed(lambda: whole_graph(Path(environment["MACRO_LAKE"])))
        assert same_tables(loop, Path(environment["MACRO_LAKE"])), "the two sides wrote different tables"
        os.chdir(folder)
    return [Ratio("whole graph", ours, "plain loop, same tables", theirs, 5.0)]


if __name__ == "__main__":
    show(run())
