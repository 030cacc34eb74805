"""Imports point down the list of rooms, and within `validation` down its floors; no import closes a circle.

Every import counts: at module level, inside functions and under TYPE_CHECKING.
"""

import ast
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

ROOT = Path(__file__).parents[2]
LEVELS = {  # a module may import those of lower levels, and those of its own room or floor
    "transslit": 0,
    "md": 1,
    "continuum": 1,
    "discovery": 1,
    "circuit": 1,
    "validation.presets": 2,
    "validation.verdicts": 3,
    "validation.figures": 3,
    "validation.checks": 4,
    "validation.simulations": 4,
    "validation.claims": 5,
    "validation.report": 6,
    "validation.sweep": 6,
    "validation.chain": 7,
    "validation.commands": 8,
    "validation.cli": 9,
    "studies": 10,
}
ROOMS = ("transslit", "md", "continuum", "discovery", "circuit", "validation", "studies")


def modules(root):
    """Path of every module of the house by its name."""
    found = {}
    for room in ROOMS:
        for path in sorted((root / room).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(root):
    """Pairs (importing module, imported module) of the house, wherever the import stands."""
    known = modules(root)
    found = set()
    for name, path in known.items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            targets = []
            if isinstance(node, ast.Import):
                targets = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{path}: a relative import"
                targets = [f"{node.module}.{alias.name}" for alias in node.names]
            for target in targets:
                while target and target not in known:
                    target = target.rpartition(".")[0]
                if target and target != name:
                    found.add((name, target))
    return found


def floor(name):
    """The room or floor that a module belongs to; None for `validation` itself."""
    return next((place for place in LEVELS if name == place or name.startswith(place + ".")), None)


def upward(pairs):
    """Imports that point up or sideways."""
    return sorted(
        f"{a} imports {b}"
        for a, b in pairs
        if floor(b) is not None and floor(a) != floor(b) and LEVELS[floor(a)] <= LEVELS[floor(b)]
    )


def circles(pairs):
    """Groups of modules that import each other."""
    names = sorted({name for pair in pairs for name in pair})
    place = {name: k for k, name in enumerate(names)}
    ends = np.array([[place[a], place[b]] for a, b in pairs]).T
    graph = coo_array((np.ones(len(ends[0])), tuple(ends)), shape=(len(names),) * 2)
    _, labels = connected_components(graph, connection="strong")
    groups = [[name for name in names if labels[place[name]] == label] for label in np.unique(labels)]
    return [group for group in groups if len(group) > 1]


def test_every_module_has_a_floor():
    assert [name for name in modules(ROOT) if floor(name) is None] == ["validation"]


def test_imports_point_down():
    assert upward(imports(ROOT)) == []


def test_no_import_closes_a_circle():
    assert circles(imports(ROOT)) == []


UPWARD = [
    ("md/cell.py", "def late():\n    from continuum import run\n", "continuum"),
    ("transslit/units.py", "if TYPE_CHECKING:\n    import circuit\n", "circuit"),
    ("validation/checks/law.py", "from validation import simulations\n", "validation.simulations"),
    ("validation/verdicts/words.py", "import validation.claims\n", "validation.claims"),
]


@pytest.mark.parametrize(("path", "line", "target"), UPWARD)
def test_an_import_that_points_up_or_sideways_is_found(tmp_path, path, line, target):
    for source in modules(ROOT).values():
        copy = tmp_path / source.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(source.read_text(encoding="utf-8"), encoding="utf-8")
    with (tmp_path / path).open("a", encoding="utf-8") as file:
        file.write(line)
    module = path.removesuffix(".py").replace("/", ".")
    assert upward(imports(tmp_path)) == [f"{module} imports {target}"]


def test_a_circle_inside_functions_is_found():
    assert circles({("a", "b"), ("b", "c"), ("c", "a"), ("c", "d")}) == [["a", "b", "c"]]


def test_validation_is_less_than_a_third_of_the_house():
    lines = {name: len(path.read_text(encoding="utf-8").splitlines()) for name, path in modules(ROOT).items()}
    house = {name: count for name, count in lines.items() if not name.startswith("studies")}
    own = sum(count for name, count in house.items() if name.startswith("validation"))
    assert own < sum(house.values()) / 3


def test_no_function_is_long_or_takes_many_arguments():
    wrong = []
    for name, path in modules(ROOT).items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
                count = len([argument for argument in given if argument.arg not in ("self", "cls")])
                if node.end_lineno - node.lineno + 1 > 60 or count > 8:
                    wrong.append(f"{name}.{node.name}")
    assert wrong == []
