"""Reading the catalog: YAML files in, one frozen, cross-checked :class:`Catalog` out.

Belongs here: what the catalog is made of, and that a wrong file of the package refuses the whole, while of a user's own
folder the wrong entry is left out, with what needs it, and told. Does not belong here: the form of the files
(``read.py``, ``own.py``, ``source_files.py``, ``table_entries.py``), rules between entries (``references.py``) or
within (``kinds/``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, TypeVar

from macro_assets.catalog import names
from macro_assets.catalog.entries import D, Problem, by_name, nearest, of_the_file, origins, validated
from macro_assets.catalog.kinds.chart import Chart
from macro_assets.catalog.kinds.computed import Computed
from macro_assets.catalog.kinds.family import Family
from macro_assets.catalog.kinds.gap import Gap
from macro_assets.catalog.kinds.indicator import Indicator
from macro_assets.catalog.kinds.instrument import Instrument
from macro_assets.catalog.kinds.licence import Licence
from macro_assets.catalog.kinds.model import Model
from macro_assets.catalog.kinds.recession import Recession
from macro_assets.catalog.kinds.release import Release
from macro_assets.catalog.kinds.score import Score
from macro_assets.catalog.kinds.series import Copy, Series
from macro_assets.catalog.kinds.source import Source
from macro_assets.catalog.kinds.table import Column, Table
from macro_assets.catalog.kinds.view import View
from macro_assets.catalog.own import FOLDERS, own_documents, own_folder
from macro_assets.catalog.read import CatalogError, Entries, read_document, read_entries, read_folder, yaml_files
from macro_assets.catalog.references import Reference, absent, dangling, without
from macro_assets.catalog.rooms import ROOM_OF, method_names, shape_of
from macro_assets.catalog.source_files import SourceFile, read_added, read_source, source_of
from macro_assets.catalog.table_entries import tables_of, view_entries
from macro_assets.catalog.wording import shortened

C = TypeVar("C", bound=Computed)


class UnknownNameError(LookupError):
    """A name that the catalog does not have. The message offers the nearest ones."""

    def __str__(self) -> str:
        return str(self.args[0])


@dataclass(frozen=True)
class Holding:
    """A holder of a series: what it has of it, whose raw table keeps its rows, whether its figures are the home's.

    Parameters
    ----------
    series
        The series as it has it: `series.source` is the provider of its rows, `unit` and `scale` are of its figures.
    table
        Source whose raw table has its rows: the home, or a source with a copy.
    factor
        What the provider's number is multiplied with before it is stored.
    same
        Whether it is declared to have the very same figures as the home.
    """

    series: Series
    table: str
    factor: float = 1.0
    same: bool = False

    @property
    def provider(self) -> str:
        """Who serves its rows."""
        return self.series.source


@dataclass(frozen=True)
class Catalog:
    """Everything that exists, by name. Built by :func:`load_catalog`, read by every other room."""

    sources: Mapping[str, Source]
    series: Mapping[str, Series]
    tables: Mapping[str, Table]
    indicators: Mapping[str, Indicator]
    scores: Mapping[str, Score]
    models: Mapping[str, Model]
    charts: Mapping[str, Chart]
    copies: tuple[Series, ...] = ()
    """Series that a source holds though their home is another, as it holds them: `source` is the one that does."""
    recessions: tuple[Recession, ...] = field(default=())
    instruments: Mapping[str, Instrument] = field(default_factory=dict)
    gaps: Mapping[str, Gap] = field(default_factory=dict)
    releases: Mapping[str, Release] = field(default_factory=dict)
    """By source and id, as "fred/53"."""
    families: Mapping[str, Family] = field(default_factory=dict)
    views: Mapping[str, View] = field(default_factory=dict)
    licences: Mapping[str, Licence] = field(default_factory=dict)
    """By their text."""
    origins: Mapping[str, str] = field(default_factory=dict)
    """File of each entry, as "indicators/sahm_rule"."""
    refused: tuple[Problem, ...] = ()
    """What is wrong with entries of the user's own folder, which were left out, and those that need them."""

    def origin(self, kind: str, name: str) -> str:
        """The file that an entry of a kind ('series', 'indicators', ...) stands in."""
        return self.origins.get(f"{kind}/{name}", f"{kind}.yaml")

    def series_behind(self, table: str) -> tuple[str, ...]:
        """Series that the indicator, score or model of a table is made of, directly or through others."""
        kind, name = names.entry_of(table) or ("", "")
        if kind in ("indicators", "scores") and (computed := getattr(self, kind).get(name)):
            through = (s for t in computed.tables for s in self.series_behind(t))
            return tuple(dict.fromkeys([*computed.series, *through]))
        if kind == "models" and (model := self.models.get(name)):
            return model.series
        return ()

    def sources_of(self, family: str) -> tuple[Source, ...]:
        """Sources of one family, in catalog order."""
        return tuple(s for s in self.sources.values() if s.family == family)

    def series_of(self, source: str) -> tuple[Series, ...]:
        """Series whose rows a source's raw table has: those of which it is the home, then its copies of others."""
        return tuple(s for s in (*self.series.values(), *self.copies) if s.source == source)

    def holdings(self, series_id: str) -> tuple[Holding, ...]:
        """Who has a series, in the order in which they count: its home, who is asked after it, sources with a copy."""
        home = self.one_series(series_id)
        asked = (Holding(home.at(h), home.source, h.factor, h.same) for h in home.holders)
        copies = (Holding(c, c.source) for c in self._copies.get(series_id, ()))
        return (Holding(home, home.source), *asked, *copies)

    @cached_property
    def _copies(self) -> Mapping[str, tuple[Series, ...]]:
        found: dict[str, tuple[Series, ...]] = {}
        for copy in self.copies:
            found[copy.id] = (*found.get(copy.id, ()), copy)
        return found

    def redistributable(self, series: Series) -> bool | None:
        """Whether the figures of a series, as one has it, may be passed on; None where nobody says."""
        licence = self.licences.get(series.licence)
        return licence.redistributable if licence else series.redistributable

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
        titles = {n: str(getattr(entry, "title", "")) for n, entry in among.items()}
        raise UnknownNameError(unknown_name_message(kind, name, among, titles))
    return among[name]


