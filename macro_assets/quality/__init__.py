"""Checks: frame in, report out. Pandera schemas are generated from the catalog. No Dagster."""

from macro_assets.quality.report import CheckReport
from macro_assets.quality.schemas import check_series, check_table

__all__ = ["CheckReport", "check_series", "check_table"]
