"""`transslit electrolytes`: list, show, check, fields, compare."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from transslit.errors import BadInput, StageFailed
from transslit.faults import find_faults
from transslit.fields import fields_page
from transslit.library import known, load_electrolyte
from transslit.network import SlitNetwork
from transslit.units import parse
from validation.commands.common import JsonFlag, MolarText, SeedInt, app, whole

electrolytes_app = typer.Typer(help="Electrolytes: list, show, check, fields, compare.", no_args_is_help=True)
app.add_typer(electrolytes_app, name="electrolytes")

WidthText = Annotated[str, typer.Option(help="Free width of the slit, such as 2nm.")]


@electrolytes_app.command("list", epilog="Example: transslit electrolytes list")
def electrolytes_list(as_json: JsonFlag = False) -> int:
    """Names of all that are known, where they come from where that is not transslit, and their titles."""
    rows = {}
    for name, (used, *_) in known().items():
        try:
            title = load_electrolyte(name).title
        except BadInput as error:
            title = f"cannot be used: {error}"
        rows[name] = title if used.origin == "transslit" else f"{title} [{used.origin}]"
    print(json.dumps(rows) if as_json else "\n".join(f"{name:9} {title}" for name, title in rows.items()))
    return 0


@electrolytes_app.command("show", epilog="Example: transslit electrolytes show KCl --slit 0.59nm")
def electrolytes_show(name: str, slit: WidthText = "2nm", as_json: JsonFlag = False) -> int:
    """One electrolyte: every value with its source, and what follows from them."""
    from validation.commands.terminal import derived, electrolyte

    salt, network = load_electrolyte(name), SlitNetwork.read(slit=slit)
    if as_json:
        numbers = {key: {"value": value, "unit": unit} for key, (value, unit, _) in derived(salt, network).items()}
        print(json.dumps(salt.model_dump(mode="json") | {"derived": numbers}))
    else:
        electrolyte(salt, network)
    return 0


@electrolytes_app.command("check", epilog="Example: transslit electrolytes check my.toml --md")
def electrolytes_check(
    file: str,
    concentration: MolarText = None,
    surface_charge: Annotated[
        str | None, typer.Option(help="Of each wall, of either sign, that its ions must balance, such as 0.25C/m^2.")
    ] = None,
    slit: Annotated[str | None, typer.Option(help="Width between two such walls. Default: one wall.")] = None,
    md: Annotated[bool, typer.Option("--md", help="Also run a box of it for about a minute.")] = False,
    seed: SeedInt = 0,
    as_json: JsonFlag = False,
) -> int:
    """Say all that is wrong with an electrolyte's file; exit with 2 if it cannot be used, 3 if its box is wrong."""
    asked = {
        "concentration": _quantity("concentration", concentration, "concentration"),
        "surface_charge": _quantity("surface_charge", surface_charge, "surface charge"),
        "slit": _quantity("slit", slit, "length"),
    }
    salt, faults = find_faults(file, **asked)
    usable = salt is not None and not any(fault.error for fault in faults)
    found: dict[str, Any] = {"usable": usable, "faults": [fault._asdict() for fault in faults]}
    if not as_json:
        for fault in faults:
            print(f"{'error' if fault.error else 'warning'}: {fault.text}")
    wrong: list[str] = []
    if md and salt is not None and usable:
        from md.bulk_check import check_bulk

        found["md"], wrong = check_bulk(salt, asked["concentration"], seed)
        found["md_faults"] = wrong
    if as_json:
        print(json.dumps(found))
    else:
        for name, value in found.get("md", {}).items():
            print(f"md: {name}: {value}")
        for text in wrong:
            print(f"error: md: {text}")
        names = "cannot be used" if salt is None or not usable else f"{', '.join(salt.names)}: can be used"
        print(f"{file}: {names}{', but its box is wrong' if wrong else ''}")
    return StageFailed.exit_code if wrong else 0 if usable else BadInput.exit_code


@electrolytes_app.command("fields", epilog="Example: transslit electrolytes fields > fields.md")
def electrolytes_fields() -> int:
    """What a file can say: every field with symbol, unit, default and meaning, as Markdown."""
    print(fields_page(), end="")
    return 0


@electrolytes_app.command("compare", epilog="Example: transslit electrolytes compare --slit 2nm --out runs/salts")
def electrolytes_compare(
    names: Annotated[list[str] | None, typer.Argument(help="Names or files. Default: all that are known.")] = None,
    slit: WidthText = "2nm",
    layers: Annotated[int, typer.Option(parser=whole, help="2D sheets, the closing wall among them.")] = 6,
    out: Annotated[Path, typer.Option(help="Run folder; its finished cycles are reused.")] = Path("runs/electrolytes"),
    as_json: JsonFlag = False,
) -> int:
    """A cycle of the continuum with each: gamma, R_c, C_slit, what diffusion carries; a table and a figure."""
    from studies.salts.salts import compare, comparison

    network = SlitNetwork.read(slit=slit, layers=layers)
    if layers < 3:
        raise BadInput("layers", layers, "give three or more: a law is of the crossing between two slits")
    table = compare(names or list(known()), network, out)
    table.to_csv(out / "electrolytes.csv", index=False)
    comparison(table, network.slit).savefig(out / "electrolytes.png", dpi=200)
    print(table.to_json(orient="records") if as_json else table.to_string(index=False, float_format="{:.4g}".format))
    return 0


def _quantity(field: str, text: str | None, kind: str) -> float | None:
    try:
        value = None if text is None else parse(text, kind)
    except ValueError as error:
        raise BadInput(field, text, str(error)) from None
    if value is not None and value <= 0 and kind != "surface charge":
        raise BadInput(field, text, "must be above zero")
    return value
