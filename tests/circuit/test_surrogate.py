"""Elements without the continuum: planted laws are found again, the shipped table is kept to, and its domain too."""

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import qmc

from circuit import CircuitConfig, simulate
from circuit.surrogate import ELEMENTS, INPUTS, Surrogate
from transslit import BadInput

DOMAIN = {"slit": (1e-9, 5e-9), "concentration": (100.0, 2000.0), "window": (0.1, 0.8), "scan_rate": (2e3, 2e5)}


def planted(inputs):
    """R_c = 1 nm M / (d c), gamma by window over width, C_slit ~ sqrt(c), the rest constant; (n, 4) -> (n, 6)."""
    d, c, window, _ = inputs.T
    one = np.ones(len(inputs))
    gamma = 1 / (1 + (d / 1e-9) / (window / 0.2))
    return np.column_stack([1e-6 / (d * c), gamma, 1e-9 * np.sqrt(c / 1e3), 0.1 * one, 2e-9 * one, 1e-9 * window])


@pytest.fixture(scope="module")
def known():
    low, high = np.log(list(DOMAIN.values())).T
    inputs = np.exp(low + (high - low) * qmc.Sobol(4, seed=0).random(64))
    return Surrogate(DOMAIN, inputs, planted(inputs), None, {}, {"what": "planted"})


def test_finds_planted_elements_between_its_runs(known):
    rng = np.random.default_rng(1)
    low, high = np.log(list(DOMAIN.values())).T
    for row in np.exp(low + (high - low) * rng.random((20, 4))):
        values, errors = known.at(*row)
        truth = dict(zip(ELEMENTS, planted(row[None])[0], strict=True))
        assert values == pytest.approx(truth, rel=0.01)
        assert abs(values["gamma"] - truth["gamma"]) < 4 * errors["gamma"] + 1e-3


def test_survives_its_file(known, tmp_path):
    known.write(tmp_path / "elements.json")
    text = (tmp_path / "elements.json").read_text()
    again = Surrogate.from_json(json.loads(text))
    assert len(text.splitlines()) == 64 + 9  # a run a line
    assert again.at(2e-9, 700.0)[0] == pytest.approx(known.at(2e-9, 700.0)[0], rel=1e-3)
    assert again.provenance == known.provenance


def test_refuses_where_a_filled_slit_would_not_resist(known):
    elements = known.elements.copy()
    elements[:, ELEMENTS.index("gamma")] *= 2
    beyond = replace(known, elements=elements)
    assert beyond.at(5e-9, window=0.1)[0]["gamma"] < 1
    with pytest.raises(BadInput, match="gamma >= 1"):
        beyond.at(1e-9, window=0.8)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("slit", 0.9e-9, "0.9 nm: the fitted elements hold from 1 to 5 nm"),
        ("window", 1.0, "1000 mV"),
        ("scan_rate", 1e6, "mV/us"),
    ],
)
def test_refuses_to_go_beyond_its_domain(known, name, value, said):
    with pytest.raises(BadInput, match=said) as refused:
        known.at(**({"slit": 2e-9} | {name: value}))
    assert refused.value.field == name


@pytest.fixture(scope="module")
def shipped():
    return Surrogate.shipped()


def test_the_shipped_table_is_kept_to(shipped):
    x = shipped._unit(shipped.inputs)
    assert ((x > -1e-6) & (x < 1 + 1e-6)).all()
    gamma = shipped.elements[:, ELEMENTS.index("gamma")]
    some = np.flatnonzero(gamma < 0.95)[::8]
    found = [shipped.at(*row)[0] for row in shipped.inputs[some]]
    for name, emulator in shipped.emulators.items():
        column = shipped.elements[some, ELEMENTS.index(name)]
        error = (np.array([values[name] for values in found]) - column) / (1.0 if name == "gamma" else column)
        assert np.sqrt(np.mean(error**2)) < 1.5 * shipped.held_out[name]
        assert shipped.held_out[name] < 0.02
        assert emulator.r2 > 0.95
    assert set(DOMAIN) == set(INPUTS) == set(shipped.domain)


def test_the_shipped_elements_behave_as_physics_does(shipped):
    narrow, wide = shipped.at(1.5e-9)[0], shipped.at(5e-9)[0]
    assert narrow["gamma"] > wide["gamma"] > 0
    assert narrow["resistance"] > wide["resistance"]
    dilute, dense = shipped.at(2e-9, 200.0)[0], shipped.at(2e-9, 2000.0)[0]
    assert 5 < dilute["resistance"] / dense["resistance"] < 20  # ten, if R_c were the bulk's
    assert dilute["gamma"] > dense["gamma"]  # few ions to begin with
    small, large = shipped.at(2e-9, window=0.1)[0], shipped.at(2e-9, window=0.8)[0]
    assert large["gamma"] > small["gamma"]
    values, errors = shipped.at(2.4e-9)
    assert values["charge_max"] == pytest.approx(values["slit_capacitance"] * 0.2, rel=0.15)
    assert errors["gamma"] < 0.05
    config = CircuitConfig(layers=6, half_entrance_resistor=True, **values)
    assert simulate(config).charge(1).max() == pytest.approx(values["charge_max"], rel=0.05)
