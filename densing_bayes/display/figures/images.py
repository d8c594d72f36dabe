"""Figures as images: PNG, and SVG that stands in a page and follows its colours."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

import matplotlib as mpl
from matplotlib import pyplot
from matplotlib.figure import Figure

from densing_bayes.display.figures.canvas import figure_of
from densing_bayes.display.figures.drawn import Image

if TYPE_CHECKING:
    from densing_bayes.display.figures.drawn import Drawn

COLOURS: Final = {  # of the light figure, to the variables of the page's style sheet
    "#20262e": "var(--ink)",
    "#5b6470": "var(--muted)",
    "#7d8793": "var(--muted)",
    "#8b95a1": "var(--muted)",
    "#ffffff": "var(--paper)",
    "#0072b2": "var(--blue)",
    "#d55e00": "var(--vermilion)",
    "#009e73": "var(--green)",
}


def image_of(drawn: Drawn, name: str) -> Image:
    """The image of a figure, or of the figure of some axes, which is then closed."""
    if not isinstance(drawn, Figure):
        drawn = figure_of(next(iter(drawn)) if isinstance(drawn, Iterable) else drawn)
    image = Image(png(drawn), svg(drawn, name))
    pyplot.close(drawn)  # it goes to files, and no window
    return image


def png(figure: Figure) -> bytes:
    """The figure as PNG."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=150)
    return buffer.getvalue()


def svg(figure: Figure, name: str) -> str:
    """The figure as SVG to stand in a page: colours by style sheet, ids of its own."""
    buffer = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": name, "svg.fonttype": "path"}):
        figure.savefig(
            buffer,
            format="svg",
            transparent=True,
            metadata={"Date": None, "Creator": None, "Format": None, "Type": None},
        )
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    text = re.sub(r'\b(id="|url\(#|xlink:href="#|href="#)', rf"\g<1>{name}-", text)
    text = re.sub(r'(<svg [^>]*?)width="[^"]*"', r"\1", text, count=1)
    text = re.sub(r'(<svg [^>]*?)height="[^"]*"', r"\1", text, count=1)
    text = text.replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1)
    for colour, variable in COLOURS.items():
        text = re.sub(rf"(fill|stroke): {colour}", rf"\1: {variable}", text, flags=re.IGNORECASE)
    return re.sub(r"\n\s*", "\n", text)
