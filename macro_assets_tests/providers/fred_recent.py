"""A stand-in for the series of which FRED has the last years alone: FRED's own."""

from macro_assets_tests.providers.fred import answer

__all__ = ["answer"]
