"""The platform: CUDA, OpenCL, CPU in turn, those that work; overridable, shown, and no more threads than cores."""

from __future__ import annotations

import os
from types import SimpleNamespace

import openmm
import pytest

import md.propagate
from md.propagate import choose_platform
from md.stage import estimate
from transslit import BadInput


@pytest.mark.parametrize(
    ("working", "chosen"),
    [
        ({"CUDA", "OpenCL", "CPU", "Reference"}, "CUDA"),
        ({"OpenCL", "CPU", "Reference"}, "OpenCL"),
        ({"CPU", "Reference"}, "CPU"),
    ],
)
def test_the_first_that_works_is_taken(monkeypatch, working, chosen):
    """CUDA is installed with the wheel on many machines that have no card for it."""
    names = ["Reference", "CPU", "OpenCL", "CUDA"]
    fake = SimpleNamespace(
        getNumPlatforms=lambda: len(names),
        getPlatform=lambda which: SimpleNamespace(
            name=names[which] if isinstance(which, int) else which,
            getName=lambda: names[which] if isinstance(which, int) else which,
        ),
    )
    monkeypatch.setattr(md.propagate.openmm, "Platform", fake)
    monkeypatch.setattr(md.propagate, "_works", lambda platform: platform.name in working)
    platform, properties = choose_platform("auto")
    assert platform.name == chosen
    assert properties == ({"Precision": "mixed"} if chosen in ("CUDA", "OpenCL") else properties)


def test_it_can_be_named_and_a_missing_one_is_refused():
    assert choose_platform("Reference")[0].getName() == "Reference"
    with pytest.raises(BadInput, match="platform: Metal"):
        choose_platform("Metal")


@pytest.mark.parametrize("asked", [None, "1"])
def test_no_more_threads_than_cores(monkeypatch, asked):
    """As many as this process may use, or as OPENMM_CPU_THREADS says; read back from a live context."""
    if asked is None:
        monkeypatch.delenv("OPENMM_CPU_THREADS", raising=False)
    else:
        monkeypatch.setenv("OPENMM_CPU_THREADS", asked)
    platform, properties = choose_platform("CPU")
    system = openmm.System()
    system.addParticle(1.0)
    context = openmm.Context(system, openmm.VerletIntegrator(0.001), platform, properties)
    used = int(platform.getPropertyValue(context, "Threads"))
    assert used == (int(asked) if asked else len(os.sched_getaffinity(0)))


def test_it_is_shown_with_the_estimate(relaxed, tmp_path):
    cell, starts = relaxed
    assert "1 replicas, about 0 min on CPU" in estimate(cell, starts, tmp_path)
