"""Figures of the report and of the claims: tables in, a matplotlib Figure out."""
