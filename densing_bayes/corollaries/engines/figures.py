"""Figure of the doubling times of density, chips and batteries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator

from densing_bayes.corollaries.engines.model import engine_label
from densing_bayes.display.figures.canvas import (
    BLUE,
    INK,
    new_axes,
    styled,
)
from densing_bayes.display.figures.data import PlotData
from densing_bayes.inputs.dates import DAYS_PER_MONTH, DAYS_PER_YEAR
from densing_bayes.posterior.result import CI

BEYOND = 1e5  # days that no axis shows


def doubling_times_data(table: pd.DataFrame, ci: float = CI) -> PlotData:
    """Of :func:`plot_doubling_times`; ``ci`` is not used, the table has its intervals.

    ``engines``: index engine; label, median, lower, upper in days (infinite where unbounded).
    """
    said = table["doubling_time"]
    columns = {
        key: [float("inf") if row[key] is None else row[key] for row in said]
        for key in ("median", "lower", "upper")
    }
    labels = [engine_label(str(name)) for name in table.index]
    index = table.index.rename("engine")
    return {"engines": pd.DataFrame({"label": labels} | columns, index=index)}


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
        Of :func:`densing_bayes.corollaries.engines.model.engine_table`.
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
    engines = doubling_times_data(table)["engines"]
    for place, (name, row) in enumerate(engines.iterrows()):
        ends = np.minimum([row["lower"], row["upper"]], BEYOND)
        ax.plot(ends, [place] * 2, color=BLUE, lw=2.2, solid_capstyle="butt")
        if row["median"] < BEYOND:
            ax.plot(row["median"], place, "o", color=BLUE, ms=6, zorder=4)
        for value in (claims or {}).get(str(name), ()):
            ax.plot(value, place, "x", color=INK, ms=7, mew=1.6, zorder=5)
    ax.plot([], [], "o-", color=BLUE, ms=6, lw=2.2, label="posterior median and interval")
    if claims:
        ax.plot([], [], "x", color=INK, ms=7, mew=1.6, ls="none", label="published")
    ax.set_yticks(range(len(table)), list(engines["label"]))
    ax.set_ylim(len(table) - 0.5, -0.5)
    ax.set_xscale("log")
    marks = {months * DAYS_PER_MONTH: f"{months} month{'s' * (months > 1)}" for months in (1, 3)}
    marks |= {years * DAYS_PER_YEAR: f"{years} year{'s' * (years > 1)}" for years in (1, 3, 10, 30)}
    ax.set_xticks(list(marks), list(marks.values()))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xlim(45, 14000)
    ax.set_xlabel("doubling time")
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, frameon=False, fontsize=8)
    return ax
