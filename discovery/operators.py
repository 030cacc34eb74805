"""Genetic operators of the search: random trees, crossover, mutations, and the tournament that selects parents.

The operators of DEAP draw from Python's global generator, which any other thread may draw from or seed. These are the
same operators for primitives without types; they draw from the generator that they are given, in DEAP's order, so that
one seed gives one search. The correction is an operator of this suite: a subtree t becomes t + g, t (1 + g),
t / (1 + g) or t f(g) with a small random g, as one amends a law.

Sources: J. Koza, Genetic Programming, MIT Press 1992; K. Deb et al., IEEE Trans. Evol. Comput. 6, 182 (2002),
doi:10.1109/4235.996017 (tournament); F.-A. Fortin et al., JMLR 13, 2171 (2012) (DEAP).
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TypeAlias

from deap import gp

Tree: TypeAlias = gp.PrimitiveTree
Nodes: TypeAlias = list[gp.Primitive | gp.Terminal]  # of a tree, parents before their arguments


class Operators:
    """Operators on trees of the primitives `pset`; a child of more than `max_length` nodes gives way to a parent."""

    def __init__(self, pset: gp.PrimitiveSet, generator: random.Random, max_length: int) -> None:
        self.pset, self.random, self.max_length = pset, generator, max_length
        self.functions: list[gp.Primitive] = pset.primitives[pset.ret]
        self.terminals: list[gp.Terminal] = pset.terminals[pset.ret]
        self.mutations = [
            self.replace_subtree,
            self.replace_node,
            self.insert_node,
            self.remove_node,
            *[self.correct] * 3,  # nearly as often as the others together
        ]

    def random_nodes(self, least: int, most: int, full: bool) -> Nodes:
        """Nodes of a random tree of `least` to `most` levels; all branches of a full tree are of one length."""
        height = self.random.randint(least, most)
        nodes: Nodes = []
        depths = [0]
        while depths:
            depth = depths.pop()
            ends = depth == height or (not full and depth >= least and self.random.random() < self.pset.terminalRatio)
            nodes.append(self.random.choice(self.terminals if ends else self.functions))
            depths += [depth + 1] * nodes[-1].arity
        return nodes

    def full_or_grown(self, least: int, most: int) -> Nodes:
        """As `random_nodes`, full or not with equal probability."""
        return self.random_nodes(least, most, full=self.random.choice((False, True)))

    def crossover(self, one: Tree, other: Tree) -> list[Tree]:
        """Two children of two trees, which exchange a random subtree below their roots."""
        children = [type(one)(one), type(other)(other)]
        if min(len(one), len(other)) > 1:
            self.random.randrange(1)  # DEAP draws the type of the subtrees here; there is one type
            first, second = (tree.searchSubtree(self.random.randrange(1, len(tree))) for tree in (one, other))
            children[0][first], children[1][second] = other[second], one[first]
        return self._limit_length(children, [one, other])

    def mutate(self, tree: Tree) -> Tree:
        """A copy of a tree with one of the mutations."""
        child = type(tree)(tree)
        self.random.choice(self.mutations)(child)
        return self._limit_length([child], [tree])[0]

    def _limit_length(self, children: list[Tree], parents: list[Tree]) -> list[Tree]:
        return [child if len(child) <= self.max_length else self.random.choice(parents) for child in children]

    def replace_subtree(self, tree: Tree) -> None:
        """Replace a random subtree by a full one of at most two levels (DEAP's mutUniform)."""
        subtree = tree.searchSubtree(self.random.randrange(len(tree)))
        tree[subtree] = self.random_nodes(0, 2, full=True)

    def replace_node(self, tree: Tree) -> None:
        """Replace a node below the root by one of as many arguments (DEAP's mutNodeReplacement)."""
        if len(tree) > 1:
            k = self.random.randrange(1, len(tree))
            alike = [node for node in self.functions if node.arity == tree[k].arity]
            tree[k] = self.random.choice(alike or self.terminals)

    def insert_node(self, tree: Tree) -> None:
        """Make a random subtree an argument of a new node, whose other arguments are terminals (DEAP's mutInsert)."""
        subtree = tree.searchSubtree(self.random.randrange(len(tree)))
        node = self.random.choice(self.functions)
        position = self.random.choice(range(node.arity))
        before = [self.random.choice(self.terminals) for _ in range(position)]
        after = [self.random.choice(self.terminals) for _ in range(position + 1, node.arity)]
        tree[subtree] = [node, *before, *tree[subtree], *after]

    def remove_node(self, tree: Tree) -> None:
        """Replace a random node below the root by one of its arguments (DEAP's mutShrink)."""
        if len(tree) < 3 or tree.height < 2:
            return
        k = self.random.choice([k for k, node in enumerate(tree) if k and node.arity])
        argument = tree.searchSubtree(k + 1)
        for _ in range(self.random.choice(range(tree[k].arity))):
            argument = tree.searchSubtree(argument.stop)
        tree[tree.searchSubtree(k)] = tree[argument]

    def correct(self, tree: Tree) -> None:
        """Change a subtree t to t + g, t (1 + g), t / (1 + g) or t f(g): the whole tree, or (half of the time) any."""
        subtree = tree.searchSubtree(0 if self.random.random() < 0.5 else self.random.randrange(len(tree)))
        correction = self.random_nodes(0, 1, full=True)
        one, (plus, times, over) = self.pset.mapping["one"], (self.pset.mapping[n] for n in ("add", "mul", "div"))
        functions = [node for node in self.functions if node.arity == 1 and node.name not in {"square", "abs"}]
        kind = self.random.randrange(4 if functions else 3)
        if kind == 0:
            tree[subtree] = [plus, *tree[subtree], *correction]
        elif kind == 3:
            tree[subtree] = [times, *tree[subtree], self.random.choice(functions), *correction]
        else:
            tree[subtree] = [(times, over)[kind - 1], *tree[subtree], plus, one, *correction]

    def tournament(self, trees: Sequence[Tree]) -> list[Tree]:
        """As many parents as `trees`, which number a multiple of four: the better one of two, for random pairs."""
        orders = [self.random.sample(trees, len(trees)) for _ in range(2)]
        return [
            self._better(order[k], order[k + 1])
            for start in range(0, len(trees), 4)
            for order in orders
            for k in (start, start + 2)
        ]

    def _better(self, one: Tree, other: Tree) -> Tree:
        """The tree that dominates, else the one in the less crowded part of the front, else either."""
        if one.fitness.dominates(other.fitness):
            return one
        if other.fitness.dominates(one.fitness):
            return other
        if one.fitness.crowding_dist != other.fitness.crowding_dist:
            return max(one, other, key=lambda tree: tree.fitness.crowding_dist)
        return one if self.random.random() <= 0.5 else other
