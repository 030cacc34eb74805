"""`transslit continuum`: the modified Poisson-Nernst-Planck equations."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from pydantic import Field

import continuum
from continuum import ContinuumConfig, Run
from continuum.config import Permittivity
from continuum.extract import extract, told
from continuum.figures import draw, main_figures
from continuum.measures import summary
from transslit.drive import ChargeStep, Drive, TriangularCV
from transslit.electrolyte import Electrolyte
from transslit.errors import BadInput
from transslit.options import Options, Texts
from transslit.progress import Progress
from transslit.reply import Number
from transslit.shell import Drawn, JsonFlag, OutPath, command_app, draw_beside, with_options
from transslit.units import Length
from validation.commands.common import run_stage, say_record
from validation.commands.terminal import say_elements
from validation.presets import Seed
from validation.sweep import Stage, Work


class Further(Drawn):
    """Options that are no fields of `ContinuumConfig`, or that change several of them."""

    electrolyte: Electrolyte
    ion_diameter: Length | None = Field(None, description="lattice-gas diameter of all ions; default: of each its own")
    permittivity: Permittivity | None = None
    drive: Drive = TriangularCV()
    figures: bool = Field(False, description="draw the fields too, as PNG in OUT/figures")
    seed: Seed = 0


OPTIONS = Options(ContinuumConfig, Further, without=("cell",), kinds={"current": "current per depth"})
app = command_app()


@app.command(epilog="Example: transslit continuum --slit 2nm --layers 6 --scan-rate 20mV/us --out runs/cv")
@with_options(OPTIONS)
def continuum_command(texts: Texts, out: OutPath = None, as_json: JsonFlag = False) -> int:
    """Run the modified Poisson-Nernst-Planck equations on the network, and reduce them to a record."""
    further = OPTIONS.build(Further, texts)
    folder = out or Path("runs/continuum")
    record, reply = run_stage("continuum", folder, read(texts), continuum.run, further.seed)
    ladder = None
    try:
        ladder = extract(record)
        found = told(ladder)
        reply.elements = {name: Number.known(value, unit, std) for name, (value, std, unit) in found.items()}
    except BadInput as fault:
        reply.lacking = [f"elements of the circuit: {fault.value}: {fault.accepts}"]
    reply.files = [] if further.no_figures else draw_beside(folder, main_figures(record, ladder))
    if further.figures:
        reply.files += map(str, draw(folder))

    def say() -> None:
        say_elements(reply)
        say_record(reply)

    return reply.tell(as_json, say)


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


def row(config: ContinuumConfig, folder: Path) -> dict[str, float]:
    """Columns of a sweep: elements of the ladder, resistivities, and signs of the parts of the current."""
    return summary(Run(folder, config, made=continuum.run(config, folder, Progress(quiet=True))))


def _work(texts: Texts, arguments: Sequence[str]) -> Work:
    config = read(texts)
    return Work(config, partial(row, config))


STAGE = Stage("continuum", _work, OPTIONS.known.keys() - {"figures", "no_figures"}, leaves_record=True)
