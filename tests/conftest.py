"""Numerical warnings are errors in every test: an overflow that is meant says so where it happens."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OPENMM_CPU_THREADS", "1")  # workers share the cores

import matplotlib as mpl
import numpy as np
import pytest

from tests.planted import planted

mpl.use("Agg")


@pytest.fixture(autouse=True)
def _floating_point_errors():
    with np.errstate(all="raise", under="ignore"):
        yield


@pytest.fixture
def make():
    """The builder of planted records."""
    return planted


@pytest.fixture(scope="session")
def planted_record():
    """The same builder, for fixtures that outlive a test."""
    return planted
