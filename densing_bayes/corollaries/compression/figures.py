"""Figures of compression: what methods do to density, and pairs within a panel."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, NullLocator

from densing_bayes.corollaries.compression.effects import method_table
from densing_bayes.corollaries.small_model import Posterior
from densing_bayes.display.figures.canvas import (
    BLUE,
    GREEN,
    GREY,
    INK,
    PURPLE,
    VERMILION,
    new_axes,
    power_of_two,
    styled,
)
from densing_bayes.display.figures.data import PlotData
from densing_bayes.posterior.result import CI

COLOURS = (BLUE, VERMILION, GREEN, PURPLE)
LEAST, MOST = 1.0 / 64.0, 4.0  # factors beyond which intervals are cut off


def compression_data(posterior: Posterior, ci: float = CI) -> PlotData:
    """Of :func:`plot_compression`.

    ``methods``: as of :func:`densing_bayes.corollaries.compression.effects.method_table`.
    """
    return {"methods": method_table(posterior, ci)}


def panel_pairs_data(table: pd.DataFrame, ci: float = CI) -> PlotData:
    """Of :func:`plot_panel_pairs`; ``ci`` is not used, the table has its intervals.

    ``pairs``: the rows of the table that have an answer, by derivation.
    """
    rows = table[table["reason"] == ""]
    return {"pairs": rows.sort_values(["derivation", "factor"], kind="stable")}


@styled
def plot_compression(posterior: Posterior, ci: float = CI, ax: Axes | None = None) -> Axes:
    """Factor on density per method: its mean, and a new pair.

    Parameters
    ----------
    posterior
        As of :func:`densing_bayes.corollaries.compression.effects.fit_compression`.
    ci
        Probability of the intervals.
    ax
        Axes to draw into; new ones by default.

    Returns
    -------
    matplotlib.axes.Axes
        One row per method, grouped by class: thick for the mean of the method, thin for a new
        pair; hollow where more than half of the children's scores may be guesses. Intervals that
        go on beyond the frame are cut.
    """
    table = compression_data(posterior, ci)["methods"]
    classes = list(dict.fromkeys(table["class"]))
    ax = new_axes(7.5, 1.2 + 0.24 * (len(table) + 0.6 * len(classes)))[0] if ax is None else ax
    y, places, labels = 0.0, [], []
    for number, name in enumerate(classes):
        colour = COLOURS[number % len(COLOURS)]
        for method, row in table[table["class"] == name].iterrows():
            thin, thick = (
                np.clip([row[f"{kind}_lower"], row[f"{kind}_upper"]], LEAST, MOST)
                for kind in ("new", "factor")
            )
            ax.plot(thin, [y, y], color=colour, lw=0.9, alpha=0.7)
            ax.plot(thick, [y, y], color=colour, lw=2.6, solid_capstyle="butt")
            filled = "white" if row["guessing"] > 0.5 else colour
            middle = np.clip(row["factor"], LEAST, MOST)
            ax.plot(middle, y, "o", color=colour, mfc=filled, ms=4.5, zorder=5)
            places.append(y)
            labels.append(f"{method} ({int(row['pairs'])})")
            y += 1.0
        y += 0.6
    ax.set_yticks(places, labels, fontsize=8)
    ax.set_ylim(y - 0.8, -0.8)
    _density_axis(ax)
    ax.plot([], [], "o-", color=INK, lw=2.6, ms=4.5, label="mean of the method")
    ax.plot([], [], "-", color=INK, lw=0.9, label="a new pair")
    ax.plot([], [], "o", color=INK, mfc="white", ms=4.5, label="most scores may be guesses")
    ax.legend(loc="lower center", bbox_to_anchor=(0.4, 1.0), ncols=3, frameon=False, fontsize=8)
    return ax


@styled
def plot_panel_pairs(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Density of children over that of their parents within a panel.

    Parameters
    ----------
    table
        As of :func:`.panel_pairs`; missing pairs are
        not shown.
    ax
        Axes to draw into; new ones by default.

    Returns
    -------
    matplotlib.axes.Axes
        One row per pair, by derivation; hollow where the child is scored beside the fit.
    """
    rows = panel_pairs_data(table)["pairs"]
    ax = new_axes(7.5, 1.3 + 0.26 * len(rows))[0] if ax is None else ax
    kinds = list(dict.fromkeys(rows["derivation"]))
    for y, (_, row) in enumerate(rows.iterrows()):
        colour = COLOURS[kinds.index(row["derivation"]) % len(COLOURS)]
        ends = np.clip([row["factor_lower"], row["factor_upper"]], LEAST, MOST)
        ax.plot(ends, [y, y], color=colour, lw=2.0, solid_capstyle="butt")
        filled = colour if row["how"] == "in the fit" else "white"
        ax.plot(np.clip(row["factor"], LEAST, MOST), y, "o", color=colour, mfc=filled, ms=5)
    names = [f"{child} / {row['parent']}" for child, row in rows.iterrows()]
    ax.set_yticks(range(len(rows)), names, fontsize=8)
    ax.set_ylim(len(rows) - 0.4, -0.6)
    _density_axis(ax)
    for number, kind in enumerate(kinds):
        ax.plot([], [], "o-", color=COLOURS[number % len(COLOURS)], ms=5, label=kind)
    ax.plot([], [], "o", color=INK, mfc="white", ms=5, label="scored beside the fit")
    ax.legend(loc="lower center", bbox_to_anchor=(0.3, 1.0), ncols=3, frameon=False, fontsize=8)
    return ax


def _density_axis(ax: Axes) -> None:
    ax.axvline(1.0, color=GREY, lw=0.9, zorder=0)
    ax.set_xscale("log", base=2)
    ax.set_xlim(LEAST, MOST)
    ax.xaxis.set_major_formatter(FuncFormatter(power_of_two))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xlabel("density of the child over that of the parent")
