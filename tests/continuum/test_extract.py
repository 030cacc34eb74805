"""Ladder elements from a planted record: a linear-in-q ladder integrated by SciPy, with a resting potential on top."""

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import solve_ivp

from continuum import extract
from continuum.tables import capacitance_tables, ladder_tables
from transslit import BadInput, TransSlitRecord, TriangularCV

RESISTANCE, GAMMA, SLIT, OPEN, OPEN_C = 0.7, 0.45, 5e-8, 0.15, 2e-8  # ohm m, 1, F/m, ohm m, F/m
SLITS = 4
DRIVE = TriangularCV(scan_rate=2e5, window=0.4)


def planted(share=0.5, resting=0.05, points=1500, own=False):
    """A record of the ladder; slit centres carry `resting` q_1 (V), or q_i if `own`, beside their nodes' potentials."""
    full = DRIVE.window / 2  # V on a slit's capacitor at q = 1

    def currents(t, u):
        phi_m = float(DRIVE.electrode_potential(t))
        shares = np.full(SLITS, 1.0)
        shares[0] = share
        resistances = shares * RESISTANCE * (1 - GAMMA * u[1:] / full)
        inner = (u[:-1] - u[1:]) / resistances  # I_0 through the entrance, I_1, ...
        return np.concatenate([[(phi_m - u[0]) / OPEN], inner, [0.0]])

    def rates(t, u):
        current = currents(t, u)
        return (current[:-1] - current[1:]) / np.array([OPEN_C, *[SLIT] * SLITS])

    times = np.linspace(0, DRIVE.duration, points + 1)
    turn = points // 2
    settings = {"method": "LSODA", "rtol": 1e-9, "atol": 1e-12, "first_step": 1e-12}
    first = solve_ivp(rates, (0, times[turn]), np.zeros(SLITS + 1), t_eval=times[: turn + 1], **settings)
    second = solve_ivp(rates, (times[turn], times[-1]), first.y[:, -1], t_eval=times[turn:], **settings)
    u = np.concatenate([first.y, second.y[:, 1:]], axis=1).T
    current = np.array([currents(t, v) for t, v in zip(times, u, strict=True)])
    stored = u @ np.array([OPEN_C, *[SLIT] * SLITS])
    current[1:, 0] = np.diff(stored) / np.diff(times)  # of the whole step, as implicit steps leave it
    phi_m = DRIVE.electrode_potential(times)
    q = u[:, 1:] / u[:, 1:].max(axis=0)
    rows, crossings = [], []
    for i in range(1, SLITS + 1):
        rest = resting * (q if own else q[:, [0] * SLITS])
        phi = phi_m - u[:, i] + rest[:, i - 1]
        rows.append(pd.DataFrame({"time_s": times, "i": i, "phi_V": phi, "Q_C_per_m": -SLIT * u[:, i]}))
        if i < SLITS:
            drop = u[:, i] - u[:, i + 1] + rest[:, i] - rest[:, i - 1]
            total = current[:, i + 1]
            crossings.append(pd.DataFrame({"time_s": times, "i": i, "dphi_V": drop, "I_A_per_m": total}))
    slits = pd.concat(rows).assign(replica=0, rho_C_per_m3=0.0, c_mol_per_m3=0.0)
    crossing = pd.concat(crossings).assign(replica=0)
    crossing["I_migration_A_per_m"] = crossing["I_A_per_m"]
    for name in ("diffusion", "steric", "residual"):
        crossing[f"I_{name}_A_per_m"] = 0.0
    terminal = pd.DataFrame({"replica": 0, "time_s": times, "phi_m_V": phi_m, "I_m_A_per_m": current[:, 0]})
    return TransSlitRecord(crossing, slits, terminal, {"source": "planted"})


@pytest.mark.parametrize("share", [0.5, 1.0])
def test_planted_elements_are_found(share):
    found = extract(planted(share), half_entrance_resistor=share == 0.5)
    assert found.slit_capacitance == pytest.approx(SLIT, rel=0.01)
    assert found.open_capacitance == pytest.approx(OPEN_C, rel=0.02)
    assert found.open_resistance == pytest.approx(OPEN, rel=0.05)
    # Crossing i follows the deeper slit's charge here and the nearer one's in the fit: 1 % apart.
    assert found.resistance == pytest.approx(RESISTANCE, rel=0.02)
    # q runs to the slit's own largest charge, a little below C_slit times the largest voltage.
    assert found.gamma * SLIT * DRIVE.window / 2 / found.charge_max == pytest.approx(GAMMA, rel=0.03)


def test_resting_potential_does_not_enter_the_elements():
    plain, resting = (extract(planted(resting=volts)) for volts in (0.0, 0.05))
    for name in ("slit_capacitance", "open_resistance", "open_capacitance"):
        assert getattr(resting, name) == pytest.approx(getattr(plain, name), rel=1e-3)
    assert resting.centre_capacitances[0] > 1.2 * plain.centre_capacitances[0]


