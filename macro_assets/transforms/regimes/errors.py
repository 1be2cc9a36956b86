"""What is refused in this room."""

from __future__ import annotations


class RegimeError(ValueError):
    """Figures that tell no regimes apart: the message says what was expected and what came."""
