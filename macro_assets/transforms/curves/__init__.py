"""The mathematics of yield curves: pure NumPy, all dates at once. Rates are in percent, times in years."""
