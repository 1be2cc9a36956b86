"""Raw to normalized and derived tables: pure Polars functions, frame in, frame out. No storage, no Dagster."""
