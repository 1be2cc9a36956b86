"""How well forecasts, signals and regimes did: a method of scores a module, frames in, frame out."""
