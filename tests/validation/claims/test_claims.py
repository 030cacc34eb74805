"""Each claim holds on physics that has it, and turns red when that physics is broken on purpose.

The records are coarse continuum runs of this session (five sheets, short slits); what the claims say of the default
network is in docs/claims.md.
"""

import re
from pathlib import Path
from unittest import mock

import numpy as np
import pandas as pd
import pytest

from continuum import ContinuumConfig, Run, trans_slit_flux
from continuum import run as run_continuum
from continuum.measures import extremes
from discovery import DiscoveryConfig
from transslit import SlitNetwork, TransSlitRecord, TriangularCV, load_electrolyte
from transslit.progress import Progress
from transslit.runs import RunFolder
from validation.claims import CLAIMS, circuits, network_circuit
from validation.claims.uncertainty import AS_SET, Evidence
from validation.presets import WIDTHS, ClaimsConfig

QUIET = Progress(quiet=True)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """`runs(d)`: a coarse CV of a slit width, computed once."""
    found, salt = {}, load_electrolyte("KCl")

    def run(d, **drive):
        config = ContinuumConfig(
            network=SlitNetwork(slit=d, layers=6, slit_length=10e-9, edge_gap=0.8e-9),
            electrolyte=salt,
            drive=TriangularCV(**drive),
            stepping="adaptive",
            step_tolerance=0.2,
            refinement=0.5,
        )
        if config.digest not in found:
            folder = tmp_path_factory.mktemp("cv")
            run_continuum(config, folder, QUIET)
            found[config.digest] = (folder, config)
        return found[config.digest]

    return run


class Planted(Evidence):
    """Evidence whose runs are the coarse ones, their records altered by `change(record, d)`; nothing is varied."""

    def __init__(self, runs, folder, change=None):
        salt = load_electrolyte("KCl")
        super().__init__(ClaimsConfig(electrolyte=salt, concentration=1000.0), RunFolder(folder), QUIET)
        self.source, self.change, self.record, self.inputs, self.kept = runs, change, None, (), {}

    def cv(self, d, variation=AS_SET, **drive):
        key = (d, *drive.values())
        if key not in self.kept:
            folder, config = self.source(d, **drive)
            run = Run(folder, config, {"cpu_s": 3.0, "digest": getattr(self.change, "__name__", "none")})
            if self.change is not None:
                run.__dict__["raw"] = self.change(TransSlitRecord.read(folder), d)
            self.kept[key] = run
        return self.kept[key]

    def search(self, run, settings, crossings=()):
        quick = DiscoveryConfig(inputs=settings.inputs, held_out=settings.held_out, population=16, generations=3)
        return super().search(run, quick, crossings)

    def atoms(self):
        return self.record, "planted"


@pytest.fixture(scope="module")
def planted(runs, tmp_path_factory):
    """`planted(change)`: evidence with that change, made once."""
    made = {}

    def get(change=None):
        if change not in made:
            made[change] = Planted(runs, tmp_path_factory.mktemp("planted"), change)
        return made[change]

    return get


@pytest.fixture
def verdict(planted):
    """`verdict("C02", change)`: the claim judged on altered records."""

    def judged(identity, change=None, atoms=None):
        evidence = planted(change)
        evidence.record = atoms
        return CLAIMS[identity].verdict(CLAIMS[identity].judge(evidence))

    return judged


def altered(record, crossings=None, slits=None):
    """The record with columns replaced; what the parts then lack goes into the residual."""
    table = record.crossings.assign(**(crossings or {}))
    named = ["I_migration_A_per_m", "I_diffusion_A_per_m", "I_steric_A_per_m"]
    table["I_residual_A_per_m"] = table["I_A_per_m"] - table[named].sum(axis=1)
    return TransSlitRecord(table, record.slits.assign(**(slits or {})), record.terminal, record.metadata)


def backwards(record, d):
    """Migration with its sign turned."""
    return altered(record, {"I_migration_A_per_m": -record.crossings["I_migration_A_per_m"]})


def without_steric(record, d):
    return altered(record, {"I_steric_A_per_m": 0.0})


def relabelled(record, d):
    """Slits (and crossings) numbered from the wall instead of from the bulk."""
    i = record.slits["i"].max() + 1 - record.slits["i"]
    return altered(record, {"i": record.crossings["i"].max() + 1 - record.crossings["i"]}, {"i": i})


def mixed_up(record, d):
    """The potentials of slits exchanged in pairs, the charges left where they are."""
    swapped = record.slits.assign(i=record.slits["i"].map({1: 2, 2: 1, 3: 4, 4: 3, 5: 5}))
    keys = ["replica", "time_s", "i"]
    merged = record.slits.drop(columns="phi_V").merge(swapped[[*keys, "phi_V"]], on=keys)
    return TransSlitRecord(record.crossings, merged, record.terminal, record.metadata)


def ohmic(record, d):
    """A constant resistance of 1 ohm m."""
    return altered(record, {"dphi_V": record.crossings["I_A_per_m"]})


def lawful(record, d):
    """Equation 1 as the paper has it: R_c the same at every width, gamma the larger, the narrower the slit."""
    q = record.joined()["q"]
    gamma = 0.75e-9 / d
    return altered(record, {"dphi_V": record.crossings["I_A_per_m"] * 0.8 * (1 - gamma * q.fillna(0.0).to_numpy())})


def without_ions(record, d):
    """A migration current that is the same whatever the ions and the voltage."""
    return altered(record, {"I_migration_A_per_m": 1e-3})


def uneven(record, d):
    """Slit 1 holds a fifth more than it does."""
    return altered(record, slits={"Q_C_per_m": record.slits["Q_C_per_m"] * np.where(record.slits["i"] == 1, 1.2, 1.0)})


