"""Imports point down the list of rooms, never up or sideways."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = {"transslit", "md", "continuum", "discovery", "circuit", "validation"}
MAY = {**{room: {"transslit"} for room in ROOMS}, "transslit": set(), "validation": ROOMS}


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_imports_point_down(room):
    wrong = []
    for path in (ROOT / room).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            roots = {name.split(".")[0] for name in names} & ROOMS
            wrong += [f"{path.name} imports {name}" for name in roots - MAY[room] - {room}]
    assert not wrong
