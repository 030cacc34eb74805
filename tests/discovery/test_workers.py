"""The hall of fame is the same from this process, a pool, a Dask cluster, and another kind of processor."""

import os
import re
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pandas as pd
import pytest

from discovery import DiscoveryConfig, discover
from transslit.law import Law

NUMBERS = ["expression", "latex"]  # columns with digits that the data do not determine
SMALL = DiscoveryConfig(
    form="general", population=32, generations=3, islands=2, migration_every=2, search_rows=150, bootstrap=50
)
SCRIPT = """
import pathlib, sys, pandas
from discovery import DiscoveryConfig, discover
folder = pathlib.Path(sys.argv[1])
discover(pandas.read_parquet(folder / "table.parquet"), DiscoveryConfig.model_validate_json(sys.argv[2]), folder)
"""
OTHER_PROCESSORS = {
    "Python's hash seed": {"PYTHONHASHSEED": "1"},
    "no vector units": {"OPENBLAS_CORETYPE": "Prescott", "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL"},
    "two threads": {"OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2"},
}


def table_of(make_table):
    return make_table(lambda q: 1 - 0.5 * q)


def test_a_pool_of_processes_finds_the_same(make_table):
    table = table_of(make_table)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        assert discover(table, SMALL, mapper=pool) == discover(table, SMALL)


def test_a_dask_cluster_finds_the_same(make_table, tmp_path, monkeypatch):
    distributed = pytest.importorskip("distributed")
    monkeypatch.chdir(tmp_path)  # for the files of the workers
    table = table_of(make_table)
    with (
        distributed.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        same(discover(table, SMALL, mapper=client), discover(table, SMALL))


@pytest.mark.parametrize("processor", OTHER_PROCESSORS)
def test_other_machines_find_the_same(make_table, tmp_path, processor):
    """The same law, and the same forms in the same order; constants that data hardly determine differ in digits."""
    table = table_of(make_table)
    table.to_parquet(tmp_path / "table.parquet")
    command = [sys.executable, "-W", "ignore", "-c", SCRIPT, str(tmp_path), SMALL.model_dump_json()]
    subprocess.run(command, env={**os.environ, **OTHER_PROCESSORS[processor]}, check=True)
    discover(table, SMALL, tmp_path / "here")
    same(*(Law.read(folder) for folder in (tmp_path / "here", tmp_path)))
    here, there = (pd.read_csv(folder / "hall_of_fame.csv") for folder in (tmp_path / "here", tmp_path))
    assert here["expression"].map(form).tolist() == there["expression"].map(form).tolist()
    pd.testing.assert_frame_equal(here.drop(columns=NUMBERS), there.drop(columns=NUMBERS), rtol=1e-6)


def form(expression):
    """The formula without its fitted numbers."""
    return re.sub(r"-?\d+(\.\d+(e-?\d+)?|e-?\d+)", "#", expression)


def same(one, other):
    """The same law, from a front of the same forms."""
    assert one.expression == other.expression
    for name, constant in one.constants.items():
        assert other.constants[name].value == pytest.approx(constant.value, rel=1e-6)
        assert other.constants[name].std == pytest.approx(constant.std, rel=1e-4)
    assert [form(row["expression"]) for row in one.front] == [form(row["expression"]) for row in other.front]
    assert [row["loss"] for row in one.front] == pytest.approx([row["loss"] for row in other.front], rel=1e-6)
