"""The search: DEAP genetic programming on islands, NSGA-II on (misfit, complexity) of canonical forms.

The fitness of a tree is that of its canonical form (`discovery.forms`) with the best constants (`discovery.fit`). Each
form occurs once in a population: its copies are replaced by new random trees. The best trees of an island are copied to
the next one every few generations. All random numbers come from one seeded generator, whose state is in the checkpoint,
so that a search resumed from it gives the results of an uninterrupted one.

Sources: J. Koza, Genetic Programming, MIT Press 1992; K. Deb et al., IEEE Trans. Evol. Comput. 6, 182 (2002),
doi:10.1109/4235.996017 (NSGA-II); F.-A. Fortin et al., JMLR 13, 2171 (2012) (DEAP).
"""

from __future__ import annotations

import ast
import math
import random
import re
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from deap import base, creator, gp, tools

from discovery import forms
from discovery.config import DiscoveryConfig
from discovery.fit import Fit, Rows, fit_form
from discovery.forms import Form, RefusedError
from discovery.operators import Operators, Tree
from discovery.problem import Problem
from transslit.errors import BadInput
from transslit.files import read_sealed, write_sealed
from transslit.progress import Advance

Mapper = Callable[..., Iterable[Any]]
Leaders = dict[int, list[tuple[Form, Fit]]]

WORST = (1e3, 1e3)  # fitness of a refused tree; finite, since DEAP's comparisons of NaN are true both ways
SMALLEST_LOSS = 1e-16  # in fitness and front
LEADERS = 8  # forms of each complexity that are kept for selection
CROSSOVER_PROBABILITY = 0.5
MUTATIONS = 8  # largest number of mutations of a child until its form is a new one
BATCH = 16  # forms that a worker fits at a time
CHECKPOINT = "search.json"

# At module level, so that trees can be pickled.
if not hasattr(creator, "DiscoveryFitness"):
    creator.create("DiscoveryFitness", base.Fitness, weights=(-1.0, -1.0))
    creator.create("DiscoveryTree", gp.PrimitiveTree, fitness=creator.DiscoveryFitness)


def primitive_set(config: DiscoveryConfig, signed: frozenset[int]) -> gp.PrimitiveSet:
    """Primitives without types, whose functions act on canonical forms; `signed` inputs take both signs.

    There are no minus sign and no numbers, since every sum has fitted coefficients. The current of a resistance is
    none of its inputs.
    """
    pset = gp.PrimitiveSet("form", 0)
    for j in range(len(config.inputs)):
        if not (config.restricted and j == config.current):
            pset.addTerminal((((("x", j), 2),),), name=f"x{j}")
    pset.addPrimitive(forms.add, 2, name="add")
    pset.addPrimitive(forms.multiply, 2, name="mul")
    pset.addPrimitive(forms.divide, 2, name="div")
    algebraic = {"square": forms.square, "sqrt": partial(forms.square_root, signed=signed)}
    for name in config.functions:
        pset.addPrimitive(algebraic.get(name, partial(forms.apply, name)), 1, name=name)
    if signed:
        pset.addPrimitive(partial(forms.absolute, signed=signed), 1, name="abs")
    pset.addTerminal((forms.ONE,), name="one")
    return pset


def admitted(form: Form, config: DiscoveryConfig, vanishing: frozenset[int]) -> bool:
    """Whether a form is within the limits of `config`, of its `form` too, and divides by no `vanishing` input.

    Vanishing inputs pass through or near zero: a form that divides by one has a pole in the data.
    """
    return (
        len(form) <= config.max_terms
        and len(forms.parameters(form)) <= config.max_parameters
        and forms.depth(form) <= 2
        and forms.complexity(form) <= config.max_complexity
        and not vanishing & forms.divisors(form)
        and not _has_redundant_base(form)
        and (not config.restricted or forms.proportional(form, config.current))
    )


def _has_redundant_base(form: Form) -> bool:
    """Whether a base to the first power multiplies one term or only some terms: a plain sum is the same function."""
    bases = [[pair for pair in m if pair[0][0] == forms.UNIT_BASE and pair[1] == 2] for m in form]
    return any(bases) and (len(form) == 1 or any(others != bases[0] for others in bases))


def form_of(
    tree: Tree,
    pset: gp.PrimitiveSet,
    config: DiscoveryConfig,
    vanishing: frozenset[int] = frozenset(),
) -> Form | None:
    """The canonical form of a tree, or None if it has none that is `admitted`."""
    stack: list[Form] = []
    try:
        for node in reversed(tree):
            if isinstance(node, gp.Primitive):
                stack.append(pset.context[node.name](*(stack.pop() for _ in range(node.arity))))
            else:
                stack.append(pset.context[node.name])
        form = stack.pop()
        if config.restricted:
            form = forms.multiply(form, (((("x", config.current), 2),),))
    except RefusedError:
        return None
    return form if admitted(form, config, vanishing) else None


