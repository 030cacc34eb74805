"""What the commands share: options, and how a simulation is run and reported."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Executor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from pydantic import Field

from transslit.config import Config
from transslit.executor import executor
from transslit.files import whole
from transslit.options import Help, Options
from transslit.progress import Progress
from transslit.record import TransSlitRecord
from transslit.runs import open_run
from validation.commands.reply import Reply
from validation.commands.shell import HELP, Command, with_shared_options
from validation.verdicts.tolerances import Tolerances, read_tolerances

if TYPE_CHECKING:
    from matplotlib.figure import Figure

OutPath = Annotated[Path | None, typer.Option(help="Run folder. The same command with the same folder resumes.")]
JsonFlag = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output, nothing else.")]

C = TypeVar("C", bound=Config)
KEYWORD = inspect.Parameter.KEYWORD_ONLY

# Of a record's metadata, what its manifest says too.
CONTINUED = ("continued_from_state", "equilibrium_continued_from_state")


class Parallel(Config):
    """Workers that share the work."""

    workers: int | None = Field(1, description="processes of this machine that share the work; results are the same")
    scheduler: str | None = Field(None, description="address of a Dask scheduler, as tcp://host:8786")

    def pool(self) -> AbstractContextManager[Executor]:
        """The workers, for the length of a `with` block."""
        return executor(self.workers, self.scheduler)


class Judgement(Config):
    """Tolerances, and how strictly verdicts decide the exit code."""

    tolerances: Path | None = Field(None, description="TOML file of your own tolerances, by the ids of the verdicts")
    strict: bool = Field(False, description="exit with 1 on an inconclusive required check too")

    def standards(self, families: Collection[str]) -> Tolerances:
        """The tolerances by id, each of one of `families` (first parts of ids)."""
        return {} if self.tolerances is None else read_tolerances(self.tolerances, families)


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


def command_app(**options: Any) -> typer.Typer:
    """The typer application of one command or, with typer's `options`, of several."""
    app = typer.Typer(add_completion=False, context_settings=HELP, **options)
    plain = app.command

    def command(name: str | None = None, **settings: Any) -> Callable[..., Any]:
        register = plain(name, cls=Command, **settings)
        return lambda function: register(with_shared_options(function))

    app.command = command  # type: ignore[method-assign]
    return app


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


def run_stage(
    name: str, folder: Path, config: C, run: Callable[[C, Path, Progress], TransSlitRecord], seed: int
) -> tuple[TransSlitRecord, Reply]:
    """Run one simulation into `folder`; its record, and what the command replies."""
    with open_run(folder) as opened:

        def stage(path: Path) -> dict[str, object]:
            metadata = run(config, path, Progress()).metadata
            return {key: metadata[key] for key in CONTINUED if key in metadata}

        _, manifest = opened.stage("", config, stage, seed=seed)
    record = TransSlitRecord.read(folder)
    rows = {name: len(getattr(record, name)) for name in ("crossings", "slits", "terminal")}
    return record, Reply(command=name, out=str(folder), rows=rows, wall_s=manifest.get("wall_s"))


def say_record(reply: Reply) -> None:
    """Print where the record is, and its size."""
    rows = reply.rows or {}
    print(f"record: {reply.out}/record ({rows['crossings']} crossings, {rows['slits']} slit states)")
