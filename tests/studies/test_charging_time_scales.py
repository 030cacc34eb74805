"""Shares planted in ramps of several lengths come out, with the error of D, and decide from which drive on."""

import numpy as np
import pytest

from studies.charging_time_scales.time_scales import holds_from, time_scales
from transslit import TransSlitRecord
from validation.checks.unexplained_charge import unexplained_share


def left_over(make, share, ramp=0.0, noise=0.02, error=None):
    """A planted record of which Nernst-Planck explains all but `share`, half by each ion."""
    record = make(noise=noise)
    table = record.crossings.copy()
    table["I_residual_A_per_m"] = share * table["I_A_per_m"]
    table["I_migration_A_per_m"] = (1 - share) * table["I_A_per_m"]
    table["I_diffusion_A_per_m"] = 0.0
    facts = {**record.metadata, "drive": {"kind": "charge-ramp", "ramp": ramp}}
    if error is not None:
        for ion in ("K", "Cl"):
            table[f"I_{ion}_explained_A_per_m"] = 0.5 * table["I_migration_A_per_m"]
        facts["D_used_m2_per_s"] = dict.fromkeys(("K", "Cl"), 2e-9)
        facts["D_in_slit_error_m2_per_s"] = dict.fromkeys(("K", "Cl"), error * 2e-9)
    return TransSlitRecord(table, record.slits, record.terminal, facts)


def test_share_has_its_sign(make):
    assert unexplained_share(left_over(make, 0.3)).value == pytest.approx(0.3)
    assert unexplained_share(left_over(make, -0.3)).value == pytest.approx(-0.3)


def test_error_of_the_diffusion_coefficients_widens_the_interval(make):
    """Two ions that carry half each of 1 - s, D known to 10 %: the share is known to 0.1 (1 - s) / sqrt(2)."""
    sure, unsure = (unexplained_share(left_over(make, 0.2, error=error)) for error in (0.0, 0.1))
    assert sure.half_width < 1e-3
    assert unsure.half_width == pytest.approx(1.96 * 0.1 * 0.8 / np.sqrt(2), rel=0.1)
    assert unsure.value == pytest.approx(0.2)


def test_slower_drives_leave_less(make):
    planted = {"step": (0.8, 0.0), "5 ps": (0.5, 5e-12), "20 ps": (0.1, 20e-12), "50 ps": (0.05, 50e-12)}
    records = {name: left_over(make, share, ramp) for name, (share, ramp) in planted.items()}
    table = time_scales(records)
    whole = table[table["whole"]].set_index("drive")
    assert list(whole.index) == list(planted)
    np.testing.assert_allclose(whole["share"], [share for share, _ in planted.values()])
    assert list(whole["verdict"]) == ["fail", "fail", "pass", "pass"]
    assert "from 20 ps on" in holds_from(table)
    windows = table[(table["drive"] == "step") & ~table["whole"]]
    assert list(windows["to_s"][:3]) == [0.5e-12, 1e-12, 2e-12]
    assert windows["charge_C_per_m"].sum() == pytest.approx(whole.loc["step", "charge_C_per_m"])
    assert "beyond doubt; more than that for step, 5 ps" in holds_from(
        time_scales({k: records[k] for k in ("step", "5 ps")})
    )


def test_noise_is_inconclusive_and_says_what_would_settle_it(make):
    record = make(noise=0.05)
    table = record.crossings.copy()
    noise = np.random.default_rng(0).normal(0, 400.0, len(table))
    table["I_residual_A_per_m"] = 0.2 * table["I_A_per_m"] + noise
    table["I_migration_A_per_m"] = 0.8 * table["I_A_per_m"] - noise
    table["I_diffusion_A_per_m"] = 0.0
    row = time_scales({"step": TransSlitRecord(table, record.slits, record.terminal, record.metadata)}).iloc[-1]
    assert row["verdict"] == "inconclusive"
    assert "boxes of their own starts would settle it" in row["basis"]


def test_the_command_reads_run_folders(make, study, tmp_path):
    left_over(make, 0.6).write(tmp_path / "step")
    left_over(make, 0.1, 20e-12).write(tmp_path / "ramp" / "record")
    done = study("charging_time_scales", "step", "ramp", "--out", "figures")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "Nernst-Planck leaves less than 25% of the charge from ramp on"
    assert "fail" in done.stdout
    assert (tmp_path / "figures" / "time_scales.png").stat().st_size > 10_000
