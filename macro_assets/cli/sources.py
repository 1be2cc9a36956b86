"""`macro sources` and `macro fetch`: how the sources are doing, and asking them."""

from __future__ import annotations

import getpass
import sys
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from macro_assets.catalog.wording import written
from macro_assets.cli.place import needs_lake, new_lake, warn_of_no_lake
from macro_assets.cli.terminal import console, expected_errors, instance, print_columns, print_summary, say

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from dagster import DagsterInstance

    from macro_assets.catalog import Catalog, Source
    from macro_assets.intake.health import Health
    from macro_assets.lakehouse.handle import Lakehouse
    from macro_assets.orchestration.refresh import Refresh
    from macro_assets.orchestration.run import Selection

_COLOURS = {"up": "green", "degraded": "yellow", "down": "red", "off": "dim", "never fetched": "dim"}


@click.command("sources")
@expected_errors
def sources_command() -> None:
    """How every source is doing: up, degraded, down, off for want of a key; latency and last success."""
    import polars as pl
    from rich.text import Text

    from macro_assets.catalog import names
    from macro_assets.cli.tables import Column
    from macro_assets.intake.health import health
    from macro_assets.lakehouse.handle import Lakehouse

    warn_of_no_lake()
    lake = Lakehouse.at()
    sources = lake.catalog.sources.values()
    log = pl.concat(lake.read(names.fetch_log(s.name)) for s in sources)
    found = [health(s, lake.catalog, log) for s in sources]
    columns = (
        Column("source", [h.source.name for h in found]),
        Column("state", [Text(h.state, _COLOURS[h.state]) for h in found]),
        Column("series", [str(h.series) for h in found], right=True),
        Column("last success", [written(h.last_success) if h.last_success else "" for h in found]),
        Column("ms", ["" if h.latency_ms is None else f"{h.latency_ms:.0f}" for h in found], right=True),
        Column("key", [_key(h) for h in found], folds=True),
        Column("title", [_title(h.source) for h in found], folds=True),
    )
    print_columns(columns, f"sources ({len(sources)})")
    for one in found:
        if one.reason:
            console().print(f"{one.source.name}: {one.reason}")


def _title(source: Source) -> str:
    return source.title if source.official else f"{source.title} (unofficial)"


def _key(one: Health) -> str:
    key = one.source.api.key if one.source.api else None
    if key is None:
        return "none needed"
    if one.state == "off":
        return f"{key.environment} is missing"
    from macro_assets.sources.secrets import key_of

    return f"{key.environment} is set" if key_of(one.source) else f"{key.environment} (optional)"


@click.command("fetch")
@click.argument("selection", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="What is not due too.")
@click.option("--from", "first", help="First year of observations: all vintages from there on, whether due or not.")
@click.option("--to", "last", help="Last year of observations, with all vintages, whether due or not.")
@click.option("--dry-run", is_flag=True, help="Say what is due, and why, by source; by series if some are named.")
@expected_errors
def fetch_command(
    selection: tuple[str, ...], everything: bool, first: str | None, last: str | None, dry_run: bool
) -> None:
    """Fetch from the live sources what is due: new releases, figures that should be out, what failed or is new.

    SELECTION names sources (raw/fred) or series (raw/fred/GDPC1). Without it every live source is asked. In place of
    one whose key is not in the environment, others that have its series are. Derived tables follow with `macro run`,
    or by themselves while the daemon runs.
    """
    from macro_assets.catalog import names
    from macro_assets.lakehouse.handle import Lakehouse

    made = new_lake()
    with instance() as dagster:
        from macro_assets.orchestration.refresh import refreshes, whole_history
        from macro_assets.orchestration.run import select

        lake = Lakehouse.at()
        catalog = lake.catalog
        words = [w if w.startswith("raw") or not w.strip("/ ") else names.raw(w) for w in selection] or ["raw"]
        chosen = select(words, catalog, first, last, live=True)
        named = [f"{names.raw(source)}/{i}" for source, ids in chosen.series.items() for i in ids]
        backfill = bool(first or last)
        runs = whole_history(catalog, named, first, last) if backfill else refreshes(lake, named, everything)
        out = console()
        not_asked = [_not_asked(name, ids, catalog) for name, ids in chosen.series.items()] if selection else [None]
        off = _off(runs, catalog)
        for why in (w for w in not_asked if w and w not in off):
            out.print(why)
        for why in off:
            out.print(f"{why} Others that have its series are asked.")
        for run in runs:
            out.print(f"{len(run.reasons)} series, {run.years[0]} to {run.years[1]}")
            for line in _due(run, bool(selection) or everything) if dry_run else ():
                out.print(f"  {line}")
        if runs and dry_run and not (selection or everything):
            out.print("With the names of sources or series, or --all, each series is listed.")
        if not runs and None in not_asked:
            out.print("Nothing is due. --all fetches everything; `macro sources` shows which sources are off.")
        if dry_run:
            return
        has_failed = _carried_out(lake, runs, dagster, made) if runs else False
        is_lacking = words != ["raw"] and _is_lacking(lake, chosen)
    if has_failed or is_lacking:
        sys.exit(1)


