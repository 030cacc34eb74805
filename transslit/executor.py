"""Execution of many tasks: in this process, on the cores of this machine, or on a cluster, by one interface.

It is the standard one, `concurrent.futures.Executor`:

    with executor(workers=2) as pool:
        results = list(pool.map(function, items))

More than one worker are run by Dask (M. Rocklin, Proc. 14th Python in Science Conf. (2015), 126;
https://distributed.dask.org): a cluster of processes on this machine, or a scheduler that runs already. Each worker
computes on one thread, so that as many workers as there are cores do not slow each other down.
"""

from __future__ import annotations

import gc
import logging
import os
import signal
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TypeVar

from pydantic import Field

from transslit.config import Config
from transslit.errors import BadInput

# Environment of each worker: numpy, SciPy and OpenMM on one thread.
PINNED = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OPENMM_CPU_THREADS"), "1")
KILLS = 3  # workers that a task may end before it counts as failed
CONNECTION_TIMEOUT = 20  # s
CHUNK = 2.0  # s of one worker that a chunk of tasks should take,
MANY = 100  # in proportion more of more workers than these: a scheduler hands out some hundred chunks a second
LARGEST = 1000  # tasks of a chunk
Item = TypeVar("Item")
Result = TypeVar("Result")


def cores() -> int:
    """Number of cores that this process may use; of all cores on a system without affinities (macOS)."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Parallel(Config):
    """Workers that share the work."""

    workers: int | None = Field(1, description="processes of this machine that share the work; results are the same")
    scheduler: str | None = Field(None, description="address of a Dask scheduler, as tcp://host:8786")

    def pool(self) -> AbstractContextManager[Executor]:
        """The workers, for the length of a `with` block."""
        return executor(self.workers, self.scheduler)


class Inline(Executor):
    """Runs each task where and when it is submitted."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future:
        """The finished future of `fn(*args, **kwargs)`."""
        future: Future = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # Ctrl-C is for the caller, not for the future
            future.set_exception(error)
        return future


@contextmanager
def executor(workers: int | None = None, scheduler: str | None = None) -> Iterator[Executor]:
    """A pool of workers for the length of a `with` block; tasks that still run at its end are cancelled.

    Parameters
    ----------
    workers : processes on this machine, of one thread each; 1 is this process itself. Default: as many as cores
    scheduler : address of a Dask scheduler that runs already, as tcp://host:8786, in place of this machine

    Raises
    ------
    BadInput : no such scheduler, or both are given
    """
    if workers is not None and workers < 1:
        raise BadInput("workers", workers, "give one or more")
    if scheduler is not None and (workers or 1) > 1:
        raise BadInput("workers", workers, "a scheduler has workers of its own; give one of the two")
    workers = workers or cores()
    if scheduler is None and workers == 1:
        yield Inline()
        return
    import distributed  # takes half a second, which one worker does without

    with _local_client(workers) if scheduler is None else _remote_client(scheduler) as client:
        yield distributed.cfexecutor.ClientExecutor(client, pure=False)


@contextmanager
def _local_client(workers: int) -> Iterator[Any]:
    """A client of a cluster on this machine, which spills data that exceed its memory to a temporary folder."""
    import dask
    from distributed import Client, LocalCluster

    _silence_loggers()
    settings = {
        # In place of Dask's own, which make glibc return memory at once: large arrays then take up to twice the time.
        "distributed.nanny.pre-spawn-environ": PINNED,
        "distributed.scheduler.allowed-failures": KILLS - 1,
        # These grow with time: the last thousand events hold the arguments of their tasks, the profiler call trees.
        "distributed.admin.low-level-log-length": 10,
        "distributed.worker.profile.enabled": False,
        "distributed.admin.system-monitor.gil.enabled": False,
    }
    with (
        tempfile.TemporaryDirectory(prefix="transslit-", ignore_cleanup_errors=True) as spilled,
        dask.config.set(settings),
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            dashboard_address=None,
            local_directory=spilled,
            silence_logs=logging.CRITICAL,
        ) as cluster,
        Client(cluster) as client,
    ):
        client.register_plugin(_worker_plugin())
        yield client


