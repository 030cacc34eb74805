"""Verdicts: numbers, uncertainties, tolerances, and what follows."""
