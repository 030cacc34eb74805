"""`python -m studies.campaign` in small, and its points."""

import json
import math

import numpy as np
import pandas as pd
import pytest

from studies.campaign.points import BOX, points


def test_points_fill_the_box_and_a_larger_campaign_begins_with_a_smaller_one():
    found = points(200)
    assert points(50) == found[:50]
    assert len({point.electrolyte for point in found}) == 12
    for name, (low, high) in BOX.items():
        values = np.array([value for point in found if (value := getattr(point, name)) is not None], dtype=float)
        assert low * 0.995 <= values.min() < low * (high / low) ** 0.03 or name == "layers"
        assert low <= np.median(values) <= high
        share = np.log(values / low) / math.log(high / low)
        assert share.mean() == pytest.approx(0.5, abs=0.03)
    assert all(point.concentration is None for point in found if point.electrolyte == "BMIM-PF6")


def test_every_point_ends_in_a_voltammogram(study, tmp_path):
    """Calcium chloride at 62 mV/s and rubidium chloride at 0.6 V/us, between four and three sheets."""
    done = study("campaign", "--points", "16", "--layers", "4", "--out", "run", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["counts"] == {"circuit": 2}
    table = pd.read_csv(tmp_path / "run" / "campaign.csv")
    assert table["line"].isna().all()
    assert (table["distance_law"] < 0.05).all()
    assert (table[["R_c", "C_slit", "R_open", "C_open", "depth"]] > 0).all().all()
    first = table.iloc[0]
    time = first["R_c"] * first["C_slit"] * (first["layers"] - 1) ** 2
    assert first["depth"] == pytest.approx(time / (first["window"] / first["scan_rate"]), rel=1e-4)
    assert (tmp_path / "run" / "campaign.png").stat().st_size > 10_000
