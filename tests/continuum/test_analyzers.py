"""Reductions of the fields: each adds up to, or agrees with, something computed another way."""

import numpy as np
import pandas as pd
import pytest

from continuum import (
    Accumulation,
    ContinuumConfig,
    CrossingLine,
    FieldMap,
    Frames,
    SlitWells,
    TransSlitFlux,
    capacitances,
    extract,
    migration_laws,
    resistances,
    run,
)
from continuum.frames import write_frames
from continuum.mpnp import ModifiedPNP
from continuum.trans_slit_flux import PlaneCurrents
from transslit import BadInput, SlitNetwork, TriangularCV, load_electrolyte
from transslit.progress import Progress


@pytest.fixture(scope="module")
def cv(kcl, small, tmp_path_factory):
    folder = tmp_path_factory.mktemp("cv")
    drive = TriangularCV(scan_rate=1e6, window=0.4)
    config = ContinuumConfig(network=small, electrolyte=kcl, drive=drive, steps=40)
    record = run(config, folder, Progress(quiet=True))
    with Frames(folder) as frames:
        yield config, frames, record


def at(table, time):
    return table[np.isclose(table["time_s"], time, rtol=1e-9)]


def test_wells_pass_through_the_slit_potentials(cv):
    config, frames, record = cv
    table = SlitWells(frames).run(start=15, stop=16).results.table
    time = table["time_s"].iloc[0]
    slits = at(record.slits, time).set_index("i")
    for i, part in table[table["slit"] > 0].groupby("slit"):
        centre = config.network.slit_centres[i - 1]
        assert np.interp(centre, part["x_m"], part["phi_V"]) == pytest.approx(slits.loc[i, "phi_V"], abs=2e-5)
        assert part["phi_V"].idxmin() not in (part.index[0], part.index[-1])  # a well: higher at both sheets
        # Content between the sheets, per length, against the record's mean over the slit (ends and gaps apart).
        mean = np.trapezoid(part["rho_C_per_m3"], part["x_m"]) / np.ptp(part["x_m"])
        assert mean == pytest.approx(slits.loc[i, "rho_C_per_m3"], rel=0.2)
    open_space = table[table["slit"] == 0]
    assert open_space["phi_V"].is_monotonic_decreasing
    assert abs(open_space["phi_V"].iloc[-1]) < 1e-3


def test_accumulation_is_the_rate_of_the_contents(cv):
    _, frames, record = cv
    table = Accumulation(frames).run().results.table
    content = record.slits.pivot_table(index="time_s", columns="i", values="c_mol_per_m3")
    rates = table.pivot_table(index="time_s", columns="i", values="rate_total_mol_per_m3_s").to_numpy()
    gained = np.diff(content.to_numpy(), axis=0) / np.diff(content.index)[:, None]
    np.testing.assert_allclose(rates[1:], gained, rtol=0, atol=1e-8 * np.abs(gained).max())
    parts = table[[f"rate_{name}_mol_per_m3_s" for name in ("migration", "diffusion", "steric")]].sum(axis=1)
    np.testing.assert_allclose(parts, table["rate_total_mol_per_m3_s"], rtol=0, atol=1e-9 * np.abs(gained).max())
    np.testing.assert_allclose(table["c_mol_per_m3"], record.slits.sort_values(["time_s", "i"])["c_mol_per_m3"])


@pytest.mark.parametrize("part", ["migration", "diffusion"])
def test_parts_are_named_after_what_drives_them(kcl, small, tmp_path, part):
    """Point-like ions in an even field at one concentration only migrate; in a gradient without field, only diffuse."""
    config = ContinuumConfig(network=small, electrolyte=kcl.with_diameter(1e-12))
    equations = ModifiedPNP(config)
    phi, c = equations.to_si(equations.uniform(0.0))
    depth = equations.mesh.centres[0] / equations.mesh.length
    if part == "migration":
        phi = -0.1 * depth  # V
    else:
        c = c * (0.5 + depth[equations.mesh.ion_cells])
    zero = dict.fromkeys(("time_s", "drive", "I_m_A_per_m", "electrode_C_per_m"), np.zeros(1))
    write_frames(tmp_path / "frames.h5", config, {**zero, "phi_V": phi[None], "c_mol_per_m3": c[None]}, True)
    with Frames(tmp_path) as frames:
        rates = Accumulation(frames).run().results.table
        crossings = TransSlitFlux(frames).run().results.record.crossings
    for table, name in ((rates, "rate_{}_mol_per_m3_s"), (crossings, "I_{}_A_per_m")):
        total = table[name.format("total")] if table is rates else table["I_A_per_m"]
        size = np.abs(total).max()
        assert size > 0
        for each in ("migration", "diffusion", "steric"):
            expected = total if each == part else 0.0 * total
            np.testing.assert_allclose(table[name.format(each)], expected, atol=1e-6 * size, err_msg=each)


