"""Progress bars with the time left, on standard error: standard output is for results."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar, Protocol


class Advance(Protocol):
    """Report of a stage's progress: `advance(done, note)`, with `done` in the units of the task's total."""

    def __call__(self, done: float, note: str = "") -> None: ...


class Progress:
    """Progress bars, one per task; `Progress(quiet=True)` shows none, nor does any if `silent`."""

    silent: ClassVar[bool] = False

    def __init__(self, quiet: bool = False) -> None:
        self.quiet = quiet or self.silent

    def say(self, text: str) -> None:
        """Print a line."""
        if not self.quiet:
            print(text, file=sys.stderr, flush=True)

    @contextmanager
    def task(self, title: str, total: float) -> Iterator[Advance]:
        """A bar for `total` units of work; on a pipe or in a log, a line every half minute instead."""
        if self.quiet:
            yield lambda done, note="": None
        elif sys.stderr.isatty():
            yield from _bar(title, total)
        else:
            yield from _lines(title, total)


def _bar(title: str, total: float) -> Iterator[Advance]:
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as RichProgress

    columns = (  # without markup: a title may name a salt, [emim][BF4]
        TextColumn("{task.description:<26}", markup=False),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(compact=True),
        TextColumn("{task.fields[note]}", markup=False),
    )
    with RichProgress(*columns, console=Console(stderr=True)) as bars:
        task = bars.add_task(title, total=total, note="")
        yield lambda done, note="": bars.update(task, completed=done, note=note)


def _lines(title: str, total: float) -> Iterator[Advance]:
    began = last = time.monotonic()
    first: float | None = None
    shown = ""

    def advance(done: float, note: str = "") -> None:
        nonlocal last, first, shown
        now = time.monotonic()
        first = done if first is None else first
        if now - last < 30 and (not note or note == shown):  # a new note, such as an estimate of time, does not wait
            return
        last, shown = now, note
        rate = (done - first) / (now - began)
        left = f"{(total - done) / rate:.0f} s left" if rate > 0 else ""
        print(f"{title}: {100 * done / total:.0f} %, {left} {note}".rstrip(), file=sys.stderr, flush=True)

    print(f"{title} ...", file=sys.stderr, flush=True)
    yield advance
    print(f"{title}: done in {time.monotonic() - began:.1f} s", file=sys.stderr, flush=True)