def unknown_name_message(kind: str, name: str, among: Iterable[str], titles: Mapping[str, str] | None = None) -> str:
    """One sentence for a name nobody declared: what was asked, the nearest names, how to list them all."""
    return f"unknown {kind} {shortened(name)!r}.{nearest(name, among, titles)} `macro list` shows all names."


@lru_cache(maxsize=1)
def default_catalog() -> Catalog:
    """The catalog that ships with the package and the user's own sources, read once per process."""
    return load_catalog(files("macro_assets.catalog") / "data", own_folder())


def load_catalog(folder: Path | Traversable, own: Path | None = None) -> Catalog:
    """Read and check every YAML file of a folder.

    Parameters
    ----------
    folder
        Holds `families.yaml`, `columns.yaml`, `tables.yaml`, `views.yaml`, `recessions.yaml`, `instruments.yaml`,
        `gaps.yaml`, `licences.yaml`, in `sources/` one `<source>.yaml` per source with its series, and in
        `indicators/`, `scores/`, `models/` and `charts/` files of these.
    own
        Holds more files, each of a source, of indicators, of scores, of models, of charts, or of several of these.

    Raises
    ------
    CatalogError
        When a file, an entry or a reference between entries of the folder is wrong; every problem found is in the
        message. What is wrong in `own` is left out, and told in `Catalog.refused`.
    """
    problems: list[Problem] = []
    mine = own_documents(own, problems) if own else {}
    sources = _sources(folder, mine, problems)
    series = [entry for one in sources for entry in one.series]
    stated = {
        kind: [*read_folder(folder, kind), *((f, e) for f in mine for e in mine[f].get(kind, []))] for kind in FOLDERS
    }
    columns = by_name(read_entries(folder, "columns.yaml", "columns"), Column, problems)
    peaks = [(f, e, str(e.get("peak"))) for f, e in read_entries(folder, "recessions.yaml", "recessions")]
    recessions = (validated(Recession, entry, file, peak, problems) for file, entry, peak in peaks)
    catalog = Catalog(
        sources={s.name: s for one in sources if (s := one.source)},
        series=by_name([e for one in sources if one.source for e in one.series], Series, problems, "id", _ONE_HOME),
        tables={},
        indicators=_shaped("indicators", Indicator, stated["indicators"], problems),
        scores=_shaped("scores", Score, stated["scores"], problems),
        models=by_name(stated["models"], Model, problems),
        charts=by_name(stated["charts"], Chart, problems),
        recessions=tuple(r for r in recessions if r is not None),
        instruments=by_name(read_entries(folder, "instruments.yaml", "instruments"), Instrument, problems),
        gaps=by_name(read_entries(folder, "gaps.yaml", "gaps"), Gap, problems),
        releases={f"{r.source}/{r.id}": r for one in sources for r in one.releases.values()},
        families=by_name(read_entries(folder, "families.yaml", "families"), Family, problems),
        licences=by_name(read_entries(folder, "licences.yaml", "licences"), Licence, problems, "text"),
        views=by_name(view_entries(folder, columns, problems), View, problems),
        origins=origins(stated) | origins({"series": series}, "id") | _of_sources(sources),
    )
    catalog = replace(
        catalog,
        tables=tables_of(catalog, folder, columns, problems),
        copies=_copies(catalog, [copy for one in sources if one.source for copy in one.copies], problems),
    )
    problems += dangling(catalog)
    return without(catalog, problems)


