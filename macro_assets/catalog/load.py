"""Reading the catalog: YAML files in, one frozen, cross-checked :class:`Catalog` out.

Belongs here: what the catalog is made of, rules between entries, and errors that name file, entry and field. Does not
belong here: the form of the files (``read.py``, ``source_files.py``), rules within an entry (``kinds/``).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from macro_assets.catalog import names
from macro_assets.catalog.kinds.chart import Chart
from macro_assets.catalog.kinds.declaration import Declaration
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
from macro_assets.catalog.read import CatalogError, Entries, read_document, read_entries
from macro_assets.catalog.source_files import release_entries, series_entries, source_entries, source_files

D = TypeVar("D", bound=Declaration)


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
    from difflib import get_close_matches

    folded = {n.lower(): n for n in among}
    near = [folded[m] for m in get_close_matches(name.lower(), list(folded), n=3, cutoff=0.5)]
    hint = f" Did you mean {', '.join(near)}?" if near else ""
    return f"unknown {kind} {name!r}.{hint} `macro list` shows all names."


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
        Holds `families.yaml`, `columns.yaml`, `tables.yaml`, `indicators.yaml`, `models.yaml`, `charts.yaml`,
        `views.yaml`, `recessions.yaml`, `instruments.yaml` and, in `sources/`, one `<source>.yaml` per source with its
        series.
    own
        Holds more files like those of `sources/`.

    Raises
    ------
    CatalogError
        When a file, an entry or a reference between entries is wrong; every problem found is in the message.
    """
    problems: list[str] = []
    files = {file: read_document(folder, file) for file in source_files(folder, own)}
    releases = _releases(release_entries(files))
    families = _by_name(read_entries(folder, "families.yaml", "families"), Family, problems)
    stated_sources = source_entries(files)
    sources = _by_name(stated_sources, Source, problems)
    stated = [
        e for file, document in files.items() for e in series_entries(file, document, sources, releases, problems)
    ]
    series = _by_name(stated, Series, problems, key="id")
    columns = _by_name(read_entries(folder, "columns.yaml", "columns"), Column, problems)
    indicators = _by_name(read_entries(folder, "indicators.yaml", "indicators"), Indicator, problems)
    models = _by_name(read_entries(folder, "models.yaml", "models"), Model, problems)
    charts = _by_name(read_entries(folder, "charts.yaml", "charts"), Chart, problems)
    used = {name: family for name, family in families.items() if any(s.family == name for s in sources.values())}
    each: dict[str, Iterable[Source | Family | Chart]] = {
        "source": sources.values(),
        "family": used.values(),
        "chart": charts.values(),
    }
    tables = _by_name(_table_entries(folder, columns, each, problems), Table, problems)
    views = _by_name(_column_entries(folder, "views", columns, problems), View, problems)
    recessions = tuple(
        r
        for file, entry in read_entries(folder, "recessions.yaml", "recessions")
        if (r := _validate(Recession, entry, file, str(entry.get("peak")), problems)) is not None
    )
    instruments = _by_name(read_entries(folder, "instruments.yaml", "instruments"), Instrument, problems)
    catalog = Catalog(
        sources, series, tables, indicators, models, charts, recessions, instruments, releases, families, views
    )
    problems += _dangling(catalog, {str(entry.get("id")): file for file, entry in stated})
    problems += [
        f"{file}: {entry['name']}: family: {source.family!r} is not declared in families.yaml"
        for file, entry in stated_sources
        if (source := sources.get(entry["name"])) is not None and source.family not in families
    ]
    _refuse(problems)
    return catalog


def _refuse(problems: list[str]) -> None:
    if problems:
        raise CatalogError("the catalog is broken:\n  " + "\n  ".join(problems))


def _releases(entries: Entries) -> dict[str, Release]:
    """Releases by source and id. A broken one is refused at once: its series would all seem broken too."""
    problems: list[str] = []
    found = (_validate(Release, entry, file, f"releases: {entry['id']}", problems) for file, entry in entries)
    releases = {f"{release.source}/{release.id}": release for release in found if release is not None}
    _refuse(problems)
    return releases


def _column_entries(
    folder: Path | Traversable, what: str, columns: Mapping[str, Column], problems: list[str]
) -> Entries:
    """Entries of a file of things with columns, the names of these replaced by the columns."""
    entries = read_entries(folder, f"{what}.yaml", what)
    for file, entry in entries:
        name = str(entry.get("name"))
        named, nullable = (_names(entry.pop(f, []), f"{file}: {name}: {f}", problems) for f in ("columns", "nullable"))
        problems += [f"{file}: {name}: columns: {c!r} is not in columns.yaml" for c in named if c not in columns]
        problems += [f"{file}: {name}: nullable: {c!r} is not among its columns" for c in nullable if c not in named]
        entry["columns"] = [{**columns[c].model_dump(), "nullable": c in nullable} for c in named if c in columns]
    return entries


