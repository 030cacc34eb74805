"""Typer commands of configurations, and the options that each has: --config, --quiet, --verbose, --log, --version.

`--config FILE.toml` holds options of the command by their names, values as on the command line:

    slit = "2nm"
    layers = 6
    vary = ["gamma=0:0.9:4"]

Options on the command line take precedence. A command that has a run folder leaves such a file of what it was given
there, as `options.toml`.
"""

from __future__ import annotations

import functools
import inspect
import json
import logging
import sys
import tomllib
from collections.abc import Callable, Mapping
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import Field
from typer.core import TyperCommand

from transslit.config import Config
from transslit.errors import BadInput
from transslit.files import read_text, whole, write_text
from transslit.options import Help, Options, nearest
from transslit.progress import Progress
from transslit.reply import Reply
from transslit.runs import versions

if TYPE_CHECKING:
    from matplotlib.figure import Figure

HELP = {"help_option_names": ["-h", "--help"]}
GIVEN = "options.toml"
PASSED_ON = "transslit.passed_on"
LEVELS = (logging.WARNING, logging.INFO, logging.DEBUG)  # by the number of -v
LOGGER = logging.getLogger("transslit")
OutPath = Annotated[Path | None, typer.Option(help="Run folder. The same command with the same folder resumes.")]
JsonFlag = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output, nothing else.")]
KEYWORD = inspect.Parameter.KEYWORD_ONLY
FORMAT = "%(asctime)s %(levelname)s %(message)s"


class Command(TyperCommand):
    """A command that shows its help where it lacks what it needs, and answers an unknown option with similar ones."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        settings["context_settings"] = {**HELP, **(settings.get("context_settings") or {})}
        super().__init__(*arguments, **settings)
        self.no_args_is_help = any(param.required for param in self.params)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the words of the command line."""
        try:
            return super().parse_args(ctx, args)
        except Exception as fault:
            if not hasattr(fault, "possibilities") or not (word := getattr(fault, "option_name", "")):
                raise
            own = [name for each in self.params for name in each.opts if each.name not in SHARED]
            near = ", ".join(nearest(word, own))
            raise BadInput(word, "no such option", f"did you mean {near}?" if near else "see --help") from None


def command_app(**options: Any) -> typer.Typer:
    """The typer application of one command or, with typer's `options`, of several."""
    app = typer.Typer(add_completion=False, context_settings=HELP, **options)
    plain = app.command

    def command(name: str | None = None, **settings: Any) -> Callable[..., Any]:
        register = plain(name, cls=Command, **settings)
        return lambda function: register(with_shared_options(function))

    app.command = command  # type: ignore[method-assign]
    return app


