"""Code versions of raw series: what changes when their entry, their connector, or what it ships with does."""

from collections.abc import Sequence
from importlib.metadata import version as installed_version

from macro_assets.catalog import Catalog, Series, Source
from macro_assets.graph.versions import text_version
from macro_assets.sources.protocol import connector, connector_module

_WORDS = {"publisher"}
"""Fields of an entry that only charts name: no figure depends on them."""


def series_code_versions(source: Source, series: Sequence[Series]) -> dict[str, str]:
    """Code version of raw series by id: of its catalog entry, its connector, and the packages or files it is in."""
    code = text_version((connector_module(source),), _shipped(source))
    return {s.id: text_version((), s.model_dump_json(exclude=_WORDS) + code) for s in series}


def _shipped(source: Source) -> str:
    """What tells that figures which come without a network are other ones: versions of packages, a hash of files."""
    packages = [f"{p} {installed_version(p)}" for p in source.packages]
    fingerprint = connector(source).fingerprint
    return "".join(packages) + (fingerprint(source) if fingerprint else "")


def source_code_version(source: Source, catalog: Catalog) -> str:
    """Code version of a source's table: of all its series together."""
    return text_version((), "".join(series_code_versions(source, catalog.series_of(source.name)).values()))
