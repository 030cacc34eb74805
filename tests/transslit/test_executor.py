"""One worker is this process; what cannot be had is said in one line. (Clusters: validation/test_sweep_faults.)"""

import gc
import operator
import os
from concurrent.futures import ThreadPoolExecutor

import distributed
import pytest

from transslit import BadInput
from transslit.executor import LARGEST, Inline, cores, executor, killed, run_chunks, slots


def test_one_worker_is_this_process_and_keeps_the_order():
    with executor(workers=1) as pool:
        assert isinstance(pool, Inline)
        assert slots(pool) == 1
        assert list(pool.map(operator.mul, range(4), range(4))) == [0, 1, 4, 9]
        failed = pool.submit(operator.truediv, 1, 0)
    assert isinstance(failed.exception(), ZeroDivisionError)
    assert not killed(failed.exception())


def test_ctrl_c_is_not_a_result():
    def interrupted():
        raise KeyboardInterrupt

    with executor(workers=1) as pool, pytest.raises(KeyboardInterrupt):
        pool.submit(interrupted)


@pytest.mark.parametrize(("machine", "found"), [(8, 8), (None, 1)])
def test_cores_of_a_system_without_affinities(machine, found, monkeypatch):
    """macOS and Windows have no os.sched_getaffinity; some systems do not tell their cores at all."""
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: machine)
    assert cores() == found


def test_cores_are_those_that_this_process_may_use(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {2, 5, 7} if process == 0 else set(), raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    assert cores() == 3


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"workers": 0}, "workers: 0"),
        ({"workers": 2, "scheduler": "tcp://localhost:8786"}, "one of the two"),
        ({"scheduler": "nowhere"}, "scheduler: nowhere"),
        ({"scheduler": "tcp://127.0.0.1:9"}, "no Dask scheduler answers"),
    ],
)
def test_what_cannot_be_had_is_bad_input(asked, said, monkeypatch):
    monkeypatch.setattr("transslit.executor.CONNECTION_TIMEOUT", 1)
    with pytest.raises(BadInput, match=said), executor(**asked):
        pass
    # A client that failed and is collected while another starts would wait for that one for ever.
    assert not [held for held in gc.get_objects() if type(held) is distributed.Client]


def doubled(items):
    return [2 * item for item in items]


@pytest.mark.parametrize("kind", [Inline, lambda: ThreadPoolExecutor(1)])
def test_chunks_hold_every_item_once_and_grow_where_the_pool_is_shared(kind):
    """A task of microseconds goes by itself in this process, and by hundreds to a worker."""
    with kind() as pool:
        chunks = [(chunk, results) for chunk, results, _ in run_chunks(pool, doubled, range(5000)) if chunk]
    assert sorted(item for chunk, _ in chunks for item in chunk) == list(range(5000))
    assert all(results == doubled(chunk) for chunk, results in chunks)
    largest = max(len(chunk) for chunk, _ in chunks)
    assert largest == 1 if isinstance(pool, Inline) else 100 < largest <= LARGEST


def test_the_fault_of_a_chunk_is_the_caller_s_and_a_lost_scheduler_a_connection_error():
    def fail(error):
        def function(items):
            raise error

        return function

    for error, kind in ((KeyError("x"), KeyError), (TimeoutError("no answer"), ConnectionError)):
        with Inline() as pool, pytest.raises(kind):
            list(run_chunks(pool, fail(error), [1]))
