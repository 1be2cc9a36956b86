"""Tests of the charts: what is drawn (specification, not pixels), on synthetic frames."""
