"""`transslit continuum`: the modified Poisson-Nernst-Planck equations."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from pydantic import Field

import continuum
from continuum import ContinuumConfig, Run
from continuum.figures import draw
from continuum.measures import agreement, extremes, spread, spread_at_equal_filling
from transslit.config import Config
from transslit.drive import ChargeStep, Drive, TriangularCV
from transslit.electrolyte import Electrolyte
from transslit.progress import Progress
from transslit.units import Length
from validation.commands.common import JsonFlag, OutPath, command_app, run_stage
from validation.commands.options import Options, Texts
from validation.presets import Seed
from validation.sweep import Stage, Work


class Further(Config):
    """Options that are no fields of `ContinuumConfig`, or that change several of them."""

    electrolyte: Electrolyte
    ion_diameter: Length | None = Field(None, description="lattice-gas diameter of all ions; default: of each its own")
    permittivity: float | None = None
    drive: Drive = TriangularCV()
    figures: bool = Field(False, description="draw the run, as PNG in OUT/figures")
    seed: Seed = 0


OPTIONS = Options(ContinuumConfig, Further, without=("cell",), kinds={"current": "current per depth"})
app = command_app()


@app.command(epilog="Example: transslit continuum --slit 2nm --layers 6 --scan-rate 20mV/us --out runs/cv")
@OPTIONS.command
def continuum_command(texts: Texts, out: OutPath = None, as_json: JsonFlag = False) -> int:
    """Run the modified Poisson-Nernst-Planck equations on the network, and reduce them to a record."""
    further = OPTIONS.build(Further, texts)
    folder = out or Path("runs/continuum")
    code = run_stage(folder, read(texts), continuum.run, further.seed, as_json)
    if further.figures:
        draw(folder)
    return code


def read(texts: Texts) -> ContinuumConfig:
    """The configuration that the options describe.

    Raises
    ------
    BadInput : an option that cannot be used
    """
    further = OPTIONS.build(Further, texts)
    salt = further.electrolyte
    if further.ion_diameter is not None:
        salt = salt.with_diameter(further.ion_diameter)
    if further.permittivity is not None:
        salt = salt.with_permittivity(further.permittivity)
    cell = "full" if isinstance(further.drive, ChargeStep) else "half"
    return OPTIONS.build(ContinuumConfig, texts, electrolyte=salt, permittivity=None, drive=further.drive, cell=cell)


def row(config: ContinuumConfig, folder: Path) -> dict[str, object]:
    """Columns of a sweep: elements of the ladder, resistivity per slit cell, and signs of the parts of the current.

    A `_with_migration` is the share of the cycle during which the part has the sign of migration, `_by_charge` that of
    the charge that crosses meanwhile; both are means over the crossings. `filling_spread` is the largest
    (largest - smallest) / mean over the crossings of R at equal q. Only voltammetry has a ladder and resistivities.
    """
    run = Run(folder, config, made=continuum.run(config, folder, Progress(quiet=True)))
    values: dict[str, object] = {}
    if isinstance(config.drive, TriangularCV):
        ladder, equal = run.ladder, spread_at_equal_filling(run)
        values = {
            "R_c_ohm_m": ladder.resistance,
            "R_c_std_ohm_m": ladder.resistance_std,
            "gamma": ladder.gamma,
            "gamma_std": ladder.gamma_std,
            "C_slit_F_per_m": ladder.slit_capacitance,
            "C_slit_std_F_per_m": ladder.slit_capacitance_std,
            "R_open_ohm_m": ladder.open_resistance,
            "C_open_F_per_m": ladder.open_capacitance,
            "Q_max_C_per_m": ladder.charge_max,
            "r_squared": min(ladder.r_squared),
            **{name: value for name, value in extremes(run).items() if name.startswith(("R_min", "r_"))},
            "filling_spread": equal.groupby("q")["R_ohm_m"].apply(spread).max(),
        }
    for part, shares in agreement(run).groupby("part")[["cycle", "charge"]].mean().iterrows():
        values[f"{part}_with_migration"] = shares["cycle"]
        values[f"{part}_with_migration_by_charge"] = shares["charge"]
    return values


def _work(texts: Texts, arguments: Sequence[str]) -> Work:
    config = read(texts)
    return Work(config, partial(row, config))


STAGE = Stage("continuum", _work, OPTIONS.known.keys() - {"figures"}, leaves_record=True)
