"""Tests of the pages: escaped, self-contained, and drawn by a real browser."""
