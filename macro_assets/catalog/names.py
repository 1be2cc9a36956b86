"""Names of what the catalog's entries have: tables, and the assets of series. They are spelled here alone."""

from __future__ import annotations

from collections.abc import Mapping

from macro_assets.catalog.kinds.series import Series

OF_MODELS = ("forecasts", "news", "diagnostics", "fits", "paths")
"""Layers of the tables of models."""

LAYERS: Mapping[str, tuple[str, ...]] = {
    "sources": ("raw", "silences", "landing", "fetch_log"),
    "families": ("normalized",),
    "indicators": ("indicators", "real_time", "changes"),
    "scores": ("scores",),
    "models": OF_MODELS,
    "charts": ("charts",),
}
"""Layers of the tables that entries of a kind have, those of the templates of tables.yaml."""

_KINDS = {layer: kind for kind, layers in LAYERS.items() for layer in layers}


def entry_of(table: str) -> tuple[str, str] | None:
    """Kind and name of the entry that a table is of; None for one that stands by itself."""
    layer, _, name = table.partition("/")
    return (_KINDS[layer], name) if layer in _KINDS else None


def raw(source: str) -> str:
    """The table of every vintage of a source."""
    return f"raw/{source}"


def raw_series(series: Series) -> str:
    """The asset of one series; its rows are in the table of its source."""
    return f"{raw(series.source)}/{series.id}"


def normalized(family: str) -> str:
    """The table of the observations of a family in standard units."""
    return f"normalized/{family}"


def silences(source: str) -> str:
    """The table of what the vintages of a source do not say, of one that tells whole ones."""
    return f"silences/{source}"


def landing(source: str) -> str:
    """The table of the responses of a source as they came."""
    return f"landing/{source}"


def fetch_log(source: str) -> str:
    """The table of the latest fetch of each series of a source."""
    return f"fetch_log/{source}"


def indicator(name: str) -> str:
    """The table of an indicator."""
    return f"indicators/{name}"


def real_time(indicator: str) -> str:
    """The table of an indicator as of each month."""
    return f"real_time/{indicator}"


def changes(indicator: str) -> str:
    """The table of why an indicator moved between as-of months."""
    return f"changes/{indicator}"


def score(name: str) -> str:
    """The table of a score."""
    return f"scores/{name}"


def forecast(model: str) -> str:
    """The table of a model's forecasts."""
    return f"forecasts/{model}"


def news(model: str) -> str:
    """The table of why a model's forecasts moved."""
    return f"news/{model}"


def diagnostics(model: str) -> str:
    """The table of what a model's method says of itself."""
    return f"diagnostics/{model}"


def fits(model: str) -> str:
    """The table of a model's estimated parameters."""
    return f"fits/{model}"


def path(model: str) -> str:
    """The table of a model's forecasts as of instants off the monthly grid."""
    return f"paths/{model}"


def chart(name: str) -> str:
    """The table of a chart."""
    return f"charts/{name}"
