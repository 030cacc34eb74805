"""A finished circuit run: two tidy tables, the configuration, and the sign convention.

terminal : one row per time: time_s, V_m_V, phi_m_V, I_m_A
slits    : one row per (time, slit): time_s, slit, q_C, R_ohm, phi_V

`q_C` is the charge C_slit (phi_m - phi_i) that the electrode holds against slit i (the slit's ions hold -q_C),
`R_ohm` the resistance between slit i and its neighbour on the bulk side, `phi_V` the potential of the slit with the
mid-plane at 0 V. Per metre of depth read A/m, C/m and ohm m. In a full cell the tables are those of the half-cell
at +phi_m; the other mirrors it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from circuit.config import CircuitConfig
from circuit.ladder import Ladder
from circuit.rosenbrock import Trajectory

SIGN = "charging current positive (anodic positive); V_m starts at 0; slit 1 is nearest the bulk"


@dataclass(frozen=True)
class Balance:
    """Over the whole run, of one half-cell: charges in C, energies in J."""

    charge_passed: float  # integral of I_m, by the integrator
    charge_stored: float  # sum of the capacitors' charges
    energy_supplied: float  # integral of phi_m I_m
    energy_stored: float  # sum of C u^2 / 2
    energy_dissipated: float  # integral of sum R I^2


@dataclass(frozen=True)
class CircuitResult:
    """Tables of one run (module docstring); `metadata` states the sign convention and the integrator's work."""

    config: CircuitConfig
    terminal: pd.DataFrame
    slits: pd.DataFrame
    metadata: dict[str, Any]
    ladder: Ladder = field(repr=False, compare=False)
    trajectory: Trajectory = field(repr=False, compare=False)

    def charge(self, slit: int) -> np.ndarray:
        """q_C of one slit (1 is nearest the bulk) at the times of `terminal`, shape (points,)."""
        return self.slits["q_C"].to_numpy().reshape(len(self.terminal), -1)[:, slit - 1]

    def balance(self) -> Balance:
        """Charge and energy accounts; integrals by three-point Gauss quadrature of the dense output."""
        ladder, steps = self.ladder, self.trajectory
        supplied = dissipated = 0.0
        nodes, weights = np.polynomial.legendre.leggauss(3)
        for node, weight in zip(nodes, weights, strict=True):
            times = steps.t + 0.5 * (1 + node) * steps.h
            y = steps(times)
            phi = np.interp(times, ladder.corners, ladder.potential)
            drop = np.diff(y[:, 1:], axis=1, prepend=0.0)  # V, on each resistor
            conductance = np.column_stack(
                [np.full(len(y), ladder.open_conductance), 1 / ladder.resistances(phi[:, None] - y[:, 2:])]
            )
            share = 0.5 * weight * steps.h
            supplied += float(share @ (phi * drop[:, 0])) * ladder.open_conductance
            dissipated += float(share @ (drop**2 * conductance).sum(axis=1))
        last = steps.end[-1]
        u = ladder.potential[-1] - last[1:]
        return Balance(
            charge_passed=float(last[0]),
            charge_stored=float(ladder.capacitance @ u),
            energy_supplied=supplied,
            energy_stored=float(0.5 * ladder.capacitance @ u**2),
            energy_dissipated=dissipated,
        )
