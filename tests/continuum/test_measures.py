"""Measures of planted voltammograms, whose resistances, shares and trends are known."""

import numpy as np
import pandas as pd
import pytest

from continuum import ContinuumConfig, Run
from continuum import measures as m
from transslit import SlitNetwork, TransSlitRecord, TriangularCV, load_electrolyte
from transslit.record import PARTS

NETWORK = SlitNetwork(slit=1e-9, layers=5, slit_length=5e-9, edge_gap=0.8e-9, reservoir_length=6e-9)
DRIVE = TriangularCV(scan_rate=1e6, window=0.4)  # half a period is 0.4 us
SWEEP = 40  # instants
R, GAMMA = 3.0, 0.6  # ohm m, 1


def run_of(columns, i=(1, 2, 3), **replaced):
    """A run whose crossings have `columns` (i, time) in parts of a cycle; slit i holds -i times a triangle of one."""
    time = np.arange(2 * SWEEP + 1) / SWEEP * DRIVE.half_period
    filled = 1 - np.abs(1 - np.arange(2 * SWEEP + 1) / SWEEP)
    tables = []
    for n in (*i, len(i) + 1):
        keys = pd.DataFrame({"replica": 0, "time_s": time, "i": n})
        tables.append(keys.assign(phi_V=0.0, Q_C_per_m=-n * filled, rho_C_per_m3=0.0, c_mol_per_m3=1.0))
    slits = pd.concat(tables, ignore_index=True)
    crossings = slits.loc[slits["i"] <= len(i), ["replica", "time_s", "i"]].reset_index(drop=True)
    crossings = crossings.assign(dphi_V=0.0, **dict.fromkeys(PARTS, 0.0))
    for name, values in columns.items():
        crossings[name] = np.concatenate([values(n, filled, np.arange(2 * SWEEP + 1) / (2 * SWEEP)) for n in i])
    crossings["I_A_per_m"] = crossings[PARTS].sum(axis=1)
    terminal = pd.DataFrame({"replica": 0, "time_s": time, "I_m_A_per_m": 1.0, "phi_m_V": 0.2 * filled})
    facts = {"electrolyte": "KCl", "temperature_K": 298.15, "network": NETWORK.model_dump(mode="json")}
    config = ContinuumConfig(network=NETWORK, electrolyte=load_electrolyte("KCl"), drive=DRIVE)
    return Run(None, config, {}, TransSlitRecord(crossings, slits, terminal, facts))


def current(n, q, phase):
    """-n A/m on the way back, n on the way, and a tenth of that at the turn."""
    return n * np.where(phase < 0.5, 1.0, -1.0) * np.where(np.isclose(phase, 0.5), 0.1, 1.0)


@pytest.fixture
def ohmic():
    """dphi = I R_c (1 - gamma q), all by migration."""
    return run_of(
        {
            "I_migration_A_per_m": current,
            "dphi_V": lambda n, q, phase: current(n, q, phase) * R * (1 - GAMMA * q),
        }
    )


def test_driven_rows_have_the_planted_resistance_and_the_phase_of_the_cycle(ohmic):
    table = m.driven(ohmic)
    np.testing.assert_allclose(table["R_ohm_m"], R * (1 - GAMMA * table["q"]))
    np.testing.assert_allclose(table["R_law_ohm_m"], table["R_ohm_m"], rtol=1e-6)
    np.testing.assert_allclose(table["q"], 1 - np.abs(1 - 2 * table["phase"]), atol=1e-12)
    assert not np.isclose(table["phase"], 0.5).any()  # the turn is not driven


def test_extremes_are_those_of_empty_and_full_slits(ohmic):
    """R_c = 3, (1 - 0.6) R_c = 1.2 ohm m; r = R G, 1 / r is a conductivity."""
    geometry = NETWORK.geometric_conductance
    assert m.extremes(ohmic) == pytest.approx(
        {
            "R_max_ohm_m": 3.0,
            "R_min_ohm_m": 1.2,
            "r_max_ohm_m": 3.0 * geometry,
            "r_min_ohm_m": 1.2 * geometry,
            "dr_ohm_m": 1.8 * geometry,
            "G_min_S_per_m": 1 / 3.0,
            "dkappa_S_per_m": (1 / 1.2 - 1 / 3.0) / geometry,
        },
        rel=1e-6,
    )


