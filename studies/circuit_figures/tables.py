"""The paper's circuit figures as tables: Fig. 4c-e and Extended Data Figs. 11c-d, 12, 13 and 14.

The circuit is that of Extended Data Fig. 13 (`validation.claims.circuits.paper_circuit`). Extended Data Figs. 12 and 14
share elements that the paper does not give: `MEMBRANE` is where slit 19 of 20 layers holds the paper's 9.88 nC (NCM)
and 6.95 nC (TLM). Fig. 4c and ED11d are 6 layers at d = 1.5 nm, every element from one mPNP record of a smoothed sweep.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from circuit import simulate
from circuit.measures import last_cycle, settled_cycle
from circuit.prescribed import prescribed_line
from continuum import ContinuumConfig
from transslit import SlitNetwork, TransSlitRecord, TriangularCV, load_electrolyte
from transslit.drive import SmoothedCV
from transslit.progress import Progress
from transslit.runs import RunFolder
from validation.claims.circuits import C_SLIT, GAMMAS, RESISTANCES, paper_circuit
from validation.simulations.circuit import extracted_circuit
from validation.simulations.runs import Simulations

RATES = {"20 mV/us": 2e4, "4 mV/us": 4e3}  # V/s
LAYERS = (6, 10, 20, 50)
LINE_RESISTANCES = (5.0, 2.0, 1.0, 0.5)  # ohm, of the transmission lines
MEMBRANE = {"resistance": 3.61, "open_resistance": 0.493}  # ohm
SLIT, STEPS = "1.5nm", 400


# ---------------------------------------------------------------------- of the continuum's record


def smoothed_record(folder: RunFolder, progress: Progress) -> TransSlitRecord:
    """mPNP's smoothed CV of 6 layers at 1.5 nm, KCl 1 M; a finished run in `folder` is reused."""
    config = ContinuumConfig(
        network=SlitNetwork.read(slit=SLIT),
        electrolyte=load_electrolyte("KCl"),
        drive=SmoothedCV(),
        steps=STEPS,
        scheme="bdf2",
    )
    return Simulations(folder, progress).continuum("mpnp", config).raw


def figure_4c(record: TransSlitRecord) -> pd.DataFrame:
    """CVs of mPNP and of the NCM and the TLM with its elements."""
    case = extracted_circuit(record, SmoothedCV())
    tlm = case.model_copy(update={"model": "tlm"})
    reference = record.terminal.rename(columns={"I_m_A_per_m": "I_m_A"})
    reference = reference.assign(V_m_V=2 * reference["phi_m_V"])
    tables = {"mPNP": reference, "NCM": simulate(case).terminal, "TLM": simulate(tlm).terminal}
    return _joined(tables).rename(columns={"I_m_A": "I_m_A_per_m"})


def figure_11d(record: TransSlitRecord) -> pd.DataFrame:
    """CVs whose R(q) follows mPNP's charges, the TLM's, and the NCM's own; V_m(t) with them."""
    case = extracted_circuit(record, SmoothedCV(), voltage_dependent=False)
    own = simulate(case).terminal
    line = simulate(case.model_copy(update={"model": "tlm"})).slits
    sources = {
        "Q from mPNP": record.slits.pivot_table(index="time_s", columns="i", values="Q_C_per_m").abs(),
        "Q from TLM": line.pivot_table(index="time_s", columns="slit", values="q_C").abs(),
    }
    tables = {
        name: own.assign(I_m_A=prescribed_line(case, own["time_s"].to_numpy(), charge))
        for name, charge in sources.items()
    }
    return _joined({**tables, "own Q": own}).rename(columns={"I_m_A": "I_m_A_per_m"})


# ---------------------------------------------------------------------- of circuits alone


def figure_4d() -> pd.DataFrame:
    """Settled CVs of gamma from -0.9 to 0.9 at R_c = 5 ohm."""
    return _joined({f"gamma = {g:g}": settled_cycle(paper_circuit(gamma=g)) for g in GAMMAS})


def figure_4e() -> pd.DataFrame:
    """Settled CVs of R_c from 1 to 10 ohm at gamma = 0.9."""
    return _joined({f"R_c = {r:g} ohm": settled_cycle(paper_circuit(resistance=r)) for r in RESISTANCES})


def figure_11c() -> pd.DataFrame:
    """The elements of the two circuits, by name, as they are drawn."""
    rows = [
        ("R_open", "mid-plane", "open space", "R_open", "R_open"),
        ("C_open", "open space", "electrode", "C_open", "C_open"),
        ("R_i", "slit i - 1 (or open space)", "slit i", "R_c + R_d, R_d = -gamma R_c |Q_i| / Q_max", "R_c"),
        ("C_slit", "slit i", "electrode", "C_slit", "C_slit"),
    ]
    return pd.DataFrame(rows, columns=["element", "from", "to", "NCM", "TLM"])


def figure_12() -> pd.DataFrame:
    """Second cycles by layers, scan rate and gamma; gamma = 0 is the TLM."""
    tables = []
    for rate, volts in RATES.items():
        for layers in LAYERS:
            for gamma in (0.0, 0.5, 0.9):
                drive = TriangularCV(scan_rate=volts, cycles=2)
                case = paper_circuit(layers=layers, gamma=gamma, drive=drive, points=1001, **MEMBRANE)
                tables.append(last_cycle(case).assign(gamma=gamma, layers=layers, rate=rate))
    return pd.concat(tables, ignore_index=True)


def figure_13a() -> pd.DataFrame:
    """Settled CVs of the TLM at t_c = R_c C from 0.4 to 0.04 us beside the NCM's at 5 ohm."""
    tables = {"NCM, R_c = 5 ohm": settled_cycle(paper_circuit()).assign(t_c_us=np.nan)}
    for r in LINE_RESISTANCES:
        t_c = r * C_SLIT * 1e6
        tables[f"TLM, t_c = {t_c:g} us"] = settled_cycle(paper_circuit(resistance=r, model="tlm")).assign(t_c_us=t_c)
    return _joined(tables)


def figure_13b() -> pd.DataFrame:
    """R_i of every slit over two cycles of the NCM, and the voltage across it."""
    result = simulate(paper_circuit(points=801))
    wide = result.slits.pivot_table(index="time_s", columns="slit", values="phi_V")
    across = wide.diff(axis=1)
    open_space = result.terminal["I_m_A"].to_numpy() * result.config.open_resistance  # its potential in V
    across[1] = wide[1] - open_space
    return result.slits.assign(dphi_V=across.to_numpy().ravel())


def figure_14() -> pd.DataFrame:
    """Charge and resistance of each slit over the first two cycles, by TLM and NCM, layers and scan rate."""
    tables = []
    for rate, volts in RATES.items():
        for model in ("tlm", "ncm"):
            for layers in LAYERS:
                drive = TriangularCV(scan_rate=volts, cycles=2)
                case = paper_circuit(layers=layers, model=model, drive=drive, points=161, **MEMBRANE)
                tables.append(simulate(case).slits.assign(model=model.upper(), layers=layers, rate=rate))
    return pd.concat(tables, ignore_index=True)


def _joined(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    columns = ["time_s", "V_m_V", "I_m_A", "t_c_us"]
    parts = [table[[c for c in columns if c in table]].assign(case=name) for name, table in tables.items()]
    return pd.concat(parts, ignore_index=True)
