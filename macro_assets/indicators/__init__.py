"""Composite indicators: pure functions of the monthly panel with the frozen parameters of the catalog."""
