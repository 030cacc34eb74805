"""The transcendental functions that a law may contain: f(sum p m) of monomials m with fitted constants p.

A new one is a line here, and one each in the grammar of laws (`transslit.formula`) and in that of netlists
(`circuit.spice`). `square`, `sqrt` and `log` have canonical forms of their own (`discovery.forms`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

TRANSCENDENTAL: dict[str, Callable[..., Any]] = {
    "exp": np.exp,
    "tanh": np.tanh,
    "sinh": np.sinh,
    "sin": np.sin,
    "cos": np.cos,
}
SEARCHABLE = ("square", "sqrt", "log", *TRANSCENDENTAL)
# Names in the text of a form.
NUMERIC: dict[str, Callable[..., Any]] = {**TRANSCENDENTAL, "log": np.log, "sqrt": np.sqrt, "Abs": np.abs}
