"""Synthetic records whose mechanism is known: two electrodes, three slits, planted signs and noise."""

import numpy as np
import pandas as pd

from transslit import TransSlitRecord

IONS = {"K": 1.0, "Cl": -1.0}
VOLUME = 1e-18  # m^2, slit volume per depth


def planted(*, source="md", diffusion=0.3, noise=0.0, blocks=6, speed=1.0, level=1.0, seed=0, frames=101):
    """Slits that fill exponentially (the outer one first); diffusion is `diffusion` times migration.

    Charges of positive electrodes are negative. `speed` scales the time constant, `level` the final charge;
    `frames` of 0.1 ps follow the onset.
    """
    rng = np.random.default_rng(seed)
    time = np.arange(-2, frames) * 0.1e-12
    slits, crossings, terminal, known = [], [], [], {}
    for replica in range(2 * blocks):
        polarity = 1.0 if replica < blocks else -1.0
        known[str(replica)] = {
            "box": replica % blocks,
            "electrode": "positive" if polarity > 0 else "negative",
            "face": "left",
        }
        charge = {}
        for i, tau in ((1, 1.0e-12), (2, 1.5e-12), (3, 2.5e-12)):
            filled = np.where(time > 0, 1 - np.exp(-np.maximum(time, 0) * speed / tau), 0.0)
            stored = 1e-9 * level * filled + 1e-9 * noise * rng.normal(size=time.size)
            charge[i] = -polarity * stored
            rho = charge[i] / VOLUME
            mole = np.where(time > 0, np.abs(stored), 0.0) / VOLUME / 96485.0  # electrodes are alike before the onset
            slits.append(
                pd.DataFrame(
                    {
                        "replica": replica,
                        "time_s": time,
                        "i": i,
                        "phi_V": 0.2 * charge[i] / 1e-9,
                        "Q_C_per_m": charge[i],
                        "rho_C_per_m3": rho,
                        "c_mol_per_m3": 4000 + mole,
                        "c_K_mol_per_m3": 2000 + mole * (polarity < 0),
                        "c_Cl_mol_per_m3": 2000 + mole * (polarity > 0),
                    }
                )
            )
        inner = {i: sum(charge[k] for k in range(i + 1, 4)) for i in (1, 2)}
        for i in (1, 2):
            total = -np.diff(inner[i], prepend=inner[i][:1]) / 0.1e-12
            smooth = polarity * np.where(time > 0, np.exp(-np.maximum(time, 0) / 2e-12), 0.0) * 1e2
            migration = smooth * (1 + noise * rng.normal(size=time.size))
            spread = smooth * (diffusion + noise * rng.normal(size=time.size))
            crossings.append(
                pd.DataFrame(
                    {
                        "replica": replica,
                        "time_s": time,
                        "i": i,
                        "dphi_V": 0.2 * (charge[i + 1] - charge[i]) / 1e-9,
                        "I_A_per_m": total,
                        "I_migration_A_per_m": migration,
                        "I_diffusion_A_per_m": spread,
                        "I_steric_A_per_m": 0.0,
                        "I_residual_A_per_m": total - migration - spread,
                    }
                )
            )
        terminal.append(
            pd.DataFrame({"replica": replica, "time_s": time, "sigma_C_per_m2": polarity * 0.25, "I_m_A_per_m": 0.0})
        )
    facts = {"source": source, "electrolyte": "KCl", "temperature_K": 298.15, "half_cells": known}
    if source == "continuum":
        facts["drive"] = {"kind": "charge-step"}
    tables = (pd.concat(part, ignore_index=True) for part in (crossings, slits, terminal))
    return TransSlitRecord(*tables, metadata=facts)
