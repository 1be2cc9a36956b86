"""HOW to fetch: one module per provider, from (client, series, window) to observations. No Dagster, no disk."""
