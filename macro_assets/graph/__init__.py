"""What is computed from what: the one list of derived tables, and reading them as of any instant. No Dagster."""
