"""Every example runs, and the number it is about is right."""

import importlib.util
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


def example(name):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main()


def test_every_example_is_tested():
    texts = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parents[1].rglob("test_*.py"))
    assert all(f'example("{path.stem}"' in texts for path in EXAMPLES.glob("*.py"))


def test_voltammogram():
    assert example("voltammogram") > 1.05  # a falling resistance delivers more to the deepest slit


def test_network_cv():
    share, ratio = example("network_cv")
    assert share > 0.99
    assert 0.3 < ratio < 0.8


def test_planted_law():
    assert example("planted_law") == pytest.approx(0.6, abs=0.03)


def test_pooled_law():
    law, score = example("pooled_law")
    assert "d" in law
    assert score > 0.99  # at a width that took no part


def test_own_electrolyte():
    length, packed = example("own_electrolyte")
    assert length == pytest.approx(0.304, abs=0.001)
    assert packed == pytest.approx(12.97, rel=1e-3)  # 1 / (2 N_A (0.4 nm)^3)
