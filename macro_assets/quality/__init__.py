"""Checks: frame in, report out. Pandera schemas are generated from the catalog. No Dagster."""

from macro_assets.quality.report import CheckReport
from macro_assets.quality.schemas import Checked, check_series, check_table, checks_of, rules_of

__all__ = ["CheckReport", "Checked", "check_series", "check_table", "checks_of", "rules_of"]
