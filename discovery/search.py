"""The search: DEAP genetic programming on islands, NSGA-II on (misfit, complexity) of canonical forms.

A tree is bred as DEAP breeds it; its fitness is that of its canonical form (`discovery.forms`) with the best constants
(`discovery.fit`). One form counts once in a population: copies are replaced by new random trees. Beside DEAP's own
mutations there is the correction: a subtree t becomes t + g, t (1 + g), t / (1 + g) or t f(g) with a small random
g, as one amends a law. The best trees of an island move to the next one every few generations. All randomness
comes from one seeded generator whose state is in the checkpoint, so that a resumed search is the search that was
interrupted.

Sources: J. Koza, Genetic Programming, MIT Press 1992; K. Deb et al., IEEE Trans. Evol. Comput. 6, 182 (2002),
doi:10.1109/4235.996017 (NSGA-II); F.-A. Fortin et al., JMLR 13, 2171 (2012) (DEAP).
"""

from __future__ import annotations

import ast
import math
import random
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from deap import base, creator, gp, tools
from deap.tools import emo, selection

from discovery import forms
from discovery.config import DiscoveryConfig
from discovery.fit import Fit, Rows, fit_form
from discovery.forms import Form, RefusedError
from discovery.problem import Problem
from transslit.errors import BadInput
from transslit.files import read_sealed, write_sealed
from transslit.progress import Advance

Mapper = Callable[..., Iterable[Any]]
Leaders = dict[int, list[tuple[Form, Fit]]]

WORST = (1e3, 1e3)  # NaN compares true both ways in DEAP, so a refused tree gets a large finite fitness
SMALLEST_LOSS = 1e-16
KEPT = 8  # leaders of each complexity
MATE = 0.5  # probability
TRIES = 8  # mutations of an offspring until its form is a new one
BATCH = 16  # forms that a worker fits at a time
CHECKPOINT = "search.json"

# At module level, or nothing that holds them pickles.
if not hasattr(creator, "DiscoveryFitness"):
    creator.create("DiscoveryFitness", base.Fitness, weights=(-1.0, -1.0))
    creator.create("DiscoveryTree", gp.PrimitiveTree, fitness=creator.DiscoveryFitness)


def primitive_set(config: DiscoveryConfig, signed: frozenset[int]) -> gp.PrimitiveSet:
    """Untyped primitives whose functions act on canonical forms; `signed` inputs take both signs.

    There is no minus and no random number: every sum carries fitted coefficients.
    """
    pset = gp.PrimitiveSet("form", len(config.inputs), prefix="x")
    pset.addPrimitive(forms.add, 2, name="add")
    pset.addPrimitive(forms.multiply, 2, name="mul")
    pset.addPrimitive(forms.divide, 2, name="div")
    for name in config.functions:
        if name == "square":
            pset.addPrimitive(forms.square, 1, name=name)
        elif name == "sqrt":
            pset.addPrimitive(partial(forms.square_root, signed=signed), 1, name=name)
        else:
            pset.addPrimitive(partial(forms.apply, name), 1, name=name)
    if signed:
        pset.addPrimitive(partial(forms.absolute, signed=signed), 1, name="abs")
    pset.addTerminal((forms.ONE,), name="one")
    return pset


def admitted(form: Form, config: DiscoveryConfig, vanishing: frozenset[int]) -> bool:
    """Whether a form is within the limits of `config` and divides by no input that vanishes in the data."""
    return (
        len(form) <= config.max_terms
        and len(forms.parameters(form)) <= config.max_parameters
        and forms.depth(form) <= 2
        and forms.complexity(form) <= config.max_complexity
        and not vanishing & forms.divisors(form)
        and not _divided(form)
    )


def _divided(form: Form) -> bool:
    """Whether a base to the first power multiplies some terms only, or a single one: the sum has that form, too."""
    bases = [[pair for pair in m if pair[0][0] == forms.UNIT_BASE and pair[1] == 2] for m in form]
    return any(bases) and (len(form) == 1 or any(own != bases[0] for own in bases))


def form_of(
    tree: gp.PrimitiveTree,
    pset: gp.PrimitiveSet,
    config: DiscoveryConfig,
    vanishing: frozenset[int] = frozenset(),
) -> Form | None:
    """The canonical form of a tree, or None where it has none within the limits of `config`.

    `vanishing` inputs pass through or near zero: what divides by them has a pole in the data.
    """
    stack: list[Form] = []
    try:
        for node in reversed(tree):
            if isinstance(node, gp.Primitive):
                stack.append(pset.context[node.name](*(stack.pop() for _ in range(node.arity))))
            elif node.name == "one":
                stack.append((forms.ONE,))
            else:
                stack.append((((("x", int(node.name.removeprefix("x"))), 2),),))
        form = stack.pop()
    except RefusedError:
        return None
    return form if admitted(form, config, vanishing) else None