def _silence_loggers() -> None:
    """Switch off Dask's loggers: failures of workers are reported by the futures."""
    for name in list(logging.root.manager.loggerDict):
        if name.partition(".")[0] == "distributed":
            logging.getLogger(name).setLevel(logging.CRITICAL)


def _worker_plugin() -> Any:
    from distributed.diagnostics.plugin import WorkerPlugin

    class Uninterrupted(WorkerPlugin):
        """Ignore Ctrl-C, which reaches every process of a terminal, in workers; the process that started them acts."""

        def setup(self, worker: Any) -> None:
            signal.signal(signal.SIGINT, signal.SIG_IGN)

    return Uninterrupted()


@contextmanager
def _remote_client(address: str) -> Iterator[Any]:
    """A client of a scheduler that runs already."""
    from distributed import Client

    _silence_loggers()
    client, reason = None, ""
    try:
        client = Client(address, timeout=CONNECTION_TIMEOUT)
    except (OSError, ValueError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
    if client is None:
        gc.collect()  # closes the failed client: collected while another one starts, it would wait for that for ever
        raise BadInput("scheduler", address, f"no Dask scheduler answers there ({reason})")
    try:
        yield client
    finally:
        client.close(timeout=CONNECTION_TIMEOUT)


def slots(pool: Executor) -> int:
    """Number of tasks that the workers of `pool` run at once at present; workers may come and go.

    Workers of this machine that died while they started, which Dask does not start again, are replaced.

    Raises
    ------
    ConnectionError : the connection to the scheduler was lost
    """
    client = getattr(pool, "_client", None)
    if client is None:
        return 1
    try:
        running = sum(client.nthreads().values())
        wanted = len(getattr(client.cluster, "worker_spec", ()))
        if running < wanted:
            client.cluster.scale(wanted)
    except Exception as error:
        raise ConnectionError(str(error)) from error
    return int(running)


def killed(error: BaseException | None) -> bool:
    """Whether a task failed because it ended `KILLS` workers."""
    return type(error).__name__ == "KilledWorker"


def run_chunks(
    pool: Executor, function: Callable[[list[Item]], list[Result]], items: Sequence[Item]
) -> Iterator[tuple[list[Item], list[Result] | None, int]]:
    """Apply `function` to `items` in chunks that take a worker `CHUNK` seconds, a few chunks ahead of the workers.

    The memory of scheduler and of this process then does not grow with the number of items.

    Yields
    ------
    items of a chunk, its results (None if it ended its workers), and the number of items that run at present; every
    second at least, then without items

    Raises
    ------
    ConnectionError : the connection to the scheduler was lost
    Exception : that of `function`
    """
    waiting, running = deque(items), dict[Future, list[Item]]()
    spent = count = 0.0
    checked, width, shared = time.monotonic(), slots(pool), not isinstance(pool, Inline)
    while waiting or running:
        if time.monotonic() - checked > 5:
            checked, width = time.monotonic(), slots(pool)
        while waiting and len(running) < max(1, 2 * width if shared else width):
            usual = CHUNK * max(1.0, width / MANY) * count / spent if spent and shared else 1.0
            size = max(1, int(min(usual, LARGEST, len(waiting) / (4 * max(1, width)))))
            chunk = [waiting.popleft() for _ in range(min(size, len(waiting)))]
            running[pool.submit(_timed, function, chunk)] = chunk
        finished, _ = wait(running, timeout=1.0, return_when=FIRST_COMPLETED)
        if not finished:
            yield [], [], min(width, sum(map(len, running.values())))
        for future in finished:
            chunk = running.pop(future)
            error = ConnectionError() if future.cancelled() else future.exception()
            results: list[Result] | None = None
            if error is None:
                results, seconds = future.result()
                spent, count = spent + seconds, count + len(chunk)
            elif not killed(error):
                raise (ConnectionError(str(error)) if isinstance(error, OSError) else error) from error
            yield chunk, results, min(width, sum(map(len, running.values())))


def _timed(function: Callable[[list[Item]], list[Result]], chunk: list[Item]) -> tuple[list[Result], float]:
    began = time.monotonic()
    return function(chunk), time.monotonic() - began
