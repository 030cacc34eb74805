"""One point of the campaign: the continuum's voltammogram, its law, and the circuit of both, by the commands."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np

from studies.campaign.points import Point
from transslit.drive import TriangularCV
from validation.cli import run
from validation.commands import app

CIRCUITS = {  # the circuit's resistances: words of its command
    "law": ("law",),
    "table": (),
    "tlm": ("--model", "tlm"),
}


def chain(point: Point, folder: Path) -> dict[str, Any]:
    """A row of the campaign's table; what is finished in `folder` is reused.

    Columns: the point; `reached`, the last command that succeeded, and `line`, what the first that did not said;
    elements; `law`, empty where none was found; `distance_<circuit>` of `CIRCUITS`, the root mean square of the
    difference to the continuum's current over its peak; `depth`, R_c C_slit n^2 over the duration of a sweep, the share
    of the way that charge makes into the network; `wall_s` of the continuum.
    """
    row: dict[str, Any] = {**point._asdict(), "reached": "", "line": ""}
    told = _call(row, "continuum", *point.options, "--out", str(folder / "cv"))
    if told is None:
        return row
    elements = {name: number["value"] for name, number in told.get("elements", {}).items()}
    row |= {"wall_s": told["wall_s"], **elements}
    if elements:
        half = TriangularCV(scan_rate=point.scan_rate, window=point.window).half_period
        row["depth"] = elements["R_c"] * elements["C_slit"] * (point.layers - 1) ** 2 / half
    told = _call(row, "discover", str(folder / "cv"), "--out", str(folder / "law"))
    if told is not None and told["law"]["found"]:
        row |= {"law": told["law"]["expression"], "r2_held_out": told["law"]["metrics"].get("r2_held_out", np.nan)}
    for name, words in CIRCUITS.items():
        if name == "law" and "law" not in row:
            continue
        arguments = [str(folder / word) if word == "law" else word for word in words]
        done = _call(
            row, "circuit", *arguments, "--record", str(folder / "cv"), "--out", str(folder / f"circuit-{name}")
        )
        if done is not None:
            row[f"distance_{name}"] = done["summary"]["distance_from_record"]["value"]
    return row


def _call(row: dict[str, Any], command: str, *words: str) -> dict[str, Any] | None:
    """The reply of a command; None if it failed, whose line is then in `row`."""
    output, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
        code = run(app, "transslit", [command, *words, "--no-figures", "--quiet", "--json"])
    reply = json.loads(output.getvalue())
    if code:
        row["line"] = row["line"] or f"{command}: {reply['error']['message']}"
        return None
    row["reached"] = command
    return dict(reply)
