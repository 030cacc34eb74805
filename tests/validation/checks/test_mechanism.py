"""Cross-checks on planted mechanisms: what enhances passes, what opposes fails, what is noise is inconclusive."""

import numpy as np
import pytest

from transslit import TransSlitRecord
from validation.checks.against import against
from validation.checks.conservation import additivity
from validation.checks.mechanism import mechanism
from validation.checks.unexplained_charge import residual


def by_id(verdicts):
    return {verdict.id: verdict for verdict in verdicts}


def test_enhancing_diffusion_passes(make):
    found = by_id(mechanism(make(diffusion=0.3, noise=0.05), "md", "planted"))
    assert found["md.pos.1.sign"].verdict == "pass"
    assert found["md.neg.1.net"].verdict == "pass"
    assert found["md.pos.1.net"].value == pytest.approx(0.3, abs=0.05)
    assert found["md.pos.1.rho"].verdict == "pass"
    assert found["md.neg.1.c"].verdict == "pass"


def test_opposing_diffusion_fails(make):
    found = by_id(mechanism(make(diffusion=-0.3, noise=0.05), "md", "planted", required=True))
    assert found["md.pos.1.sign"].verdict == "fail"
    assert found["md.pos.1.sign"].required
    assert found["md.neg.1.net"].verdict == "fail"


def test_noise_is_inconclusive(make):
    found = by_id(mechanism(make(diffusion=0.0, noise=3.0), "md", "planted"))
    assert found["md.pos.1.sign"].verdict == "inconclusive"


def test_shuffled_slit_labels_turn_correlations_red(make):
    record = make(noise=0.05)
    swapped = record.slits.assign(i=record.slits["i"].map({1: 2, 2: 1, 3: 3}))
    found = by_id(
        mechanism(TransSlitRecord(record.crossings, swapped, record.terminal, record.metadata), "md", "planted")
    )
    assert found["md.pos.1.rho"].verdict == "fail"


def test_md_against_itself_passes_and_against_another_fails(make):
    atoms = make(noise=0.02)
    same = by_id(against(atoms, make(source="continuum", blocks=1), "planted"))
    assert {verdict.verdict for verdict in same.values()} == {"pass"}
    other = by_id(against(atoms, make(source="continuum", blocks=1, speed=5.0, level=1.5), "planted"))
    assert other["against.1.t63"].verdict == "fail"
    assert other["against.1.charge"].verdict == "fail"
    # 63 % of the lower level, which the other reaches at 42 % of its own, five times as fast
    assert other["against.1.t63"].value == pytest.approx(-5 / np.log(1 - 0.632 / 1.5), rel=0.1)


@pytest.mark.parametrize(("share", "outcome"), [(0.1, "pass"), (0.8, "fail")])
def test_residual_share(make, share, outcome):
    record = make(noise=0.02)
    crossings = record.crossings.copy()
    crossings["I_residual_A_per_m"] = share * crossings["I_A_per_m"]
    crossings["I_migration_A_per_m"] = (1 - share) * crossings["I_A_per_m"]
    crossings["I_diffusion_A_per_m"] = 0.0
    found = residual(TransSlitRecord(crossings, record.slits, record.terminal, record.metadata), "md", "planted")
    assert found.verdict == outcome
    assert found.value == pytest.approx(share)


def test_additivity(make):
    assert additivity(make(), "verify", "planted").verdict == "pass"
    assert np.isfinite(additivity(make(), "verify", "planted").value)
