"""The default cell for the first picosecond of its charging, from the shipped equilibrium (minutes)."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from md import quick, run
from transslit import load_electrolyte
from transslit.progress import Progress


@pytest.mark.slow
def test_counter_ions_enter_and_the_liquid_cools(tmp_path):
    config = quick(
        0.59e-9,
        load_electrolyte("KCl"),
        1000.0,
        replicas=1,
        decorrelation=0.3e-12,
        post_step_duration=0.8e-12,
        duration=1.2e-12,
    )
    record = run(config, tmp_path, Progress(quiet=True))
    slits = record.slits.assign(positive=record.slits["replica"] % 4 < 2)
    end = slits[slits["time_s"] > 0.9e-12].groupby("positive")["Q_C_per_m"].mean()
    start = slits[slits["time_s"] < 0].groupby("positive")["Q_C_per_m"].mean()
    change = end - start
    assert change[True] < 0 < change[False]  # anions into the positive electrode, cations into the negative one
    phi = slits[slits["time_s"] >= 0].groupby("positive")["phi_V"].mean()
    assert phi[True] > 1 > -1 > phi[False]
    before = slits[slits["time_s"] < 0].groupby(["replica", "i"])["phi_V"].mean()
    assert before.abs().mean() < 0.1 * phi.abs().mean()
    crossings = record.crossings
    gained = slits[slits["i"] == 3].sort_values("time_s").groupby("replica")["Q_C_per_m"].agg(["first", "last"])
    carried = crossings[crossings["i"] == 2].groupby("replica")["I_A_per_m"].sum() * config.frame_interval
    np.testing.assert_allclose(gained["last"] - gained["first"], -carried, atol=1e-20)
    temperature = pd.read_parquet(tmp_path / "temperature.parquet")
    assert temperature["T_K"].max() > 500  # the heat of the step is there
    assert temperature["T_K"].iloc[-4:].mean() < 450  # and has been carried off
    described = json.loads((tmp_path / "cell.json").read_text())
    assert described["ion_numbers"] == {"K": 68, "Cl": 68}