HOLD = ["C01", "C02", "C03", "C05", "C06", "C07", "C08", "C12", "C14", "C15", "C16", "C18", "C19"]


@pytest.mark.parametrize("identity", HOLD)
def test_it_holds_on_the_physics_itself(verdict, identity):
    found = verdict(identity)
    assert found.verdict == "reproduced", [(part.title, part.value, part.tolerance) for part in found.parts]


@pytest.mark.parametrize(
    ("identity", "change"),
    [
        ("C02", backwards),
        ("C03", backwards),
        ("C03", without_steric),
        ("C05", mixed_up),
        ("C06", mixed_up),
        ("C07", relabelled),
        ("C07", ohmic),
        ("C12", ohmic),
        ("C14", relabelled),
        ("C15", relabelled),
        ("C16", without_ions),
        ("C16", backwards),
        ("C19", uneven),
    ],
)
def test_it_turns_red_on_broken_physics(verdict, identity, change):
    assert verdict(identity, change).verdict == "not reproduced"


def test_open_space_with_migration_backwards(verdict, monkeypatch):
    """The sign turned in the decomposition itself."""
    true = trans_slit_flux.decompose
    monkeypatch.setattr(trans_slit_flux, "decompose", lambda *a: true(*a)._replace(migration=-true(*a).migration))
    found = {part.id: part.verdict for part in verdict("C01").parts}
    assert found == {"C01.a": "not reproduced", "C01.b": "not reproduced", "C01.c": "not reproduced"}


def test_trends_with_width_can_be_reproduced_and_are_where_the_law_is_the_papers(verdict):
    """R_c the same at each width and R_min growing with it: C10, C13 and C17 hold, as they do not at the defaults."""
    for identity in ("C10", "C13", "C17"):
        assert verdict(identity, lawful).verdict == "reproduced", identity
    assert verdict("C10").verdict == "not reproduced"
    slopes = {part.id: part.value for part in verdict("C10", lawful).parts}
    assert slopes["C10.a"] == pytest.approx(0.0, abs=1e-3)


def test_the_search_finds_the_papers_law_and_not_in_ohmic_data(verdict):
    planted = verdict("C11", lawful)
    assert planted.verdict == "reproduced", [(part.title, part.value) for part in planted.parts]
    assert planted.parts[3].value == pytest.approx(0.5, abs=0.01)
    assert verdict("C11", ohmic).parts[0].verdict == "not reproduced"


def test_the_integral_of_the_current_does_for_the_charge(verdict):
    assert verdict("C27", lawful).verdict == "reproduced"


@pytest.mark.parametrize(("diffusion", "outcome"), [(0.3, "reproduced"), (-0.3, "not reproduced")])
def test_atoms_whose_mechanism_is_known(verdict, make, diffusion, outcome):
    assert verdict("C04", atoms=make(diffusion=diffusion, noise=0.01)).verdict == outcome


@pytest.mark.parametrize("identity", ["C22", "C23", "C24", "C25"])
def test_a_circuit_without_a_varying_resistance_shows_none_of_it(verdict, monkeypatch, identity):
    true = circuits.paper_circuit
    monkeypatch.setattr(circuits, "paper_circuit", lambda **changes: true(**{**changes, "gamma": 0.0}))
    monkeypatch.setattr(circuits, "brentq", lambda *a, **k: np.nan)
    assert verdict(identity).verdict == "not reproduced"


def test_a_departure_from_the_line_that_does_not_grow(verdict, monkeypatch):
    monkeypatch.setattr(network_circuit, "cv_distance", lambda mine, other: 0.1)
    assert verdict("C21").verdict == "not reproduced"


def test_a_line_with_prescribed_charges_of_its_own_is_the_circuit(planted):
    """R by the circuit's own charges: the same voltammogram to the time step's error."""
    config = network_circuit.circuit_of(planted().cv(WIDTHS[0]), voltage_dependent=False)
    own = network_circuit.simulate(config)
    charge = own.slits.pivot_table(index="time_s", columns="slit", values="q_C").abs()
    current = network_circuit.prescribed_line(config, own.terminal["time_s"].to_numpy(), charge)
    peak = own.terminal["I_m_A"].abs().max()
    filled = config.model_copy(update={"charge_max": tuple(charge.max())})
    same = network_circuit.simulate(filled).terminal["I_m_A"]
    assert np.sqrt(np.mean((current - same) ** 2)) < 1e-3 * peak


def test_the_claim_of_the_documentation_is_judged(planted):
    """As it stands in docs/claims.md, on planted records."""
    page = (Path(__file__).parents[3] / "docs" / "claims.md").read_text(encoding="utf-8")
    evidence = planted()
    with mock.patch.dict(CLAIMS):
        exec(re.search(r"```python\n(.*?)```", page, re.DOTALL)[1], {})
        claim = CLAIMS["C28"]
        found = claim.judge(evidence)
    values = extremes(evidence.cv(2e-9))
    assert claim.verdict(found).value == pytest.approx(values["R_min_ohm_m"] / values["R_max_ohm_m"])
    assert len(claim.draw(found.evidence).axes) == 1


def test_every_claim_is_there_documented_and_drawn(verdict):
    assert sorted(CLAIMS) == [f"C{number:02d}" for number in range(1, len(CLAIMS) + 1)]
    for claim in CLAIMS.values():
        assert claim.title
        assert claim.statement.endswith((".", "!"))
        assert claim.figure
    found = verdict("C02")
    assert len(CLAIMS["C02"].draw(found.evidence).axes) == 2  # diffusion and steric
    assert isinstance(found.evidence, pd.DataFrame)
