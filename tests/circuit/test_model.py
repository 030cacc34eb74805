"""Graded, tabulated and asymmetric electrodes, and every drive, against answers known beforehand."""

import numpy as np
import pytest
from pydantic import ValidationError
from scipy.integrate import solve_ivp

from circuit import CircuitConfig, HalfCell, Table, simulate
from circuit.curves import element
from circuit.measures import half_cycles, ragone, stored_energy
from transslit import BadInput, Law, TriangularCV
from transslit.drive import ConstantPower, Galvanostatic, PotentialStep, RateSeries, SmoothedCV, TableDrive

COUNTER = HalfCell(
    layers=4,
    resistance=3.0,
    gamma=-0.4,
    slit_capacitance=150e-9,
    open_resistance=2.0,
    open_capacitance=20e-9,
    charge_max=30e-9,
)


def values(result, name="I_m_A"):
    return result.terminal[name].to_numpy()


def close(a, b, tolerance):
    assert np.abs(a - b).max() < tolerance * np.abs(b).max()


def test_a_graded_electrode_is_kirchhoffs(paper):
    """Three different slits, each with its own R_c, gamma, C and Q_max, by Radau."""
    R, g, C, full = (5.0, 2.0, 9.0), (0.5, -0.3, 0.9), (8e-8, 4e-8, 1e-7), (2e-8, 1e-8, 3e-8)
    config = paper(layers=4, resistance=R, gamma=g, slit_capacitance=C, charge_max=full, points=201)
    config = config.model_copy(update={"drive": TriangularCV()})
    capacity = np.array([config.open_capacitance, *C])

    def rates(t, charge):
        u = charge / capacity
        filling = np.abs(charge[1:]) / full
        inward = (u[:-1] - u[1:]) / (np.array(R) * (1 - np.array(g) * filling))
        into = np.concatenate([[(1e4 * min(t, 4e-5 - t) - u[0]) / config.open_resistance], inward])
        return into - np.append(inward, 0.0)

    result = simulate(config)
    times = values(result, "time_s")
    charge, start = [], np.zeros(4)
    for a, b in ((0, 2e-5), (2e-5, 4e-5)):
        inside = times[(times >= a) & ((times < b) | (b == 4e-5))]
        found = solve_ivp(rates, (a, b), start, "Radau", [*inside, *([b] if b < 4e-5 else [])], rtol=1e-10, atol=1e-20)
        charge.append(found.y[:, : len(inside)])
        start = found.y[:, -1]
    charge = np.hstack(charge)
    current = (values(result, "phi_m_V") - charge[0] / capacity[0]) / config.open_resistance
    close(values(result), current, 5e-5)
    assert result.charge(3) == pytest.approx(charge[3], abs=1e-13)


def test_equal_electrodes_given_as_two_are_the_full_cell(paper):
    plain = paper(layers=6)
    same = HalfCell(**{name: getattr(plain, name) for name in HalfCell.model_fields})
    one, two = simulate(plain), simulate(plain.model_copy(update={"counter": same}))
    close(values(two), values(one), 5e-5)  # each is within 5e-5 of the truth
    assert values(two, "phi_m_V") == pytest.approx(values(one, "phi_m_V"), abs=1e-6)
    for name in ("working", "counter"):
        slits = two.slits.query("electrode == @name")
        charge = slits["q_C"].to_numpy() * (1 if name == "working" else -1)
        assert charge == pytest.approx(one.slits["q_C"].to_numpy(), abs=1e-13)
        assert slits["R_ohm"].to_numpy() == pytest.approx(one.slits["R_ohm"].to_numpy(), rel=1e-4)