def test_uneven_frames_give_what_even_ones_do():
    """Frames crowded at the turns, as adaptive steps leave them; unweighted fits would be off by 3 % and more."""
    record = planted(share=0.5)
    times = np.unique(record.terminal["time_s"])
    half = (times.size - 1) // 2
    crowded = np.unique(np.round(half * np.linspace(0, 1, 60) ** 3).astype(int))
    kept = times[np.unique(np.concatenate([crowded, half + crowded]))]
    thin = TransSlitRecord(
        *(table[table["time_s"].isin(kept)] for table in (record.crossings, record.slits, record.terminal)),
        {"source": "planted"},
    )
    even, uneven = extract(record), extract(thin)
    assert len(kept) < 120
    assert uneven.resistance == pytest.approx(even.resistance, rel=2e-3)
    assert uneven.gamma == pytest.approx(even.gamma, rel=5e-3)
    assert uneven.slit_capacitance == pytest.approx(even.slit_capacitance, rel=2e-3)
    assert uneven.open_resistance == pytest.approx(even.open_resistance, rel=0.02)


def test_even_records_are_left_alone():
    record = planted(points=200)
    assert record.resampled() is record


def test_records_that_hold_no_ladder_are_refused():
    record = planted(points=200)
    charged = record.terminal.rename(columns={"phi_m_V": "sigma_C_per_m2"})
    with pytest.raises(BadInput, match="driven by charge"):
        extract(TransSlitRecord(record.crossings, record.slits, charged))
    with pytest.raises(BadInput, match="two"):
        extract(TransSlitRecord(record.crossings[:0], record.slits[record.slits["i"] == 1], record.terminal))


@pytest.mark.parametrize("volts", [0.0, 1e-3])
def test_slits_may_differ_in_their_potential_at_rest(volts):
    """Slit 1 a millivolt above the others where it is full, at a rate at which R I is a hundredth of that."""
    record = planted(resting=0.05, points=400)
    slits = record.slits.copy()
    first = slits["i"] == 1
    q = slits["Q_C_per_m"].abs() / slits.groupby("i")["Q_C_per_m"].transform(lambda charge: charge.abs().max())
    slits.loc[first, "phi_V"] += volts * q[first]
    crossings = record.crossings.copy()
    of_first = crossings["i"] == 1
    crossings.loc[of_first, "dphi_V"] -= volts * q[first].to_numpy()
    found, plain = extract(TransSlitRecord(crossings, slits, record.terminal, record.metadata)), extract(record)
    assert found.resistance == pytest.approx(plain.resistance, rel=1e-6)
    assert found.gamma == pytest.approx(plain.gamma, rel=1e-6)
    assert found.open_resistance == pytest.approx(plain.open_resistance, rel=1e-6)


@pytest.mark.parametrize("volts", [0.0, 0.05])
def test_the_tables_of_a_record_leave_out_each_slits_potential_at_rest(volts):
    """The planted R_c (1 - gamma u / u_full), whose slits fill a little less than u_full, C_slit, C_open and R_open."""
    record = planted(points=800, resting=volts, own=True)
    tables = ladder_tables(record)
    table = tables.resistance
    assert tables.open_resistance == pytest.approx(OPEN, rel=0.1)
    for capacitor in tables.slits:
        assert capacitor.value == pytest.approx([SLIT] * len(capacitor.value), rel=0.03)
    assert tables.open_space.value == pytest.approx([OPEN_C] * len(tables.open_space.value), rel=0.05)
    assert table.charge_max == record.slits["Q_C_per_m"].abs().max()
    full = SLIT * DRIVE.window / 2
    expected = RESISTANCE * (1 - GAMMA * np.array(table.at) * table.charge_max / full)
    assert table.value == pytest.approx(expected, rel=0.06)  # the planted law follows the deeper slit of a crossing


@pytest.mark.parametrize("volts", [0.0, 0.05])
def test_resistance_over_that_between_centres_is_known(volts):
    """Nodes rise by du, centres by du - volts dq: a law of the centres times 1 / (1 - volts / u_full)."""
    record = planted(points=800, resting=volts, own=True)
    factor = ladder_tables(record).over_centres
    full = record.slits["Q_C_per_m"].abs().max() / SLIT
    assert factor.value == pytest.approx([1 / (1 - volts / full)] * len(factor.value), rel=0.03)


def test_slits_that_a_cycle_does_not_reach_tell_no_elements():
    """The deepest slit's charge a tenth of the others': its elements, whatever they are, count no more."""
    record = planted(points=400)
    slits = record.slits.copy()
    slits.loc[slits["i"] == SLITS, "Q_C_per_m"] *= 0.1
    found, plain = extract(TransSlitRecord(record.crossings, slits, record.terminal, record.metadata)), extract(record)
    assert found.slit_capacitance == pytest.approx(plain.slit_capacitance, rel=0.02)
    assert found.charge_max == pytest.approx(plain.charge_max, rel=0.02)
    assert len(found.slit_capacitances) == SLITS
    tables = capacitance_tables(TransSlitRecord(record.crossings, slits, record.terminal, record.metadata), found)
    assert tables.slits[SLITS - 1] == tables.slits[SLITS - 2]
