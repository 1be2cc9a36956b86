"""What providers say of their series, and their search: one module per connector that has either, named as it is."""
