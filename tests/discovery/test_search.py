"""The search: reproducible from its seed, resumable from any generation, and independent of other random numbers."""

from __future__ import annotations

import random

import pandas as pd
import pytest
from deap import gp
from deap.tools import emo

from discovery import DiscoveryConfig, discover
from discovery.problem import make_problem
from discovery.search import CHECKPOINT, Search
from transslit.errors import BadInput
from transslit.files import read_sealed, write_sealed
from transslit.law import Law

SMALL = DiscoveryConfig(
    form="general", population=32, generations=5, islands=2, migration_every=2, search_rows=150, bootstrap=50
)


class KilledError(Exception):
    pass


def test_same_seed_same_hall_of_fame(make_table, tmp_path) -> None:
    table = make_table(lambda q: 1 - 0.5 * q)
    laws = [discover(table, SMALL, tmp_path / str(k)) for k in range(2)]
    assert laws[0] == laws[1]
    texts = [(tmp_path / str(k) / "hall_of_fame.csv").read_text() for k in range(2)]
    assert texts[0] == texts[1]
    assert Law.read(tmp_path / "0" / "law.json") == laws[0]
    hall = pd.read_csv(tmp_path / "0" / "hall_of_fame.csv")
    assert list(hall["complexity"]) == sorted(hall["complexity"])
    front = hall[hall["on_front"]]
    assert (front["loss"].diff().dropna() < 0).all()


@pytest.mark.parametrize("killed_after", [1, 3])
def test_a_killed_search_resumes_exactly(make_table, tmp_path, monkeypatch, killed_after: int) -> None:
    table = make_table(lambda q: 1 - 0.5 * q)
    whole = discover(table, SMALL, tmp_path / "whole")
    step = Search.step

    def step_until_killed(self: Search) -> None:
        if self.generation == killed_after:
            raise KilledError
        step(self)

    monkeypatch.setattr(Search, "step", step_until_killed)
    with pytest.raises(KilledError):
        discover(table, SMALL, tmp_path / "killed")
    assert (tmp_path / "killed" / CHECKPOINT).exists()
    monkeypatch.setattr(Search, "step", step)
    assert discover(table, SMALL, tmp_path / "killed") == whole
    names = ("law.json", "hall_of_fame.csv", CHECKPOINT)
    assert all((tmp_path / "killed" / n).read_bytes() == (tmp_path / "whole" / n).read_bytes() for n in names)


def test_a_checkpoint_of_another_search_is_refused(make_table, tmp_path) -> None:
    quick = SMALL.model_copy(update={"generations": 1})
    discover(make_table(lambda q: 1 - 0.5 * q), quick, tmp_path)
    with pytest.raises(BadInput, match="holds a search of another table or configuration"):
        discover(make_table(lambda q: 1 - 0.4 * q), quick, tmp_path)


def tampered(folder, change):
    """The checkpoint in `folder` with its content changed, and sealed again."""
    content = read_sealed(folder / CHECKPOINT)
    change(content)
    write_sealed(folder / CHECKPOINT, content)


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content["islands"][0].__setitem__(0, "__import__"),
        lambda content: content["islands"][0].__setitem__(0, "9**9**9**9"),
        lambda content: content["islands"].append([1]),
        lambda content: content["fits"].append(["__import__('os')", None]),
        lambda content: content.pop("random"),
        lambda content: content.update(crowding=3),
    ],
)
def test_a_checkpoint_is_data_and_never_evaluated(make_table, tmp_path, change) -> None:
    table, quick = make_table(lambda q: 1 - 0.5 * q), SMALL.model_copy(update={"generations": 1})
    discover(table, quick, tmp_path)
    tampered(tmp_path, change)
    with pytest.raises(BadInput, match="no checkpoint of this version"):
        discover(table, quick, tmp_path)


def test_a_damaged_checkpoint_is_refused(make_table, tmp_path) -> None:
    table, quick = make_table(lambda q: 1 - 0.5 * q), SMALL.model_copy(update={"generations": 1})
    discover(table, quick, tmp_path)
    text = (tmp_path / CHECKPOINT).read_text(encoding="utf-8")
    for damaged in (text[: len(text) // 2], text.replace("1", "2", 1)):
        (tmp_path / CHECKPOINT).write_text(damaged, encoding="utf-8")
        with pytest.raises(BadInput, match="damaged"):
            discover(table, quick, tmp_path)


def test_a_search_neither_draws_from_pythons_generator_nor_replaces_it(make_table) -> None:
    """The generator keeps its state during a search, and may be seeded in the midst of one, as by another thread."""
    table, quick = make_table(lambda q: 1 - 0.5 * q), SMALL.model_copy(update={"generations": 2})
    expected = discover(table, quick)
    random.seed(1)
    state = random.getstate()

    def mapper(function, batches):
        assert {gp.random, emo.random} == {random}  # DEAP's
        assert random.getstate() == state
        return map(function, batches)

    assert discover(table, quick, mapper=mapper) == expected
    assert random.getstate() == state

    def reseeding(function, batches):
        random.seed(2)
        return map(function, batches)

    assert discover(table, quick, mapper=reseeding) == expected


def test_no_form_twice_in_a_population(make_table) -> None:
    search = Search(make_problem(make_table(lambda q: 1 - 0.5 * q), SMALL), SMALL)
    for _ in range(3):
        search.step()
    for island in search.islands:
        found = [search.form(tree) for tree in island]
        known = [form for form in found if form is not None and search.fits[form] is not None]
        fresh = SMALL.population // 8  # random trees that fill up the population may repeat a form
        assert len(known) - len(set(known)) <= fresh
        assert all(len(tree) <= SMALL.max_length for tree in island)
