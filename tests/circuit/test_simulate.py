"""The ladder against references that share no code with it, and against what must be conserved."""

import numpy as np
import pytest
from scipy.interpolate import PchipInterpolator

from circuit import CircuitConfig, HalfCell, Table, simulate
from circuit.stage import write_circuit
from transslit import BadInput, Law, TriangularCV


def current(result):
    return result.terminal["I_m_A"].to_numpy()


def peak(result):
    return np.abs(current(result)).max()


@pytest.mark.parametrize("half", [False, True])
def test_tlm_equals_the_matrix_exponential(paper, references, half):
    config = paper(model="tlm", points=2001, half_entrance_resistor=half)
    result = simulate(config)
    exact = references["exact"](config, result.terminal["time_s"].to_numpy())
    assert np.abs(current(result) - exact).max() < 1e-5 * peak(result)  # tolerance 2e-6 per step, about 80 steps


@pytest.mark.parametrize(
    "changes",
    [
        {"layers": 6},
        {"layers": 6, "polarity": -1},
        {"layers": 6, "gamma": -0.9, "half_entrance_resistor": True},
        {"layers": 10, "open_capacitance": 1e-10, "drive": TriangularCV(cycles=1, scan_rate=1e5)},
        {"layers": 4, "full_cell": False, "gamma": 0.5},
    ],
)
def test_ncm_equals_radau(paper, references, changes):
    config = paper(points=401, **changes)
    result = simulate(config)
    expected, q = references["radau"](config, result.terminal["time_s"].to_numpy())
    assert np.abs(current(result) - expected).max() < 5e-5 * peak(result)  # half of what is promised
    mine = result.slits["q_C"].to_numpy().reshape(len(expected), -1)
    assert np.abs(mine - q).max() < 5e-6 * config.full_charge


def test_error_follows_the_tolerance(paper, references):
    config = paper(layers=6, points=201)
    expected, _ = references["radau"](config, simulate(config).terminal["time_s"].to_numpy())
    errors = [
        np.abs(current(simulate(config.model_copy(update={"tolerance": tol}))) - expected).max()
        for tol in (1e-4, 1e-6, 1e-8)
    ]
    assert errors[0] > 3 * errors[1] > 9 * errors[2]


def line_current(t):
    """Ramp response of a line of unit R and C, open at its end: I = 1 - sum 8/(pi k)^2 exp(-(pi k / 2)^2 t), k odd."""
    k = np.arange(1, 400, 2)[:, None]
    return 1 - (8 / (np.pi * k) ** 2 * np.exp(-((np.pi * k / 2) ** 2) * t)).sum(axis=0)


@pytest.mark.parametrize(("half", "order"), [(True, 2), (False, 1)])
def test_ladder_tends_to_the_continuous_line(half, order):
    errors = []
    for n in (8, 16, 32):
        config = CircuitConfig(
            layers=n + 1,
            resistance=1 / n,
            slit_capacitance=1 / n,
            open_resistance=1e-6,
            open_capacitance=1e-9,
            drive=TriangularCV(scan_rate=1.0, window=1.0),
            full_cell=False,
            half_entrance_resistor=half,
            points=41,
            tolerance=1e-8,
            model="tlm",
        )
        up = simulate(config).terminal.query("0.1 < time_s < 0.99")
        errors.append(np.abs(up["I_m_A"] - line_current(up["time_s"].to_numpy())).max())
    observed = np.log2(np.array(errors[:-1]) / np.array(errors[1:]))
    assert observed == pytest.approx([order, order], abs=0.15)


def test_two_layers_are_two_time_constants():
    """One slit behind the open space: the ramp's response by the two eigenvalues of the 2 x 2 system, by hand."""
    ro, co, r, c, s = 2.0, 1.0, 3.0, 0.5, 1.0
    config = CircuitConfig(
        layers=2,
        resistance=r,
        slit_capacitance=c,
        open_resistance=ro,
        open_capacitance=co,
        full_cell=False,
        drive=TriangularCV(scan_rate=s, window=10.0),
        points=201,
    )
    result = simulate(config)
    up = result.terminal.query("time_s <= 10")
    matrix = np.array([[-(1 / ro + 1 / r) / co, 1 / (r * co)], [1 / (r * c), -1 / (r * c)]])  # of phi_0, phi_1
    rates, modes = np.linalg.eig(matrix)
    share = np.linalg.solve(modes, [s, s])
    phi_0 = (modes[0] * share) @ (np.expm1(np.outer(rates, up["time_s"])) / rates[:, None])
    assert np.abs(up["I_m_A"] - phi_0 / ro).max() < 1e-5 * peak(result)


