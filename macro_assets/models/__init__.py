"""Forecasting models: from a panel as known at an instant to forecasts. statsmodels is imported inside functions."""
