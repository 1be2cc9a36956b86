"""How each kind of derivation calls the pure rooms: inputs in, the tables of the catalog out. No storage, no Dagster."""