def test_tlm_is_ncm_without_gamma_to_the_last_bit(paper):
    assert np.array_equal(current(simulate(paper(gamma=0.0))), current(simulate(paper(model="tlm"))))


def test_law_equals_its_constants(paper):
    law = Law.paper(5.0, 0.9)
    config = paper(resistance=None, gamma=0.0)
    assert np.abs(current(simulate(config, law)) - current(simulate(paper()))).max() < 1e-12
    tlm = simulate(config.model_copy(update={"model": "tlm"}), law)
    assert np.array_equal(current(tlm), current(simulate(paper(model="tlm"))))


def test_law_overrides_and_any_law_will_do(paper, references):
    """R = 5 exp(-q) by a law, against its series, which at order 15 has converged to 1e-13."""
    exponential = Law("dphi_V", ("I_A_per_m", "q"), "5*I_A_per_m*exp(-q)", {})
    text = " + ".join(f"(-q)**{k}/{np.prod(np.arange(1.0, k + 1))}" for k in range(1, 16))
    series = Law("dphi_V", ("I_A_per_m", "q"), f"5*I_A_per_m*(1 + {text})", {})
    a, b = (simulate(paper(layers=6, resistance=99.0), law) for law in (exponential, series))
    assert np.abs(current(a) - current(b)).max() < 1e-9 * peak(a)
    assert peak(a) > 1.01 * peak(simulate(paper(layers=6, model="tlm")))


def test_a_law_that_is_infinitely_steep_at_no_charge_will_do(paper):
    """sqrt(q) is, where every run begins; 1e-10 off it differs by 1e-5 of R at most."""
    steep, smooth = (
        Law("dphi_V", ("I_A_per_m", "q"), f"I_A_per_m*(5 - 4*sqrt(q{shift}))", {}) for shift in ("", " + 1e-10")
    )
    expected = simulate(paper(), smooth).terminal["I_m_A"]
    found = simulate(paper(), steep).terminal["I_m_A"]
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-5 * expected.abs().max())


@pytest.mark.parametrize("gamma", [0.0, 0.9, -0.9])
def test_charge_and_energy_balance(paper, gamma):
    account = simulate(paper(gamma=gamma)).balance()
    assert account.charge_passed == pytest.approx(account.charge_stored, rel=1e-10, abs=0)
    spent = account.energy_stored + account.energy_dissipated
    assert account.energy_supplied == pytest.approx(spent, rel=1e-6, abs=0)
    assert account.energy_dissipated > 0


def test_charge_passed_is_the_integral_of_the_current(paper):
    config = paper(points=20001)
    result = simulate(config)
    integral = np.trapezoid(current(result), result.terminal["time_s"])
    assert integral == pytest.approx(result.balance().charge_stored, rel=1e-5, abs=0)  # trapezoids of 4 ns


@pytest.mark.parametrize("model", ["ncm", "tlm"])
def test_polarity_mirrors_everything(paper, model):
    up, down = simulate(paper(model=model)), simulate(paper(model=model, polarity=-1))
    for column in ("V_m_V", "phi_m_V", "I_m_A"):
        assert np.array_equal(up.terminal[column], -down.terminal[column])
    assert np.array_equal(up.slits["q_C"], -down.slits["q_C"])
    assert np.array_equal(up.slits["R_ohm"], down.slits["R_ohm"])


def test_tlm_current_is_proportional_to_the_window_and_free_of_its_scale(paper):
    """Linear and scale-free: C a hundred times smaller with R a hundred times larger is the current over a hundred."""
    a = simulate(paper(model="tlm"))
    b = simulate(
        paper(model="tlm", resistance=500.0, open_resistance=100.0, slit_capacitance=8e-10, open_capacitance=1e-10)
    )
    assert np.abs(current(a) - 100 * current(b)).max() < 1e-9 * peak(a)


def test_slow_cell_is_a_box(paper):
    """Far slower than its RC: I = +-(C_open + n C_slit) dphi_m/dt away from the corners, and every slit is full."""
    config = paper(drive=TriangularCV(cycles=1, scan_rate=1.0), layers=6)
    result = simulate(config)
    capacitance = config.open_capacitance + 5 * config.slit_capacitance
    middle = result.terminal.query("0.1 < time_s < 0.3")
    assert middle["I_m_A"].to_numpy() == pytest.approx(capacitance * 0.5, rel=1e-3, abs=0)
    assert result.slits["q_C"].max() == pytest.approx(config.slit_capacitance * 0.2, rel=1e-3, abs=0)


