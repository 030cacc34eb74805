"""The circuit's elements for a slit width, concentration, window and scan rate, without solving the continuum.

    ln R_c, gamma, ln C_slit, ln R_open, ln C_open, ln Q_max   over   ln d, ln c, ln V, ln (dV_m/dt)

each a Gaussian process (`transslit.emulator`) through the voltammograms in `circuit/elements.json`: the default network
(6 layers, L = 20 nm, gap 1 nm) in KCl, each reduced by `continuum.extract`. The file also holds its provenance, the
domain, and the errors for voltammograms that were held out of the fit. `studies/missing_methods` makes it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any, Self

import numpy as np

from transslit.emulator import Emulator
from transslit.errors import BadInput
from transslit.files import write_text
from transslit.resampling import STANDARD_ERRORS

INPUTS = {"slit": ("nm", 1e-9), "concentration": ("M", 1e3), "window": ("mV", 1e-3), "scan_rate": ("mV/us", 1e3)}
ELEMENTS = ("resistance", "gamma", "slit_capacitance", "open_resistance", "open_capacitance", "charge_max")
SUFFIXES = {"resistance": "_ohm_m", "gamma": "", "capacitance": "_F_per_m", "charge_max": "_C_per_m"}  # by a name's end
Array = np.ndarray


@dataclass(frozen=True)
class Surrogate:
    """Elements of a half-cell of the default network, per metre of depth: ohm m, F/m, C/m.

    Parameters
    ----------
    domain : lowest and highest value of each of `INPUTS`, SI
    inputs : operations for which the continuum was solved, (n, 4), SI, in the order of `INPUTS`
    elements : extracted from the solutions, (n, 6), in the order of `ELEMENTS`
    hyper : of each element's emulator, as `Emulator.hyper`; None: fit them
    held_out : root mean square of the relative error (of gamma the absolute one) of voltammograms held out of the fit
    """

    domain: Mapping[str, tuple[float, float]]
    inputs: Array
    elements: Array
    hyper: Mapping[str, Sequence[float]] | None
    held_out: Mapping[str, float]
    provenance: Mapping[str, Any]

    @classmethod
    def shipped(cls) -> Self:
        """The surrogate that is shipped with this package."""
        return cls.from_json(json.loads(files("circuit").joinpath("elements.json").read_text(encoding="utf-8")))

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """The surrogate that `to_json` describes."""
        rows = np.array(content["rows"], dtype=float)
        return cls(
            {name: (low, high) for name, (low, high) in content["domain"].items()},
            rows[:, : len(INPUTS)],
            rows[:, len(INPUTS) :],
            content["hyper"],
            content["held_out"],
            content["provenance"],
        )

    def write(self, path: Path) -> None:
        """Write elements.json, one line for each run."""
        lines = {
            name: "[\n  " + ",\n  ".join(map(json.dumps, value)) + "\n ]" if name == "rows" else json.dumps(value)
            for name, value in self.to_json().items()
        }
        write_text(path, "{\n" + ",\n".join(f' "{name}": {text}' for name, text in lines.items()) + "\n}\n")

    def to_json(self) -> dict[str, Any]:
        """The content of elements.json; six digits of every number, more than are significant."""
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
        """One for each element, of its logarithm (of gamma itself) over the unit cube of the inputs' logarithms."""
        x = self._unit(self.inputs)
        values = np.log(self.elements, where=np.array(ELEMENTS) != "gamma", out=self.elements.copy())
        return {
            name: Emulator.fit(x, column, None if self.hyper is None else np.array(self.hyper[name]))
            for name, column in zip(ELEMENTS, values.T, strict=True)
        }

    def at(
        self, slit: float, concentration: float = 1e3, window: float = 0.4, scan_rate: float = 2e4
    ) -> tuple[dict[str, float], dict[str, float]]:
        """Elements by name, and their standard errors, at one operation (SI; window and scan rate of V_m).

        An error adds those of the fit and of the held-out voltammograms in quadrature.

        Raises
        ------
        BadInput : outside the domain of the fit, or gamma >= 1 there, where equation 1 does not hold
        """
        operation = {"slit": slit, "concentration": concentration, "window": window, "scan_rate": scan_rate}
        for name, value in operation.items():
            low, high = self.domain[name]
            unit, scale = INPUTS[name]
            if not low * (1 - 1e-9) <= value <= high * (1 + 1e-9):
                within = (
                    f"the fitted elements hold from {low / scale:g} to {high / scale:g} {unit}; solve the continuum"
                )
                raise BadInput(name, f"{value / scale:g} {unit}", within)
        x = self._unit(np.array([list(operation.values())]))
        mean = np.array([emulator(x)[0] for emulator in self.emulators.values()])
        std = np.array([np.hypot(e.std(x)[0], self.held_out.get(name, 0.0)) for name, e in self.emulators.items()])
        logarithmic = np.array(ELEMENTS) != "gamma"
        values = np.exp(mean, where=logarithmic, out=mean.copy())
        errors = np.where(logarithmic, values, 1.0) * std
        if values[~logarithmic].max() >= 1:
            reason = "a filled slit would not resist at all (gamma >= 1): equation 1 does not hold; solve the continuum"
            raise BadInput("window", f"{window * 1e3:g} mV at {concentration / 1e3:g} M", reason)
        return dict(zip(ELEMENTS, values.tolist(), strict=True)), dict(zip(ELEMENTS, errors.tolist(), strict=True))

    def _unit(self, inputs: Array) -> Array:
        low, high = np.log([self.domain[name] for name in INPUTS]).T
        return (np.log(inputs) - low) / (high - low)


def with_units(values: Mapping[str, float], errors: Mapping[str, float]) -> dict[str, float]:
    """Elements and the half-widths of their intervals (`_u95`), with the units in their names."""
    named: dict[str, float] = {}
    for name, value in values.items():
        column = name + next(suffix for end, suffix in SUFFIXES.items() if name.endswith(end))
        named |= {column: value, f"{column}_u95": STANDARD_ERRORS * errors[name]}
    return named
