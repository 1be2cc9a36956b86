"""Reading the catalog: YAML files in, one frozen, cross-checked :class:`Catalog` out.

Belongs here: what the catalog is made of, and what becomes of problems: one of the package's own files refuses the whole,
one of a user's folder leaves that entry out, and what needs it, and is told. Does not belong here: the form of the files
(``read.py``, ``source_files.py``, ``table_entries.py``), rules between entries (``references.py``) or within (``kinds/``).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from macro_assets.catalog import names
from macro_assets.catalog.entries import D, Problem, by_name, nearest, origins, validated
from macro_assets.catalog.kinds.chart import Chart
from macro_assets.catalog.kinds.family import Family
from macro_assets.catalog.kinds.indicator import Indicator
from macro_assets.catalog.kinds.instrument import Instrument
from macro_assets.catalog.kinds.model import Model
from macro_assets.catalog.kinds.recession import Recession
from macro_assets.catalog.kinds.release import Release
from macro_assets.catalog.kinds.series import Series
from macro_assets.catalog.kinds.source import Source
from macro_assets.catalog.kinds.table import Column, Table
from macro_assets.catalog.kinds.view import View
from macro_assets.catalog.read import CatalogError, Entries, listed, read_document, read_entries
from macro_assets.catalog.references import dangling
from macro_assets.catalog.source_files import release_entries, series_entries, source_entries, source_files, source_of
from macro_assets.catalog.table_entries import Named, table_entries, view_entries

FOLDERS = ("indicators", "models", "charts")
"""Kinds whose files stand in a folder of their name; a file of the user's own may have any of them beside a source."""


class UnknownNameError(LookupError):
    """A name that the catalog does not have. The message offers the nearest ones."""

    def __str__(self) -> str:
        return str(self.args[0])


@dataclass(frozen=True)
class Catalog:
    """Everything that exists, by name. Built by :func:`load_catalog`, read by every other room."""

    sources: Mapping[str, Source]
    series: Mapping[str, Series]
    tables: Mapping[str, Table]
    indicators: Mapping[str, Indicator]
    models: Mapping[str, Model]
    charts: Mapping[str, Chart]
    recessions: tuple[Recession, ...] = field(default=())
    instruments: Mapping[str, Instrument] = field(default_factory=dict)
    releases: Mapping[str, Release] = field(default_factory=dict)
    """By source and id, as "fred/53"."""
    families: Mapping[str, Family] = field(default_factory=dict)
    views: Mapping[str, View] = field(default_factory=dict)
    origins: Mapping[str, str] = field(default_factory=dict)
    """File of each entry, as "indicators/sahm_rule"."""
    refused: tuple[str, ...] = ()
    """What is wrong with entries of the user's own folder, which were left out."""

    def origin(self, kind: str, name: str) -> str:
        """The file that an entry of a kind ('series', 'indicators', ...) stands in."""
        return self.origins.get(f"{kind}/{name}", f"{kind}.yaml")

    def series_behind(self, table: str) -> tuple[str, ...]:
        """Series that the indicator or model of a table is made of, directly or through others."""
        layer, _, name = table.partition("/")
        if layer in ("indicators", "real_time") and (indicator := self.indicators.get(name)):
            through = (s for t in indicator.tables for s in self.series_behind(t))
            return tuple(dict.fromkeys([*indicator.series, *through]))
        if layer in names.OF_MODELS and (model := self.models.get(name)):
            return model.series
        return ()

    def sources_of(self, family: str) -> tuple[Source, ...]:
        """Sources of one family, in catalog order."""
        return tuple(s for s in self.sources.values() if s.family == family)

    def series_of(self, source: str) -> tuple[Series, ...]:
        """Series of one source, in catalog order."""
        return tuple(s for s in self.series.values() if s.source == source)

    def families_of(self, series_ids: Iterable[str]) -> tuple[str, ...]:
        """Families of the homes of some series, each once, in the order of the series."""
        return tuple(dict.fromkeys(self.sources[self.series[s].source].family for s in series_ids))

    def one_series(self, series_id: str) -> Series:
        """The series with this id, or an :class:`UnknownNameError`."""
        return _one("series", self.series, series_id)

    def one_table(self, name: str) -> Table:
        """The table with this name ('layer/table'), or an :class:`UnknownNameError`."""
        return _one("table", self.tables, name)


