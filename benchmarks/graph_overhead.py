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

    from macro_assets.catalog import default_catalog, names
    from macro_assets.catalog.derive import polars_schema
    from macro_assets.graph.declared import derivations
    from macro_assets.graph.endings import Empty, month_of
    from macro_assets.graph.inputs import Inputs
    from macro_assets.intake.fetch import ask_in_turn, holders_of
    from macro_assets.intake.ingest import StoredSource, ingest
    from macro_assets.lakehouse.handle import Lakehouse
    from macro_assets.lakehouse.write import conform, overwrite
    from macro_assets.publishing.pages import write_chart_page, write_index
    from macro_assets.quality import check_table
    from macro_assets.sources.protocol import Window

    catalog, commit = default_catalog(), {"run_id": "loop"}
    lake = Lakehouse(folder, catalog)
    for source in catalog.sources.values():
        if not source.is_live:
            holders = [holders_of(catalog, s) for s in catalog.series_of(source.name)]
            asked = ask_in_turn(holders, lambda _, some: [(Window(), some)], catalog)
            done = ingest(lake, StoredSource.of(lake, source), asked, "loop", "loop")
            assert not any(v.failure for v in done.verdicts)
    found = derivations(catalog)
    read = [cell for d in found for m in d.demo for cell in d.cells(m)]  # a fit may be of an earlier month
    inputs = Inputs(lake, found, {m for d in found for m in d.demo} | {m for _, m in read})

    def store(name: str, frame: pl.DataFrame, month: str | None = None) -> None:
        table = catalog.one_table(name)
        rows = conform(frame, table)
        assert check_table(rows, table).passed
        overwrite(lake, name, rows, commit, [month] if month else None)
        inputs.put(name, rows, month)

    for derivation in found:
        for month in sorted({*derivation.demo, *(m for t, m in read if t in derivation.tables)}):
            made = month_of(derivation, inputs, month)
            for name in derivation.tables:
                empty = pl.DataFrame(schema=polars_schema(catalog.one_table(name).columns))
                store(name, empty if isinstance(made, Empty) else made[name], month)
        if not derivation.grid:
            for name, frame in derivation.compute(inputs.frames(derivation)).items():
                store(name, frame)
    for chart in catalog.charts.values():
        write_chart_page(folder, chart, lake.read(names.chart(chart.name))["figure_json"].item())
    write_index(lake)


def whole_graph(folder: Path) -> None:
    """The same through Dagster, with its event log on disk."""
    from macro_assets.cli.terminal import instance as opened

    with opened() as instance:
        from macro_assets.lakehouse.handle import Lakehouse
        from macro_assets.orchestration.run import run, select

        lake = Lakehouse.at(folder)
        assert not run(lake, select([], lake.catalog), instance).failures


def warm_dagster(environment: dict[str, str]) -> None:
    """Import what the graph imports, and open a log of its own."""
    from macro_assets.cli.terminal import instance as opened

    os.environ.update(environment)
    with opened():
        import macro_assets.orchestration.run  # noqa: F401


def same_tables(one: Path, other: Path) -> bool:
    """Whether two lakes say the same, whatever run they came from."""
    from macro_assets.catalog import default_catalog, names
    from macro_assets.graph.declared import derivations
    from macro_assets.lakehouse.delta import data_version
    from macro_assets.lakehouse.handle import Lakehouse

    catalog = default_catalog()
    tables = [*map(names.raw, catalog.sources), *(t for d in derivations(catalog) for t in d.tables)]

    def says(folder: Path, name: str) -> str:
        lake = Lakehouse(folder, catalog)
        return data_version(lake.read(name), lake.table(name))

    return all(says(one, name) == says(other, name) for name in tables)


def run() -> list[Ratio]:
    os.environ.update({"DAGSTER_EMIT_PARTITION_SUBSET_IN_PLANNED_EVENTS": "1", "DAGSTER_EVENT_BATCH_SIZE": "1000"})
    with tempfile.TemporaryDirectory() as folder:
        warm, loop, graph = (Path(folder) / n for n in ("warm", "loop", "graph"))
        plain_loop(warm)  # imports and caches are warm for both sides
        warm_dagster(fresh_home(Path(folder) / "imports"))
        environment = fresh_home(graph)
        os.environ.update(environment)
        os.chdir(environment["DAGSTER_HOME"])
        theirs = timed(lambda: plain_loop(loop))
        ours = timed(lambda: whole_graph(Path(environment["MACRO_LAKE"])))
        assert same_tables(loop, Path(environment["MACRO_LAKE"])), "the two sides wrote different tables"
        os.chdir(folder)
    return [Ratio("whole graph", ours, "plain loop, same tables", theirs, 1.6)]


if __name__ == "__main__":
    show(run())
