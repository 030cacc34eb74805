"""A finished circuit run: two tidy tables, the configuration, and the sign convention.

terminal : one row per time: time_s, V_m_V, phi_m_V, I_m_A
slits    : one row per (time, slit): time_s, slit, q_C, R_ohm, phi_V

`q_C` is the charge that the electrode holds against slit i (the slit's ions hold -q_C), `R_ohm` the resistance
between slit i and its neighbour on the bulk side, `phi_V` the potential of the slit with the mid-plane at 0 V. Per
metre of depth read A/m, C/m and ohm m. In a full cell of equal half-cells the tables are those of the half-cell at
+phi_m; the other mirrors it. Where the two differ, `terminal` has phi_counter_V as well (V_m = phi_m - phi_counter),
and `slits` a column `electrode` (working or counter). Where the drive jumps, a row holds what follows the jump.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd

from circuit.config import CircuitConfig
from circuit.ladder import Ladder
from circuit.rosenbrock import Trajectory

SIGN = "charging current positive (anodic positive); V_m starts at 0; slit 1 is nearest the bulk"
Array = np.ndarray
MOST_ROWS = 4_000_000  # of the table of slits


@dataclass(frozen=True)
class Balance:
    """Over the whole run, of one half-cell (of the cell where the two differ): charges in C, energies in J."""

    charge_passed: float  # of one half-cell: integral of I_m; of two: the charge of the counter electrode
    charge_stored: float  # sum of the capacitors' charges, less that at the start
    energy_supplied: float  # integral of phi_m I_m
    energy_stored: float  # of the capacitors, less that at the start
    energy_dissipated: float  # integral of sum R I^2


@dataclass(frozen=True)
class CircuitResult:
    """Tables of one run (module docstring); `metadata` states the sign convention and the integrator's work."""

    config: CircuitConfig
    ladder: Ladder = field(repr=False, compare=False)
    trajectory: Trajectory = field(repr=False, compare=False)
    times: Array = field(repr=False, compare=False)
    metadata: dict[str, Any]

    @cached_property
    def _states(self) -> tuple[Array, Array]:
        """Charges and voltages of the capacitors at `times`, (points, nodes) each."""
        charge = self.trajectory(self.times)[:, self.ladder.first :]
        return charge, self.ladder.voltages(charge)[0]

    def _entrance(self, times: Array) -> Array:
        """Voltages of the entrance's capacitors, (k, 1), or (k, 2) of two different half-cells."""
        ladder = self.ladder
        return ladder.entrance_voltages(self.trajectory(times, [ladder.first + k for k in ladder.entrance]))

    @cached_property
    def terminal(self) -> pd.DataFrame:
        """One row per time."""
        ladder = self.ladder
        voltage, current = self.terminals(self.times)
        columns = {"time_s": self.times, "V_m_V": ladder.half_cells * voltage, "phi_m_V": voltage, "I_m_A": current}
        if ladder.pair:
            working, counter = self.config.electrodes
            ours, theirs = self._entrance(self.times).T
            columns["phi_m_V"] = ours + current * working.open_resistance
            columns["phi_counter_V"] = -(theirs + current * counter.open_resistance)
        return self._labelled(columns)

    @cached_property
    def slits(self) -> pd.DataFrame:
        """One row per time and slit; of thousands of slits at every second time, or third, up to `MOST_ROWS` rows."""
        ladder, config = self.ladder, self.config
        every = -(-len(self.times) * ladder.nodes // MOST_ROWS)
        times = self.times[::every]
        charge, u = (state[::every] for state in self._states)
        R = ladder.link_resistances(ladder.filling(charge))
        n, chain = config.slits, np.arange(ladder.nodes)
        sides = [("working", "phi_m_V", 1.0, chain[1:], chain[:n])]  # nodes and links, from the bulk inwards
        if ladder.pair:
            sides[0] = ("working", "phi_m_V", 1.0, chain[:n][::-1], chain[:n][::-1])
            sides.append(("counter", "phi_counter_V", -1.0, chain[n + 2 :], chain[n + 1 : -1]))
        tables = []
        for name, electrode, sign, nodes, links in sides:
            columns = {
                "time_s": np.repeat(times, len(nodes)),
                "slit": np.tile(np.arange(1, len(nodes) + 1), len(times)),
                "q_C": sign * charge[:, nodes].ravel(),
                "R_ohm": R[:, links].ravel(),
                "phi_V": (self.terminal[electrode].to_numpy()[::every, None] - sign * u[:, nodes]).ravel(),
            }
            table = self._labelled(columns)
            tables.append(table.assign(electrode=name) if ladder.pair else table)
        return tables[0] if len(tables) == 1 else pd.concat(tables, ignore_index=True)

    def charge(self, slit: int) -> Array:
        """q_C of one slit (1 is nearest the bulk) at the times of `terminal`, shape (points,)."""
        charge, _ = self._states
        return charge[:, self.ladder.inside - slit if self.ladder.pair else slit]

    def balance(self) -> Balance:
        """Charge and energy accounts; integrals by three-point Gauss quadrature of the dense output."""
        ladder, steps = self.ladder, self.trajectory
        supplied = dissipated = 0.0
        nodes, weights = np.polynomial.legendre.leggauss(3)
        for node, weight in zip(nodes, weights, strict=True):
            times = steps.t + 0.5 * (1 + node) * steps.h
            charge = steps(times)[:, ladder.first :]
            u, _ = ladder.voltages(charge)
            voltage, current = self.terminals(times)
            flow = ladder.flows(charge, u)
            share = 0.5 * weight * steps.h
            supplied += float(share @ (voltage * current))
            dissipated += float(
                share @ ((flow * -np.diff(u, axis=1)).sum(axis=1) + ladder.open_resistance * current**2)
            )
        start, end = steps.y[0], steps.end[-1]
        first, last = (state[ladder.first :] for state in (start, end))
        gained = last - first
        split = ladder.inside + 1 if ladder.pair else len(gained)
        return Balance(
            charge_passed=float(gained[split:].sum()) if ladder.pair else float((end - start)[ladder.first - 1]),
            charge_stored=float(gained[:split].sum()),
            energy_supplied=supplied,
            energy_stored=float(ladder.energy(last).sum() - ladder.energy(first).sum()),
            energy_dissipated=dissipated,
        )

    def terminals(self, times: Array, before: bool = False) -> tuple[Array, Array]:
        """V_m / half-cells in V and I_m in A at `times` (k,); where the drive jumps after the jump, or `before` it."""
        ladder, corners = self.ladder, self.trajectory.corners
        s = self._entrance(times).sum(axis=1)
        side: Literal["left", "right"] = "left" if before else "right"
        which = np.clip(np.searchsorted(corners, times, side=side) - 1, 0, len(corners) - 2)
        a, b, c = (np.array([getattr(segment, name) for segment in ladder.segments])[which] for name in "abc")
        mode = np.array([segment.mode for segment in ladder.segments])[which]
        tau = times - corners[which]
        command = a + tau * (b + tau * c)
        R = ladder.open_resistance
        root = np.sqrt(np.maximum(s * s + 4 * R * np.where(mode == "power", command, 0.0) / ladder.half_cells, 1e-30))
        current = np.select(
            [mode == "voltage", mode == "current"],
            [(command / ladder.half_cells - s) / R, command],
            (root - s) / (2 * R),
        )
        passing, steps = self.trajectory.rate(times, ladder.passed)
        steady = (mode == "voltage") & ladder.quasi_steady(steps) & (times > self.trajectory.t[0])
        current = np.where(steady, passing, current)
        voltage = np.where(mode == "voltage", command / ladder.half_cells, s + R * current)
        return voltage, current

    def _labelled(self, columns: dict[str, Array]) -> pd.DataFrame:
        table = pd.DataFrame(columns)
        table.attrs["sign"] = SIGN
        return table
