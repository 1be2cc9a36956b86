"""Indicators: a module per method, pure functions of figures in standard units with the parameters of an entry."""
