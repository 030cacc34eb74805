"""Measures on curves whose values are known by hand, and the paper's trends on simulated ones."""

import numpy as np
import pandas as pd
import pytest

from circuit import simulate
from circuit.measures import (
    asymmetry,
    cv_area,
    cv_distance,
    cycles_to_settle,
    last_cycle,
    one_cycle,
    peak_over_plateau,
    settled_cycle,
)
from transslit import BadInput, TriangularCV
from transslit.drive import PotentialStep


def planted(up, down, window=0.4, points=4001):
    """One cycle of 2 s with I_up(v) and I_down(v') at the fraction v, v' of each sweep."""
    time = np.linspace(0, 2, points)
    fraction = np.where(time <= 1, time, time - 1)
    current = np.where(time <= 1, up(fraction), down(fraction))
    return pd.DataFrame({"time_s": time, "V_m_V": window * np.minimum(time, 2 - time), "I_m_A": current})


def box(level=2.0):
    return planted(lambda v: np.full_like(v, level), lambda v: np.full_like(v, -level))


def test_area():
    assert cv_area(box()) == pytest.approx(2 * 2.0 * 0.4, rel=1e-3)  # the corner's jump costs one interval
    ellipse = planted(lambda v: np.sqrt(v * (1 - v)), lambda v: -np.sqrt(v * (1 - v)))
    assert cv_area(ellipse) == pytest.approx(0.4 * np.pi / 4, rel=1e-3)


def test_asymmetry():
    assert asymmetry(box()) < 0.03  # the corner's jump costs one interval
    leaning = planted(lambda v: v, lambda v: -v)  # antisymmetric by half a period, though it leans
    assert asymmetry(leaning) < 0.03
    lopsided = planted(lambda v: np.full_like(v, 3.0), lambda v: np.full_like(v, -1.0))
    assert asymmetry(lopsided) == pytest.approx(2 / np.sqrt(5), rel=1e-3)


def test_peak_over_plateau():
    assert peak_over_plateau(box()) == pytest.approx(1)
    peaked = planted(lambda v: 1 + 4 * np.maximum(0, v - 0.75), lambda v: -np.ones_like(v))
    assert peak_over_plateau(peaked) == pytest.approx(2, rel=1e-3)
    mirrored = peaked.assign(V_m_V=-peaked["V_m_V"], I_m_A=-peaked["I_m_A"])
    assert peak_over_plateau(mirrored) == pytest.approx(peak_over_plateau(peaked))


def test_distance():
    """By hand: 0.1 of the peak everywhere; and a line that is off by v at each of the times 0, 1/2, 1 alone."""
    assert cv_distance(box(), box()) == 0
    assert cv_distance(box(2.2), box(2.0)) == pytest.approx(0.1, rel=1e-12)
    reference = pd.DataFrame({"time_s": [0.0, 0.5, 1.0], "I_m_A": [4.0, -1.0, 0.0]})
    line = pd.DataFrame({"time_s": [0.0, 2.0], "I_m_A": [4.0, 0.0]})  # 4, 3, 2 at the reference's times
    assert cv_distance(line, reference) == pytest.approx(np.sqrt((4**2 + 2**2) / 3) / 4, rel=1e-12)


@pytest.mark.parametrize("shift", [-0.1, 0.1, 5.0])
def test_distance_of_curves_at_other_times_is_refused(shift):
    moved = box().assign(time_s=box()["time_s"] + shift)
    with pytest.raises(BadInput, match="include the reference's times"):
        cv_distance(box(), moved)
    assert cv_distance(box(), box().assign(time_s=box()["time_s"] + 1e-9)) < 1e-3  # round-off is none


