"""What all figures share: style, colours that survive colour blindness (Okabe-Ito), scales."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, wraps
from importlib import resources
from typing import Any, Final

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib import dates as mdates
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import FixedLocator

BLUE: Final = "#0072B2"
VERMILION: Final = "#D55E00"
GREEN: Final = "#009E73"
PURPLE: Final = "#CC79A7"
ORANGE: Final = "#E69F00"
GREY: Final = "#7d8793"
INK: Final = "#20262e"
_TICK = re.compile(r"\$\\mathdefault\{.*\}\$")  # of a logarithmic scale


@cache
def style() -> Any:
    """The settings of the shared style, for ``matplotlib.rc_context``."""
    with resources.as_file(resources.files(__package__) / "densing.mplstyle") as path:
        return mpl.rc_params_from_file(path, use_default_template=False)


def styled[**Options, Drawn](plot: Callable[Options, Drawn]) -> Callable[Options, Drawn]:
    """Let a plot function draw in the shared style, whatever the user's own is."""

    @wraps(plot)
    def drawn(*args: Options.args, **options: Options.kwargs) -> Drawn:
        with mpl.rc_context(style()):
            made = plot(*args, **options)
        for part in np.ravel(made) if isinstance(made, list | np.ndarray) else [made]:
            if isinstance(part, Axes):
                without_formulas(figure_of(part))
        return made

    return drawn


def new_axes(width: float, height: float, columns: int = 1, **options: Any) -> list[Axes]:
    """Axes of a new figure in the shared style, in a row."""
    from matplotlib import pyplot as plt

    with mpl.rc_context(style()):
        figure = plt.figure(figsize=(width, height))
        return list(np.ravel(figure.subplots(1, columns, squeeze=False, **options)))


def small_multiples(
    count: int,
    most: int,
    cell: tuple[float, float],
    margin: tuple[float, float],
    layout: Any = None,
    **options: Any,
) -> list[Axes]:
    """Axes of a new figure in the shared style, in rows of at most so many; sizes in inches."""
    from matplotlib import pyplot as plt

    columns = min(most, count)
    rows = -(-count // columns)
    with mpl.rc_context(style()):
        size = cell[0] * columns + margin[0], cell[1] * rows + margin[1]
        figure = plt.figure(figsize=size, layout=layout)
        grid = np.ravel(figure.subplots(rows, columns, squeeze=False, **options))
    for ax in grid[count:]:
        ax.remove()
    for ax in grid[max(count - columns, 0) : count]:  # the lowest of each column, shared or not
        ax.tick_params(axis="x", labelbottom=True)
    return list(grid[:count])


def quantiles(draws: Any, ci: float, axis: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lower limit, median and upper limit of draws."""
    tail = (1.0 - ci) / 2.0
    lower, middle, upper = np.quantile(draws, [tail, 0.5, 1.0 - tail], axis=axis)
    return lower, middle, upper


def days_of(dates: Any) -> np.ndarray:
    """Dates as the numbers that matplotlib's date axes use."""
    return np.asarray(mdates.date2num(pd.to_datetime(dates)))  # type: ignore[no-untyped-call]


def date_axis(ax: Axes, most: int = 8) -> None:
    """Give the x axis ticks at dates, few enough not to overlap."""
    locator = mdates.AutoDateLocator(minticks=4, maxticks=most)  # type: ignore[no-untyped-call]
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(
        mdates.ConciseDateFormatter(locator)  # type: ignore[no-untyped-call]
    )


def power_of_two(value: float, _: int = 0) -> str:
    """Tick label of a density: 1/4, 1/2, 1, 2."""
    return f"{value:g}" if value >= 1 else f"1/{1 / value:g}"


def kernel_density(values: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """Density of draws at the points of a grid."""
    from scipy.stats import gaussian_kde

    return gaussian_kde(values)(grid) if np.ptp(values) > 0 else np.zeros_like(grid)


def figure_of(ax: Axes) -> Figure:
    """The figure that axes are part of."""
    figure = ax.get_figure()
    assert isinstance(figure, Figure)
    return figure


def without_formulas(figure: Figure) -> None:
    """Let every text of a figure be read as it is written, but for exponents of its scales."""
    for ax in figure.axes:
        for axis in (ax.xaxis, ax.yaxis):
            labels = [label.get_text() for label in axis.get_majorticklabels()]
            if isinstance(axis.get_major_locator(), FixedLocator) and "$" in "".join(labels):
                axis.set_ticklabels([_once(label) for label in labels])  # else written anew
    for text in figure.findobj(Text):
        assert isinstance(text, Text)
        text.set_text(_once(text.get_text()))


def _once(text: str) -> str:
    return text if _TICK.fullmatch(text) else re.sub(r"(?<!\\)\$", r"\\$", text)
