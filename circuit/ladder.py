"""The half-cell ladder: from the mid-plane (0 V) into the electrode (phi_m), slit by slit.

    mid-plane --R_open-- open space --R_1-- slit 1 --R_2-- slit 2 -- ... --R_n-- slit n
                            |                 |               |                    |
                          C_open            C_slit          C_slit               C_slit      (all to the electrode)

With u = phi_m - phi the voltage on each capacitor (u_0 that of the open space), so that Q_i = C_i u_i >= 0 while the
cell charges at positive phi_m, and currents positive from the electrode's depth towards the bulk:

    I_0 = (phi_m - u_0) / R_open = I_m
    I_i = (phi_i - phi_{i-1}) / R_i = (u_{i-1} - u_i) / R(q_i),   q_i = |Q_i| / Q_max
    C_i du_i/dt = I_i - I_{i+1},   I_{n+1} = 0,   dQ/dt = I_m  (charge passed)

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
    """One half-cell as the problem M dy/dt = F(t, y) with y = (charge passed, u_0, u_1 ... u_n).

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
        self.mass = np.full(n + 2, config.slit_capacitance)  # F, but for the first
        self.mass[:2] = 1.0, config.open_capacitance
        self.share = np.where(np.arange(n), 1.0, 0.5) if config.half_resistor_mouth else None  # of R(q) in a resistor
        self.per_volt = config.slit_capacitance / config.full_charge  # q per volt on a slit's capacitor
        self.open_conductance = 1 / config.open_resistance
        self.tolerance = config.tolerance
        self.window = float(np.abs(potential).max())
        self.steepest = float(np.abs(np.diff(potential) / np.diff(corners)).max())  # V/s
        self.largest = self.steepest * config.open_capacitance  # A, |I_m| met so far; the open space alone takes this
        self.conductance = np.full(n + 1, self.open_conductance)
        self.enter(0)

    def enter(self, segment: int) -> Array:
        """Begin a sweep, in which phi_m is linear. Returns d(rate)/dt: only R_open sees the drive."""
        t, phi = self.corners[segment : segment + 2], self.potential[segment : segment + 2]
        self.rising = float((phi[1] - phi[0]) / (t[1] - t[0]))  # V/s
        self.at_zero = float(phi[0] - self.rising * t[0])
        forcing = np.zeros(len(self.mass))
        forcing[:2] = self.open_conductance * self.rising
        return forcing

    def resistances(self, u: Array) -> Array:
        """R_i in ohm of the slits at capacitor voltages `u` (..., n) in V."""
        q = np.abs(u)
        q *= self.per_volt
        value = self.resistance.value(q)
        return value if self.share is None else value * self.share

    def currents(self, t: float, y: Array) -> Array:
        """I_0 ... I_n in A, towards the bulk, shape (n + 1,); leaves 1 / R_i in `conductance`."""
        drop = y[:-1] - y[1:]
        drop[0] = self.at_zero + self.rising * t - y[1]
        np.divide(1.0, self.resistances(y[2:]), out=self.conductance[1:])
        drop *= self.conductance
        return drop

    def into(self, current: Array) -> Array:
        """What I_0 ... I_n (n + 1,) bring to each entry of y, in A, shape (n + 2,)."""
        into = np.empty(len(current) + 1)
        into[0] = current[0]
        np.subtract(current[:-1], current[1:], out=into[1:-1])
        into[-1] = current[-1]
        return into

    def rate(self, t: float, y: Array) -> Array:
        """Currents into each capacitor in A, shape (n + 2,); the first entry is I_m."""
        return self.into(self.currents(t, y))

    def linearise(self, t: float, y: Array) -> tuple[Array, Array, Array, Array] | None:
        """`rate`, and the bands of its derivative by y in A/V; None where a resistance is not positive."""
        current = self.currents(t, y)
        low = self.conductance.copy()  # dI_i/du_{i-1}
        if not low.min() > 0:
            return None
        slits = y[2:]
        slope = self.resistance.slope(np.abs(slits) * self.per_volt) * np.copysign(self.per_volt, slits)  # ohm/V
        if self.share is not None:
            slope *= self.share
        up = low.copy()  # -dI_i/du_i
        up[1:] += current[1:] * low[1:] * slope
        diagonal = np.zeros(len(y))
        diagonal[1:] = -up
        diagonal[1:-1] -= low[1:]
        low[0] = 0.0  # nothing depends on the charge passed
        up[0] = -self.open_conductance
        return self.into(current), low, diagonal, up

    def error(self, t: float, y: Array, estimate: Array) -> float:
        """Error of u over the largest |phi_m|, or a tenth of that of I_m over its largest value, over the tolerance.

        The tenth: where the open space is quicker than the step, the estimate of u_0, unlike u_0, is of low order.
        """
        largest = max(self.largest, abs(self.at_zero + self.rising * t - float(y[1])) * self.open_conductance)
        magnitude = np.abs(estimate[1:])
        of_current = 0.1 * float(magnitude[0]) * self.open_conductance / largest
        size = max(float(magnitude.max()) / self.window, of_current) / self.tolerance
        if size <= 1:
            self.largest = largest
        return size

    def refuse(self, t: float, y: Array) -> None:
        """Raise `BadInput` naming the slit whose resistance is about to reach zero, the time and its q."""
        slit = int(np.argmin(self.resistances(y[2:])))
        q = abs(float(y[2 + slit])) * self.per_volt
        raise BadInput(
            "resistance",
            f"reaches zero in slit {slit + 1} at t = {t:.6g} s, q = {q:.4g}",
            "must stay positive; lower gamma, or raise the charge at which q = 1",
        )