def mapper_of(workers: Any) -> Mapper:
    """The `map` of a pool of processes, or of a Dask client with its futures gathered; a function is returned as is."""
    if hasattr(workers, "gather"):
        return lambda function, items: workers.gather(workers.map(function, list(items), pure=False))
    return workers.map if hasattr(workers, "map") else workers


def _fit_all(batch: Sequence[Form], rows: Rows) -> list[Fit | None]:
    return [fit_form(form, rows) for form in batch]


class Search:
    """State of a search, which `run` continues to its end."""

    def __init__(self, problem: Problem, config: DiscoveryConfig, mapper: Mapper = map) -> None:
        self.config, self.mapper = config, mapper
        self.pset = primitive_set(config, problem.signed)
        self.vanishing = problem.vanishing
        rows = problem.rows
        count = rows.x.shape[1]
        if count > config.search_rows:  # evenly spaced in the table's order
            rows = rows.take(np.linspace(0, count - 1, config.search_rows).round().astype(int))
        self.rows = rows
        self.random = random.Random(config.seed)
        self.form_by_text: dict[str, Form | None] = {}
        self.fits: dict[Form, Fit | None] = {}
        self.leaders: Leaders = {}
        self.islands: list[list[Tree]] = []
        self.generation = 0
        self.stagnation = 0  # generations since the front improved
        self.operators = Operators(self.pset, self.random, config.max_length)

    def random_tree(self) -> Tree:
        """A new tree, grown or full, of one to four levels."""
        return creator.DiscoveryTree(self.operators.full_or_grown(1, 4))

    def form(self, tree: Tree) -> Form | None:
        """Canonical form of a tree, computed once for all trees of one text."""
        text = str(tree)
        if text not in self.form_by_text:
            self.form_by_text[text] = form_of(tree, self.pset, self.config, self.vanishing)
        return self.form_by_text[text]

    def evaluate(self, trees: list[Tree]) -> None:
        """Give every tree its fitness; each new form is fitted once, all new ones through the mapper."""
        new = [form for form in dict.fromkeys(map(self.form, trees)) if form is not None and form not in self.fits]
        batches = [new[k : k + BATCH] for k in range(0, len(new), BATCH)]
        fitted = self.mapper(partial(_fit_all, rows=self.rows), batches)
        for form, fit in zip(new, chain.from_iterable(fitted), strict=True):
            self.fits[form] = fit
            self._update_leaders(form, fit)
        for tree in trees:
            form_of_tree = self.form(tree)
            best = None if form_of_tree is None else self.fits[form_of_tree]
            if form_of_tree is None or best is None:
                tree.fitness.values = WORST
            else:
                misfit = math.log10(max(best.loss, SMALLEST_LOSS))
                tree.fitness.values = (misfit, float(forms.complexity(form_of_tree)))

    def _update_leaders(self, form: Form, fit: Fit | None) -> None:
        """Keep the most accurate forms of each complexity."""
        if fit is None:
            return
        leaders = self.leaders.setdefault(forms.complexity(form), [])
        if any(form == other for other, _ in leaders):
            return
        leaders.append((form, fit))
        leaders.sort(key=lambda pair: (pair[1].loss, repr(pair[0])))
        del leaders[LEADERS:]

    def _select(self, trees: list[Tree]) -> list[Tree]:
        """The next population: the best of `trees` of different forms by NSGA-II, filled up with random trees."""
        size = self.config.population
        unique: dict[Form, Tree] = {}
        for tree in trees:
            form = self.form(tree)
            if form is None or self.fits[form] is None:
                continue
            if form not in unique or self.random.random() < 0.5:  # either of two trees of one form
                unique[form] = tree
        fresh = [self.random_tree() for _ in range(size - len(unique))]
        self.evaluate(fresh)
        return tools.selNSGA2([*unique.values(), *fresh], size)

    def _offspring(self, parents: list[Tree]) -> list[Tree]:
        """Children of selected parents by crossover, and by mutation of those whose form is known already."""
        children = [creator.DiscoveryTree(tree) for tree in self.operators.tournament(parents)]
        for k in range(0, len(children) - 1, 2):
            if self.random.random() < CROSSOVER_PROBABILITY:
                children[k], children[k + 1] = self.operators.crossover(children[k], children[k + 1])
        for k, tree in enumerate(children):
            for _ in range(MUTATIONS):
                form = self.form(tree)
                if form is not None and form not in self.fits:
                    break
                tree = self.operators.mutate(children[k])
            children[k] = tree
        return [creator.DiscoveryTree(tree) for tree in children]

    def _migrate(self) -> None:
        """Copy the best trees of every island to the next one."""
        best = [tools.selBest(island, max(2, self.config.population // 20)) for island in self.islands]
        for k, island in enumerate(self.islands):
            arrivals = [creator.DiscoveryTree(tree) for tree in best[k - 1]]
            self.evaluate(arrivals)
            self.islands[k] = self._select([*island, *arrivals])

    def _front(self) -> list[tuple[int, float]]:
        """(complexity, log10 loss to a tenth) along the Pareto front, whose changes are improvements of the search."""
        front: list[tuple[int, float]] = []
        for nodes in sorted(self.leaders):
            level = round(math.log10(max(self.leaders[nodes][0][1].loss, SMALLEST_LOSS)), 1)
            if not front or level < front[-1][1]:
                front.append((nodes, level))
        return front

    def step(self) -> None:
        """One generation of every island."""
        before = self._front()
        if not self.islands:
            for _ in range(self.config.islands):
                trees = [self.random_tree() for _ in range(self.config.population)]
                self.evaluate(trees)
                self.islands.append(self._select(trees))
        else:
            for k, island in enumerate(self.islands):
                children = self._offspring(island)
                self.evaluate(children)
                self.islands[k] = self._select([*island, *children])
            if len(self.islands) > 1 and self.generation % self.config.migration_every == 0:
                self._migrate()
        self.generation += 1
        self.stagnation = 0 if self._front() != before else self.stagnation + 1

    @property
    def finished(self) -> bool:
        return self.generation >= self.config.generations or self.stagnation >= self.config.patience

    def run(self, checkpoint: Path | None, key: str, advance: Advance) -> Leaders:
        """Search to the end, with a checkpoint after every generation.

        Returns
        -------
        the most accurate forms of each complexity with their fits

        Raises
        ------
        BadInput : the checkpoint is of another table or configuration
        """
        if checkpoint is not None:
            self.resume(checkpoint, key)
        while not self.finished:
            self.step()
            if checkpoint is not None:
                self.save(checkpoint, key)
            least = min((leaders[0][1].loss for leaders in self.leaders.values()), default=1.0)
            advance(self.generation, f"generation {self.generation}, error {math.sqrt(least):.2%}")
        return self.leaders

    def save(self, path: Path, key: str) -> None:
        """Write the checkpoint atomically."""
        version, internal, gauss = self.random.getstate()
        content = {
            "key": key,
            "generation": self.generation,
            "since_better": self.stagnation,
            "random": [version, list(internal), gauss],
            "islands": [[str(tree) for tree in island] for island in self.islands],
            "crowding": [
                [d if math.isfinite(d := tree.fitness.crowding_dist) else None for tree in island]
                for island in self.islands
            ],
            "fits": [
                [repr(form), [fit.loss, list(fit.linear), list(fit.inner)] if fit else None]
                for form, fit in self.fits.items()
            ],
        }
        write_sealed(path, content)

    def resume(self, path: Path, key: str) -> None:
        """Continue from a checkpoint, if there is one.

        Raises
        ------
        BadInput : it is damaged, or of another table or configuration
        """
        content = read_sealed(path, "folder")
        if not content:
            return
        if content.get("key") != key:
            raise BadInput("folder", path.parent, "holds a search of another table or configuration; choose another")
        try:
            self._restore(content)
        except (AttributeError, KeyError, TypeError, ValueError, SyntaxError) as error:
            reason = f"is no checkpoint of this version ({type(error).__name__}); remove it to search anew"
            raise BadInput("folder", path, reason) from None

    def _restore(self, content: dict[str, Any]) -> None:
        for text, fitted in content["fits"]:
            form = ast.literal_eval(text)
            self.fits[form] = Fit(fitted[0], tuple(fitted[1]), tuple(fitted[2])) if fitted else None
            self._update_leaders(form, self.fits[form])
        for texts, distances in zip(content["islands"], content["crowding"], strict=True):
            island = [self._tree(text) for text in texts]
            self.evaluate(island)
            for tree, distance in zip(island, distances, strict=True):
                tree.fitness.crowding_dist = math.inf if distance is None else distance
            self.islands.append(island)
        self.generation, self.stagnation = content["generation"], content["since_better"]
        version, internal, gauss = content["random"]
        self.random.setstate((version, tuple(internal), gauss))

    def _tree(self, text: str) -> Tree:
        """The tree of a text. Unknown names are refused, since DEAP evaluates them as Python."""
        unknown = set(re.split(r"[\s(),]+", text)) - set(self.pset.mapping) - {""}
        if unknown:
            raise ValueError(f"unknown names {unknown}")
        return creator.DiscoveryTree.from_string(text, self.pset)