def with_options(options: Options) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Make a function a typer command, whose first parameter, the texts of options, is replaced by the options."""

    def decorate(function: Callable[..., int]) -> Callable[..., int]:
        own = [p.replace(kind=KEYWORD) for p in inspect.signature(function, eval_str=True).parameters.values()]
        parameters = [*(_parameter(name, options.help(name)) for name in options.known), *own[1:]]

        @functools.wraps(function)
        def command(**words: Any) -> int:
            texts = texts_of({name: words.pop(name) for name in options.known})
            return function(texts, **words)

        command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        return command

    return decorate


def texts_of(words: Mapping[str, Any]) -> dict[str, str]:
    """Options that are given on a command line, as texts."""
    return {name: "true" if word is True else word for name, word in words.items() if word or word == ""}


def _parameter(name: str, help_: Help) -> inspect.Parameter:
    option = f"--{name.replace('_', '-')}"
    shown = typer.Option(option, help=help_.text, show_default=False, metavar=None if help_.flag else help_.metavar)
    if help_.flag:
        return inspect.Parameter(name, KEYWORD, default=False, annotation=Annotated[bool, shown])
    return inspect.Parameter(name, KEYWORD, default=None, annotation=Annotated[str | None, shown])


class Drawn(Config):
    """Whether figures are drawn."""

    no_figures: bool = Field(False, description="draw no figures beside the data")


def draw_beside(folder: Path, figures: Mapping[str, Callable[[], Figure]]) -> list[str]:
    """Draw the figures that are not in `folder` yet, as PNG by their names; the paths of all."""
    import matplotlib as mpl

    from transslit.style import STYLE

    paths = {name: folder / f"{name}.png" for name in figures}
    missing = [name for name, path in paths.items() if not path.exists()]
    quiet = not missing or not sys.stderr.isatty()  # it takes a second, of which a log need not tell
    with Progress(quiet).task("Drawing", max(1, len(missing))) as advance:
        for done, name in enumerate(missing):
            with mpl.rc_context(STYLE), whole(paths[name]) as partial:
                figures[name]().savefig(partial, dpi=150)
            advance(done + 1)
    return [str(path) for path in paths.values()]


def with_shared_options(function: Callable[..., int]) -> Callable[..., int]:
    """A command that also has the shared options, and leaves what it was given in its run folder."""
    signature = inspect.signature(function, eval_str=True)
    context = inspect.Parameter("context", KEYWORD, annotation=typer.Context)
    own = {name: parameter.replace(kind=KEYWORD) for name, parameter in signature.parameters.items()}
    takes_context = "context" in own

    @functools.wraps(function)
    def command(**words: Any) -> int:
        known: Any = words["context"] if takes_context else words.pop("context", None)
        for name in SHARED:
            words.pop(name, None)
        try:
            code = function(**words)
        finally:
            Progress.silent = False
        if known is not None:
            write_given(known)
        return code

    shared = [
        inspect.Parameter(name, KEYWORD, default=default, annotation=annotation)
        for name, (default, annotation) in SHARED.items()
    ]
    parameters = [*({"context": context} | own).values(), *shared]
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return command


def _configure(context: typer.Context, path: Path | None) -> Path | None:
    """Make the values in a TOML file the defaults of the command's options."""
    if path is None:
        return None
    try:
        content = tomllib.loads(read_text(path, "config"))
    except tomllib.TOMLDecodeError as error:
        raise BadInput("config", path, f"is no TOML ({error})") from None
    known = {param.name: param for param in context.command.params if param.name and param.name not in SHARED}
    defaults: dict[str, object] = {}
    for key, value in content.items():
        param = known.get(key.replace("-", "_"))
        if param is not None:
            defaults[str(param.name)] = _words(f"{path}: {key}", value, param)
        elif context.ignore_unknown_options:  # of the stage of a sweep
            context.meta.setdefault(PASSED_ON, []).append(f"--{key}={_words(f'{path}: {key}', value, None)}")
        else:
            near = ", ".join(nearest(key, [name for name in known if name]))
            accepts = f"did you mean {near}?" if near else "see --help"
            raise BadInput("config", f"{path}: {key}", f"no such option; {accepts}")
    context.default_map = {**(context.default_map or {}), **defaults}
    return path


def passed_on(context: typer.Context) -> list[str]:
    """Words of a command line that are for another command, those of its --config file first."""
    return [*context.meta.get(PASSED_ON, []), *context.args]


def _words(where: str, value: object, param: Any) -> object:
    """A value of TOML as on the command line: text, flags as they are, lists where an option is given several times."""
    several = param is not None and (param.multiple or param.nargs != 1)
    if isinstance(value, list) and all(isinstance(each, str | int | float) for each in value):
        words = [each if isinstance(each, str) else json.dumps(each) for each in value]
        return words if several else ",".join(words)
    if isinstance(value, bool) and getattr(param, "is_flag", False):
        return value
    if isinstance(value, str | int | float):
        word = value if isinstance(value, str) else json.dumps(value)
        return [word] if several else word
    raise BadInput("config", where, "give text, a number, true or false, or a list of these")


