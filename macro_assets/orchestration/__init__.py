"""ALL Dagster: the only room, with `definitions.py` and the part of `cli/` that needs it, that imports dagster."""
