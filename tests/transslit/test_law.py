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
