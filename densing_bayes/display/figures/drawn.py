"""What drawing gives: a figure, its axes, or the image that files hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    Drawn = Figure | Axes | Sequence[Axes]


@dataclass(frozen=True)
class Image:
    """A figure as files hold it: PNG, and SVG to stand in a page."""

    png: bytes
    svg: str
