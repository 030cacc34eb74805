"""Atoms as a picture: shaded spheres in parallel projection, the nearer over the farther (painter's algorithm).

A sphere of radius r seen along z has the normal n = (u, v, sqrt(1 - u^2 - v^2)) / r at (u, v) from its centre; its
brightness is 0.45 + 0.55 n.l for light from l = (-1, 1, 2)/sqrt(6). Water is drawn pale so that ions and sheets show.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

PIXELS = 75  # per nm
RADIUS = {"C": 0.075, "O": 0.11}  # nm, small enough to see between them; ions take the default
ION = 0.13
OPACITY = {"O": 0.28}


def rendered(
    atoms: pd.DataFrame, box: tuple[float, float, float], colours: dict[str, tuple[float, float, float]]
) -> np.ndarray:
    """RGBA picture of bytes, shape (y pixels, x pixels, 4), row 0 at the top; coarse colours, which pack well.

    `atoms` has columns species, x_nm, y_nm, z_nm; `box` is (x, y, z) in nm, periodic in x and y; `colours` are RGB.
    """
    size = (round(box[1] * PIXELS), round(box[0] * PIXELS))
    margin = round(0.2 * PIXELS)
    canvas = np.zeros((size[0] + 2 * margin, size[1] + 2 * margin, 4))  # premultiplied by its alpha
    # Waters first, or they would veil the ions behind which they pass.
    order = np.lexsort((atoms["z_nm"], atoms["species"] != "O"))
    columns = (atoms[name].to_numpy()[order] for name in ("species", "x_nm", "y_nm", "z_nm"))
    sprites = {name: _sphere(RADIUS.get(name, ION), colour) for name, colour in colours.items()}
    for species, x, y, z in zip(*columns, strict=True):
        sprite, alpha = sprites[species]
        half = sprite.shape[0] // 2
        row, column = margin + int((1 - y / box[1]) * size[0]), margin + int(x / box[0] * size[1])
        place = canvas[row - half : row + half + 1, column - half : column + half + 1]
        cover = (alpha * OPACITY.get(species, 1.0))[..., None]
        depth = 0.65 + 0.35 * z / box[2]  # the farther, the darker
        place *= 1 - cover
        place[..., :3] += cover * sprite * depth
        place[..., 3:] += cover
    kept = canvas[margin : margin + size[0], margin : margin + size[1]]
    kept[..., :3] /= np.maximum(kept[..., 3:], 1e-6)
    return (np.clip(kept, 0, 1) * 255).astype(np.uint8) // 16 * 17


def _sphere(radius: float, colour: tuple[float, float, float]) -> tuple[np.ndarray, np.ndarray]:
    """A shaded disc (n, n, 3) and its coverage (n, n), soft at the edge."""
    half = int(np.ceil(radius * PIXELS)) + 1
    v, u = np.mgrid[half : -half - 1 : -1, -half : half + 1] / (radius * PIXELS)
    rho = np.hypot(u, v)
    normal = np.sqrt(np.clip(1 - rho**2, 0, 1))
    light = np.clip((-u + v + 2 * normal) / np.sqrt(6), 0, 1)
    shade = (0.45 + 0.55 * light)[..., None] * np.array(colour)
    gloss = 0.35 * np.clip(light, 0, 1) ** 24
    return np.clip(shade + gloss[..., None], 0, 1), np.clip((1 - rho) * radius * PIXELS + 0.5, 0, 1)