def test_tables_tell_what_they_are(paper):
    config = paper(points=777)
    result = simulate(config)
    terminal, slits = result.terminal, result.slits
    assert list(terminal) == ["time_s", "V_m_V", "phi_m_V", "I_m_A"]
    assert list(slits) == ["time_s", "slit", "q_C", "R_ohm", "phi_V"]
    assert len(terminal) == 777
    assert len(slits) == 777 * 19
    assert sorted(slits["slit"].unique()) == list(range(1, 20))
    assert terminal["V_m_V"].iloc[0] == 0
    assert terminal["V_m_V"].iloc[1] > 0
    assert (terminal["V_m_V"] == 0.4).sum() == 2  # the corners are among the rows
    assert np.array_equal(terminal["V_m_V"], 2 * terminal["phi_m_V"])
    assert terminal["I_m_A"].iloc[100] > 0
    assert "charging current positive" in result.metadata["sign"]
    phi_m = np.repeat(terminal["phi_m_V"].to_numpy(), 19)
    assert slits["q_C"].to_numpy() == pytest.approx(80e-9 * (phi_m - slits["phi_V"]), abs=1e-20)
    assert slits["R_ohm"].to_numpy() == pytest.approx(5 * (1 - 0.9 * np.abs(slits["q_C"]) / 16e-9))
    # Ohm's law of the last resistor gives the charging current of the last slit
    q19, phi19, phi18 = result.charge(19), *(slits.query("slit == @i")["phi_V"].to_numpy() for i in (19, 18))
    R19 = slits.query("slit == 19")["R_ohm"].to_numpy()
    rate = np.gradient(q19, terminal["time_s"].to_numpy())
    inner = slice(20, 170)
    assert rate[inner] == pytest.approx((phi19 - phi18)[inner] / R19[inner], rel=2e-2, abs=2e-6)


@pytest.mark.parametrize("layers", [2, 6, 20])
def test_resistance_that_reaches_zero_is_refused_with_slit_time_and_charge(paper, layers):
    with pytest.raises(BadInput, match=r"slit 1 at t = .* q = 0\.8333") as caught:
        simulate(paper(gamma=1.2, layers=layers))
    assert caught.value.field == "resistance"
    assert caught.value.exit_code == 2
    time = float(str(caught.value).split("t = ")[1].split(" s")[0])
    assert time == pytest.approx(20e-6 * 0.8333, rel=0.2, abs=0)  # slit 1 follows phi_m closely


@pytest.mark.parametrize(
    ("changes", "ratio"),
    [
        ({"resistance": 5e-5, "open_resistance": 1e-3}, 1e-8),  # full at once
        ({"resistance": 5e9, "open_resistance": 1e-3}, 1e9),  # the slits never charge
        ({"open_capacitance": 1e-18}, 1.0),
    ],
)
def test_extreme_elements_are_carried(paper, changes, ratio):
    """Charge and energy balance, and the limits: a box of all capacitors, or of the open space's alone."""
    config = paper(layers=6, **changes)
    result = simulate(config)
    account = result.balance()
    scale = np.abs(current(result)).max() * config.drive.half_period
    # The round-off of phi_m - s, over an R_open of 1 mohm, is a current of 2e-14 A.
    assert account.charge_passed == pytest.approx(account.charge_stored, abs=1e-9 * scale)
    middle = result.terminal.query("3e-6 < time_s < 19e-6")["I_m_A"].to_numpy()
    if ratio < 1e-6:
        assert middle == pytest.approx(1e4 * (10e-9 + 5 * 80e-9), rel=1e-5, abs=0)
    if ratio > 1e6:
        assert middle == pytest.approx(1e4 * 10e-9, rel=1e-6, abs=0)


def test_impossible_parameters_are_refused(paper):
    for field, value in [
        ("layers", 0),
        ("gamma", float("nan")),
        ("slit_capacitance", -1.0),
        ("resistance", 0.0),
        ("open_resistance", "5"),
        ("charge_max", "16nF"),
        ("points", 4),
        ("model", "rc"),
    ]:
        with pytest.raises(BadInput):
            CircuitConfig.read(**{**paper().model_dump(), field: value})
    with pytest.raises(BadInput, match="resistance"):
        simulate(paper(resistance=None))
    with pytest.raises(BadInput, match="positive"):
        simulate(paper(), Law.paper(-3.0, 0.5))
    with pytest.raises(BadInput, match="proportional"):
        simulate(paper(), Law("dphi_V", ("I_A_per_m", "q"), "I_A_per_m**2*q", {}))