def test_settled_cycle_of_an_rc_circuit(paper):
    """Open space alone: I = C s [1 - 2 exp(-t / RC) / (1 + exp(-T / 2 RC))], and -I half a period T later."""
    config = paper(layers=1, open_resistance=2.0, open_capacitance=1e-5, full_cell=False)  # RC = T / 2
    assert config.drive.cycles < cycles_to_settle(config) == 5
    table = settled_cycle(config)
    time, half = table["time_s"].to_numpy() - table["time_s"].iloc[0], config.drive.half_period
    assert time[-1] == pytest.approx(2 * half)
    assert table["V_m_V"].iloc[[0, -1]].to_numpy() == pytest.approx([0, 0], abs=1e-15)
    relaxation = 1 - 2 * np.exp(-np.mod(time, half) / half) / (1 + np.exp(-1))
    sweeping = np.abs(np.mod(time, half) / half - 0.5) < 0.499
    expected = 1e-5 * 2e4 * np.where(time < half, 1, -1) * relaxation
    assert table["I_m_A"][sweeping].to_numpy() == pytest.approx(expected[sweeping], abs=1e-3 * 0.2)
    assert asymmetry(table) < 2e-3 < 0.1 * asymmetry(last_cycle(config))


def test_only_a_voltammetry_has_cycles(paper):
    step = paper(drive=PotentialStep(voltage=0.4, duration=1e-5))
    for measure in (last_cycle, settled_cycle):
        with pytest.raises(BadInput, match="drive"):
            measure(step)


def test_cycles_are_cut_at_their_corners(paper):
    config = paper(points=1001)
    terminal = simulate(config).terminal
    first, second = one_cycle(terminal, config, 0), one_cycle(terminal, config, 1)
    assert len(first) == len(second) == 501
    assert first["V_m_V"].iloc[[0, 250, 500]].tolist() == [0, 0.4, 0]
    assert one_cycle(terminal, config).equals(second)
    assert last_cycle(config).equals(second)
    with pytest.raises(BadInput, match="cycle"):
        one_cycle(terminal, config, 2)


@pytest.mark.parametrize("resistance", [0.5, 5.0])
def test_settled_tlm_is_symmetric_for_any_resistance_and_ncm_is_not(paper, resistance):
    """Extended Data Fig. 13a."""
    assert asymmetry(settled_cycle(paper(model="tlm", resistance=resistance))) < 5e-3
    assert asymmetry(settled_cycle(paper(resistance=resistance))) > 0.1


def test_asymmetry_and_area_grow_with_gamma(paper):
    """Fig. 4d."""
    curves = [settled_cycle(paper(gamma=gamma)) for gamma in (0.0, 0.3, 0.6, 0.9)]
    assert np.all(np.diff([asymmetry(curve) for curve in curves]) > 0.03)
    areas = [cv_area(settled_cycle(paper(gamma=-0.9))), *(cv_area(curve) for curve in curves)]
    assert np.all(np.diff(areas) > 0)


def test_ncm_departs_from_tlm_with_layers_and_rate(paper):
    """Extended Data Fig. 12, at R_c = 0.5 ohm, where a sweep still reaches the last slit; it saturates beyond."""

    def distance(layers, rate):
        ncm = paper(layers=layers, gamma=0.5, resistance=0.5, drive=TriangularCV(scan_rate=rate))
        return cv_distance(settled_cycle(ncm), settled_cycle(ncm.model_copy(update={"model": "tlm"})))

    by_layers = [distance(layers, 4e3) for layers in (6, 10, 20, 50)]
    assert np.all(np.diff(by_layers) > 0.01)
    for layers, slow in zip((6, 10, 20), by_layers, strict=False):
        assert distance(layers, 2e4) > 1.5 * slow


def test_peak_grows_with_resistance(paper):
    """Fig. 4e, first cycle."""
    peaks = []
    for resistance in (1.0, 2.0, 5.0, 10.0):
        config = paper(resistance=resistance)
        peaks.append(peak_over_plateau(one_cycle(simulate(config).terminal, config, 0)))
    assert np.all(np.diff(peaks) > 0.03)


def test_slit_19_stores_two_fifths_more(paper):
    """Extended Data Fig. 14: 9.88 nC by NCM, 6.95 nC by TLM, 42 % more; its R_c, R_open and C_open are not given.

    With C_slit = 80 nF (Extended Data Fig. 13) both charges are met at R_c = 3.61 ohm, R_open = 0.493 ohm.
    """

    def charges(**changes):
        return [simulate(paper(model=model, **changes)).charge(19).max() * 1e9 for model in ("ncm", "tlm")]

    assert charges(resistance=3.61, open_resistance=0.493) == pytest.approx([9.88, 6.95], abs=0.01)
    more, less = charges()  # R_c = 5 ohm, R_open = 1 ohm
    assert more / less == pytest.approx(1.507, abs=0.002)
