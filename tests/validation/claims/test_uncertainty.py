"""Evidence is computed once, whoever asks; uncertainties follow from how a number varies."""

import json
import shutil

import numpy as np
import pytest

from transslit import BadInput, SlitNetwork, load_electrolyte
from transslit.progress import Progress
from transslit.runs import RunFolder
from validation.claims.uncertainty import Evidence, Need, _inputs
from validation.presets import BOX, PAPER, PAPER_NETWORK, ClaimsConfig, ValidateConfig, cv_config
from validation.simulations import atoms, runs
from validation.verdicts.verdict import Measured, part

NEEDS = [Need("cv", (2e-9,), inputs=True)]


@pytest.fixture
def made(monkeypatch):
    """Configurations that were run; nothing is solved."""
    configs = []
    monkeypatch.setattr(runs, "run_continuum", lambda config, folder, progress: configs.append(config))
    return configs


@pytest.fixture
def gatherer(tmp_path):
    """`gatherer()`: a new reader of the same run folder; `gatherer(preset="paper")`."""

    def open_it(**changes):
        config = ClaimsConfig(**{"electrolyte": load_electrolyte("KCl"), "concentration": 1000.0} | changes)
        return Evidence(config, RunFolder(tmp_path), Progress(quiet=True))

    return open_it


def test_what_is_finished_is_never_run_again(made, gatherer, tmp_path):
    gatherer().gather(NEEDS)
    assert len({config.digest for config in made}) == len(made) == 3 + 2 * 3  # defaults, companions, both ends of three
    gatherer().gather([*NEEDS, *NEEDS])
    assert len(made) == 9
    shutil.rmtree(next((tmp_path / "evidence" / "runs").iterdir()))
    gatherer().gather(NEEDS)
    assert len(made) == 10
    assert len(gatherer(preset="paper").variations(inputs=True)) == 3 + 2 * 6


def test_the_voltammogram_of_a_validation_is_reused(made, gatherer, tmp_path):
    opened = gatherer(preset="paper")
    RunFolder(tmp_path).stage("continuum-cv", opened.cv_config(2e-9), lambda folder: None)
    assert opened.cv(2e-9).folder == tmp_path / "continuum-cv"
    assert made == []


def test_ions_that_would_not_fit_are_not_varied(tmp_path, capsys):
    """0.66 nm would fill 1.66 of an ionic liquid of which 0.5 nm fill 0.72; the rest is varied, and a line says so."""
    salt = load_electrolyte("BMIM-PF6")
    config = ClaimsConfig(electrolyte=salt, concentration=salt.concentration)
    opened = Evidence(config, RunFolder(tmp_path), Progress())
    assert [known.label for known in opened.inputs] == ["slit length", "edge gap"]
    assert "ion diameter is not varied" in capsys.readouterr().err


def test_each_variation_changes_one_thing(gatherer):
    opened = gatherer(preset="paper")
    base = opened.cv_config(2e-9).model_dump(mode="json")
    for label in opened.variations(inputs=True)[1:]:
        other = opened.cv_config(2e-9, label).model_dump(mode="json")
        changed = {key for key in base if base[key] != other[key]} - {"store_every"}
        assert len(changed) == 1, label
    assert len(opened.inputs) == 6


def test_the_paper_preset_has_a_setting_of_its_own(gatherer):
    """All of it for the paper's salt; its geometry and Stern layer for others."""
    for name, diameter in (("KCl", PAPER["ion_diameter"]), ("NaCl", None)):
        salt = load_electrolyte(name)
        opened = gatherer(preset="paper", electrolyte=salt)
        config = opened.cv_config(2e-9)
        assert {key: getattr(config.network, key) for key in PAPER_NETWORK} == PAPER_NETWORK
        assert config.stern_thickness == PAPER["stern_thickness"]
        assert config.electrolyte == (salt if diameter is None else salt.with_diameter(diameter))
        asked = ValidateConfig(slit=2e-9, electrolyte=salt, concentration=1000.0, preset="paper")
        whole = cv_config(asked)  # of `validate`, which draws asked.network
        assert whole.network == asked.network == config.network
        assert (whole.electrolyte, whole.stern_thickness) == (config.electrolyte, config.stern_thickness)
        ends = {known.label: known.ends for known in opened.inputs}
        assert ends["slit length"] == (PAPER["slit_length"] / 2, PAPER["slit_length"] * 2)
        assert ends["Stern layer"] == pytest.approx((PAPER["stern_thickness"] / 2, 2 * PAPER["stern_thickness"]))
    assert gatherer().cv_config(2e-9).network == SlitNetwork(slit=2e-9)


