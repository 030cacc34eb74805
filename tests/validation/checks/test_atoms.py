"""Starts and response of molecular dynamics: planted ones, and those of the shipped records."""

import numpy as np
import pytest

from md import Cell, quick
from md.shipped import SHIPPED
from transslit import TransSlitRecord, load_electrolyte
from transslit.series import neutralisation
from validation.checks.atoms import neutralised, starts
from validation.checks.judge import Source, families, judge_records
from validation.checks.unexplained_charge import residual

NETWORK = {
    "slit": 5.9e-10, "layers": 4, "slit_length": 1.5e-9, "edge_gap": 0.5e-9, "sheet_thickness": 3.4e-10,
    "reservoir_length": 1.5e-9,
}  # fmt: skip
SHEETS = 0.75e-9 + 3 * 1.0e-9  # m, half of the wall's mirror half and three ribbons
SIGMA = 0.25


@pytest.fixture(scope="module")
def shipped():
    return TransSlitRecord.read(SHIPPED / "charge-step-10ps")


def of_boxes(record, contents, onset=0.0):
    """The planted record as boxes of four half-electrodes whose slits hold `contents` (half-cells, slits)."""
    known = {
        str(label): {"box": label // 4, "electrode": ("positive", "negative")[label % 4 // 2], "face": "lr"[label % 2]}
        for label in sorted(record.terminal["replica"].unique())
    }
    slits = record.slits.copy()
    at = slits["time_s"] <= onset
    held = contents[slits["replica"], slits["i"] - 1]
    for column in ("c_K_mol_per_m3", "c_Cl_mol_per_m3"):
        slits[column] = np.where(at, held, slits[column])
    metadata = record.metadata | {"half_cells": known, "network": NETWORK}
    return TransSlitRecord(record.crossings, slits, record.terminal, metadata)


def test_shipped_boxes_start_apart(shipped):
    found = starts(shipped, "md", "shipped")
    assert (found.verdict, found.required) == ("pass", True)
    assert len({entry["start"] for entry in shipped.metadata["half_cells"].values()}) >= 8


def test_boxes_that_fork_from_one_trajectory_fail(make):
    """Slit 2 of the four half-electrodes holds 8, 4, 10, 9 ions in every box but one, as it once did."""
    contents = np.tile([[7, 8, 9], [8, 4, 12], [7, 10, 9], [8, 9, 10]], (4, 1)).astype(float)
    contents[-1] += [1, -2, 0]
    found = starts(of_boxes(make(blocks=8), contents), "md", "planted")
    assert (found.verdict, found.required) == ("fail", True)
    assert found.value > 0.8


def test_a_single_box_says_nothing_of_starts():
    found = starts(TransSlitRecord.read(SHIPPED / "charge-ramp-50ps"), "md", "shipped")
    assert (found.verdict, found.value) == ("inconclusive", None)


@pytest.mark.parametrize("copied", [False, True])
def test_independent_starts_pass_and_copies_fail(make, copied):
    """Four boxes of Poisson numbers of ions, each its own, or those of the first with an ion more or less."""
    passed = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        contents = rng.poisson(8, (16, 3)).astype(float)
        if copied:
            contents = np.tile(contents[:4], (4, 1)) + rng.integers(-1, 2, (16, 3))
        verdict = starts(of_boxes(make(blocks=8), contents), "md", "planted").verdict
        assert verdict in ("fail", "inconclusive") if copied else verdict != "fail"
        passed += verdict == ("fail" if copied else "pass")
    assert passed >= 17


def test_boxes_of_one_start_count_once(make):
    """Pairs of copies are alike; told that they share a start, four unrelated ones are left."""
    rng = np.random.default_rng(3)
    contents = np.repeat(rng.poisson(8, (4, 4, 3)), 4, axis=0).reshape(64, 3).astype(float)
    record = of_boxes(make(blocks=32), contents)
    for half in record.metadata["half_cells"].values():
        half["start"] = half["box"] // 4
    assert starts(record, "md", "planted").verdict == "pass"


def flowing(record, share):
    """`share` of the sheets' charge crosses the mid-planes within a picosecond of the onset."""
    terminal = record.terminal.copy()
    time, sign = terminal["time_s"], np.sign(terminal["sigma_C_per_m2"])
    terminal["sigma_C_per_m2"] = np.where(time >= 0, sign * SIGMA, 0.0)
    during = (time > 0) & (time < 1.05e-12)
    terminal["I_m_A_per_m"] = np.where(during, sign * share * SIGMA * SHEETS / 1e-12, 0.0)
    return TransSlitRecord(record.crossings, record.slits, terminal, record.metadata)


@pytest.mark.parametrize(("share", "outcome"), [(0.3, "fail"), (0.77, "pass"), (0.97, "pass"), (1.2, "fail")])
def test_the_share_of_the_charge_that_ions_neutralise(make, share, outcome):
    record = of_boxes(make(blocks=8), np.zeros((16, 3)))
    record.terminal["sigma_C_per_m2"] *= np.where(record.terminal["replica"] < 8, 1, -1)  # by place in the record,
    record.terminal["sigma_C_per_m2"] *= np.where(record.terminal["replica"] % 4 < 2, 1, -1)  # then by electrode
    found = neutralised(flowing(record, share), "md", "planted")
    assert (found.verdict, found.required) == (outcome, True)
    assert found.value == pytest.approx(share)
    assert f"{share:.0%}" in found.title
    assert ("unfinished" in found.reason) == (share < 0.95)


def test_the_charge_of_the_sheets_is_that_of_their_atoms(shipped):
    """Per half-cell and mirror half of a box with two faces an electrode; the shipped step is at 77 %."""
    cell = Cell(quick(0.59e-9, load_electrolyte("KCl"), 1000.0))
    electrode = neutralisation(shipped)[1].blocks
    atoms = cell.electrode_charge * 1.602176634e-19 / (4 * cell.depth)
    np.testing.assert_allclose(electrode, atoms, rtol=1e-6)
    found = neutralised(shipped, "md", "shipped")
    assert found.value == pytest.approx(0.77, abs=0.01)
    assert found.verdict == "pass"
    assert "not final" in found.reason


def test_records_without_the_sheets_charge_are_not_required_to_have_it(make):
    found = neutralised(make(), "md", "planted")
    assert (found.verdict, found.required, found.value) == ("inconclusive", False, None)


def test_effects_planted_in_a_record_are_in_the_intervals_of_its_verdicts(make):
    """Residual share of a record whose half-electrodes differ alike in all boxes: from record to verdict, 100 times.

    Intervals that heed boxes alone cover it about half of the time.
    """
    record = of_boxes(make(blocks=16), np.zeros((32, 3)))
    replica, covered = record.crossings["replica"].to_numpy(), 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        effects = 0.1 * rng.normal(size=4)[replica % 4] + 0.05 * rng.normal(size=32)[replica]
        crossings = record.crossings.copy()
        crossings["I_A_per_m"] = np.where((replica % 4) < 2, 1.0, -1.0) * 100.0
        crossings["I_residual_A_per_m"] = crossings["I_A_per_m"] * (0.2 + effects)
        crossings["I_migration_A_per_m"] = crossings["I_A_per_m"] * (0.8 - effects)
        crossings["I_diffusion_A_per_m"] = 0.0
        planted = TransSlitRecord(crossings, record.slits, record.terminal, record.metadata)
        if seed == 0:
            verdicts = judge_records(families([Source(planted, "planted")])).verdicts
            assert {"verify.md.starts", "verify.md.neutralised"} <= {each.id for each in verdicts}
        low, high = residual(planted, "md", "planted").interval
        covered += low <= 0.2 <= high
    assert 88 <= covered <= 100
