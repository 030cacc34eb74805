"""Circuit: nano-circuitry and transmission line ladders driven by any `Law`."""

from circuit.config import CircuitConfig, HalfCell, Table
from circuit.result import Balance, CircuitResult
from circuit.simulate import simulate

__all__ = ["Balance", "CircuitConfig", "CircuitResult", "HalfCell", "Table", "simulate"]