_ONE_HOME = ". A series has one home: state `of` here with what differs, or give another series an id of its own."


def _copies(catalog: Catalog, entries: Entries, problems: list[Problem]) -> tuple[Series, ...]:
    """Copies of series, as their sources hold them; one of a series that there is not, or a second, is left out."""
    found: dict[tuple[str, str], Series] = {}
    for file, entry in entries:
        name = f"of: {entry['of']}"
        if (copy := validated(Copy, entry, file, name, problems)) is None:
            continue
        home = catalog.series.get(copy.of)
        if home is None:
            problems += absent(catalog, Reference("copies", name, "of", "series", copy.of), file)
            continue
        if copy.source == home.source:
            text = f"of: {home.source} is its home"
        elif copy.source in [h.source for h in home.holders]:
            text = f"of: {copy.source} is a holder of it already, in {catalog.origin('series', copy.of)}"
        elif (copy.source, copy.of) in found:
            text = "of: declared twice"
        else:
            found[copy.source, copy.of] = home.at(copy)
            continue
        problems.append(Problem(file, name, text))
    return tuple(found.values())


def _shaped(kind: str, declared: type[C], stated: Entries, problems: list[Problem]) -> dict[str, C]:
    """Entries with the shape of their method, where they state none; one whose method there is not is left out."""
    room, files = ROOM_OF[kind], origins({kind: stated})
    found: dict[str, C] = {}
    for name, entry in by_name(stated, declared, problems).items():
        if (shape := entry.shape or shape_of(room, entry.method)) is not None:
            found[name] = entry if entry.shape else entry.model_copy(update={"shape": shape})
            continue
        near = nearest(entry.method, method_names(room))
        text = f"method: no method {entry.method!r} in macro_assets/{room}.{near}"
        problems.append(Problem(files[f"{kind}/{name}"], name, text))
    return found


def _of_sources(files: Iterable[SourceFile]) -> dict[str, str]:
    """The file that declares each source: of several that are about one the first."""
    return {f"sources/{one.name}": one.file for one in reversed(list(files))}


def _sources(
    folder: Path | Traversable, own: Mapping[str, Mapping[str, Any]], problems: list[Problem]
) -> list[SourceFile]:
    """What the files of sources declare; one of the user's whose form is wrong, or whose name is taken, is left out."""
    found = [read_source(file, read_document(folder, file), problems) for file in yaml_files(folder, "sources")]
    shipped = {one.name: one.file for one in found}
    adding = {file: document for file, document in own.items() if isinstance(document.get("source"), str)}
    for file, document in own.items():
        if "source" not in document or file in adding:
            continue
        name = source_of(file)
        if name in shipped:
            problems.append(Problem(file, name, f"source: {name!r} is declared in {shipped[name]} already"))
            continue
        try:
            found.append(read_source(file, document, problems))
        except CatalogError as error:
            problems.append(of_the_file(file, error))
    declared = {one.name: one for one in reversed(found)}
    for file, document in adding.items():
        try:
            added = read_added(file, document, declared, problems)
        except CatalogError as error:
            problems.append(of_the_file(file, error))
            continue
        found.append(added)
        if home := declared.get(added.name):  # another file may name the same release
            declared[added.name] = home._replace(releases={**home.releases, **added.releases})
    return found
