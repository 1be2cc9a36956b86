"""What is refused in this room."""

from __future__ import annotations


class VolatilityError(ValueError):
    """Figures or quotes of which no volatility can be said: the message says what was expected and what came."""
