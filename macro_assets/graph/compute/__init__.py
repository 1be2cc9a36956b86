"""How each kind of derivation calls the pure rooms: inputs in, tables of the catalog out. No storage, no Dagster."""
