"""The shared words of the suite: electrolytes, networks, drives, records and laws, and no simulation.

Everything here is in SI; units are read and written at the boundary only (`transslit.units`).
"""

from transslit.drive import ChargeStep, Drive, TriangularCV
from transslit.electrolyte import Electrolyte
from transslit.errors import BadInput, StageFailed, TransslitError
from transslit.ions import Ion
from transslit.law import Constant, Law
from transslit.library import load_electrolyte
from transslit.network import SlitNetwork
from transslit.record import TransSlitRecord

__version__ = "0.1.0"

__all__ = [
    "BadInput",
    "ChargeStep",
    "Constant",
    "Drive",
    "Electrolyte",
    "Ion",
    "Law",
    "SlitNetwork",
    "StageFailed",
    "TransSlitRecord",
    "TransslitError",
    "TriangularCV",
    "load_electrolyte",
]
