"""Volatility: of prices with their ranges, by GARCH and HAR models, and of options quoted by delta. Pure functions."""
