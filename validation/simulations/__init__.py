"""Simulations of a run folder, for checks and claims."""
