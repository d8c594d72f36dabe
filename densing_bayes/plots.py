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

from densing_bayes import laws
from densing_bayes.canvas import (
    BLUE,
    GREEN,
    GREY,
    INK,
    VERMILION,
    date_axis,
    days_of,
    kernel_density,
    new_axes,
    power_of_two,
    quantiles,
    style,
)
from densing_bayes.fitting import CI, Fit
from densing_bayes.observations import date_of
from densing_bayes.quantities import density_table, frontier, growth
from densing_bayes.wording import (
    before_after,
    benchmark_label,
    change_label,
    count,
    percent,
)

_MOST_DRAWS = 1000  # for bands of curves; intervals of parameters use all draws
_LABELLED = 12


def _log_ticks(value: float, _: int = 0) -> str:
    return f"{value:g}" if value < 1e4 else count(value)


# Frontier ----------------------------------------------------------------------------------------


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
    table = density_table(fit, ci)
    released = pd.to_datetime(table["release_date"])
    first, last = released.min(), released.max()
    margin = (last - first) * 0.03
    days = pd.date_range(first - margin, last + 2 * margin, periods=160)
    lower, middle, upper = np.exp(quantiles(frontier(fit, days), ci, (0, 1)))
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
    ax.set_xlim(*days_of(days[[0, -1]]))
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


