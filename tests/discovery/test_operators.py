"""The genetic operators do what DEAP's do, draw for draw, and draw from the generator that they are given."""

from __future__ import annotations

import random
from functools import partial

import pytest
from deap import creator, gp, tools

from discovery.config import DiscoveryConfig
from discovery.operators import Operators
from discovery.search import primitive_set

PSET = primitive_set(DiscoveryConfig(functions=("square", "sqrt", "exp")), frozenset({0}))
LIMIT = gp.staticLimit(key=len, max_value=12)
DEAP = {
    "replace_subtree": LIMIT(partial(gp.mutUniform, expr=partial(gp.genFull, min_=0, max_=2), pset=PSET)),
    "replace_node": LIMIT(partial(gp.mutNodeReplacement, pset=PSET)),
    "insert_node": LIMIT(partial(gp.mutInsert, pset=PSET)),
    "remove_node": LIMIT(gp.mutShrink),
}


@pytest.fixture
def operators():
    """Ours, with DEAP's generator in the state of ours; the caller's state comes back."""
    before = random.getstate()
    random.seed(5)
    yield Operators(PSET, random.Random(5), 12)
    random.setstate(before)


def grown(seed: int) -> gp.PrimitiveTree:
    return creator.DiscoveryTree(Operators(PSET, random.Random(seed), 12).full_or_grown(0, 3))


def alike(ours, deaps, generator) -> None:
    """The same trees from as many random numbers."""
    assert [str(tree) for tree in ours] == [str(tree) for tree in deaps]
    assert generator.getstate() == random.getstate()


def test_random_trees(operators) -> None:
    for _ in range(200):
        deaps = gp.PrimitiveTree(gp.genHalfAndHalf(PSET, min_=1, max_=4))
        alike([gp.PrimitiveTree(operators.full_or_grown(1, 4))], [deaps], operators.random)


def test_crossover(operators) -> None:
    for seed in range(400):
        ours = operators.crossover(grown(seed), grown(seed + 1))
        alike(ours, LIMIT(gp.cxOnePoint)(grown(seed), grown(seed + 1)), operators.random)


@pytest.mark.parametrize("name", DEAP)
def test_mutations(operators, name: str) -> None:
    operators.mutations = [getattr(operators, name)]
    for seed in range(400):
        child = operators.mutate(grown(seed))
        random.choice([name])
        alike([child], DEAP[name](grown(seed)), operators.random)


def test_tournament(operators) -> None:
    """Values of few kinds, so that trees dominate one another, are less crowded, or neither."""
    for seed in range(50):
        values = random.Random(seed)
        trees = [grown(seed + k) for k in range(16)]
        for tree in trees:
            tree.fitness.values = (values.randrange(3), values.randrange(3))
            tree.fitness.crowding_dist = values.randrange(2)
        ours, deaps = operators.tournament(trees), tools.selTournamentDCD(trees, 16)
        assert all(one is other for one, other in zip(ours, deaps, strict=True))
        assert operators.random.getstate() == random.getstate()