def _one(kind: str, among: Mapping[str, D], name: str) -> D:
    if name not in among:
        raise UnknownNameError(unknown_name_message(kind, name, among))
    return among[name]


def unknown_name_message(kind: str, name: str, among: Iterable[str]) -> str:
    """One sentence for a name nobody declared: what was asked, the nearest names, how to list them all."""
    return f"unknown {kind} {name!r}.{nearest(name, among)} `macro list` shows all names."


OWN = "MACRO_CATALOG"
"""Environment variable that names a folder of the user's own: each `*.yaml` in it declares a source and its series."""


def own_folder() -> Path | None:
    """The folder of the user's own source files, if there is one.

    Raises
    ------
    CatalogError
        When the environment names one that is not there, or not by its whole path: runs start in other folders.
    """
    named = os.environ.get(OWN)
    if not named:
        return None
    folder = Path(named).expanduser()
    if not folder.is_absolute() or not folder.is_dir():
        raise CatalogError(f"{OWN} is {named!r}, which is no whole path of a folder. Make it, or unset {OWN}.")
    return folder.resolve()


@lru_cache(maxsize=1)
def default_catalog() -> Catalog:
    """The catalog that ships with the package and the user's own sources, read once per process."""
    return load_catalog(files("macro_assets.catalog") / "data", own_folder())


def load_catalog(folder: Path | Traversable, own: Path | None = None) -> Catalog:
    """Read and check every YAML file of a folder.

    Parameters
    ----------
    folder
        Holds `families.yaml`, `columns.yaml`, `tables.yaml`, `views.yaml`, `recessions.yaml`, `instruments.yaml`, in
        `sources/` one `<source>.yaml` per source with its series, and in `indicators/`, `models/` and `charts/` files
        of these.
    own
        Holds more files, each of a source, of indicators, of models, of charts, or of several of these.

    Raises
    ------
    CatalogError
        When a file, an entry or a reference between entries of the folder is wrong; every problem found is in the
        message. What is wrong in `own` is left out, and told in `Catalog.refused`.
    """
    own_files = sorted(str(f) for f in own.absolute().glob("*.yaml")) if own else []
    left_out: set[tuple[str, str | None]] = set()
    refused: list[Problem] = []
    while True:
        problems: list[Problem] = []
        catalog = _assembled(folder, [f for f in own_files if (f, None) not in left_out], left_out, problems)
        _refuse([p for p in problems if p.file not in own_files])
        new = {(p.file, p.entry) for p in problems} - left_out
        if problems and not new:  # leaving out the entries named did not help
            new = {(p.file, None) for p in problems}
        if not new:
            return replace(catalog, refused=tuple(map(str, refused)))
        refused += problems
        left_out |= new


def _refuse(problems: list[Problem]) -> None:
    if problems:
        raise CatalogError("the catalog is broken:\n  " + "\n  ".join(map(str, problems)))


