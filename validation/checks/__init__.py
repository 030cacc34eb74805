"""Checks: records in, verdicts out."""
