"""Equation discovery: genetic programming over trans-slit records, returning a `Law`."""

from discovery.config import DiscoveryConfig
from discovery.problem import make_problem as check
from discovery.stage import discover
from discovery.tables import read_tables, table_from_records

__all__ = ["DiscoveryConfig", "check", "discover", "read_tables", "table_from_records"]