def _assembled(
    folder: Path | Traversable, own: Sequence[str], left_out: Set[tuple[str, str | None]], problems: list[Problem]
) -> Catalog:
    """The catalog without the entries that are left out; what is wrong with the others goes to `problems`."""

    def kept(entries: Entries, key: str = "name") -> Entries:
        return [(file, e) for file, e in entries if (file, str(e.get(key))) not in left_out]

    mine = _documents(folder, own, problems)
    shipped = {file: read_document(folder, file) for file in source_files(folder)}
    files = {**shipped, **{f: d for f, d in mine.items() if "source" in d}}
    stated_sources = kept(_of_files(source_entries, files, own, problems))
    sources = by_name(stated_sources, Source, problems)
    releases = _releases(_of_files(release_entries, files, own, problems), own, problems)

    def series_of(one: Mapping[str, Mapping[str, Any]]) -> Entries:
        return [e for f, document in one.items() for e in series_entries(f, document, sources, releases, problems)]

    told = {file for file, _ in stated_sources}
    stated = kept(_of_files(series_of, {f: d for f, d in files.items() if f in told}, own, problems), "id")
    series = by_name(stated, Series, problems, key="id")
    entries = {
        kind: kept(_folder_entries(folder, kind) + [(f, e) for f, d in mine.items() for e in d.get(kind, [])])
        for kind in FOLDERS
    }
    indicators = by_name(entries["indicators"], Indicator, problems)
    models = by_name(entries["models"], Model, problems)
    charts = by_name(entries["charts"], Chart, problems)
    families = by_name(read_entries(folder, "families.yaml", "families"), Family, problems)
    columns = by_name(read_entries(folder, "columns.yaml", "columns"), Column, problems)
    each: dict[str, Iterable[Named]] = {
        "source": sources.values(),
        "family": [f for f in families.values() if any(s.family == f.name for s in sources.values())],
        "indicator": indicators.values(),
        "model": models.values(),
        "chart": charts.values(),
    }
    where = origins({**entries, "sources": stated_sources}) | origins({"series": stated}, "id")
    catalog = Catalog(
        sources=sources,
        series=series,
        tables=by_name(table_entries(folder, columns, each, where, problems), Table, problems),
        indicators=indicators,
        models=models,
        charts=charts,
        recessions=tuple(
            r
            for file, entry in read_entries(folder, "recessions.yaml", "recessions")
            if (r := validated(Recession, entry, file, str(entry.get("peak")), problems)) is not None
        ),
        instruments=by_name(read_entries(folder, "instruments.yaml", "instruments"), Instrument, problems),
        releases=releases,
        families=families,
        views=by_name(view_entries(folder, columns, problems), View, problems),
        origins=where,
    )
    problems += dangling(catalog, {str(entry.get("id")) for _, entry in stated})
    return catalog


def _documents(folder: Path | Traversable, own: Sequence[str], problems: list[Problem]) -> dict[str, dict[str, Any]]:
    """The user's files; one that cannot be read is a problem and nothing else."""
    shipped = {source_of(f): f for f in source_files(folder)}
    found: dict[str, dict[str, Any]] = {}
    for file in own:
        try:
            document = read_document(folder, file)
            if not {"source", *FOLDERS} & document.keys():
                raise CatalogError(f"{file}: expected a 'source', or a list of {', '.join(FOLDERS)}")
            for kind in FOLDERS:
                listed({kind: [], **document}, kind, file)
            if "source" in document and source_of(file) in shipped:
                name = source_of(file)
                raise CatalogError(f"{file}: the source {name!r} is declared in {shipped[name]} already")
        except CatalogError as error:
            problems.append(_of_the_file(file, error))
        else:
            found[file] = document
    return found


def _folder_entries(folder: Path | Traversable, kind: str) -> Entries:
    files = sorted(f"{kind}/{f.name}" for f in (folder / kind).iterdir() if f.name.endswith(".yaml"))
    return [e for file in files for e in read_entries(folder, file, kind)]


def _of_files(
    read: Callable[[Mapping[str, Mapping[str, Any]]], Entries],
    files: Mapping[str, Mapping[str, Any]],
    own: Sequence[str],
    problems: list[Problem],
) -> Entries:
    """Entries of all files. One of the user's whose form is wrong has none, and is a problem."""
    found = read({file: document for file, document in files.items() if file not in own})
    for file in files:
        if file in own:
            try:
                found += read({file: files[file]})
            except CatalogError as error:
                problems.append(_of_the_file(file, error))
    return found


def _of_the_file(file: str, error: CatalogError) -> Problem:
    return Problem(file, None, str(error).removeprefix(f"{file}: "))


def _releases(entries: Entries, own: Sequence[str], problems: list[Problem]) -> dict[str, Release]:
    """Releases by source and id. A broken one is refused at once: its series would all seem broken too."""
    broken: list[Problem] = []
    found = [validated(Release, entry, file, f"releases: {entry['id']}", broken) for file, entry in entries]
    _refuse([p for p in broken if p.file not in own])
    problems += (p._replace(entry=None, text=f"{p.entry}: {p.text}") for p in broken)
    return {f"{release.source}/{release.id}": release for release in found if release is not None}
