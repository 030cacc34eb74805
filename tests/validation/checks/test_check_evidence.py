"""Every check carries the table that its number follows from: worked out again here, by other means."""

import numpy as np
import pandas as pd
import pytest

from md.shipped import SHIPPED
from transslit import Law, TransSlitRecord
from transslit.law import Constant
from validation.checks.against import against
from validation.checks.atoms import neutralised
from validation.checks.conservation import additivity
from validation.checks.law import law
from validation.checks.mechanism import mechanism
from validation.checks.unexplained_charge import residual


def mean_over_blocks(table):
    return table.drop(columns=["box", "block"]).groupby("time_s").mean(numeric_only=True).reset_index()


def by_source(table):
    parts = table.groupby("source")
    return {source: mean_over_blocks(part.drop(columns="source")) for source, part in parts}


def late(course, column):
    """Mean over the last quarter."""
    start, end = course["time_s"].iloc[0], course["time_s"].iloc[-1]
    return course.loc[course["time_s"] >= start + 0.75 * (end - start), column].mean()


def share_of_one_sign(table):
    course = mean_over_blocks(table)
    charge = course["I_A_per_m"].abs() * np.gradient(course["time_s"])
    alike = course["I_migration_A_per_m"] * course["I_diffusion_A_per_m"] > 0
    return charge[alike].sum() / charge.sum()


def slope(table):
    course = mean_over_blocks(table)
    migration, diffusion = course["I_migration_A_per_m"], course["I_diffusion_A_per_m"]
    return (migration * diffusion).sum() / (migration**2).sum()


def correlation(table):
    course = mean_over_blocks(table).drop(columns="time_s")
    return course.corr().iloc[0, 1]


def over_continuum(column):
    def ratio(table):
        levels = {source: late(course, column) for source, course in by_source(table).items()}
        return levels["atoms"] / levels["continuum"]

    return ratio


def apart(table):
    atoms, continuum = (by_source(table)[source] for source in ("atoms", "continuum"))
    difference = atoms["stored_C_per_m"] - np.interp(atoms["time_s"], continuum["time_s"], continuum["stored_C_per_m"])
    return np.sqrt((difference**2).mean()) / late(continuum, "stored_C_per_m")


def left_over(table):
    course = mean_over_blocks(table)
    return course["I_residual_A_per_m"].sum() / course["I_A_per_m"].sum()  # even times


def largest(over, under):
    return lambda table: table[over].max() / table[under].max()


AGAIN = {
    "sign": share_of_one_sign,
    "net": slope,
    "rho": correlation,
    "c": correlation,
    "course": apart,
    "charge": over_continuum("stored_C_per_m"),
    "content": over_continuum("c_mol_per_m3"),
    "residual": left_over,
    "parts": largest("gap_A_per_m", "I_A_per_m"),
    "neutralised": lambda table: (last := mean_over_blocks(table).iloc[-1])["ions_C_per_m"] / last["electrode_C_per_m"],
}


@pytest.fixture(scope="module")
def checks(planted_record):
    atoms, continuum = planted_record(noise=0.1), planted_record(source="continuum", blocks=1, speed=2.0)
    found = [
        *mechanism(atoms, "md", "planted"),
        residual(atoms, "md", "planted"),
        *against(atoms, continuum, "planted"),
        additivity(atoms, "verify.md", "planted"),
        neutralised(TransSlitRecord.read(SHIPPED / "charge-step-10ps"), "md", "shipped"),
    ]
    return {verdict.id: verdict for verdict in found}


@pytest.mark.parametrize("statement", AGAIN)
def test_the_number_follows_from_the_table(checks, statement):
    chosen = [verdict for verdict in checks.values() if verdict.id.split(".")[-1] == statement]
    assert chosen
    for verdict in chosen:
        close = {"rel": 0.02} if statement in ("sign", "net") else {"rel": 1e-6, "abs": 1e-12}
        assert AGAIN[statement](verdict.evidence) == pytest.approx(verdict.value, **close), verdict.id


def test_the_rise_times_are_the_planted_ones(checks):
    for source, course in by_source(checks["against.1.t63"].evidence).items():
        expected = {"atoms": 1.0e-12, "continuum": 0.5e-12}[source]
        reached = course["stored_C_per_m"] / late(course, "stored_C_per_m") >= 1 - np.exp(-1)
        assert course["time_s"][reached].iloc[0] == pytest.approx(expected, abs=0.2e-12)


def test_a_law_carries_its_predictions_and_its_resistance():
    q = np.tile(np.linspace(0.0, 1.0, 6), 2)
    rows = pd.DataFrame({"replica": 0, "i": np.repeat([1, 2], 6), "time_s": q, "I_A_per_m": 1.0 + q, "q": q})
    rows["dphi_V"] = (1 + q) * 2.0 * (1 - 0.5 * q)
    known = {"provenance": {"held_out": ["i=2"]}, "metrics": {"r2_held_out": 1.0}}
    held, fall = law(Law.paper(2.0, 0.5, **known), rows, "planted")
    assert held.evidence["held_out"].tolist() == [False] * 6 + [True] * 6
    assert held.evidence["predicted"].to_numpy() == pytest.approx(held.evidence["dphi_V"].to_numpy())
    R = fall.evidence.set_index("q")["R_ohm_m"]
    assert 1 - R[1.0] / R[0.0] == pytest.approx(fall.value)
    flat = Law("dphi_V", ("I_A_per_m", "q"), "c0*q", {"c0": Constant(1.0)})
    assert law(flat, rows, "planted")[1].evidence.empty  # no resistance, no table
