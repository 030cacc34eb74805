"""Figures of a run: drawn from its tables, with their numbers on the axes."""

import pytest

from continuum import ContinuumConfig, run
from continuum.figures import draw
from transslit import BadInput, SlitNetwork, TriangularCV
from transslit.progress import Progress

DRIVE = TriangularCV(scan_rate=1e6, window=0.4)


def test_every_figure_is_drawn(kcl, small, tmp_path):
    config = ContinuumConfig(network=small, electrolyte=kcl, drive=DRIVE, steps=20, surface_cell=1e-10)
    run(config, tmp_path, Progress(quiet=True))
    paths = draw(tmp_path)
    names = {"open-space", "trans-slit", "wells", "resistivity", "storage", "origin", "local-map", "capacitance"}
    assert {path.stem for path in paths} == names
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in paths)


def test_a_run_without_crossings_has_no_such_figures(kcl, tmp_path):
    network = SlitNetwork(slit=1e-9, layers=2, slit_length=4e-9, edge_gap=0.8e-9, reservoir_length=4e-9)
    config = ContinuumConfig(network=network, electrolyte=kcl, drive=DRIVE, steps=4, surface_cell=2e-10)
    run(config, tmp_path, Progress(quiet=True))
    with pytest.raises(BadInput, match="4 layers"):
        draw(tmp_path)