def test_two_different_electrodes_share_one_charge_and_split_the_voltage_by_it(paper):
    """Slow enough, V_m splits as 1/C; at any rate both hold the same charge, to round-off."""
    result = simulate(paper(layers=6, counter=COUNTER, drive=TriangularCV(scan_rate=20.0)))
    middle = result.terminal.query("0.005 < time_s < 0.015")
    ours, theirs = 10e-9 + 5 * 80e-9, 20e-9 + 3 * 150e-9
    assert (middle["phi_m_V"] / middle["V_m_V"]).to_numpy() == pytest.approx(theirs / (ours + theirs), rel=1e-4)
    assert (middle["phi_m_V"] - middle["phi_counter_V"]).to_numpy() == pytest.approx(middle["V_m_V"].to_numpy())
    fast = simulate(paper(layers=6, counter=COUNTER))
    account = fast.balance()
    assert account.charge_passed == pytest.approx(account.charge_stored, rel=1e-10, abs=0)
    spent = account.energy_stored + account.energy_dissipated
    assert account.energy_supplied == pytest.approx(spent, rel=1e-6, abs=0)
    swapped = HalfCell(**{name: getattr(paper(layers=6), name) for name in HalfCell.model_fields})
    mirrored = CircuitConfig(**{**COUNTER.model_dump(), "counter": swapped, "drive": TriangularCV(cycles=2)})
    close(values(simulate(mirrored)), values(fast), 2e-5)


def test_tables_of_constants_and_of_lines_are_the_formulas(paper):
    """C as a flat table over either variable, R as two points of the paper's line."""
    plain = paper(layers=6, gamma=0.5)
    line = Table(at=(0.0, 2.0), value=(5.0, 1e-9))
    for over in ("q", "potential"):
        flat = Table(over=over, at=(0.0, 0.1), value=(80e-9, 80e-9))
        table = plain.model_copy(update={"capacitance_table": flat, "resistance_table": line})
        close(values(simulate(table)), values(simulate(plain)), 1e-5)


def test_a_resistance_table_keeps_its_last_value():
    curve = element([Table(at=(0.0, 0.5, 1.0), value=(5.0, 3.0, 2.0))])
    value, slope = curve(np.array([[0.5], [1.0], [1.7]]))
    assert value.ravel() == pytest.approx([3.0, 2.0, 2.0])
    assert slope[2, 0] == 0
    assert curve.integral(np.array([1.7]))[0] - curve.integral(np.array([1.0]))[0] == pytest.approx(1.4)


@pytest.mark.parametrize("over", ["q", "potential"])
def test_a_slit_whose_capacitance_grows_holds_the_integral(paper, over):
    """At rest Q = integral of C du: C = C0 (1 + 5 |u|/V), which over Q is C0 sqrt(1 + 10 Q / (C0 V))."""
    at = np.linspace(0, 0.3, 31)
    held = 80e-9 * (at + 2.5 * at**2)
    grown = Table(over=over, at=tuple(held / 16e-9 if over == "q" else at), value=tuple(80e-9 * (1 + 5 * at)))
    config = paper(layers=3, gamma=0.0, capacitance_table=grown, drive=PotentialStep(voltage=-0.4, duration=1e-4))
    result = simulate(config)
    assert result.charge(2)[-1] == pytest.approx(-80e-9 * (0.2 + 2.5 * 0.04), rel=1e-5, abs=0)
    account = result.balance()
    stored = 10e-9 * 0.02 + 2 * 80e-9 * (0.02 + 5 * 0.2**3 / 3)
    assert account.energy_stored == pytest.approx(stored, rel=1e-5, abs=0)
    assert account.charge_passed == pytest.approx(account.charge_stored, rel=1e-10, abs=0)
    assert account.energy_supplied == pytest.approx(stored + account.energy_dissipated, rel=1e-6, abs=0)


DRIVES = [
    SmoothedCV(cycles=1),
    RateSeries(scan_rates=(2e4, 4e3)),
    PotentialStep(voltage=0.4, duration=2e-5, rest=2e-5),
    Galvanostatic(current=5e-3, cycles=2),
    ConstantPower(power=1e-3),
    TableDrive(time=(0.0, 1e-5, 3e-5), voltage=(0.1, 0.3, -0.2)),
    TableDrive(time=(0.0, 1e-5, 3e-5), current=(0.0, 5e-3, -5e-3)),
]


