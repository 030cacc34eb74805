"""Small-signal impedance Z(omega) = dV_m / dI_m of the cell, linearised about any state.

With J = dF/dQ of the ladder at rest under a given V_m, and b = dF/dV_m:

    dQ = (j omega - J)^-1 b dV,   dI_m = (dV - ds) / R_open,   ds = sum of du/dQ dQ over the entrance's capacitors

At q = 0 and constant elements it tends, in many layers, to the open finite Warburg element
Z = R_open + sqrt(R / (j omega C)) coth(sqrt(j omega R C)), R and C those of the whole line.
Source: J. R. Macdonald, E. Barsoukov, Impedance Spectroscopy, 2nd ed., Wiley 2005, section 2.1.3; R. de Levie,
doi:10.1016/0013-4686(63)80042-0.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.linalg import solve_banded

from circuit.config import CircuitConfig
from circuit.ladder import Ladder
from circuit.program import Segment
from circuit.result import CircuitResult
from circuit.simulate import at_rest, prepare
from transslit.errors import BadInput
from transslit.law import Law

Array = np.ndarray


def impedance(
    config: CircuitConfig,
    frequencies: Array,
    bias: float = 0.0,
    law: Law | None = None,
    counter_law: Law | None = None,
) -> pd.DataFrame:
    """Impedance of the cell at rest at a cell voltage.

    Parameters
    ----------
    frequencies : in Hz, shape (k,)
    bias : V_m in V, which sets the state of charge

    Returns
    -------
    table of frequency_Hz, Z_real_ohm, Z_imag_ohm, shape (k, 3); a capacitor's imaginary part is negative

    Raises
    ------
    BadInput : a frequency is not positive, or the resistance of a slit at that charge is not
    """
    frequencies = np.asarray(frequencies, dtype=float)
    if not (np.isfinite(frequencies) & (frequencies > 0)).all():
        raise BadInput("frequencies", float(frequencies.min()), "must be positive and finite (1kHz)")
    config = config.model_copy(update={"initial_voltage": bias})
    ladder = prepare(config, law, counter_law, [Segment("voltage", 1.0, bias)])
    return linearised(ladder, at_rest(ladder, bias), frequencies)


def impedance_during(result: CircuitResult, time: float, frequencies: Array) -> pd.DataFrame:
    """As `impedance`, of the state of a run at `time` (s), in which the slits may be charged unevenly.

    The state is frozen at `time`: exact for signals that are fast against the drive.
    """
    ladder, at = result.ladder, np.array([time])
    voltage, _ = result.terminals(at)
    frozen = Ladder(ladder.config, ladder.resistance, [Segment("voltage", 1.0, ladder.half_cells * float(voltage[0]))])
    return linearised(frozen, result.trajectory(at)[0], np.asarray(frequencies, dtype=float))


def linearised(ladder: Ladder, y: Array, frequencies: Array) -> pd.DataFrame:
    """Impedance of a ladder in the state `y` about the present cell voltage; columns as in `impedance`."""
    derivatives = ladder.linearise(ladder.since, y)
    if derivatives is None:
        ladder.refuse(ladder.since, y)
        raise BadInput("resistance", "zero or negative in this state of charge", "must stay positive")
    _, low, diagonal, up, _ = derivatives
    f, n = ladder.first, ladder.nodes
    bands = np.zeros((3, n), dtype=complex)
    bands[0, 1:], bands[2, :-1] = -up[f:], -low[f:]
    right = np.zeros(n, dtype=complex)
    right[ladder.entrance] = 1 / ladder.open_resistance
    _, du = ladder.voltages(y[f:])
    Z = np.empty(len(frequencies), dtype=complex)
    for i, omega in enumerate(2 * np.pi * frequencies):
        bands[1] = 1j * omega - diagonal[f:]
        charge = solve_banded((1, 1), bands, right)
        ds_dV = (du[ladder.entrance] * charge[ladder.entrance]).sum()
        Z[i] = ladder.half_cells * ladder.open_resistance / (1 - ds_dV)
    return pd.DataFrame({"frequency_Hz": frequencies, "Z_real_ohm": Z.real, "Z_imag_ohm": Z.imag})
