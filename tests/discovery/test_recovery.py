"""Recovery of planted laws with the default configuration: ten seeds, 2000 rows of five slits.

`pytest tests/discovery/test_recovery.py -m slow -rP` prints the tables of docs/discovery.md; each column takes a
quarter of an hour on one core.
"""

from __future__ import annotations

import time

import numpy as np
import pytest

from discovery import DiscoveryConfig, discover
from discovery.planted import BENCHMARK_LAWS, FURTHER_LAWS, PlantedLaw, inside_intervals, planted_table, true_constants

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]
SEEDS = range(10)
LONGEST = 30.0  # s of one search on two cores


def recovered(planted: PlantedLaw, noise: float) -> tuple[int, int]:
    """Number of seeds whose law has the planted form, and of those whose intervals contain all constants, too."""
    found, inside, seconds = 0, 0, []
    for seed in SEEDS:
        table = planted_table(planted, noise, seed)
        began = time.process_time()
        law = discover(table, DiscoveryConfig(seed=seed, form="general", target=planted.target, inputs=planted.inputs))
        seconds.append(time.process_time() - began)
        truth = true_constants(law, planted)
        if truth is not None:
            found += 1
            inside += all(inside_intervals(law, truth))
    print(f"{planted.expression}: {found} and {inside} of {len(SEEDS)}, {np.mean(seconds):.1f} s")
    assert max(seconds) < LONGEST
    return found, inside


@pytest.mark.parametrize("noise", [0.0, 0.01, 0.05])
@pytest.mark.parametrize("name", BENCHMARK_LAWS)
def test_benchmark_laws_are_recovered(name: str, noise: float) -> None:
    """Nine of ten with all their constants at up to 1 % noise; at 5 % laws of similar shape are hard to distinguish."""
    _, inside = recovered(BENCHMARK_LAWS[name], noise)
    assert inside >= (9 if noise < 0.05 else 7)


@pytest.mark.parametrize("name", FURTHER_LAWS)
def test_further_laws_are_recovered(name: str) -> None:
    assert recovered(FURTHER_LAWS[name], 0.01)[0] >= 9


def test_pure_noise_has_no_law() -> None:
    table = planted_table(BENCHMARK_LAWS["ohmic"], 0.0, 0)
    for seed in SEEDS:
        table["dphi_V"] = np.random.default_rng(seed).standard_normal(len(table)) * 1e-3
        assert not discover(table, DiscoveryConfig(seed=seed, form="general")).provenance["found"]
