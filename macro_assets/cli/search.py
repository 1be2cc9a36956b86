"""`macro search`: series by words, in the catalog or at a provider."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import click

from macro_assets.cli.add import describing
from macro_assets.cli.terminal import expected_errors, print_columns, say, tell_left_out

if TYPE_CHECKING:
    from macro_assets.catalog import Catalog

_HEADINGS = ("title", "unit", "freq", "from", "to")


@click.command("search")
@click.argument("words", nargs=-1, required=True)
@click.option("--source", help="Ask this provider's own search, in place of the catalog.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 100), help="How many to show.")
@expected_errors
def search_command(words: tuple[str, ...], source: str | None, limit: int) -> None:
    """Find series by WORDS: of their ids, titles and codes in the catalog, or by the search of a provider.

    At FRED the most popular come first, elsewhere what fits best. `macro add SOURCE CODE` adds one to your own catalog.
    """
    from macro_assets.catalog import default_catalog

    catalog = default_catalog()
    tell_left_out(catalog)
    asked = " ".join(" ".join(words).split())
    if not asked:
        raise ValueError("nothing to search for: state a word")
    if source is None:
        _search_catalog(catalog, asked, limit)
    else:
        _search_provider(catalog, source, asked, limit)


def _search_catalog(catalog: Catalog, words: str, limit: int) -> None:
    from macro_assets.catalog.finding import series_about

    found = series_about(catalog, [words])
    rows = [
        (s.id, s.title, s.provider_unit, s.frequency, str(s.first_year), str(s.last_year or ""), s.source)
        for s in found[:limit]
    ]
    _print(("id", *_HEADINGS, "source"), rows)
    more = "" if len(found) <= limit else f"; --limit shows more than {limit}"
    say(f"{len(found)} of {len(catalog.series)} series of the catalog{more}. {_who_searches(catalog)}")


def _search_provider(catalog: Catalog, source: str, words: str, limit: int) -> None:
    from macro_assets.intake.adding import Wanted
    from macro_assets.sources.describing.protocol import asked
    from macro_assets.sources.errors import SourceError

    declared, speaks = describing(catalog, source)
    if speaks.search is None:
        raise ValueError(f"{source} has no search for programs: where its codes are found says {declared.url}")
    try:
        found = asked(declared, speaks.search(words, limit))
    except SourceError as error:
        raise ValueError(str(error)) from None

    def held(code: str) -> str:
        try:
            one = Wanted(declared, *speaks.named(code), speaks.own_ids).held(catalog)
        except SourceError:
            return ""
        return one.id if one is not None else ""

    rows = [(f.code, f.title, f.unit, f.frequency, f.first, f.last, held(f.code)) for f in found]
    _print(("code", *_HEADINGS, "in the catalog"), rows)
    if not rows:
        say(f"{declared.title} finds nothing for {words!r}.")
    else:
        say(f"`macro add {source} CODE` adds one to your own catalog.")


def _who_searches(catalog: Catalog) -> str:
    from macro_assets.sources.describing.protocol import describer

    able = (name for name, one in catalog.sources.items() if (speaks := describer(one)) and speaks.search)
    return f"--source asks a provider: {', '.join(able)}."


def _print(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table of what fits; columns without text are left out."""
    from macro_assets.cli.tables import Column

    listed = list(rows)
    columns = (Column(h, [row[i] for row in listed], folds=h in ("title", "unit")) for i, h in enumerate(headings))
    if listed:
        print_columns([c for c in columns if any(c.cells)])