def write_given(context: typer.Context) -> None:
    """Leave `options.toml` in the run folder of a command: what it was given there, by whatever way."""
    folder = Reply.folder
    if folder is None or not folder.is_dir():
        return
    lines = [f"# {context.command_path} --config {GIVEN}   (transslit {versions().get('transslit', '')})"]
    for name, value in context.params.items():
        source = getattr(context.get_parameter_source(name), "name", "")
        if name not in (*SHARED, "out", "as_json") and source in ("COMMANDLINE", "DEFAULT_MAP") and value is not None:
            lines.append(f"{name.replace('_', '-')} = {_toml(value)}")
    words = iter(passed_on(context))
    for word in words:
        if word.startswith("--"):
            name, given, value = word[2:].partition("=")
            lines.append(f"{name} = {_toml(value if given else next(words, ''))}")
    write_text(folder / GIVEN, "\n".join(lines) + "\n")


def _toml(value: object) -> str:
    """A value as TOML; a basic string of TOML is one of JSON."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value if isinstance(value, str | bool | int | float) else str(value), ensure_ascii=False)


def _be_quiet(quiet: bool) -> bool:
    Progress.silent = quiet
    return quiet


def _be_verbose(count: int) -> int:
    LOGGER.handlers.clear()
    LOGGER.setLevel(logging.DEBUG)
    LOGGER.propagate = False
    _add(logging.StreamHandler(sys.stderr), LEVELS[min(count, len(LEVELS) - 1)])
    return count


def _log_into(path: Path | None) -> Path | None:
    if path is not None:
        try:
            _add(logging.FileHandler(path, encoding="utf-8"), logging.DEBUG)
        except OSError as error:
            raise BadInput("log", path, f"cannot be written ({error.strerror})") from None
    return path


def _add(handler: logging.Handler, level: int) -> None:
    handler.setLevel(level)
    handler.setFormatter(logging.Formatter(FORMAT))
    LOGGER.addHandler(handler)


def _show_version(context: typer.Context, asked: bool) -> None:
    if asked:
        print(f"transslit {versions().get('transslit', '')}")
        raise typer.Exit


def _show_completion(context: typer.Context, shell: Shell | None) -> None:
    if shell is not None:
        from typer._completion_shared import get_completion_script

        name = str(context.find_root().info_name)
        variable = f"_{name.upper()}_COMPLETE"
        print(get_completion_script(prog_name=name, complete_var=variable, shell=shell.value))
        raise typer.Exit


class Shell(Enum):
    """Shells that complete."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


def _show_schema(context: typer.Context, asked: bool) -> None:
    if asked:
        print(json.dumps(Reply.model_json_schema(), indent=1))
        raise typer.Exit


Schema = Annotated[
    bool, typer.Option("--schema", is_eager=True, callback=_show_schema, help="Show the JSON Schema of --json.")
]
Version = Annotated[bool, typer.Option("--version", is_eager=True, callback=_show_version, help="Show the version.")]
Completion = Annotated[
    Shell | None,
    typer.Option(
        "--completion",
        is_eager=True,
        callback=_show_completion,
        help='Print what completes words in a shell, as eval "$(transslit --completion bash)".',
    ),
]
SHARED: dict[str, tuple[object, Any]] = {
    "config": (
        None,
        Annotated[
            Path | None,
            typer.Option(
                metavar="FILE.toml",
                is_eager=True,
                callback=_configure,
                help="Options of this command by their names, as options.toml of a run folder.",
            ),
        ],
    ),
    "quiet": (
        False,
        Annotated[bool, typer.Option("--quiet", "-q", callback=_be_quiet, help="No progress on standard error.")],
    ),
    "verbose": (
        0,
        Annotated[
            int,
            typer.Option(
                "--verbose",
                "-v",
                count=True,
                is_eager=True,  # before the log's file
                callback=_be_verbose,
                help="Log on standard error; -vv: more of it.",
            ),
        ],
    ),
    "version": (False, Version),
    "log": (
        None,
        Annotated[Path | None, typer.Option(metavar="FILE", callback=_log_into, help="Append the log to this file.")],
    ),
}