def _carried_out(lake: Lakehouse, runs: Sequence[Refresh], dagster: DagsterInstance, made: str | None) -> bool:
    """Carry out runs and say what they did; whether anything failed. `made` is said of a new lake before."""
    from macro_assets.orchestration.run import run_refreshes

    if made:
        say(made, err=True)
    summary = run_refreshes(lake, runs, dagster)
    print_summary(lake, summary)
    return bool(summary.failures)


def _is_lacking(lake: Lakehouse, chosen: Selection) -> bool:
    """Whether a series that was named was not had of anybody when it was asked for last."""
    from macro_assets.intake.fetches import not_served

    return any(not_served(lake, source, ids) for source, ids in chosen.series.items())


@click.command("accept")
@click.argument("series_id", metavar="SERIES")
@click.option("--reason", required=True, help="Why; kept with the decision.")
@click.option("--author", default=getpass.getuser, help="Who decides; default the user of this session.")
@click.option("--provider", help="Who tells the new figures; default the first holder of the series that is on.")
@expected_errors
@needs_lake
def accept_command(series_id: str, reason: str, author: str, provider: str | None) -> None:
    """Take the figures of SERIES in another base year or unit, as a whole; those of before stay as vintages.

    A fetch refuses them until then. Nothing is spliced: dates that the new figures lack become missing, and a
    difference across the change is no revision. A unit that is another is stated in the catalog first.
    """
    from macro_assets.catalog import names
    from macro_assets.intake.accept import accept
    from macro_assets.intake.fetch import askable
    from macro_assets.lakehouse.handle import Lakehouse

    lake = Lakehouse.at()
    holding, level = accept(lake, series_id, reason, author, datetime.now(UTC), provider)
    out = console()
    said = f"series {series_id}: {level}, by {holding.provider}: accepted by {author}."
    out.print(said)
    table = names.raw(holding.table)
    with instance() as dagster:
        from macro_assets.lakehouse.acceptances import ACCEPTANCES
        from macro_assets.orchestration.assets.audit import report_decision

        report_decision(lake, dagster, ACCEPTANCES)
        if not lake.catalog.sources[holding.table].is_live:
            out.print(f"`macro run {table}` takes them.")
            return
        if holding != askable(lake.catalog, lake.catalog.one_series(series_id))[0]:
            out.print(f"The next fetch that asks {holding.provider} takes them.")
            return
        from macro_assets.orchestration.refresh import whole_history
        from macro_assets.orchestration.run import run_refreshes

        summary = run_refreshes(lake, whole_history(lake.catalog, [f"{table}/{series_id}"], None, None), dagster)
        print_summary(lake, summary)
    if summary.failures:
        sys.exit(1)


def _due(run: Refresh, each: bool) -> Iterator[str]:
    """Why series are due: how many of each source and its usual reasons, and then those of each series."""
    by_source: dict[str, list[str]] = {}
    for name, why in run.reasons.items():
        by_source.setdefault(name.rpartition("/")[0], []).append(why)
    for source, reasons in by_source.items():
        counted = Counter(reasons).most_common(3)
        told = [why if n == len(reasons) else f"{n} {why}" for why, n in counted]
        rest = len(reasons) - sum(n for _, n in counted)
        yield f"{source}: {len(reasons)} series: {'; '.join(told)}{f'; {rest} for other reasons' if rest else ''}"
    if each:
        yield from (f"{name}: {why}" for name, why in run.reasons.items())


def _off(runs: Sequence[Refresh], catalog: Catalog) -> list[str]:
    """Why sources of which runs ask for series are not asked themselves."""
    from macro_assets.orchestration.describe import raw_assets_by_name
    from macro_assets.sources.secrets import missing_key

    series = raw_assets_by_name(catalog)
    asked = dict.fromkeys(series[name].source for run in runs for name in run.reasons)
    return [why for source in asked if (why := missing_key(catalog.sources[source]))]


def _not_asked(name: str, ids: Collection[str], catalog: Catalog) -> str | None:
    """Why nobody is asked for some of the named series of a source; None where somebody is for each."""
    from macro_assets.catalog import names
    from macro_assets.intake.fetch import askable
    from macro_assets.sources.secrets import missing_key

    source = catalog.sources[name]
    if not source.is_live:
        return f"source {name} needs no network: `macro run {names.raw(name)}` reads what changed."
    asked = [bool(askable(catalog, s)) for s in catalog.series_of(name) if s.id in ids]
    return None if all(asked) else missing_key(source)
