"""The half-cell ladder: from the mid-plane (0 V) into the electrode (phi_m), slit by slit.

    mid-plane --R_open-- open space --R_1-- slit 1 --R_2-- slit 2 -- ... --R_n-- slit n
                            |                 |               |                    |
                          C_open            C_slit          C_slit               C_slit      (all to the electrode)

With phi_0 the potential of the open space, phi_i that of slit i, Q_i = C_i (phi_m - phi_i) >= 0 while the cell charges
at positive phi_m, and currents positive from the electrode's depth towards the bulk:

    I_0 = phi_0 / R_open = I_m
    I_i = (phi_i - phi_{i-1}) / R(q_i),   q_i = |Q_i| / Q_max
    C_i dphi_i/dt = C_i dphi_m/dt - I_i + I_{i+1},   I_{n+1} = 0,   dQ/dt = I_m  (charge passed)

Potentials rather than charges are integrated, since their differences keep their digits where the cell is nearly full.
R_i is the resistor between slit i and its neighbour on the bulk side and follows the charge of slit i itself. The
ionic charge of slit i is -Q_i; Q_i is the electrode's. A continuous line is met at second order in 1/n where the first
slit's resistor is halved. Sources: the paper's Fig. 4b and Extended Data Fig. 11c; R. de Levie,
doi:10.1016/0013-4686(63)80042-0.
"""

from __future__ import annotations

import numpy as np

from circuit.config import CircuitConfig
from circuit.resistance import SlitResistance
from transslit.errors import BadInput

Array = np.ndarray


class Ladder:
    """One half-cell as the problem M dy/dt = F(t, y) with y = (charge passed, phi_0, phi_1 ... phi_n).

    Parameters
    ----------
    config : the elements
    resistance : R(q)
    corners : times in s of the corners of the drive, shape (k,)
    potential : phi_m in V at the corners, shape (k,); linear between them
    """

    def __init__(self, config: CircuitConfig, resistance: SlitResistance, corners: Array, potential: Array) -> None:
        self.resistance, self.corners, self.potential = resistance, corners, potential
        n = config.slits
        self.capacitance = np.full(n + 1, config.slit_capacitance)  # F
        self.capacitance[0] = config.open_capacitance
        self.mass = np.concatenate([[1.0], self.capacitance])
        self.share = np.where(np.arange(n), 1.0, 0.5) if config.half_resistor_mouth else None  # of R(q) in a resistor
        self.per_volt = config.slit_capacitance / config.full_charge  # q per volt on a slit's capacitor
        self.open_conductance = 1 / config.open_resistance
        self.tolerance = config.tolerance
        self.window = float(np.abs(potential).max())
        self.steepest = float(np.abs(np.diff(potential) / np.diff(corners)).max())  # V/s
        self.largest = self.steepest * config.open_capacitance  # A, |I_m| met so far; the open space alone takes this
        self.conductance = np.full(n + 1, self.open_conductance)
        self.enter(0)

    def enter(self, segment: int) -> None:
        """Begin a sweep, in which phi_m is linear."""
        self.since, stop = self.corners[segment : segment + 2].tolist()
        self.at_start, phi = self.potential[segment : segment + 2].tolist()
        self.rising = (phi - self.at_start) / (stop - self.since)  # V/s
        self.displacement = self.rising * self.mass  # A
        self.displacement[0] = 0.0

    def electrode(self, t: float) -> float:
        """phi_m in V at a time within the sweep."""
        return self.at_start + self.rising * (t - self.since)

    def resistances(self, u: Array) -> Array:
        """R_i in ohm of the slits at capacitor voltages `u` = phi_m - phi (..., n) in V."""
        q = np.abs(u)
        q *= self.per_volt
        value = self.resistance.value(q)
        return value if self.share is None else value * self.share

    def currents(self, y: Array, u: Array) -> Array:
        """I_0 ... I_n in A, towards the bulk, shape (n + 1,); leaves 1 / R_i in `conductance`."""
        drop = y[1:].copy()
        drop[1:] -= y[1:-1]
        np.divide(1.0, self.resistances(u), out=self.conductance[1:])
        drop *= self.conductance
        return drop

    def into(self, current: Array) -> Array:
        """M dy/dt of I_0 ... I_n (n + 1,), in A, shape (n + 2,); the first entry is I_m."""
        into = self.displacement.copy()
        into[0] = current[0]
        into[1:] -= current
        into[1:-1] += current[1:]
        return into

    def rate(self, t: float, y: Array) -> Array:
        """M dy/dt, in A, shape (n + 2,)."""
        return self.into(self.currents(y, self.electrode(t) - y[2:]))

    def linearise(self, t: float, y: Array) -> tuple[Array, Array, Array, Array, Array] | None:
        """`rate`, the bands of its derivative by y in A/V, and its derivative by time in A/s.

        None where a resistance is not positive.
        """
        u = self.electrode(t) - y[2:]
        current = self.currents(y, u)
        below = self.conductance.copy()  # -dI_i/dphi_{i-1}
        if not below.min() > 0:
            return None
        slope = self.resistance.slope(np.abs(u) * self.per_volt) * np.copysign(self.per_volt, u)  # dR/du, ohm/V
        if self.share is not None:
            slope *= self.share
        slope *= current[1:] * below[1:]  # -dI_i/du_i, A/V
        above = below.copy()  # dI_i/dphi_i
        above[1:] += slope
        diagonal = np.zeros(len(y))
        diagonal[1:] = -above
        diagonal[1:-1] -= below[1:]
        forcing = np.zeros(len(y))  # only R(q) sees the time at fixed potentials
        slope *= self.rising
        forcing[2:] = slope
        forcing[1:-1] -= slope
        below[0] = 0.0  # nothing depends on the charge passed, which in its turn sees I_0
        return self.into(current), below, diagonal, above, forcing

    def error(self, t: float, y: Array, estimate: Array) -> float:
        """Error of phi over the largest |phi_m|, or a tenth of that of I_m over its largest value, over the tolerance.

        The tenth: where the open space is quicker than the step, the estimate of phi_0, unlike phi_0, is of low order.
        """
        largest = max(self.largest, abs(float(y[1])) * self.open_conductance)
        magnitude = np.abs(estimate[1:])
        of_current = 0.1 * float(magnitude[0]) * self.open_conductance / largest
        size = max(float(magnitude.max()) / self.window, of_current) / self.tolerance
        if size <= 1:
            self.largest = largest
        return size

    def refuse(self, t: float, y: Array) -> None:
        """Raise `BadInput` naming slit, time and q where a resistance is about to reach zero."""
        u = self.electrode(t) - y[2:]
        value = self.resistances(u)
        slit = int(np.argmin(value))
        if value[slit] < 0.01 * self.resistances(np.zeros(len(u)))[slit]:
            raise BadInput(
                "resistance",
                f"reaches zero in slit {slit + 1} at t = {t:.6g} s, q = {abs(u[slit]) * self.per_volt:.4g}",
                "must stay positive; lower gamma, or raise the charge at which q = 1",
            )
