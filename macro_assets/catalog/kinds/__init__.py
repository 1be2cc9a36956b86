"""The vocabulary of the catalog, a module per kind: typed, frozen entries and the rules one satisfies on its own."""
