"""Processes that race each other for one table: what each of them does."""