def plot_scaling(fit: Fit, axes: Sequence[Axes] | None = None, ci: float = CI) -> list[Axes]:
    """Scaling law of each loss-linked benchmark with the reference runs.

    Curves with bands are the fitted law at the lowest, a middle and the highest token count of
    the runs, in the colour of those tokens.

    Returns
    -------
    list of matplotlib.axes.Axes
        One per loss-linked benchmark; empty if there is none.
    """
    observed = fit.observed
    names = observed.loss_benchmarks
    if not names:
        return []
    axes = list(axes) if axes is not None else new_axes(3.4 * len(names), 3.5, len(names))
    params = observed.centre_params * np.exp(observed.loss_log_params)
    tokens = observed.centre_tokens * np.exp(observed.loss_log_tokens)
    # distinct ends; one token count for all runs must not make an empty scale
    norm = LogNorm(tokens.min() / 1.05, tokens.max() * 1.05)
    colours = mpl.colormaps["viridis"].resampled(256)
    shade = ScalarMappable(norm, mpl.colors.ListedColormap(colours(np.linspace(0.0, 0.88, 256))))
    law = _law(fit)
    for k, (ax, name) in enumerate(zip(axes, names, strict=True)):
        rows = observed.loss_benchmark == k
        grid = np.geomspace(params[rows].min() / 1.3, params[rows].max() * 1.3, 60)
        for level in np.quantile(tokens[rows], [0.0, 0.5, 1.0], method="nearest"):
            draws = laws.scaling_loss(
                np.log(grid / observed.centre_params),
                np.log(level / observed.centre_tokens),
                *(law[key][:, k, None] for key in ("E", "a", "alpha", "b", "beta")),
            )
            lower, middle, upper = quantiles(draws, ci, 0)
            colour = shade.to_rgba(level)
            ax.fill_between(grid, lower, upper, color=colour, alpha=0.18, lw=0)
            ax.plot(grid, middle, color=colour, lw=1.4)
        ax.scatter(
            params[rows],
            observed.loss[rows],
            c=shade.to_rgba(tokens[rows]),
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


def _law(fit: Fit) -> dict[str, np.ndarray]:
    """Draws of the loss law's parameters, thinned, shape (draws, loss_benchmark)."""
    names = {
        "E": "irreducible_loss",
        "a": "params_loss",
        "alpha": "params_exponent",
        "b": "tokens_loss",
        "beta": "tokens_exponent",
    }
    return {key: _thinned(fit, name) for key, name in names.items()}


def _thinned(fit: Fit, name: str) -> np.ndarray:
    values = fit.posterior[name].to_numpy()
    values = values.reshape(-1, *values.shape[2:])
    return values[:: max(1, len(values) // _MOST_DRAWS)]


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
    law = _law(fit) if observed.loss_benchmarks else {}
    floor, ceiling = _thinned(fit, "floor"), _thinned(fit, "ceiling")
    log_neff = _thinned(fit, "log_effective_params") - np.log(observed.centre_params)
    split = observed.loss_references
    for k, (ax, name) in enumerate(zip(axes, names, strict=True)):
        cells = observed.cell_benchmark == k
        references = observed.reference_benchmark == k
        by_loss = k < len(observed.loss_benchmarks)
        if by_loss:
            reference_x = observed.reference_loss[references[:split]]
            system_x = np.median(
                laws.scaling_loss(
                    log_neff[:, cells],
                    observed.log_reference_tokens,
                    *(law[key][:, k, None] for key in ("E", "a", "alpha", "b", "beta")),
                ),
                axis=0,
            )
            # far up the floor nothing happens: the axis ends a little beyond the runs
            worst = reference_x.max() + 0.4 * float(np.ptp(reference_x))
            x = _stretch(np.r_[reference_x, np.minimum(system_x, worst)])
            z = _thinned(fit, "steepness")[:, k, None] * (_thinned(fit, "midpoint")[:, k, None] - x)
        else:
            j = k - len(observed.loss_benchmarks)
            elasticity = _thinned(fit, "token_elasticity")[:, j, None]
            # a run's ability, in params of a model trained on D0 tokens
            reference_x = np.median(
                laws.ability(
                    observed.reference_log_params[references[split:]],
                    observed.reference_log_tokens[references[split:]]
                    - observed.log_reference_tokens,
                    elasticity,
                ),
                axis=0,
            )
            system_x = np.median(log_neff[:, cells], axis=0)
            x = _stretch(np.r_[reference_x, system_x])
            z = _thinned(fit, "discrimination")[:, j, None] * (
                laws.ability(x, observed.log_reference_tokens, elasticity)
                - _thinned(fit, "difficulty")[:, j, None]
            )
            x, reference_x, system_x = (
                observed.centre_params * np.exp(value) for value in (x, reference_x, system_x)
            )
            ax.set_xscale("log")
            _count_axis(ax)
        draws = laws.sigmoid_score(z, floor[:, k, None], ceiling[:, k, None])
        lower, middle, upper = quantiles(draws, ci, 0)
        ax.fill_between(x, lower, upper, color=BLUE, alpha=0.18, lw=0)
        ax.plot(x, middle, color=BLUE, lw=1.5, label="link")
        ax.scatter(
            system_x,
            observed.score[cells],
            s=15,
            facecolors="none",
            edgecolors=VERMILION,
            linewidths=0.8,
            label="system",
            zorder=3,
        )
        ax.scatter(
            reference_x,
            observed.reference_score[references],
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


def _stretch(values: np.ndarray) -> np.ndarray:
    """A grid over the values with a margin."""
    margin = 0.05 * float(np.ptp(values)) or 0.1
    return np.linspace(values.min() - margin, values.max() + margin, 120)


# Growth ------------------------------------------------------------------------------------------


def plot_growth(fit: Fit, ax: Axes | None = None, ci: float = CI) -> Axes:
    """Posterior of the growth rate before and after the change and of the change itself.

    The prior stands in grey behind each. Heights are scaled row by row.

    Returns
    -------
    matplotlib.axes.Axes
        x is the growth rate in 1/day, mean over benchmarks.
    """
    ax = new_axes(7.0, 3.6)[0] if ax is None else ax
    names = before_after(fit)
    posterior, prior = growth(fit), growth(fit, "prior")
    rows = (
        [
            ("before", names[0], BLUE),
            ("after", names[1], VERMILION),
            ("change", "change", GREEN),
        ]
        if names
        else [("after", "growth", BLUE)]
    )
    edges = np.array([quantiles(posterior[name], 0.998, None) for name, _, _ in rows])
    low, high = float(min(edges[:, 0].min(), 0.0)), float(edges[:, 2].max())
    grid = np.linspace(low - 0.25 * (high - low), high + 0.15 * (high - low), 400)
    for i, (name, _, colour) in enumerate(rows):
        base = len(rows) - 1 - i
        for values, shade, alpha in ((prior[name], GREY, 0.22), (posterior[name], colour, 0.45)):
            height = kernel_density(np.ravel(values), grid)
            scale = kernel_density(np.ravel(posterior[name]), grid).max()
            ax.fill_between(
                grid, base, base + 0.78 * height / scale, color=shade, alpha=alpha, lw=0, zorder=2
            )
        lower, middle, upper = quantiles(posterior[name], ci, None)
        ax.plot([lower, upper], [base - 0.07] * 2, color=colour, lw=2.6, solid_capstyle="round")
        ax.plot(middle, base - 0.07, "o", color=colour, ms=6, mec="white", mew=0.8)
    ax.axvline(0.0, color=INK, lw=0.9, zorder=1)
    ax.set_yticks(np.arange(len(rows))[::-1], [label for _, label, _ in rows])
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(-0.25, len(rows) - 0.1)
    ax.set_xlim(grid[0], grid[-1])
    ax.grid(visible=True, axis="x")
    ax.grid(visible=False, axis="y")
    ax.spines["left"].set_visible(False)
    ax.set_xlabel(
        f"growth rate of the frontier, 1/day (median and {percent(ci)} interval; grey: prior)"
    )
    _doubling_axis(ax, grid[-1])
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
    with mpl.rc_context(style()):
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
