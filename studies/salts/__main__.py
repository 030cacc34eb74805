"""`python -m studies.salts [NAME...]`: electrolytes compared at one slit width (README.md)."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from studies.salts.salts import compare, draw
from transslit.errors import BadInput
from transslit.library import known
from transslit.network import SlitNetwork
from transslit.options import Options, Texts
from transslit.progress import Progress
from transslit.shell import JsonFlag, command_app, with_options
from validation.cli import run

OPTIONS = Options(
    SlitNetwork,
    without=("slit_length", "edge_gap", "sheet_thickness", "reservoir_length"),
    defaults={"slit": "2nm"},
)
app = command_app()


@app.command(epilog="Example: python -m studies.salts KF LiCl --slit 2nm --out runs/salts")
@with_options(OPTIONS)
def command(
    texts: Texts,
    names: Annotated[list[str] | None, typer.Argument(help="Names or files. Default: all that are known.")] = None,
    out: Annotated[Path, typer.Option(help="Run folder; its finished runs are reused.")] = Path("runs/electrolytes"),
    as_json: JsonFlag = False,
) -> int:
    """Simulate a voltammogram with each electrolyte; leave a table and a figure of gamma, R_c, C_slit and diffusion."""
    network = OPTIONS.build(SlitNetwork, texts)
    if network.layers < 3:
        raise BadInput("layers", network.layers, "give three or more: a law is of the crossing between two slits")
    table = compare(names or list(known()), network, out, Progress())
    table.to_csv(out / "electrolytes.csv", index=False)
    draw(table, network.slit).savefig(out / "electrolytes.png", dpi=200)
    print(table.to_json(orient="records") if as_json else table.to_string(index=False, float_format="{:.4g}".format))
    return 0


if __name__ == "__main__":
    sys.exit(run(app, "python -m studies.salts"))
