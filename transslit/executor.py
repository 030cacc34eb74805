"""Where many tasks run: in this process, on the cores of this machine, or on a cluster, by one interface.

It is the standard one, `concurrent.futures.Executor`:

    with executor(workers=2) as pool:
        results = list(pool.map(function, items))

Behind it, unless there is one worker only, is Dask (M. Rocklin, Proc. 14th Python in Science Conf. (2015), 126;
https://distributed.dask.org): a cluster of processes on this machine, or a scheduler that runs already. Each worker
computes on one thread, so that as many workers as cores share them without getting in each other's way.
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

# What numpy's, SciPy's and OpenMM's threads are told in each worker.
PINNED = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OPENMM_CPU_THREADS"), "1")
KILLS = 3  # a task that ends its worker so many times is given up
ANSWER = 20  # s that a scheduler has to answer


def cores() -> int:
    """Number of cores that this process may use; of all that there are on a system without affinities (macOS)."""
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
    """A pool of workers for the length of a `with` block; what is still running at its end is given up.

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
    with _here(workers) if scheduler is None else _there(scheduler) as client:
        yield distributed.cfexecutor.ClientExecutor(client, pure=False)


@contextmanager
def _here(workers: int) -> Iterator[Any]:
    """A client of a cluster on this machine, which keeps what does not fit its memory in a temporary folder."""
    import dask
    from distributed import Client, LocalCluster

    _hush()
    settings = {
        # In place of Dask's own, by which glibc gives memory back at once: large arrays then take up to twice the time.
        "distributed.nanny.pre-spawn-environ": PINNED,
        "distributed.scheduler.allowed-failures": KILLS - 1,
        # What grows with the time: the last thousand events hold what their tasks were given, the profiler call trees.
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


def _hush() -> None:
    """What goes wrong with workers is told by the futures; Dask's loggers would tell it again, at length."""
    for name in list(logging.root.manager.loggerDict):
        if name.partition(".")[0] == "distributed":
            logging.getLogger(name).setLevel(logging.CRITICAL)


def _worker_plugin() -> Any:
    from distributed.diagnostics.plugin import WorkerPlugin

    class Uninterrupted(WorkerPlugin):
        """Ctrl-C reaches every process of a terminal; the workers leave it to the one that started them."""

        def setup(self, worker: Any) -> None:
            signal.signal(signal.SIGINT, signal.SIG_IGN)

    return Uninterrupted()


@contextmanager
def _there(address: str) -> Iterator[Any]:
    """A client of a scheduler that runs already."""
    from distributed import Client

    _hush()
    client, reason = None, ""
    try:
        client = Client(address, timeout=ANSWER)
    except (OSError, ValueError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
    if client is None:
        gc.collect()  # closes the client that failed: collected while another one starts, it waits for that for ever
        raise BadInput("scheduler", address, f"no Dask scheduler answers there ({reason})")
    try:
        yield client
    finally:
        client.close(timeout=ANSWER)


def slots(pool: Executor) -> int:
    """How many tasks the workers of `pool` run at once now; workers may come and go.

    Those of this machine that died while they started, and so were not started again, are replaced.
    """
    client = getattr(pool, "_client", None)
    if client is None:
        return 1
    found = sum(client.nthreads().values())
    wanted = len(getattr(client.cluster, "worker_spec", ()))
    if found < wanted:
        client.cluster.scale(wanted)
    return int(found)


def killed(error: BaseException | None) -> bool:
    """Whether a task failed because its worker died under it, as often as is tried."""
    return type(error).__name__ == "KilledWorker"
