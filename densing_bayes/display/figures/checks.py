"""Figures of checks: whether PITs and ranks are uniform."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from densing_bayes.display.figures.canvas import BLUE, GREY, INK, VERMILION, small_multiples, styled
from densing_bayes.display.figures.data import PlotData
from densing_bayes.evaluation.checks import Checks
from densing_bayes.evaluation.uniformity import P_MIN, ecdf_difference, uniformity_p
from densing_bayes.observed.arrays import Floats
from densing_bayes.posterior.result import CI
from densing_bayes.quantities.labels import benchmark_label
from densing_bayes.quantities.numbers import number

COLUMNS = 4


@styled
def plot_loo_pit(checks: Checks, axes: list[Axes] | None = None) -> list[Axes]:
    """ECDF of the PITs of releases less that of uniform values, one frame per benchmark.

    Parameters
    ----------
    checks
        Of :func:`densing_bayes.check`.
    axes
        Axes to draw into, one per benchmark; new ones by default.

    Returns
    -------
    list of matplotlib.axes.Axes
        x is the PIT of the mean score of a release given all other releases. The band holds the
        whole line with probability 0.99 if the model is right. A line is red where p < 0.01:
        above on the left, more scores are lower than predicted; an arch up on the left and down
        on the right, scores are more spread out than predicted.
    """
    benchmarks = list(checks.score_pit["benchmark"].unique())
    axes = frames(len(benchmarks)) if axes is None else axes
    for ax, benchmark in zip(axes, benchmarks, strict=True):
        part = checks.score_pit[checks.score_pit["benchmark"] == benchmark]
        plot_uniformity(part["pit"].to_numpy(), ax)
        label = benchmark_label(str(benchmark))
        ax.set_title(f"{label}, {len(part)} releases", loc="left", fontsize=9.5)
    for ax in axes[-COLUMNS:]:
        ax.set_xlabel("PIT, left out")
    return axes


def loo_pit_data(checks: Checks, ci: float = CI) -> PlotData:
    """Of :func:`plot_loo_pit`; ``ci`` is not used, the band is of 0.99.

    ``ecdf``: benchmark, pit, difference, lower, upper; ``tests``: benchmark, releases, p.
    """
    curves, tests = [], []
    for benchmark, part in checks.score_pit.groupby("benchmark", sort=False):
        pit = part["pit"].to_numpy()
        at, difference, lower, upper = ecdf_difference(pit)
        curve = {"pit": at, "difference": difference, "lower": lower, "upper": upper}
        curves.append(pd.DataFrame({"benchmark": benchmark} | curve))
        tests.append((benchmark, len(pit), uniformity_p(pit)))
    table = pd.DataFrame(tests, columns=["benchmark", "releases", "p"])
    return {"ecdf": pd.concat(curves, ignore_index=True), "tests": table}


def frames(count: int) -> list[Axes]:
    """Small multiples for :func:`plot_uniformity`, with common scales."""
    axes = small_multiples(count, COLUMNS, (2.6, 2.3), (0.5, 0.4), sharey=True)
    for ax in axes[::COLUMNS]:
        ax.set_ylabel("ECDF less uniform")
    return axes


@styled
def plot_uniformity(values: Floats, ax: Axes) -> Axes:
    """ECDF of values between 0 and 1 less that of uniform ones, with a simultaneous band."""
    at, difference, lower, upper = ecdf_difference(values)
    p = uniformity_p(values)
    good = p >= P_MIN
    ax.fill_between(at, lower, upper, step="post", color=GREY, alpha=0.25, lw=0)
    ax.axhline(0.0, color=INK, lw=0.8, zorder=1)
    ax.step(at, difference, where="post", color=BLUE if good else VERMILION, lw=1.4)
    said = f"p = {number(p, 2)}" if p >= 0.001 else "p < 0.001"
    ax.annotate(said, (0.98, 0.96), xycoords="axes fraction", ha="right", va="top", fontsize=8.5)
    ax.set_xlim(0.0, 1.0)
    ax.set_xticks([0.0, 0.5, 1.0], ["0", "0.5", "1"])
    return ax