def test_the_paper_preset_s_ions_are_those_of_its_salt_alone(gatherer):
    ionic_liquid = load_electrolyte("BMIM-PF6")  # ions of 0.59 nm would not leave room for 4.8 M
    config = gatherer(preset="paper", electrolyte=ionic_liquid, concentration=ionic_liquid.concentration).cv_config(
        2e-9
    )
    assert config.electrolyte == ionic_liquid
    assert config.stern_permittivity is None  # the liquid's own
    ValidateConfig(slit=0.5e-9, electrolyte=load_electrolyte("NaCl"), concentration=1000.0, preset="paper").check()
    asked = ValidateConfig(slit=0.55e-9, electrolyte=load_electrolyte("KCl"), concentration=1000.0)
    asked.check()
    with pytest.raises(BadInput, match=r"0\.59 nm"):
        asked.model_copy(update={"preset": "paper"}).check()


def test_inputs_are_varied_no_further_than_is_plausible(gatherer):
    config = gatherer().cv_config(2e-9)
    large = config.electrolyte.with_diameter(0.6e-9)
    thick = config.model_copy(update={"stern_thickness": 0.4e-9, "electrolyte": large})
    varied = {known.label: known.ends for known in _inputs(thick)}
    assert varied["edge gap"] == (0.6e-9, 2e-9)  # no narrower than an ion
    assert varied["Stern layer"] == (0.2e-9, BOX["stern_thickness"][1])


def test_uncertainties_of_a_planted_measure(made, gatherer):
    """f = d (1 + 0.1 on the coarser mesh, + 0.02 with longer steps); it follows the edge gap alone."""
    opened = gatherer()

    def value(run):
        config = run.config
        error = 0.1 * (config.refinement < 1) + 0.02 * (config.tolerance > 0.1)
        return {"f": 2.0 + error + 0.3 * (config.network.edge_gap / 1e-9 - 1)}

    found = opened.at(value, 2e-9)["f"]
    assert found.value == 2.0
    assert found.u_numerical == pytest.approx(1.25 * np.hypot(0.1 / 0.5, 0.02 / 1.0))
    assert found.inputs == (pytest.approx(0.15), pytest.approx(0.3))  # 0.5 nm down, 2 nm up
    assert opened.at(value, 2e-9, inputs=False)["f"].inputs is None


@pytest.mark.parametrize(
    ("inputs", "low", "outcome"),
    [
        ((0.05, 0.0), 0.8, "reproduced"),
        ((0.3, 0.0), 0.8, "inconclusive"),
        ((0.0, 0.3), 0.8, "reproduced"),  # the other way: nothing is lost
        ((0.0, 0.3), 1.2, "not reproduced"),
        (None, 0.95, "inconclusive"),
    ],
)
def test_a_pass_must_survive_the_unknown_parameters_and_a_fail_stays_one(inputs, low, outcome):
    found = part("f", Measured(1.0, 0.1, inputs), low=low, reason="planted")
    assert found.verdict == outcome
    assert found.interval == (0.9, 1.1)


def test_the_reason_names_the_ends_of_the_unknown_parameters():
    measured = Measured(1.0, 0.0, (0.3, 0.5), {"as set": 1.0, "edge gap 2 nm": 1.5, "edge gap 0.5 nm": 0.7})
    reason = part("f", measured, low=0.0, reason="planted").reason
    assert reason == "planted; 0.7 (edge gap 0.5 nm) to 1.5 (edge gap 2 nm)"
    assert json.dumps(part("f", float("nan"), low=0.0, reason="planted").row())


def test_atoms_are_taken_from_where_they_are(gatherer, tmp_path, make, monkeypatch):
    """A validation's record serves if it is of this width and salt; a given one always does."""
    monkeypatch.setattr(atoms, "SHIPPED", tmp_path / "nothing")
    opened = gatherer()
    for slit, found in ((2e-9, None), (0.59e-9, "this validation's run")):
        record = make()
        record.metadata["network"] = {"slit": slit}
        record.write(tmp_path / "md" / "record")
        (tmp_path / "md" / "manifest.json").write_text("{}", encoding="utf-8")
        place = atoms.find(tmp_path, opened.config, None)
        assert (place and place[1]) == found
    assert "d = 0.59 nm" in opened.atoms()[1]
    assert atoms.find(tmp_path, opened.config, tmp_path)[0] == tmp_path


@pytest.mark.parametrize(("kind", "taken"), [("charge-ramp", False), ("charge-step", True)])
def test_a_shipped_record_serves_if_it_was_stepped(gatherer, tmp_path, make, monkeypatch, kind, taken):
    """The claim is on a charge step: a ramp is shown beside a run, but proves nothing of it."""
    record = make()
    record.metadata.update(network={"slit": 0.59e-9}, drive={"kind": kind})
    record.write(tmp_path / "reference" / "planted" / "record")
    monkeypatch.setattr(atoms, "SHIPPED", tmp_path / "reference")
    opened = gatherer()
    place = atoms.find(tmp_path, opened.config, None)
    assert (place is not None) == taken
    if place is not None:
        assert "reference record planted that comes with the suite" in opened.atoms()[1]
