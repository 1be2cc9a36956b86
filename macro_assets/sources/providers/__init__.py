"""One connector a module (or, of a family, a folder), named as the catalog's `connector` field has it."""
