"""The circuit with everything extracted from one mPNP record, against that record's voltammogram, d = 1.5 nm."""

import numpy as np
import pytest

from circuit import simulate
from continuum import ContinuumConfig, run
from transslit import SlitNetwork, TriangularCV, load_electrolyte
from transslit.progress import Progress
from validation.simulations.circuit import extracted_circuit


def rms_over_peak(record, config):
    table = simulate(config).terminal
    reference = record.terminal["I_m_A_per_m"].to_numpy()
    mine = np.interp(record.terminal["time_s"], table["time_s"], table["I_m_A"])
    return np.sqrt(np.mean((mine - reference) ** 2)) / np.abs(reference).max()


@pytest.mark.slow
@pytest.mark.parametrize("scan_rate", [2e4, 4e5])  # V/s: the paper's, and twenty times that
def test_nano_circuit_is_within_1_5_percent_and_three_times_closer(tmp_path, scan_rate):
    """BDF2, 400 steps: 0.97 and 1.17 % (at 800 steps 0.62 and 1.25 %), where the TLM is off by 5 % and more."""
    drive = TriangularCV(scan_rate=scan_rate)
    network, salt = SlitNetwork(slit="1.5nm"), load_electrolyte("KCl")
    settings = ContinuumConfig(network=network, electrolyte=salt, drive=drive, steps=400, scheme="bdf2")
    record = run(settings, tmp_path, Progress(quiet=True))
    plain, ncm = (extracted_circuit(record, drive, voltage_dependent=tabled) for tabled in (False, True))
    distance = rms_over_peak(record, ncm)
    line = rms_over_peak(record, plain.model_copy(update={"model": "tlm"}))
    tabled_line = rms_over_peak(record, ncm.model_copy(update={"model": "tlm"}))
    assert distance < 0.015
    assert line > 0.05
    assert line > 3 * distance
    assert tabled_line > 3 * distance  # what is gained is R(q)'s, not the tables'
