"""The default mesh and time step against finer ones, on the default network: R_c to 1 %, gamma to 0.01."""

import pytest

from continuum import ContinuumConfig, extract, run
from transslit import SlitNetwork
from transslit.progress import Progress


@pytest.mark.slow
@pytest.mark.parametrize("slit", [0.59e-9, 2e-9])
def test_default_mesh_and_step_are_fine_enough(kcl, slit, tmp_path):
    settings = {"default": {}, "mesh": {"refinement": 1.5}, "step": {"steps": 400}}
    found = {}
    for name, changed in settings.items():
        config = ContinuumConfig(network=SlitNetwork(slit=slit), electrolyte=kcl, **changed)
        found[name] = extract(run(config, tmp_path / name, Progress(quiet=True)))
    for finer in ("mesh", "step"):
        assert found["default"].resistance == pytest.approx(found[finer].resistance, rel=0.01)
        assert found["default"].gamma == pytest.approx(found[finer].gamma, abs=0.01)
        assert found["default"].slit_capacitance == pytest.approx(found[finer].slit_capacitance, rel=0.01)


@pytest.mark.slow
def test_fifty_layers_are_solved(kcl, tmp_path):
    """35,000 cells: a coarse cycle converges without a retry, and the first slits charge before the last."""
    config = ContinuumConfig(network=SlitNetwork(slit=2e-9, layers=50), electrolyte=kcl, steps=40)
    record = run(config, tmp_path, Progress(quiet=True))
    assert record.metadata["retries"] == []
    charge = record.slits.pivot_table(index="time_s", columns="i", values="Q_C_per_m").abs()
    assert charge.iloc[10, :-1].is_monotonic_decreasing  # the slit at the wall holds a little more


@pytest.mark.slow
@pytest.mark.parametrize("slit", [0.59e-9, 2e-9, 4e-9, 5e-9])
def test_adaptive_cycle_has_the_elements_of_a_fine_one(kcl, slit, tmp_path):
    """R_c and gamma to 1 % of 800 second-order steps, in at most 60 (their cost is a benchmark)."""
    found = {}
    for name, changed in {"fine": {"steps": 800, "scheme": "bdf2"}, "adaptive": {"stepping": "adaptive"}}.items():
        config = ContinuumConfig(network=SlitNetwork(slit=slit), electrolyte=kcl, **changed)
        record = run(config, tmp_path / name, Progress(quiet=True))
        found[name] = extract(record)
    assert record.metadata["steps"] <= 60
    assert found["adaptive"].resistance == pytest.approx(found["fine"].resistance, rel=0.01)
    assert found["adaptive"].gamma == pytest.approx(found["fine"].gamma, rel=0.01)
