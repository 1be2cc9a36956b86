"""The Dagster code location."""

from macro_assets.orchestration.build import build_defs

defs = build_defs()
