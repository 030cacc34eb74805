"""Planted laws are recovered in form, with constants inside their intervals; noise gives no law."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from discovery import DiscoveryConfig, discover
from discovery.planted import BENCHMARK_LAWS, RESISTANCE, PlantedLaw, planted_table, true_constants
from transslit.law import Law

QUICK = DiscoveryConfig(form="general", population=48, generations=7, islands=2, search_rows=200)
PAPER = BENCHMARK_LAWS["paper"]


def falling(q: np.ndarray) -> np.ndarray:
    """R(q)/R_c of the paper's law."""
    return 1 - 0.5 * q


def find(planted: PlantedLaw, seed: int, noise: float, config: DiscoveryConfig) -> Law:
    settings = {"seed": seed, "target": planted.target, "inputs": planted.inputs}
    return discover(planted_table(planted, noise, seed), config.model_copy(update=settings))


@pytest.mark.parametrize("name", BENCHMARK_LAWS)
def test_planted_laws_are_recovered_in_form(name: str) -> None:
    law = find(BENCHMARK_LAWS[name], seed=3, noise=0.01, config=QUICK)
    assert law.provenance["found"]
    assert true_constants(law, BENCHMARK_LAWS[name]) is not None, law.expression
    assert law.metrics["r2_held_out"] > 0.99


def test_the_papers_law_has_its_names_units_and_intervals() -> None:
    law = find(PAPER, seed=1, noise=0.01, config=QUICK)
    assert law.expression == "I_A_per_m*R_c*(1 - gamma*q)"
    assert law.constants["R_c"].unit == "ohm*m"
    assert law.constants["gamma"].unit == "1"
    for name, planted in (("R_c", RESISTANCE), ("gamma", 0.5)):
        found = law.constants[name]
        assert abs(found.value - planted) < 3.5 * found.std
        assert 0 < found.std < 0.01 * planted
    assert np.sqrt(np.diag(law.covariance)) == pytest.approx([c.std for c in law.constants.values()])
    assert law.metrics["gamma"] == law.constants["gamma"].value
    assert law.metrics["delta_bic_ohmic"] > 1000
    resistance, slope = law.resistance()
    assert resistance(np.array([0.0, 1.0])) == pytest.approx([RESISTANCE, RESISTANCE / 2], rel=0.01)
    assert slope(np.array([0.5])) == pytest.approx([-RESISTANCE / 2], rel=0.01)


def test_bootstrap_intervals_have_the_scatter_of_repeated_experiments(make_table) -> None:
    """gamma refitted on fresh noise scatters as its standard error says (30 draws: chi-square, 3 sigma is 40 %)."""
    from discovery import publish
    from discovery.fit import fit_form
    from discovery.problem import make_problem

    form = publish.paper_form(QUICK)
    values, errors = [], []
    for seed in range(30):
        problem = make_problem(make_table(falling, 0.01, seed), QUICK)
        gamma = publish.fitted_constants(form, fit_form(form, problem.rows), problem, QUICK).constants["gamma"]
        values.append(gamma.value)
        errors.append(gamma.std)
    assert np.std(values, ddof=1) == pytest.approx(np.mean(errors), rel=0.4)
    assert np.mean(values) == pytest.approx(0.5, abs=4 * np.mean(errors) / np.sqrt(30))


@pytest.mark.parametrize("noise", [0.0, 0.05])
def test_ohmic_data_give_ohms_law(noise: float) -> None:
    law = find(BENCHMARK_LAWS["ohmic"], seed=2, noise=noise, config=QUICK)
    assert law.expression == "I_A_per_m*R_c"
    assert law.constants["R_c"].value == pytest.approx(RESISTANCE, rel=0.005)


def test_pure_noise_has_no_law(make_table) -> None:
    table = make_table(lambda q: 1 + 0 * q)
    table["dphi_V"] = np.random.default_rng(4).standard_normal(len(table)) * 1e-3
    law = discover(table, QUICK)
    assert not law.provenance["found"]
    assert law.expression == "0"
    assert abs(law.metrics["r2"]) < 0.01


def test_noise_about_a_mean_is_a_constant_and_no_law(make_table) -> None:
    table = make_table(lambda q: 1 + 0 * q)
    table["dphi_V"] = 2e-3 + np.random.default_rng(5).standard_normal(len(table)) * 1e-3
    law = discover(table, QUICK)
    assert not law.provenance["found"]
    assert law.expression == "c0"
    assert law.constants["c0"].value == pytest.approx(2e-3, rel=0.1)


def test_noise_free_data_with_a_model_error_do_not_favour_long_formulas(make_table) -> None:
    """A slow wave of 2 % and no noise: the law is the paper's, not a longer formula that fits the wave."""
    law = discover(make_table(falling, 0.0, misfit=0.02), QUICK)
    assert true_constants(law, PAPER) is not None, law.expression
    assert law.constants["gamma"].value == pytest.approx(0.5, abs=4 * law.constants["gamma"].std)
    assert law.metrics["n_independent"] < 0.1 * law.metrics["n_rows"]


def test_units_do_not_matter(make_table) -> None:
    table = make_table(falling)
    law = discover(table, QUICK)
    other = discover(table.assign(dphi_V=table["dphi_V"] * 1e9, I_A_per_m=table["I_A_per_m"] * 1e-9), QUICK)
    assert other.expression == law.expression
    assert other.constants["R_c"].value == pytest.approx(law.constants["R_c"].value * 1e18, rel=1e-6)
    assert other.constants["gamma"].value == pytest.approx(law.constants["gamma"].value, rel=1e-6)
    assert [row["complexity"] for row in other.front] == [row["complexity"] for row in law.front]


def test_weights_follow_the_uncertainty(make_table) -> None:
    """Half of the rows have large noise and a large uncertainty: the law is that of the other half."""
    table = make_table(falling)
    noisy = np.random.default_rng(0).random(len(table)) < 0.5
    table["dphi_V"] += np.where(noisy, table["dphi_V"].std(), 0) * np.random.default_rng(1).standard_normal(len(table))
    table["dphi_V_std"] = np.where(noisy, 1.0, 0.01) * table["dphi_V"].std()
    law = discover(table, QUICK)
    assert true_constants(law, PAPER) is not None, law.expression
    assert law.constants["gamma"].value == pytest.approx(0.5, abs=0.01)
    assert law.provenance["weighted"]


def test_a_table_without_current_or_charge_by_name(make_table) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.uniform(-2, 2, 300), rng.uniform(1, 3, 300)
    table = pd.DataFrame({"x_m": x, "y_s": y, "speed_m_per_s": 3 * x / y + 0.01 * rng.standard_normal(300)})
    law = discover(table, QUICK.model_copy(update={"target": "speed_m_per_s", "inputs": ("x_m", "y_s")}))
    assert law.expression == "c0*x_m/y_s"
    assert law.constants["c0"].unit == "1"
    assert law.constants["c0"].value == pytest.approx(3, rel=0.01)
    assert law.provenance["judged"]["a fifth of the rows"] == {"r2": law.metrics["r2_held_out"], "rows": 60}
