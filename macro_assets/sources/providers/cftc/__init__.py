"""CFTC's Commitments of Traders as files, and when the reports came out."""

from macro_assets.sources.providers.cftc.connector import plan

__all__ = ["plan"]
