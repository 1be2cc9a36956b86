"""FRED and ALFRED: the connector, how its lists page, what its answers say, and what vintages and units mean."""

from macro_assets.sources.providers.fred.connector import calendar, explain, plan

__all__ = ["calendar", "explain", "plan"]