def _table_entries(
    folder: Path | Traversable,
    columns: Mapping[str, Column],
    each: Mapping[str, Iterable[Source | Family | Chart]],
    problems: list[str],
) -> Entries:
    """Table entries, one named `.../{source}` once for each source, and so on.

    Its texts may use the name of the source, `{source}`, and its title, `{source.title}`.
    """
    entries: Entries = []
    for file, entry in _column_entries(folder, "tables", columns, problems):
        name = str(entry.get("name"))
        kind = name.partition("/")[2].strip("{}")
        if f"{{{kind}}}" not in name or kind not in each:
            entries.append((file, entry))
            continue
        for item in each[kind]:
            texts = {k: _told(str(entry.get(k)), kind, item) for k in ("name", "title", "description")}
            entries.append((file, {**entry, **texts}))
    return entries


def _told(text: str, kind: str, item: Source | Family | Chart) -> str:
    said = {f"{{{kind}}}": item.name, f"{{{kind}.title}}": item.title, f"{{{kind}.description}}": item.description}
    for placeholder, word in said.items():
        text = text.replace(placeholder, word)
    return text


def _names(value: object, where: str, problems: list[str]) -> list[str]:
    """A list of names; none, and a problem, where it is something else."""
    if isinstance(value, list) and all(isinstance(n, str) for n in value):
        return value
    problems.append(f"{where}: expected a list of names (got {value!r})")
    return []


def _validate(kind: type[D], entry: dict[str, Any], file: str, name: str, problems: list[str]) -> D | None:
    try:
        return kind.model_validate(entry)
    except ValidationError as error:
        for e in error.errors():
            where = ".".join(str(part) for part in e["loc"]) or "entry"
            got = "" if e["type"] in ("missing", "extra_forbidden") or not e["loc"] else f" (got {e['input']!r})"
            problems.append(f"{file}: {name}: {where}: {e['msg']}{got}")
        return None


def _by_name(entries: Entries, kind: type[D], problems: list[str], key: str = "name") -> dict[str, D]:
    found: dict[str, D] = {}
    for position, (file, entry) in enumerate(entries, start=1):
        name = str(entry.get(key) or f"entry {position}")
        declaration = _validate(kind, entry, file, name, problems)
        if declaration is None:
            continue
        if name in found:
            problems.append(f"{file}: {name}: {key}: declared twice; a {kind.__name__.lower()} needs a name of its own")
        found[name] = declaration
    return found


def _dangling(catalog: Catalog, declared: Mapping[str, str]) -> list[str]:
    """References from one entry to another that lead nowhere; a series declared wrongly is declared.

    `declared` has the file of each series.
    """
    wanted = [
        *(("indicators.yaml", i.name, s) for i in catalog.indicators.values() for c in i.components for s in c.series),
        *(("models.yaml", m.name, i.series) for m in catalog.models.values() for i in m.inputs),
        *(("charts.yaml", c.name, s) for c in catalog.charts.values() for s in c.series),
        *(("instruments.yaml", i.name, s) for i in catalog.instruments.values() for s in (i.price, *i.others)),
    ]
    problems = [f"{file}: {name}: series {s!r} is not declared" for file, name, s in wanted if s not in declared]
    problems += [
        f"charts.yaml: {c.name}: inputs: table {t!r} is not declared in tables.yaml"
        for c in catalog.charts.values()
        for t in c.inputs
        if t not in catalog.tables
    ]
    drawn = [
        *((c.name, "indicator", c.indicator, catalog.indicators) for c in catalog.charts.values()),
        *((c.name, "model", c.model, catalog.models) for c in catalog.charts.values()),
    ]
    problems += [
        f"charts.yaml: {chart}: {field}: {name!r} is not declared in {field}s.yaml"
        for chart, field, name, among in drawn
        if name is not None and name not in among
    ]
    problems += [
        f"{declared[s.id]}: {s.id}: fallback: source {f.source!r} is not declared"
        for s in catalog.series.values()
        for f in s.fallback
        if f.source not in catalog.sources
    ]
    problems += [
        f"views.yaml: {v.name}: name: a table of tables.yaml has it"
        for v in catalog.views.values()
        if v.name in catalog.tables
    ]
    of_families = [t for f in catalog.families if (t := catalog.tables.get(names.normalized(f))) is not None]
    problems += [
        f"views.yaml: {v.name}: takes: {taken!r} is no column of {table.name}"
        for table in of_families[:1]
        for v in catalog.views.values()
        for taken in v.taken.values()
        if taken not in {c.name for c in table.columns}
    ]
    return problems
