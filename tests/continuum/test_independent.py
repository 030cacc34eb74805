"""The finite-volume solver against finite elements that share no code with it (`independent`), off the defaults."""

import numpy as np
import pytest

from continuum import ContinuumConfig, extract, run
from transslit import SlitNetwork, TriangularCV
from transslit.progress import Progress

from .independent import Cycle, Setting, law

SMALL = {
    "slit": 1.0,
    "layers": 3,
    "length": 4.0,
    "gap": 0.8,
    "reservoir": 4.0,
    "rate": 1e6,
    "steps": 40,
    "finest": 0.15,
}
WIDE = {"slit": 3.0, "layers": 4, "length": 12.0, "gap": 1.5, "reservoir": 8.0, "rate": 3e4, "finest": 0.15}
NARROW = {"slit": 1.0, "layers": 4, "length": 15.0, "gap": 0.8, "reservoir": 6.0, "rate": 5e4, "finest": 0.15}


def both(kcl, geometry, **changed):
    """The same cycle for both: a `Setting`, and a `ContinuumConfig` with the default mesh and steps."""
    setting = Setting(diffusion=tuple(kcl.diffusion_coefficients), **geometry, **changed)
    network = SlitNetwork(
        slit=setting.slit * 1e-9,
        layers=setting.layers,
        slit_length=setting.length * 1e-9,
        edge_gap=setting.gap * 1e-9,
        reservoir_length=setting.reservoir * 1e-9,
    )
    config = ContinuumConfig(
        network=network,
        electrolyte=kcl.with_diameter(setting.diameter * 1e-9),
        concentration=setting.concentration,
        stern_thickness=setting.stern * 1e-9,
        drive=TriangularCV(scan_rate=setting.rate, window=setting.window),
    )
    return setting, config


def test_first_steps_agree(kcl, tmp_path):
    """Charge of every slit and current between them over three coarse steps; both meshes are coarse: 3 %."""
    setting, config = both(kcl, SMALL)
    found = Cycle(setting).run(until=3).pivot_table(index="time_s", columns="i")
    config = config.model_copy(update={"steps": setting.steps, "scheme": "bdf2"})
    record = run(config, tmp_path, Progress(quiet=True))
    slits = record.slits.pivot_table(index="time_s", columns="i").iloc[1:4]
    crossings = record.crossings.pivot_table(index="time_s", columns="i").iloc[1:4]
    np.testing.assert_allclose(found.index, slits.index, rtol=1e-9)
    charge, current = slits["Q_C_per_m"].to_numpy(), crossings["I_A_per_m"].to_numpy()
    np.testing.assert_allclose(found["Q_C_per_m"], charge, rtol=0, atol=0.01 * np.abs(charge).max())
    np.testing.assert_allclose(found["I_A_per_m"].iloc[:, :-1], current, rtol=0, atol=0.03 * np.abs(current).max())
    drop = crossings["dphi_V"].to_numpy()
    np.testing.assert_allclose(np.diff(found["phi_V"].to_numpy(), axis=1), drop, rtol=0, atol=0.03 * np.abs(drop).max())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("geometry", "changed"),
    [
        (SMALL, {}),
        (WIDE, {"concentration": 500.0, "diameter": 0.4, "stern": 0.2}),
        (NARROW, {"concentration": 1500.0, "diameter": 0.45}),
    ],
    ids=["small", "wide", "narrow"],
)
def test_resistance_and_gamma_agree(kcl, geometry, changed, tmp_path):
    """R_c to 3 %, gamma to 0.02, default mesh and steps against second-order elements and steps."""
    setting, config = both(kcl, geometry, **changed)
    resistance, gamma = law(Cycle(setting).run())
    found = extract(run(config, tmp_path, Progress(quiet=True)))
    print(f"elements: {resistance:.4f} {gamma:.4f}; volumes: {found.resistance:.4f} {found.gamma:.4f}")
    assert found.resistance == pytest.approx(resistance, rel=0.03)
    assert found.gamma == pytest.approx(gamma, abs=0.02)
