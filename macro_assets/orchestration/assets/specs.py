"""What the spec and the check of every derived asset say, from the catalog."""

from collections.abc import Sequence
from typing import Any

import dagster as dg

from macro_assets.catalog import Catalog, Table, names
from macro_assets.orchestration.describe import key, series_links, table_metadata
from macro_assets.publishing.pages import charts_url
from macro_assets.quality import CheckReport

CHECK = "schema"

_GROUPS = dict.fromkeys(names.OF_MODELS, "forecasts") | dict.fromkeys(("real_time", "changes", "scores"), "indicators")
"""Group of an asset in the UI, where it is not its layer: what belongs to a model or an indicator stands together."""


def spec_arguments(table: Table, catalog: Catalog, series: Sequence[str] = ()) -> dict[str, Any]:
    """Arguments of an asset's spec; `series` are those it is made of, where they are few enough to name."""
    metadata = table_metadata(table)
    kind, name = names.entry_of(table.name) or ("", "")
    if kind == "charts":  # a fact of the server that runs now, not of the run that drew it: the port may be another
        metadata["page"] = dg.MetadataValue.url(f"{charts_url()}/{name}.html")
    if series:
        metadata["input_series"] = series_links(series, catalog)
    return {
        "description": f"{table.title}. {table.description}",
        "group_name": _GROUPS.get(table.layer, table.layer),
        "kinds": set(table.kinds),
        "owners": [table.owner],
        "tags": {"layer": table.layer, "silver" if table.layer == "normalized" else "gold": ""},
        "metadata": metadata,
    }


def check_spec(table: Table) -> dg.AssetCheckSpec:
    """The generated check of a derived table. It runs before the write: a table that fails is not written."""
    return dg.AssetCheckSpec(
        CHECK, asset=key(table.name), description="Types, nulls, bounds, key" + "".join(f", {r}" for r in table.rules)
    )


def check_result(table: Table, report: CheckReport) -> dg.AssetCheckResult:
    """The result of the generated check; where rules only warn, a warning."""
    wrong = [report] if not report.passed else list(report.warnings)
    return dg.AssetCheckResult(
        asset_key=key(table.name),
        check_name=CHECK,
        passed=not wrong,
        severity=dg.AssetCheckSeverity.WARN if report.passed else dg.AssetCheckSeverity.ERROR,
        description="; ".join(map(str, wrong)) or None,
        metadata={
            "rows": report.rows,
            "failures": sum(w.failures for w in wrong),
            "sample": dg.MetadataValue.json([case for w in wrong for case in w.sample]),
        },
    )
