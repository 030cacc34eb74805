"""Laws: prediction, the resistance that a circuit takes, files, and refusal of what is no arithmetic."""

import json

import numpy as np
import pytest

from transslit import BadInput, Constant, Law


def test_the_paper_law_and_its_derivative():
    law = Law.paper(5.0, 0.5)
    q = np.linspace(0, 1, 5)
    resistance, slope = law.resistance()
    np.testing.assert_allclose(resistance(q), 5 * (1 - 0.5 * q))
    np.testing.assert_allclose(slope(q), -2.5)
    np.testing.assert_allclose(law.predict(I_A_per_m=np.full(5, 2.0), q=q), 10 * (1 - 0.5 * q))


def test_round_trip(tmp_path):
    law = Law.paper(
        5.0, 0.5, metrics={"r2": 0.99}, front=({"complexity": 3, "loss": 0.1, "score": 1.0, "expression": "I"},)
    )
    law.write(tmp_path / "law.json")
    assert Law.read(tmp_path) == law


@pytest.mark.parametrize(
    ("entry", "field"),
    [
        ({}, "value"),
        ({"value": "5"}, "value"),
        ({"value": 1e200}, "value"),
        ({"value": 5.0, "std": -1.0}, "std"),
        ({"value": 5.0, "error": 1.0}, "error"),
    ],
)
def test_a_constant_of_a_file_is_a_number_in_bounds(entry, field):
    content = Law.paper(5.0, 0.5).to_json()
    with pytest.raises(BadInput, match=rf"constants\.R_c\.{field}: "):
        Law.from_json(content | {"constants": content["constants"] | {"R_c": entry}})


def test_a_nonlinear_current_is_no_resistance():
    law = Law("dphi_V", ("I_A_per_m", "q"), "a*I_A_per_m**2", {"a": Constant(1.0)})
    with pytest.raises(BadInput, match="proportional"):
        law.resistance()


@pytest.mark.parametrize(
    "expression", ["__import__('os').system('true')", "q.real", "(lambda: q)()", "open('x')", "'a'*q", "q +"]
)
def test_only_arithmetic_is_evaluated(expression):
    with pytest.raises(BadInput, match="law expression"):
        Law("dphi_V", ("I_A_per_m", "q"), expression, {})


def test_unknown_names_and_torn_files_are_refused(tmp_path):
    with pytest.raises(BadInput, match="unknown name k"):
        Law("dphi_V", ("I_A_per_m", "q"), "k*I_A_per_m", {})
    path = tmp_path / "law.json"
    Law.paper(5.0, 0.5).write(path)
    path.write_text(path.read_text()[:40])
    with pytest.raises(BadInput, match=r"law\.json"):
        Law.read(path)
    path.write_text(json.dumps({"target": "dphi_V"}))
    with pytest.raises(BadInput, match="inputs"):
        Law.read(path)


@pytest.mark.parametrize(
    ("target", "current", "ohms"),
    [
        ("dphi_V", "I_A_per_m", 5.0),
        ("dphi_V", "I_A", 5.0),
        ("dphi_mV", "I_A_per_m", 5e-3),
        ("dphi_V", "I_mA", 5e3),
        ("dphi_V", "I_mA_per_m", 5e3),
        ("dphi_uV", "I_A", 5e-6),
    ],
)
def test_a_resistance_is_in_ohm_whatever_the_units_of_its_columns(target, current, ohms):
    law = Law(target, (current, "q"), f"{current}*R*(1 - 0.5*q)", {"R": Constant(5.0)})
    resistance, slope = law.resistance()
    np.testing.assert_allclose(resistance(np.array([0.0, 1.0])), [ohms, ohms / 2], rtol=1e-12)
    np.testing.assert_allclose(slope(np.array([0.5])), -ohms / 2, rtol=1e-12)


@pytest.mark.parametrize(
    ("target", "current"), [("dphi", "I_A"), ("dphi_V", "I"), ("q_C", "I_A"), ("dphi_V", "I_m_per_s")]
)
def test_what_is_no_voltage_over_a_current_is_no_resistance(target, current):
    law = Law(target, (current, "q"), f"{current}*R", {"R": Constant(5.0)})
    with pytest.raises(BadInput, match="voltage over a current"):
        law.resistance()
