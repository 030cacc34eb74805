"""One worker is this process; what cannot be had is said in one line. (Clusters: validation/test_sweep_faults.)"""

import operator
import sys

import pytest

from transslit import BadInput
from transslit.executor import Inline, executor, killed, slots


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
    monkeypatch.setattr("transslit.executor.ANSWER", 1)
    with pytest.raises(BadInput, match=said), executor(**asked):
        pass


@pytest.mark.parametrize("asked", [{"workers": 2}, {"scheduler": "tcp://localhost:8786"}])
def test_without_dask_the_extra_is_named(asked, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(BadInput, match=r"transslit\[dask\]"), executor(**asked):
        pass
