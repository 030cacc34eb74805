"""Figures as SVG for a page: ink that follows the page's text colour, ids of their own, axes that a script can read.

What has a list of tags as its gid (`tagged`) is shown and hidden by these tags.
The root element carries `data-axes`: per panel its box in SVG units, the limits and scales of x and y, and the labels,
so that a place on a drawn line can be turned back into values, and no number is embedded twice.
"""

from __future__ import annotations

import html
import io
import json
import re
from itertools import chain, zip_longest
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from transslit.style import INK, TAG, tagged

POINT = 72  # SVG units per inch


def band(*tags: str) -> str:
    """The gid of a band around a line: toggled with it, but no values are read off it."""
    return TAG + tagged(*tags)


def to_svg(figure: Figure, key: str, style: Any) -> str:
    """The figure as an SVG element whose ids start with `key`; the same text for the same figure.

    `style` are the rcParams that it is drawn under. Lines without a gid are tagged by their label in the legend.
    """
    stream = io.StringIO()
    for line in (line for ax in figure.axes for line in ax.lines):
        label = str(line.get_label())
        if line.get_gid() is None and not label.startswith("_"):
            line.set_gid(tagged(_plain(label)))
    with mpl.rc_context(style):
        figure.savefig(stream, format="svg", transparent=True, metadata={"Date": None})
        axes = [_axes(number, ax, figure) for number, ax in enumerate(figure.axes, start=1)]
    text = stream.getvalue()
    text = text[text.index("<svg") :].replace(INK, "currentColor")
    text = re.sub(r' (d|x|y)="[^"]*"', lambda match: re.sub(r"(\.\d\d)\d+", r"\1", match[0]), text)
    text = re.sub(r"\s*<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'<g( clip-path="[^"]*")?>((?:\s*<use [^>]*/>)+)', _style_once, text)
    # Tags become data: an id is no place for words with spaces, and must not be given twice.
    text = re.sub(rf'<g id="{TAG}([^"]*)">', r'<g data-tags="\1">', text)
    text = re.sub(r'\bid="', f'id="{key}-', text)
    text = re.sub(r'(url\(#|xlink:href="#)', rf"\g<1>{key}-", text)
    described = html.escape(json.dumps(axes, ensure_ascii=False, separators=(",", ":")))
    return text.replace("<svg", f'<svg data-axes="{described}"', 1)


def _style_once(match: re.Match[str]) -> str:
    """A group of markers with their common style on the group: half the text."""
    styles = set(re.findall(r' style="[^"]*"', match[2]))
    if len(styles) != 1:
        return match[0]
    (style,) = styles
    return f"<g{match[1] or ''}{style}>" + match[2].replace(style, "")


def to_file(svg: str) -> str:
    """The element of `to_svg` as a file of its own: ink on white."""
    box = size(svg)
    assert box is not None
    background = f'<rect width="{box[0]}" height="{box[1]}" fill="#fff"/>'
    body = re.sub(r'^<svg data-axes="[^"]*"', "<svg", svg).replace("currentColor", INK)
    end = body.index(">", body.index("<svg")) + 1
    return f'<?xml version="1.0" encoding="utf-8"?>\n{body[:end]}{background}{body[end:]}'


def size(svg: str) -> tuple[str, str] | None:
    """Width and height of the element of `to_svg`, in points, as they are written; None where it has no `viewBox`."""
    box = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)
    return None if box is None else (box[1], box[2])


def tags(svg: str) -> list[str]:
    """Every tag in the element of `to_svg` once: what artists are tagged with first, then what second, and so on."""
    texts = (html.unescape(text) for text in re.findall(r'<g data-tags="([^"]*)"', svg))
    lists = [[tag for tag in text.split(TAG) if tag] for text in texts]
    return [tag for tag in dict.fromkeys(chain.from_iterable(zip_longest(*lists))) if tag is not None]


def _axes(number: int, ax: Axes, figure: Figure) -> dict[str, Any]:
    width, height = figure.get_size_inches() * POINT
    box = ax.get_position()
    return {
        "box": [round(v, 2) for v in (box.x0 * width, (1 - box.y1) * height, box.x1 * width, (1 - box.y0) * height)],
        "x": _scale(ax.get_xlim(), ax.xaxis),
        "y": _scale(ax.get_ylim(), ax.yaxis),
        "names": [
            _plain(ax.get_xlabel() or figure.get_supxlabel() or _below(figure)),
            _plain(ax.get_ylabel() or figure.get_supylabel() or ax.get_title(loc="left")),
        ],
    }


def _below(figure: Figure) -> str:
    """The label of x that panels above another leave to the lowest."""
    return next((label for ax in reversed(figure.axes) if (label := ax.get_xlabel())), "")


def _scale(limits: tuple[float, float], axis: Any) -> list[Any]:
    scale = axis.get_scale()
    width = axis.get_transform().linear_width if scale == "asinh" else 0
    return [float(f"{limits[0]:.6g}"), float(f"{limits[1]:.6g}"), scale, width]


def _plain(label: str) -> str:
    """A label without mathematical markup, for a tooltip."""
    symbols = {r"\Delta": "Δ", r"\varphi": "φ", r"\rho": "ρ", r"\Omega": "Ω", r"\int": "∫", r"\,": " ", "^{-1}": "⁻¹"}
    symbols |= {"^{-3}": "⁻³", "^{max}": "max", r"\mathrm": ""}
    for code, symbol in symbols.items():
        label = label.replace(code, symbol)
    return re.sub(r"[${}_\\]", "", label)
