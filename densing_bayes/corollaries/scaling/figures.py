"""Figures of a loss law: residuals over compute, and larger runs predicted without being seen."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from densing_bayes.corollaries.scaling.judgement import compute_of
from densing_bayes.display.figures.canvas import BLUE, GREY, INK, VERMILION, new_axes, styled


@styled
def plot_residuals(judged: pd.DataFrame, limit: float, ax: Axes | None = None) -> Axes:
    """Distances of runs from the law over their compute.

    Parameters
    ----------
    judged
        Of :func:`densing_bayes.corollaries.scaling.judgement.off_the_law`.
    limit
        Beyond which a run is named.
    ax
        Axes to draw into; new ones by default.
    """
    ax = new_axes(8.0, 4.2)[0] if ax is None else ax
    compute, distance = compute_of(judged), judged["distance"].to_numpy(float)
    left_out = (judged["flag"] != "").to_numpy()
    far = judged["far"].to_numpy(bool)
    ax.axhspan(-limit, limit, color=BLUE, alpha=0.08, lw=0, label="within the limit")
    ax.axhline(0.0, color=GREY, lw=0.8)
    for chosen, colour, label in (
        (~far, INK, "run"),
        (far & ~left_out, VERMILION, "off the law"),
        (far & left_out, GREY, "off the law, flagged"),
    ):
        if chosen.any():
            ax.scatter(compute[chosen], distance[chosen], s=14, color=colour, label=label)
    ax.set_xscale("log")
    ax.set_yscale("symlog", linthresh=2.0 * limit, linscale=1.5)
    ax.yaxis.set_major_formatter(FuncFormatter(_plain))
    ax.set_xlabel("Training compute, FLOP")
    ax.set_ylabel("Log loss off the law, robust sd")
    ax.legend(frameon=False, fontsize=8)
    return ax


@styled
def plot_predicted(predicted: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Losses of the largest runs beside the intervals predicted for them without seeing them."""
    ax = new_axes(8.0, 4.2)[0] if ax is None else ax
    place = np.arange(len(predicted))
    middle = predicted["median"].to_numpy(float)
    reach = np.abs(predicted[["lower", "upper"]].to_numpy(float).T - middle)
    ax.errorbar(place, middle, reach, fmt="none", ecolor=BLUE, lw=2.0, alpha=0.6, label="predicted")
    for chosen, colour, label in (
        (predicted["inside"].to_numpy(bool), INK, "measured, inside"),
        (~predicted["inside"].to_numpy(bool), VERMILION, "measured, outside"),
    ):
        if chosen.any():
            loss = predicted["loss"].to_numpy(float)
            ax.scatter(place[chosen], loss[chosen], s=16, color=colour, label=label, zorder=3)
    ax.set_xlabel("Runs left out, least compute first")
    ax.set_ylabel("Loss")
    ax.legend(frameon=False, fontsize=8)
    return ax


def _plain(value: float, _: int = 0) -> str:
    """Tick label; a function of its own, so that a figure can be stored."""
    return f"{value:g}"