@pytest.mark.parametrize("drive", DRIVES, ids=lambda drive: drive.kind)
@pytest.mark.parametrize("counter", [None, COUNTER], ids=["equal", "two"])
def test_charge_and_energy_balance_under_every_drive(paper, drive, counter):
    result = simulate(paper(layers=6, drive=drive, counter=counter, charge_max=16e-9, tolerance=1e-7))
    account = result.balance()
    largest = np.abs(result.charge(1)).max()
    assert account.charge_passed == pytest.approx(account.charge_stored, abs=1e-10 * largest)
    spent = account.energy_stored + account.energy_dissipated
    assert account.energy_supplied == pytest.approx(spent, rel=1e-6, abs=0)


def test_open_space_alone_is_an_rc(paper):
    """One layer: R_open and C_open; a step gives V/R exp(-t/RC)."""
    config = paper(layers=1, full_cell=False, drive=PotentialStep(voltage=0.2, duration=5e-8))
    result = simulate(config)
    close(values(result), 0.2 * np.exp(-values(result, "time_s") / 10e-9), 1e-5)


def test_step_response_of_a_line_is_the_series():
    """Unit R and C, open at its end: I = sum 2 exp(-(pi k / 2)^2 t), k odd; order 2 with the half-resistor entrance."""
    errors = []
    for n in (16, 32, 64):
        config = CircuitConfig(
            layers=n + 1, resistance=1 / n, slit_capacitance=1 / n, open_resistance=1e-6, open_capacitance=1e-6,
            drive=PotentialStep(voltage=1.0, duration=1.0), full_cell=False, half_entrance_resistor=True,
            tolerance=1e-9,
        )  # fmt: skip
        late = simulate(config).terminal.query("time_s > 0.1")
        k = np.arange(1, 60, 2)[:, None]
        series = 2 * np.exp(-((np.pi * k / 2) ** 2) * late["time_s"].to_numpy()).sum(axis=0)
        errors.append(np.abs(late["I_m_A"] - series).max())
    assert np.log2(np.array(errors[:-1]) / np.array(errors[1:])) == pytest.approx([2, 2], abs=0.15)


def test_galvanostatic_cycling_turns_at_its_limits_and_keeps_its_current(paper):
    result = simulate(paper(drive=Galvanostatic(current=5e-3, upper=0.4, lower=0.05, cycles=2)))
    table = half_cycles(result)
    assert table["V_end_V"].to_numpy() == pytest.approx([0.4, 0.05, 0.4, 0.05], abs=1e-8)
    assert table["charge_C"].to_numpy() == pytest.approx(
        table["duration_s"] * [5e-3, -5e-3, 5e-3, -5e-3], rel=1e-12, abs=0
    )
    assert table["drop_V"].to_numpy()[1:] == pytest.approx([-0.02, 0.02, -0.02], abs=1e-8)  # 2 I R of both entrances
    assert set(np.round(np.abs(values(result)), 12)) == {5e-3}


def test_a_slow_galvanostat_measures_the_capacitance(paper):
    """Ten times n^2 R C: dV/dt = 2 I / (C_open + n C_slit)."""
    table = half_cycles(simulate(paper(layers=6, gamma=0.0, drive=Galvanostatic(current=1e-6))))
    held = (10e-9 + 5 * 80e-9) * 0.4 / 2
    assert table["charge_C"].to_numpy() == pytest.approx([held, -held], rel=1e-3, abs=0)


def test_constant_power_is_constant(paper):
    result = simulate(paper(drive=ConstantPower(power=1e-3)))
    power = values(result) * values(result, "V_m_V")
    assert np.abs(power) == pytest.approx(np.full(len(power), 1e-3), rel=1e-9)
    table = half_cycles(result)
    assert table["energy_J"].to_numpy() == pytest.approx(table["duration_s"] * [1e-3, -1e-3], rel=1e-9, abs=0)


