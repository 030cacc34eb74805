"""The circuit's elements for a slit width, concentration, window and scan rate, without solving the continuum.

    ln R_c, ln (gamma / (1 - gamma)), ln C_slit, ln R_open, ln C_open, ln Q_max   over   ln d, ln c, ln V, ln (dV_m/dt)

each a Gaussian process (`transslit.emulator`) through the voltammograms in `circuit/elements.json`: the default network
(6 layers, L = 20 nm, gap 1 nm) in KCl, each reduced by `continuum.extract`. The file says what made it, the domain, and
how far other voltammograms, which the fit has not seen, lie from it. `docs/missing-methods.md` makes it anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from typing import Any, Self

import numpy as np

from transslit.emulator import Emulator
from transslit.errors import BadInput

INPUTS = {"slit": ("nm", 1e-9), "concentration": ("M", 1e3), "window": ("mV", 1e-3), "scan_rate": ("mV/us", 1e3)}
ELEMENTS = ("resistance", "gamma", "slit_capacitance", "open_resistance", "open_capacitance", "charge_max")
Array = np.ndarray


@dataclass(frozen=True)
class Surrogate:
    """Elements of a half-cell of the default network, per metre of depth: ohm m, F/m, C/m.

    Parameters
    ----------
    domain : lowest and highest value of each of `INPUTS`, SI
    inputs : where the continuum was solved, (n, 4), SI, in the order of `INPUTS`
    elements : what it gave, (n, 6), in the order of `ELEMENTS`
    hyper : of each element's emulator, as `Emulator.hyper`; None has them fitted
    held_out : root mean square of the relative error (of gamma the absolute one) of voltammograms kept from the fit
    """

    domain: Mapping[str, tuple[float, float]]
    inputs: Array
    elements: Array
    hyper: Mapping[str, Sequence[float]] | None
    held_out: Mapping[str, float]
    provenance: Mapping[str, Any]

    @classmethod
    def shipped(cls) -> Self:
        """That of this package."""
        import json

        return cls.from_json(json.loads(files("circuit").joinpath("elements.json").read_text(encoding="utf-8")))

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """The surrogate of `to_json`."""
        rows = np.array(content["rows"], dtype=float)
        return cls(
            {name: (low, high) for name, (low, high) in content["domain"].items()},
            rows[:, : len(INPUTS)],
            rows[:, len(INPUTS) :],
            content["hyper"],
            content["held_out"],
            content["provenance"],
        )

    def to_json(self) -> dict[str, Any]:
        """The content of elements.json: every number with six digits, which is more than it is known to."""
        hyper = {name: [float(f"{v:.6g}") for v in fitted.hyper] for name, fitted in self.emulators.items()}
        rows = np.column_stack([self.inputs, self.elements])
        return {
            "provenance": dict(self.provenance),
            "columns": [*INPUTS, *ELEMENTS],
            "domain": {name: list(ends) for name, ends in self.domain.items()},
            "held_out": dict(self.held_out),
            "hyper": hyper,
            "rows": [[float(f"{value:.6g}") for value in row] for row in rows],
        }

    @cached_property
    def emulators(self) -> dict[str, Emulator]:
        """One for each element, of its logarithm (gamma: logit) over the unit cube of the inputs' logarithms."""
        x = self._unit(self.inputs)
        values = _spread_out(self.elements)
        return {
            name: Emulator.fit(x, column, None if self.hyper is None else np.array(self.hyper[name]))
            for name, column in zip(ELEMENTS, values.T, strict=True)
        }

    def at(
        self, slit: float, concentration: float = 1e3, window: float = 0.4, scan_rate: float = 2e4
    ) -> tuple[dict[str, float], dict[str, float]]:
        """Elements by name, and their standard errors, at one operation (SI; window and scan rate of V_m).

        Raises
        ------
        BadInput : outside the domain of the fit
        """
        given = {"slit": slit, "concentration": concentration, "window": window, "scan_rate": scan_rate}
        for name, value in given.items():
            low, high = self.domain[name]
            unit, scale = INPUTS[name]
            if not low * (1 - 1e-9) <= value <= high * (1 + 1e-9):
                within = (
                    f"the fitted elements hold from {low / scale:g} to {high / scale:g} {unit}; solve the continuum"
                )
                raise BadInput(name, f"{value / scale:g} {unit}", within)
        x = self._unit(np.array([list(given.values())]))
        mean = np.array([emulator(x)[0] for emulator in self.emulators.values()])
        std = np.array([emulator.std(x)[0] for emulator in self.emulators.values()])
        values = _drawn_in(mean)
        slope = np.where(np.array(ELEMENTS) == "gamma", values * (1 - values), values)
        return (
            dict(zip(ELEMENTS, values.tolist(), strict=True)),
            dict(zip(ELEMENTS, (slope * std).tolist(), strict=True)),
        )

    def _unit(self, inputs: Array) -> Array:
        low, high = np.log([self.domain[name] for name in INPUTS]).T
        return (np.log(inputs) - low) / (high - low)


def _spread_out(elements: Array) -> Array:
    """Logarithms, of gamma the logit, (n, 6) -> (n, 6)."""
    gamma = ELEMENTS.index("gamma")
    found = np.log(elements)
    found[:, gamma] -= np.log1p(-elements[:, gamma])
    return found


def _drawn_in(values: Array) -> Array:
    """The inverse of `_spread_out` for one row, (6,) -> (6,)."""
    found = np.exp(values)
    gamma = ELEMENTS.index("gamma")
    found[gamma] /= 1 + found[gamma]
    return found
