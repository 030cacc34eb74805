"""Equation discovery: genetic programming over trans-slit records, returning a `Law`."""

from discovery.config import DiscoveryConfig
from discovery.stage import discover
from discovery.tables import read_table, table_from_records

__all__ = ["DiscoveryConfig", "discover", "read_table", "table_from_records"]