def test_line_and_gap_carry_the_crossing_current(cv):
    _, frames, record = cv
    line = CrossingLine(frames, i=1).run(start=15, stop=16)
    gap, table = line.results.gap, line.results.table
    crossing = at(record.crossings, gap["time_s"].iloc[0]).set_index("i").loc[1]
    assert len(gap) > 4
    carried = (gap["j_A_per_m2"] * gap["height_m"]).sum()
    assert carried == pytest.approx(crossing["I_A_per_m"], rel=1e-9)
    assert gap["j_A_per_m2"].iloc[0] > gap["j_A_per_m2"].iloc[-1]  # crowded at the sheet's edge
    field = table["resistivity_ohm_m"] * table["j_A_per_m2"]
    slope = np.gradient(table["phi_V"], table["x_m"])
    np.testing.assert_allclose(field[1:-1], -slope[1:-1], rtol=0, atol=0.15 * np.abs(slope).max())
    assert table["resistivity_ohm_m"].min() < 0 < table["resistivity_ohm_m"].max()
    with pytest.raises(BadInput, match="crossing"):
        CrossingLine(frames, i=3)


def test_map_fills_the_network_and_holds_the_current(cv):
    config, frames, record = cv
    table = FieldMap(frames).run(start=15, stop=16).results.table
    area = (table["width_m"] * table["height_m"]).sum()
    assert area == pytest.approx(frames.equations.mesh.volumes.sum(), rel=1e-9)
    far = table[table["x_m"] > config.network.depth + 0.6 * config.network.reservoir_length]
    carried = (far["jx_A_per_m2"] * far["height_m"]).groupby(far["x_m"].round(15)).sum()
    terminal = at(record.terminal, table["time_s"].iloc[0])["I_m_A_per_m"].iloc[0]
    np.testing.assert_allclose(carried.iloc[:-1], terminal, rtol=0.02)


def test_resistances_follow_their_definitions(cv):
    config, _, record = cv
    table = resistances(record, extract(record))
    np.testing.assert_allclose(table["R_ohm_m"] * table["I_A_per_m"], table["dphi_V"], rtol=1e-12)
    ratio = table["resistivity_ohm_m"] / table["R_ohm_m"]
    np.testing.assert_allclose(ratio, config.network.geometric_conductance, rtol=1e-12)
    np.testing.assert_allclose(table["conductivity_S_per_m"] * table["resistivity_ohm_m"], 1, rtol=1e-12)
    # Far from the turns the charge predicts the resistance.
    inner = table[(table["q"] > 0.3) & (table["I_A_per_m"] > 0)]
    assert (inner["R_law_ohm_m"] / inner["R_ohm_m"] - 1).abs().median() < 0.1


def planted(cv, theta=3e-4, capacitance=4e-8):
    record = cv[2]
    crossings = record.crossings.copy()
    content = record.joined()["c_mol_per_m3"]
    crossings["I_migration_A_per_m"] = theta * content * crossings["dphi_V"]
    for name in ("diffusion", "steric"):
        crossings[f"I_{name}_A_per_m"] = 0.0
    crossings["I_A_per_m"] = crossings["I_migration_A_per_m"]
    drive = record.terminal.set_index("time_s")["phi_m_V"]
    slits = record.slits.copy()
    slits["Q_C_per_m"] = -capacitance * (slits["time_s"].map(drive) - slits["phi_V"])
    return type(record)(crossings, slits, record.terminal, dict(record.metadata))


def test_planted_laws_are_found(cv):
    record = planted(cv)
    laws = migration_laws(record)
    assert laws["theta_A_m2_per_V_mol"].to_numpy() == pytest.approx(3e-4, rel=1e-9)
    assert laws["r_squared"].to_numpy() == pytest.approx(1, abs=1e-9)
    assert capacitances(record)["C_F_per_m"].to_numpy() == pytest.approx(4e-8, rel=1e-9)


def test_migration_is_nearly_proportional_to_content_and_voltage(cv):
    laws = migration_laws(cv[2])
    assert isinstance(laws, pd.DataFrame)
    assert (laws["r_squared"] > 0.95).all()
    with Frames(cv[1].path) as again:
        assert TransSlitFlux(again).run(step=20).results.record.crossings["I_A_per_m"].abs().max() > 0


def test_one_way_currents_at_rest_are_those_of_diffusion_both_ways():
    """Without a field B = 1: F sum |z| D c g over the faces of a gap, there and back, 40 mol/m^3 of KCl."""
    network = SlitNetwork(slit=1e-9, layers=3)
    config = ContinuumConfig(network=network, electrolyte=load_electrolyte("KCl"), concentration=40.0)
    equations = ModifiedPNP(config)
    faces = equations.inner_ion_faces
    chosen = np.flatnonzero((faces.axis == 0) & (np.abs(faces.position[0] - network.sheet_centres[1]) < 1e-15))
    currents = PlaneCurrents(equations, chosen, np.zeros(chosen.size, dtype=int), np.ones(chosen.size), 1)
    across = (faces.area / (faces.to_lower + faces.to_upper))[chosen].sum()
    expected = 2 * 96485.33212 * (1.957e-9 + 2.032e-9) * 40.0 * across
    assert currents.one_way(equations.uniform(0.0)) == pytest.approx(expected, rel=1e-9)
