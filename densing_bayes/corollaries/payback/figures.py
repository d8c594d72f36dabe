"""Figures of shelf lives and pay-backs."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes

from densing_bayes.corollaries.payback.model import (
    MILLION,
    Payback,
    earned_per_daily_visit,
    earning_days,
)
from densing_bayes.corollaries.payback.training_cost import (
    SECONDS,
    TrainingCostFit,
    trained,
    training_cost,
)
from densing_bayes.display.figures.canvas import (
    BLUE,
    GREEN,
    GREY,
    INK,
    PURPLE,
    VERMILION,
    new_axes,
    quantiles,
    styled,
)
from densing_bayes.display.figures.data import PlotData, band
from densing_bayes.posterior.estimates import check_ci
from densing_bayes.posterior.result import CI

COLOURS = (BLUE, VERMILION, GREEN, PURPLE)
POINTS = 60  # of a curve


def waiting_curve(days: xr.DataArray, until: float = 730.0) -> pd.DataFrame:
    """Probability that a release has not been succeeded, against days since it came out."""
    grid = np.linspace(0.0, until, int(until) + 1)
    values = np.sort(np.ravel(days))
    share = 1.0 - np.searchsorted(values, grid, side="right") / len(values)
    return pd.DataFrame({"days": grid, "p_not_succeeded": share})


def waiting_data(
    waits: Mapping[str, xr.DataArray], ci: float = CI, *, until: float = 730.0
) -> PlotData:
    """Of :func:`plot_waiting`; ``ci`` is not used.

    ``curves``: label, days, p_not_succeeded.
    """
    parts = [waiting_curve(days, until).assign(label=label) for label, days in waits.items()]
    return {"curves": pd.concat(parts, ignore_index=True)[["label", "days", "p_not_succeeded"]]}


@styled
def plot_waiting(
    waits: Mapping[str, xr.DataArray], until: float = 730.0, ax: Axes | None = None
) -> Axes:
    """Survival curves of releases.

    Parameters
    ----------
    waits
        Waiting times in days by label, of
        :func:`~densing_bayes.corollaries.payback.arrivals.waiting_time`.
    until
        Days shown.
    ax
        Axes to draw into; new ones by default.
    """
    ax = new_axes(6.0, 4.0)[0] if ax is None else ax
    curves = waiting_data(waits, until=until)["curves"]
    for number, (label, curve) in enumerate(curves.groupby("label", sort=False)):
        style = "-" if number < len(COLOURS) else "--"
        colour = COLOURS[number % len(COLOURS)]
        ax.plot(curve["days"], curve["p_not_succeeded"], style, color=colour, label=str(label))
    ax.set_xlim(0, until)
    ax.set_ylim(0, 1)
    ax.set_xlabel("days since release")
    ax.set_ylabel("probability that it has no successor yet")
    ax.legend(frameon=False, fontsize=8)
    return ax


def payback_curve(
    result: Payback, window: float | None = None, ci: float = CI, costs: np.ndarray | None = None
) -> pd.DataFrame:
    """Visits that pay a training cost back, against that cost.

    Parameters
    ----------
    result
        Whose price, tokens, margin and halving are used.
    window
        Days that earn; the life of the result by default.
    ci
        Probability of the interval.
    costs
        USD; from 1e5 to 1e9 by default.

    Returns
    -------
    pandas.DataFrame
        ``training_cost``, ``median``, ``lower`` and ``upper`` visits; infinite where the median or
        a limit has no pay-back.
    """
    check_ci(ci)
    costs = np.geomspace(1e5, 1e9, POINTS) if costs is None else costs
    draws = result.draws
    if window is not None:
        draws = draws.assign(life=xr.full_like(draws["life"], float(window)))
    earned = np.ravel(earned_per_daily_visit(draws, result.demand_growth))
    whole = np.ravel(earning_days(draws["life"], np.inf, result.demand_growth))
    with np.errstate(divide="ignore", invalid="ignore"):
        per_usd = np.where(earned > 0, whole / earned, np.inf)
    tail = (1.0 - ci) / 2.0
    lower, median, upper = np.quantile(per_usd, [tail, 0.5, 1.0 - tail], method="inverted_cdf")
    return pd.DataFrame(
        {
            "training_cost": costs,
            "median": median * costs,
            "lower": lower * costs,
            "upper": upper * costs,
        }
    )


def payback_data(result: Payback, ci: float = CI, *, window: float | None = None) -> PlotData:
    """Of :func:`plot_payback`.

    ``curve``: as of :func:`payback_curve`; ``training_cost``: median, lower, upper in USD.
    """
    cost = band(np.ravel(result.draws["training_cost"])[:, None], ci)
    return {"curve": payback_curve(result, window, ci), "training_cost": cost}


@styled
def plot_payback(
    result: Payback,
    *,
    window: float | None = None,
    visits: float | None = None,
    ci: float = CI,
    ax: Axes | None = None,
) -> Axes:
    """Visits needed against the training cost, with an interval.

    Parameters
    ----------
    result
        A pay-back; its training cost is marked.
    window
        Days that earn; the life of the result by default.
    visits
        A number of visits to be placed on the curve: a level line.
    ci
        Probability of the interval.
    ax
        Axes to draw into; new ones by default.
    """
    ax = new_axes(6.0, 4.0)[0] if ax is None else ax
    curve, cost = payback_data(result, ci, window=window).values()
    upper = np.minimum(curve["upper"], 1e15)
    ax.fill_between(curve["training_cost"], curve["lower"], upper, color=BLUE, alpha=0.2, lw=0)
    span = "until succeeded" if window is None else f"within {window:.0f} days"
    ax.plot(curve["training_cost"], curve["median"], color=BLUE, label=f"visits {span}")
    middle, low, high = cost.iloc[0]
    ax.axvspan(low, high, color=GREY, alpha=0.2, lw=0)
    ax.axvline(middle, color=GREY, lw=1.0, label="its training cost")
    if visits is not None:
        label = f"{visits / MILLION:,.0f} million visits"
        ax.axhline(visits, color=VERMILION, lw=1.2, label=label)
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlim(1e5, 1e9)
    ax.set_ylim(float(curve["lower"].min()) / 3.0, float(curve["median"].max()) * 30.0)
    ax.set_xlabel("training cost, USD")
    ax.set_ylabel("visits that pay it back")
    ax.legend(frameon=False, fontsize=8, loc="upper left")
    return ax


def predicted_hours(fit: TrainingCostFit, ci: float = CI) -> pd.DataFrame:
    """GPU-hours of the table over their ideal, with what prior and posterior predict.

    Returns
    -------
    pandas.DataFrame
        One row per system: ``observed`` and, for "prior" and "posterior", ``_median``,
        ``_lower`` and ``_upper``, all as multiples of 6 N D over the peak of the chip.
    """
    rows = []
    for place, (_, run) in enumerate(trained(fit.table).iterrows()):
        ideal = 6.0 * run["params"] * run["tokens"] / (run["peak_flops"] * SECONDS)
        row: dict[str, float | str] = {"name": run["name"], "observed": run["value"] / ideal}
        for group in ("prior", "posterior"):
            hours = training_cost(
                fit,
                run["params"],
                run["tokens"],
                hardware=run["hardware"],
                group=group,
                seed=place,
            )["gpu_hours"]
            lower, median, upper = quantiles(hours.to_numpy() / ideal, ci, None)
            row |= {
                f"{group}_median": float(median),
                f"{group}_lower": float(lower),
                f"{group}_upper": float(upper),
            }
        rows.append(row)
    return pd.DataFrame(rows).set_index("name")


def training_cost_data(fit: TrainingCostFit, ci: float = CI) -> PlotData:
    """Of :func:`plot_training_cost`: ``hours``, as of :func:`predicted_hours`."""
    return {"hours": predicted_hours(fit, ci)}


@styled
def plot_training_cost(fit: TrainingCostFit, ci: float = CI, ax: Axes | None = None) -> Axes:
    """GPU-hours of the table against what prior and posterior predict for them."""
    table = predicted_hours(fit, ci)
    ax = new_axes(6.0, 1.0 + 0.28 * len(table))[0] if ax is None else ax
    places = np.arange(len(table))
    for group, colour, shift in (("prior", GREY, 0.15), ("posterior", BLUE, -0.15)):
        limits = table[[f"{group}_lower", f"{group}_upper"]].to_numpy()
        ax.hlines(places + shift, limits[:, 0], limits[:, 1], color=colour, lw=2, label=group)
    ax.plot(table["observed"], places, "o", color=INK, ms=4, label="reported")
    ax.set_yticks(places, list(table.index))
    ax.set_xscale("log")
    ax.set_xlabel(f"GPU-hours over 6ND / peak ({100 * ci:g}% predictive intervals)")
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, frameon=False, fontsize=8)
    return ax
