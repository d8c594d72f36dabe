"""Figures of a fit. Each function draws into axes and returns them; numbers come from quantities.

All share one style (densing.mplstyle) and colours that survive colour blindness (Okabe-Ito).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator

from densing_bayes.canvas import (
    BLUE,
    GREEN,
    GREY,
    INK,
    VERMILION,
    date_axis,
    days_of,
    new_axes,
    power_of_two,
    style,
    styled,
)
from densing_bayes.fits import CI, Fit
from densing_bayes.observations import date_of
from densing_bayes.plot_data import frontier_data, growth_data, scaling_data, score_links_data
from densing_bayes.wording import (
    benchmark_label,
    change_label,
    count,
    percent,
)

_LABELLED = 12


def _log_ticks(value: float, _: int = 0) -> str:
    return f"{value:g}" if value < 1e4 else count(value)


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
    ax.set_ylabel("capability density (reference family = 1)")
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
            f"{change_label(change.name)}, {at:%Y-%m-%d}",
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
        Of :func:`densing_bayes.quantities.density_table`.
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
            name,
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
        ax.set_title(benchmark_label(name))
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
            label="reference run",
            edgecolors="white",
            linewidths=0.4,
            zorder=3.5,
        )
        ax.axhline(observed.chance[k], color=GREY, lw=0.8, ls=(0, (4, 3)), zorder=1)
        ax.set_ylim(0.0, 1.0)
        if by_loss:
            ax.set_xlim(x.max(), x.min())
        ax.set_title(benchmark_label(name))
        ax.set_xlabel("loss L (better to the right)" if by_loss else "effective params")
    axes[0].set_ylabel("score S (dashed: chance)")
    axes[0].legend(loc="upper left")
    return axes


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


def figures(fit: Fit, ci: float = CI) -> dict[str, Figure]:
    """All figures of a report, drawn without a window, by name."""
    observed = fit.observed
    result = {}
    with mpl.rc_context(style()):  # also for the subplots
        result["frontier"] = Figure(figsize=(9.0, 5.4))
        plot_frontier(fit, result["frontier"].subplots(), ci)
        result["growth"] = Figure(figsize=(9.0, 3.8))
        plot_growth(fit, result["growth"].subplots(), ci)
        columns = len(observed.loss_benchmarks)
        if columns:
            result["scaling"] = Figure(figsize=(3.1 * columns + 0.6, 3.4))
            axes = np.ravel(result["scaling"].subplots(1, columns, squeeze=False))
            plot_scaling(fit, list(axes), ci)
        columns = len(observed.benchmarks)
        result["score_links"] = Figure(figsize=(2.7 * columns, 3.3))
        axes = np.ravel(result["score_links"].subplots(1, columns, squeeze=False, sharey=True))
        plot_score_links(fit, list(axes), ci)
    return result
