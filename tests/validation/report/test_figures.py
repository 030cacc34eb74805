"""Figures as the page needs them: tags, ids of their own, axes that give values back, atoms where they are."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from transslit import SlitNetwork
from transslit.style import INK, STYLE, tagged
from transslit.svg import band, to_file, to_svg
from validation.figures import report as figures


@pytest.fixture
def drawn():
    figure = Figure(figsize=(4, 3))
    ax = figure.subplots()
    ax.plot([1, 10, 100], [-1000, 0, 1000], color=INK, gid=tagged("atoms", "slit 1"), marker="")
    ax.fill_between([1, 100], [0, 0], [1, 1], gid=band("atoms"))
    ax.plot([1, 100], [5, 5], label=r"$\Delta\varphi_1$")
    ax.set(xscale="log", xlim=(1, 100), ylim=(-1000, 1000), xlabel="t / ps", ylabel=r"$\Delta\varphi$ / mV")
    ax.set_yscale("asinh", linear_width=10)
    return to_svg(figure, "one", STYLE)


def test_tags_become_data_and_ids_are_unique(drawn):
    assert re.findall(r'data-tags="([^"]*)"', drawn) == ["~atoms", "atoms~slit 1", "Δφ1"]
    ids = re.findall(r'\bid="([^"]*)"', drawn)
    assert len(ids) == len(set(ids))
    assert all(name.startswith("one-") for name in ids)
    used = re.findall(r'(?:url\(#|xlink:href="#)([^)"]*)', drawn)
    assert set(used) <= set(ids)


def test_axes_give_values_back(drawn):
    """The drawn corner at (10, 0) lies half-way across both of the described axes."""
    (axes,) = json.loads(re.search(r'data-axes="([^"]*)"', drawn)[1].replace("&quot;", '"'))
    assert axes["x"] == [1.0, 100.0, "log", 0]
    assert axes["y"] == [-1000.0, 1000.0, "asinh", 10]
    assert axes["names"] == ["t / ps", "Δφ / mV"]
    line = re.search(r'data-tags="atoms~slit 1">\s*<path d="([^"]*)"', drawn)[1]
    points = np.array(re.findall(r"[ML] (\S+) (\S+)", line), dtype=float)
    x0, y0, x1, y1 = axes["box"]
    np.testing.assert_allclose(points, [[x0, y1], [(x0 + x1) / 2, (y0 + y1) / 2], [x1, y0]], atol=0.05)


def test_ink_follows_the_page_and_is_dark_in_a_file(drawn):
    assert "currentColor" in drawn
    assert INK not in drawn
    alone = to_file(drawn)
    assert "currentColor" not in alone
    assert 'fill="#fff"' in alone
    assert "data-axes" not in alone


def test_the_same_figure_is_the_same_text():
    once, again = (to_svg(figures.network_drawing(SlitNetwork(slit=1e-9)), "n", STYLE) for _ in range(2))
    assert once == again


def one(species, x, y, z):
    return pd.DataFrame({"species": [species], "x_nm": [x], "y_nm": [y], "z_nm": [z]})


def pixels(atoms):
    """RGB picture of the panel that shows `atoms` in a box of 2 nm by 1 nm by 1 nm, row 0 at the top."""
    figure = Figure(figsize=(4, 2), dpi=50)
    canvas = FigureCanvasAgg(figure)
    ax = figure.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, 2), ylim=(0, 1))
    figures._spheres(ax, atoms, 1.0, {"K": (0.0, 1.0, 0.0), "Cl": (1.0, 0.0, 0.0)})
    ax.set_axis_off()
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].astype(int)


def test_an_atom_is_drawn_where_it_is():
    picture = pixels(one("K", 1.5, 0.4, 0.5))
    green = picture[..., 1] - picture[..., 0] > 50
    row, column = (np.average(grid, weights=green) for grid in np.indices(green.shape))
    assert ((column + 0.5) / 100, 1 - (row + 0.5) / 100) == pytest.approx((1.5, 0.4), abs=0.02)
    assert green.sum() / 100**2 == pytest.approx(np.pi * 0.13**2, rel=0.1)


def test_the_nearer_atom_hides_the_farther_one():
    picture = pixels(pd.concat([one("K", 0.5, 0.5, 0.9), one("Cl", 0.5, 0.5, 0.1)]))
    assert picture[50, 50, 1] > 2 * picture[50, 50, 0]
