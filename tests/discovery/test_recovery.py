"""Recovery with the default configuration over ten seeds: 2000 rows of five slits. The tables of docs/discovery.md.

`pytest tests/discovery/test_recovery.py -m slow -rP` prints them, a quarter of an hour of one core for every column.
"""

from __future__ import annotations

import time

import numpy as np
import pytest

from discovery import DiscoveryConfig, discover
from discovery.planted import LISTED, OTHERS, Planted, covered, planted_table, true_constants

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]
SEEDS = range(10)
LONGEST = 30.0  # s of one search on two cores


def recovered(planted: Planted, noise: float) -> tuple[int, int]:
    """Seeds whose law is the planted one in form, and those of which all constants lie in their intervals, too."""
    found, inside, seconds = 0, 0, []
    for seed in SEEDS:
        table = planted_table(planted, noise, seed)
        began = time.process_time()
        law = discover(table, DiscoveryConfig(seed=seed, target=planted.target, inputs=planted.inputs))
        seconds.append(time.process_time() - began)
        truth = true_constants(law, planted)
        if truth is not None:
            found += 1
            inside += all(covered(law, truth))
    print(f"{planted.expression}: {found} and {inside} of {len(SEEDS)}, {np.mean(seconds):.1f} s")
    assert max(seconds) < LONGEST
    return found, inside


@pytest.mark.parametrize("noise", [0.0, 0.01, 0.05])
@pytest.mark.parametrize("name", LISTED)
def test_the_listed_laws_come_back(name: str, noise: float) -> None:
    """Nine of ten with all their constants at up to 1 % noise; at 5 % laws of near-equal shape merge."""
    _, inside = recovered(LISTED[name], noise)
    assert inside >= (9 if noise < 0.05 else 7)


@pytest.mark.parametrize("name", OTHERS)
def test_other_laws_come_back(name: str) -> None:
    assert recovered(OTHERS[name], 0.01)[0] >= 9


def test_pure_noise_has_no_law() -> None:
    table = planted_table(LISTED["ohmic"], 0.0, 0)
    for seed in SEEDS:
        table["dphi_V"] = np.random.default_rng(seed).standard_normal(len(table)) * 1e-3
        assert not discover(table, DiscoveryConfig(seed=seed)).provenance["found"]
