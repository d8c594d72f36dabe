"""Figures of the reference runs: loss laws and score links."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator

from densing_bayes.display.figures.canvas import (
    BLUE,
    GREEN,
    GREY,
    VERMILION,
    new_axes,
    styled,
)
from densing_bayes.display.figures.data import (
    scaling_data,
    score_links_data,
)
from densing_bayes.posterior.result import CI, Fit
from densing_bayes.quantities.labels import benchmark_label
from densing_bayes.quantities.numbers import count


def _log_ticks(value: float, _: int = 0) -> str:
    return f"{value:g}" if value < 1e4 else count(value)


# Reference runs ----------------------------------------------------------------------------------


@styled
def plot_scaling(fit: Fit, axes: Sequence[Axes] | None = None, ci: float = CI) -> list[Axes]:
    """Scaling law of each loss-linked benchmark with the reference runs.

    Curves with bands are the fitted law at the lowest, a middle and the highest token count of
    the runs, in the colour of those tokens.

    Returns
    -------
    list of matplotlib.axes.Axes
        One per loss-linked benchmark; empty if there is none.
    """
    names = fit.observed.loss_benchmarks
    if not names:
        return []
    axes = list(axes) if axes is not None else new_axes(3.4 * len(names), 3.5, len(names))
    data = scaling_data(fit, ci)
    tokens = data["runs"]["tokens"]
    # distinct ends; one token count for all runs must not make an empty scale
    norm = LogNorm(tokens.min() / 1.05, tokens.max() * 1.05)
    colours = mpl.colormaps["viridis"].resampled(256)
    shade = ScalarMappable(norm, mpl.colors.ListedColormap(colours(np.linspace(0.0, 0.88, 256))))
    for ax, name in zip(axes, names, strict=True):
        law = data["law"][data["law"]["benchmark"] == name]
        for level, curve in law.groupby("tokens"):
            colour = shade.to_rgba(np.array([level]))[0]
            ax.fill_between(
                curve["params"], curve["lower"], curve["upper"], color=colour, alpha=0.18, lw=0
            )
            ax.plot(curve["params"], curve["median"], color=colour, lw=1.4)
        runs = data["runs"][data["runs"]["benchmark"] == name]
        ax.scatter(
            runs["params"],
            runs["loss"],
            c=shade.to_rgba(runs["tokens"].to_numpy()),
            s=20,
            edgecolors="white",
            linewidths=0.5,
            zorder=3,
        )
        ax.set_xscale("log")
        ax.set_yscale("log")
        _plain_log_axis(ax.yaxis)
        _count_axis(ax)
        ax.set_title(benchmark_label(name, fit.observed))
        ax.set_xlabel("params N")
    axes[0].set_ylabel("conditional loss L")
    figure = axes[0].get_figure()
    if figure is not None:
        bar = figure.colorbar(shade, ax=axes, pad=0.015, fraction=0.035)
        bar.set_label("tokens D")
        bar.outline.set_visible(False)
        bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: count(value)))
        bar.ax.yaxis.set_minor_locator(NullLocator())
    return axes


def _count_axis(ax: Axes) -> None:
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: count(value)))
    ax.xaxis.set_minor_formatter(NullFormatter())


def _plain_log_axis(axis: Any) -> None:
    """Ticks at 1, 2, 5 times powers of ten; at more where less than two would be seen."""
    low, high = axis.get_view_interval()
    steps = (1, 2, 5) if high / low > 4 else (1, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 9)
    if high / low < 1.5:
        steps = tuple(np.arange(10, 100) / 10)
    axis.set_major_locator(LogLocator(base=10, subs=steps, numticks=12))
    axis.set_major_formatter(FuncFormatter(_log_ticks))
    axis.set_minor_locator(NullLocator())


# Links -------------------------------------------------------------------------------------------


@styled
def plot_score_links(fit: Fit, axes: Sequence[Axes] | None = None, ci: float = CI) -> list[Axes]:
    """Score link of each benchmark with the reference scores and the systems' scores.

    Loss-linked benchmarks have the loss on x, falling to the right; directly linked ones the
    effective params at D0 tokens. Systems stand where the posterior median puts them.

    Returns
    -------
    list of matplotlib.axes.Axes
        One per benchmark.
    """
    observed = fit.observed
    names = observed.benchmarks
    axes = (
        list(axes) if axes is not None else new_axes(3.0 * len(names), 3.4, len(names), sharey=True)
    )
    data = score_links_data(fit, ci)
    for k, (ax, name) in enumerate(zip(axes, names, strict=True)):
        link, systems, runs = (
            data[part][data[part]["benchmark"] == name]
            for part in ("links", "systems", "reference_runs")
        )
        by_loss = k < len(observed.loss_benchmarks)
        if not by_loss:
            ax.set_xscale("log")
            _count_axis(ax)
        x = link["x"]
        ax.fill_between(x, link["lower"], link["upper"], color=BLUE, alpha=0.18, lw=0)
        ax.plot(x, link["median"], color=BLUE, lw=1.5, label="link")
        ax.scatter(
            systems["x"],
            systems["score"],
            s=15,
            facecolors="none",
            edgecolors=VERMILION,
            linewidths=0.8,
            label="system",
            zorder=3,
        )
        ax.scatter(
            runs["x"],
            runs["score"],
            s=16,
            color=GREEN,
            label="reference run" if len(runs) else None,
            edgecolors="white",
            linewidths=0.4,
            zorder=3.5,
        )
        ax.axhline(observed.chance[k], color=GREY, lw=0.8, ls=(0, (4, 3)), zorder=1)
        ax.set_ylim(0.0, 1.0)
        if by_loss:
            ax.set_xlim(x.max(), x.min())
        ax.set_title(benchmark_label(name, fit.observed))
        ax.set_xlabel("loss L (better to the right)" if by_loss else "effective params")
    axes[0].set_ylabel("score S (dashed: chance)")
    axes[0].legend(loc="upper left")
    return axes
