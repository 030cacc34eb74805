"""`transslit electrolytes`: list, show, check."""

from __future__ import annotations

import json

import typer

from transslit.electrolyte import Electrolyte
from transslit.library import load_electrolyte, shipped
from validation.commands.common import JsonFlag, app

electrolytes_app = typer.Typer(help="Electrolytes: list, show, check.", no_args_is_help=True)
app.add_typer(electrolytes_app, name="electrolytes")


@electrolytes_app.command("list", epilog="Example: transslit electrolytes list")
def electrolytes_list(as_json: JsonFlag = False) -> int:
    """Names of the shipped electrolytes."""
    titles = {name: load_electrolyte(name).title for name in shipped()}
    print(json.dumps(titles) if as_json else "\n".join(f"{name:8} {title}" for name, title in titles.items()))
    return 0


@electrolytes_app.command("show", epilog="Example: transslit electrolytes show KCl")
def electrolytes_show(name: str, as_json: JsonFlag = False) -> int:
    """One electrolyte: every value with its source, and what follows from them."""
    from validation.terminal import electrolyte

    salt = load_electrolyte(name)
    if as_json:
        print(json.dumps(salt.model_dump(mode="json")))
    else:
        electrolyte(salt)
    return 0


@electrolytes_app.command("check", epilog="Example: transslit electrolytes check my.toml")
def electrolytes_check(file: str) -> int:
    """Read an electrolyte's file and say whether it can be used."""
    salt: Electrolyte = load_electrolyte(file)
    salt.bulk()
    print(
        f"{salt.name}: {', '.join(salt.names)}; neutral; packs below close packing at {salt.concentration / 1000:g} M"
    )
    return 0
