"""Forecasts and released outcomes to scores: pure functions, frame in, frame out. Models are made in models/."""
