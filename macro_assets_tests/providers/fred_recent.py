"""FRED's stand-in serves the series of its last years too."""

from __future__ import annotations

from macro_assets_tests.providers.fred import answer

__all__ = ["answer"]
