"""Figures of the trend. Each function draws into axes and returns them.

All share one style (densing.mplstyle) and colours that survive colour blindness (Okabe-Ito).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from densing_bayes.display.figures.canvas import (
    BLUE,
    GREEN,
    GREY,
    INK,
    VERMILION,
    date_axis,
    days_of,
    new_axes,
    power_of_two,
    styled,
)
from densing_bayes.display.figures.data import (
    frontier_data,
    growth_data,
)
from densing_bayes.display.literal import in_figure
from densing_bayes.inputs.dates import date_of
from densing_bayes.posterior.result import CI, Fit
from densing_bayes.quantities.labels import change_label
from densing_bayes.quantities.numbers import percent

_LABELLED = 12


# Frontier ----------------------------------------------------------------------------------------


@styled
def plot_frontier(fit: Fit, ax: Axes | None = None, ci: float = CI) -> Axes:
    """Densities of the systems with intervals, and the frontier, over release dates.

    Parameters
    ----------
    fit
        A fit.
    ax
        Axes to draw into; new ones by default.
    ci
        Probability of the intervals and of the band.

    Returns
    -------
    matplotlib.axes.Axes
        y is density on a logarithmic scale of base 2, 1 is the reference family at D0 tokens.
        Open circles are extrapolated: effective params outside the sizes of the reference runs.
        Without runs 1 is the mean line of the systems at their mean date.
    """
    ax = new_axes(9.0, 5.4)[0] if ax is None else ax
    data = frontier_data(fit, ci)
    table, edge = data["systems"], data["frontier"]
    released = pd.to_datetime(table["release_date"])
    days, lower, middle, upper = (edge[name] for name in ("date", "lower", "median", "upper"))
    ax.fill_between(
        days, lower, upper, color=BLUE, alpha=0.16, lw=0, label=f"frontier, {percent(ci)} interval"
    )
    ax.plot(days, middle, color=BLUE, label="frontier, median")

    bars = np.array(
        [table["density"] - table["density_lower"], table["density_upper"] - table["density"]]
    )
    ax.errorbar(
        released,
        table["density"],
        yerr=bars,
        fmt="none",
        ecolor=GREY,
        alpha=0.30,
        elinewidth=0.8,
        zorder=1.5,
    )
    for inside, face, label in (
        (True, VERMILION, f"system, {percent(ci)} interval"),
        (False, "none", "the same, extrapolated"),
    ):
        rows = (table["in_range"] == inside).to_numpy()
        ax.scatter(
            released[rows],
            table["density"][rows],
            s=16,
            facecolors=face,
            edgecolors=VERMILION,
            linewidths=0.8,
            alpha=0.9,
            zorder=3,
            label=label,
        )

    ax.set_yscale("log", base=2)
    ax.yaxis.set_major_locator(LogLocator(base=2, numticks=12))
    ax.yaxis.set_major_formatter(FuncFormatter(power_of_two))
    ax.yaxis.set_minor_locator(NullLocator())
    low = float(np.quantile(table["density_lower"], 0.02))
    ax.set_ylim(low / 2.0, float(max(table["density_upper"].max(), upper.max())) * 1.6)
    ax.set_xlim(*days_of(days.iloc[[0, -1]]))
    date_axis(ax)
    _mark_changes(fit, ax)
    unit = "line of the systems" if fit.observed.without_runs else "reference family"
    ax.set_ylabel(f"capability density ({unit} = 1)")
    ax.set_xlabel("release date")
    ax.legend(loc="upper left")
    _label_systems(ax, table)
    return ax


def _mark_changes(fit: Fit, ax: Axes) -> None:
    """Lines at the changes; of a date that is not known its median and 95% interval."""
    undated = iter(
        fit.posterior["change_time"].transpose(..., "chain", "draw")
        if "change_time" in fit.posterior
        else ()
    )
    for change in fit.spec.trend.changes:
        at: Any = pd.Timestamp(change.window[0])
        if not change.known:
            lower, middle, upper = (
                date_of(float(time)) for time in np.quantile(next(undated), [0.025, 0.5, 0.975])
            )
            at = middle
            ax.axvspan(*days_of([lower, upper]), color=INK, alpha=0.08, lw=0, zorder=0)
        ax.axvline(at, color=INK, lw=0.9, ls=(0, (4, 3)), alpha=0.7, zorder=1)
        ax.annotate(
            f"{change_label(change.name, fit.spec.trend.changes)}, {at:%Y-%m-%d}",
            (at, 0.015),
            xycoords=("data", "axes fraction"),
            xytext=(-4, 0),
            textcoords="offset points",
            fontsize=8.5,
            ha="right",
            color=INK,
        )


def notable_systems(table: pd.DataFrame, most: int = _LABELLED) -> list[str]:
    """Systems worth a label: those that were the densest so far, and the densest of all.

    Parameters
    ----------
    table
        Of :func:`densing_bayes.quantities.densities.density_table`.
    most
        Number of names.
    """
    names, best = [], 0.0
    for name, density in table.sort_values("release_date", kind="stable")["density"].items():
        if density > 1.1 * best:
            names.append(str(name))
            best = float(density)
    # within 60 days only the last record is named, or the names would cover each other
    released = pd.to_datetime(table["release_date"])
    kept = [
        name
        for name, later in zip(names, [*names[1:], None], strict=True)
        if later is None or (released[later] - released[name]).days > 60
    ]
    top = [str(name) for name in table.index[:3] if name not in kept]
    return (kept + top)[-most:]


def _label_systems(ax: Axes, table: pd.DataFrame) -> None:
    from adjustText import adjust_text

    names = notable_systems(table)
    x = days_of(table["release_date"])
    y = table["density"].to_numpy()
    rows = table.index.get_indexer(pd.Index(names))
    halo = [patheffects.withStroke(linewidth=2.5, foreground="white")]
    # they start above and to the left, where a growing trend leaves room
    texts = [
        ax.text(
            x[row] - 30.0,
            y[row] * 1.7,
            in_figure(name),
            fontsize=8,
            color=INK,
            ha="right",
            zorder=4,
            path_effects=halo,
        )
        for row, name in zip(rows, names, strict=True)
    ]
    figure = ax.get_figure(root=True)
    if figure is not None:
        figure.draw_without_rendering()  # lay the axes out first, or the labels move afterwards
    adjust_text(
        texts,
        x=x,
        y=y,
        target_x=x[rows],
        target_y=y[rows],
        ax=ax,
        expand=(1.08, 1.4),
        force_text=(0.3, 0.6),
        force_static=(0.3, 0.5),
        force_explode=(0.1, 0.3),
        max_move=12,
        iter_lim=600,
        ensure_inside_axes=True,
        prevent_crossings=True,
        arrowprops={"arrowstyle": "-", "color": GREY, "lw": 0.7, "zorder": 3.5},
    )
    edge = ax.get_window_extent()
    for text in texts:
        box = text.get_window_extent()
        over = max(box.x1 - edge.x1, 0.0) + min(box.x0 - edge.x0 - 2.0, 0.0)
        place = ax.transData.transform(text.get_position()) - (over, 0.0)
        text.set_position(tuple(ax.transData.inverted().transform(place)))


# Growth ------------------------------------------------------------------------------------------


@styled
def plot_growth(fit: Fit, ax: Axes | None = None, ci: float = CI) -> Axes:
    """Posterior of the growth rate before and after the change and of the change itself.

    The prior stands in grey behind each. Heights are scaled row by row.

    Returns
    -------
    matplotlib.axes.Axes
        x is the growth rate in 1/day, mean over benchmarks.
    """
    ax = new_axes(7.0, 3.6)[0] if ax is None else ax
    data = growth_data(fit, ci)
    rows = data["rates"].to_dict("records")
    colours = (BLUE, VERMILION, GREEN)
    for base, row, colour in zip(range(len(rows))[::-1], rows, colours, strict=False):
        curve = data["curves"][data["curves"]["quantity"] == row["quantity"]]
        for group, shade, alpha in (("prior", GREY, 0.22), ("posterior", colour, 0.45)):
            top = base + 0.78 * curve[group]
            ax.fill_between(curve["rate"], base, top, color=shade, alpha=alpha, lw=0, zorder=2)
        limits = [row["lower"], row["upper"]]
        ax.plot(limits, [base - 0.07] * 2, color=colour, lw=2.6, solid_capstyle="round")
        ax.plot(row["median"], base - 0.07, "o", color=colour, ms=6, mec="white", mew=0.8)
    low, high = data["curves"]["rate"].min(), data["curves"]["rate"].max()
    ax.axvline(0.0, color=INK, lw=0.9, zorder=1)
    ax.set_yticks(np.arange(len(rows))[::-1], [row["label"] for row in rows])
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(-0.25, len(rows) - 0.1)
    ax.set_xlim(low, high)
    ax.grid(visible=True, axis="x")
    ax.grid(visible=False, axis="y")
    ax.spines["left"].set_visible(False)
    ax.set_xlabel(
        f"growth rate of the frontier, 1/day (median and {percent(ci)} interval; grey: prior)"
    )
    _doubling_axis(ax, high)
    return ax


def _doubling_axis(ax: Axes, highest: float) -> None:
    """Doubling times that belong to the rates, along the top."""
    times = [d for d in (30, 45, 60, 80, 120, 200, 400) if np.log(2.0) / d <= highest]
    top = ax.secondary_xaxis("top")
    top.set_xticks([np.log(2.0) / d for d in times], [str(d) for d in times])
    top.set_xlabel("doubling time of that rate, days", labelpad=6)
    top.spines["top"].set_visible(False)
    top.tick_params(length=3, colors=GREY, labelcolor=INK)
