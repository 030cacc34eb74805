"""What changes with the slit width, and the figures of it."""

import numpy as np
import pandas as pd

from studies.slit_widths.figures import conductance


def test_filling_matters_more_in_a_narrow_slit(study, tmp_path):
    done = study("slit_widths", "--out", "widths")
    assert done.returncode == 0, done.stderr
    ratio = [float(line.split()[1]) for line in done.stdout.splitlines()[1:]]
    assert len(ratio) == 6
    assert sorted(ratio, reverse=True) == ratio
    assert 2.1 < ratio[0] < 2.5
    names = {path.stem for path in (tmp_path / "widths").glob("*.png")}
    assert names == {"width-currents", "width-resistivity", "width-conductance", "width-capacitance"}


def test_conductance_shows_the_extremes_of_each_width():
    table = pd.DataFrame({"d_m": [1e-9, 1e-9, 2e-9, 2e-9], "conductance_S_per_m": [1.0, 3.0, 1.0, 2.0]})
    figure = conductance(table.assign(conductivity_S_per_m=table["conductance_S_per_m"] * 10))
    low, high = figure.axes[1].lines
    np.testing.assert_allclose(low.get_xydata(), [[1, 10], [2, 10]])
    np.testing.assert_allclose(high.get_xydata(), [[1, 30], [2, 20]])
