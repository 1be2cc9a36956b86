"""`macro add`: a series that a provider has, into the user's own catalog by one command."""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from macro_assets.cli.terminal import expected_errors, instance, print_summary, put, say, tell_left_out

if TYPE_CHECKING:
    from macro_assets.catalog import Catalog, Series, Source
    from macro_assets.intake.adding import Addition, Wanted
    from macro_assets.sources.describing.protocol import Describer


@click.command("add")
@click.argument("source")
@click.argument("code")
@click.option("--id", help="Its id in the catalog; default the code at FRED, else source and code.")
@click.option("--title", help="What it is, in place of the provider's title.")
@click.option("--unit", help="The unit as it is published, where the provider does not state it.")
@click.option("--country", help="ISO code of its country; EA is the euro area, WW the world.")
@click.option("--dry-run", is_flag=True, help="Show the entry; write and fetch nothing.")
@expected_errors
def add_command(source: str, code: str, dry_run: bool, **stated: str | None) -> None:
    """Add a series of a provider to your own catalog, as the provider describes it, and fetch it.

    CODE is what the provider calls it: `macro add fred UNRATENSA`, `bcb_sgs 20786`, `dbnomics BIS/WS_EER/M.R.B.BR`,
    `ecb EXR/M.USD.EUR.SP00.A`, `worldbank SP.POP.TOTL/BRA`. The entry goes into a file of the folder MACRO_CATALOG,
    to be edited as you like. `macro search WORDS --source SOURCE` finds codes.
    """
    from macro_assets.catalog import default_catalog
    from macro_assets.catalog.own import free_file
    from macro_assets.intake.adding import Stated, addition
    from macro_assets.sources.describing.protocol import described
    from macro_assets.sources.errors import SourceError
    from macro_assets.sources.secrets import missing_key

    catalog = default_catalog()
    tell_left_out(catalog)
    try:
        wanted = _wanted(catalog, source, code)
        if (there := wanted.held(catalog)) is not None:
            say(_already(catalog, there))
            return
        series_id = _free_id(catalog, stated["id"] or wanted.id)
        file = None if dry_run else free_file(series_id.lower(), "--dry-run")
        if why := missing_key(wanted.source):
            raise ValueError(f"{why} Without one {source} says nothing of its series.")
        told = described(wanted.source, wanted.dataset, wanted.code)
        given = Stated(**{**stated, "id": series_id})
        added = addition(catalog, wanted.source, told, given, datetime.now(UTC).date())
    except SourceError as error:
        raise ValueError(str(error)) from None
    text = added.text(f"macro add {source} {code}")
    put(text)
    for note in added.notes:
        say(f"note: {note}", err=True)
    if file is None:
        say("Nothing is written.", err=True)
        return
    _fetch(_written(file, added, text))


def describing(catalog: Catalog, source: str) -> tuple[Source, Describer]:
    """A source, and who describes its series.

    Raises
    ------
    UnknownNameError, ValueError
        When there is no such source, or it cannot be asked about its series.
    """
    from macro_assets.catalog import UnknownNameError
    from macro_assets.catalog.load import unknown_name_message
    from macro_assets.sources.describing.protocol import describer

    if source not in catalog.sources:
        raise UnknownNameError(unknown_name_message("source", source, catalog.sources))
    declared = catalog.sources[source]
    if (speaks := describer(declared)) is None:
        able = ", ".join(name for name, one in catalog.sources.items() if describer(one))
        raise ValueError(
            f"{source} cannot be asked about its series; {able} can. An entry is written by hand as "
            "docs/adding-a-series.md says."
        )
    return declared, speaks


def _wanted(catalog: Catalog, source: str, code: str) -> Wanted:
    from macro_assets.intake.adding import Wanted

    declared, speaks = describing(catalog, source)
    return Wanted(declared, *speaks.named(code), speaks.own_ids)


def _already(catalog: Catalog, series: Series) -> str:
    from macro_assets.catalog import names
    from macro_assets.catalog.document import holder_names

    return (
        f"{series.id} is in the catalog already, in {catalog.origin('series', series.id)}: {series.title}. Had from "
        f"{holder_names(catalog, series.id)}; `macro fetch {names.raw_series(series)}` asks for it."
    )


def _free_id(catalog: Catalog, series_id: str) -> str:
    """An id, which must be one and of no other series."""
    if not re.fullmatch(r"[A-Z][A-Z0-9_]{0,62}", series_id):
        raise ValueError(
            f"{series_id!r} is no id: expected capitals, digits and '_', up to 63, a letter first. --id states another."
        )
    if (taken := catalog.series.get(series_id)) is not None:
        raise ValueError(f"{series_id} is the id of another series: {taken.title}. State another one with --id.")
    return series_id


def _written(file: Path, added: Addition, text: str) -> Series:
    """The series in the catalog, once its file is there; a file that the catalog refuses does not stay."""
    from macro_assets.catalog import default_catalog
    from macro_assets.catalog.own import write_at_once

    write_at_once(file, text)
    default_catalog.cache_clear()
    catalog = default_catalog()
    if catalog.origin("series", added.id) != str(file) or added.id not in catalog.series:
        file.unlink()
        default_catalog.cache_clear()
        told = "\n  ".join(str(p) for p in catalog.refused if p.file == str(file))
        raise ValueError(f"the catalog does not take the entry:\n  {told}")
    say(f"{file} is written.")
    return catalog.series[added.id]


def _fetch(series: Series) -> None:
    """Ask for the whole history; the entry stays where that fails."""
    from macro_assets.catalog import names
    from macro_assets.lakehouse.handle import Lakehouse

    name = names.raw_series(series)
    with instance() as dagster:
        from macro_assets.orchestration.refresh import whole_history
        from macro_assets.orchestration.run import run_refreshes

        lake = Lakehouse.at()
        summary = run_refreshes(lake, whole_history(lake.catalog, [name], None, None), dagster)
        print_summary(lake, summary)
    if summary.failures:
        say(f"{series.id} is in the catalog; `macro fetch {name}` asks for it again.", err=True)
        sys.exit(1)
