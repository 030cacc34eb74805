"""The paper's scale (Extended Data Fig. 13: R_c = 5 ohm, C = 0.08 uF) and two references that share no code with it."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.linalg import expm

from circuit import CircuitConfig
from transslit import TriangularCV

PAPER = {
    "layers": 20,
    "resistance": 5.0,
    "gamma": 0.9,
    "slit_capacitance": 80e-9,
    "open_resistance": 1.0,
    "open_capacitance": 10e-9,
    "drive": TriangularCV(cycles=2),
}


def make(**changes) -> CircuitConfig:
    """The paper's circuit but for `changes`."""
    return CircuitConfig(**{**PAPER, **changes})


def segments(config):
    """(start, stop, phi at start, dphi_m/dt) of each sweep, from the drive's definition alone."""
    half, share = config.drive.half_period, config.polarity / (2 if config.full_cell else 1)
    for k in range(2 * config.drive.cycles):
        up = k % 2 == 0
        start = 0.0 if up else share * config.drive.window
        yield k * half, (k + 1) * half, start, share * config.drive.scan_rate * (1 if up else -1)


def resistors(config, q):
    """R_i of the configuration's law at q (n,)."""
    value = config.resistance * (1 - (config.gamma if config.model == "ncm" else 0.0) * q)
    if config.half_entrance_resistor:
        value[0] *= 0.5
    return value


def potential_rates(config, phi, phi_m, s):
    """Node potentials' rates of change, written with Kirchhoff's law at each node: the reference's own form.

    At node k: C_k d(phi_m - phi_k)/dt = (what leaves node k through its resistors)
    """
    n = config.slits
    capacitance = np.array([config.open_capacitance] + n * [config.slit_capacitance])
    q = np.abs(config.slit_capacitance * (phi_m - phi[1:])) / config.full_charge
    conductance = 1 / np.concatenate([[config.open_resistance], resistors(config, q)])
    leaving = np.zeros(n + 1)
    for k in range(n + 1):
        bulk_side = phi[k - 1] if k else 0.0
        leaving[k] += conductance[k] * (phi[k] - bulk_side)
        if k < n:
            leaving[k] += conductance[k + 1] * (phi[k] - phi[k + 1])
    return s - leaving / capacitance


def radau(config, times):
    """I_m (k,) and slit charges (k, n) by SciPy's Radau at rtol 1e-10."""
    current, charge = np.empty(len(times)), np.empty((len(times), config.slits))
    phi = np.zeros(config.slits + 1)
    for start, stop, at_start, s in segments(config):
        inside = (times >= start) & (times <= stop)

        def rates(t, phi, start=start, at_start=at_start, s=s):
            return potential_rates(config, phi, at_start + s * (t - start), s)

        solution = solve_ivp(rates, (start, stop), phi, "Radau", times[inside], rtol=1e-10, atol=1e-13)
        phi_m = at_start + s * (times[inside] - start)
        current[inside] = solution.y[0] / config.open_resistance
        charge[inside] = config.slit_capacitance * (phi_m[:, None] - solution.y[1:].T)
        phi = solution.y[:, -1]
    return current, charge


def exact_linear(config, times):
    """I_m (k,) of a TLM by the matrix exponential of (phi, phi_m, 1); `times` must hold every corner."""
    n = config.slits
    matrix = np.zeros((n + 3, n + 3))
    matrix[: n + 1, : n + 1] = np.column_stack([potential_rates(config, row, 0.0, 0.0) for row in np.eye(n + 1)])
    current, state = np.zeros(len(times)), np.zeros(n + 3)
    state[-1] = 1.0
    sweeps = list(segments(config))
    propagators = {}
    for k in range(1, len(times)):
        dt = times[k] - times[k - 1]
        sweep = min(int((times[k] + times[k - 1]) / 2 / config.drive.half_period), len(sweeps) - 1)
        s = sweeps[sweep][3]
        key = (round(dt / times[-1] * 1e9), s)
        if key not in propagators:
            matrix[: n + 2, -1] = s
            propagators[key] = expm(matrix * dt)
        state = propagators[key] @ state
        current[k] = state[0] / config.open_resistance
    return current


@pytest.fixture(scope="session")
def paper():
    return make


@pytest.fixture(scope="session")
def references():
    return {"radau": radau, "exact": exact_linear}
