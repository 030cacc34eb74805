"""`transslit electrolytes`: list, show, check, fields."""

from __future__ import annotations

from pydantic import Field

from transslit.config import Config
from transslit.electrolyte import Electrolyte
from transslit.errors import BadInput, StageFailed
from transslit.faults import find_faults
from transslit.fields import derived_values, fields_page
from transslit.library import known, load_electrolyte
from transslit.network import SlitNetwork
from transslit.options import Options, Texts
from transslit.reply import Number, Reply
from transslit.shell import JsonFlag, command_app, with_options
from transslit.units import Concentration, Length, SurfaceCharge
from validation.commands import terminal
from validation.presets import Seed

app = command_app(help="Electrolytes: list, show, check, fields.", no_args_is_help=True)


class Shown(Config):
    """Options of `show`."""

    slit: Length = Field(2e-9, description="free width of the slit")


class Checked(Config):
    """Options of `check`."""

    concentration: Concentration | None = Field(None, description="concentration; default: the file's")
    surface_charge: SurfaceCharge | None = Field(
        None, description="of each wall, of either sign, that the ions must balance, such as 0.25C/m^2"
    )
    slit: Length | None = Field(None, description="width between two such walls; default: one wall")
    md: bool = Field(False, description="also run a box of it for about a minute")
    seed: Seed = 0


SHOW, CHECK = Options(Shown), Options(Checked)


@app.command("list", epilog="Example: transslit electrolytes list")
def electrolytes_list(as_json: JsonFlag = False) -> int:
    """List all that are known, with their titles, and with their origin if that is not transslit."""
    rows = {}
    for name, (used, *_) in known().items():
        try:
            title = load_electrolyte(name).title
        except BadInput as error:
            title = f"cannot be used: {error}"
        rows[name] = title if used.origin == "transslit" else f"{title} [{used.origin}]"
    reply = Reply(command="electrolytes list", electrolytes=rows)
    return reply.tell(as_json, lambda: print("\n".join(f"{name:9} {title}" for name, title in rows.items())))


@app.command("show", epilog="Example: transslit electrolytes show KCl --slit 0.59nm")
@with_options(SHOW)
def electrolytes_show(texts: Texts, name: str, as_json: JsonFlag = False) -> int:
    """Print every value of one electrolyte with its source, and what follows from the values."""
    salt, network = load_electrolyte(name), SlitNetwork.read(slit=SHOW.build(Shown, texts).slit)
    derived = {key: Number.known(value, unit) for key, (value, unit, _) in derived_values(salt, network).items()}
    reply = Reply(command="electrolytes show", electrolyte=salt.model_dump(mode="json"), derived=derived)
    return reply.tell(as_json, lambda: terminal.electrolyte(salt, network))


@app.command("check", epilog="Example: transslit electrolytes check my.toml --md")
@with_options(CHECK)
def electrolytes_check(texts: Texts, file: str, as_json: JsonFlag = False) -> int:
    """Print all faults of an electrolyte's file; exit with 2 if it cannot be used, 3 if its box is wrong."""
    options = CHECK.build(Checked, texts)
    conditions = {name: getattr(options, name) for name in ("concentration", "surface_charge", "slit")}
    salt, faults = find_faults(file, **conditions)
    usable = salt is not None and not any(fault.error for fault in faults)
    reply = Reply(command="electrolytes check", usable=usable, faults=[fault._asdict() for fault in faults])
    lines = [f"{'error' if fault.error else 'warning'}: {fault.text}" for fault in faults]
    wrong: list[str] = []
    if not as_json:
        print("\n".join(lines), end="\n" if lines else "", flush=True)  # before the box, which takes a minute
    if options.md and salt is not None and usable:
        from md.bulk_check import check_bulk  # loads OpenMM

        box, wrong = check_bulk(salt, options.concentration, options.seed)
        reply.box = {**box, "faults": wrong}
        if not as_json:
            print(
                "\n".join(
                    [
                        *(f"md: {name}: {value}" for name, value in box.items()),
                        *(f"error: md: {text}" for text in wrong),
                    ]
                )
            )
    names = "cannot be used" if salt is None or not usable else f"{', '.join(salt.names)}: can be used"
    reply.exit_code = StageFailed.exit_code if wrong else 0 if usable else BadInput.exit_code
    return reply.tell(as_json, lambda: print(f"{file}: {names}{', but its box is wrong' if wrong else ''}"))


@app.command("fields", epilog="Example: transslit electrolytes fields > fields.md")
def electrolytes_fields(as_json: JsonFlag = False) -> int:
    """Print every field of an electrolyte's file with symbol, unit, default and meaning, as Markdown."""
    reply = Reply(command="electrolytes fields", electrolyte=Electrolyte.model_json_schema())
    return reply.tell(as_json, lambda: print(fields_page(), end=""))
