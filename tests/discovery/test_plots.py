"""Figures show the numbers of their tables."""

from __future__ import annotations

import numpy as np
import pandas as pd

from discovery.plots import plot_front, plot_prediction
from transslit.law import Law


def test_front_marks_the_law() -> None:
    hall = pd.DataFrame(
        {
            "complexity": [3, 5, 7],
            "loss": [1e-2, 2e-2, 1e-4],
            "on_front": [True, False, True],
            "chosen": [False, False, True],
        }
    )
    axes = plot_front(hall, Law.paper(0.1, 0.5)).axes[0]
    (front,) = axes.get_lines()
    np.testing.assert_allclose(front.get_ydata(), [0.1, 0.01])
    np.testing.assert_allclose(axes.collections[-1].get_offsets(), [[7, 0.01]])
    assert "complexity" in axes.get_xlabel()


def test_a_perfect_law_lies_on_the_diagonal(make_table) -> None:
    table = make_table(lambda q: 1 - 0.5 * q, noise=0.0)
    axes = plot_prediction(table, Law.paper(0.12, 0.5, provenance={"held_out": ["i=4"]})).axes[0]
    points = axes.collections[0].get_offsets()
    assert len(points) == len(table)
    np.testing.assert_allclose(points[:, 0], points[:, 1], rtol=1e-9)