def test_spread_at_equal_filling_is_that_of_the_crossings_on_the_way_to_full():
    """R_i = i (1 - q / 2) ohm m charging, ten times as much discharging: (3 - 1) / 2 at each q."""
    run = run_of(
        {
            "I_migration_A_per_m": current,
            "dphi_V": lambda n, q, phase: current(n, q, phase) * n * (1 - q / 2) * np.where(phase < 0.5, 1.0, 10.0),
        }
    )
    table = m.spread_at_equal_filling(run)
    assert table["q"].unique().tolist() == [0.3, 0.5, 0.7, 0.9]
    np.testing.assert_allclose(table["R_ohm_m"], table["i"] * (1 - table["q"] / 2), rtol=1e-9)
    assert m.spread(table.loc[table["q"] == 0.5, "R_ohm_m"]) == pytest.approx(1.0)


def test_agreement_is_the_share_of_the_cycle_and_of_the_charge():
    """With migration: diffusion for a quarter of the cycle, steric for three; currents of 2.5 and then of 0.5 A/m.

    Of 80 instants after the first: 20 of 2.5 A/m, then 60 of 0.5 A/m.
    """

    def early(phase):
        return phase < 0.25 + 1e-9

    run = run_of(
        {
            "I_migration_A_per_m": lambda n, q, phase: np.full(phase.size, 1.0),
            "I_diffusion_A_per_m": lambda n, q, phase: np.where(early(phase), 1.7, -0.3),
            "I_steric_A_per_m": lambda n, q, phase: np.where(early(phase), -0.2, 0.1),
            "I_residual_A_per_m": lambda n, q, phase: np.where(early(phase), 0.0, -0.3),
        }
    )
    table = m.agreement(run).set_index(["part", "i"])
    assert len(table) == 6
    np.testing.assert_allclose(table.loc["diffusion", "cycle"], 0.25)
    np.testing.assert_allclose(table.loc["steric", "cycle"], 0.75)
    np.testing.assert_allclose(table.loc["diffusion", "charge"], 20 * 2.5 / (20 * 2.5 + 60 * 0.5))
    np.testing.assert_allclose(table.loc["steric", "charge"], 60 * 0.5 / (20 * 2.5 + 60 * 0.5))


def test_charging_is_the_first_sweep_and_instants_are_phases_of_the_cycle(ohmic):
    """From a tenth of the sweep, which is left out, to its end: 36 of 40 instants; 0.3 of the cycle is 0.24 us."""
    time = np.sort(ohmic.record.terminal["time_s"])[m.charging(ohmic)]
    assert (time.size, time[-1]) == (SWEEP - 4, pytest.approx(0.4e-6))
    assert m.instant(ohmic, 0.3) == pytest.approx(0.24e-6)


def test_falling_counts_what_is_larger_nearer_to_the_bulk():
    """|I_1| > |I_2| in the first half of the charging sweep only, |I_2| < |I_3| in all of it."""
    size = {1: lambda phase: np.where(phase < 0.275 - 1e-9, 3.0, 0.5), 2: lambda phase: 1.0, 3: lambda phase: -2.0}
    run = run_of({"I_migration_A_per_m": lambda n, q, phase: size[n](phase) * np.ones(phase.size)})
    table = m.falling(run, "I_A_per_m")
    assert table["i"].tolist() == [1, 2]
    np.testing.assert_allclose(table["share"], [17 / 36, 0.0])
    assert m.falling(run, "I_A_per_m", last=2)["i"].tolist() == [1]


def test_trend_is_the_exponent_of_a_power_law(ohmic):
    runs = dict.fromkeys((2e-9, 1e-9, 4e-9), ohmic)
    assert m.trend(runs, {d: 5 * d**-1.5 for d in runs}) == pytest.approx(-1.5)
    widths = m.by_width(runs, lambda run: pd.DataFrame({"one": [1]}))
    assert widths["width"].tolist() == ["d = 1 nm", "d = 2 nm", "d = 4 nm"]
