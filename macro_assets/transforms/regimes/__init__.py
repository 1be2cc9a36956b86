"""Regimes: states by a Markov chain and by a mixture, what is counted of them, what came after. Pure functions."""
