"""From a question to stored rows: fetch, judge, append, and back from landing. No Dagster."""
