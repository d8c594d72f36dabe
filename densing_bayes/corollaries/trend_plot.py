"""Figures of exponential trends: one trend over its points, and doubling times on one scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, NullFormatter, NullLocator

from densing_bayes.canvas import (
    BLUE,
    GREY,
    INK,
    VERMILION,
    date_axis,
    days_of,
    new_axes,
    quantiles,
    styled,
)
from densing_bayes.exponential import ExponentialFit, line_through
from densing_bayes.fitting import CI
from densing_bayes.observations import date_of
from densing_bayes.wording import percent

ENGINES = {
    "model-density": "density of language models",
    "transistor-density": "transistors per area of a chip",
    "compute-per-price": "compute per price of a chip",
    "battery-energy-per-volume": "energy per volume of Li-ion cells",
    "battery-energy-per-mass": "energy per mass of Li-ion cells",
}


@styled
def plot_exponential(
    fit: ExponentialFit, ax: Axes | None = None, unit: str = "", ci: float = CI
) -> Axes:
    """Dated values and the trend through them.

    Parameters
    ----------
    fit
        A fit of :func:`densing_bayes.exponential.fit_exponential`.
    ax
        Axes to draw into; new ones by default.
    unit
        Of the values, for the axis.
    ci
        Probability of the band.

    Returns
    -------
    matplotlib.axes.Axes
        y is logarithmic. Values and dates of which only limits are known are lines; the more
        likely a point belongs to the class, the darker it is.
    """
    ax = new_axes(8.0, 4.6)[0] if ax is None else ax
    points = fit.points
    middle_time = (points.first + points.last) / 2.0
    days = days_of([date_of(float(time)) for time in middle_time])
    value = np.exp((points.log_low + points.log_high) / 2.0)
    span = pd.date_range(
        date_of(float(points.first.min())), date_of(float(points.last.max())), periods=120
    )
    lower, middle, upper = np.exp(quantiles(line_through(fit, span), ci, (0, 1)))
    name = "edge" if fit.spec.form == "frontier" else "trend"
    ax.fill_between(
        span, lower, upper, color=BLUE, alpha=0.16, lw=0, label=f"{name}, {percent(ci)} interval"
    )
    ax.plot(span, middle, color=BLUE, label=f"{name}, median")
    for i in np.flatnonzero(points.log_low < points.log_high):
        ax.plot([days[i]] * 2, np.exp([points.log_low[i], points.log_high[i]]), color=GREY, lw=1.2)
    for i in np.flatnonzero(points.last - points.first > 0.02):
        ends = days_of([date_of(float(points.first[i])), date_of(float(points.last[i]))])
        ax.plot(ends, [value[i]] * 2, color=GREY, lw=0.8, zorder=1.5)
    few = len(value) < 150
    sure = points.member >= 0.5
    for chosen, face, label in (
        (sure, VERMILION, "point"),
        (~sure, "none", "probably not of this level"),
    ):
        if chosen.any():
            ax.scatter(
                days[chosen],
                value[chosen],
                s=16 if few else 6,
                facecolors=face,
                edgecolors=VERMILION,
                linewidths=0.7,
                alpha=0.9 if few else 0.5,
                zorder=3,
                label=label,
            )
    date_axis(ax)
    ax.set_yscale("log")
    plain = FuncFormatter(_plain)
    ax.yaxis.set_major_formatter(plain)
    within_a_decade = np.ptp(np.log10(value)) < 1.0
    ax.yaxis.set_minor_formatter(plain if within_a_decade else NullFormatter())
    ax.set_ylabel(unit)
    ax.legend(frameon=False, fontsize=8)
    return ax


def _plain(value: float, _: int = 0) -> str:
    """Tick label; a function of its own, so that a figure can be stored."""
    return f"{value:g}"


@styled
def plot_doubling_times(
    table: pd.DataFrame,
    claims: Mapping[str, Sequence[float]] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Doubling times of engines on one scale.

    Parameters
    ----------
    table
        Of :func:`densing_bayes.corollaries.engines.engine_table`.
    claims
        Published doubling times in days, by engine.
    ax
        Axes to draw into; new ones by default.

    Returns
    -------
    matplotlib.axes.Axes
        x is the doubling time on a logarithmic scale from months to decades.
    """
    ax = new_axes(8.0, 0.9 + 0.45 * len(table))[0] if ax is None else ax
    for place, (name, row) in enumerate(table.iterrows()):
        said: dict[str, Any] = row["doubling_time"]
        ends = [said["lower"], said["upper"] if said["upper"] is not None else 1e5]
        ax.plot(ends, [place] * 2, color=BLUE, lw=2.2, solid_capstyle="butt")
        if said["median"] is not None:
            ax.plot(said["median"], place, "o", color=BLUE, ms=6, zorder=4)
        for value in (claims or {}).get(str(name), ()):
            ax.plot(value, place, "x", color=INK, ms=7, mew=1.6, zorder=5)
    ax.plot([], [], "o-", color=BLUE, ms=6, lw=2.2, label="posterior median and interval")
    if claims:
        ax.plot([], [], "x", color=INK, ms=7, mew=1.6, ls="none", label="published")
    ax.set_yticks(range(len(table)), [ENGINES.get(str(name), str(name)) for name in table.index])
    ax.set_ylim(len(table) - 0.5, -0.5)
    ax.set_xscale("log")
    marks = {30.4: "1 month", 91.3: "3 months", 365.25: "1 year", 1096: "3 years", 3652: "10 years"}
    marks[10957] = "30 years"
    ax.set_xticks(list(marks), list(marks.values()))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xlim(45, 14000)
    ax.set_xlabel("doubling time")
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, frameon=False, fontsize=8)
    return ax