def mapper_of(workers: Any) -> Mapper:
    """A `map` from itself, from a pool of processes, or from a Dask client, whose futures are gathered."""
    if hasattr(workers, "gather"):
        return lambda function, items: workers.gather(workers.map(function, list(items), pure=False))
    return workers.map if hasattr(workers, "map") else workers


def _fit_all(batch: Sequence[Form], rows: Rows) -> list[Fit | None]:
    return [fit_form(form, rows) for form in batch]


@contextmanager
def _drawing_from(generator: random.Random) -> Iterator[None]:
    """DEAP draws from the module `random`, and so may other threads: let it draw from a generator of its own."""
    modules = (gp, emo, selection)
    for module in modules:
        module.random = generator
    try:
        yield
    finally:
        for module in modules:
            module.random = random


class Search:
    """State of a search; `run` carries it to its end and returns the leaders of each complexity."""

    def __init__(self, problem: Problem, config: DiscoveryConfig, mapper: Mapper = map) -> None:
        self.config, self.mapper = config, mapper
        self.pset = primitive_set(config, problem.signed)
        self.vanishing = problem.vanishing
        rows = problem.rows
        count = rows.x.shape[1]
        if count > config.search_rows:  # evenly through every group, in the table's order
            rows = rows.take(np.linspace(0, count - 1, config.search_rows).round().astype(int))
        self.rows = rows
        self.random = random.Random(config.seed)
        self.form_by_text: dict[str, Form | None] = {}
        self.fits: dict[Form, Fit | None] = {}
        self.leaders: Leaders = {}
        self.islands: list[list[Any]] = []
        self.generation = 0
        self.since_better = 0
        limit = gp.staticLimit(key=len, max_value=config.max_length)
        self.mate = limit(gp.cxOnePoint)
        grow = partial(gp.genFull, min_=0, max_=2)
        self.mutations = [
            limit(partial(gp.mutUniform, expr=grow, pset=self.pset)),
            limit(partial(gp.mutNodeReplacement, pset=self.pset)),
            limit(partial(gp.mutInsert, pset=self.pset)),
            limit(gp.mutShrink),
            *[limit(self._correct)] * 3,  # as often as the others together, nearly
        ]

    def random_tree(self) -> Any:
        """A new tree, grown or full, of one to four levels."""
        return creator.DiscoveryTree(gp.genHalfAndHalf(self.pset, min_=1, max_=4))

    def _correct(self, tree: Any) -> tuple[Any]:
        """t -> t + g, t (1 + g), t / (1 + g) or t f(g), at the root or (half of the time) anywhere."""
        where = tree.searchSubtree(0 if self.random.random() < 0.5 else self.random.randrange(len(tree)))
        correction = gp.genFull(self.pset, min_=0, max_=1)
        one, (plus, times, over) = self.pset.mapping["one"], (self.pset.mapping[n] for n in ("add", "mul", "div"))
        functions = [self.pset.mapping[name] for name in self.config.functions if name != "square"]
        kind = self.random.randrange(4 if functions else 3)
        if kind == 0:
            tree[where] = [plus, *tree[where], *correction]
        elif kind == 3:
            tree[where] = [times, *tree[where], self.random.choice(functions), *correction]
        else:
            tree[where] = [(times, over)[kind - 1], *tree[where], plus, one, *correction]
        return (tree,)

    def form(self, tree: Any) -> Form | None:
        """Canonical form of a tree, worked out once per text."""
        text = str(tree)
        if text not in self.form_by_text:
            self.form_by_text[text] = form_of(tree, self.pset, self.config, self.vanishing)
        return self.form_by_text[text]

    def evaluate(self, trees: list[Any]) -> None:
        """Give every tree its fitness; each new form is fitted once, all new ones through the mapper."""
        wanted = [form for form in map(self.form, trees) if form is not None]
        new = [form for form in dict.fromkeys(wanted) if form not in self.fits]
        batches = [new[k : k + BATCH] for k in range(0, len(new), BATCH)]
        fitted = self.mapper(partial(_fit_all, rows=self.rows), batches)
        for form, fit in zip(new, chain.from_iterable(fitted), strict=True):
            self.fits[form] = fit
            self._remember(form, fit)
        for tree in trees:
            own = self.form(tree)
            best = self.fits[own] if own is not None else None
            if own is None or best is None:
                tree.fitness.values = WORST
            else:
                tree.fitness.values = (math.log10(max(best.loss, SMALLEST_LOSS)), float(forms.complexity(own)))

    def _remember(self, form: Form, fit: Fit | None) -> None:
        if fit is None:
            return
        kept = self.leaders.setdefault(forms.complexity(form), [])
        if any(form == other for other, _ in kept):
            return
        kept.append((form, fit))
        kept.sort(key=lambda pair: (pair[1].loss, repr(pair[0])))
        del kept[KEPT:]

    def _select(self, pool: list[Any]) -> list[Any]:
        size = self.config.population
        unique: dict[Any, Any] = {}
        for tree in pool:
            form = self.form(tree)
            if form is None or self.fits[form] is None:
                continue
            if form not in unique or self.random.random() < 0.5:  # any of the trees of one form may go on
                unique[form] = tree
        fresh = [self.random_tree() for _ in range(size - len(unique))]
        self.evaluate(fresh)
        return tools.selNSGA2([*unique.values(), *fresh], size)

    def _offspring(self, parents: list[Any]) -> list[Any]:
        chosen = [creator.DiscoveryTree(tree) for tree in tools.selTournamentDCD(parents, len(parents))]
        for k in range(0, len(chosen) - 1, 2):
            if self.random.random() < MATE:
                chosen[k], chosen[k + 1] = self.mate(chosen[k], chosen[k + 1])
        for k, tree in enumerate(chosen):
            for _ in range(TRIES):  # a form that is known already teaches nothing
                form = self.form(tree)
                if form is not None and form not in self.fits:
                    break
                (tree,) = self.random.choice(self.mutations)(creator.DiscoveryTree(chosen[k]))
            chosen[k] = tree
        return [creator.DiscoveryTree(tree) for tree in chosen]

    def _migrate(self) -> None:
        best = [tools.selBest(island, max(2, self.config.population // 20)) for island in self.islands]
        for k, island in enumerate(self.islands):
            arrivals = [creator.DiscoveryTree(tree) for tree in best[k - 1]]
            self.evaluate(arrivals)
            self.islands[k] = self._select([*island, *arrivals])

    def _front(self) -> list[tuple[int, float]]:
        """(complexity, log10 loss to a tenth) of the Pareto front, to see whether it still moves."""
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
                young = self._offspring(island)
                self.evaluate(young)
                self.islands[k] = self._select([*island, *young])
            if len(self.islands) > 1 and self.generation % self.config.migration_every == 0:
                self._migrate()
        self.generation += 1
        self.since_better = 0 if self._front() != before else self.since_better + 1

    @property
    def finished(self) -> bool:
        return self.generation >= self.config.generations or self.since_better >= self.config.patience

    def run(self, folder: Path | None, key: str, advance: Advance) -> Leaders:
        """Search to the end, with a checkpoint in `folder` after every generation.

        Raises
        ------
        BadInput : the folder holds the checkpoint of another table or configuration
        """
        if folder is not None:
            self.resume(folder / CHECKPOINT, key)
        while not self.finished:
            with _drawing_from(self.random):
                self.step()
            if folder is not None:
                self.save(folder / CHECKPOINT, key)
            least = min((kept[0][1].loss for kept in self.leaders.values()), default=1.0)
            advance(self.generation, f"generation {self.generation}, error {math.sqrt(least):.2%}")
        return self.leaders

    def save(self, path: Path, key: str) -> None:
        """Write the checkpoint, whole or not at all."""
        version, internal, gauss = self.random.getstate()
        content = {
            "key": key,
            "generation": self.generation,
            "since_better": self.since_better,
            "random": [version, list(internal), gauss],
            "islands": [[str(tree) for tree in island] for island in self.islands],
            "crowding": [[_finite(tree.fitness.crowding_dist) for tree in island] for island in self.islands],
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
            self._take_up(content)
        except (AttributeError, KeyError, TypeError, ValueError, SyntaxError) as error:
            reason = f"is no checkpoint of this version ({type(error).__name__}); remove it to search anew"
            raise BadInput("folder", path, reason) from None

    def _take_up(self, content: dict[str, Any]) -> None:
        for text, fitted in content["fits"]:
            form = ast.literal_eval(text)
            self.fits[form] = Fit(fitted[0], tuple(fitted[1]), tuple(fitted[2])) if fitted else None
            self._remember(form, self.fits[form])
        for texts, distances in zip(content["islands"], content["crowding"], strict=True):
            island = [self._tree(text) for text in texts]
            self.evaluate(island)
            for tree, distance in zip(island, distances, strict=True):
                tree.fitness.crowding_dist = math.inf if distance is None else distance
            self.islands.append(island)
        self.generation, self.since_better = content["generation"], content["since_better"]
        version, internal, gauss = content["random"]
        self.random.setstate((version, tuple(internal), gauss))

    def _tree(self, text: str) -> Any:
        """The tree that `text` writes; DEAP would evaluate, as Python, whatever is not among its names."""
        unknown = set(re.split(r"[\s(),]+", text)) - set(self.pset.mapping) - {""}
        if unknown:
            raise ValueError(f"unknown names {unknown}")
        return creator.DiscoveryTree.from_string(text, self.pset)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
