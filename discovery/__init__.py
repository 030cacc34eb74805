"""Equation discovery: genetic programming over trans-slit records, returning a `Law`."""