def test_ragone_of_an_rc_is_the_closed_form(paper):
    """Held C V^2 / 2 (two halves in series); at low power all of it, ever less at high, none beyond V^2 / 4R."""
    config = paper(layers=1, drive=ConstantPower(power=1.0), charge_max=1e-9)
    assert stored_energy(config, 0, 0.4) == pytest.approx(0.5 * 5e-9 * 0.16, rel=1e-12, abs=0)
    powers = np.array([1e-6, 1e-3, 5e-3, 1e-2, 0.019, 0.021])  # V^2 / 4R = 0.02 W
    table = ragone(config, powers)
    assert table["efficiency"].iloc[0] == pytest.approx(1, abs=2e-2)
    assert (np.diff(table["energy_J"]) < 0).all()
    assert table["energy_J"].iloc[-1] == 0
    # C du/dt = -I, u I - R I^2 = P: the time for u from 0.4 to 2 sqrt(R P) by quadrature
    u = np.linspace(2 * np.sqrt(2 * 1e-3), 0.4, 200001)
    current = (u - np.sqrt(np.maximum(u**2 - 8e-3, 0))) / 4
    assert table["duration_s"].iloc[1] == pytest.approx(np.trapezoid(5e-9 / current, u), rel=1e-3, abs=0)


def test_a_voltage_table_of_a_cv_is_the_cv(paper):
    plain = paper(layers=6, drive=TriangularCV(cycles=1), points=2001)
    time = np.linspace(0, plain.drive.duration, 41)
    table = TableDrive(time=tuple(time), voltage=tuple(plain.drive.cell_voltage(time)))
    a, b = (simulate(c) for c in (plain, plain.model_copy(update={"drive": table, "charge_max": 16e-9})))
    close(values(b), values(a), 5e-5)


def test_a_run_may_begin_charged(paper):
    """Held where it rests, nothing flows; also with two different electrodes and a table."""
    grown = Table(over="potential", at=(0.0, 0.3), value=(80e-9, 200e-9))
    for counter in (None, COUNTER):
        for table in (None, grown):
            drive = PotentialStep(voltage=0.3, duration=1e-4)
            config = paper(layers=6, counter=counter, capacitance_table=table, drive=drive, initial_voltage=0.3)
            result = simulate(config.model_copy(update={"charge_max": 16e-9}))
            assert np.abs(values(result)).max() < 1e-9
            assert result.charge(5)[0] > 1e-8


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"resistance": (1.0, 2.0)}, "one for each of 19"),
        ({"slit_capacitance": None}, "slit_capacitance"),
        ({"capacitance_table": {"over": "q", "at": (0, 1, 1), "value": (1, 1, 1)}}, "increase"),
        ({"capacitance_table": {"over": "q", "at": (0, 1), "value": (1, -1)}}, "greater than 0"),
        ({"resistance_table": {"over": "potential", "at": (0, 1), "value": (1, 1)}}, "over q"),
        ({"counter": COUNTER, "full_cell": False}, "full cell"),
        ({"drive": {"kind": "power", "power": "1mW"}, "polarity": -1}, "sign"),
        ({"drive": {"kind": "waltz"}}, "waltz"),
    ],
)
def test_impossible_models_are_refused(paper, changes, word):
    with pytest.raises(BadInput, match=word):
        CircuitConfig.read(**{**paper().model_dump(), **changes})


def test_what_only_shows_when_run_is_refused(paper):
    table = TableDrive(time=(0.0, 1e-5), current=(0.0, 1e-3))
    with pytest.raises(BadInput, match="charge_max"):
        simulate(paper(drive=table))
    with pytest.raises(BadInput, match="at its limit"):
        simulate(paper(drive=Galvanostatic(current=1.0)))
    bad = COUNTER.model_copy(update={"gamma": 1.5, "charge_max": 5e-9})
    with pytest.raises(BadInput, match="counter electrode"):
        simulate(paper(layers=6, counter=bad))
    simulate(paper(layers=3, counter=COUNTER), Law.paper(5.0, 0.5), counter_law=Law.paper(2.0, 0.1))


@pytest.mark.parametrize("value", [True, "1", "1_0", None, float("nan")])
def test_numbers_of_a_table_are_numbers(value):
    with pytest.raises(ValidationError):
        Table(at=(0.0, 1.0), value=(1.0, value))
    with pytest.raises(ValidationError):
        Table(at=(0.0, value), value=(1.0, 1.0))