def test_units_are_read_from_text():
    config = CircuitConfig.read(
        resistance="5ohm", slit_capacitance="80nF", open_resistance="1ohm", open_capacitance="10nF", charge_max="16nC"
    )
    assert config.full_charge == pytest.approx(16e-9, rel=1e-12, abs=0)
    assert config.model_copy(update={"charge_max": None}).full_charge == pytest.approx(16e-9, rel=1e-12, abs=0)


def test_stage_leaves_its_tables(paper, tmp_path):
    import pandas as pd

    config = paper(layers=3, points=50)
    write_circuit(tmp_path, config, None)
    result = simulate(config)
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "terminal.parquet"), result.terminal, check_flags=False)
    assert len(pd.read_parquet(tmp_path / "slits.parquet")) == 100
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("pair", [False, True])
def test_jacobian_is_the_derivative(paper, pair):
    """Central differences; both signs of charge, halved entrance, two electrodes. A wrong one only costs order."""
    counter = HalfCell(
        layers=3, resistance=7.0, gamma=0.5, slit_capacitance=5e-8, open_resistance=2, open_capacitance=2e-8
    )
    ladder = simulate(paper(layers=6, half_entrance_resistor=True, counter=counter if pair else None)).ladder
    ladder.enter(0, 0.0)
    y = 1e-9 * np.array([0.5, 0.8, -3.1, 9.0, 4.0, -6.0, 5.0, 1.0, 2.0][: ladder.size])
    step, size = 1e-15, len(y)  # C
    columns = [(ladder.rate(1e-5, y + e) - ladder.rate(1e-5, y - e)) / (2 * step) for e in np.eye(size) * step]
    rate, low, diagonal, up, forcing = ladder.linearise(1e-5, y)
    bands = np.diag(low, -1) + np.diag(diagonal) + np.diag(up, 1)
    assert np.abs(np.column_stack(columns) - bands).max() < 1e-7 * np.abs(bands).max()
    assert np.array_equal(rate, ladder.rate(1e-5, y))
    by_time = (ladder.rate(1e-5 + 1e-10, y) - ladder.rate(1e-5 - 1e-10, y)) / 2e-10
    assert np.abs(by_time - forcing).max() < 1e-6 * np.abs(forcing).max()


def test_entrance_resistor_is_half_in_the_table(paper):
    slits = simulate(paper(layers=4, gamma=0.0, half_entrance_resistor=True, points=10)).slits
    assert slits.groupby("slit")["R_ohm"].unique().explode().tolist() == [2.5, 5.0, 5.0]


def test_cost_is_linear_in_layers(paper):
    """The number of steps does not grow with the ladder, and a step is a handful of vector operations."""
    steps = [simulate(paper(layers=n, points=10)).metadata["steps"] for n in (20, 200, 1000)]
    assert max(steps) < 1.2 * min(steps) < 300


@pytest.mark.parametrize("rate", [1e-3, 0.05, 3.0, 100.0])
def test_at_rates_of_a_laboratory_the_current_is_that_of_the_capacitors(rate):
    """The open space charges 1e6 to 1e11 times faster than the cycle: I_m = (C_open + n C(|phi_m|)) dphi_m/dt."""
    at = np.linspace(0, 0.2, 9)
    table = Table(over="potential", at=tuple(at), value=tuple(5e-8 * (1 + (at / 0.2) ** 2)))
    drive = TriangularCV(scan_rate=rate, window=0.4, cycles=1)
    elements = {"resistance": 0.7, "gamma": 0.4, "open_resistance": 0.15, "open_capacitance": 2e-8}
    config = CircuitConfig(layers=6, drive=drive, points=401, capacitance_table=table, charge_max=1e-8, **elements)
    result = simulate(config)
    rows = result.terminal.query("time_s > 0")
    sweep = np.where(rows["time_s"] <= drive.half_period * (1 + 1e-9), 1.0, -1.0)
    stored = 2e-8 + 5 * PchipInterpolator(at, table.value)(rows["phi_m_V"].abs())
    assert rows["I_m_A"].to_numpy() == pytest.approx(stored * sweep * rate / 2, rel=2e-3)
    assert result.terminal["I_m_A"].iloc[0] == 0
    assert len(result.trajectory.t) < 300
