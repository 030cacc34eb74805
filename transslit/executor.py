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
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from typing import Any

from transslit.errors import BadInput

# Environment of each worker: numpy, SciPy and OpenMM on one thread.
PINNED = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OPENMM_CPU_THREADS"), "1")
KILLS = 3  # workers that a task may end before it counts as failed
CONNECTION_TIMEOUT = 20  # s


def cores() -> int:
    """Number of cores that this process may use; of all cores on a system without affinities (macOS)."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


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
    BadInput : no such scheduler, both are given, or more than one worker without Dask
    """
    if workers is not None and workers < 1:
        raise BadInput("workers", workers, "give one or more")
    if scheduler is not None and (workers or 1) > 1:
        raise BadInput("workers", workers, "a scheduler has workers of its own; give one of the two")
    workers = workers or cores()
    if scheduler is None and workers == 1:
        yield Inline()
        return
    try:
        import distributed
    except ImportError:
        field, value = ("workers", workers) if scheduler is None else ("scheduler", scheduler)
        raise BadInput(field, value, "needs Dask (pip install 'transslit[dask]'); --workers 1 does without") from None
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
    """
    client = getattr(pool, "_client", None)
    if client is None:
        return 1
    running = sum(client.nthreads().values())
    wanted = len(getattr(client.cluster, "worker_spec", ()))
    if running < wanted:
        client.cluster.scale(wanted)
    return int(running)


def killed(error: BaseException | None) -> bool:
    """Whether a task failed because it ended `KILLS` workers."""
    return type(error).__name__ == "KilledWorker"
