"""Figures of a comparison of hypotheses. Each function draws into axes and returns them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import dates as mdates
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, NullLocator

from densing_bayes.display.figures.canvas import (
    BLUE,
    GREEN,
    GREY,
    INK,
    VERMILION,
    days_of,
    figure_of,
    new_axes,
    power_of_two,
    small_multiples,
    styled,
)
from densing_bayes.display.figures.data import (
    change_date_data,
    growth_changes_data,
    hypotheses_data,
)
from densing_bayes.evaluation.hypotheses.table import Comparison
from densing_bayes.posterior.result import CI, Fit
from densing_bayes.quantities.numbers import is_probability, percent


@styled
def plot_hypotheses(
    comparison: Comparison, axes: list[Axes] | None = None, ci: float = CI
) -> list[Axes]:
    """The frontier band of each hypothesis over the densities, in small multiples.

    Parameters
    ----------
    comparison
        Of :func:`densing_bayes.compare`.
    axes
        Axes to draw into, one per hypothesis; new ones by default.
    ci
        Probability of the bands.

    Returns
    -------
    list of matplotlib.axes.Axes
        In the order of the hypotheses; points are medians of the densities under each.
    """
    fits = comparison.fits
    made = axes is None
    if axes is None:
        options = {"layout": "constrained", "sharex": True, "sharey": True}
        axes = small_multiples(len(fits), 4, (3.1, 2.5), (0.6, 0.5), **options)
    data = hypotheses_data(comparison, ci)
    bands, systems = (dict(list(table.groupby("hypothesis"))) for table in data.values())
    lowest, highest = (float(data["systems"]["density"].agg(end)) for end in ("min", "max"))
    for ax, (name, fit) in zip(axes, fits.items(), strict=True):
        band, points = bands[name], systems[name]
        ax.scatter(
            points["date"], points["density"], s=5, color=VERMILION, alpha=0.6, lw=0, zorder=2
        )
        ax.fill_between(band["date"], band["lower"], band["upper"], color=BLUE, alpha=0.22, lw=0)
        ax.plot(band["date"], band["median"], color=BLUE, lw=1.4)
        marked = "" if fit.verdict == "PASS" else f" [{fit.verdict}]"
        ax.set_title(f"{name}{marked}", fontsize=9.5)
        for change in fit.spec.trend.changes:
            if change.date is not None:
                at: Any = pd.Timestamp(change.date)
                ax.axvline(at, color=INK, lw=0.8, ls=(0, (4, 3)), alpha=0.6)
        ax.set_yscale("log", base=2)
        ax.yaxis.set_major_formatter(FuncFormatter(power_of_two))
        ax.yaxis.set_minor_locator(NullLocator())
        locator = mdates.YearLocator()  # type: ignore[no-untyped-call]
        ax.xaxis.set_major_locator(locator)
        ax.xaxis.set_major_formatter(mdates.DateFormatter("’%y"))  # type: ignore[no-untyped-call]
        ax.set_ylim(lowest / 2.0, highest * 4.0)
    if made:
        said = f"capability density; band: {percent(ci)} interval of the frontier"
        figure_of(axes[0]).supylabel(said, fontsize=9)
    return axes


@styled
def plot_change_date(fit: Fit, ax: Axes | None = None) -> Axes:
    """Posterior of the dates of changes that a hypothesis leaves open, over the calendar.

    Returns
    -------
    matplotlib.axes.Axes
        y is probability density per month; the prior is grey, and dates of events are marked.
    """
    from densing_bayes.inputs.panel import load_events

    dates = change_date_data(fit)["dates"]
    ax = new_axes(9.0, 3.8)[0] if ax is None else ax
    first, last = dates["start"].min(), dates["end"].max()
    colours = (BLUE, VERMILION, GREEN)
    for i, (change, own) in enumerate(dates.groupby("change", sort=False)):
        edges = days_of([*own["start"], last])
        label = "the same under the prior" if i == 0 else None
        ax.stairs(own["prior"], edges, color=GREY, lw=1.2, label=label)
        colour = colours[i % len(colours)]
        ax.stairs(own["posterior"], edges, fill=True, color=colour, alpha=0.45, label=str(change))
    top = 1.25 * ax.get_ylim()[1]
    events = load_events()
    events = events[events["date"].between(first, last)]
    for i, (name, event) in enumerate(events.sort_values("date").iterrows()):
        day = days_of([event["date"]])[0]
        ax.axvline(day, color=INK, lw=0.7, ls=(0, (4, 3)), alpha=0.45)
        ax.annotate(
            event.get("name", str(name)),
            (day, top),
            xytext=(-2, -4 - 62 * (i % 3)),  # three rows: some events lie days apart
            textcoords="offset points",
            rotation=90,
            ha="right",
            va="top",
            fontsize=7.5,
            color=INK,
        )
    ax.set_ylim(0.0, top)
    ax.set_xlim(*days_of([first, last]))
    ax.xaxis_date()
    ax.set_ylabel("probability per month")
    ax.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=4, frameon=False)
    return ax


@styled
def plot_growth_changes(comparison: Comparison, ax: Axes | None = None, ci: float = CI) -> Axes:
    """Posterior of the change of the growth rate under each hypothesis that has one.

    Returns
    -------
    matplotlib.axes.Axes
        x is the change from the first to the last growth rate per year; the prior is grey.
    """
    changes, curves = growth_changes_data(comparison, ci).values()
    ax = new_axes(7.6, 0.62 * len(changes) + 1.2)[0] if ax is None else ax
    own = dict(list(curves.groupby("hypothesis")))
    for i, (_, row) in enumerate(changes.iterrows()):
        base, curve = len(changes) - 1 - i, own[row["hypothesis"]]
        for group, shade, alpha in (("prior", GREY, 0.2), ("posterior", BLUE, 0.45)):
            top = base + 0.75 * curve[group]
            ax.fill_between(curve["change"], base, top, color=shade, alpha=alpha, lw=0)
        span = [row["lower"], row["upper"]]
        ax.plot(span, [base - 0.06] * 2, color=BLUE, lw=2.2, solid_capstyle="round")
        ax.plot(row["median"], base - 0.06, "o", color=BLUE, ms=5, mec="white", mew=0.8)
        ax.annotate(
            f"P(> 0) {is_probability(row['p_gt_0'])}\nP(≥ half) {is_probability(row['p_ge_half'])}",
            (1.01, base + 0.25),
            xycoords=("axes fraction", "data"),
            fontsize=8,
            va="center",
        )
    ax.axvline(0.0, color=INK, lw=0.9)
    ax.set_yticks(np.arange(len(changes))[::-1], list(changes["hypothesis"]))
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(-0.25, len(changes) - 0.1)
    ax.set_xlim(curves["change"].min(), curves["change"].max())
    ax.grid(visible=False, axis="y")
    ax.set_xlabel("change of the growth rate, per year")
    return ax


def comparison_figures(comparison: Comparison) -> dict[str, Callable[[], Any]]:
    """What draws each figure of a comparison, by the name of its file."""
    draws: dict[str, Callable[[], Any]] = {"hypotheses": partial(plot_hypotheses, comparison)}
    for name, fit in comparison.fits.items():
        if "change_time" in fit.posterior:
            draws[f"date-{name}"] = partial(plot_change_date, fit)
    if (comparison.table["growth_change"] != 0.0).any():
        draws["growth-changes"] = partial(plot_growth_changes, comparison)
    return draws
